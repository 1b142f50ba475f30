"""SSHSIG: what counts, what does not, with ssh-keygen as the oracle in both directions."""

from __future__ import annotations

import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ssh_differences import PAYLOAD
from sshkeygen import accepts, git_accepts

from fixtures.lib.sshwriter import (
    USER_PRESENT,
    USER_VERIFIED,
    Ecdsa,
    Ed25519,
    Rsa,
    SkEcdsa,
    SkEd25519,
    armor,
    certificate,
    ecdsa_numbers,
    envelope,
    mpint,
    sshsig,
    string,
    to_be_signed,
    webauthn,
)
from gitverify.limits import LIMITS
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.sshkeys import parse_key_line
from gitverify.signatures.sshsig import public_key, ssh_signer

ALICE = Ed25519("alice")
RSA = Rsa("alice")
TOKEN = SkEd25519("alice")
BOTH = USER_PRESENT | USER_VERIFIED


SIGNERS = [
    ALICE,
    Ecdsa("alice"),
    Ecdsa("alice", bits=384),
    Ecdsa("alice", bits=521),
    RSA,
    Rsa("alice", as_algorithm=b"rsa-sha2-256"),
    TOKEN,
    SkEcdsa("alice"),
    SkEd25519("alice", flags=BOTH),
    SkEcdsa("alice", flags=BOTH),
    SkEd25519("alice", application=b"ssh:second"),
]


@pytest.mark.parametrize("digest", [b"sha256", b"sha512"])
@pytest.mark.parametrize("key", SIGNERS, ids=lambda key: type(key).__name__)
def test_a_good_signature_names_its_key(key, digest, tmp_path):
    text = sshsig(key, PAYLOAD, digest=digest)
    signed = ssh_signer(text, PAYLOAD)
    assert signed.key == key.id
    assert signed.made_at == 0
    assert accepts(text, PAYLOAD, tmp_path)


@pytest.mark.parametrize("key", SIGNERS, ids=lambda key: type(key).__name__)
def test_other_bytes_are_not_signed(key, tmp_path):
    text = sshsig(key, PAYLOAD)
    with pytest.raises(SignatureRefused, match="does not fit") as refused:
        ssh_signer(text, PAYLOAD + b"\n")
    assert refused.value.code == "bad-signature"
    assert refused.value.keys == (key.id,)
    assert not accepts(text, PAYLOAD + b"\n", tmp_path)


def test_who_was_verified_is_said_of_security_keys_only():
    assert ssh_signer(sshsig(ALICE, PAYLOAD), PAYLOAD).user_verified is None
    assert ssh_signer(sshsig(RSA, PAYLOAD), PAYLOAD).user_verified is None
    assert ssh_signer(sshsig(TOKEN, PAYLOAD), PAYLOAD).user_verified is False
    assert ssh_signer(sshsig(SkEd25519("alice", flags=BOTH), PAYLOAD), PAYLOAD).user_verified is True
    assert ssh_signer(sshsig(SkEcdsa("alice", flags=BOTH), PAYLOAD), PAYLOAD).user_verified is True


@pytest.mark.parametrize("key", [ALICE, Ecdsa("alice"), Ecdsa("alice", bits=521), RSA], ids=lambda k: type(k).__name__)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_good(key, digest, tmp_path):
    private = tmp_path / "key"
    private.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    private.chmod(0o600)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-O", f"hashalg={digest}", "-f", private]
    text = subprocess.run(command, input=PAYLOAD, capture_output=True, check=True).stdout
    assert ssh_signer(text, PAYLOAD).key == key.id


@pytest.mark.parametrize("key", [ALICE, SkEd25519("a"), SkEcdsa("a")], ids=lambda k: type(k).__name__)
def test_git_would_find_the_signer(key, tmp_path):
    signers = f'alice@example.org namespaces="git" {key.line}\n'.encode()
    assert git_accepts(signers, sshsig(key, PAYLOAD), PAYLOAD, tmp_path, date=1_700_000_000)
    assert not git_accepts(signers, sshsig(key, PAYLOAD), PAYLOAD + b"x", tmp_path, date=1_700_000_000)


GOOD = sshsig(ALICE, PAYLOAD)

# Unusual, and taken by both.
TAKEN = {
    "no line end at the end": GOOD.rstrip(b"\n"),
    "one long line": armor(envelope(ALICE, PAYLOAD), width=10_000),
    "short lines": armor(envelope(ALICE, PAYLOAD), width=3),
    "blank lines": GOOD.replace(b"\n", b"\n\n", 3),
    "a reserved field": sshsig(ALICE, PAYLOAD, reserved=b"something new"),
    "zeros before the numbers of an ECDSA signature": sshsig(Ecdsa("alice", zeros=3), PAYLOAD),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_unusual_is_taken_where_ssh_keygen_takes_it(name, tmp_path):
    assert ssh_signer(TAKEN[name], PAYLOAD).key in {ALICE.id, Ecdsa("alice").id}
    assert accepts(TAKEN[name], PAYLOAD, tmp_path)


def test_crlf_line_ends_are_taken():
    # Newer versions of ssh-keygen take them too.
    assert ssh_signer(armor(envelope(ALICE, PAYLOAD), eol=b"\r\n"), PAYLOAD).key == ALICE.id


def test_a_signature_has_a_limit():
    filled = GOOD.replace(b"\n", b"\n" * (LIMITS.signature_size - len(GOOD) + 1), 1)
    assert ssh_signer(filled, PAYLOAD).key == ALICE.id
    with pytest.raises(SignatureRefused, match="too long") as refused:
        ssh_signer(filled.replace(b"\n", b"\n\n", 1), PAYLOAD)
    assert refused.value.code == "unsupported-signature"


def test_leading_zeros_may_be_missing_from_an_rsa_signature(tmp_path):
    for number in range(2000):
        payload = b"%d" % number
        raw = RSA.sign(to_be_signed(payload))[20:]
        if raw[0] == 0:
            break
    short = string(b"rsa-sha2-512") + string(raw.lstrip(b"\0"))
    text = sshsig(RSA, payload, signature=short)
    assert len(raw.lstrip(b"\0")) < 256
    assert ssh_signer(text, payload).key == RSA.id
    assert accepts(text, payload, tmp_path)
    with pytest.raises(SignatureRefused, match="does not fit"):
        ssh_signer(sshsig(RSA, payload, signature=string(b"rsa-sha2-512") + string(b"\0" + raw)), payload)


def signed(key, **unusual):
    return sshsig(key, PAYLOAD, **unusual)


MESSAGE = to_be_signed(PAYLOAD)
RAW = ALICE.private.sign(MESSAGE)
P256 = Ecdsa("alice")

# name: (signature text, code, part of the message, whether the key is named); ssh-keygen refuses all of them too.
REFUSED = {
    "empty": (b"", "unsupported-signature", "BEGIN", None),
    "no begin line": (GOOD[1:], "unsupported-signature", "BEGIN", None),
    "text before": (b"\n" + GOOD, "unsupported-signature", "BEGIN", None),
    "text on the begin line": (GOOD.replace(b"\n", b" \n", 1), "bad-signature", "BEGIN", ALICE),
    "no end line": (GOOD.replace(b"-----END", b"END"), "bad-signature", "END", ALICE),
    "begin and end in one": (
        b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        "unsupported-signature",
        "no SSH signature",
        None,
    ),
    "nothing inside": (armor(b""), "unsupported-signature", "no SSH signature", None),
    "no base64": (GOOD.replace(b"\n", b"\n\xff", 1), "bad-signature", "clean", ALICE),
    "a lone CR": (GOOD.replace(b"U1NI", b"U1N\rI\0", 1), "bad-signature", "clean", ALICE),
    "cut base64": (
        b"-----BEGIN SSH SIGNATURE-----\nU1NIU\n-----END SSH SIGNATURE-----\n",
        "unsupported-signature",
        "not base64",
        None,
    ),
    "text after the padding": (GOOD.replace(b"\n-----END", b"A\n-----END"), "bad-signature", "clean", ALICE),
    "another magic": (signed(ALICE, magic=b"SSHSIX"), "unsupported-signature", "no SSH signature", None),
    "version 2": (signed(ALICE, version=2), "unsupported-signature", "version 2", None),
    "only the magic": (armor(b"SSHSIG"), "unsupported-signature", "no SSH signature", None),
    "only the head": (armor(b"SSHSIG\0\0\0\1"), "unsupported-signature", "cut off", None),
    "cut in a string": (armor(envelope(ALICE, PAYLOAD)[:-1]), "bad-signature", "cut off", ALICE),
    "trailing byte": (signed(ALICE, trailing=b"\0"), "bad-signature", "trails", ALICE),
    "trailing signature": (signed(ALICE, trailing=string(ALICE.sign(MESSAGE))), "bad-signature", "trails", ALICE),
    "no key": (signed(ALICE, public=b""), "unsupported-signature", "cut off", None),
    "key with a trailing byte": (signed(ALICE, public=ALICE.blob + b"\0"), "unsupported-signature", "trails", None),
    "key cut": (signed(ALICE, public=ALICE.blob[:-1]), "unsupported-signature", "cut off", None),
    "unknown key type": (
        signed(ALICE, public=string(b"ssh-new") + string(b"")),
        "unsupported-signature",
        "ssh-new",
        None,
    ),
    "another key's signature": (signed(ALICE, public=Ed25519("bob").blob), "bad-signature", "fit", Ed25519("bob")),
    "namespace file": (signed(ALICE, namespace=b"file"), "bad-signature", "namespace “file”", ALICE),
    "namespace git and NUL": (signed(ALICE, namespace=b"git\0"), "bad-signature", r"namespace “git\\x00”", ALICE),
    "empty namespace": (signed(ALICE, namespace=b""), "bad-signature", "namespace “”", ALICE),
    "signed for another namespace": (
        signed(ALICE, signature=ALICE.sign(to_be_signed(PAYLOAD, b"file"))),
        "bad-signature",
        "does not fit",
        ALICE,
    ),
    "reserved bytes signed": (
        signed(ALICE, reserved=b"x", signed_reserved=b"x"),
        "bad-signature",
        "does not fit",
        ALICE,
    ),
    "hash sha1": (signed(ALICE, digest=b"sha1"), "weak-signature", "hash sha1", ALICE),
    "hash md5": (signed(ALICE, digest=b"md5"), "weak-signature", "hash md5", ALICE),
    "hash sha384": (signed(ALICE, digest=b"sha384"), "unsupported-signature", "hash sha384", ALICE),
    "no signature": (signed(ALICE, signature=b""), "bad-signature", "cut off", ALICE),
    "signature without its bytes": (signed(ALICE, signature=string(b"ssh-ed25519")), "bad-signature", "cut", ALICE),
    "another algorithm": (
        signed(ALICE, signature=string(b"ssh-rsa") + string(RAW)),
        "bad-signature",
        "ssh-rsa does not fit the key's type ssh-ed25519",
        ALICE,
    ),
    "a short Ed25519 signature": (
        signed(ALICE, signature=string(b"ssh-ed25519") + string(RAW[:-1])),
        "bad-signature",
        "does not fit",
        ALICE,
    ),
    "bytes after the signature": (
        signed(ALICE, signature=ALICE.sign(MESSAGE) + b"\0"),
        "bad-signature",
        "trails",
        ALICE,
    ),
    "ssh-rsa": (signed(Rsa("alice", as_algorithm=b"ssh-rsa")), "weak-signature", "SHA-1", RSA),
    "rsa by another name": (
        signed(RSA, signature=string(b"rsa-sha2-384") + RSA.sign(MESSAGE)[16:]),
        "bad-signature",
        "rsa-sha2-384 does not fit",
        RSA,
    ),
    "rsa hash mismatch": (
        signed(RSA, signature=string(b"rsa-sha2-256") + RSA.sign(MESSAGE)[16:]),
        "bad-signature",
        "does not fit",
        RSA,
    ),
    "ecdsa of another curve": (
        signed(P256, signature=string(b"ecdsa-sha2-nistp384") + P256.sign(MESSAGE)[23:]),
        "bad-signature",
        "ecdsa-sha2-nistp384 does not fit",
        P256,
    ),
    "ecdsa with a negative number": (
        signed(P256, signature=string(b"ecdsa-sha2-nistp256") + string(string(b"\x80") + mpint(1))),
        "bad-signature",
        "negative",
        P256,
    ),
    "ecdsa with a second negative number": (
        signed(P256, signature=string(b"ecdsa-sha2-nistp256") + string(mpint(1) + string(b"\xff"))),
        "bad-signature",
        "negative",
        P256,
    ),
    "ecdsa of zeros": (
        signed(P256, signature=string(b"ecdsa-sha2-nistp256") + string(string(b"") + string(b""))),
        "bad-signature",
        "does not fit",
        P256,
    ),
    "ecdsa with huge numbers": (
        signed(P256, signature=string(b"ecdsa-sha2-nistp256") + string(mpint(1 << 16_000) + mpint(1))),
        "bad-signature",
        "does not fit",
        P256,
    ),
    "ecdsa with three numbers": (
        signed(
            P256,
            signature=string(b"ecdsa-sha2-nistp256") + string(ecdsa_numbers(P256.private, MESSAGE)[4:] + mpint(1)),
        ),
        "bad-signature",
        "trails",
        P256,
    ),
    "a token's signature without flags": (
        signed(TOKEN, signature=TOKEN.sign(MESSAGE)[:-5]),
        "bad-signature",
        "flags",
        TOKEN,
    ),
    "a token's signature with more": (
        signed(TOKEN, signature=TOKEN.sign(MESSAGE) + b"\0"),
        "bad-signature",
        "flags",
        TOKEN,
    ),
    "a token's counter changed": (
        signed(TOKEN, signature=TOKEN.sign(MESSAGE)[:-1] + b"\x08"),
        "bad-signature",
        "does not fit",
        TOKEN,
    ),
    "a token's presence claimed": (
        signed(TOKEN, signature=SkEd25519("alice", flags=0).sign(MESSAGE)[:-5] + TOKEN.sign(MESSAGE)[-5:]),
        "bad-signature",
        "does not fit",
        TOKEN,
    ),
    "a token for another application": (
        signed(TOKEN, signature=SkEd25519("alice", application=b"ssh:x").sign(MESSAGE)),
        "bad-signature",
        "does not fit",
        TOKEN,
    ),
    "a token's key used as an ordinary one": (
        signed(TOKEN, signature=string(b"sk-ssh-ed25519@openssh.com") + string(TOKEN.private.sign(MESSAGE)) + bytes(5)),
        "bad-signature",
        "does not fit",
        TOKEN,
    ),
    "an ordinary signature by a token's key": (
        signed(TOKEN, signature=ALICE.sign(MESSAGE)),
        "bad-signature",
        "ssh-ed25519 does not fit",
        TOKEN,
    ),
    "an ecdsa token's counter changed": (
        signed(SkEcdsa("alice"), signature=SkEcdsa("alice").sign(MESSAGE)[:-1] + b"\x08"),
        "bad-signature",
        "does not fit",
        SkEcdsa("alice"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_proves_nothing_is_refused(name, tmp_path):
    text, code, message, key = REFUSED[name]
    with pytest.raises(SignatureRefused, match=message) as refused:
        ssh_signer(text, PAYLOAD)
    assert refused.value.code == code
    assert refused.value.keys == (() if key is None else (key.id,))
    assert refused.value.__cause__ is None
    assert not accepts(text, PAYLOAD, tmp_path)


def test_a_namespace_is_checked_for_what_ssh_keygen_takes_it_for(tmp_path):
    text = sshsig(ALICE, PAYLOAD, namespace=b"file")
    assert accepts(text, PAYLOAD, tmp_path, namespace="file")
    with pytest.raises(SignatureRefused, match="not for “git”"):
        ssh_signer(text, PAYLOAD)


def test_a_dsa_key_is_weak():
    public = string(b"ssh-dss") + b"".join(mpint(n) for n in (23, 11, 4, 8))
    with pytest.raises(SignatureRefused, match="ssh-dss") as refused:
        ssh_signer(sshsig(ALICE, PAYLOAD, public=public), PAYLOAD)
    assert refused.value.code == "weak-signature"


def test_a_certificate_and_a_web_signature_are_unsupported():
    public = certificate(ALICE, Ed25519("authority"), b"alice")
    with pytest.raises(SignatureRefused, match="certificate") as refused:
        ssh_signer(sshsig(ALICE, PAYLOAD, public=public), PAYLOAD)
    assert (refused.value.code, refused.value.keys) == ("unsupported-signature", ())
    token = SkEcdsa("alice")
    with pytest.raises(SignatureRefused, match="webauthn") as refused:
        ssh_signer(sshsig(token, PAYLOAD, signature=webauthn(token, MESSAGE)), PAYLOAD)
    assert (refused.value.code, refused.value.keys) == ("unsupported-signature", (token.id,))


@pytest.mark.parametrize("length", range(0, len(GOOD) - 1, 7))
def test_a_signature_cut_anywhere_is_refused(length):
    with pytest.raises(SignatureRefused):
        ssh_signer(GOOD[:length], PAYLOAD)


@pytest.mark.parametrize("key", SIGNERS, ids=lambda key: type(key).__name__)
def test_the_key_that_a_signature_brings_along_can_be_listed(key):
    found = public_key(sshsig(key, PAYLOAD))
    assert found is not None
    assert found.fingerprint == key.id
    assert parse_key_line(found.line) == found


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----\n",
        armor(b"SSHSIG"),
        armor(b"SSHSIG\0\0\0\1\0\0\0\xff"),
        armor(b"SSHSIG\0\0\0\1\0\0\0\1x"),
    ],
)
def test_where_there_is_no_key_there_is_none(text):
    assert public_key(text) is None
