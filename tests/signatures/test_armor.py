"""ASCII armor: one signature block and nothing else; any number of blocks of keys, with text around them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.lib import pgpwriter
from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.armor import dearmor_certificates, dearmor_signature
from gitverify.signatures.result import SignatureRefused

DATA = bytes(range(150))
GOOD = pgpwriter.armor(DATA)
KEYS = pgpwriter.armor(DATA, "PUBLIC KEY BLOCK")


@given(st.binary(min_size=1), st.sampled_from([None, -1]), st.integers(4, 76))
@settings(deadline=None)
def test_what_was_armored_comes_back(data, checksum, width):
    assert dearmor_signature(pgpwriter.armor(data, checksum=checksum, width=width)) == data


ACCEPTED = {
    "as git stores it, without a last line end": GOOD.rstrip(b"\n"),
    "white space around it": b"\n \t\r\n" + GOOD + b"\n\r\n ",
    "armor headers": pgpwriter.armor(DATA, headers=["Version: GnuPG v2", "Comment: =AAAA", "Comment:"]),
    "no checksum": pgpwriter.armor(DATA, checksum=None),
    "lines that end in CR LF": GOOD.replace(b"\n", b"\r\n"),
    "white space at the ends of lines": GOOD.replace(b"\n", b" \t\n"),
    "headers and a blank line of white space": pgpwriter.armor(DATA, headers=["Comment: x"]).replace(b"\n\n", b"\n \n"),
    "a blank line in the data": pgpwriter.armor(DATA, headers=["Comment: x"], width=40).replace(b"\nKCkq", b"\n\nKCkq"),
    "a blank line before the checksum": GOOD.replace(b"\n=", b"\n\n="),
    "one long line": pgpwriter.armor(DATA, width=1000),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(text):
    assert dearmor_signature(text) == DATA


REFUSED = {
    "nothing": (b"", "does not start with"),
    "text before it": (b"x\n" + GOOD, "does not start with"),
    "text after it": (GOOD + b"x\n", "text after"),
    "no end": (GOOD[: GOOD.index(b"-----END")], "no end"),
    "two blocks": (GOOD + GOOD, "not base64"),
    "text on the begin marker's line": (GOOD.replace(b"RE-----\n", b"RE----- x\n", 1), "begin marker"),
    "end marker on the line of the data": (
        pgpwriter.armor(DATA, checksum=None).replace(b"\n-----END", b"-----END"),
        "line end",
    ),
    "no blank line": (GOOD.replace(b"\n\n", b"\n", 1), "no blank line"),
    "no blank line, with a blank line in the data": (
        pgpwriter.armor(DATA, width=40).replace(b"\n\n", b"\n", 1).replace(b"\nKCkq", b"\n\nKCkq"),
        "no blank line",
    ),
    "a marker among the headers": (pgpwriter.armor(DATA, headers=["-----END PGP SIGNATURE-----: x"]), "no blank line"),
    "a character that base64 has not": (GOOD.replace(b"AAEC", b"AA*C"), "not base64"),
    "white space inside a line": (GOOD.replace(b"AAEC", b"AA EC"), "not base64"),
    "too few characters": (GOOD.replace(b"AAEC", b"AAE"), "not base64"),
    "another checksum": (pgpwriter.armor(DATA, checksum=0), "checksum is wrong"),
    "a short checksum": (GOOD.replace(b"\n=", b"\n=A", 1), "not base64"),
    "a checksum in the middle": (GOOD.replace(b"\nMDEy", b"\n=AAAA\nMDEy"), "not base64"),
    "no data": (pgpwriter.armor(b"", checksum=None).replace(b"\n\n", b"\n\n\n"), "no data"),
    "no data and no line for it": (pgpwriter.armor(b"", checksum=None), "no line end"),
    "no data but a checksum": (pgpwriter.armor(b""), "not base64"),
    "a block of keys": (KEYS, "does not start with"),
    "X.509": (b"-----BEGIN SIGNED MESSAGE-----\nMIAG\n-----END SIGNED MESSAGE-----\n", "X.509"),
    "too large": (pgpwriter.armor(bytes(LIMITS.signature_size)), "larger than"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text, message):
    with pytest.raises(SignatureRefused, match=message) as refused:
        dearmor_signature(text)
    assert refused.value.code == "unsupported-signature"
    assert refused.value.keys == ()


def test_any_damage_to_a_character_of_the_data_is_noticed():
    start = GOOD.index(b"\n\n") + 2
    for place in range(start, GOOD.index(b"\n=")):
        if GOOD[place : place + 1] != b"\n":
            other = b"B" if GOOD[place : place + 1] == b"A" else b"A"
            with pytest.raises(SignatureRefused):
                dearmor_signature(GOOD[:place] + other + GOOD[place + 1 :])


class TestCertificates:
    def test_binary_is_returned_whole(self):
        assert dearmor_certificates(b"\x99\0\0" + KEYS) == [b"\x99\0\0" + KEYS]

    def test_text_around_several_blocks(self):
        other = pgpwriter.armor(b"other", "PUBLIC KEY BLOCK", checksum=None, headers=["Comment: x"])
        text = "Keys of Jos\u00e9:\n".encode() + KEYS + b"\nand\n" + other + GOOD + b"-----\n"
        assert dearmor_certificates(text) == [DATA, b"other"]

    def test_secret_keys_are_not_looked_at(self):
        assert dearmor_certificates(pgpwriter.armor(b"secret", "PRIVATE KEY BLOCK") + KEYS) == [DATA]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "no OpenPGP certificate"),
            (b"README\n", "no OpenPGP certificate"),
            (pgpwriter.armor(b"secret", "PRIVATE KEY BLOCK"), "no OpenPGP certificate"),
            (KEYS + KEYS[:100], "no end"),
            (KEYS + pgpwriter.armor(DATA, "PUBLIC KEY BLOCK", checksum=1), "checksum is wrong"),
            (bytes(LIMITS.certificate_file_size + 1), "larger than"),
        ],
    )
    def test_refused(self, data, message):
        with pytest.raises(KeyRefused, match=message) as refused:
            dearmor_certificates(data)
        assert refused.value.code == "malformed"

    def test_a_large_file(self):
        data = bytes(range(256)) * 4000
        assert dearmor_certificates(pgpwriter.armor(data, "PUBLIC KEY BLOCK", checksum=None)) == [data]
