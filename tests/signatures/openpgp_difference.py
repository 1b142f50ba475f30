"""One row of the tables of differences between gitverify, GnuPG and Sequoia."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.lib import pgpwriter as w

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.org> 1 +0000\n\nhello\n"
KEY = w.eddsa_key("differences")
CERTIFICATE = w.certificate(KEY)
DAY = 86_400

# Answers of gpg to a signature that git does not show as good.
EXPIRED = "good, but the signature has expired"
EXPIRED_KEY = "good, but the key has expired"
REVOKED_KEY = "good, but the key is revoked"

# Answers of gitverify on a certificate.
NOT_BOUND, IS_REVOKED, IS_EXPIRED = "does not sign for its primary key", "revoked", "expired"


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


def signed(key=KEY, payload=PAYLOAD, **shape) -> bytes:
    return w.armor(w.signature(key, payload, **shape))
