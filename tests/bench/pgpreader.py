"""Just enough OpenPGP to make ready the bare calls of the floor: no rule of the engine's, and none of its code.

It believes what it reads, which is right for a history that is known to be good. RFC 9580 §4.2, §5.2.3, §5.5.2.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.floor import Call

_HASHES = {
    2: hashes.SHA1(),
    8: hashes.SHA256(),
    9: hashes.SHA384(),
    10: hashes.SHA512(),
    11: hashes.SHA224(),
}
_PADDING = padding.PKCS1v15()
_CURVES = {"2a8648ce3d030107": ec.SECP256R1, "2b81040022": ec.SECP384R1, "2b81040023": ec.SECP521R1}


def dearmor(text: bytes) -> bytes:
    """Return what the first block has in it, without checksum."""
    inside = text.partition(b"-----BEGIN PGP ")[2].partition(b"-----END PGP ")[0].replace(b"\r", b"")
    body = inside.partition(b"\n\n")[2]
    return b64decode(b"".join(line for line in body.split(b"\n") if line[:1] != b"="))


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of packets in either format."""
    at = 0
    while at < len(data):
        first = data[at]
        at += 1
        if first & 0x40:
            tag = first & 63
            size, at = _new_length(data, at)
        else:
            tag = first >> 2 & 15
            octets = 1 << (first & 3)
            size = int.from_bytes(data[at : at + octets], "big") if octets < 8 else len(data) - at
            at += octets if octets < 8 else 0
        yield tag, data[at : at + size]
        at += size


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    if data[at] < 192:
        return data[at], at + 1
    if data[at] < 224:
        return (data[at] - 192 << 8) + data[at + 1] + 192, at + 2
    return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5


def _integers(data: bytes) -> list[int]:
    found = []
    while data:
        size = int.from_bytes(data[:2], "big") + 7 >> 3
        found.append(int.from_bytes(data[2 : 2 + size], "big"))
        data = data[2 + size :]
    return found


class Keys:
    """The keys of a keyring, loaded, by fingerprint and by key id."""

    def __init__(self) -> None:
        self._keys: dict[bytes, object] = {}

    def add(self, file: bytes) -> None:
        """Add all keys of a file of certificates that the floor can use."""
        data = file if file[:1] >= b"\x80" else dearmor(file)
        for tag, body in packets(data):
            if tag in {6, 14} and body[0] == 4:
                key = _load(body)
                if key is not None:
                    framed = b"\x99" + len(body).to_bytes(2, "big") + body
                    fingerprint = hashlib.sha1(framed, usedforsecurity=False).digest()
                    self._keys[fingerprint] = self._keys[fingerprint[-8:]] = key

    def call(self, signature: bytes, payload: bytes) -> Call:
        """Return the call of ``cryptography`` that checks an armored version 4 signature."""
        [(_, body)] = packets(dearmor(signature))
        hashed_end = 6 + int.from_bytes(body[4:6], "big")
        outer_end = hashed_end + 2 + int.from_bytes(body[hashed_end : hashed_end + 2], "big")
        areas = [*_subpackets(body[6:hashed_end]), *_subpackets(body[hashed_end + 2 : outer_end])]
        issuer = dict(areas)
        key = self._keys[issuer[33][1:] if 33 in issuer else issuer[16]]
        if body[1] == 1:
            payload = payload.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        data = payload + body[:hashed_end] + b"\x04\xff" + hashed_end.to_bytes(4, "big")
        digest = _HASHES[body[3]]
        values = _integers(body[outer_end + 2 :])
        if isinstance(key, rsa.RSAPublicKey):
            return key.verify, (values[0].to_bytes((key.key_size + 7) // 8, "big"), data, _PADDING, digest)
        if isinstance(key, dsa.DSAPublicKey):
            return key.verify, (encode_dss_signature(*values), data, digest)
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key.verify, (encode_dss_signature(*values), data, ec.ECDSA(digest))
        raw = b"".join(value.to_bytes(32, "big") for value in values)
        return key.verify, (raw, hashlib.new(digest.name, data).digest())


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        size, at = _new_length(area, at) if area[at] < 192 or area[at] == 255 else _two_octets(area, at)
        yield area[at] & 127, area[at + 1 : at + size]
        at += size


def _two_octets(area: bytes, at: int) -> tuple[int, int]:
    """Read a length that packets would have for a partial one too (§5.2.3.7)."""
    return (area[at] - 192 << 8) + area[at + 1] + 192, at + 2


def _load(body: bytes) -> object | None:
    algorithm = body[5]
    if algorithm in {1, 3}:
        modulus, exponent = _integers(body[6:])
        return rsa.RSAPublicNumbers(exponent, modulus).public_key() if modulus.bit_length() >= 1024 else None
    if algorithm == 17:
        p, q, g, y = _integers(body[6:])
        return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
    size = 7 + body[6]
    if algorithm == 19 and body[7:size].hex() in _CURVES:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[body[7:size].hex()](), body[size + 2 :])
    if algorithm == 22:
        return ed25519.Ed25519PublicKey.from_public_bytes(body[size + 3 :])
    return None
