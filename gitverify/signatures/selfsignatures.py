"""Self-signatures (RFC 9580 §5.2.1 and §10.1): what a primary key says about itself and its subkeys, if it does.

Signatures by other keys count for nothing here, so there are no designated revokers (RFC 9580 §5.2.3.23) and no trust
in user IDs. How weak a self-signature may be depends on what it does:

* What takes authority away (a hard revocation, an expiry) counts with SHA-1 too, and with keys of any size.
* The binding signature that makes a subkey sign for its primary must be as strong as a signature on a commit (R10):
  no SHA-1, for which collisions can be made.
* The back-signature may have SHA-1 if it was made before February 2023, when Sequoia gave SHA-1 up: GnuPG keeps the
  old back-signature when it renews the binding signature, so there are subkeys whose holders have done all they could.
  What a back-signature is made over leaves no room for a collision that someone else prepared.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from gitverify.limits import LIMITS
from gitverify.signatures.openpgp import OpenPgpSignature, check_signature, read_signature
from gitverify.signatures.packets import MalformedPacket
from gitverify.signatures.profiles import NATIVE, SELF_SIGNATURES
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.subpackets import CERTIFICATE_CRITICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from gitverify.signatures.profiles import Profile
    from gitverify.signatures.publickeys import PublicKey

_CERTIFICATION_REVOCATION = 0x30
_CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13, _CERTIFICATION_REVOCATION})
_SUBKEY_BINDING = 0x18
_PRIMARY_KEY_BINDING = 0x19
_DIRECT_KEY = 0x1F
_KEY_REVOCATION = 0x20
_SUBKEY_REVOCATION = 0x28

_SHA1_BACK_SIGNATURES_UNTIL = 1675209600  # 2023-02-01, in seconds since 1970
_OLD_BACK_SIGNATURE = replace(NATIVE, name="old-back-signature", hashes={**SELF_SIGNATURES.hashes, **NATIVE.hashes})


def about_subkey(primary: PublicKey, subkey: PublicKey) -> bytes:
    """Return what binding signatures, back-signatures and subkey revocations are made over (RFC 9580 §5.2.4)."""
    return primary.hashed + subkey.hashed


def about_user_id(primary: PublicKey, user_id: bytes) -> bytes:
    """Return what certifications of a user ID are made over (RFC 9580 §5.2.4)."""
    return primary.hashed + b"\xb4" + len(user_id).to_bytes(4, "big") + user_id


def signs_for(primary: PublicKey, subkey: PublicKey, signatures: Iterable[bytes]) -> bool:
    """Whether the subkey, which these signatures follow, signs data in the name of the primary key (R11).

    That is: its newest valid binding signature is a strong one, gives it the flag to sign data, and holds a
    back-signature by which the subkey agrees. Without that, anybody could bind the subkey of somebody else.
    """
    data = about_subkey(primary, subkey)
    return any(
        binding.subpackets.may_sign()
        and _valid(binding, data, primary, NATIVE)
        and any(_agrees(back, data, subkey) for back in islice(_back_signatures(binding), LIMITS.self_signatures))
        for binding in _binding(primary, subkey, signatures)
    )


def _back_signatures(binding: OpenPgpSignature) -> Iterator[OpenPgpSignature]:
    return _read(binding.subpackets.embedded, {_PRIMARY_KEY_BINDING})


def _agrees(back: OpenPgpSignature, data: bytes, subkey: PublicKey) -> bool:
    profile = NATIVE if back.created >= _SHA1_BACK_SIGNATURES_UNTIL else _OLD_BACK_SIGNATURE
    return not back.flaw and _valid(back, data, subkey, profile)


def primary_revoked(primary: PublicKey, signatures: Iterable[bytes]) -> bool:
    """Whether the primary key revoked itself, for a reason that looks back, in any signature of its certificate."""
    return _revoked(primary, primary.hashed, _own(primary, signatures, {_KEY_REVOCATION}))


def subkey_revoked(primary: PublicKey, subkey: PublicKey, signatures: Iterable[bytes]) -> bool:
    """Whether the primary key revoked the subkey, for a reason that looks back."""
    return _revoked(primary, about_subkey(primary, subkey), _own(primary, signatures, {_SUBKEY_REVOCATION}))


def _revoked(primary: PublicKey, data: bytes, revocations: Iterable[OpenPgpSignature]) -> bool:
    # A flaw in one that verifies, such as a critical subpacket that we do not know, does not save the key.
    hard = (revocation for revocation in revocations if revocation.subpackets.revokes_hard())
    return any(
        _valid(revocation, data, primary, SELF_SIGNATURES) for revocation in islice(hard, LIMITS.self_signatures)
    )


def primary_expiry(
    primary: PublicKey, direct: Iterable[bytes], user_ids: Iterable[tuple[bytes, Iterable[bytes]]]
) -> int | None:
    """Return when the primary key expires, in seconds since 1970.

    As for GnuPG, that is what the newest direct-key signature says; if that says nothing, the newest of those
    self-signatures that are the newest on their user ID and say something (a user ID that was revoked has none). None:
    never. Where no self-signature is valid, 0: whoever stripped them off has not made the key any younger.
    """
    found = _newest(primary, [(primary.hashed, _own(primary, direct, {_DIRECT_KEY}))])
    if not any(signature.subpackets.key_expiration() for signature in found):
        named = _newest(
            primary,
            [
                (about_user_id(primary, user_id), _own(primary, signatures, _CERTIFICATIONS))
                for user_id, signatures in user_ids
            ],
        )
        found += [signature for signature in named if signature.type != _CERTIFICATION_REVOCATION]
    limiting = [signature for signature in found if signature.subpackets.key_expiration()]
    if limiting:
        return _expiry(primary, min(limiting, key=_newest_first))
    return None if found else 0


def subkey_expiry(primary: PublicKey, subkey: PublicKey, signatures: Iterable[bytes]) -> int | None:
    """Return when the subkey expires by its newest valid binding signature; None for never, 0 where there is none."""
    for binding in _binding(primary, subkey, signatures):
        return _expiry(subkey, binding)
    return 0


def _expiry(key: PublicKey, signature: OpenPgpSignature) -> int | None:
    seconds = signature.subpackets.key_expiration()
    return key.created + seconds if seconds else None


def _binding(primary: PublicKey, subkey: PublicKey, signatures: Iterable[bytes]) -> list[OpenPgpSignature]:
    return _newest(primary, [(about_subkey(primary, subkey), _own(primary, signatures, {_SUBKEY_BINDING}))])


def _newest(primary: PublicKey, groups: Iterable[tuple[bytes, Iterable[OpenPgpSignature]]]) -> list[OpenPgpSignature]:
    """Return the newest valid self-signature of each group, where there is one.

    A group is of signatures over the same data. So many are tried in all, the newest first: a certificate can be full
    of those that do not verify.
    """
    candidates = [(signature, data, group) for group, (data, found) in enumerate(groups) for signature in found]
    candidates.sort(key=lambda candidate: _newest_first(candidate[0]))
    newest: dict[int, OpenPgpSignature] = {}
    open_ones = (candidate for candidate in candidates if candidate[2] not in newest)
    for signature, data, group in islice(open_ones, LIMITS.self_signatures):
        if not signature.flaw and _valid(signature, data, primary, SELF_SIGNATURES):
            newest.setdefault(group, signature)
    return list(newest.values())


def _newest_first(signature: OpenPgpSignature) -> tuple[int, int]:
    """Order by age; of two made in the same second the one that limits more counts as newer."""
    return -signature.created, signature.subpackets.key_expiration() or 1 << 32


def _own(primary: PublicKey, bodies: Iterable[bytes], types: AbstractSet[int]) -> Iterator[OpenPgpSignature]:
    """Yield the signatures of these types that claim to be by the primary key, or do not say by whom."""
    for signature in _read(bodies, types):
        if (signature.issuer_fingerprint or primary.fingerprint) == primary.fingerprint and (
            signature.issuer_key_id or primary.key_id
        ) == primary.key_id:
            yield signature


def _read(bodies: Iterable[bytes], types: AbstractSet[int]) -> Iterator[OpenPgpSignature]:
    for body in bodies:
        if len(body) > 1 and body[1] in types:  # most are by others, and are not read further
            try:
                yield read_signature(body, CERTIFICATE_CRITICAL)
            except MalformedPacket:
                continue


def _valid(signature: OpenPgpSignature, data: bytes, key: PublicKey, profile: Profile) -> bool:
    try:
        check_signature(signature, data, key, profile)
    except SignatureRefused:
        return False
    return True
