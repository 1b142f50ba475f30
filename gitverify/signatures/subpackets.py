"""Signature subpackets (RFC 9580 §5.2.3.7): what a signature says about itself.

Only the hashed area is signed. From the other one nothing is taken but hints that the check itself confirms: who
issued the signature, and an embedded signature.
"""

from __future__ import annotations

from typing import NamedTuple

CREATED = 2
SIGNATURE_EXPIRATION = 3
EXPORTABLE = 4
TRUST_LEVEL = 5
REGULAR_EXPRESSION = 6
REVOCABLE = 7
KEY_EXPIRATION = 9
PREFERRED_CIPHERS = 11
REVOCATION_KEY = 12
ISSUER_KEY_ID = 16
NOTATION = 20
PREFERRED_HASHES = 21
PREFERRED_COMPRESSION = 22
KEY_SERVER_PREFERENCES = 23
PREFERRED_KEY_SERVER = 24
PRIMARY_USER_ID = 25
POLICY_URI = 26
KEY_FLAGS = 27
SIGNERS_USER_ID = 28
REASON_FOR_REVOCATION = 29
FEATURES = 30
SIGNATURE_TARGET = 31
EMBEDDED_SIGNATURE = 32
ISSUER_FINGERPRINT = 33
INTENDED_RECIPIENT = 35
PREFERRED_AEAD = 39

# Critical subpackets that a signature over a document may have. None of them changes what we ask, which is only
# whether this key signed these bytes: no time of ours is compared with an expiry (R12), and a notation says more
# without taking anything back. This is the list that Guix understands, which GnuPG mostly shares. Left out: those that
# bind a signature to something that is not there (an intended recipient, a target), and what belongs in certificates.
DOCUMENT_CRITICAL = frozenset(
    {
        CREATED,
        SIGNATURE_EXPIRATION,
        TRUST_LEVEL,
        REVOCABLE,
        KEY_EXPIRATION,
        PREFERRED_CIPHERS,
        ISSUER_KEY_ID,
        NOTATION,
        PREFERRED_HASHES,
        PREFERRED_COMPRESSION,
        KEY_SERVER_PREFERENCES,
        PREFERRED_KEY_SERVER,
        PRIMARY_USER_ID,
        POLICY_URI,
        KEY_FLAGS,
        SIGNERS_USER_ID,
        REASON_FOR_REVOCATION,
        FEATURES,
        EMBEDDED_SIGNATURE,
        ISSUER_FINGERPRINT,
    }
)

# In a certificate, those too that say how widely it holds or that name revokers.
CERTIFICATE_CRITICAL = DOCUMENT_CRITICAL | {
    EXPORTABLE,
    REGULAR_EXPRESSION,
    REVOCATION_KEY,
    SIGNATURE_TARGET,
    PREFERRED_AEAD,
}

# Those that we act on: where one is repeated with another content, what counts would depend on the reader.
_SINGLE = frozenset({CREATED, KEY_EXPIRATION, ISSUER_KEY_ID, KEY_FLAGS, REASON_FOR_REVOCATION, ISSUER_FINGERPRINT})

_FINGERPRINT_SIZES = {4: 20, 6: 32}  # by key version: SHA-1 and SHA-256
_KEY_ID_SIZE = 8
_NUMBER = 4  # octets of a time or a duration


class Subpackets(NamedTuple):
    """What the two areas of one signature say.

    ``created``: seconds since 1970, 0 where missing (which is a flaw). ``issuer_version``, ``issuer_fingerprint`` and
    ``issuer_key_id``: 0 or empty where missing. ``signed``: the hashed area's subpackets by type, without the critical
    bit; of a type that comes several times, the first. ``embedded``: the bodies of embedded signatures. ``critical``:
    the types marked critical. ``flaw``: what is wrong with the areas, or empty.
    """

    created: int
    issuer_version: int
    issuer_fingerprint: bytes
    issuer_key_id: bytes
    signed: dict[int, bytes]
    embedded: list[bytes]
    critical: list[int]
    flaw: str

    def key_expiration(self) -> int:
        """Return after how many seconds of its life the key expires; 0 for never (RFC 9580 §5.2.3.13)."""
        content = self.signed.get(KEY_EXPIRATION, b"")
        return int.from_bytes(content, "big") if len(content) == _NUMBER else 0

    def may_sign(self) -> bool:
        """Whether the key flags say that the key signs data (RFC 9580 §5.2.3.29)."""
        flags = self.signed.get(KEY_FLAGS, b"")
        return bool(flags) and bool(flags[0] & 0x02)

    def revokes_hard(self) -> bool:
        """Whether the reason for revocation puts in doubt what was signed before (RFC 9580 §5.2.3.31).

        Every reason does, and a missing one, but for superseded (1) and retired (3): those only say that the key is
        no longer used.
        """
        reason = self.signed.get(REASON_FOR_REVOCATION, b"")
        return reason[:1] not in {b"\x01", b"\x03"}


def read_subpackets(hashed: bytes, unhashed: bytes) -> Subpackets:
    """Read both areas. Never raises: reading goes on after a flaw, so that the issuer can be named with it."""
    embedded: list[bytes] = []
    critical: list[int] = []
    signed, flaw = _split(hashed, embedded, critical)
    hints, hints_flaw = _split(unhashed, embedded, critical)
    version, fingerprint, key_id, issuer_flaw = _issuer(signed, hints)
    created = signed.get(CREATED, b"")
    if len(created) != _NUMBER:
        flaw = flaw or "no creation time in its hashed area"
        created = b""
    return Subpackets(
        int.from_bytes(created, "big"),
        version,
        fingerprint,
        key_id,
        signed,
        embedded,
        critical,
        flaw or hints_flaw or issuer_flaw,
    )


def _issuer(signed: dict[int, bytes], hints: dict[int, bytes]) -> tuple[int, bytes, bytes, str]:
    """Find the issuer in both areas: key version, fingerprint, key id, and what is wrong with them."""
    flaw = ""
    version = 0
    fingerprint = signed.get(ISSUER_FINGERPRINT, hints.get(ISSUER_FINGERPRINT))
    key_id = signed.get(ISSUER_KEY_ID, hints.get(ISSUER_KEY_ID))
    if hints.get(ISSUER_FINGERPRINT, fingerprint) != fingerprint or hints.get(ISSUER_KEY_ID, key_id) != key_id:
        flaw = "two issuers"
    if fingerprint is not None:
        if fingerprint and len(fingerprint) - 1 == _FINGERPRINT_SIZES.get(fingerprint[0]):
            version = fingerprint[0]
            fingerprint = fingerprint[1:]
        else:
            flaw = "an issuer fingerprint that is none"
            fingerprint = None
    if key_id is not None:
        if len(key_id) != _KEY_ID_SIZE:
            flaw = "an issuer key id that is none"
            key_id = None
        elif fingerprint and key_id != key_id_of(version, fingerprint):
            flaw = "an issuer key id and an issuer fingerprint that disagree"
    return version, fingerprint or b"", key_id or b"", flaw


def key_id_of(version: int, fingerprint: bytes) -> bytes:
    """Return the 8 octets of a fingerprint that are the key id (RFC 9580 §5.5.4)."""
    return fingerprint[-8:] if version == 4 else fingerprint[:8]


def _split(area: bytes, embedded: list[bytes], critical: list[int]) -> tuple[dict[int, bytes], str]:
    """Split an area into subpackets by type (RFC 9580 §5.2.3.7); the text says what is wrong with it."""
    found: dict[int, bytes] = {}
    flaw = ""
    position = 0
    end = len(area)
    while position < end:
        size = area[position]
        position += 1
        if size >= 192:
            if size < 255:
                size = (size - 192 << 8) + int.from_bytes(area[position : position + 1], "big") + 192
                position += 1
            else:
                size = int.from_bytes(area[position : position + 4], "big")
                position += 4
        start = position + 1
        position += size
        if not size or position > end:
            return found, flaw or "a subpacket that is cut off"
        kind = area[start - 1]
        content = area[start:position]
        if kind & 0x80:
            kind &= 0x7F
            critical.append(kind)
        if kind == EMBEDDED_SIGNATURE:
            embedded.append(content)
        if found.setdefault(kind, content) != content and kind in _SINGLE:
            flaw = flaw or "two subpackets of one type that disagree"
    return found, flaw
