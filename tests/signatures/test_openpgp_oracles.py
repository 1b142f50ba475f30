"""GnuPG and Sequoia as oracles, in both directions: what they make is read, and what differs is known and meant."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import openpgp_differences
import pysequoia
import pytest
from openpgp_certificate_differences import CERTIFICATES
from openpgp_difference import IS_EXPIRED, IS_REVOKED, NOT_BOUND
from openpgp_signature_differences import SIGNATURES
from pgporacles import BAD, GOOD, Gpg, sequoia, status

from fixtures.lib import pgpwriter as w
from gitverify.errors import KeyRefused
from gitverify.signatures.certificates import parse_certificates
from gitverify.signatures.keyring import Keyring, openpgp_signer
from gitverify.signatures.openpgp import GUIX, NATIVE
from gitverify.signatures.result import SignatureRefused

PAGE = Path(__file__).parents[2] / "docs" / "openpgp-differences.md"
PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.org> 1 +0000\n\nhello \n\nlast line"
MADE = 1_600_000_000  # when gpg makes its keys here: 2020-09-13
DAY = 86_400


@pytest.fixture(scope="module")
def gpg():
    """gpg with an empty home, whose path is short enough for its agent's socket."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as name:
        yield Gpg(Path(name))
        subprocess.run(["gpgconf", "--homedir", name, "--kill", "all"], check=True, capture_output=True)


def answer(text, payload, certificate, profile=NATIVE):
    try:
        openpgp_signer(text, payload, Keyring(parse_certificates(certificate)), profile)
    except SignatureRefused as refused:
        return refused.code
    return GOOD


def answer_on_certificate(text, payload, data):
    """What a native policy that lists the primary key and refuses expired keys would say."""
    signed = openpgp_signer(text, payload, Keyring(parse_certificates(data)), NATIVE)
    (certificate,) = parse_certificates(data)
    if certificate.hard_revoked(signed.key):
        return IS_REVOKED
    if certificate.expired(signed.key, signed.made_at):
        return IS_EXPIRED
    if signed.key != certificate.primary.fingerprint and not certificate.signs_for_primary(signed.key):
        return NOT_BOUND
    return GOOD


class TestDifferences:
    @pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: row.what)
    def test_signatures(self, row, gpg):
        assert answer(row.text, row.payload, row.certificate) == row.gitverify
        assert gpg.verdict(row.text, row.payload, row.certificate) == row.gpg
        assert sequoia(row.text, row.payload, row.certificate) == row.sequoia

    @pytest.mark.parametrize("row", CERTIFICATES, ids=lambda row: row.what)
    def test_certificates(self, row, gpg):
        assert answer_on_certificate(row.text, row.payload, row.certificate) == row.gitverify
        assert gpg.verdict(row.text, row.payload, row.certificate) == row.gpg
        assert sequoia(row.text, row.payload, row.certificate) == row.sequoia

    @pytest.mark.parametrize("row", SIGNATURES + CERTIFICATES, ids=lambda row: row.what)
    def test_rows_are_differences(self, row):
        assert len({answer == GOOD for answer in (row.gitverify, row.gpg, row.sequoia)}) == 2 or (
            row.gitverify == row.sequoia == "weak-signature"
        )

    def test_the_page_is_the_table(self):
        assert PAGE.read_text() == openpgp_differences.render()


KEY, SUBKEY = w.eddsa_key("agreed"), w.ecdsa_key("P-256", "agreed")
BOUND = w.certificate(KEY, w.subkey(KEY, SUBKEY))


class TestAgreement:
    """The three judge these alike."""

    @pytest.mark.parametrize(
        ("key", "shape"),
        [
            (w.rsa_key(), {"digest": "SHA256"}),
            (w.rsa_key(), {"digest": "SHA384"}),
            (w.rsa_key(2048, "sign-only", algorithm=3), {"digest": "SHA512"}),
            (w.dsa_key(2048, 224), {"digest": "SHA256"}),
            (w.dsa_key(2048, 256), {"digest": "SHA512"}),
            (w.ecdsa_key("P-256"), {"digest": "SHA512"}),
            (w.ecdsa_key("P-384"), {"digest": "SHA384"}),
            (w.ecdsa_key("P-521"), {"digest": "SHA512"}),
            (KEY, {}),
            (KEY, {"hashed": [w.created()]}),
            (KEY, {"unhashed": []}),
            (KEY, {"more": [w.subpacket(99, b"unknown")]}),
            (KEY, {"more": [w.subpacket(100, bytes(300), width=2), w.subpacket(100, b"", width=5)]}),
        ],
    )
    @pytest.mark.parametrize("kind", [w.BINARY, w.TEXT])
    def test_good(self, key, shape, kind, gpg):
        data = PAYLOAD if kind == w.BINARY else PAYLOAD.replace(b"\n", b"\r\n")
        text = w.armor(w.signature(key, data, type=kind, **shape))
        certificate = w.primary(key) + w.user_id(key, digest="SHA512")
        for payload, expected in ((PAYLOAD, GOOD), (PAYLOAD + b" ", "bad-signature")):
            assert answer(text, payload, certificate) == expected
            assert gpg.verdict(text, payload, certificate) == (GOOD if expected == GOOD else BAD)
            assert sequoia(text, payload, certificate) == (GOOD if expected == GOOD else BAD)

    @pytest.mark.parametrize(
        ("code", "text"),
        [
            ("weak-signature", w.armor(w.signature(KEY, PAYLOAD, digest="MD5"))),
            ("unsupported-signature", w.armor(w.signature(KEY, PAYLOAD, type=w.STANDALONE))),
            ("unsupported-signature", w.armor(w.signature(KEY, PAYLOAD, type=w.GENERIC))),
            ("unsupported-signature", w.armor(w.signature(KEY, PAYLOAD, type=w.POSITIVE))),
            ("unsupported-signature", w.armor(b"\x8b" + w.signature_body(KEY, PAYLOAD))),
            ("unsupported-signature", w.armor(b"\xc2\xe6" + w.signature_body(KEY, PAYLOAD))),
            ("unsupported-signature", w.armor(w.signature(KEY, PAYLOAD)[:-1])),
            ("unsupported-signature", w.armor(w.packet(2, b"\3" + w.signature_body(KEY, PAYLOAD)[1:]))),
            ("bad-signature", w.armor(w.signature(KEY, PAYLOAD, hashed=[w.issuer(KEY)]))),
            ("bad-signature", w.armor(w.signature(KEY, PAYLOAD, more=[w.subpacket(99, b"", critical=True)]))),
            ("bad-signature", w.armor(w.signature(KEY, PAYLOAD, more=[w.subpacket(31, bytes(22), critical=True)]))),
            ("bad-signature", w.armor(w.signature(KEY, PAYLOAD, values=lambda octets: octets[:34] + w.mpi(1)))),
            ("unknown-key", w.armor(w.signature(w.eddsa_key("nobody"), PAYLOAD))),
            ("unsupported-signature", w.armor(w.signature(KEY, PAYLOAD, hashed=[w.created()], unhashed=[]))),
        ],
    )
    def test_refused(self, code, text, gpg):
        certificate = w.certificate(KEY)
        assert answer(text, PAYLOAD, certificate) == code
        assert gpg.verdict(text, PAYLOAD, certificate) == BAD
        assert sequoia(text, PAYLOAD, certificate) == BAD

    @pytest.mark.parametrize(
        ("expected", "certificate"),
        [
            (GOOD, BOUND),
            (NOT_BOUND, w.certificate(KEY, w.subkey(KEY, SUBKEY, flags=w.MAY_ENCRYPT, back=None))),
            (NOT_BOUND, w.certificate(KEY, w.subkey(KEY, SUBKEY, back=None))),
            (NOT_BOUND, w.certificate(KEY, w.subkey(KEY, SUBKEY, back=w.back_signature(w.rsa_key(), SUBKEY)))),
            (IS_EXPIRED, w.certificate(KEY, w.packet(w.PUBLIC_SUBKEY, SUBKEY.body))),
            (IS_EXPIRED, w.certificate(KEY, w.subkey(KEY, SUBKEY, by=w.rsa_key()))),
            (IS_EXPIRED, w.certificate(KEY, w.subkey(KEY, SUBKEY, digest="MD5"))),
            (IS_EXPIRED, w.certificate(KEY, w.subkey(KEY, SUBKEY, more=[w.subpacket(99, b"", critical=True)]))),
            (IS_EXPIRED, w.certificate(KEY, w.subkey(KEY, SUBKEY, more=[w.key_expiration(DAY)]))),
            (IS_REVOKED, w.certificate(KEY, w.subkey(KEY, SUBKEY), w.revocation(KEY, SUBKEY))),
            (IS_REVOKED, w.certificate(KEY, w.subkey(KEY, SUBKEY), w.revocation(KEY, SUBKEY, None))),
            (IS_REVOKED, w.primary(KEY) + w.revocation(KEY) + w.user_id(KEY) + w.subkey(KEY, SUBKEY)),
            (IS_REVOKED, w.primary(KEY) + w.revocation(KEY, code=100) + w.user_id(KEY) + w.subkey(KEY, SUBKEY)),
            (GOOD, w.primary(KEY) + w.revocation(KEY, by=SUBKEY) + w.user_id(KEY) + w.subkey(KEY, SUBKEY)),
            (GOOD, w.certificate(KEY, w.subkey(KEY, SUBKEY), w.revocation(KEY, w.rsa_key()))),
        ],
    )
    def test_certificates(self, expected, certificate, gpg):
        text = w.armor(w.signature(SUBKEY, PAYLOAD))
        assert answer_on_certificate(text, PAYLOAD, certificate) == expected
        assert (gpg.verdict(text, PAYLOAD, certificate) == GOOD) == (expected == GOOD)
        assert sequoia(text, PAYLOAD, certificate) == (GOOD if expected == GOOD else BAD)


@pytest.fixture(scope="module")
def alice(gpg):
    """An RSA key made by gpg, with a signing subkey that expires, and an encryption subkey."""
    return _generate(gpg, "alice <alice@example.org>", "rsa2048", "ed25519")


def _generate(gpg, name, primary, subkey):
    common = ["--pinentry-mode", "loopback", "--passphrase", ""]
    gpg.run(*common, "--quick-generate-key", name, primary, "sign,cert", "never", now=MADE)
    listed = gpg.run("--with-colons", "--list-keys", f"={name}").split(b"\n")
    fingerprint = next(line.split(b":")[9] for line in listed if line.startswith(b"fpr:")).decode()
    gpg.run(*common, "--quick-add-key", fingerprint, subkey, "sign", "30d", now=MADE)
    gpg.run(*common, "--quick-add-key", fingerprint, "cv25519", "encr", "never", now=MADE)
    return fingerprint


def sign(gpg, key, *options, payload=PAYLOAD, now=MADE + 5 * DAY):
    return gpg.run("--local-user", key, "--armor", "--detach-sign", *options, data=payload, now=now)


class TestMadeByGpg:
    OPTIONS = (
        [],
        ["--textmode"],
        ["--digest-algo", "SHA384"],
        ["--comment", "a comment: with a colon"],
        ["--emit-version"],
        ["--sender", "alice@example.org"],
        ["--set-notation", "note@example.org=value", "--sig-policy-url", "https://example.org/"],
        ["--set-notation", "!critical@example.org=value", "--sig-policy-url", "!https://example.org/"],
        ["--default-sig-expire", "2d"],
    )

    @pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
    def test_signatures_by_primary_key_and_subkey(self, options, gpg, alice):
        (certificate,) = parse_certificates(gpg.run("--export", alice))
        subkey = certificate.subkeys[0].fingerprint
        for key in (alice, subkey):
            text = sign(gpg, key + "!", *options)
            signed = openpgp_signer(text, PAYLOAD, Keyring([certificate]), NATIVE)
            assert (signed.key, signed.made_at) == (key, MADE + 5 * DAY)
            assert answer(text, PAYLOAD[:-1], gpg.run("--export", alice)) == "bad-signature"
            guix = answer(text, PAYLOAD, gpg.run("--export", alice), GUIX)
            assert guix == ("unsupported-signature" if options == ["--textmode"] else GOOD)

    def test_sha1(self, gpg, alice):
        text = sign(gpg, alice + "!", "--digest-algo", "SHA1")
        assert answer(text, PAYLOAD, gpg.run("--export", alice)) == "weak-signature"

    @pytest.mark.parametrize("algorithm", ["ed25519", "nistp256", "nistp384", "brainpoolP384r1", "dsa2048"])
    def test_algorithms(self, algorithm, gpg):
        name = f"{algorithm} <test@example.org>"
        gpg.run("--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key", name, algorithm, now=MADE)
        certificate = gpg.run("--export", f"={name}")
        text = sign(gpg, f"={name}")
        assert answer(text, PAYLOAD, certificate) == GOOD
        assert answer(text, PAYLOAD + b"!", certificate) == "bad-signature"

    def test_a_signature_by_each_of_two_keys(self, gpg, alice):
        (certificate,) = parse_certificates(gpg.run("--export", alice))
        subkey = certificate.subkeys[0].fingerprint
        text = sign(gpg, alice + "!", "--local-user", subkey + "!")
        assert gpg.verdict(text, PAYLOAD, gpg.run("--export", alice), now=MADE + 6 * DAY) == GOOD
        with pytest.raises(SignatureRefused) as refused:
            openpgp_signer(text, PAYLOAD, Keyring([certificate]), NATIVE)
        assert (refused.value.code, set(refused.value.keys)) == ("bad-signature", {alice, subkey})

    @pytest.mark.parametrize("options", [[], ["--armor"], ["--export-options", "export-minimal"]])
    def test_certificates(self, options, gpg, alice):
        (certificate,) = parse_certificates(gpg.run(*options, "--export", alice, now=MADE + DAY))
        signing, encryption = (key.fingerprint for key in certificate.subkeys)
        assert certificate.primary.fingerprint == alice
        assert certificate.user_ids == (b"alice <alice@example.org>",)
        assert certificate.signs_for_primary(signing)
        assert not certificate.signs_for_primary(encryption)
        assert not any(certificate.hard_revoked(key) for key in (alice, signing, encryption))
        assert [certificate.expired(alice, at) for at in (MADE, 1 << 40)] == [False, False]
        assert [certificate.expired(signing, MADE + 30 * DAY + step) for step in (-1, 0)] == [False, True]

    def test_several_certificates_in_one_export(self, gpg, alice):
        bob = _generate(gpg, "bob <bob@example.org>", "ed25519", "ed25519")
        for options in ([], ["--armor"]):
            found = parse_certificates(gpg.run(*options, "--export", alice, bob))
            assert [certificate.primary.fingerprint for certificate in found] == [alice, bob]

    def test_a_changed_expiry(self, gpg):
        carol = _generate(gpg, "carol <carol@example.org>", "ed25519", "rsa2048")
        expiries = []
        for period in ("10d", "20d", "0"):
            gpg.run("--quick-set-expire", carol, period, now=MADE + (len(expiries) + 1) * DAY)
            (certificate,) = parse_certificates(gpg.run("--export", carol))
            expiries.append([certificate.expired(carol, MADE + day * DAY) for day in (10, 12, 21, 23, 10_000)])
        assert expiries == [[False, True, True, True, True], [False, False, False, True, True], [False] * 5]

    def test_its_own_revocation_certificate(self, gpg):
        dave = _generate(gpg, "dave <dave@example.org>", "ed25519", "ed25519")
        (before,) = parse_certificates(gpg.run("--export", dave))
        # gpg puts a colon before the marker, against using it by accident
        text = (gpg.home / "openpgp-revocs.d" / f"{dave}.rev").read_bytes().replace(b":-----BEGIN", b"-----BEGIN")
        gpg.run("--import", data=text)
        (after,) = parse_certificates(gpg.run("--export", dave))
        for key in (dave, after.subkeys[0].fingerprint):
            assert not before.hard_revoked(key)
            assert after.hard_revoked(key)

    def test_a_secret_key_is_no_certificate(self, gpg, alice):
        with pytest.raises(KeyRefused):
            parse_certificates(gpg.run("--export-secret-keys", alice))


class TestMadeBySequoia:
    @pytest.mark.parametrize("profile", [pysequoia.Profile.RFC4880, pysequoia.Profile.RFC9580])
    @pytest.mark.parametrize("suite", ["Cv25519", "RSA2k", "P256", "P384", "P521", "Cv448"])
    def test_signatures_and_certificates(self, profile, suite):
        try:
            key = pysequoia.Tsk.generate("a <a@example.org>", cipher_suite=suite_of(suite), profile=profile)
            text = pysequoia.sign(key.signer(), PAYLOAD, mode=pysequoia.SignatureMode.DETACHED)
        except Exception as error:  # noqa: BLE001  (it has one type of exception for all)
            pytest.skip(f"this build of Sequoia makes no such key: {error}")
        data = bytes(key.extract_certificate())
        (certificate,) = parse_certificates(data)
        signed = openpgp_signer(bytes(text), PAYLOAD, Keyring([certificate]), NATIVE)
        assert answer(bytes(text), PAYLOAD + b"!", data) == "bad-signature"
        assert certificate.primary.fingerprint == key.extract_certificate().fingerprint.upper()
        assert certificate.primary.version == (6 if profile == pysequoia.Profile.RFC9580 else 4)
        assert certificate.signs_for_primary(signed.key)
        assert not certificate.hard_revoked(signed.key)
        assert not certificate.expired(signed.key, signed.made_at)
        assert certificate.expired(signed.key, signed.made_at + 4000 * DAY) == (
            key.extract_certificate().expiration is not None
        )

    def test_revocation(self):
        key = pysequoia.Tsk.generate("a <a@example.org>")
        certificate = key.extract_certificate()
        revoked = pysequoia.Cert.from_bytes(bytes(certificate) + bytes(certificate.revoke(key.certifier())))
        name = certificate.fingerprint.upper()
        assert [c.hard_revoked(name) for c in parse_certificates(bytes(certificate))] == [False]
        assert [c.hard_revoked(name) for c in parse_certificates(bytes(revoked))] == [True]


def suite_of(name):
    return getattr(pysequoia.CipherSuite, name)


def test_status_lines_end_at_a_line_feed_only():
    """A user ID may hold what other programs split lines at, and then look like a status line."""
    said = b"[GNUPG:] GOODSIG 1 a\r[GNUPG:] VALIDSIG x\x0b[GNUPG:] y\xe2\x80\xa8[GNUPG:] z\nother\n[GNUPG:] TRUST\n"
    assert status(said)[1:] == [b"TRUST"]
    assert status(said)[0].startswith(b"GOODSIG 1 a\r")


def test_a_user_id_that_forges_a_status_line(gpg):
    """R8: what verifies is a key. The user ID is not looked at, here or in the oracle."""
    key, other = w.eddsa_key("forger"), w.eddsa_key("forged")
    user_id = b"x\n[GNUPG:] VALIDSIG %s 2020-09-13 1600000000 0 4 0 22 8 00 %s\n" % ((other.name.encode(),) * 2)
    certificate = w.primary(key) + w.user_id(key, user_id)
    text = w.armor(w.signature(key, PAYLOAD))
    assert openpgp_signer(text, PAYLOAD, Keyring(parse_certificates(certificate)), NATIVE).key == key.name
    assert gpg.verdict(text, PAYLOAD, certificate) == GOOD
    assert gpg.verdict(text, b"other", certificate) == BAD
