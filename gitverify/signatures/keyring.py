"""The keys that a signature is looked up among, and the whole way from a signature's text to its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.signatures.armor import dearmor_signature
from gitverify.signatures.openpgp import OpenPgpSignature, parse_signature, verify_signature
from gitverify.signatures.result import SignatureRefused, Signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gitverify.signatures.certificates import Certificate
    from gitverify.signatures.profiles import Profile
    from gitverify.signatures.publickeys import PublicKey


class Keyring:
    """Certificates, by the fingerprints and key ids of their primary keys and subkeys. It does not change.

    That a key is found proves nothing but its fingerprint: whether a subkey belongs to the certificate that it was
    found in is for :meth:`Certificate.signs_for_primary` to say.
    """

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        """Take every key of the certificates; a key may be in several."""
        self.certificates = tuple(certificates)
        self._by_fingerprint: dict[str, list[tuple[Certificate, PublicKey]]] = {}
        self._by_key_id: dict[bytes, list[tuple[Certificate, PublicKey]]] = {}
        for certificate in self.certificates:
            for key in (certificate.primary, *certificate.subkeys):
                self._by_fingerprint.setdefault(key.fingerprint, []).append((certificate, key))
                self._by_key_id.setdefault(key.key_id, []).append((certificate, key))

    def by_fingerprint(self, fingerprint: str) -> list[tuple[Certificate, PublicKey]]:
        """Return the key with this fingerprint (upper-case hexadecimal), once for each certificate that has it."""
        return list(self._by_fingerprint.get(fingerprint, ()))

    def by_key_id(self, key_id: bytes) -> list[tuple[Certificate, PublicKey]]:
        """Return the keys with this key id (8 octets), each once for each certificate that has it."""
        return list(self._by_key_id.get(key_id, ()))

    def union(self, other: Keyring) -> Keyring:
        """Return a keyring of the certificates of both."""
        return Keyring(dict.fromkeys((*self.certificates, *other.certificates)))

    def issuers(self, signature: OpenPgpSignature) -> list[PublicKey]:
        """Return the different keys that a signature may be by: the one with its fingerprint, else all with its key id.

        A fingerprint is that of one key, but a key id is 64 bits: anyone can make a key that shares one.
        """
        if signature.issuer_fingerprint:
            found = self._by_fingerprint.get(signature.issuer_fingerprint, ())
        else:
            found = self._by_key_id.get(signature.issuer_key_id, ())
        return [found[0][1]] if len(found) == 1 else list(dict.fromkeys(key for _, key in found))

    def fingerprints(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the fingerprints of the keys that are named by fingerprint or by key id (16 hexadecimal digits)."""
        found: list[str] = []
        for name in names:
            keys = self._by_key_id.get(bytes.fromhex(name), ()) if len(name) == 16 else ()
            found += [key.fingerprint for _, key in keys] or [name]
        return tuple(dict.fromkeys(found))


def openpgp_signer(text: bytes, payload: bytes, keyring: Keyring, profile: Profile) -> Signed:
    """Find the key that made an armored signature over ``payload``.

    What is returned proves that this key, which is in the keyring, signed these octets in a form that the profile
    takes, and no more: whether its certificate binds it, has revoked it or lets it expire is asked later.

    Raises SignatureRefused: ``unsupported-signature``, ``weak-signature``, ``bad-signature``, or ``unknown-key`` where
    the keyring has no key that it could be by. Of several keys with one key id, any that verifies will do; where none
    does, the keys tried are named, and one that fails outright counts before one that could not be tried.
    """
    return verify_candidate(read_candidate(text, keyring), payload, profile)


class Candidate(NamedTuple):
    """A signature that was read, and the different keys that it may be by."""

    signature: OpenPgpSignature
    keys: list[PublicKey]


def read_candidate(
    text: bytes, keyring: Keyring, parse: Callable[[bytes], OpenPgpSignature] = parse_signature
) -> Candidate:
    """Do the first half of :func:`openpgp_signer`: read the signature and look its issuer up.

    ``parse``: does what parse_signature does.
    """
    try:
        signature = parse(dearmor_signature(text))
    except SignatureRefused as refusal:
        raise SignatureRefused(refusal.code, refusal.message, keyring.fingerprints(refusal.keys)) from None
    keys = keyring.issuers(signature)
    if not keys:
        message = f"there is no key material for {signature.names[0]}, which made the signature"
        raise SignatureRefused("unknown-key", message, signature.names[:1])
    return Candidate(signature, keys)


def verify_candidate(candidate: Candidate, payload: bytes, profile: Profile) -> Signed:
    """Do the second half of :func:`openpgp_signer`: check the signature with each of the keys."""
    signature, keys = candidate
    refusals = []
    for key in keys:
        try:
            verify_signature(signature, payload, key, profile)
        except SignatureRefused as refusal:
            refusals.append(refusal)
        else:
            return Signed(key.fingerprint, signature.created)
    telling = min(refusals, key=lambda refusal: refusal.code != "bad-signature")
    raise SignatureRefused(telling.code, telling.message, tuple(key.fingerprint for key in keys))
