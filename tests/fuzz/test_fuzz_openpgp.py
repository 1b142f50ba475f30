"""OpenPGP made of anything: armor, packets, signatures, certificates. A proof, a typed refusal, and nothing else."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.lib import pgpwriter as w
from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.signatures.armor import dearmor_certificates, dearmor_signature
from gitverify.signatures.certificates import parse_certificates
from gitverify.signatures.keyring import Keyring, openpgp_signer
from gitverify.signatures.openpgp import GUIX, GUIX_HISTORIC, NATIVE, parse_signature, verify_signature
from gitverify.signatures.packets import MalformedPacket, packets, read_integers
from gitverify.signatures.publickeys import parse_public_key
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.subpackets import read_subpackets

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nhello\n"
KEYS = [
    w.eddsa_key(),
    w.rsa_key(),
    w.dsa_key(1024, 160),
    w.ecdsa_key(),
    w.ed25519_key().as_version(6),
    w.ed448_key().as_version(6),
]
SUBKEYS = [w.eddsa_key("sub"), w.ed25519_key("sub").as_version(6)]
SIGNATURES = [w.signature(key, PAYLOAD, digest="SHA512") for key in KEYS]
SIGNATURES += [w.signature(KEYS[0], PAYLOAD, more=[w.notation(b"a@b", b"c", critical=True), w.subpacket(3, bytes(4))])]
CERTIFICATES = [
    w.certificate(key, w.subkey(key, subkey, digest="SHA512"), w.revocation(key, subkey, 3), w.direct(key))
    for key in KEYS
    for subkey in SUBKEYS
    if subkey.version == key.version
]
RING = Keyring(certificate for data in CERTIFICATES for certificate in parse_certificates(data))
NAMES = {name for certificate in RING.certificates for name in (certificate.primary.fingerprint, *certificate.bound)}
CODES = {"bad-signature", "weak-signature", "unsupported-signature", "unknown-key"}

positions = st.integers(0, 1 << 16)


@st.composite
def mutated(draw, originals):
    """Octets of a valid thing with a few changes: cut, doubled, overwritten, inserted."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        at, to = sorted(draw(positions) % (len(data) + 1) for _ in range(2))
        match draw(st.sampled_from(["cut", "double", "write", "insert"])):
            case "cut":
                del data[at:to]
            case "double":
                data[at:at] = data[at:to][:300]
            case "write":
                data[at : at + 1] = draw(st.binary(max_size=1))
            case "insert":
                data[at:at] = draw(st.binary(max_size=8))
    return bytes(data)


armors = [w.armor(data) for data in SIGNATURES] + [w.armor(SIGNATURES[0], headers=["Version: x"], checksum=None)]


@given(
    st.one_of(st.binary(), mutated(armors), st.builds(w.armor, mutated(SIGNATURES), checksum=st.sampled_from([None])))
)
@settings(deadline=None, max_examples=400)
@example(b"-----BEGIN PGP SIGNATURE----------END PGP SIGNATURE-----")
def test_signer(text):
    for profile in (NATIVE, GUIX, GUIX_HISTORIC):
        try:
            signed = openpgp_signer(text, PAYLOAD, RING, profile)
        except SignatureRefused as refused:
            check_refusal(refused)
        else:
            assert signed.key in NAMES


def check_refusal(refused):
    assert refused.code in CODES
    assert all(len(name) in {16, 40, 64} and name.isalnum() for name in refused.keys)


@given(mutated(SIGNATURES), st.sampled_from([PAYLOAD, PAYLOAD + b"\n", b"", b"\r"]))
@settings(deadline=None, max_examples=400)
def test_any_key_with_any_signature(data, payload):
    try:
        signature = parse_signature(data)
    except SignatureRefused:
        return
    proven = set()
    for certificate in RING.certificates:
        with suppress(SignatureRefused):
            verify_signature(signature, payload, certificate.primary, GUIX_HISTORIC)
            proven.add(certificate.primary.fingerprint)
        with suppress(SignatureRefused):
            verify_signature(signature, payload, certificate.primary, NATIVE)
            proven.add(certificate.primary.fingerprint)
    assert not proven or (payload == PAYLOAD and len(proven) == 1)


@given(st.integers(0, len(SIGNATURES) - 1), st.data())
@settings(deadline=None, max_examples=300)
def test_no_changed_octet_that_is_signed_goes_unnoticed(index, data):
    original = SIGNATURES[index]
    # The unhashed area is not signed, nor are the first two octets of the digest, nor the form of numbers.
    body = original[2 if original[1] < 192 else 3 :]
    start = len(original) - len(body)
    size = int.from_bytes(body[4:8] if body[0] == 6 else body[4:6], "big")
    at = data.draw(st.integers(0, (8 if body[0] == 6 else 6) + size - 1)) + start
    changed = bytearray(original)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SignatureRefused):
        openpgp_signer(w.armor(bytes(changed)), PAYLOAD, RING, NATIVE)


@given(
    st.one_of(st.binary(), mutated(CERTIFICATES), mutated([w.armor(data, "PUBLIC KEY BLOCK") for data in CERTIFICATES]))
)
@settings(deadline=None, max_examples=400)
def test_certificates(data):
    try:
        found = parse_certificates(data)
    except KeyRefused:
        return
    assert found
    for certificate in found:
        for key in (certificate.primary, *certificate.subkeys):
            assert certificate.signs_for_primary(key.fingerprint) in {True, False}
            assert certificate.hard_revoked(key.fingerprint) in {True, False}
            before, after = certificate.expired(key.fingerprint, 0), certificate.expired(key.fingerprint, 1 << 40)
            assert after or not before
        assert all(isinstance(user_id, bytes) for user_id in certificate.user_ids)


@given(mutated(CERTIFICATES))
@settings(deadline=None, max_examples=300)
def test_no_change_to_a_certificate_gives_a_subkey_authority(data):
    """A subkey that signs for a key here was bound to it by that key: nobody can make that up."""
    with suppress(KeyRefused):
        for certificate in parse_certificates(data):
            for name in certificate.bound:
                if certificate.signs_for_primary(name):
                    assert {name, certificate.primary.fingerprint} <= NAMES


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_packets(data):
    with suppress(MalformedPacket):
        found = list(packets(data))
        assert found[-1][2] == len(data) if data else not found


@given(st.binary(max_size=80), st.integers(0, 5), st.booleans())
@settings(deadline=None)
def test_integers(data, count, strict):
    with suppress(MalformedPacket):
        found = read_integers(data, count, strict=strict)
        assert sum(map(len, found)) + 2 * count == len(data)


@given(st.binary(max_size=100), st.binary(max_size=100))
@settings(deadline=None)
def test_subpackets(hashed, unhashed):
    found = read_subpackets(hashed, unhashed)
    assert len(found.issuer_fingerprint) in {0, 20, 32}
    assert len(found.issuer_key_id) in {0, 8}


@given(st.integers(0, 6), st.sampled_from([1, 3, 16, 17, 18, 19, 22, 25, 27, 28, 99]), st.binary(max_size=100))
@settings(deadline=None, max_examples=300)
def test_key_material(version, algorithm, material):
    size = len(material).to_bytes(4, "big") if version == 6 else b""
    with suppress(KeyRefused):
        key = parse_public_key(bytes([version, 0, 0, 0, 0, algorithm]) + size + material)
        assert key.verifier


@given(st.binary(), st.booleans())
@settings(deadline=None)
def test_armor(data, certificates):
    with suppress(SignatureRefused, KeyRefused):
        assert dearmor_certificates(data) if certificates else dearmor_signature(data)


@pytest.mark.parametrize(
    "data",
    [
        w.primary(KEYS[0]) * 10_000,
        w.primary(KEYS[0]) + w.user_id(KEYS[0], digest="MD5") * 5_000,
        w.primary(KEYS[0]) + w.subkey(KEYS[0], SUBKEYS[0], by=KEYS[3], hashed=[w.created()], unhashed=[]) * 5_000,
        w.primary(KEYS[0]) + b"".join(w.packet(14, SUBKEYS[0].created_at(n).body) for n in range(10_000)),
        w.primary(KEYS[0])
        + w.packet(2, w.signature_body(KEYS[0], b"", hashed=[w.subpacket(32, b"\4\x19")] * 9_000)) * 50,
        b"\x99" * LIMITS.certificate_file_size,
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----" * 200_000,
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + b" " * 4_000_000 + b"\n-----END PGP PUBLIC KEY BLOCK-----",
        w.armor(bytes(2_000_000), "PUBLIC KEY BLOCK", checksum=None),
    ],
    ids=["keys", "user IDs", "bindings", "subkeys", "embedded", "lengths", "begin markers", "white space", "zeros"],
)
def test_large_inputs_take_little_memory(data):
    """And little time: what is not linear would not come to an end here."""
    tracemalloc.start()
    try:
        with suppress(KeyRefused):
            for certificate in parse_certificates(data)[:3]:
                for name in [certificate.primary.fingerprint, *certificate.bound][:3]:
                    certificate.signs_for_primary(name)
                    certificate.hard_revoked(name)
                    certificate.expired(name, 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * len(data) + (1 << 20)


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN PGP SIGNATURE-----\n\n" + b" " * 60_000 + b"\n-----END PGP SIGNATURE-----",
        b"-----BEGIN PGP SIGNATURE-----\n" + b"a: b\n" * 12_000 + b"-----END PGP SIGNATURE-----",
        w.armor(w.signature(KEYS[0], PAYLOAD, hashed=[w.subpacket(16, bytes(8))] * 4_000)),
        w.armor(w.signature(KEYS[0], PAYLOAD) * 400),
        w.armor(w.signature(KEYS[1], PAYLOAD, values=lambda _: w.mpi(1 << 60_000))),
    ],
)
def test_large_signatures_take_little_memory(text):
    tracemalloc.start()
    try:
        with suppress(SignatureRefused):
            openpgp_signer(text, PAYLOAD, RING, NATIVE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * len(text) + (1 << 16)
