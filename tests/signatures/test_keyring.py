"""From a signature's text to the key that made it, and how each failure is told (R8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.lib import pgpwriter as w
from gitverify.signatures.armor import dearmor_signature
from gitverify.signatures.certificates import parse_certificates
from gitverify.signatures.keyring import Keyring, openpgp_signer
from gitverify.signatures.openpgp import GUIX, NATIVE, parse_signature
from gitverify.signatures.result import SignatureRefused, Signed

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nhello\n"
ALICE = w.eddsa_key("alice")
BOB = w.rsa_key(2048, "bob")
SUBKEY = w.eddsa_key("subkey")
WEAK = w.rsa_key(1024)


def keyring(*parts):
    return Keyring(parse_certificates(b"".join(parts)))


RING = keyring(w.certificate(ALICE, w.subkey(ALICE, SUBKEY)), w.certificate(BOB), w.certificate(WEAK))


def text(key, payload=PAYLOAD, **shape):
    return w.armor(w.signature(key, payload, **shape))


def refusal(signature, payload=PAYLOAD, ring=RING, profile=NATIVE):
    with pytest.raises(SignatureRefused) as refused:
        openpgp_signer(signature, payload, ring, profile)
    return refused.value.code, refused.value.keys


class TestKeyring:
    def test_finds_primary_keys_and_subkeys(self):
        for key, primary in ((ALICE, ALICE), (SUBKEY, ALICE), (BOB, BOB)):
            for found in (RING.by_fingerprint(key.name), RING.by_key_id(key.key_id)):
                ((certificate, public),) = found
                assert (certificate.primary.fingerprint, public.fingerprint) == (primary.name, key.name)

    def test_finds_nothing_else(self):
        assert RING.by_fingerprint(w.eddsa_key("nobody").name) == []
        assert RING.by_key_id(bytes(8)) == []
        assert Keyring([]).by_fingerprint(ALICE.name) == []

    def test_a_key_in_several_certificates(self):
        ring = keyring(w.certificate(ALICE), w.certificate(BOB, w.subkey(BOB, ALICE)), w.certificate(ALICE))
        found = ring.by_fingerprint(ALICE.name)
        assert [certificate.primary.fingerprint for certificate, _ in found] == [ALICE.name, BOB.name, ALICE.name]
        assert openpgp_signer(text(ALICE), PAYLOAD, ring, NATIVE).key == ALICE.name

    def test_answers_are_copies(self):
        RING.by_fingerprint(ALICE.name).clear()
        RING.by_key_id(ALICE.key_id).clear()
        assert RING.by_fingerprint(ALICE.name)
        assert RING.by_key_id(ALICE.key_id)

    def test_union(self):
        one, other = keyring(w.certificate(ALICE)), keyring(w.certificate(BOB))
        both = one.union(other)
        assert both.certificates == one.certificates + other.certificates
        assert both.union(one).certificates == both.certificates
        assert both.by_fingerprint(BOB.name)
        assert not one.by_fingerprint(BOB.name)


class TestSigner:
    @pytest.mark.parametrize("key", [ALICE, SUBKEY, BOB])
    def test_names_the_key_that_signed(self, key):
        assert openpgp_signer(text(key), PAYLOAD, RING, NATIVE) == Signed(key.name, w.SIGNED)

    def test_by_key_id_alone(self):
        signature = text(SUBKEY, hashed=[w.created()])
        assert openpgp_signer(signature, PAYLOAD, RING, NATIVE).key == SUBKEY.name

    def test_another_payload(self):
        assert refusal(text(SUBKEY), PAYLOAD + b"!") == ("bad-signature", (SUBKEY.name,))

    def test_no_key_material(self):
        nobody = w.eddsa_key("nobody")
        assert refusal(text(nobody)) == ("unknown-key", (nobody.name,))
        assert refusal(text(nobody, hashed=[w.created()])) == ("unknown-key", (nobody.key_id.hex().upper(),))
        assert refusal(text(ALICE), ring=Keyring([])) == ("unknown-key", (ALICE.name,))

    def test_weak(self):
        assert refusal(text(WEAK)) == ("weak-signature", (WEAK.name,))
        assert refusal(text(ALICE, digest="SHA1")) == ("weak-signature", (ALICE.name,))
        assert openpgp_signer(text(WEAK), PAYLOAD, RING, GUIX).key == WEAK.name

    def test_unsupported(self):
        assert refusal(b"-----BEGIN SIGNED MESSAGE-----\n") == ("unsupported-signature", ())
        assert refusal(text(ALICE, hashed=[w.created()], unhashed=[])) == ("unsupported-signature", ())
        assert refusal(text(ALICE, type=0x10)) == ("unsupported-signature", (ALICE.name,))

    def test_keys_named_by_key_id_are_told_by_fingerprint(self):
        data = w.signature(ALICE, PAYLOAD, hashed=[w.created()]) + w.signature(BOB, PAYLOAD)
        assert refusal(w.armor(data)) == ("bad-signature", (ALICE.name, BOB.name))
        nobody = w.eddsa_key("nobody")
        data = w.signature(nobody, PAYLOAD, hashed=[w.created()]) * 2
        assert refusal(w.armor(data)) == ("bad-signature", (nobody.key_id.hex().upper(),))

    def test_issuers_that_disagree_are_both_told(self):
        signature = text(ALICE, unhashed=[w.issuer_id(BOB)])
        assert refusal(signature) == ("bad-signature", (ALICE.name, BOB.name))


class TestSharedKeyId:
    """Nobody can make two keys with one key id in a test; so the keyring is told that they have."""

    def ring(self, *keys):
        ring = keyring(*(w.certificate(key) for key in keys))
        certificates = ring.certificates
        shared = [(certificate, replace(certificate.primary, key_id=b"the same")) for certificate in certificates]
        ring._by_key_id[b"the same"] = shared
        return ring

    def signature(self, key, **shape):
        return text(key, hashed=[w.created()], unhashed=[w.subpacket(16, b"the same")], **shape)

    def test_each_is_tried(self):
        ring = self.ring(ALICE, BOB, SUBKEY)
        for key in (ALICE, BOB, SUBKEY):
            assert openpgp_signer(self.signature(key), PAYLOAD, ring, NATIVE).key == key.name

    def test_the_same_key_once(self):
        ring = self.ring(ALICE, ALICE, SUBKEY)
        keys = ring.issuers(parse_signature(dearmor_signature(self.signature(ALICE))))
        assert [key.fingerprint for key in keys] == [ALICE.name, SUBKEY.name]

    def test_none_verifies(self):
        ring = self.ring(ALICE, SUBKEY)
        assert refusal(self.signature(ALICE), b"other", ring) == ("bad-signature", (ALICE.name, SUBKEY.name))

    def test_a_failure_is_told_before_a_weakness(self):
        """The weak key might have made it, but a key that is listed may be the one that fails."""
        ring = self.ring(WEAK, BOB)
        assert refusal(self.signature(BOB), b"other", ring) == ("bad-signature", (WEAK.name, BOB.name))
        assert refusal(self.signature(WEAK), ring=self.ring(WEAK)) == ("weak-signature", (WEAK.name,))
