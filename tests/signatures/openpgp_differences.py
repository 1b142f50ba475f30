"""Every expected difference between gitverify, GnuPG and Sequoia, with its reason.

``docs/openpgp-differences.md`` is this table: ``python tests/signatures/openpgp_differences.py >
docs/openpgp-differences.md`` writes it, and a test compares it and runs every row against all three.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass

import pgpwriter as w
from pgporacles import BAD, GOOD

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.org> 1 +0000\n\nhello\n"
KEY = w.eddsa_key("differences")
OTHER = w.eddsa_key("differences, other")
RSA = w.rsa_key()
MODERN = w.ed25519_key("differences").as_version(6)
CERTIFICATE = w.certificate(KEY)
DAY = 86_400

EXPIRED_KEY = "good, but the key has expired"
REVOKED_KEY = "good, but the key is revoked"
EXPIRED = "good, but the signature has expired"


@dataclass(frozen=True)
class Difference:
    """A signature that not all three judge alike, and what each says of it.

    ``gitverify`` is the answer of the native dialect: ``good`` or the code of its refusal.
    """

    what: str
    gitverify: str
    gpg: str
    sequoia: str
    reason: str
    text: bytes
    certificate: bytes = CERTIFICATE
    payload: bytes = PAYLOAD


def _signed(key=KEY, payload=PAYLOAD, **shape) -> bytes:
    return w.armor(w.signature(key, payload, **shape))


def _certificate(key) -> bytes:
    return w.primary(key) + w.user_id(key, digest="SHA512")


def _by(key, digest="SHA256", **shape) -> tuple[bytes, bytes]:
    """A signature by a key and the certificate for it."""
    return _signed(key, digest=digest, **shape), _certificate(key)


def _critical(kind: int, content: bytes) -> bytes:
    return _signed(more=[w.subpacket(kind, content, critical=True)])


def _claiming_more_bits() -> bytes:
    """A signature whose number's bit count is rounded up to whole octets."""

    def claim(octets: bytes) -> bytes:
        bits = int.from_bytes(octets[:2], "big")
        return (bits + 7 & ~7).to_bytes(2, "big") + octets[2:]

    # Now and then the count is that of whole octets anyway: then another time gives another number.
    for when in range(w.SIGNED, w.SIGNED + 100):
        shape = {"hashed": [w.created(when), w.issuer(RSA)]}
        claiming, exact = _signed(RSA, values=claim, **shape), _signed(RSA, **shape)
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
        _signed(values=lambda octets: octets + b"\0"),
    ),
    Difference(
        "a text signature over a payload with CR",
        "unsupported-signature",
        GOOD,
        GOOD,
        "Line ends are signed as CRLF, so that one signature would do for several payloads.",
        _signed(payload=b"a\r\nb\r\n", type=w.TEXT),
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
        _signed(more=[w.notation(b"salt@example.org", bytes(32), critical=True)]),
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
        _signed(more=[w.subpacket(35, b"\4" + OTHER.fingerprint)]),
    ),
    Difference(
        "an unknown critical subpacket that is not hashed",
        "bad-signature",
        BAD,
        GOOD,
        "Whoever put it there, it asks to be refused.",
        _signed(unhashed=[w.issuer_id(KEY), w.subpacket(99, b"", critical=True)]),
    ),
    Difference(
        "two creation times that differ",
        "bad-signature",
        GOOD,
        GOOD,
        "Which one counts would be the reader's choice.",
        _signed(more=[w.created(w.SIGNED + 1)]),
    ),
    Difference(
        "a key id that is not that of the fingerprint",
        "bad-signature",
        GOOD,
        BAD,
        "R10: they must agree.",
        _signed(unhashed=[w.issuer_id(OTHER)]),
        CERTIFICATE + w.certificate(OTHER),
    ),
    Difference(
        "a fingerprint that is not that of the key",
        "bad-signature",
        GOOD,
        GOOD,
        "R10: they must agree.",
        _signed(hashed=[w.created(), w.issuer(OTHER)]),
    ),
    Difference(
        "a signature that has expired",
        GOOD,
        EXPIRED,
        BAD,
        "R12: time does not undo history.",
        _signed(more=[w.subpacket(3, struct.pack(">I", 1))]),
    ),
    Difference(
        "a signature older than its key",
        GOOD,
        BAD,
        BAD,
        "R8: this key signed these octets; clocks are set wrong, and days differ in real histories.",
        _signed(hashed=[w.created(w.CREATED - 1), w.issuer(KEY)]),
    ),
    Difference(
        "a signature from the future",
        GOOD,
        GOOD,
        BAD,
        "R8. The mark's `--max-age` judges dates (R26).",
        _signed(hashed=[w.created(4_000_000_000), w.issuer(KEY)]),
    ),
    Difference(
        "a key without any self-signature",
        GOOD,
        BAD,
        BAD,
        "A policy lists the fingerprint of the key that signs, which vouches for it (R11, R12).",
        _signed(),
        w.primary(KEY),
    ),
]

# The same, for what a certificate says of its keys. Here "good" is: bound to the primary key, not hard revoked, not
# expired when the signature was made, which is what a native policy with `expired_keys: refuse` would ask for.
NOT_BOUND, IS_REVOKED, IS_EXPIRED = "does not sign for its primary key", "revoked", "expired"

_ID = w.user_id(KEY)
_SUB = w.rsa_key(2048, "differences, subkey")
_SUBKEY = w.packet(w.PUBLIC_SUBKEY, _SUB.body)


def _bound(*parts: bytes, **shape) -> bytes:
    return w.certificate(KEY, _SUBKEY, w.binding(KEY, _SUB, **shape), *parts)


def _at(when: int, key=KEY) -> dict[str, list[bytes]]:
    return {"hashed": [w.created(when), w.issuer(key)]}


def _limited(seconds: int) -> list[bytes]:
    return [w.key_flags(w.MAY_CERTIFY | w.MAY_SIGN), w.key_expiration(seconds)]


_LIFE = w.SIGNED - w.CREATED + DAY  # of a key that expires a day after the signature

_BY_SUBKEY = _signed(_SUB)
_BY_KEY = _signed()

CERTIFICATES = [
    Difference(
        "a binding signature with SHA-1",
        NOT_BOUND,
        GOOD,
        BAD,
        "It gives authority, so R10's limits hold. Change the subkey's expiry with a gpg of today, or list the subkey.",
        _BY_SUBKEY,
        _bound(digest="SHA1"),
    ),
    Difference(
        "a back-signature with SHA-1 from before February 2023",
        GOOD,
        GOOD,
        BAD,
        "gpg keeps it when it renews the binding; nothing that the subkey signs could be made to collide with it.",
        _BY_SUBKEY,
        _bound(back=w.back_signature(KEY, _SUB, digest="SHA1")),
    ),
    Difference(
        "a back-signature with SHA-1 from later",
        NOT_BOUND,
        GOOD,
        BAD,
        "By then nobody needed it.",
        _signed(_SUB, **_at(1_700_000_000, _SUB)),
        _bound(back=w.back_signature(KEY, _SUB, digest="SHA1", **_at(1_680_000_000, _SUB))),
    ),
    Difference(
        "a subkey without key flags",
        NOT_BOUND,
        GOOD,
        BAD,
        "R11 wants signing subkeys, and this one says nothing.",
        _BY_SUBKEY,
        _bound(flags=None),
    ),
    Difference(
        "a primary key with 1024 bits",
        NOT_BOUND,
        GOOD,
        BAD,
        "Whoever breaks the primary key could bind a subkey of his own.",
        _BY_SUBKEY,
        w.certificate(w.rsa_key(1024), w.subkey(w.rsa_key(1024), _SUB)),
    ),
    Difference(
        "a newer binding signature takes the flag to sign back",
        NOT_BOUND,
        BAD,
        GOOD,
        "The newest binding counts at all times; Sequoia asks which was the newest at the time.",
        _BY_SUBKEY,
        _bound(w.binding(KEY, _SUB, flags=w.MAY_ENCRYPT, back=None, **_at(w.SIGNED + DAY))),
    ),
    Difference(
        "a binding signature that is newer than the signature",
        GOOD,
        GOOD,
        BAD,
        "As above: keys are exported with their newest signatures only.",
        _BY_SUBKEY,
        _bound(**_at(w.SIGNED + DAY)),
    ),
    Difference(
        "a critical notation in a binding signature",
        GOOD,
        BAD,
        BAD,
        "As on documents.",
        _BY_SUBKEY,
        _bound(more=[w.notation(b"x@example.org", b"", critical=True)]),
    ),
    Difference(
        "the subkey is there twice, its binding signature after the second",
        GOOD,
        BAD,
        GOOD,
        "It is one subkey.",
        _BY_SUBKEY,
        w.certificate(KEY, _SUBKEY, _SUBKEY, w.binding(KEY, _SUB)),
    ),
    Difference(
        "a soft revocation (superseded, no longer used)",
        GOOD,
        REVOKED_KEY,
        BAD,
        "R12: it looks forward, and history is judged by the policy of its time.",
        _BY_KEY,
        w.primary(KEY) + w.revocation(KEY, code=3) + _ID,
    ),
    Difference(
        "a soft revocation from after the signature",
        GOOD,
        REVOKED_KEY,
        GOOD,
        "As above.",
        _BY_KEY,
        w.primary(KEY) + w.revocation(KEY, code=1, hashed=[w.created(w.SIGNED + DAY), w.issuer(KEY)]) + _ID,
    ),
    Difference(
        "a revocation with an unknown critical subpacket",
        IS_REVOKED,
        GOOD,
        GOOD,
        "It verifies, and it is the key's last word.",
        _BY_KEY,
        w.primary(KEY) + w.revocation(KEY, more=[w.reason(2), w.subpacket(99, b"", critical=True)]) + _ID,
    ),
    Difference(
        "a revocation without a creation time",
        IS_REVOKED,
        GOOD,
        GOOD,
        "As above.",
        _BY_KEY,
        w.primary(KEY) + w.revocation(KEY, hashed=[]) + _ID,
    ),
    Difference(
        "a revocation of the key that stands after a user ID",
        IS_REVOKED,
        GOOD,
        BAD,
        "It says what it revokes wherever it stands.",
        _BY_KEY,
        w.primary(KEY) + _ID + w.revocation(KEY),
    ),
    Difference(
        "a key that expired after the signature",
        GOOD,
        EXPIRED_KEY,
        GOOD,
        "R12: expiry is judged at the signature's own time.",
        _BY_KEY,
        w.primary(KEY) + w.user_id(KEY, more=_limited(_LIFE)),
    ),
    Difference(
        "a subkey that expired after the signature",
        GOOD,
        EXPIRED_KEY,
        GOOD,
        "As above.",
        _BY_SUBKEY,
        _bound(more=[w.key_expiration(_LIFE)]),
    ),
    Difference(
        "a key that had expired, and was given more time later",
        GOOD,
        GOOD,
        BAD,
        "The newest self-signature counts at all times.",
        _BY_KEY,
        w.primary(KEY)
        + w.user_id(KEY, more=_limited(1))
        + w.user_id(KEY, **_at(w.SIGNED + DAY))[len(w.packet(w.USER_ID, b"Test <test@example.org>")) :],
    ),
    Difference(
        "an expiry on one user ID, which is not the primary one",
        IS_EXPIRED,
        EXPIRED_KEY,
        GOOD,
        "As for gpg: a key has one expiry, wherever it was written last.",
        _BY_KEY,
        w.primary(KEY)
        + w.user_id(KEY, b"primary", more=[w.key_flags(3), w.subpacket(25, b"\1")])
        + w.user_id(KEY, b"other", more=_limited(1), **_at(w.SIGNED + 1)),
    ),
]

_HEAD = """\
# Where gitverify, GnuPG and Sequoia differ

All three read the same OpenPGP signatures and certificates. This page lists every case that is known to end
differently; each row is a test against the real GnuPG (2.2, of Debian 12) and Sequoia (pysequoia, by its standard
policy). The page is written by `tests/signatures/openpgp_differences.py`.

## Signatures

Over a commit, by a key whose certificate is at hand. Git shows a signature as good where gpg says just "good".

| signature | gitverify | GnuPG | Sequoia | why |
| --- | --- | --- | --- | --- |
"""

_MIDDLE = """
The Guix dialect takes keys of every size, and SHA-224; on commits from before the channel had its file also SHA-1. Like
Guix it does not take text signatures, ECDSA, version 6, or SHA-3. What is said above of form holds in it too, where
Guix is less strict: it looks at the first packet only, takes version 3 and RIPEMD-160, and does not ask for a creation
time. It would refuse an armor without a checksum, which we take.

## Certificates

Of a good signature, by a policy that lists the primary key and says `expired_keys: refuse`. Without that, expiry is not
asked for. The Guix dialect asks none of this (R12).

| certificate | gitverify | GnuPG | Sequoia | why |
| --- | --- | --- | --- | --- |
"""

_TAIL = """
Signatures by others count for nothing, so there are no designated revokers. What takes away (a revocation, an expiry)
counts with SHA-1 and with a weak key; a reason for revocation that is not known counts as a hard one.
"""


def render() -> str:
    """The whole page."""
    return _HEAD + _rows(SIGNATURES) + _MIDDLE + _rows(CERTIFICATES) + _TAIL


def _rows(differences: list[Difference]) -> str:
    def code(answer: str) -> str:
        return f"`{answer}`" if answer.endswith("-signature") else answer

    return "".join(
        f"| {row.what} | {code(row.gitverify)} | {row.gpg} | {row.sequoia} | {row.reason} |\n" for row in differences
    )


if __name__ == "__main__":
    sys.stdout.write(render())
