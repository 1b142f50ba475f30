"""Writes SSH keys and signatures, well-formed and hostile, the same bytes on every run.

Formats: OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f, PROTOCOL.certkeys; RFC 4253 §6.6, RFC 5656 §3.1, RFC 8332, RFC 8709.
The keys are for tests only: anyone can derive their secrets from their names.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

USER_PRESENT = 0x01
USER_VERIFIED = 0x04

_CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
_RSA_HASHES = {b"ssh-rsa": hashes.SHA1(), b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}


def string(value: bytes) -> bytes:
    """RFC 4251 §5: a length and that many octets."""
    return struct.pack(">I", len(value)) + value


def mpint(value: int, zeros: int = 0) -> bytes:
    """RFC 4251 §5: a positive integer; ``zeros`` octets too many make it non-minimal."""
    return string(b"\0" * zeros + value.to_bytes(value.bit_length() // 8 + 1, "big"))


def secret(name: str) -> bytes:
    return hashlib.sha256(b"gitverify test key " + name.encode()).digest()


class Writer:
    """A key that can sign. ``algorithm`` and ``blob`` are what OpenSSH calls key type and public blob."""

    algorithm: bytes
    blob: bytes

    @property
    def line(self) -> str:
        return f"{self.algorithm.decode()} {base64.b64encode(self.blob).decode()}"

    @property
    def id(self) -> str:
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    def sign(self, message: bytes) -> bytes:
        """Return a signature blob: an algorithm, and what belongs to it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ed25519(Writer):
    name: str
    algorithm = b"ssh-ed25519"

    @cached_property
    def private(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret(self.name))

    @cached_property
    def blob(self) -> bytes:
        return string(self.algorithm) + string(self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return string(self.algorithm) + string(self.private.sign(message))


def ecdsa_numbers(private: ec.EllipticCurvePrivateKey, message: bytes, zeros: int = 0) -> bytes:
    chosen = ec.ECDSA(_HASHES[private.key_size], deterministic_signing=True)
    r, s = decode_dss_signature(private.sign(message, chosen))
    return string(mpint(r, zeros) + mpint(s, zeros))


@dataclass(frozen=True)
class Ecdsa(Writer):
    name: str
    bits: int = 256
    zeros: int = 0

    @property
    def algorithm(self) -> bytes:
        return b"ecdsa-sha2-nistp%d" % self.bits

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        octets = hashlib.shake_256(secret(self.name)).digest(self.bits // 8)
        return ec.derive_private_key(int.from_bytes(octets, "big") >> 1, _CURVES[self.bits])

    @cached_property
    def blob(self) -> bytes:
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return string(self.algorithm) + string(b"nistp%d" % self.bits) + string(point)

    def sign(self, message: bytes) -> bytes:
        return string(self.algorithm) + ecdsa_numbers(self.private, message, self.zeros)


def _is_prime(number: int) -> bool:
    """Fermat's test to base 2 and 3: good enough for keys that nobody attacks."""
    return all(pow(base, number - 1, number) == 1 for base in (2, 3))


@lru_cache
def _prime(seed: str, bits: int) -> int:
    """Return the first fitting prime after a number made from the seed; the top two bits are set."""
    octets = hashlib.shake_256(secret(seed)).digest(bits // 8)
    number = int.from_bytes(octets, "big") | 3 << bits - 2 | 1
    small = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2))]
    while any(number % p == 0 for p in small) or (number - 1) % 65537 == 0 or not _is_prime(number):
        number += 2
    return number


@dataclass(frozen=True)
class Rsa(Writer):
    """``as_algorithm``: the signature algorithm, ``ssh-rsa`` being SHA-1."""

    name: str
    bits: int = 2048
    as_algorithm: bytes = b"rsa-sha2-512"
    algorithm = b"ssh-rsa"

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        p, q = _prime(self.name + " p", self.bits // 2), _prime(self.name + " q", self.bits // 2)
        d = pow(65537, -1, (p - 1) * (q - 1))
        parts = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
        return rsa.RSAPrivateNumbers(p, q, d, *parts, rsa.RSAPublicNumbers(65537, p * q)).private_key()

    @cached_property
    def blob(self) -> bytes:
        numbers = self.private.public_key().public_numbers()
        return string(self.algorithm) + mpint(numbers.e) + mpint(numbers.n)

    def sign(self, message: bytes) -> bytes:
        raw = self.private.sign(message, padding.PKCS1v15(), _RSA_HASHES[self.as_algorithm])
        return string(self.as_algorithm) + string(raw)


@dataclass(frozen=True)
class SkEd25519(Writer):
    """A FIDO authenticator in software. ``flags``: what it says about its user."""

    name: str
    flags: int = USER_PRESENT
    application: bytes = b"ssh:"
    algorithm = b"sk-ssh-ed25519@openssh.com"

    @cached_property
    def private(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret(self.name))

    @cached_property
    def blob(self) -> bytes:
        public = self.private.public_key().public_bytes_raw()
        return string(self.algorithm) + string(public) + string(self.application)

    def seen(self, message: bytes) -> tuple[bytes, bytes]:
        """Return what an authenticator signs, and the flags and counter beside the signature (PROTOCOL.u2f)."""
        state = struct.pack(">BI", self.flags, 7)
        return hashlib.sha256(self.application).digest() + state + hashlib.sha256(message).digest(), state

    def sign(self, message: bytes) -> bytes:
        seen, state = self.seen(message)
        return string(self.algorithm) + string(self.private.sign(seen)) + state


@dataclass(frozen=True)
class SkEcdsa(SkEd25519):
    algorithm = b"sk-ecdsa-sha2-nistp256@openssh.com"

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        return Ecdsa(self.name).private

    @cached_property
    def blob(self) -> bytes:
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return string(self.algorithm) + string(b"nistp256") + string(point) + string(self.application)

    def sign(self, message: bytes) -> bytes:
        seen, state = self.seen(message)
        return string(self.algorithm) + ecdsa_numbers(self.private, seen) + state


def certificate(key: Ed25519, authority: Ed25519, principal: bytes) -> bytes:
    """Return the blob of a user certificate for ``key`` (PROTOCOL.certkeys), valid for ever."""
    body = b"".join(
        [
            string(b"ssh-ed25519-cert-v01@openssh.com"),
            string(b"\0" * 32),
            string(key.private.public_key().public_bytes_raw()),
            struct.pack(">QI", 1, 1),
            string(b"test"),
            string(string(principal)),
            struct.pack(">QQ", 0, 2**64 - 1),
            string(b""),
            string(b""),
            string(b""),
            string(authority.blob),
        ]
    )
    return body + string(authority.sign(body))


def to_be_signed(payload: bytes, namespace: bytes = b"git", reserved: bytes = b"", digest: bytes = b"sha512") -> bytes:
    hashed = hashlib.new(digest.decode(), payload).digest()
    return b"SSHSIG" + string(namespace) + string(reserved) + string(digest) + string(hashed)


def envelope(
    key: Writer,
    payload: bytes,
    *,
    magic: bytes = b"SSHSIG",
    version: int = 1,
    public: bytes | None = None,
    namespace: bytes = b"git",
    reserved: bytes = b"",
    signed_reserved: bytes = b"",
    digest: bytes = b"sha512",
    signature: bytes | None = None,
    trailing: bytes = b"",
) -> bytes:
    """Return an SSHSIG blob; what is not given is as ssh-keygen writes it."""
    made = key.sign(to_be_signed(payload, namespace, signed_reserved, digest)) if signature is None else signature
    fields = (key.blob if public is None else public, namespace, reserved, digest, made)
    return magic + struct.pack(">I", version) + b"".join(map(string, fields)) + trailing


def armor(blob: bytes, width: int = 70, eol: bytes = b"\n") -> bytes:
    text = base64.b64encode(blob)
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return eol.join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


def sshsig(key: Writer, payload: bytes, **unusual: bytes | int) -> bytes:
    """Return an armored signature; for ``unusual`` see :func:`envelope`."""
    return armor(envelope(key, payload, **unusual))


def webauthn(key: SkEcdsa, message: bytes) -> bytes:
    """Return a signature blob as a web browser lets an authenticator make it (PROTOCOL.u2f)."""
    origin = b"https://example.org"
    challenge = base64.urlsafe_b64encode(message).rstrip(b"=")
    client = b'{"type":"webauthn.get","challenge":"%s","origin":"%s"}' % (challenge, origin)
    state = struct.pack(">BI", USER_PRESENT, 7)
    seen = hashlib.sha256(key.application).digest() + state + hashlib.sha256(client).digest()
    numbers = ecdsa_numbers(key.private, seen)
    return string(b"webauthn-" + key.algorithm) + numbers + state + string(origin) + string(client) + string(b"")


def rsa_with_exponent(name: str, exponent: int, message: bytes) -> tuple[bytes, bytes]:
    """Return the public blob and a signature blob of an RSA key with any exponent, computed by hand (RFC 8017 §8.2)."""
    p, q = _prime(name + " p", 1024), _prime(name + " q", 1024)
    modulus = p * q
    info = bytes.fromhex("3051300d060960864801650304020305000440") + hashlib.sha512(message).digest()
    block = b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info
    raw = pow(int.from_bytes(block, "big"), pow(exponent, -1, (p - 1) * (q - 1)), modulus).to_bytes(256, "big")
    return string(b"ssh-rsa") + mpint(exponent) + mpint(modulus), string(b"rsa-sha2-512") + string(raw)
