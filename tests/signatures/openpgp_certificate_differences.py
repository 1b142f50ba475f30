"""Certificates that gitverify, GnuPG and Sequoia do not all judge alike.

"Good" is here: bound to the primary key, not hard revoked, not expired when the signature was made. That is what a
native policy that lists the primary key and says ``expired_keys: refuse`` asks for.
"""

from __future__ import annotations

from openpgp_difference import (
    DAY,
    EXPIRED_KEY,
    IS_EXPIRED,
    IS_REVOKED,
    KEY,
    NOT_BOUND,
    REVOKED_KEY,
    Difference,
    signed,
)
from pgporacles import BAD, GOOD

from fixtures.lib import pgpwriter as w

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

_BY_SUBKEY = signed(_SUB)
_BY_KEY = signed()

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
        signed(_SUB, **_at(1_700_000_000, _SUB)),
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
