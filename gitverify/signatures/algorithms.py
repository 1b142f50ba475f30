"""The public-key algorithms of OpenPGP (RFC 9580 §9.1): key material in, a :class:`Verifier` out.

Each verifier knows how its keys and signatures are written and leaves the mathematics to ``cryptography``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures import profiles
from gitverify.signatures.edwards import is_small_order
from gitverify.signatures.packets import MalformedPacket, read_integers

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.signatures.profiles import Hash, Profile

_PKCS1 = padding.PKCS1v15()
_RSA_EXPONENT_BITS = 64  # a larger one only makes verifying slow; OpenSSL refuses it for large moduli


class Verifier(Protocol):
    """A public key, loaded."""

    def weakness(self, profile: Profile, digest: Hash) -> str:
        """Say why the profile does not take this key with this hash; empty if it does."""

    def verify(self, values: bytes, data: bytes, digest: Hash, *, strict: bool) -> None:
        """Check ``values``, the algorithm's own part of a signature, over ``data``, which is hashed here.

        ``strict``: integers must be written as version 6 packets have them. Raises InvalidSignature where the
        signature does not verify, MalformedPacket where its values are not well formed.
        """


class _Rsa:
    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key
        self._bits = key.key_size
        self._size = (key.key_size + 7) // 8

    def weakness(self, profile: Profile, digest: Hash) -> str:  # noqa: ARG002
        return f"a {self._bits}-bit RSA key" if self._bits < profile.rsa_bits else ""

    def verify(self, values: bytes, data: bytes, digest: Hash, *, strict: bool) -> None:
        (signature,) = read_integers(values, 1, strict=strict)
        self._key.verify(signature.rjust(self._size, b"\0"), data, _PKCS1, digest.primitive)


class _Dsa:
    def __init__(self, key: dsa.DSAPublicKey) -> None:
        self._key = key
        self._bits = key.key_size
        self._order_bits = key.parameters().parameter_numbers().q.bit_length()

    def weakness(self, profile: Profile, digest: Hash) -> str:  # noqa: ARG002
        if self._bits < profile.dsa_bits or self._order_bits < profile.subgroup_bits:
            return f"a {self._bits}-bit DSA key with a subgroup of {self._order_bits} bits"
        return ""

    def verify(self, values: bytes, data: bytes, digest: Hash, *, strict: bool) -> None:
        self._key.verify(_der(values, strict=strict), data, digest.primitive)


class _Ecdsa:
    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        # RFC 9580 §5.2.3.2: as many bits as the field has, and 512 are enough for the 521 of NIST P-521.
        self._digest_bits = min(key.key_size, 512)

    def weakness(self, profile: Profile, digest: Hash) -> str:
        return _short_digest(profile, digest, self._digest_bits)

    def verify(self, values: bytes, data: bytes, digest: Hash, *, strict: bool) -> None:
        self._key.verify(_der(values, strict=strict), data, digest.ecdsa)


class _EdDsa:
    """EdDSA over the digest of the data, in either of its two ways of being written."""

    def __init__(self, key: ed25519.Ed25519PublicKey | ed448.Ed448PublicKey, bits: int, *, legacy: bool) -> None:
        self._key = key
        self._digest_bits = bits
        self._legacy = legacy

    def weakness(self, profile: Profile, digest: Hash) -> str:
        return _short_digest(profile, digest, self._digest_bits)

    def verify(self, values: bytes, data: bytes, digest: Hash, *, strict: bool) -> None:
        if self._legacy:
            # Two integers that are none: octet strings without their leading zero octets (RFC 9580 §5.2.3.3.1).
            point, scalar = read_integers(values, 2, strict=strict)
            values = point.rjust(32, b"\0") + scalar.rjust(32, b"\0")
        self._key.verify(values, digest.new(data).digest())


def _short_digest(profile: Profile, digest: Hash, bits: int) -> str:
    if profile.digest_fits_curve and digest.bits < bits:
        return f"{digest.name}, which is too short for its curve"
    return ""


def _der(values: bytes, *, strict: bool) -> bytes:
    first, second = read_integers(values, 2, strict=strict)
    return encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))


def load(algorithm: int, material: bytes, *, version: int) -> Verifier:
    """Load the key material of a key packet of the given version (4 or 6).

    Raises KeyRefused: ``unsupported`` for an algorithm, curve or size that we or ``cryptography`` can't check,
    ``malformed`` for material that is no key, ``weak`` for a key with which anyone can sign.
    """
    loader = _LOADERS.get(algorithm)
    if loader is None:
        raise KeyRefused("unsupported", f"a key of public-key algorithm {algorithm} does not sign, or is not supported")
    try:
        return loader(material, version == 6)
    except MalformedPacket as error:
        raise KeyRefused("malformed", f"broken key material: {error}") from None
    except UnsupportedAlgorithm:
        raise KeyRefused("unsupported", "the key's curve is not supported") from None
    except (ValueError, OverflowError):
        raise KeyRefused("malformed", "key material that is no key, or of an unusual size") from None


def _load_rsa(material: bytes, strict: bool) -> Verifier:
    modulus, exponent = _numbers(material, 2, strict)
    if modulus.bit_length() > LIMITS.rsa_bits:
        raise KeyRefused("unsupported", f"an RSA key of more than {LIMITS.rsa_bits} bits")
    if exponent.bit_length() > _RSA_EXPONENT_BITS:
        raise KeyRefused("unsupported", f"an RSA key with an exponent of more than {_RSA_EXPONENT_BITS} bits")
    return _Rsa(rsa.RSAPublicNumbers(exponent, modulus).public_key())


def _load_dsa(material: bytes, strict: bool) -> Verifier:
    p, q, g, y = _numbers(material, 4, strict)
    if not 1 < y < p:
        raise KeyRefused("weak", "a DSA key with which anyone can sign")
    return _Dsa(dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key())


_CURVES: dict[bytes, type[ec.EllipticCurve]] = {  # by object identifier (RFC 9580 §9.2)
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("2b81040022"): ec.SECP384R1,
    bytes.fromhex("2b81040023"): ec.SECP521R1,
    bytes.fromhex("2b2403030208010107"): ec.BrainpoolP256R1,
    bytes.fromhex("2b240303020801010b"): ec.BrainpoolP384R1,
    bytes.fromhex("2b240303020801010d"): ec.BrainpoolP512R1,
}
_ED25519_LEGACY = bytes.fromhex("2b06010401da470f01")


def _load_ecdsa(material: bytes, strict: bool) -> Verifier:
    identifier, point = _curve_and_point(material, strict)
    curve = _CURVES.get(identifier)
    if curve is None:
        raise KeyRefused("unsupported", "the key's curve is not supported")
    if point[:1] != b"\4":
        raise KeyRefused("malformed", "a point that is not written in full")
    return _Ecdsa(ec.EllipticCurvePublicKey.from_encoded_point(curve(), point))


def _load_eddsa_legacy(material: bytes, strict: bool) -> Verifier:
    identifier, point = _curve_and_point(material, strict)
    # RFC 9580 §9.2.1: this way of writing it is for version 4 keys only.
    if identifier != _ED25519_LEGACY or strict:
        raise KeyRefused("unsupported", "the key's curve is not supported")
    if point[:1] != b"\x40":
        raise KeyRefused("malformed", "a point that is not in native form")
    return _load_edwards(point[1:], legacy=True)


def _load_ed25519(material: bytes, strict: bool) -> Verifier:  # noqa: ARG001
    return _load_edwards(material, legacy=False)


def _load_edwards(point: bytes, *, legacy: bool) -> Verifier:
    key = ed25519.Ed25519PublicKey.from_public_bytes(point)
    _check_order(point)
    return _EdDsa(key, 256, legacy=legacy)


def _load_ed448(material: bytes, strict: bool) -> Verifier:  # noqa: ARG001
    key = ed448.Ed448PublicKey.from_public_bytes(material)
    _check_order(material)
    return _EdDsa(key, 512, legacy=False)


def _check_order(point: bytes) -> None:
    if is_small_order(point):
        raise KeyRefused("weak", "a point of small order as key: anyone can sign with it")


def _numbers(material: bytes, count: int, strict: bool) -> list[int]:
    return [int.from_bytes(integer, "big") for integer in read_integers(material, count, strict=strict)]


def _curve_and_point(material: bytes, strict: bool) -> tuple[bytes, bytes]:
    size = material[0] if material else 0
    (point,) = read_integers(material[1 + size :], 1, strict=strict)
    return material[1 : 1 + size], point


_LOADERS: dict[int, Callable[[bytes, bool], Verifier]] = {
    profiles.RSA: _load_rsa,
    profiles.RSA_SIGN_ONLY: _load_rsa,
    profiles.DSA: _load_dsa,
    profiles.ECDSA_ALGORITHM: _load_ecdsa,
    profiles.EDDSA_LEGACY: _load_eddsa_legacy,
    profiles.ED25519: _load_ed25519,
    profiles.ED448: _load_ed448,
}
