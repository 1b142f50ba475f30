"""Public key packets: fingerprints and key ids."""

from __future__ import annotations

import pytest

from fixtures.lib import pgpwriter as w
from gitverify.errors import KeyRefused
from gitverify.signatures.publickeys import parse_public_key

# The sample version 4 key and version 6 certificate of RFC 9580, appendices A.1 and A.3: their primary key packets.
V4 = bytes.fromhex(
    "0453f35f0b16092b06010401da470f010107403f098994bdd916ed4053197934e4a87c80733a1280d62f8010992e43ee3b2406"
)
V6 = bytes.fromhex("0663877fe31b00000020f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3")


@pytest.mark.parametrize("key", [w.eddsa_key(), w.rsa_key(), w.ed25519_key(), w.ed448_key()])
@pytest.mark.parametrize("version", [4, 6])
def test_fields(key, version):
    key = key.as_version(version)
    parsed = parse_public_key(key.body)
    assert (parsed.version, parsed.created, parsed.algorithm) == (version, w.CREATED, key.algorithm)
    assert (parsed.fingerprint, parsed.key_id, parsed.hashed) == (key.name, key.key_id, key.hashed)
    assert len(parsed.fingerprint) == {4: 40, 6: 64}[version]
    assert parsed == parse_public_key(key.body)
    assert len({parsed, parse_public_key(key.body)}) == 1


def test_samples():
    """RFC 9580 §A.1 and §A.3."""
    old = parse_public_key(V4)
    assert old.fingerprint == "C959BDBAFA32A2F89A153B678CFDE12197965A9A"
    assert old.key_id.hex().upper() == "8CFDE12197965A9A"
    new = parse_public_key(V6)
    assert new.fingerprint == "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"
    assert new.key_id.hex().upper() == "CB186C4F0609A697"


def test_loading_waits_until_it_is_needed():
    key = parse_public_key(w.Key(1, b"nonsense", w.eddsa_key().values).body)
    with pytest.raises(KeyRefused):
        _ = key.verifier
    good = parse_public_key(w.eddsa_key().body)
    assert good.verifier is good.verifier


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unsupported"),
        (b"\3" + bytes(20), "unsupported"),
        (b"\5" + bytes(20), "unsupported"),
        (b"\4", "malformed"),
        (V4[:5], "malformed"),
        (b"\4" + bytes(65_535), "malformed"),
        (V6[:9], "malformed"),
        (V6[:-1], "malformed"),
        (V6 + b"x", "malformed"),
    ],
)
def test_refused(body, code):
    with pytest.raises(KeyRefused) as refused:
        parse_public_key(body)
    assert refused.value.code == code


def test_a_version_4_packet_may_be_as_long_as_a_fingerprint_can_count():
    assert parse_public_key(b"\4" + bytes(65_534)).algorithm == 0
