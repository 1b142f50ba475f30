"""ASCII armor (RFC 9580 §6): text in, the octets of OpenPGP packets out.

Two readers, because two things are wanted. A signature in a commit header has to be one block and nothing else: what
two programs could read differently has no place there. A file of certificates is read as people keep them, with text
around the blocks.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.crc24 import crc24
from gitverify.signatures.result import SignatureRefused

_BEGIN_SIGNATURE = b"-----BEGIN PGP SIGNATURE-----"
_END_SIGNATURE = b"-----END PGP SIGNATURE-----"
_BEGIN_KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END_KEY = b"-----END PGP PUBLIC KEY BLOCK-----"
_BEGIN_X509 = b"-----BEGIN SIGNED MESSAGE-----"
_BLANKS = b" \t\r\n"


class _MalformedArmor(Exception):
    """The text between the two marker lines can't be read. Each of the two readers turns it into its own refusal."""


def dearmor_signature(text: bytes) -> bytes:
    """Return the octets in the one ``PGP SIGNATURE`` block that ``text`` consists of.

    On return there was exactly one block, with nothing but white space around it, and its checksum was right or
    missing. (RFC 9580 §6.1 would have a wrong checksum ignored; gpg and Guix refuse it, and so do we.) Armor headers
    are skipped: they are not signed.

    Raises SignatureRefused with code ``unsupported-signature``: no key can be read from such a text.
    """
    if len(text) > LIMITS.signature_size:
        raise _refused(f"the signature is larger than {LIMITS.signature_size} octets")
    text = text.strip(_BLANKS)
    if not (text.startswith(_BEGIN_SIGNATURE) and text.endswith(_END_SIGNATURE)):
        raise _refused(_not_a_block(text))
    try:
        return _decode(text[len(_BEGIN_SIGNATURE) : -len(_END_SIGNATURE)])
    except _MalformedArmor as error:
        raise _refused(f"broken ASCII armor: {error}") from None


def dearmor_certificates(data: bytes) -> list[bytes]:
    """Return the octets of each part of a file of key material.

    A file that starts with an OpenPGP packet is binary and is returned whole. Otherwise every ``PGP PUBLIC KEY BLOCK``
    is decoded; text before, between and after the blocks is ignored, and so are blocks of other kinds.

    Raises KeyRefused (``malformed``) where the file is too large, has no block, or has one that can't be read.
    """
    if len(data) > LIMITS.certificate_file_size:
        raise KeyRefused("malformed", f"the file of certificates is larger than {LIMITS.certificate_file_size} octets")
    if data[:1] >= b"\x80":  # RFC 9580 §4.2: the top bit of a packet's first octet is set, that of ASCII never
        return [data]
    parts = []
    start = data.find(_BEGIN_KEY)
    while start >= 0:
        end = data.find(_END_KEY, start)
        if end < 0:
            raise KeyRefused("malformed", "a block of key material has no end")
        try:
            parts.append(_decode(data[start + len(_BEGIN_KEY) : end]))
        except _MalformedArmor as error:
            raise KeyRefused("malformed", f"broken ASCII armor: {error}") from None
        start = data.find(_BEGIN_KEY, end)
    if not parts:
        raise KeyRefused("malformed", "no OpenPGP certificate in it")
    return parts


def _decode(inside: bytes) -> bytes:
    """Decode what stands between the two marker lines: armor headers, a blank line, base64, a checksum."""
    try:
        return _decode_plain(inside)
    except _MalformedArmor:
        # White space at the ends of lines is allowed (and a line of nothing else is blank), but nobody writes it.
        plain = b"\n".join(line.rstrip(_BLANKS) for line in inside.split(b"\n"))
        if plain == inside:
            raise
    return _decode_plain(plain)


def _decode_plain(inside: bytes) -> bytes:
    headers, blank, encoded = inside.partition(b"\n\n")
    if headers:
        _check_headers(headers)
    if not blank or encoded[-1:] != b"\n":
        raise _MalformedArmor("no blank line before the data, or no line end after it")
    checksum = b""
    try:
        if encoded[-7:-5] == b"\n=":
            checksum = a2b_base64(encoded[-5:-1], strict_mode=True)
            encoded = encoded[:-7]
        octets = a2b_base64(encoded.replace(b"\n", b""), strict_mode=True)
    except Base64Error:
        raise _MalformedArmor("not base64") from None
    if not octets:
        raise _MalformedArmor("no data in it")
    if checksum and crc24(octets) != int.from_bytes(checksum, "big"):
        raise _MalformedArmor("the checksum is wrong")
    return octets


def _check_headers(headers: bytes) -> None:
    """Check the armor headers (RFC 9580 §6.2.2), which come after the rest of the begin marker's line: nothing."""
    rest, *lines = headers.split(b"\n")
    if rest:
        raise _MalformedArmor("text on the line of its begin marker")
    for line in lines:
        if line.startswith(b"-") or not (b": " in line or line.endswith(b":")):
            raise _MalformedArmor("no blank line before the data")


def _not_a_block(text: bytes) -> str:
    if text.startswith(_BEGIN_X509):
        return "the signature is an X.509 one, which is not supported"
    if text.startswith(_BEGIN_SIGNATURE):
        return "text after the signature block, or no end of it"
    return "the signature does not start with an OpenPGP signature block"


def _refused(message: str) -> SignatureRefused:
    return SignatureRefused("unsupported-signature", message)
