"""What is strong enough, and understood: the hash algorithms of OpenPGP and the profiles that choose among them (R10).

The numbers are those of RFC 9580 §9.1 (public-key algorithms) and §9.5 (hash algorithms).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RSA = 1
RSA_SIGN_ONLY = 3
DSA = 17
ECDSA_ALGORITHM = 19
EDDSA_LEGACY = 22
ED25519 = 27
ED448 = 28

MD5 = 1
SHA1 = 2
RIPEMD160 = 3
SHA256 = 8
SHA384 = 9
SHA512 = 10
SHA224 = 11
SHA3_256 = 12
SHA3_512 = 14

BINARY = 0x00
TEXT = 0x01


@dataclass(frozen=True, eq=False, slots=True)
class Hash:
    """A hash algorithm, with the objects that checking needs, made once.

    ``bits``: digest size. ``salt_size``: octets of salt in a version 6 signature (RFC 9580 §9.5).
    """

    number: int
    name: str
    bits: int
    salt_size: int
    primitive: hashes.HashAlgorithm
    new: Callable[[bytes], hashlib._Hash]
    ecdsa: ECDSA = field(init=False)

    def __post_init__(self) -> None:
        """Make the object that ECDSA checks want."""
        object.__setattr__(self, "ecdsa", ECDSA(self.primitive))


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)


_SHA1 = Hash(SHA1, "SHA-1", 160, 0, hashes.SHA1(), _sha1)  # noqa: S303  (only where a profile takes it)
_SHA224 = Hash(SHA224, "SHA-224", 224, 16, hashes.SHA224(), hashlib.sha224)
_SHA2 = (
    Hash(SHA256, "SHA-256", 256, 16, hashes.SHA256(), hashlib.sha256),
    Hash(SHA384, "SHA-384", 384, 24, hashes.SHA384(), hashlib.sha384),
    Hash(SHA512, "SHA-512", 512, 32, hashes.SHA512(), hashlib.sha512),
)
_SHA3 = (
    Hash(SHA3_256, "SHA3-256", 256, 16, hashes.SHA3_256(), hashlib.sha3_256),
    Hash(SHA3_512, "SHA3-512", 512, 32, hashes.SHA3_512(), hashlib.sha3_512),
)

WEAK_HASHES = {MD5: "MD5", SHA1: "SHA-1", RIPEMD160: "RIPEMD-160", SHA224: "SHA-224"}


def _table(*algorithms: Hash) -> Mapping[int, Hash]:
    return {algorithm.number: algorithm for algorithm in algorithms}


@dataclass(frozen=True, eq=False)
class Profile:
    """Which signatures count.

    ``hashes``: the hash algorithms taken, by number. ``types``: the signature types taken.
    ``algorithms``: the public-key algorithms taken. ``versions``: the signature versions taken.
    ``rsa_bits``, ``dsa_bits``, ``subgroup_bits``: the smallest RSA modulus, DSA modulus and DSA subgroup order.
    ``digest_fits_curve``: refuse a digest shorter than the curve asks for (RFC 9580 §5.2.3.2 to §5.2.3.5).
    """

    name: str
    hashes: Mapping[int, Hash]
    types: frozenset[int] = frozenset({BINARY, TEXT})
    algorithms: frozenset[int] = frozenset({RSA, RSA_SIGN_ONLY, DSA, ECDSA_ALGORITHM, EDDSA_LEGACY, ED25519, ED448})
    versions: frozenset[int] = frozenset({4, 6})
    rsa_bits: int = 0
    dsa_bits: int = 0
    subgroup_bits: int = 0
    digest_fits_curve: bool = False


NATIVE = Profile(
    "native",
    _table(*_SHA2, *_SHA3),
    rsa_bits=2048,
    dsa_bits=2048,
    subgroup_bits=224,
    digest_fits_curve=True,
)
"""R10."""

# What guix/openpgp.scm and guix/git-authenticate.scm take, so that verdicts are equal (R22): version 4 and binary
# documents only, RSA, DSA and EdDSA as GnuPG writes it, SHA-1 no longer; but keys of any size.
_GUIX_ALGORITHMS = frozenset({RSA, DSA, EDDSA_LEGACY})
GUIX = Profile(
    "guix",
    _table(_SHA224, *_SHA2),
    types=frozenset({BINARY}),
    algorithms=_GUIX_ALGORITHMS,
    versions=frozenset({4}),
)
"""The Guix dialect, for a commit whose own tree has ``.guix-authorizations``."""

GUIX_HISTORIC = Profile(
    "guix-historic",
    _table(_SHA1, _SHA224, *_SHA2),
    types=frozenset({BINARY}),
    algorithms=_GUIX_ALGORITHMS,
    versions=frozenset({4}),
)
"""The Guix dialect, for a commit whose own tree lacks the file: SHA-1 passes too."""

SELF_SIGNATURES = Profile("self-signatures", _table(_SHA1, _SHA224, *_SHA2, *_SHA3))
"""For what a certificate says against a key: a revocation or an expiry counts however weak its signature is."""
