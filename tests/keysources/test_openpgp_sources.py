"""Certificates from gpg's keyring: what it says is not believed, what it hands over is read."""

from dataclasses import replace

import pytest
from keyplaces import CLEAN, gpg_home

from fixtures.lib import pgpwriter
from fixtures.lib.keys import CAROL, DAVE, ERIN, EXPIRED, PGP_RSA1024, REVOKED, TRENT
from gitverify.keysources import openpgp
from gitverify.keysources.errors import KeyNotFound
from gitverify.signatures.certificates import parse_certificates

NOW = 1_750_000_000
CAROL_ADDRESS = parse_certificates(CAROL.certificate)[0].user_ids[0].decode().partition("<")[2].rstrip(">")


def find(home, wanted, **more):
    return openpgp.find_certificate(wanted, CLEAN | {"GNUPGHOME": home}, now=NOW, **more)


@pytest.fixture(scope="module")
def home():
    keys = (CAROL, DAVE, ERIN, EXPIRED, REVOKED, PGP_RSA1024)
    with gpg_home(public=keys) as place:
        yield place


@pytest.mark.parametrize("key", [CAROL, DAVE, ERIN])
def test_by_fingerprint_key_id_and_subkey(home, key):
    spaced = " ".join(key.id[at : at + 4] for at in range(0, 40, 4))
    for wanted in (key.id, key.id.lower(), spaced, f"0x{key.id}", key.id[-16:], key.signing.name, f"{key.id}!"):
        found = find(home, wanted)
        assert found.fingerprint == key.id
        assert found.entry == f"openpgp: {key.id}"
        assert key.signing.name in found.signing
        (certificate,) = parse_certificates(found.armored)
        assert certificate.primary.fingerprint == key.id
        assert found.armored.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")


def test_by_address(home):
    for wanted in (CAROL_ADDRESS, CAROL_ADDRESS.upper(), f"<{CAROL_ADDRESS}>"):
        assert find(home, wanted).fingerprint == CAROL.id


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (EXPIRED, "has expired"),
        (REVOKED, "is revoked"),
        (PGP_RSA1024, "no key that can sign: it is a 1024-bit RSA key"),
    ],
)
def test_certificates_that_cannot_sign(home, key, why):
    with pytest.raises(KeyNotFound, match=why):
        find(home, key.id)


@pytest.mark.parametrize("wanted", ["", "alice", "DEADBEEF", "--yes", "-o/tmp/x@y z", "=Carol", "a@b\n", "\x1b[2J"])
def test_what_names_no_certificate(home, wanted):
    with pytest.raises(KeyNotFound, match="no certificate") as error:
        find(home, wanted)
    assert "\x1b" not in str(error.value)


def test_one_that_is_not_there(home):
    with pytest.raises(KeyNotFound, match="gpg --list-keys"):
        find(home, TRENT.id)


def test_gpg_that_is_not_there(home):
    with pytest.raises(KeyNotFound, match="can't be run"):
        find(home, CAROL.id, program="/nonexistent/gpg")


HOSTILE = [
    b"Mallory\xc2\x85[GNUPG:] EXPORTED 0000 <mallory@example.org>",
    b"Mallory\x0b[GNUPG:] IMPORT_OK x y <mallory@example.org>",
    b"Mallory\n[GNUPG:] KEYEXPIRED <mallory@example.org>",
    b"Mallory \xe2\x80\xa8fpr:::::::::%s: <mallory@example.org>" % CAROL.id.encode(),
    b"Mallory \xff\xfe\x85\x1b[2J <mallory@example.org>",
]


def certificate(key, name, *parts):
    return pgpwriter.primary(key) + pgpwriter.user_id(key, name) + b"".join(parts)


@pytest.fixture
def keyring(tmp_path):
    """Make a keyring of carol's certificate and others; the test's body runs with it."""

    def make(*certificates):
        files = []
        for number, data in enumerate(certificates):
            path = tmp_path / f"{number}.pgp"
            path.write_bytes(data)
            files.append(path)
        return gpg_home(public=[CAROL], files=files)

    return make


@pytest.mark.parametrize("name", HOSTILE)
def test_a_user_id_cannot_speak_for_gpg(keyring, name):
    mallory = pgpwriter.eddsa_key("hostile")
    with keyring(certificate(mallory, name)) as home:
        assert find(home, CAROL.id).fingerprint == CAROL.id
        found = find(home, "mallory@example.org")
        assert found.fingerprint == mallory.name
        assert found.user_ids == (name,)
        with pytest.raises(KeyNotFound, match="no certificate"):
            find(home, TRENT.id)


def test_an_address_that_two_claim(keyring):
    mallory = pgpwriter.eddsa_key("claims")
    with keyring(certificate(mallory, b"\x1b[2JCarol <%s>" % CAROL_ADDRESS.encode())) as home:
        with pytest.raises(KeyNotFound, match="has 2 certificates") as error:
            find(home, CAROL_ADDRESS)
        assert CAROL.id in str(error.value)
        assert mallory.name in str(error.value)
        assert "\x1b" not in str(error.value)
        assert find(home, CAROL.id).fingerprint == CAROL.id


def test_of_an_address_with_a_revoked_certificate_the_other_is_meant(keyring):
    mine = pgpwriter.eddsa_key("before")
    gone = pgpwriter.primary(mine) + pgpwriter.revocation(mine, code=2)
    gone += pgpwriter.user_id(mine, b"Carol <%s>" % CAROL_ADDRESS.encode())
    with keyring(gone) as home:
        assert find(home, CAROL_ADDRESS).fingerprint == CAROL.id


def test_another_mans_key_among_the_subkeys(keyring):
    """Anyone can put a public key below his own; it is his subkey where it says so itself."""
    mallory = pgpwriter.eddsa_key("collector")
    body = pgpwriter.subkey(mallory, CAROL.primary, back=None)
    with keyring(certificate(mallory, b"M <m@example.org>", body)) as home:
        assert find(home, CAROL.id).fingerprint == CAROL.id


def test_other_peoples_signatures_stay_behind(keyring):
    stranger = pgpwriter.eddsa_key("stranger")
    mallory = pgpwriter.eddsa_key("signed by many")
    name = b"M <m@example.org>"
    vouched = pgpwriter.user_id(mallory, name, by=stranger)[len(pgpwriter.packet(13, name)) :]
    with keyring(certificate(mallory, name) + vouched) as home:
        (found,) = parse_certificates(find(home, mallory.name).armored)
        assert len(found.named[0].signatures) == 1


def test_bytes_of_another_certificate_are_refused():
    """What comes back from reducing is read again, whatever gpg did."""
    with pytest.raises(KeyNotFound, match="another certificate"):
        openpgp.checked(DAVE.certificate, CAROL.id, now=NOW)
    with pytest.raises(KeyNotFound, match="another certificate"):
        openpgp.checked(CAROL.certificate + DAVE.certificate, CAROL.id, now=NOW)
    with pytest.raises(KeyNotFound, match="gave no certificate"):
        openpgp.checked(b"", CAROL.id, now=NOW)
    with pytest.raises(KeyNotFound, match="has expired"):
        openpgp.checked(EXPIRED.certificate, EXPIRED.id, now=NOW)
    assert openpgp.checked(CAROL.certificate, CAROL.id, now=NOW).fingerprint == CAROL.id


def test_a_gpg_that_gives_no_certificate(tmp_path):
    program = tmp_path / "gpg"
    program.write_text("#!/bin/sh\necho 'cfg:version:2.2.40'\n")
    program.chmod(0o755)
    with pytest.raises(KeyNotFound, match="can't be read"):
        find(str(tmp_path), CAROL.id, program=str(program))


def test_keys_that_do_not_sign_are_named():
    (unusual,) = parse_certificates(certificate(replace(pgpwriter.eddsa_key(), algorithm=16), b"ElGamal"))
    assert "public-key algorithm 16 does not sign" in openpgp.flaw(unusual, NOW)
    (broken,) = parse_certificates(certificate(replace(pgpwriter.rsa_key(), material=b"\0\1\1\0\1\1"), b"broken"))
    assert "has no key that can sign" in openpgp.flaw(broken, NOW)


def test_one_certificate_of_several_blocks():
    """As a file of certificates has them; what is no certificate of this version counts for nothing."""
    environment = {"PATH": CLEAN["PATH"]}
    old = pgpwriter.armor(pgpwriter.packet(6, b"\3old"), "PUBLIC KEY BLOCK")
    found = openpgp.reduced(DAVE.certificate + old + CAROL.certificate, CAROL.id, environment, now=NOW)
    assert found.fingerprint == CAROL.id
    with pytest.raises(KeyNotFound, match="gave no certificate"):
        openpgp.reduced(DAVE.certificate, CAROL.id, environment, now=NOW)
