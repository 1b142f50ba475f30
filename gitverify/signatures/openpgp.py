"""OpenPGP signatures (RFC 9580 §5.2): what one says, and whether a key made it (R10).

Two steps, because the key is looked up in between. :func:`parse_signature` reads one signature packet;
:func:`verify_signature` proves that a key made it over a payload. Both raise SignatureRefused, and neither judges
whose key it is, whether it has expired or was revoked.

The two octets of the digest that a signature carries in clear are not compared: they prove nothing, and a signature
that verifies under the public key cannot have another digest.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from gitverify.errors import KeyRefused
from gitverify.signatures.packets import SIGNATURE, MalformedPacket, read_packet
from gitverify.signatures.profiles import GUIX, GUIX_HISTORIC, NATIVE, TEXT, WEAK_HASHES, Profile
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.subpackets import DOCUMENT_CRITICAL, INTENDED_RECIPIENT, Subpackets, read_subpackets

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from gitverify.signatures.profiles import Hash
    from gitverify.signatures.publickeys import PublicKey
    from gitverify.signatures.result import RefusalCode

__all__ = [
    "GUIX",
    "GUIX_HISTORIC",
    "NATIVE",
    "OpenPgpSignature",
    "Profile",
    "check_signature",
    "parse_signature",
    "read_signature",
    "verify_signature",
]


_V4_START = struct.Struct(">BBBBH")
_V6_START = struct.Struct(">BBBBL")


class OpenPgpSignature(NamedTuple):
    """The content of one signature packet.

    ``version`` is 4 or 6; ``type``, ``algorithm`` and ``hash`` are numbers of RFC 9580 (§5.2.1, §9.1, §9.5).
    ``created``: seconds since 1970, by the signature's own word. ``issuer_fingerprint``: upper-case hexadecimal, or
    empty; ``issuer_key_id``: 8 octets, or none. ``salt`` and ``trailer`` are hashed before and after the payload.
    ``values``: the algorithm's part, not looked at yet. ``flaw``: what is wrong with it, or empty.
    """

    version: int
    type: int
    algorithm: int
    hash: int
    created: int
    issuer_fingerprint: str
    issuer_key_id: bytes
    salt: bytes
    trailer: bytes
    values: bytes
    subpackets: Subpackets
    flaw: str

    @property
    def names(self) -> tuple[str, ...]:
        """The keys it names: a fingerprint (40 or 64 hexadecimal digits), a key id (16 digits), both or none."""
        return tuple(name for name in (self.issuer_fingerprint, self.issuer_key_id.hex().upper()) if name)


def parse_signature(data: bytes) -> OpenPgpSignature:
    """Read a detached signature over a document: exactly one packet, of version 4 or 6 and type 0x00 or 0x01.

    On return its areas are well formed: a creation time is hashed, the issuer (of which there is at least one form)
    is not contradicted, and every subpacket marked critical is one we understand.

    Raises SignatureRefused: ``bad-signature`` naming the issuer where that can be read (a key by its key id only is
    named by those 16 digits; where more signatures follow, theirs are named too), otherwise ``unsupported-signature``;
    the latter also for what is well formed but of another version or type.
    """
    try:
        tag, body, end = read_packet(data)
        signature = read_signature(body, DOCUMENT_CRITICAL) if tag == SIGNATURE else None
    except MalformedPacket as error:
        raise SignatureRefused("unsupported-signature", f"the signature can't be read: {error}") from None
    if signature is None:
        raise SignatureRefused("unsupported-signature", f"a packet of type {tag} where a signature was expected")
    if not (signature.issuer_fingerprint or signature.issuer_key_id):
        raise SignatureRefused("unsupported-signature", "the signature does not say which key made it")
    if signature.type > TEXT:
        message = f"a signature of type {signature.type:#04x} is none over a document"
        raise SignatureRefused("unsupported-signature", message, signature.names)
    flaw = signature.flaw
    more: tuple[str, ...] = ()
    if end != len(data):
        flaw = "more data after the signature"
        more = _names(data, end)
    elif INTENDED_RECIPIENT in signature.subpackets.signed:
        # RFC 9580 §5.2.3.36: valid only inside an encrypted message, and a commit is none.
        flaw = "it was made for the recipient of an encrypted message"
    if flaw:
        raise SignatureRefused("bad-signature", f"the signature is not well formed: {flaw}", signature.names + more)
    return signature


def _names(data: bytes, start: int) -> tuple[str, ...]:
    """Return the keys that the signatures from offset ``start`` name, as far as any can be read."""
    names: list[str] = []
    while start < len(data):
        try:
            tag, body, start = read_packet(data, start)
            if tag == SIGNATURE:
                names += read_signature(body, DOCUMENT_CRITICAL).names
        except MalformedPacket:
            break
    return tuple(names)


def read_signature(body: bytes, understood: AbstractSet[int]) -> OpenPgpSignature:
    """Read the content of a signature packet of any type.

    ``understood``: the types of subpackets that may be marked critical. What is wrong with the signature's areas is
    noted in ``flaw`` rather than raised, so that the issuer can be named with it.

    Raises MalformedPacket where nothing can be read: of other versions than 4 and 6, or cut off.
    """
    try:
        # RFC 9580 §5.2.3: version, type, algorithm, hash; then two areas of subpackets, each after its size.
        if body[0] == 4:
            version, type_, algorithm, hash_, size = _V4_START.unpack_from(body)
            hashed_at = _V4_START.size
            hashed_end = hashed_at + size
            unhashed_at = hashed_end + 2
            unhashed_end = unhashed_at + int.from_bytes(body[hashed_end:unhashed_at], "big")
            values_at = unhashed_end + 2
            salt = b""
        elif body[0] == 6:
            version, type_, algorithm, hash_, size = _V6_START.unpack_from(body)
            hashed_at = _V6_START.size
            hashed_end = hashed_at + size
            unhashed_at = hashed_end + 4
            unhashed_end = unhashed_at + int.from_bytes(body[hashed_end:unhashed_at], "big")
            values_at = unhashed_end + 3 + body[unhashed_end + 2]
            salt = body[unhashed_end + 3 : values_at]
        else:
            raise MalformedPacket(f"a signature of version {body[0]}, which is not supported")
    except (IndexError, struct.error):
        raise MalformedPacket("a signature packet that is cut off") from None
    if values_at > len(body):
        raise MalformedPacket("a signature packet that is cut off")
    subpackets = read_subpackets(body[hashed_at:hashed_end], body[unhashed_at:unhashed_end])
    flaw = subpackets.flaw
    for kind in subpackets.critical:
        if kind not in understood:
            flaw = flaw or f"a critical subpacket of type {kind}, which is not understood"
    if subpackets.issuer_version and subpackets.issuer_version != version:
        flaw = flaw or "its version is not that of the key that it names"
    # RFC 9580 §5.2.4: what is hashed last is the packet up to its unhashed area, and how much that is.
    trailer = body[:hashed_end] + (b"\4\xff" if version == 4 else b"\6\xff") + hashed_end.to_bytes(4, "big")
    return OpenPgpSignature(
        version,
        type_,
        algorithm,
        hash_,
        subpackets.created,
        subpackets.issuer_fingerprint.hex().upper(),
        subpackets.issuer_key_id,
        salt,
        trailer,
        body[values_at:],
        subpackets,
        flaw,
    )


def verify_signature(signature: OpenPgpSignature, payload: bytes, key: PublicKey, profile: Profile) -> None:
    """Prove that ``key`` made a signature that :func:`parse_signature` returned over ``payload``.

    On return it did, with a hash, a key and a form that the profile takes.

    Raises SignatureRefused, naming the key: ``bad-signature``, ``weak-signature`` or ``unsupported-signature``.
    """
    if signature.type == TEXT:
        if b"\r" in payload:
            # Line ends are signed as CRLF (RFC 9580 §5.2.1.2). With a CR in the payload, two payloads would share one
            # signature.
            raise SignatureRefused(
                "unsupported-signature",
                "a text signature over a payload with carriage returns is ambiguous",
                (key.fingerprint,),
            )
        payload = payload.replace(b"\n", b"\r\n")
    if signature.type not in profile.types:
        raise _refused("unsupported-signature", f"a signature of type {signature.type:#04x} is not supported here", key)
    check_signature(signature, payload, key, profile)


def check_signature(signature: OpenPgpSignature, data: bytes, key: PublicKey, profile: Profile) -> None:
    """Prove that ``key`` made the signature over ``data``, whatever type it is of.

    ``data`` is what is hashed between salt and trailer. Raises SignatureRefused as :func:`verify_signature` does.
    """
    if (signature.issuer_fingerprint or key.fingerprint) != key.fingerprint or (
        signature.issuer_key_id or key.key_id
    ) != key.key_id:
        raise _refused("bad-signature", "the signature names another key", key)
    if signature.version != key.version or signature.algorithm != key.algorithm:
        raise _refused("bad-signature", "the signature is not of its key's version and algorithm", key)
    digest = _hash(signature, key, profile)
    try:
        verifier = key.verifier
        weakness = verifier.weakness(profile, digest)
        if weakness:
            raise _refused("weak-signature", f"the signature was made with {weakness}", key)
        hashed = signature.salt + data + signature.trailer
        verifier.verify(signature.values, hashed, digest, strict=signature.version == 6)
    except InvalidSignature:
        raise _refused("bad-signature", "the signature does not match what it is on", key) from None
    except MalformedPacket as error:
        raise _refused("bad-signature", f"the signature is not well formed: {error}", key) from None
    except KeyRefused as error:
        code: RefusalCode = "weak-signature" if error.code == "weak" else "unsupported-signature"
        raise _refused(code, f"the signature's key can't be used: {error}", key) from None
    except UnsupportedAlgorithm:
        raise _refused("unsupported-signature", f"this system does not check {digest.name} signatures", key) from None


def _hash(signature: OpenPgpSignature, key: PublicKey, profile: Profile) -> Hash:
    """Return the signature's hash algorithm, if the profile takes that and its other algorithms."""
    if signature.version not in profile.versions:
        raise _refused("unsupported-signature", f"a version {signature.version} signature is not supported here", key)
    if signature.algorithm not in profile.algorithms:
        message = f"public-key algorithm {signature.algorithm} does not sign, or is not supported here"
        raise _refused("unsupported-signature", message, key)
    digest = profile.hashes.get(signature.hash)
    if digest is None:
        weak = WEAK_HASHES.get(signature.hash)
        if weak:
            raise _refused("weak-signature", f"the signature uses {weak}", key)
        raise _refused("unsupported-signature", f"hash algorithm {signature.hash} is not supported here", key)
    if signature.version == 6 and len(signature.salt) != digest.salt_size:
        raise _refused("bad-signature", f"the signature's salt has the wrong size for {digest.name}", key)
    return digest


def _refused(code: RefusalCode, message: str, key: PublicKey) -> SignatureRefused:
    return SignatureRefused(code, message, (key.fingerprint,))
