"""SSH public keys: the lines that people paste, and the blobs inside signatures.

Formats: RFC 4253 §6.6 (RSA), RFC 5656 §3.1 (ECDSA), RFC 8709 §4 (Ed25519), OpenSSH PROTOCOL.u2f (security keys).
Which keys count is R9. A blob has exactly one accepted form, so that equal keys have equal blobs and fingerprints.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.edwards import ED25519_PRIME, is_small_order
from gitverify.text import shown

LoadedKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

_RSA_MINIMUM_BITS = 2048  # R9
_RSA_EXPONENT_BITS = 64  # a larger one only makes verifying slow; OpenSSL refuses it for large moduli
_LONGEST_BLOB = LIMITS.rsa_bits // 8 + 256
_LONGEST_LINE = 4 * _LONGEST_BLOB
_LINE = re.compile(r"([a-z][a-z0-9@.-]*)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?", re.ASCII)
_NAME = re.compile(rb"[a-z0-9@.-]{1,64}")


class Curve(NamedTuple):
    """A curve as SSH names it, and the octets of one coordinate."""

    name: bytes
    octets: int
    curve: EllipticCurve


_P256 = Curve(b"nistp256", 32, SECP256R1())
_CURVES = {
    "ecdsa-sha2-nistp256": _P256,
    "ecdsa-sha2-nistp384": Curve(b"nistp384", 48, SECP384R1()),
    "ecdsa-sha2-nistp521": Curve(b"nistp521", 66, SECP521R1()),
    "sk-ecdsa-sha2-nistp256@openssh.com": _P256,
}
_EDWARDS = frozenset({"ssh-ed25519", "sk-ssh-ed25519@openssh.com"})

# How many strings follow the key type.
_FIELDS = {
    "ssh-ed25519": 1,
    "sk-ssh-ed25519@openssh.com": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
    "ssh-rsa": 2,
}


@dataclass(frozen=True)
class SshPublicKey:
    """A public key that R9 takes.

    ``algorithm``: the key type as text. ``blob``: its canonical bytes. ``application``: what a security key is bound
    to (``ssh:``), ``b""`` for other keys.
    """

    algorithm: str
    blob: bytes
    application: bytes = b""

    @cached_property
    def fingerprint(self) -> str:
        """The key id: ``SHA256:…``, as ``ssh-keygen -l`` prints it."""
        return fingerprint(self.blob)

    @cached_property
    def loaded(self) -> LoadedKey:
        """The key, ready to verify with."""
        return _load(self.algorithm, self.blob)

    @property
    def line(self) -> str:
        """The key as a policy and a ``.pub`` file have it: type and base64."""
        return f"{self.algorithm} {base64.b64encode(self.blob).decode('ascii')}"

    @property
    def is_security_key(self) -> bool:
        """Whether the private key lives in a FIDO authenticator."""
        return self.algorithm.startswith("sk-")


def fingerprint(blob: bytes) -> str:
    """Return the key id of a public blob: ``SHA256:`` and base64 without padding."""
    return "SHA256:" + base64.b64encode(sha256(blob).digest()).decode("ascii").rstrip("=")


def parse_key_line(text: str) -> SshPublicKey:
    """Return the key of a line as in a ``.pub`` file: type, base64, and perhaps a comment; no options in front.

    Raises :class:`KeyRefused` for anything else. :func:`parse_blob` decides; the ``sshpubkeys`` library must agree.
    """
    if "PRIVATE KEY" in text:
        raise KeyRefused("malformed", "this is a private key: it must stay secret, list the public one (the .pub file)")
    found = _LINE.fullmatch(text.strip(" \t\r\n"))
    if found is None:
        raise KeyRefused("malformed", f"“{shown(text, 60)}” is no SSH public key line: a type and base64, no options")
    if found[1] not in _FIELDS:
        raise _unsupported(found[1])
    return _parse_parts(found[1], found[2])


def key_comment(text: str) -> str:
    """Return the comment of a key line, ``""`` where there is none."""
    found = _LINE.fullmatch(text.strip(" \t\r\n"))
    return (found[3] or "").rstrip() if found else ""


@lru_cache(maxsize=8192)
def _parse_parts(algorithm: str, encoded: str) -> SshPublicKey:
    """Parse the two parts that name the key. Most lines of a policy are those of the version before."""
    if len(encoded) > _LONGEST_LINE:
        raise KeyRefused("malformed", "the key is longer than any key")
    try:
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error as error:
        raise KeyRefused("malformed", f"the key is not base64: {error}") from None
    if binascii.b2a_base64(blob, newline=False) != encoded.encode("ascii"):
        raise KeyRefused("malformed", "the key's base64 ends in stray bits")
    key = parse_blob(blob)
    if key.algorithm != algorithm:
        raise KeyRefused("malformed", f"the line says {shown(algorithm, 64)}, the key inside is {key.algorithm}")
    _second_opinion(key, encoded)
    return key


def _second_opinion(key: SshPublicKey, encoded: str) -> None:
    """Ask sshpubkeys. It sees canonical blobs of bounded length only: its integer parsing is quadratic."""
    import sshpubkeys  # noqa: PLC0415 - takes 30 ms to import

    theirs = sshpubkeys.SSHKey()
    try:
        theirs.parse(f"{key.algorithm} {encoded}")
        name = theirs.hash_sha256()
    except Exception as error:  # noqa: BLE001 - it leaks exceptions of ecdsa, cryptography and codecs
        raise KeyRefused("malformed", f"the key is not accepted: {shown(str(error))}") from None
    if name != key.fingerprint:
        raise KeyRefused("malformed", "two parsers disagree about this key")


@lru_cache(maxsize=4096)
def parse_blob(blob: bytes) -> SshPublicKey:
    """Return the key of a public blob.

    What is proven: the blob is the one canonical form of a key that R9 takes (nothing trails, integers are minimal,
    the curve is the one that the type names, the point is on it). Raises :class:`KeyRefused`.
    """
    name, fields = _algorithm(blob)
    if len(fields) != _FIELDS[name]:
        raise KeyRefused("malformed", "the key has missing or extra fields")
    application = fields[-1] if name.startswith("sk-") else b""
    if b"\0" in application:
        raise KeyRefused("malformed", "the security key's application contains a NUL")
    key = SshPublicKey(name, blob, application)
    if name in _EDWARDS:
        _check_edwards(fields[0])
    elif name in _CURVES:
        _check_point(_CURVES[name], fields[0], fields[1])
        # Whether the point is on the curve: only loading tells.
        key.loaded  # noqa: B018
    else:
        _check_rsa(_positive(fields[0]), _positive(fields[1]))
    return key


def _algorithm(blob: bytes) -> tuple[str, list[bytes]]:
    """Return the algorithm, known to be one of R9's, and the fields after it."""
    if len(blob) > _LONGEST_BLOB:
        raise KeyRefused("malformed", "the key is longer than any key")
    name, position = _string(blob, 0)
    if not _NAME.fullmatch(name):
        raise KeyRefused("malformed", "the key names no algorithm")
    algorithm = name.decode("ascii")
    if algorithm not in _FIELDS:  # what follows is not known to consist of strings
        raise _unsupported(algorithm)
    fields = []
    while position < len(blob):
        field, position = _string(blob, position)
        fields.append(field)
    return algorithm, fields


def _string(blob: bytes, position: int) -> tuple[bytes, int]:
    """Read a string (RFC 4251 §5); return it and the position after it."""
    start = position + 4
    end = start + int.from_bytes(blob[position:start], "big")
    if end > len(blob):
        raise KeyRefused("malformed", "the key is cut off, or something trails it")
    return blob[start:end], end


def _unsupported(name: str) -> KeyRefused:
    """Say why a key type that R9 does not list is refused."""
    if "-cert-" in name:
        return KeyRefused("unsupported", f"{shown(name, 64)} is a certificate: certificates are not supported")
    if name == "ssh-dss":
        return KeyRefused("weak", "ssh-dss (DSA with 1024 bits and SHA-1) is weak")
    return KeyRefused("unsupported", f"the key type {shown(name, 64)} is not supported")


def _check_edwards(point: bytes) -> None:
    if len(point) != 32:
        raise KeyRefused("malformed", f"an Ed25519 key has 32 octets, this one {len(point)}")
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    if y >= ED25519_PRIME:
        raise KeyRefused("malformed", "the Ed25519 key is not in canonical form")
    if is_small_order(point):
        raise KeyRefused("weak", "the Ed25519 key is a point of small order: anyone could sign with it")


def _check_point(curve: Curve, name: bytes, point: bytes) -> None:
    if name != curve.name:
        raise KeyRefused("malformed", f"the key's curve {shown(name, 32)} is not the one its type names")
    if len(point) != 1 + 2 * curve.octets or point[0] != 4:
        raise KeyRefused("malformed", "the ECDSA point is not an uncompressed one of its curve")


def _positive(value: bytes) -> int:
    """Read an mpint (RFC 4251 §5) that must be positive and in its shortest form."""
    if not value or value[0] & 0x80 or (value[0] == 0 and (len(value) == 1 or not value[1] & 0x80)):
        raise KeyRefused("malformed", "an integer of the key is not in its shortest form, or not positive")
    return int.from_bytes(value, "big")


def _check_rsa(exponent: int, modulus: int) -> None:
    bits = modulus.bit_length()
    if bits > LIMITS.rsa_bits:
        raise KeyRefused("malformed", f"an RSA key of {bits} bits is too long (at most {LIMITS.rsa_bits})")
    if bits < _RSA_MINIMUM_BITS:
        raise KeyRefused("weak", f"an RSA key of {bits} bits is weak (at least {_RSA_MINIMUM_BITS})")
    if modulus % 2 == 0 or exponent % 2 == 0 or exponent < 3 or exponent.bit_length() > _RSA_EXPONENT_BITS:
        raise KeyRefused("malformed", "the RSA key has an impossible modulus or exponent")


def _load(algorithm: str, blob: bytes) -> LoadedKey:
    """Load a blob whose fields have been checked."""
    _, fields = _algorithm(blob)
    try:
        if algorithm in _EDWARDS:
            return Ed25519PublicKey.from_public_bytes(fields[0])
        if algorithm in _CURVES:
            return EllipticCurvePublicKey.from_encoded_point(_CURVES[algorithm].curve, fields[1])
        return RSAPublicNumbers(_positive(fields[0]), _positive(fields[1])).public_key()
    except UnsupportedAlgorithm as error:
        raise KeyRefused("unsupported", f"this machine's OpenSSL can't use {algorithm}: {shown(str(error))}") from None
    except ValueError as error:
        raise KeyRefused("malformed", f"the key is no valid {algorithm} key: {shown(str(error))}") from None
