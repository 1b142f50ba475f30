"""``gitverify init --from FORMAT FILE``: everybody of a list, and whoever signs."""

import json
import re

import pytest
import signing
from cli.beginning import Beginning
from keyplaces import gpg_home

from fixtures.lib import pgpwriter, policies
from fixtures.lib.keys import ALICE, BOB, CAROL, DAVE, ECDSA256, EXPIRED, PGP_RSA1024, REVOKED, TRENT
from gitverify.policies.native import parse


@pytest.fixture
def here(tmp_path):
    return Beginning(tmp_path)


def listed(here, content, name="list"):
    path = here.place / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def imported(here, form, content, *more, name="list", **options):
    done = here.run("init", "--from", form, listed(here, content, name), *more, **options)
    assert done.status == 0, done.error
    people = parse(here.policy.encode()).people
    return done, {name: [key.key for key in person.keys] for name, person in people.items()}


def refused(here, form, content, *more, why):
    before = here.state()
    done = here.run("init", "--from", form, listed(here, content), *more)
    assert done.status == 2
    assert re.search(why, done.error), done.error
    assert here.state() == before


def test_allowed_signers_with_the_signer_among_them(here):
    text = (
        f"alice@example.org,alice@work {ALICE.line}\nalice@example.org,alice@work {ECDSA256.line}\nbob@x {BOB.line}\n"
    )
    done, people = imported(here, "allowed-signers", text, "--trust")
    assert people == {"alice": [ALICE.id, ECDSA256.id], "bob": [BOB.id]}
    assert "alice  " in done.stdout
    assert "(you)" in done.stdout
    assert "one key" not in done.stderr
    assert "# The people below are those of a list in the format allowed-signers.\n" in here.policy
    assert "  # alice@example.org,alice@work\n  alice:\n" in here.policy
    here.sign_with("bob")
    here.commit("Bob goes on", "-S", README="hello\n")
    assert here.run("verify").status == 0


def test_the_signer_is_called_as_the_signer_says(here):
    _, people = imported(here, "allowed-signers", f"alice@x {ALICE.line}\nme@x {BOB.line}\n", "--person", "me")
    assert people == {"me": [ALICE.id], "me-2": [BOB.id]}


def test_the_signer_is_added(here):
    done, people = imported(here, "allowed-signers", f"Alice-Example@x {BOB.line}\n", "--backup-key", ECDSA256.line)
    assert people == {"Alice-Example-2": [ALICE.id, ECDSA256.id], "Alice-Example": [BOB.id]}
    assert "the list does not have your key: you are added to it as Alice-Example-2" in done.stderr


def test_a_backup_key_that_is_anothers(here):
    refused(here, "allowed-signers", f"bob@x {BOB.line}\n", "--backup-key", BOB.line, why="bob has the key")
    text = f"alice@x {ALICE.line}\nalice@x {BOB.line}\n"
    _, people = imported(here, "allowed-signers", text, "--backup-key", BOB.line)
    assert people == {"alice": [ALICE.id, BOB.id]}


def test_committers_json(here):
    data = {"protectedPrefixes": ["src/"], "committers": {"Bob B.": {"email": "b@x", "publicKey": BOB.line.split()[1]}}}
    done, people = imported(here, "committers-json", json.dumps(data))
    assert people == {"Alice-Example": [ALICE.id], "Bob-B": [BOB.id]}
    assert "protects “src/” alone; this policy protects everything" in done.stderr


def test_a_forges_listing(here):
    done, people = imported(here, "github-keys", f"{BOB.line}\n", name="bobby.keys")
    assert people == {"Alice-Example": [ALICE.id], "bobby": [BOB.id]}
    assert "ask each person" in done.stderr


def test_many_people(here):
    """They are a group; only the first are shown."""
    users = [{"login": f"p{number}", "keys": [signing.ssh_line(f"ssh{number}")]} for number in range(30)]
    done, people = imported(here, "github-keys", json.dumps(users))
    assert len(people) == 31
    assert "policy        .gitverify.yaml: 31 people\n" in done.stdout
    assert "and 11 more\n" in done.stdout
    assert '  - {paths: [/], people: ["@everyone"]}\n' in here.policy


def test_somebody_called_as_the_group(here):
    users = [{"login": f"p{n}", "keys": [signing.ssh_line(f"ssh{n}")]} for n in range(9)]
    users[3]["login"] = "everyone"
    _, people = imported(here, "github-keys", json.dumps(users))
    assert "everyone" in people


@pytest.mark.parametrize(
    ("form", "content", "why"),
    [
        ("allowed-signers", "", "no line of the file"),
        ("committers-json", "{", "no JSON"),
        ("github-keys", "nonsense", "no key that can be listed"),
        ("guix", "(", "list: "),
        ("allowed-signers", f"a@x {BOB.line}\nb@x {BOB.line}\n", "two people, “a@x” and “b@x”"),
    ],
)
def test_lists_that_are_none(here, form, content, why):
    refused(here, form, content, why=why)


def test_a_list_that_is_not_there(here):
    done = here.run("init", "--from", "guix", "nothing")
    assert done.status == 2
    assert "can't be read" in done.error


def test_a_format_that_is_not_known(here):
    assert here.run("init", "--from", "csv", listed(here, "")).status == 2


def test_a_keyring_goes_with_guix(here):
    refused(here, "github-keys", BOB.line, "--keyring", "keyring", why="goes with that option")


# --- Guix ----------------------------------------------------------------------------------------------------------


def keyring(here, **files):
    """A branch with these files, beside the one that is checked out."""
    here.commit("first", README="hello\n")
    here.git("switch", "-q", "--orphan", "keyring")
    for name, content in files.items():
        (here.path / name).write_bytes(content)
        here.git("add", name)
    here.git("commit", "-q", "-m", "keys")
    here.git("switch", "-q", "main")


def test_a_guix_channel(here):
    """The list itself is in the tree: then users say which of the two counts."""
    keyring(here, **{"carol.key": CAROL.certificate, "d.key": DAVE.certificate, "notes.key": b"none", "x.asc": b"x"})
    text = policies.guix_list(CAROL.primary, DAVE.signing)
    here.commit("authorize", **{".guix-authorizations": text})
    done, people = imported(here, "guix", text, "--keyring", "keyring", "--trust")
    assert people == {"Alice-Example": [ALICE.id], "test": [CAROL.id], "test-2": [DAVE.signing.name]}
    assert f"- {{openpgp: {CAROL.id}, subkeys: no}}\n" in here.policy
    assert (here.path / f".gitverify/keys/{CAROL.id}.asc").read_bytes() == CAROL.certificate
    assert (here.path / f".gitverify/keys/{DAVE.signing.name}.asc").read_bytes() == DAVE.certificate
    assert "--dialect native\n" in done.stdout
    assert "users must say which one counts" in done.stderr
    assert here.run("verify").status == 0
    with gpg_home(DAVE) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"gpg.format": "openpgp", "user.signingKey": DAVE.signing.name})
        here.commit("Dave goes on", "-S", README="hello there\n")
    assert here.run("verify").status == 0


def test_the_guix_signer_is_one_of_the_list(tmp_path):
    here = Beginning(tmp_path, key=None)
    keyring(here, **{"dave.key": DAVE.certificate})
    with gpg_home(DAVE) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": DAVE.id})
        _, people = imported(here, "guix", policies.guix_list(DAVE.signing), "--keyring", "keyring")
    assert people == {"test": [DAVE.signing.name]}


def test_a_list_that_has_the_signer_twice(tmp_path):
    """The primary key for one, its subkey for another: the first is who signs."""
    here = Beginning(tmp_path, key=None)
    keyring(here, **{"dave.key": DAVE.certificate})
    with gpg_home(DAVE) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": DAVE.id})
        text = policies.guix_list(DAVE.signing, DAVE.primary)
        done, people = imported(here, "guix", text, "--keyring", "keyring")
    assert people == {"test": [DAVE.signing.name], "test-2": [DAVE.id]}
    assert re.search("test  .*(you)", done.stdout)


def test_certificates_that_are_missing(here):
    text = policies.guix(CAROL, TRENT)
    refused(here, "guix", text, why=f"no certificates for {CAROL.id} .*, {TRENT.id} .*--keyring REF")
    keyring(here, **{"carol.key": CAROL.certificate})
    refused(
        here, "guix", text, "--keyring", "keyring", why=f"no certificates for {TRENT.id} .*add them to that keyring"
    )
    refused(here, "guix", text, "--keyring", "nothing", why="the keyring “nothing” can't be read")


def test_a_long_list_of_what_is_missing_is_cut(here):
    text = policies.guix_list(*(pgpwriter.eddsa_key(str(number)) for number in range(25)))
    refused(here, "guix", text, why="and 5 more: name the branch")


def test_guix_keys_that_do_not_count_here(here):
    keys = (CAROL, EXPIRED, REVOKED, PGP_RSA1024)
    keyring(here, **{f"{key.name}.key": key.certificate for key in keys})
    done, people = imported(here, "guix", policies.guix(*keys), "--keyring", "keyring")
    assert people == {"Alice-Example": [ALICE.id], "test": [CAROL.id]}
    for key, why in ((EXPIRED, "has expired"), (REVOKED, "is revoked"), (PGP_RSA1024, "1024-bit RSA")):
        assert re.search(f"left out {key.id} of “test.*its certificate .*{why}", done.stderr), done.stderr


def test_a_guix_list_of_which_nothing_counts(here):
    keyring(here, **{"revoked.key": REVOKED.certificate})
    refused(here, "guix", policies.guix(REVOKED), "--keyring", "keyring", why="no key that can sign; left out")


def test_a_strangers_certificate_with_carols_key_in_it(here):
    """Whose certificate goes along is found by the primary key, wherever the file stands."""
    mallory = pgpwriter.eddsa_key("collector")
    theirs = pgpwriter.certificate(mallory, pgpwriter.subkey(mallory, CAROL.primary, back=None))
    keyring(here, **{"a.key": theirs, "b.key": CAROL.certificate, "c.key": CAROL.certificate + b"\n"})
    imported(here, "guix", policies.guix(CAROL), "--keyring", "keyring")
    assert (here.path / f".gitverify/keys/{CAROL.id}.asc").read_bytes() == CAROL.certificate
