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
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from fixtures.lib import pgpwriter, sshwriter
from fixtures.lib.pgpkeys import eddsa_key
from fixtures.lib.pgpwriter import Key, mpi
from gitverify.signatures.crc24 import crc24
from tests.bench.multiprime import EXPONENT, MultiPrimeKey, make_primes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PADDING = padding.PKCS1v15()


class Signer(Protocol):
    """Signs commits, and says how policies name it: ``id`` is a fingerprint, as ``--signer`` takes it."""

    name: str

    @property
    def id(self) -> str: ...

    def sign(self, payload: bytes, when: int) -> bytes: ...


@dataclass(frozen=True)
class PgpSigner:
    """An OpenPGP key that signs as gpg does; ``certificate`` is binary."""

    name: str
    key: Key
    digest: str
    certificate: bytes

    @property
    def id(self) -> str:
        return self.key.name

    def sign(self, payload: bytes, when: int) -> bytes:
        key = self.key
        hashed = [pgpwriter.issuer(key), pgpwriter.created(when)]
        body = pgpwriter.signature_body(key, payload, digest=self.digest, hashed=hashed)
        return _armor(pgpwriter.packet(pgpwriter.SIGNATURE, body, old=True))


@dataclass(frozen=True)
class SshSigner:
    """An Ed25519 key that signs as ``ssh-keygen -Y sign`` does; ``line`` is its type and base64 blob."""

    name: str
    key: sshwriter.Ed25519

    @property
    def line(self) -> str:
        return f"ssh-ed25519 {base64.b64encode(self.key.blob).decode()}"

    @property
    def id(self) -> str:
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.key.blob).digest()).decode().rstrip("=")

    def sign(self, payload: bytes, when: int) -> bytes:
        return sshwriter.sshsig(self.key, payload)


def ssh_signers(count: int = 8) -> list[SshSigner]:
    """Return keys whose secrets are hashes of their names."""
    return [SshSigner(f"bench{number}", sshwriter.Ed25519(f"bench {number}")) for number in range(count)]


def pgp_signers(cache: Path) -> dict[str, list[PgpSigner]]:
    """Return the signers by kind; one of each RSA size signs with a subkey, as a fifth of Guix's commits are."""
    return {
        "rsa4096": [
            _signer(f"rsa4096-{n}", _rsa_of_four(_cached_primes(cache, f"rsa4096-{n}")), subkey=n == 0)
            for n in range(4)
        ],
        "rsa2048": [
            _signer(f"rsa2048-{n}", _rsa(_cached(cache, f"rsa2048-{n}", 2048)), subkey=n == 0) for n in range(3)
        ],
        "ed25519": [_signer(f"ed25519-{n}", eddsa_key(f"bench {n}")) for n in range(3)],
        "dsa2048": [_signer(f"dsa2048-{n}", _dsa(_cached(cache, f"dsa2048-{n}", None)), "SHA256") for n in range(2)],
    }


def bystander(number: int) -> PgpSigner:
    """Return a key that is listed and in the keyring, and never signs."""
    return _signer(f"bystander-{number}", eddsa_key(f"bench bystander {number}"))


def _signer(name: str, key: Key, digest: str = "SHA512", *, subkey: bool = False) -> PgpSigner:
    if subkey:
        primary = eddsa_key(f"bench primary of {name}")
        return PgpSigner(name, key, digest, pgpwriter.certificate(primary, pgpwriter.subkey(primary, key)))
    return PgpSigner(name, key, digest, pgpwriter.certificate(key))


def _armor(data: bytes) -> bytes:
    """Armor a signature, as the writer of the tests does but for its checksum, which is slow there on purpose."""
    text = b2a_base64(data, newline=False)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    check = b"=" + b2a_base64(crc24(data).to_bytes(3, "big"), newline=False)
    head, foot = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
    return b"\n".join([head, b"", *lines, check, foot, b""])


def certificate_file(signer: PgpSigner) -> bytes:
    """Return the signer's certificate as a keyring has it."""
    return pgpwriter.armor(signer.certificate, "PUBLIC KEY BLOCK")


def _cached(cache: Path, name: str, rsa_bits: int | None) -> PrivateKeyTypes:
    """Load a key from the cache; make it first where it is not there. None: DSA, 2048 bits."""
    path = cache / "keys" / f"{name}.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(EXPONENT, rsa_bits) if rsa_bits else dsa.generate_private_key(2048)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return load_pem_private_key(path.read_bytes(), None)


def _cached_primes(cache: Path, name: str) -> list[int]:
    path = cache / "keys" / f"{name}.primes"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{prime:x}\n" for prime in make_primes()))
    return [int(line, 16) for line in path.read_text().split()]


def _rsa_of_four(primes: list[int]) -> Key:
    key = MultiPrimeKey(primes)
    return Key(1, mpi(key.modulus) + mpi(EXPONENT), lambda data, digest: mpi(key.sign(data, digest)))


def _rsa(key: rsa.RSAPrivateKey) -> Key:
    public = key.public_key().public_numbers()
    algorithms = {"SHA256": hashes.SHA256(), "SHA512": hashes.SHA512()}
    return Key(
        1,
        mpi(public.n) + mpi(public.e),
        lambda data, digest: mpi(key.sign(data, _PADDING, algorithms[digest])),
    )


def _dsa(key: dsa.DSAPrivateKey) -> Key:
    """FIPS 186-4 §4.6, with a nonce from secret and digest: ``cryptography`` takes a random one."""
    numbers = key.private_numbers()
    x, y = numbers.x, numbers.public_numbers.y
    parameters = numbers.public_numbers.parameter_numbers
    p, q, g = parameters.p, parameters.q, parameters.g
    size = q.bit_length() // 8
    power = _fixed_base(g, p, q.bit_length())

    def values(data: bytes, digest: str) -> bytes:
        value = hashlib.new(digest, data).digest()
        nonce = int.from_bytes(hmac.digest(x.to_bytes(size, "big"), value, "sha512"), "big") % (q - 1) + 1
        r = power(nonce) % q
        return mpi(r) + mpi(pow(nonce, -1, q) * (int.from_bytes(value[:size], "big") + x * r) % q)

    return Key(17, b"".join(map(mpi, (p, q, g, y))), values)


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
