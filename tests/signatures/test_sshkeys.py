"""Key lines and blobs: one accepted form each, ssh-keygen as the oracle for fingerprints."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
import sshpubkeys
from cryptography.exceptions import UnsupportedAlgorithm

from fixtures.lib.sshwriter import Ecdsa, Ed25519, Rsa, SkEcdsa, SkEd25519, certificate, mpint, string
from gitverify.errors import KeyRefused
from gitverify.signatures import sshkeys
from gitverify.signatures.sshkeys import fingerprint, key_comment, parse_blob, parse_key_line

KEYS = [
    Ed25519("alice"),
    Ecdsa("alice"),
    Ecdsa("alice", bits=384),
    Ecdsa("alice", bits=521),
    Rsa("alice"),
    SkEd25519("alice"),
    SkEcdsa("alice"),
    SkEd25519("alice", application=b"ssh:second"),
]
ALICE = KEYS[0]
P256 = string(b"ecdsa-sha2-nistp256") + string(b"nistp256")


def line(blob, algorithm=None):
    length = int.from_bytes(blob[:4], "big")
    return f"{algorithm or blob[4 : 4 + length].decode()} {base64.b64encode(blob).decode()}"


@pytest.fixture(autouse=True)
def _forget():
    sshkeys._parse_parts.cache_clear()
    parse_blob.cache_clear()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.algorithm.decode()}")
def test_a_key_is_named_as_ssh_keygen_names_it(key, tmp_path):
    file = tmp_path / "key.pub"
    file.write_text(f"{key.line} alice@laptop\n")
    listed = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
    parsed = parse_key_line(file.read_text())
    assert parsed.fingerprint == listed.split()[1]
    assert parsed.blob == key.blob
    assert parsed.algorithm == key.algorithm.decode()
    assert parsed == parse_blob(key.blob)
    assert parsed.loaded == key.private.public_key()


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("{}", ""),
        ("{}\n", ""),
        ("{} alice@laptop", "alice@laptop"),
        ("  {}\t two  words \r\n", "two  words"),
        ("{} \u2713 caf\u00e9", "\u2713 caf\u00e9"),
    ],
)
def test_a_comment_changes_nothing(text, comment):
    text = text.format(ALICE.line)
    assert parse_key_line(text).blob == ALICE.blob
    assert key_comment(text) == comment


def test_what_is_no_key_line_has_no_comment():
    assert key_comment("no key, see below") == ""


def test_security_keys_carry_their_application():
    assert parse_blob(SkEcdsa("a").blob).application == b"ssh:"
    assert parse_blob(SkEd25519("a", application=b"ssh:x").blob).application == b"ssh:x"
    assert parse_blob(SkEd25519("a").blob).is_security_key
    assert parse_blob(ALICE.blob).application == b""
    assert not parse_blob(ALICE.blob).is_security_key


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "malformed", "no SSH public key line"),
        ("ssh-ed25519", "malformed", "no SSH public key line"),
        ("alice", "malformed", "no SSH public key line"),
        ('command="true" {}', "malformed", "no options"),
        ("no-pty {}", "malformed", "no options"),
        ("ssh-foo AAAA", "unsupported", "key type ssh-foo"),
        ("ssh-dss AAAA", "weak", "ssh-dss"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "unsupported", "certificate"),
        ("{}\n{}", "malformed", "no SSH public key line"),
        ("ssh-ed25519\u00a0AAAA", "malformed", "no SSH public key line"),
        ("ssh-ed25519 AAAA!", "malformed", "no SSH public key line"),
        ("ssh-ed25519 AAAAA", "malformed", "not base64"),
        ("ssh-ed25519 AAAA", "malformed", "cut off"),
        ("ssh-ed25519 " + "A" * 60_000, "malformed", "longer than any key"),
        ("ssh-ed25519 " + "A" * 4_000, "malformed", "longer than any key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "malformed", "must stay secret"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "malformed", "no SSH public key line"),
    ],
)
def test_what_is_no_key_line_is_refused(text, code, message):
    with pytest.raises(KeyRefused, match=message) as refused:
        parse_key_line(text.format(ALICE.line, ALICE.line))
    assert refused.value.code == code


def test_base64_has_one_form():
    good = SkEd25519("alice").line
    assert parse_key_line(good).application == b"ssh:"
    with pytest.raises(KeyRefused, match="stray bits"):
        parse_key_line(good.removesuffix("o=") + "p=")


def test_the_line_must_name_the_key_inside():
    with pytest.raises(KeyRefused, match="the key inside is ssh-ed25519"):
        parse_key_line(line(ALICE.blob, "ssh-rsa"))


def ed25519_blob(y, sign=0):
    return string(b"ssh-ed25519") + string((y | sign << 255).to_bytes(32, "little"))


def rsa_blob(exponent, modulus):
    return string(b"ssh-rsa") + mpint(exponent) + mpint(modulus)


MODULUS = 2**2047 + 1
POINT = Ecdsa("alice").blob[len(P256) + 4 :]
PRIME = 2**255 - 19

REFUSED = {
    "nothing": (b"", "malformed", "cut off"),
    "a length cut off": (b"\0\0", "malformed", "cut off"),
    "no name": (string(b""), "malformed", "names no algorithm"),
    "a strange name": (string(b"SSH ED\n") + string(b""), "malformed", "names no algorithm"),
    "another algorithm": (string(b"ssh-xmss@openssh.com") + string(b""), "unsupported", "key type ssh-xmss"),
    "dsa": (string(b"ssh-dss") + string(b""), "weak", "ssh-dss"),
    "a certificate": (certificate(ALICE, ALICE, b"x"), "unsupported", "certificates are not supported"),
    "a byte trailing": (ALICE.blob + b"\0", "malformed", "trails it"),
    "a string trailing": (ALICE.blob + string(b""), "malformed", "extra fields"),
    "a field missing": (string(b"ssh-ed25519"), "malformed", "missing"),
    "a string cut off": (ALICE.blob[:-1], "malformed", "cut off"),
    "too long": (string(b"ssh-ed25519") + string(b"\0" * 10_000), "malformed", "longer than any key"),
    "a short point": (string(b"ssh-ed25519") + string(b"\1" * 31), "malformed", "32 octets"),
    "a point beyond the prime": (ed25519_blob(PRIME), "malformed", "canonical"),
    "the neutral element": (ed25519_blob(1), "weak", "small order"),
    "order two": (ed25519_blob(PRIME - 1), "weak", "small order"),
    "order four": (ed25519_blob(0, sign=1), "weak", "small order"),
    "an application with NUL": (SkEd25519("a", application=b"ssh:\0").blob, "malformed", "NUL"),
    "an application missing": (SkEd25519("a").blob[:-8], "malformed", "missing"),
    "another curve": (string(b"ecdsa-sha2-nistp384") + P256[23:] + string(POINT), "malformed", "curve nistp256"),
    "a compressed point": (P256 + string(b"\2" + POINT[1:33]), "malformed", "uncompressed"),
    "a hybrid point": (P256 + string(b"\6" + POINT[1:]), "malformed", "uncompressed"),
    "a point off the curve": (P256 + string(POINT[:-1] + bytes([POINT[-1] ^ 1])), "malformed", "no valid"),
    "the point at infinity": (P256 + string(b"\0"), "malformed", "uncompressed"),
    "rsa of 2047 bits": (rsa_blob(65537, 2**2046 + 1), "weak", "2047 bits"),
    "rsa of 16385 bits": (rsa_blob(65537, 2**16384 + 1), "malformed", "too long"),
    "an even modulus": (rsa_blob(65537, MODULUS + 1), "malformed", "impossible"),
    "an even exponent": (rsa_blob(65536, MODULUS), "malformed", "impossible"),
    "exponent 1": (rsa_blob(1, MODULUS), "malformed", "impossible"),
    "a long exponent": (rsa_blob(2**64 + 1, MODULUS), "malformed", "impossible"),
    "exponent 0": (string(b"ssh-rsa") + string(b"") + mpint(MODULUS), "malformed", "shortest form"),
    "exponent 0 spelled out": (string(b"ssh-rsa") + mpint(0) + mpint(MODULUS), "malformed", "shortest form"),
    "a leading zero": (string(b"ssh-rsa") + mpint(65537, 1) + mpint(MODULUS), "malformed", "shortest form"),
    "a negative modulus": (
        string(b"ssh-rsa") + mpint(65537) + string(MODULUS.to_bytes(256, "big")),
        "malformed",
        "shortest form",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_blob_has_one_form(name):
    blob, code, message = REFUSED[name]
    with pytest.raises(KeyRefused, match=message) as refused:
        parse_blob(blob)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "blob",
    [rsa_blob(3, MODULUS), rsa_blob(2**64 - 1, MODULUS), rsa_blob(65537, 2**16383 + 1), ed25519_blob(3)],
    ids=["exponent 3", "exponent of 64 bits", "16384 bits", "another y"],
)
def test_the_limits_are_inside(blob):
    assert parse_blob(blob).fingerprint == fingerprint(blob)
    assert parse_blob(blob).loaded is not None


@pytest.mark.parametrize("error", [ValueError, UnicodeError, AssertionError, sshpubkeys.InvalidKeyError, MemoryError])
def test_no_exception_of_sshpubkeys_gets_out(monkeypatch, error):
    def parse(*_args):
        raise error("\x1b[31m")

    monkeypatch.setattr(sshpubkeys.SSHKey, "parse", parse)
    with pytest.raises(KeyRefused, match=r"not accepted: \\x1b") as refused:
        parse_key_line(ALICE.line)
    assert refused.value.code == "malformed"


def test_sshpubkeys_must_see_the_same_key(monkeypatch):
    monkeypatch.setattr(sshpubkeys.SSHKey, "hash_sha256", lambda _self: "SHA256:another")
    with pytest.raises(KeyRefused, match="disagree"):
        parse_key_line(ALICE.line)


def test_sshpubkeys_refuses_an_application_that_is_not_of_ssh():
    key = SkEd25519("alice", application=b"https://example.org")
    assert parse_blob(key.blob).application == b"https://example.org"
    with pytest.raises(KeyRefused, match="Application"):
        parse_key_line(key.line)


def test_a_key_that_openssl_does_not_have_is_unsupported(monkeypatch):
    def missing(_data):
        raise UnsupportedAlgorithm("not in this build")

    monkeypatch.setattr(sshkeys.Ed25519PublicKey, "from_public_bytes", missing)
    with pytest.raises(KeyRefused, match="not in this build") as refused:
        _ = parse_blob(ALICE.blob).loaded
    assert refused.value.code == "unsupported"


def test_the_same_line_is_parsed_once():
    assert parse_key_line(f"{ALICE.line} one") is parse_key_line(f"{ALICE.line} two")


def test_importing_the_module_does_not_import_sshpubkeys():
    code = "import sys, gitverify.signatures.sshkeys as k; k.parse_blob; print('sshpubkeys' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
