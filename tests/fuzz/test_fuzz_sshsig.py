"""SSH signatures and keys made of anything: a typed refusal or a proof, nothing else, in bounded memory."""

from __future__ import annotations

import base64
import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.lib.sshwriter import Ecdsa, Ed25519, Rsa, SkEcdsa, SkEd25519, armor, envelope, sshsig, string
from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.sshkeys import parse_blob, parse_key_line
from gitverify.signatures.sshsig import ssh_signer

PAYLOAD = b"payload"
KEYS = [Ed25519("alice"), Ecdsa("alice"), Rsa("alice"), SkEd25519("alice"), SkEcdsa("alice")]
NAMED = {key.id for key in KEYS}
CODES = {"bad-signature", "weak-signature", "unsupported-signature"}

positions = st.integers(0, 1 << 16)


@st.composite
def mutated(draw, originals):
    """Bytes of a valid thing with a few changes: cut, doubled, overwritten, inserted."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        at, to = sorted(draw(positions) % (len(data) + 1) for _ in range(2))
        match draw(st.sampled_from(["cut", "double", "write", "insert", "length"])):
            case "cut":
                del data[at:to]
            case "double":
                data[at:at] = data[at:to]
            case "write":
                data[at : at + 1] = draw(st.binary(max_size=1))
            case "insert":
                data[at:at] = draw(st.binary(max_size=8))
            case "length":
                data[at : at + 4] = draw(st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\0\0\4\0"]))
    return bytes(data)


def is_safe(text):
    """Whether nothing in a message can move the cursor, hide or reorder text."""
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in text)


def attempt(function, *arguments):
    """What the function returns, and what it refuses with; anything else that it raises fails the test."""
    try:
        return function(*arguments), None
    except (KeyRefused, SignatureRefused) as refused:
        return None, refused


def signer_or_none(text):
    signed, refused = attempt(ssh_signer, text, PAYLOAD)
    if refused is not None:
        assert isinstance(refused, SignatureRefused)
        assert refused.code in CODES
        assert len(refused.keys) <= 1
        assert refused.code != "bad-signature" or refused.keys
        assert is_safe(str(refused))
    return signed


@settings(max_examples=300, deadline=None)
@given(mutated([sshsig(key, PAYLOAD) for key in KEYS]))
@example(b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----")
@example(b"-----BEGIN SSH SIGNATURE-----")
def test_changed_text(text):
    signed = signer_or_none(text)
    assert signed is None or signed.key in NAMED


@settings(max_examples=500, deadline=None)
@given(mutated([envelope(key, PAYLOAD) for key in KEYS]))
def test_changed_blobs(blob):
    signed = signer_or_none(armor(blob))
    assert signed is None or signed.key in NAMED


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_anything(data):
    assert signer_or_none(data) is None
    assert signer_or_none(armor(data)) is None
    assert signer_or_none(armor(b"SSHSIG\0\0\0\1" + data)) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([key.blob for key in KEYS])), max_size=6))
def test_any_strings(strings):
    assert signer_or_none(armor(b"SSHSIG\0\0\0\1" + b"".join(map(string, strings)))) is None


@settings(max_examples=500, deadline=None)
@given(mutated([key.blob for key in KEYS]))
def test_changed_keys(blob):
    key, refused = attempt(parse_blob, blob)
    assert refused is None or refused.code in {"malformed", "unsupported", "weak"}
    assert key is None or (key.blob == blob and key.loaded is not None)


@settings(max_examples=200, deadline=None)
@given(mutated([key.line.encode() for key in KEYS]))
def test_changed_lines(line):
    text = line.decode("utf-8", "surrogateescape")
    key, refused = attempt(parse_key_line, text)
    assert refused is None or refused.code in {"malformed", "unsupported", "weak"}
    assert key is None or base64.b64encode(key.blob).decode() in text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_line(text):
    with pytest.raises(KeyRefused):
        parse_key_line(text)


LARGE = {
    "blank lines": b"-----BEGIN SSH SIGNATURE-----" + b"\n" * (1 << 20) + b"-----END SSH SIGNATURE-----\n",
    "base64": armor(b"\0" * (1 << 20)),
    "zeros": b"\0" * (1 << 20),
    "a key as long as the limit": armor(b"SSHSIG\0\0\0\1" + string(b"\0\0\0\7ssh-rsa" + b"\0" * 45_000)),
    "carriage returns": b"\r\n" * (1 << 19),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_bounded(name):
    tracemalloc.start()
    try:
        assert signer_or_none(LARGE[name]) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * LIMITS.signature_size
