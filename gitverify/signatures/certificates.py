"""OpenPGP certificates (RFC 9580 §10.1): a primary key, its subkeys and user IDs, and what the primary says of them.

Reading is lazy, because a keyring is megabytes of signatures by people nobody asks about: packets are framed and keys
get their fingerprints, nothing else. What a certificate says is found when it is asked (see ``selfsignatures``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.armor import dearmor_certificates
from gitverify.signatures.packets import (
    FIRST_PRIVATE,
    MARKER,
    PADDING,
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SECRET_KEY,
    SIGNATURE,
    TRUST,
    USER_ID,
    MalformedPacket,
    Packet,
    packets,
)
from gitverify.signatures.publickeys import PublicKey, parse_public_key
from gitverify.signatures.selfsignatures import (
    primary_expiry,
    primary_revoked,
    signs_for,
    subkey_expiry,
    subkey_revoked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Subkey(NamedTuple):
    """A subkey that could be read, with the bodies of the signatures that follow it."""

    key: PublicKey
    signatures: list[bytes]


class UserId(NamedTuple):
    """A user ID as written (UTF-8 by agreement, anything in fact), with the bodies of the signatures that follow it."""

    value: bytes
    signatures: list[bytes]


@dataclass(frozen=True, eq=False)
class Certificate:
    """One certificate as it was found: nothing in it has been verified but by the three questions below.

    Each is answered from the certificate alone, without a clock, and remembered. A fingerprint that is asked about must
    be one of its keys'; otherwise that is a KeyError.

    ``direct``: the bodies of the signatures that follow the primary key. ``bound``: the subkeys by fingerprint.
    ``named``: the user IDs. ``others``: the bodies of the signatures that follow anything else.
    """

    primary: PublicKey
    direct: list[bytes] = field(repr=False, default_factory=list)
    bound: dict[str, Subkey] = field(repr=False, default_factory=dict)
    named: list[UserId] = field(repr=False, default_factory=list)
    others: list[bytes] = field(repr=False, default_factory=list)
    _signs: dict[str, bool] = field(default_factory=dict, init=False, repr=False)
    _revoked: dict[str, bool] = field(default_factory=dict, init=False, repr=False)
    _expiry: dict[str, int | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def subkeys(self) -> tuple[PublicKey, ...]:
        """The subkeys that could be read, whether or not they are bound to the primary key."""
        return tuple(subkey.key for subkey in self.bound.values())

    @property
    def user_ids(self) -> tuple[bytes, ...]:
        """The user IDs, whether or not they are certified."""
        return tuple(user_id.value for user_id in self.named)

    def signs_for_primary(self, fingerprint: str) -> bool:
        """Whether this key is a subkey that signs data in the name of the primary key (R11).

        Proven by the newest valid binding signature, which has the flag to sign, and by a back-signature. False for
        the primary key itself. Revocation and expiry are other questions.
        """
        if fingerprint not in self._signs:
            subkey = self._subkey(fingerprint)
            self._signs[fingerprint] = subkey is not None and signs_for(self.primary, *subkey)
        return self._signs[fingerprint]

    def hard_revoked(self, fingerprint: str) -> bool:
        """Whether the primary key revoked this key, or itself, such that past signatures are in doubt too (R12).

        That is every reason but *superseded* and *no longer used*. A revocation that does not verify is ignored, and
        so is one by another key.
        """
        if fingerprint not in self._revoked:
            subkey = self._subkey(fingerprint)
            self._revoked[fingerprint] = primary_revoked(self.primary, self._all_signatures()) or (
                subkey is not None and subkey_revoked(self.primary, *subkey)
            )
        return self._revoked[fingerprint]

    def expired(self, fingerprint: str, at: int) -> bool:
        """Whether this key, or the primary key, had expired by ``at`` (seconds since 1970; R12).

        The newest valid self-signature says when, so that a renewal counts for all times. A key about which there is no
        valid self-signature has always been expired.
        """
        if fingerprint not in self._expiry:
            subkey = self._subkey(fingerprint)
            ends = [primary_expiry(self.primary, self.direct, self.named)]
            if subkey is not None:
                ends.append(subkey_expiry(self.primary, *subkey))
            self._expiry[fingerprint] = min((end for end in ends if end is not None), default=None)
        end = self._expiry[fingerprint]
        return end is not None and end <= at

    def _subkey(self, fingerprint: str) -> Subkey | None:
        """Return the subkey, or None for the primary key."""
        return None if fingerprint == self.primary.fingerprint else self.bound[fingerprint]

    def _all_signatures(self) -> Iterator[bytes]:
        return chain(
            self.direct, self.others, *(s.signatures for s in self.bound.values()), *(u.signatures for u in self.named)
        )


def parse_certificates(data: bytes) -> list[Certificate]:
    """Read the certificates in a file: armored or binary, one or several.

    Packets of unknown types, secret keys, and signatures that can't be read cost nothing but themselves; so do
    subkeys, and whole certificates, of versions that are not supported. Only framing that is broken loses the file.

    Raises KeyRefused (``malformed``) for that, for a file beyond the limits, or one without any certificate.
    """
    certificates: list[Certificate] = []
    count = 0
    for part in dearmor_certificates(data):
        try:
            found = list(packets(part))
        except MalformedPacket as error:
            raise KeyRefused("malformed", f"broken OpenPGP packets: {error}") from None
        count += len(found)
        if count > LIMITS.certificate_packets:
            raise KeyRefused("malformed", f"more than {LIMITS.certificate_packets} packets in a file of certificates")
        certificates += _group(found)
    if not certificates:
        raise KeyRefused("malformed", "no OpenPGP certificate in it")
    return certificates


def _group(found: Iterable[Packet]) -> Iterator[Certificate]:
    """Sort packets into certificates and, in each, signatures to the packet that they follow."""
    certificate: Certificate | None = None
    signatures: list[bytes] = []
    for tag, body, _ in found:
        if tag == SIGNATURE:
            signatures.append(body)
        elif tag in {PUBLIC_KEY, SECRET_KEY}:
            if certificate is not None:
                yield certificate
            key = _key(body) if tag == PUBLIC_KEY else None
            certificate = Certificate(key) if key is not None else None
            signatures = [] if certificate is None else certificate.direct
        elif certificate is not None and not (tag in {TRUST, MARKER, PADDING} or tag >= FIRST_PRIVATE):
            signatures = _component(certificate, tag, body)
    if certificate is not None:
        yield certificate


def _component(certificate: Certificate, tag: int, body: bytes) -> list[bytes]:
    """Add a component to the certificate; return where the signatures that follow it belong."""
    if tag == USER_ID:
        user_id = UserId(body, [])
        certificate.named.append(user_id)
        return user_id.signatures
    key = _key(body) if tag == PUBLIC_SUBKEY else None
    if key is None:
        return certificate.others
    return certificate.bound.setdefault(key.fingerprint, Subkey(key, [])).signatures


def _key(body: bytes) -> PublicKey | None:
    try:
        return parse_public_key(body)
    except KeyRefused:
        return None
