"""OpenPGP signatures: which algorithms, hashes and keys count in which profile (R10)."""

from __future__ import annotations

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given, settings
from hypothesis import strategies as st
from pgpchecks import EDDSA, MODERN, PAYLOAD, refusal, verified

from fixtures.lib import pgpwriter as w
from gitverify.signatures.openpgp import GUIX, GUIX_HISTORIC, NATIVE, Profile, parse_signature, verify_signature
from gitverify.signatures.publickeys import parse_public_key
from gitverify.signatures.result import SignatureRefused

KEYS = {
    "RSA 2048": (w.rsa_key(), "SHA256"),
    "RSA 3072": (w.rsa_key(3072), "SHA512"),
    "RSA sign-only": (w.rsa_key(2048, "sign-only", algorithm=3), "SHA512"),
    "RSA, SHA-384": (w.rsa_key(), "SHA384"),
    "RSA, SHA3-256": (w.rsa_key(), "SHA3_256"),
    "RSA, SHA3-512": (w.rsa_key(), "SHA3_512"),
    "RSA v6": (w.rsa_key().as_version(6), "SHA256"),
    "DSA 2048/224": (w.dsa_key(2048, 224), "SHA256"),
    "DSA 2048/256": (w.dsa_key(2048, 256), "SHA256"),
    "DSA, a digest longer than q": (w.dsa_key(2048, 224), "SHA512"),
    "P-256": (w.ecdsa_key("P-256"), "SHA256"),
    "P-256, a longer digest": (w.ecdsa_key("P-256"), "SHA512"),
    "P-384": (w.ecdsa_key("P-384"), "SHA384"),
    "P-521": (w.ecdsa_key("P-521"), "SHA512"),
    "P-256 v6": (w.ecdsa_key("P-256").as_version(6), "SHA3_256"),
    "brainpoolP256r1": (w.ecdsa_key("brainpoolP256r1"), "SHA256"),
    "brainpoolP384r1": (w.ecdsa_key("brainpoolP384r1"), "SHA384"),
    "brainpoolP512r1": (w.ecdsa_key("brainpoolP512r1"), "SHA512"),
    "EdDSA": (EDDSA, "SHA256"),
    "EdDSA, SHA-512": (EDDSA, "SHA512"),
    "Ed25519": (w.ed25519_key(), "SHA256"),
    "Ed25519 v6, SHA-512": (MODERN, "SHA512"),
    "Ed25519 v6, SHA-384": (MODERN, "SHA384"),
    "Ed448": (w.ed448_key(), "SHA512"),
    "Ed448 v6": (w.ed448_key().as_version(6), "SHA3_512"),
}


@pytest.mark.parametrize(("key", "digest"), KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("kind", [w.BINARY, w.TEXT])
def test_native_accepts_and_notices_another_payload(key, digest, kind):
    data = PAYLOAD if kind == w.BINARY else PAYLOAD.replace(b"\n", b"\r\n")
    packet = w.signature(key, data, type=kind, digest=digest)
    signature = verified(packet, key)
    assert (signature.created, signature.issuer_fingerprint) == (w.SIGNED, key.name)
    assert refusal(packet, key, PAYLOAD + b"!") == (
        "bad-signature",
        "the signature does not match what it is on",
        (key.name,),
    )


@given(st.integers(0, 200))
@settings(deadline=None)
def test_short_integers_are_padded(number):
    """About one in 128 signatures has an R or S with a leading zero octet, which its integer lacks."""
    payload = b"%d" % number
    verified(w.signature(EDDSA, payload), EDDSA, payload)
    verified(w.signature(w.rsa_key(1024), payload), w.rsa_key(1024), payload, GUIX)


class TestWeak:
    def weak(self, packet, key, profile=NATIVE):
        code, message, keys = refusal(packet, key, profile=profile)
        assert (code, keys) == ("weak-signature", (key.name,))
        return message

    @pytest.mark.parametrize(("digest", "name"), [("MD5", "MD5"), ("SHA1", "SHA-1"), ("SHA224", "SHA-224")])
    def test_hash(self, digest, name):
        for key in (w.rsa_key(), w.dsa_key(), EDDSA):
            packet = w.signature(key, PAYLOAD, digest=digest)
            assert self.weak(packet, key) == f"the signature uses {name}"
            verified(w.signature(key, PAYLOAD), key)

    def test_ripemd_160(self):
        for profile in (NATIVE, GUIX, GUIX_HISTORIC):
            assert "RIPEMD-160" in self.weak(w.signature(EDDSA, PAYLOAD, hash_number=3), EDDSA, profile)

    @pytest.mark.parametrize(
        ("weak", "strong"),
        [
            (w.rsa_key(1024), w.rsa_key(2048)),
            (w.rsa_key(2047), w.rsa_key(2048)),
            (w.dsa_key(1024, 160), w.dsa_key(2048, 224)),
            (w.dsa_key(2048, 160), w.dsa_key(2048, 224)),
        ],
    )
    def test_key_size(self, weak, strong):
        packet = w.signature(weak, PAYLOAD)
        assert "-bit" in self.weak(packet, weak)
        verified(packet, weak, profile=GUIX)
        verified(w.signature(strong, PAYLOAD), strong)

    @pytest.mark.parametrize(
        ("key", "short", "enough"),
        [
            (w.ecdsa_key("P-384"), "SHA256", "SHA384"),
            (w.ecdsa_key("P-521"), "SHA384", "SHA512"),
            (w.ecdsa_key("brainpoolP512r1"), "SHA384", "SHA3_512"),
            (w.ed448_key(), "SHA256", "SHA512"),
        ],
    )
    def test_a_digest_shorter_than_its_curve(self, key, short, enough):
        assert "too short" in self.weak(w.signature(key, PAYLOAD, digest=short), key)
        verified(w.signature(key, PAYLOAD, digest=enough), key)


class TestGuix:
    @pytest.mark.parametrize("digest", ["SHA224", "SHA256", "SHA384", "SHA512"])
    @pytest.mark.parametrize("key", [w.rsa_key(1024), w.dsa_key(1024, 160), w.dsa_key(2048, 224), EDDSA])
    def test_takes(self, key, digest):
        packet = w.signature(key, PAYLOAD, digest=digest)
        verified(packet, key, profile=GUIX)
        verified(packet, key, profile=GUIX_HISTORIC)

    @pytest.mark.parametrize("key", [w.rsa_key(1024), w.dsa_key(1024, 160), EDDSA])
    def test_sha1_in_history_only(self, key):
        packet = w.signature(key, PAYLOAD, digest="SHA1")
        verified(packet, key, profile=GUIX_HISTORIC)
        assert refusal(packet, key, profile=GUIX)[0] == "weak-signature"

    def test_md5_never(self):
        packet = w.signature(EDDSA, PAYLOAD, digest="MD5")
        assert refusal(packet, profile=GUIX_HISTORIC)[0] == "weak-signature"

    @pytest.mark.parametrize(
        ("key", "shape"),
        [
            (w.ecdsa_key(), {}),
            (w.ed25519_key(), {}),
            (MODERN, {}),
            (w.rsa_key(2048, "sign-only", algorithm=3), {}),
            (w.rsa_key(), {"type": w.TEXT}),
            (w.rsa_key(), {"digest": "SHA3_256"}),
        ],
    )
    def test_does_not_know(self, key, shape):
        payload = b"one line"
        packet = w.signature(key, payload, **shape)
        verified(packet, key, payload)
        assert refusal(packet, key, payload, GUIX)[0] == "unsupported-signature"


class TestKeys:
    """Key material that can't be used makes a signature that counts for nothing."""

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            (w.ecdsa_key("secp256k1"), "curve"),
            (w.Key(16, b"", EDDSA.values), "algorithm 16"),
            (w.Key(18, EDDSA.material, EDDSA.values), "algorithm 18"),
            (w.Key(22, b"", EDDSA.values), "cut off"),
            (w.Key(22, EDDSA.material[:-1], EDDSA.values), "cut off"),
            (w.Key(22, b"\x03abc" + w.mpi(b"\x40" + bytes(32)), EDDSA.values), "curve"),
            (w.Key(22, EDDSA.material[:10] + w.mpi(b"\x41" + b"x" * 32), EDDSA.values), "native form"),
            (w.Key(22, EDDSA.material[:10] + w.mpi(b"\x40" + b"x" * 31), EDDSA.values), "unusual size"),
            (w.Key(27, bytes(31), EDDSA.values), "unusual size"),
            (w.Key(28, bytes(56), EDDSA.values), "unusual size"),
            (w.Key(19, w.ecdsa_key().material[:9] + w.mpi(b"\x02" + b"x" * 32), EDDSA.values), "in full"),
            (w.Key(19, w.ecdsa_key().material[:9] + w.mpi(b"\x04" + b"x" * 64), EDDSA.values), "no key"),
            (w.Key(1, w.mpi(1 << 2048), EDDSA.values), "cut off"),
            (w.Key(1, w.mpi(1 << 2048) + w.mpi(4), EDDSA.values), "no key"),
            (w.Key(1, w.mpi((1 << 16_384) + 1) + w.mpi(65537), EDDSA.values), "more than"),
            (w.Key(17, w.mpi(1 << 1500) + w.mpi(1 << 160) + w.mpi(2) + w.mpi(3), EDDSA.values), "unusual size"),
            (w.Key(1, w.mpi((1 << 2047) + 1) + w.mpi((1 << 64) + 1), EDDSA.values), "exponent"),
        ],
    )
    def test_refused(self, key, message):
        profile = Profile("all", NATIVE.hashes, algorithms=NATIVE.algorithms | {16, 18})
        code, told, keys = refusal(w.signature(key, PAYLOAD), key, profile=profile)
        assert (code, keys) == ("unsupported-signature", (key.name,))
        assert message in told

    @pytest.mark.parametrize(
        "key",
        [
            w.Key(17, w.mpi(1 << 2047) + w.mpi(1 << 255) + w.mpi(2) + w.mpi(1), EDDSA.values),
            w.Key(
                22, EDDSA.material[:10] + w.mpi(b"\x40\1" + bytes(31)), lambda *_: w.mpi(b"\1" + bytes(31)) + w.mpi(0)
            ),
            w.Key(27, b"\1" + bytes(31), lambda *_: b"\1" + bytes(63)),
            w.Key(27, bytes(31) + b"\x80", lambda *_: b"\1" + bytes(63)),
            w.Key(28, b"\1" + bytes(56), lambda *_: b"\1" + bytes(113)),
            w.Key(28, bytes(57), lambda *_: b"\1" + bytes(113)),
        ],
    )
    def test_with_which_anyone_can_sign(self, key):
        code, told, _ = refusal(w.signature(key, PAYLOAD, digest="SHA512"), key)
        assert (code, "anyone" in told) == ("weak-signature", True)

    def test_keys_that_do_not_sign(self):
        key = w.Key(18, EDDSA.material, EDDSA.values)
        code, message, _ = refusal(w.signature(key, PAYLOAD), key)
        assert (code, "algorithm 18" in message) == ("unsupported-signature", True)

    def test_an_algorithm_that_the_system_lacks(self, monkeypatch):
        def unsupported(*_, **__):
            raise UnsupportedAlgorithm("not here")

        packet = w.signature(EDDSA, PAYLOAD)
        key = parse_public_key(EDDSA.body)
        monkeypatch.setattr(key.verifier, "verify", unsupported)
        with pytest.raises(SignatureRefused) as refused:
            verify_signature(parse_signature(packet), PAYLOAD, key, NATIVE)
        assert refused.value.code == "unsupported-signature"
        monkeypatch.setattr("gitverify.signatures.algorithms.ec.EllipticCurvePublicKey.from_encoded_point", unsupported)
        assert refusal(w.signature(w.ecdsa_key(), PAYLOAD), w.ecdsa_key())[0] == "unsupported-signature"
