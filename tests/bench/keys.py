"""The signers of synthetic histories: OpenPGP keys in Guix's mix, and SSH keys.

RSA and DSA keys take seconds to make, so they are made once and kept in a cache directory. They are random, everything
else that a history is made of is not: with the same cache, the same history comes out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import b2a_base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fixtures.lib import openpgp, sshsig
from fixtures.lib.openpgp import MADE_AT, KeyPair, armored, ed25519_pair, mpi
from gitverify.signatures.crc24 import crc24

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PADDING = padding.PKCS1v15()
_PREHASHED = {"sha256": Prehashed(hashes.SHA256()), "sha512": Prehashed(hashes.SHA512())}


class Signer(Protocol):
    """Signs commits, and says how policies name it."""

    name: str

    @property
    def id(self) -> str: ...

    def sign(self, payload: bytes, when: int) -> bytes: ...


@dataclass(frozen=True)
class PgpSigner:
    """An OpenPGP key that signs as gpg does; ``certificate`` is binary."""

    name: str
    pair: KeyPair
    digest: str
    certificate: bytes

    @property
    def id(self) -> str:
        return self.pair.fingerprint.hex().upper()

    def sign(self, payload: bytes, when: int) -> bytes:
        return _gpg_armor(self.pair.signature(payload, when, digest=self.digest))


@dataclass(frozen=True)
class SshSigner:
    """An Ed25519 key that signs as ``ssh-keygen -Y sign`` does; ``line`` is its type and base64 blob."""

    name: str
    key: ed25519.Ed25519PrivateKey

    @property
    def blob(self) -> bytes:
        return sshsig.string(b"ssh-ed25519") + sshsig.string(self.key.public_key().public_bytes_raw())

    @property
    def line(self) -> str:
        return f"ssh-ed25519 {base64.b64encode(self.blob).decode()}"

    @property
    def id(self) -> str:
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    def sign(self, payload: bytes, when: int) -> bytes:  # noqa: ARG002  (SSH signatures have no date)
        signed = sshsig.signature_blob(self.key, sshsig.signed_data(payload))
        return sshsig.armored(sshsig.sshsig(self.blob, signed))


def ssh_signers(count: int = 8) -> list[SshSigner]:
    """Return keys whose secrets are hashes of their names."""
    names = [f"bench{number}" for number in range(count)]
    seeds = [hashlib.sha256(f"bench key {name}".encode()).digest() for name in names]
    return [
        SshSigner(name, ed25519.Ed25519PrivateKey.from_private_bytes(seed))
        for name, seed in zip(names, seeds, strict=True)
    ]


def pgp_signers(cache: Path) -> dict[str, list[PgpSigner]]:
    """Return the signers by kind; one of each RSA size signs with a subkey, as a fifth of Guix's commits are."""
    return {
        "rsa4096": [
            _signer(f"rsa4096-{n}", _rsa(_cached(cache, f"rsa4096-{n}", 4096)), subkey=n == 0) for n in range(4)
        ],
        "rsa2048": [
            _signer(f"rsa2048-{n}", _rsa(_cached(cache, f"rsa2048-{n}", 2048)), subkey=n == 0) for n in range(3)
        ],
        "ed25519": [_signer(f"ed25519-{n}", ed25519_pair(f"bench {n}")) for n in range(3)],
        "dsa2048": [_signer(f"dsa2048-{n}", _dsa(_cached(cache, f"dsa2048-{n}", None)), "sha256") for n in range(2)],
    }


def bystander(number: int) -> PgpSigner:
    """Return a key that is listed and in the keyring, and never signs."""
    return _signer(f"bystander-{number}", ed25519_pair(f"bench bystander {number}"))


def _signer(name: str, pair: KeyPair, digest: str = "sha512", *, subkey: bool = False) -> PgpSigner:
    user_id = f"Bench {name} <{name}@example.org>".encode()
    if subkey:
        primary = ed25519_pair(f"bench primary of {name}")
        return PgpSigner(name, pair, digest, primary.certificate(user_id, primary.subkey(pair)))
    return PgpSigner(name, pair, digest, pair.certificate(user_id))


def _gpg_armor(packet: bytes) -> bytes:
    """Armor a signature packet as gpg does: the old packet format, and a checksum."""
    body = packet[6:]
    size = len(body)
    data = (bytes([0x88, size]) if size < 256 else b"\x89" + size.to_bytes(2, "big")) + body
    text = b2a_base64(data, newline=False)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    check = b"=" + b2a_base64(crc24(data).to_bytes(3, "big"), newline=False)
    head, foot = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
    return b"\n".join([head, b"", *lines, check, foot, b""])


def certificate_file(signer: PgpSigner) -> bytes:
    """Return the signer's certificate as a keyring has it."""
    return armored("PUBLIC KEY BLOCK", signer.certificate)


def _cached(cache: Path, name: str, rsa_bits: int | None) -> PrivateKeyTypes:
    """Load a key from the cache; make it first where it is not there. None: DSA, 2048 bits."""
    path = cache / "keys" / f"{name}.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else dsa.generate_private_key(2048)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return load_pem_private_key(path.read_bytes(), None)


def _rsa(key: rsa.RSAPrivateKey) -> KeyPair:
    public = key.public_key().public_numbers()

    def sign(digest: str, value: bytes) -> bytes:
        return mpi(int.from_bytes(key.sign(value, _PADDING, _PREHASHED[digest]), "big"))

    return KeyPair(_body(1, public.n, public.e), sign)


def _dsa(key: dsa.DSAPrivateKey) -> KeyPair:
    """FIPS 186-4 §4.6, with a nonce from secret and digest: ``cryptography`` takes a random one."""
    numbers = key.private_numbers()
    x, y = numbers.x, numbers.public_numbers.y
    parameters = numbers.public_numbers.parameter_numbers
    p, q, g = parameters.p, parameters.q, parameters.g
    size = q.bit_length() // 8
    power = _fixed_base(g, p, q.bit_length())

    def sign(_: str, value: bytes) -> bytes:
        nonce = int.from_bytes(hmac.digest(x.to_bytes(size, "big"), value, "sha512"), "big") % (q - 1) + 1
        r = power(nonce) % q
        return mpi(r) + mpi(pow(nonce, -1, q) * (int.from_bytes(value[:size], "big") + x * r) % q)

    return KeyPair(_body(17, p, q, g, y), sign)


def _fixed_base(base: int, modulus: int, bits: int) -> Callable[[int], int]:
    """Return a faster ``pow(base, …, modulus)``: for each octet of the exponent a table of 256 powers."""
    tables = []
    for _ in range(0, bits, 8):
        row = [1]
        for _ in range(256):
            row.append(row[-1] * base % modulus)
        base = row.pop()
        tables.append(row)

    def power(exponent: int) -> int:
        product = 1
        for row in tables:
            product = product * row[exponent & 255] % modulus
            exponent >>= 8
        return product

    return power


def _body(algorithm: int, *numbers: int) -> bytes:
    """Return a version 4 public key packet's body (RFC 9580 §5.5.2)."""
    return b"\x04" + MADE_AT.to_bytes(4, "big") + bytes([algorithm]) + b"".join(map(openpgp.mpi, numbers))
