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
    domain = dsa.DSAParameterNumbers(*(int(number, 16) for number in _DOMAINS[bits, order_bits]))
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
    """A user ID and the primary key's certification of it (§5.2.1.7); ``by``: made by another key instead."""
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


# DSA domain parameters, p, q and g by the sizes of p and q: the only slow part of making such a key.
_DOMAINS = {
    (1024, 160): (
        (
            "8224f8a56762c752707298d50796d8636f2dfe82aa7d54e14b2bc9f631e6376ff1a98601e8b0680df1702d3ef1aa0ae8"
            "f414a3cff8255af5cac285ec78413cd917de90acb9792489c405b043d7e9ac7820dccedc03087fa7e588148a55a4f9c2"
            "c8eb9715649bd5a309674179fddcc3e79b4a78cda117210116d7265a0f97dc1d"
        ),
        "dfbf15d7d16db0fccee92ba3e5afe911c10bc6b1",
        (
            "79a12fc1b4fcd6759b8d2f67d4a97809a81ef1226654fad80b24857ac48a1390df952d5391b82710357752c8d80130ab"
            "7a5f58b498bda2c671ec15f2c251016ff09ee025b360d60d51682a1c8c1f2df5c5a9dcf4823b14cd38b4708f2959043f"
            "1bda1c1c12b8a5d6b43360199e2f609df1df9f28718135c6b0c5e9319596ab0e"
        ),
    ),
    (2048, 160): (
        (
            "d8b550542f2d55b1bd3e1a7c779c5aceac405d58e925a2ccf88feeef66f16efecf157012601ea510440f110f71219a0a"
            "590802cc8c2add55c9034096078c4923afe253eec43fd5652ab8c708497216aebc6e0c9ac69530189fb71eceac63f3e1"
            "349af0d8f7b5f572a9986a15c12c0e0a3c6ee1926d40a61c8fc506464d1e08f3ada7dbb04cd41b4746e301164424e143"
            "049cf822e85be73a7df96dcbfcedc6fca11dd31b3981cd542495be04459ad18128661802c6104250fe26ec7730900371"
            "f478b4829e881b9dc4d45e5faf87e45d6f12103cdd19c45787941dcda2cf35c7e3feaa50e761689509bb77002fe8a6da"
            "9d6d8364c31ff3edada1749db1eeca8f"
        ),
        "c09657bfe0f786942c31947d8a2ab7d47b87b409",
        (
            "4843be17ae9b658207d2bc643920fdd6de6c65f667ffdf78ed1113100d9ada2b690e1a7c3fa9e9822896b91a1a5cf8b8"
            "a812d9cdccabd9991e59618e6258f9f31925de1c37491a3fdf4b50c43b04a71a0a4dfa3fbe527eb53bf20caf46f1a0c8"
            "0859399803b409eaefcc0eb18125099feff663fc22994844a0ecff6fe3f1c3eb4ebc3f657a7bae128e2537c85d63699e"
            "b1e88009c2f51c214a296ece623020cc36e3984bbab3bdbd308378ea15c664fd2f952555983ffa43cdc3d40897fb419c"
            "11a49c87a6e261a7b1a1839abda6a3e8ee48f3562b40f592739fea675bd991230d4fff9e0bb53ba4e4dbc854a8cc629e"
            "5f09bffba5ce2b7bc1541ec0cb1a564a"
        ),
    ),
    (2048, 224): (
        (
            "d32026ce76682b326cc1ceaf2b9aeb91302304ea1a9895517634c19d2d3ec198a262df49325dd501ed3a29396ca9c972"
            "d1688b24edef6f1d31cc428586b1c85700b3d2863c16ec3d1c650fe489d800f63caea6c4c9269a794f9c932dc220ed27"
            "5c43e4f9b0686fc1be77d08dc6eb1cdab3287ed24a8f196c337247824ef924aa957826745217b42b6b837f8d713db104"
            "d1ea9fe2d4fec34699b0ebb27e1627a866813a8ce6da475e086e998a53d1761402c4a511144a751691a6190a462cdab2"
            "8c011fa0437ac660bbcb6360a476729585ff34a83d1345a9a3156cf7be8ce351f5d192f526f25ebdb5cad2f8111b31d9"
            "bd526f4218be3feee34cab3301dc5627"
        ),
        "f5f9754321fec5ae1f60c9a09ad14dad011a95b0b620c04810c37335",
        (
            "c6928bd1d2c33e3b61f88b2683b112fb80eac6c433a9570c1f8598f988555c7b7eafffaa9c5776fea400e02f213ead77"
            "cb9b6d5343f6754e01ac0faf50009147f9300dcac0fe5d483524d18d8445eb1c9a685d06755d1cf00addd348362a5b35"
            "41a1b67a635fefef3c3c773565d7a82dfd6766938b8214ea8d7ce2be649aa9193c7adf458ae5265fa18d857f94991291"
            "8df9849ee6cafe7ff5ab6e048bb33933c58641a8390787b6b5dbb19c809eae0c22e6321560370e9791ebbdc14b3d17db"
            "cd225587b10862bb150e9f99022353e4986b21c63556847bbafed242c35f59d652c33ada59fe63c496d47c87e5540684"
            "493da7d6a34ff6afb7c7e10bed98f4b"
        ),
    ),
    (2048, 256): (
        (
            "c6fe551b48e807e58a1a46f7338a39ff4b0c5bbe578140bea7576df202303cebb401fb504133237fa5ae721a80eb49c1"
            "44f44f3270f5ac669f14124dbdf4ca65ea0a52bec3739a4a34ac842cc12d9cda55df942846ed7c42f6b6dcc91368a0db"
            "1453b2ffd37e0b33522630c1d9ba34bb09f2cbb0aab296d1723b79b77714daffddc34849bb156c63c5bcc68485c71f71"
            "f773918878a6ba32e84d364d0f8796b1f0477c9a81a64dada2044b40a102ae47bd2cad4351d17c98018e8d5ec2a7a42f"
            "1b537d5cdfe1df4409df8ef76ce5aadbccdc07cc4818954ee4d8c5826e8b4120cdfeb4ccb0d6da50844e436f67014464"
            "70e7034c131bff0c1e8c5dbd301bce1b"
        ),
        "e3af9ba60a60aa03460afe492ab008ca8669db727b629a3f26234aa43ad2e047",
        (
            "99986d2008c1dbb480f43c67e076a4467b886b54f7df0ca80ba95de39e0fe8f9b651972ccdb2216b0cf7a77d946a433b"
            "2b7ee152c096e4f7f3ed4d5c3ad06e4eade01280df1ef67fc18ccffbce89035f014b2716deadbc2eb28b36bfea8a4ced"
            "fb63e128e5bb376aed75a42aa5779040d63563ca3e91742038aca55ec0a41dabc818c6dbb3e83583338d7977545594dd"
            "b180bfbb69391789c5b3a6fff63d95806274379b6ec0c6248725cce4881a1dd2e3b1869098812cf03ab0752a17297ab9"
            "5e7b3aebf492421253fd59df50cb21ee2f4a9b2fec5874076f33816e142181ad1531da488c2f9677029ac7370d0d8556"
            "0c29c720693e0242242cf66914830df5"
        ),
    ),
}
