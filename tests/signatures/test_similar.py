"""What is taken over from a similar signature is what reading would find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pgpchecks import EDDSA, MODERN, PAYLOAD

from fixtures.lib import pgpwriter as w
from gitverify.signatures import similar
from gitverify.signatures.openpgp import parse_signature
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.similar import SimilarSignatures


def both(reader, data):
    """Read with and without what is known; return what both say."""
    answers = []
    for parse in (reader.parse, parse_signature):
        try:
            answers.append(parse(data))
        except SignatureRefused as refusal:
            answers.append((refusal.code, refusal.message, refusal.keys))
    assert answers[0] == answers[1]
    return answers[0]


KEYS = [w.rsa_key(), w.dsa_key(), w.ecdsa_key(), EDDSA, MODERN]
TIMES = [1, 1_700_000_000, 0x05020502, 0xFFFFFFFF]


def signed(key, when, **shape):
    """As GnuPG writes it: the fingerprint, then the time, and the key id in the other area."""
    return w.signature(key, PAYLOAD, hashed=[w.issuer(key), w.created(when)], **shape)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.algorithm}-{key.version}")
def test_what_differs_in_time_is_read_alike(key):
    reader = SimilarSignatures()
    for when in TIMES:
        assert both(reader, signed(key, when)).created == when
    assert bool(reader._known) is (key.version == 4)  # the others have octets of their own before their values


def test_most_are_not_read_again(monkeypatch):
    """Each size of theirs twice: the first one, and the same with another time."""
    read = []
    monkeypatch.setattr(similar, "parse_signature", lambda data: read.append(data) or parse_signature(data))
    reader = SimilarSignatures()
    usual = [signed(EDDSA, when) for when in range(1, 50)]
    older = [w.signature(EDDSA, PAYLOAD, hashed=[w.created(n), w.issuer_id(EDDSA)], unhashed=[]) for n in range(1, 50)]
    for each in usual + older:
        reader.parse(each)
    sizes = {len(each) for each in usual}, {len(each) for each in older}
    assert len(read) == 2 * sum(map(len, sizes)) < 49


FAKE = w.notation(b"x", w.created(5))

SHAPES = {
    "a time that is no subpacket's": lambda when: {"hashed": [FAKE, w.issuer(EDDSA), w.created(when)]},
    "two times": lambda when: {"hashed": [w.created(5), w.issuer(EDDSA), w.created(when)]},
    "no time": lambda _: {"hashed": [w.issuer(EDDSA)]},
    "a time that is not signed": lambda when: {"hashed": [w.issuer(EDDSA)], "unhashed": [w.created(when)]},
    "a time in both areas": lambda when: {"hashed": [w.created(when), w.issuer(EDDSA)], "unhashed": [w.created(5)]},
    "a critical time": lambda when: {"hashed": [w.created(when, critical=True), w.issuer(EDDSA)]},
    "a long size": lambda when: {"hashed": [w.created(when, width=5), w.issuer(EDDSA)]},
    "another type": lambda when: {"type": w.TEXT, "hashed": [w.issuer(EDDSA), w.created(when)]},
    "another issuer": lambda when: {"hashed": [w.issuer(EDDSA), w.created(when)], "unhashed": [w.issuer_id(KEYS[0])]},
    "a recipient": lambda when: {"hashed": [w.issuer(EDDSA), w.created(when), w.subpacket(35, b"\4" + bytes(20))]},
    "a notation more": lambda when: {"hashed": [w.issuer(EDDSA), w.created(when), w.notation(b"a@b", b"%d" % when)]},
}


@pytest.mark.parametrize("first", SHAPES)
def test_signatures_that_look_alike(first):
    """One after the other, in every order: nothing that one says is taken for what another says."""
    for second in SHAPES:
        reader = SimilarSignatures()
        for when in (5, 6, 0x05020502, 5):
            for shape in (first, second):
                both(reader, w.signature(EDDSA, PAYLOAD, **SHAPES[shape](when)))


def hiding(octets, when):
    """Octets after ``05 02`` that are the size, the type and the content of a notation, or of a long one with others.

    The first ends before a creation time, the others before another one, of the octets turned over.
    """
    inside = bytes([0x10, 20, 0xEB, 0])  # a notation of 16 octets
    turned = bytes(octet ^ 0xFF for octet in inside)  # one of 12,459
    before = w.notation(b"x", w.created(5)[:2]) + octets + bytes(13) + w.created(when)
    long = (turned[0] - 192 << 8) + turned[1] + 192 + 2
    filling = bytes(long - 4 - 13 - 6 - 6)
    return [w.issuer(EDDSA), before, w.subpacket(20, filling + w.created(int.from_bytes(turned, "big")), width=5)]


@pytest.mark.parametrize("changed", [(0x10, 20, 0xEB, 1), (0x10, 35, 0, 0), (0x10, 2, 0, 0), (0x10, 0x80 | 100, 0, 0)])
def test_octets_that_look_like_the_time_and_are_sizes_and_types(changed):
    """Turned over, they make the time of what is read what they are then; with others in their place they do not."""
    reader = SimilarSignatures()
    octets = bytes([0x10, 20, 0xEB, 0])
    when = int.from_bytes(octets, "big")
    for there in (octets, bytes(changed), octets):
        both(reader, w.signature(EDDSA, PAYLOAD, hashed=hiding(there, when), unhashed=[]))


@given(st.lists(st.tuples(st.sampled_from(KEYS[1:4]), st.integers(0, 9), st.binary(max_size=3), st.integers(0, 400))))
def test_damaged_ones_among_sound_ones(drawn):
    reader = SimilarSignatures()
    for key, when, octets, place in drawn:
        data = signed(key, when)
        at = place % len(data)
        both(reader, data)
        both(reader, data[:at] + octets + data[at + len(octets) :])
        both(reader, data + octets)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(similar, "_REMEMBERED", 3)
    reader = SimilarSignatures()
    for number in range(10):
        both(reader, signed(w.eddsa_key(f"key {number}"), 1))
        assert len(reader._known) <= 3
