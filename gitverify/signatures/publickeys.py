"""Public key packets (RFC 9580 §5.5.2): what they contain, their fingerprints and key ids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from gitverify.errors import KeyRefused
from gitverify.signatures import algorithms
from gitverify.signatures.subpackets import key_id_of

_V4_HEADER = 6  # version, creation time, algorithm
_V6_HEADER = 10  # and the size of the key material


@dataclass(frozen=True)
class PublicKey:
    """One public key or subkey.

    ``version`` is 4 or 6. ``created``: seconds since 1970. ``algorithm``: RFC 9580 §9.1. ``body``: the content of its
    packet. ``fingerprint``: upper-case hexadecimal, 40 digits (SHA-1) for version 4, 64 (SHA-256) for version 6.
    ``key_id``: 8 octets. Two keys are equal where their packets are.

    The fingerprint says which key this is; that a key is strong, or can be loaded at all, is only found when it is
    used.
    """

    version: int
    created: int
    algorithm: int
    body: bytes
    fingerprint: str
    key_id: bytes

    @cached_property
    def verifier(self) -> algorithms.Verifier:
        """The key, loaded. Raises KeyRefused where that is impossible, each time anew."""
        header = _V4_HEADER if self.version == 4 else _V6_HEADER
        return algorithms.load(self.algorithm, self.body[header:], version=self.version)

    @property
    def hashed(self) -> bytes:
        """The octets that signatures about this key are made over (RFC 9580 §5.2.4)."""
        return _hashed(self.version, self.body)


def parse_public_key(body: bytes) -> PublicKey:
    """Read the content of a public key or public subkey packet of version 4 or 6; the key material is not looked at.

    Raises KeyRefused: ``unsupported`` for other versions, ``malformed`` for what is no key packet.
    """
    version = body[0] if body else 0
    if version not in {4, 6}:
        raise KeyRefused("unsupported", f"a key packet of version {version} is not supported")
    if len(body) < (_V4_HEADER if version == 4 else _V6_HEADER):
        raise KeyRefused("malformed", "a key packet that is cut off")
    if version == 4:
        if len(body) > 0xFFFF:
            raise KeyRefused("malformed", "a key packet that is too long to have a fingerprint")
        digest = hashlib.sha1(_hashed(4, body), usedforsecurity=False).digest()
    else:
        if int.from_bytes(body[6:10], "big") != len(body) - _V6_HEADER:
            raise KeyRefused("malformed", "a key packet whose size of key material is wrong")
        digest = hashlib.sha256(_hashed(6, body)).digest()
    return PublicKey(
        version=version,
        created=int.from_bytes(body[1:5], "big"),
        algorithm=body[5],
        body=body,
        fingerprint=digest.hex().upper(),
        key_id=key_id_of(version, digest),
    )


def _hashed(version: int, body: bytes) -> bytes:
    """Return what a fingerprint is the hash of (RFC 9580 §5.5.4)."""
    if version == 4:
        return b"\x99" + len(body).to_bytes(2, "big") + body
    return b"\x9b" + len(body).to_bytes(4, "big") + body
