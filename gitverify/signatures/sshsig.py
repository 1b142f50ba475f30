"""SSH signatures of git commits and tags.

Formats: OpenSSH PROTOCOL.sshsig (envelope), RFC 4253 §6.6 and RFC 8332 (RSA), RFC 5656 §3.1.2 (ECDSA), RFC 8709 §6
(Ed25519), PROTOCOL.u2f (security keys). What counts is R9. Where ``ssh-keygen -Y verify`` answers otherwise,
``docs/ssh-differences.md`` says why.
"""

from __future__ import annotations

import binascii
import struct
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.result import RefusalCode, SignatureRefused, Signed
from gitverify.signatures.sshkeys import SshPublicKey, fingerprint, parse_blob
from gitverify.text import shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_BEGIN = b"-----BEGIN SSH SIGNATURE-----\n"
_END = b"\n-----END SSH SIGNATURE-----"
_HEAD = b"SSHSIG\0\0\0\1"
_NAMESPACE = b"git"

_USER_PRESENT = 0x01  # PROTOCOL.u2f, the flags of an authenticator
_USER_VERIFIED = 0x04

_length = struct.Struct(">I").unpack_from


def _signed_prefix(digest: bytes, octets: int) -> bytes:
    """Return what stands before the payload's hash in the signed bytes; the reserved string is empty there."""
    parts = (_NAMESPACE, b"", digest)
    return b"SSHSIG" + b"".join(len(p).to_bytes(4, "big") + p for p in parts) + octets.to_bytes(4, "big")


_DIGESTS = {
    b"sha256": (sha256, _signed_prefix(b"sha256", 32)),
    b"sha512": (sha512, _signed_prefix(b"sha512", 64)),
}
_WEAK_DIGESTS = frozenset({b"md5", b"sha1"})

_PADDING = PKCS1v15()
_RSA_HASHES: dict[bytes, hashes.HashAlgorithm] = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
_SHA256 = ECDSA(hashes.SHA256())
_ECDSA_HASHES = {256: _SHA256, 384: ECDSA(hashes.SHA384()), 521: ECDSA(hashes.SHA512())}  # RFC 5656 §6.2.1


class _BrokenError(Exception):
    """The signature proves nothing; whether it names a key is found out afterwards."""

    def __init__(self, message: str, code: RefusalCode = "bad-signature") -> None:
        super().__init__(message)
        self.code: RefusalCode = code


def ssh_signer(text: bytes, payload: bytes) -> Signed:
    """Return the key that made the armored signature ``text`` over ``payload``.

    What is proven: the key embedded in the signature, one that R9 takes, signed these bytes for the namespace ``git``,
    and nothing else stands in the text. ``user_verified`` of the result is None but for security keys, which were
    touched at least. Raises :class:`SignatureRefused` and nothing else, whatever the bytes.
    """
    try:
        return _check(text, payload)
    except _BrokenError as broken:
        keys = _keys_named(text)
        code = broken.code if keys or broken.code != "bad-signature" else "unsupported-signature"
        raise SignatureRefused(code, str(broken), keys) from None


def _check(text: bytes, payload: bytes) -> Signed:
    blob = _dearmor(text)
    if not blob.startswith(_HEAD):
        raise _BrokenError(_what_head(blob), "unsupported-signature")
    key_blob, position = _string(blob, 10)
    namespace, position = _string(blob, position)
    _, position = _string(blob, position)  # reserved: ignored, and empty in the signed bytes, as in OpenSSH
    digest, position = _string(blob, position)
    signature, position = _string(blob, position)
    if position != len(blob):
        raise _BrokenError("something trails the signature")
    key = _key(key_blob)
    if namespace != _NAMESPACE:
        raise _BrokenError(f"the signature is for the namespace “{shown(namespace, 64)}”, not for “git”")
    if digest not in _DIGESTS:
        code: RefusalCode = "weak-signature" if digest in _WEAK_DIGESTS else "unsupported-signature"
        raise _BrokenError(f"the hash {shown(digest, 64)} is not taken: sha256 or sha512", code)
    hashed, prefix = _DIGESTS[digest]
    verified = _verify(key, signature, prefix + hashed(payload).digest())
    return Signed(key.fingerprint, 0, verified)


def _dearmor(text: bytes) -> bytes:
    """Return the bytes inside the armor; lines may have any length, and CRLF ends."""
    if len(text) > LIMITS.signature_size:
        raise _BrokenError("the signature is too long", "unsupported-signature")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if not text.startswith(_BEGIN):
        raise _BrokenError("the signature does not begin with its BEGIN line")
    if not text.endswith(_END, 0, -1 if text.endswith(b"\n") else None):
        raise _BrokenError("the signature does not end with its END line")
    body = text[len(_BEGIN) : text.rindex(_END)].replace(b"\n", b"")
    try:
        blob = binascii.a2b_base64(body)
    except binascii.Error:
        raise _BrokenError("the signature is not base64") from None
    if binascii.b2a_base64(blob, newline=False) != body:  # no foreign characters, no stray bits
        raise _BrokenError("the signature is not clean base64")
    return blob


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    """Read a string (RFC 4251 §5); return it and the position after it."""
    start = position + 4
    if start > len(data):
        raise _BrokenError("the signature is cut off")
    end = start + _length(data, position)[0]
    if end > len(data):
        raise _BrokenError("the signature is cut off")
    return data[start:end], end


def _what_head(blob: bytes) -> str:
    if blob.startswith(b"SSHSIG") and len(blob) >= 10:
        return f"version {_length(blob, 6)[0]} of SSH signatures is not supported"
    return "the armor holds no SSH signature"


def _key(blob: bytes) -> SshPublicKey:
    try:
        return parse_blob(blob)
    except KeyRefused as refused:
        code: RefusalCode = "weak-signature" if refused.code == "weak" else "unsupported-signature"
        raise _BrokenError(str(refused), code) from None


def _verify(key: SshPublicKey, signature: bytes, message: bytes) -> bool | None:
    """Check a signature blob; return whether a security key verified its user, None for other keys."""
    algorithm, position = _string(signature, 0)
    raw, position = _string(signature, position)
    if key.is_security_key:
        return _verify_security_key(key, algorithm, raw, signature[position:], message)
    if position != len(signature):
        raise _BrokenError("something trails the signature")
    # By the key's type, not with isinstance: the classes are abstract ones, for which that takes as long as a parse.
    try:
        if key.algorithm == "ssh-rsa":
            _verify_rsa(cast("RSAPublicKey", key.loaded), algorithm, raw, message)
        elif algorithm.decode("latin-1") != key.algorithm:
            raise _unfit(algorithm, key.algorithm)
        elif key.algorithm == "ssh-ed25519":
            cast("Ed25519PublicKey", key.loaded).verify(raw, message)
        else:
            loaded = cast("EllipticCurvePublicKey", key.loaded)
            loaded.verify(_ecdsa_der(raw), message, _ECDSA_HASHES[loaded.key_size])
    except InvalidSignature:
        raise _BrokenError("the signature does not fit: other bytes were signed, or by another key") from None
    return None


def _verify_rsa(loaded: RSAPublicKey, algorithm: bytes, raw: bytes, message: bytes) -> None:
    """Check an RSA signature (RFC 8332 §3). Raises InvalidSignature too."""
    if algorithm == b"ssh-rsa":
        raise _BrokenError("the signature algorithm ssh-rsa uses SHA-1, which is weak", "weak-signature")
    if algorithm not in _RSA_HASHES:
        raise _unfit(algorithm, "ssh-rsa")
    # Some signers leave leading zero octets out; OpenSSH puts them back.
    loaded.verify(raw.rjust((loaded.key_size + 7) // 8, b"\0"), message, _PADDING, _RSA_HASHES[algorithm])


def _verify_security_key(key: SshPublicKey, algorithm: bytes, raw: bytes, state: bytes, message: bytes) -> bool:
    """Check what a FIDO authenticator signed (PROTOCOL.u2f); return whether it verified its user.

    ``state``: a flags octet and a counter of four. R9: the user must have been present.
    """
    if algorithm.startswith(b"webauthn-"):
        raise _BrokenError("signatures made in a web browser (webauthn) are not supported", "unsupported-signature")
    if algorithm.decode("latin-1") != key.algorithm:
        raise _unfit(algorithm, key.algorithm)
    if len(state) != 5:
        raise _BrokenError("the security key's signature has no flags and counter, or something trails it")
    signed = sha256(key.application).digest() + state + sha256(message).digest()
    try:
        if key.algorithm == "sk-ssh-ed25519@openssh.com":
            cast("Ed25519PublicKey", key.loaded).verify(raw, signed)
        else:
            cast("EllipticCurvePublicKey", key.loaded).verify(_ecdsa_der(raw), signed, _SHA256)
    except InvalidSignature:
        raise _BrokenError("the signature does not fit: other bytes were signed, or by another key") from None
    if not state[0] & _USER_PRESENT:
        raise _BrokenError("the security key signed without its user being present")
    return bool(state[0] & _USER_VERIFIED)


def _unfit(algorithm: bytes, key: str) -> _BrokenError:
    return _BrokenError(f"the signature algorithm {shown(algorithm, 64)} does not fit the key's type {key}")


def _ecdsa_der(raw: bytes) -> bytes:
    """Return an ECDSA signature as OpenSSL takes it. As OpenSSH, let leading zeros pass: some signers write them."""
    r, position = _string(raw, 0)
    s, position = _string(raw, position)
    if position != len(raw):
        raise _BrokenError("something trails the signature")
    if r[:1] >= b"\x80" or s[:1] >= b"\x80":
        raise _BrokenError("the signature has a negative number")
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def public_key(text: bytes) -> SshPublicKey | None:
    """Return the key that is embedded in an armored signature, whatever else is in it; None where none can be read.

    It proves nothing: who wants to know whether the key made the signature asks :func:`ssh_signer`.
    """
    try:
        return parse_blob(_key_blob(text))
    except (_BrokenError, KeyRefused):
        return None


def _key_blob(text: bytes) -> bytes:
    body = text[: LIMITS.signature_size].removeprefix(_BEGIN.rstrip(b"\n"))
    try:
        blob = binascii.a2b_base64(body.partition(b"-----")[0])
    except binascii.Error:
        raise _BrokenError("the signature is not base64") from None
    if not blob.startswith(_HEAD):
        raise _BrokenError(_what_head(blob), "unsupported-signature")
    return _string(blob, 10)[0]


def _keys_named(text: bytes) -> tuple[str, ...]:
    """Return the id of the key that a refused signature names, as far as that can be read."""
    key_blob = b""
    try:
        key_blob = _key_blob(text)
        parse_blob(key_blob)
    except _BrokenError:
        return ()
    except KeyRefused as refused:
        return (fingerprint(key_blob),) if refused.code == "weak" else ()
    return (fingerprint(key_blob),)
