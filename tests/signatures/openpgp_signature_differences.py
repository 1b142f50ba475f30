"""Signatures that gitverify, GnuPG and Sequoia do not all judge alike."""

from __future__ import annotations

import struct

from openpgp_difference import CERTIFICATE, EXPIRED, KEY, PAYLOAD, Difference, signed
from pgporacles import BAD, GOOD

from fixtures.lib import pgpwriter as w

OTHER = w.eddsa_key("differences, other")
RSA = w.rsa_key()
MODERN = w.ed25519_key("differences").as_version(6)


def _certificate(key) -> bytes:
    return w.primary(key) + w.user_id(key, digest="SHA512")


def _by(key, digest="SHA256", **shape) -> tuple[bytes, bytes]:
    """A signature by a key and the certificate for it."""
    return signed(key, digest=digest, **shape), _certificate(key)


def _critical(kind: int, content: bytes) -> bytes:
    return signed(more=[w.subpacket(kind, content, critical=True)])


def _claiming_more_bits() -> bytes:
    """A signature whose number's bit count is rounded up to whole octets."""

    def claim(octets: bytes) -> bytes:
        bits = int.from_bytes(octets[:2], "big")
        return (bits + 7 & ~7).to_bytes(2, "big") + octets[2:]

    # Now and then the count is that of whole octets anyway: then another time gives another number.
    for when in range(w.SIGNED, w.SIGNED + 100):
        shape = {"hashed": [w.created(when), w.issuer(RSA)]}
        claiming, exact = signed(RSA, values=claim, **shape), signed(RSA, **shape)
        if claiming != exact:
            return claiming
    raise AssertionError


_SIGNATURE = w.signature(KEY, PAYLOAD)

SIGNATURES = [
    Difference("SHA-1", "weak-signature", GOOD, BAD, "R10.", *_by(RSA, "SHA1")),
    Difference("SHA-224", "weak-signature", GOOD, GOOD, "R10 asks for 256 bits.", *_by(RSA, "SHA224")),
    Difference("SHA3-256", GOOD, BAD, BAD, "R10; gpg does not know it, Sequoia's policy waits.", *_by(RSA, "SHA3_256")),
    Difference("RSA with 1024 bits", "weak-signature", GOOD, BAD, "R10.", *_by(w.rsa_key(1024))),
    Difference("DSA with 1024 bits", "weak-signature", GOOD, BAD, "R10.", *_by(w.dsa_key(1024, 160))),
    Difference(
        "DSA with 2048 bits and a subgroup of 160",
        "weak-signature",
        GOOD,
        GOOD,
        "R10 asks for a subgroup of 224.",
        *_by(w.dsa_key(2048, 160)),
    ),
    Difference(
        "NIST P-384 with SHA-256",
        "weak-signature",
        BAD,
        GOOD,
        "RFC 9580 §5.2.3.2: a digest must be as long as its curve asks for.",
        *_by(w.ecdsa_key("P-384")),
    ),
    Difference(
        "Ed448 with SHA-256",
        "weak-signature",
        BAD,
        GOOD,
        "RFC 9580 §5.2.3.5 asks for 512 bits; gpg 2.2 does not know the algorithm.",
        *_by(w.ed448_key().as_version(6)),
    ),
    Difference(
        "brainpoolP256r1",
        GOOD,
        GOOD,
        BAD,
        "RFC 9580 §9.2 lists it; not every build of Sequoia has it.",
        *_by(w.ecdsa_key("brainpoolP256r1")),
    ),
    Difference(
        "secp256k1",
        "unsupported-signature",
        GOOD,
        BAD,
        "RFC 9580 does not list it.",
        *_by(w.ecdsa_key("secp256k1")),
    ),
    Difference("Ed25519 (algorithm 27)", GOOD, BAD, GOOD, "Newer than gpg 2.2.", *_by(w.ed25519_key())),
    Difference("version 6", GOOD, BAD, GOOD, "Newer than gpg 2.2.", *_by(MODERN)),
    Difference(
        "version 6 with EdDSA as gpg writes it (algorithm 22)",
        "unsupported-signature",
        BAD,
        GOOD,
        "RFC 9580 §9.1: for version 4 only.",
        *_by(KEY.as_version(6)),
    ),
    Difference(
        "a wrong checksum in the armor",
        "unsupported-signature",
        BAD,
        GOOD,
        "RFC 9580 §6.1 would have it ignored; gpg and Guix refuse it, and a commit does not get damaged on the way.",
        w.armor(_SIGNATURE, checksum=0),
    ),
    Difference(
        "text before the armor",
        "unsupported-signature",
        GOOD,
        GOOD,
        "Nothing but the signature may stand in its header, or another one could hide there.",
        b"text\n" + w.armor(_SIGNATURE),
    ),
    Difference(
        "text after the armor", "unsupported-signature", GOOD, GOOD, "As above.", w.armor(_SIGNATURE) + b"text\n"
    ),
    Difference(
        "two armors", "unsupported-signature", GOOD, GOOD, "As above: exactly one packet.", w.armor(_SIGNATURE) * 2
    ),
    Difference("no armor", "unsupported-signature", GOOD, GOOD, "git writes none without.", _SIGNATURE),
    Difference(
        "two signatures in one armor",
        "bad-signature",
        GOOD,
        GOOD,
        "R10: exactly one packet. Each may be good; which one counts would be the reader's choice.",
        w.armor(_SIGNATURE * 2),
    ),
    Difference(
        "garbage after the signature", "bad-signature", BAD, GOOD, "R10: one packet.", w.armor(_SIGNATURE + b"garbage")
    ),
    Difference(
        "a marker packet before the signature",
        "unsupported-signature",
        GOOD,
        BAD,
        "R10: one packet.",
        w.armor(w.packet(10, b"PGP") + _SIGNATURE),
    ),
    Difference(
        "octets after the last number inside the packet",
        "bad-signature",
        GOOD,
        GOOD,
        "Nothing may hide there.",
        signed(values=lambda octets: octets + b"\0"),
    ),
    Difference(
        "a text signature over a payload with CR",
        "unsupported-signature",
        GOOD,
        GOOD,
        "Line ends are signed as CRLF, so that one signature would do for several payloads.",
        signed(payload=b"a\r\nb\r\n", type=w.TEXT),
        payload=b"a\r\nb\n",
    ),
    Difference(
        "a bit count that includes leading zeros",
        GOOD,
        GOOD,
        BAD,
        "There have been writers of those; in version 6 it is refused (RFC 9580 §3.2).",
        _claiming_more_bits(),
        _certificate(RSA),
    ),
    Difference(
        "a critical notation",
        GOOD,
        BAD,
        BAD,
        "R10: it is text for people or programs that know it, and Sequoia's own salt is one of Guix's 292.",
        signed(more=[w.notation(b"salt@example.org", bytes(32), critical=True)]),
    ),
    *(
        Difference(
            f"a critical {name}", "bad-signature", GOOD, GOOD, "Has no place on a document; refused by Guix too.", text
        )
        for name, text in (
            ("exportable flag (4)", _critical(4, b"\1")),
            ("regular expression (6)", _critical(6, b"x\0")),
            ("revocation key (12)", _critical(12, b"\x80\x16" + OTHER.fingerprint)),
        )
    ),
    *(
        Difference(f"a critical {name}", GOOD, BAD, GOOD, "Takes nothing back; taken by Guix too.", text)
        for name, text in (
            ("key server preference (23)", _critical(23, b"\x80")),
            ("signer's user ID (28)", _critical(28, b"a@example.org")),
        )
    ),
    Difference(
        "an intended recipient (35)",
        "bad-signature",
        GOOD,
        GOOD,
        "RFC 9580 §5.2.3.36: valid in an encrypted message only. Somebody could pass on what was said in private.",
        signed(more=[w.subpacket(35, b"\4" + OTHER.fingerprint)]),
    ),
    Difference(
        "an unknown critical subpacket that is not hashed",
        "bad-signature",
        BAD,
        GOOD,
        "Whoever put it there, it asks to be refused.",
        signed(unhashed=[w.issuer_id(KEY), w.subpacket(99, b"", critical=True)]),
    ),
    Difference(
        "two creation times that differ",
        "bad-signature",
        GOOD,
        GOOD,
        "Which one counts would be the reader's choice.",
        signed(more=[w.created(w.SIGNED + 1)]),
    ),
    Difference(
        "a key id that is not that of the fingerprint",
        "bad-signature",
        GOOD,
        BAD,
        "R10: they must agree.",
        signed(unhashed=[w.issuer_id(OTHER)]),
        CERTIFICATE + w.certificate(OTHER),
    ),
    Difference(
        "a fingerprint that is not that of the key",
        "bad-signature",
        GOOD,
        GOOD,
        "R10: they must agree.",
        signed(hashed=[w.created(), w.issuer(OTHER)]),
    ),
    Difference(
        "a signature that has expired",
        GOOD,
        EXPIRED,
        BAD,
        "R12: time does not undo history.",
        signed(more=[w.subpacket(3, struct.pack(">I", 1))]),
    ),
    Difference(
        "a signature older than its key",
        GOOD,
        BAD,
        BAD,
        "R8: this key signed these octets; clocks are set wrong, and days differ in real histories.",
        signed(hashed=[w.created(w.CREATED - 1), w.issuer(KEY)]),
    ),
    Difference(
        "a signature from the future",
        GOOD,
        GOOD,
        BAD,
        "R8. The mark's `--max-age` judges dates (R26).",
        signed(hashed=[w.created(4_000_000_000), w.issuer(KEY)]),
    ),
    Difference(
        "a key without any self-signature",
        GOOD,
        BAD,
        BAD,
        "A policy lists the fingerprint of the key that signs, which vouches for it (R11, R12).",
        signed(),
        w.primary(KEY),
    ),
]
