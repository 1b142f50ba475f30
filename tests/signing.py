"""Keys and signatures for the histories that tests make up: real ones, from names, the same on every run.

A key is named by text: ``ssh0`` is an Ed25519 SSH key, ``pgp0`` an Ed25519 OpenPGP key, and ``ghost0`` an OpenPGP key
whose material is nowhere. These are test keys: the secret is the SHA-256 of the name.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# The primes of a 1024-bit RSA test key, which is too small to count.
_WEAK_P = int(
    "ddb2d0538aa0bbfcbe020f9c2f1b5ca79ef1fe7b534ef8fc1b80a2768af8e0f5"
    "2bd093f1a933a61ed2b1629e82cf11653d22298273e9e28a878e3d99987c7b17",
    16,
)
_WEAK_Q = int(
    "c177d1848aef62f5eb38168434d7728d22170aebca8d98b824bba3fc04cabd6b"
    "9566da44ec0298ee236f83cc3e4e803c7a6ba55ee9db4e8ebbbb82b3a08155fb",
    16,
)
_MADE_AT = 1_500_000_000  # seconds since 1970: when the OpenPGP keys were made
_HASHES = {"md5": 1, "sha1": 2, "sha256": 8, "sha512": 10}  # RFC 9580 §9.5

X509_SIGNATURE = (
    "-----BEGIN SIGNED MESSAGE-----\nMIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgE=\n-----END SIGNED MESSAGE-----\n"
)


def is_openpgp(name: str) -> bool:
    return not name.startswith("ssh")


@cache
def _secret(name: str) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


@cache
def _public(name: str) -> bytes:
    return _secret(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@cache
def key_id(name: str) -> str:
    """As reports name the key: ``SHA256:…``, or the fingerprint in upper-case hexadecimal."""
    if is_openpgp(name):
        return _pgp_fingerprint(name).hex().upper()
    return "SHA256:" + base64.b64encode(hashlib.sha256(_ssh_blob(name)).digest()).decode().rstrip("=")


def sign(name: str, payload: bytes, digest: str = "sha512") -> str:
    """An armored signature of the payload, by the key."""
    return _pgp_sign(name, payload, digest) if is_openpgp(name) else _ssh_sign(name, payload)


# --- SSH (OpenSSH PROTOCOL.sshsig) -----------------------------------------------------------------------------


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _mpint(value: int) -> bytes:
    return _string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _ssh_blob(name: str) -> bytes:
    return _string(b"ssh-ed25519") + _string(_public(name))


def ssh_line(name: str) -> str:
    """The public key as a line of ``authorized_keys``."""
    return f"ssh-ed25519 {base64.b64encode(_ssh_blob(name)).decode()} {name}-test-key"


def _to_be_signed(payload: bytes) -> bytes:
    hashed = hashlib.sha512(payload).digest()
    return b"SSHSIG" + _string(b"git") + _string(b"") + _string(b"sha512") + _string(hashed)


def _ssh_armor(blob: bytes, algorithm: bytes, raw: bytes) -> str:
    packet = b"SSHSIG" + (1).to_bytes(4, "big") + _string(blob) + _string(b"git") + _string(b"") + _string(b"sha512")
    text = base64.b64encode(packet + _string(_string(algorithm) + _string(raw))).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def _ssh_sign(name: str, payload: bytes) -> str:
    return _ssh_armor(_ssh_blob(name), b"ssh-ed25519", _secret(name).sign(_to_be_signed(payload)))


@cache
def _weak_rsa() -> rsa.RSAPrivateKey:
    p, q = _WEAK_P, _WEAK_Q
    d = pow(65537, -1, (p - 1) * (q - 1))
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(65537, p * q)).private_key()


def weak_ssh_signature(payload: bytes) -> str:
    """A true signature, by a key of 1024 bits."""
    blob = _string(b"ssh-rsa") + _mpint(65537) + _mpint(_WEAK_P * _WEAK_Q)
    raw = _weak_rsa().sign(_to_be_signed(payload), padding.PKCS1v15(), hashes.SHA512())
    return _ssh_armor(blob, b"rsa-sha2-512", raw)


# --- OpenPGP, version 4, EdDSA over Ed25519 (RFC 9580 §4.2, §5.2.3, §5.5.2) --------------------------------------


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def _mpi(value: bytes) -> bytes:
    number = int.from_bytes(value, "big")
    return number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


@cache
def _pgp_key_body(name: str) -> bytes:
    curve = bytes.fromhex("092b06010401da470f01")
    return b"\x04" + _MADE_AT.to_bytes(4, "big") + b"\x16" + curve + _mpi(b"\x40" + _public(name))


def _pgp_key_hashed(name: str) -> bytes:
    body = _pgp_key_body(name)
    return b"\x99" + len(body).to_bytes(2, "big") + body


def _pgp_fingerprint(name: str) -> bytes:
    return hashlib.sha1(_pgp_key_hashed(name), usedforsecurity=False).digest()


def _pgp_signature(name: str, kind: int, payload: bytes, digest: str, extra: bytes = b"") -> bytes:
    fingerprint = _pgp_fingerprint(name)
    subpackets = _subpacket(2, (_MADE_AT + 60).to_bytes(4, "big")) + _subpacket(33, b"\x04" + fingerprint) + extra
    head = bytes([4, kind, 22, _HASHES[digest]]) + len(subpackets).to_bytes(2, "big") + subpackets
    hashed = hashlib.new(digest, payload + head + b"\x04\xff" + len(head).to_bytes(4, "big")).digest()
    raw = _secret(name).sign(hashed)
    issuer = _subpacket(16, fingerprint[-8:])
    tail = len(issuer).to_bytes(2, "big") + issuer + hashed[:2] + _mpi(raw[:32]) + _mpi(raw[32:])
    return _packet(2, head + tail)


def _crc24(data: bytes) -> bytes:
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc.to_bytes(3, "big")


def _pgp_armor(kind: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    crc = "=" + base64.b64encode(_crc24(data)).decode()
    return "\n".join([f"-----BEGIN PGP {kind}-----", "", *lines, crc, f"-----END PGP {kind}-----", ""])


def _pgp_sign(name: str, payload: bytes, digest: str) -> str:
    return _pgp_armor("SIGNATURE", _pgp_signature(name, 0x00, payload, digest))


@cache
def certificate(name: str) -> bytes:
    """The OpenPGP certificate of the key, armored, as a keyring has it."""
    user = f"{name} (test key) <{name}@example.org>".encode()
    signed = _pgp_key_hashed(name) + b"\xb4" + len(user).to_bytes(4, "big") + user
    binding = _pgp_signature(name, 0x13, signed, "sha512", _subpacket(27, b"\x03"))
    return _pgp_armor("PUBLIC KEY BLOCK", _packet(6, _pgp_key_body(name)) + _packet(13, user) + binding).encode()
