"""Writes OpenPGP keys, signatures and certificates, well formed and hostile (RFC 9580).

The keys are for tests only and are made anew on every run; each is made once, by its label. Everything is returned as
octets of packets, so that a test can put together what no program would.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from dsadomains import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BINARY, TEXT, STANDALONE = 0x00, 0x01, 0x02
GENERIC, POSITIVE = 0x10, 0x13
SUBKEY_BINDING, PRIMARY_KEY_BINDING, DIRECT_KEY = 0x18, 0x19, 0x1F
KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION = 0x20, 0x28, 0x30
SIGNATURE, SECRET_KEY, PUBLIC_KEY, USER_ID, PUBLIC_SUBKEY, USER_ATTRIBUTE = 2, 5, 6, 13, 14, 17
MAY_CERTIFY, MAY_SIGN, MAY_ENCRYPT = 0x01, 0x02, 0x0C
CREATED = 1_600_000_000  # when the keys were made, in seconds since 1970
SIGNED = 1_650_000_000  # when the signatures were

_NUMBERS = {"MD5": 1, "SHA1": 2, "RIPEMD160": 3, "SHA256": 8, "SHA384": 9, "SHA512": 10, "SHA224": 11}
_NUMBERS |= {"SHA3_256": 12, "SHA3_512": 14}
_SALTS = {"SHA224": 16, "SHA256": 16, "SHA384": 24, "SHA512": 32, "SHA3_256": 16, "SHA3_512": 32}
_CURVES = {
    "P-256": (ec.SECP256R1(), "2a8648ce3d030107"),
    "P-384": (ec.SECP384R1(), "2b81040022"),
    "P-521": (ec.SECP521R1(), "2b81040023"),
    "brainpoolP256r1": (ec.BrainpoolP256R1(), "2b2403030208010107"),
    "brainpoolP384r1": (ec.BrainpoolP384R1(), "2b240303020801010b"),
    "brainpoolP512r1": (ec.BrainpoolP512R1(), "2b240303020801010d"),
    "secp256k1": (ec.SECP256K1(), "2b8104000a"),
}


def packet(tag: int, body: bytes, *, old: bool = False, width: int = 0) -> bytes:
    """A packet in the new or the old format (§4.2); ``width`` octets of length, or as few as will do."""
    size = len(body)
    if old:
        width = width or (1 if size < 0x100 else 2 if size < 0x10000 else 4)
        return bytes([0x80 | tag << 2 | {1: 0, 2: 1, 4: 2}[width]]) + size.to_bytes(width, "big") + body
    return bytes([0xC0 | tag]) + _new_length(size, width, 8384) + body


def subpacket(kind: int, content: bytes, *, critical: bool = False, width: int = 0) -> bytes:
    """A signature subpacket (§5.2.3.7)."""
    return _new_length(len(content) + 1, width, 16320) + bytes([kind | 0x80 * critical]) + content


def _new_length(size: int, width: int, two_octets_below: int) -> bytes:
    width = width or (1 if size < 192 else 2 if size < two_octets_below else 5)
    if width == 1:
        return bytes([size])
    if width == 2:
        return struct.pack(">H", size - 192 + (192 << 8))
    return b"\xff" + struct.pack(">I", size)


def mpi(value: int | bytes, bits: int | None = None) -> bytes:
    """A multiprecision integer (§3.2); of octets, as they are but for leading zeros; ``bits`` claims another size."""
    number = int.from_bytes(value, "big") if isinstance(value, bytes) else value
    size = number.bit_length() if bits is None else bits
    return struct.pack(">H", size) + number.to_bytes((size + 7) // 8, "big")


def created(when: int = SIGNED, **shape) -> bytes:
    return subpacket(2, struct.pack(">I", when), **shape)


def notation(name: bytes, value: bytes, **shape) -> bytes:
    return subpacket(20, struct.pack(">IHH", 0, len(name), len(value)) + name + value, **shape)


def issuer(key: Key, **shape) -> bytes:
    return subpacket(33, bytes([key.version]) + key.fingerprint, **shape)


def issuer_id(key: Key, **shape) -> bytes:
    return subpacket(16, key.key_id, **shape)


def key_flags(flags: int, **shape) -> bytes:
    return subpacket(27, bytes([flags]), **shape)


def key_expiration(seconds: int, **shape) -> bytes:
    return subpacket(9, struct.pack(">I", seconds), **shape)


def reason(code: int, text: bytes = b"") -> bytes:
    return subpacket(29, bytes([code]) + text)


def embedded(body: bytes) -> bytes:
    return subpacket(32, body)


@dataclass(frozen=True)
class Key:
    """A key that can sign: ``values`` are a signature's algorithm-specific octets over data with a hash (a name)."""

    algorithm: int
    material: bytes
    values: Callable[[bytes, str], bytes]
    version: int = 4
    created: int = CREATED

    @property
    def body(self) -> bytes:
        size = struct.pack(">I", len(self.material)) if self.version == 6 else b""
        return struct.pack(">BIB", self.version, self.created, self.algorithm) + size + self.material

    @property
    def hashed(self) -> bytes:
        """What the fingerprint and signatures on the key are over (§5.5.4)."""
        if self.version == 6:
            return b"\x9b" + struct.pack(">I", len(self.body)) + self.body
        return b"\x99" + struct.pack(">H", len(self.body)) + self.body

    @property
    def fingerprint(self) -> bytes:
        return hashlib.new("sha256" if self.version == 6 else "sha1", self.hashed).digest()

    @property
    def name(self) -> str:
        return self.fingerprint.hex().upper()

    @property
    def key_id(self) -> bytes:
        return self.fingerprint[:8] if self.version == 6 else self.fingerprint[-8:]

    def as_version(self, version: int) -> Key:
        return replace(self, version=version)

    def created_at(self, when: int) -> Key:
        return replace(self, created=when)


@cache
def rsa_key(bits: int = 2048, label: str = "", algorithm: int = 1) -> Key:
    private = rsa.generate_private_key(65537, bits)
    public = private.public_key().public_numbers()

    def values(data: bytes, digest: str) -> bytes:
        return mpi(private.sign(data, padding.PKCS1v15(), getattr(hashes, digest)()))

    return Key(algorithm, mpi(public.n) + mpi(public.e), values)


@cache
def dsa_key(bits: int = 2048, order_bits: int = 256, label: str = "") -> Key:
    domain = dsa.DSAParameterNumbers(*(int(number, 16) for number in DOMAINS[bits, order_bits]))
    private = domain.parameters().generate_private_key()
    public = private.public_key().public_numbers()

    def values(data: bytes, digest: str) -> bytes:
        return b"".join(map(mpi, decode_dss_signature(private.sign(data, getattr(hashes, digest)()))))

    return Key(17, mpi(domain.p) + mpi(domain.q) + mpi(domain.g) + mpi(public.y), values)


@cache
def ecdsa_key(curve: str = "P-256", label: str = "") -> Key:
    which, identifier = _CURVES[curve]
    private = ec.generate_private_key(which)
    public = private.public_key().public_numbers()
    size = (which.key_size + 7) // 8
    point = b"\4" + public.x.to_bytes(size, "big") + public.y.to_bytes(size, "big")

    def values(data: bytes, digest: str) -> bytes:
        signature = private.sign(data, ec.ECDSA(getattr(hashes, digest)()))
        return b"".join(map(mpi, decode_dss_signature(signature)))

    return Key(19, _identifier(identifier) + mpi(point), values)


@cache
def eddsa_key(label: str = "") -> Key:
    """Ed25519 as version 4 has had it first (§5.2.3.3.1): two octet strings that are written as integers."""
    private = ed25519.Ed25519PrivateKey.generate()

    def values(data: bytes, digest: str) -> bytes:
        raw = private.sign(_digest(data, digest))
        return mpi(raw[:32]) + mpi(raw[32:])

    return Key(22, _identifier("2b06010401da470f01") + mpi(b"\x40" + private.public_key().public_bytes_raw()), values)


@cache
def ed25519_key(label: str = "") -> Key:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return Key(27, public, lambda data, digest: private.sign(_digest(data, digest)))


@cache
def ed448_key(label: str = "") -> Key:
    private = ed448.Ed448PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return Key(28, public, lambda data, digest: private.sign(_digest(data, digest)))


def _identifier(octets: str) -> bytes:
    return bytes([len(octets) // 2]) + bytes.fromhex(octets)


def _digest(data: bytes, digest: str) -> bytes:
    return hashlib.new(digest.lower(), data).digest()


def signature_body(
    key: Key,
    data: bytes,
    *,
    type: int = BINARY,  # noqa: A002
    digest: str = "SHA256",
    hashed: Iterable[bytes] | None = None,
    unhashed: Iterable[bytes] | None = None,
    more: Iterable[bytes] = (),
    version: int | None = None,
    algorithm: int | None = None,
    hash_number: int | None = None,
    salt: bytes | None = None,
    values: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Sign ``data`` (what is hashed before the trailer) and return the content of a signature packet (§5.2.3).

    ``hashed`` and ``unhashed`` replace the usual subpackets (time and fingerprint; the key id), ``more`` adds to those
    that are hashed; ``values`` makes something else out of the algorithm-specific octets.
    """
    version = key.version if version is None else version
    if hashed is None:
        hashed = [created(), issuer(key)]
    if unhashed is None:
        unhashed = [issuer_id(key)] if version == 4 else []
    inner, outer = b"".join([*hashed, *more]), b"".join(unhashed)
    size = ">I" if version == 6 else ">H"
    number = _NUMBERS[digest] if hash_number is None else hash_number
    head = bytes([version, type, key.algorithm if algorithm is None else algorithm, number])
    head += struct.pack(size, len(inner)) + inner
    if version == 6 and salt is None:
        salt = bytes(range(_SALTS.get(digest, 0)))
    signed = (salt or b"") + data + head + bytes([version, 0xFF]) + struct.pack(">I", len(head))
    salted = bytes([len(salt or b"")]) + (salt or b"") if version == 6 else b""
    octets = key.values(signed, digest)
    start = _digest(signed, digest)[:2]
    return head + struct.pack(size, len(outer)) + outer + start + salted + (values(octets) if values else octets)


def signature(key: Key, data: bytes, **shape) -> bytes:
    """A signature packet; the arguments are those of :func:`signature_body`."""
    return packet(SIGNATURE, signature_body(key, data, **shape))


def crc24(data: bytes) -> int:
    """The checksum of an armor, octet by octet as §6.1.1 has it."""
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc


def armor(
    data: bytes, kind: str = "SIGNATURE", *, headers: Iterable[str] = (), checksum: int | None = -1, width: int = 64
) -> bytes:
    """ASCII armor (§6.2), its checksum right by default (-1), another one, or missing (None)."""
    text = base64.b64encode(data).decode()
    lines = [f"-----BEGIN PGP {kind}-----", *headers, ""]
    lines += [text[start : start + width] for start in range(0, len(text), width)]
    if checksum is not None:
        value = crc24(data) if checksum < 0 else checksum
        lines.append("=" + base64.b64encode(value.to_bytes(3, "big")).decode())
    lines += [f"-----END PGP {kind}-----", ""]
    return "\n".join(lines).encode()


def primary(key: Key) -> bytes:
    return packet(PUBLIC_KEY, key.body)


def user_id(key: Key, value: bytes = b"Test <test@example.org>", *, by: Key | None = None, **shape) -> bytes:
    """A user ID and the primary key's certification of it (§5.2.1.5); ``by``: made by another key instead."""
    data = key.hashed + b"\xb4" + struct.pack(">I", len(value)) + value
    shape = {"type": POSITIVE, "more": [key_flags(MAY_CERTIFY | MAY_SIGN)]} | shape
    return packet(USER_ID, value) + signature(by or key, data, **shape)


def back_signature(key: Key, subkey: Key, *, by: Key | None = None, **shape) -> bytes:
    """The content of a signature by which the subkey agrees (§5.2.1.9); ``by``: made by another key instead."""
    shape = {"type": PRIMARY_KEY_BINDING} | shape
    return signature_body(by or subkey, key.hashed + subkey.hashed, **shape)


def binding(
    key: Key, subkey: Key, *, flags: int | None = MAY_SIGN, back: bytes | None = b"", by: Key | None = None, **shape
) -> bytes:
    """A binding signature (§5.2.1.8), with a back-signature unless ``back`` is None; ``by``: made by another key."""
    more = [] if flags is None else [key_flags(flags)]
    if back is not None:
        more.append(embedded(back or back_signature(key, subkey)))
    more += shape.pop("more", ())
    shape = {"type": SUBKEY_BINDING, "more": more} | shape
    return signature(by or key, key.hashed + subkey.hashed, **shape)


def subkey(key: Key, bound: Key, **shape) -> bytes:
    """A subkey and its binding signature; the arguments are those of :func:`binding`."""
    return packet(PUBLIC_SUBKEY, bound.body) + binding(key, bound, **shape)


def direct(key: Key, **shape) -> bytes:
    """A direct-key signature (§5.2.1.10)."""
    return signature(key, key.hashed, **({"type": DIRECT_KEY} | shape))


def revocation(key: Key, subkey: Key | None = None, code: int | None = 2, *, by: Key | None = None, **shape) -> bytes:
    """A revocation of the key or the subkey (§5.2.1.11 and §5.2.1.12), with a reason's code or without one."""
    data = key.hashed if subkey is None else key.hashed + subkey.hashed
    kind = KEY_REVOCATION if subkey is None else SUBKEY_REVOCATION
    more = [] if code is None else [reason(code, b"test")]
    return signature(by or key, data, **({"type": kind, "more": more} | shape))


def certificate(key: Key, *parts: bytes) -> bytes:
    """A certificate: the primary key, a certified user ID, then whatever is given."""
    return primary(key) + user_id(key) + b"".join(parts)
