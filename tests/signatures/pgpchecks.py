"""What gitverify says of one signature packet and one key, or of one certificate."""

from __future__ import annotations

import pytest

from fixtures.lib import pgpwriter as w
from gitverify.signatures.certificates import parse_certificates
from gitverify.signatures.openpgp import NATIVE, parse_signature, verify_signature
from gitverify.signatures.publickeys import parse_public_key
from gitverify.signatures.result import SignatureRefused

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.org> 1 +0000\n\nhello\n"
EDDSA = w.eddsa_key("signer")
OTHER = w.eddsa_key("other")
MODERN = w.ed25519_key("signer").as_version(6)
ALICE = w.eddsa_key("alice")
BOB = w.eddsa_key("bob")
SUBKEY = w.eddsa_key("subkey")
DAY = 86_400


def verified(packet, key=EDDSA, payload=PAYLOAD, profile=NATIVE):
    """Parse and verify as the keyring does; the signature is returned."""
    signature = parse_signature(packet)
    verify_signature(signature, payload, parse_public_key(key.body), profile)
    return signature


def refusal(packet, key=EDDSA, payload=PAYLOAD, profile=NATIVE):
    with pytest.raises(SignatureRefused) as refused:
        verified(packet, key, payload, profile)
    return refused.value.code, refused.value.message, refused.value.keys


def only(*parts, key=ALICE):
    """The one certificate that these packets make."""
    (certificate,) = parse_certificates(b"".join(parts))
    assert certificate.primary.fingerprint == key.name
    return certificate


def signs(*parts, subkey=SUBKEY, key=ALICE):
    return only(w.certificate(key, *parts), key=key).signs_for_primary(subkey.name)
