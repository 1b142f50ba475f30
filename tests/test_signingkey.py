"""With which key git will sign: what its settings, key files and gpg's list say."""

import subprocess
import tempfile

import pytest
from gitrepo import ENVIRONMENT, GitRepository

from fixtures.lib.keys import ALICE, CAROL, KEYS, RSA1024
from gitverify.git import Git
from gitverify.signingkey import CannotSign, signing_keys

# As gpg prints it: a primary key that only certifies, and signing subkeys: old, revoked, newest; one to encrypt.
LISTING = """\
sec:u:255:22:AAAAAAAAAAAAAAA1:1700000000:::u:::cESC:::+:::23::0:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1:
uid:u::::1700000000::X::Somebody <somebody@example.org>::::::::::0:
ssb:u:255:22:AAAAAAAAAAAAAAA2:1700000001::::::s:::+:::23:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2:
ssb:r:255:22:AAAAAAAAAAAAAAA3:1700000002::::::s:::+:::23:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3:
ssb:u:255:18:AAAAAAAAAAAAAAA4:1700000003::::::e:::+:::23:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4:
ssb:u:255:22:AAAAAAAAAAAAAAA5:1700000004::::::s:::+:::23:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA5:
"""
A1, A2, A5 = ("A" * 39 + digit for digit in "125")


@pytest.fixture
def repository(tmp_path):
    return GitRepository(tmp_path / "repo")


@pytest.fixture
def ask(repository, tmp_path):
    """Set git up and ask; ``gpg`` is what a stand-in for gpg prints."""

    def told(*, gpg=None, **settings):
        if gpg is not None:
            program = tmp_path / "gpg"
            program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{gpg}END\n")
            program.chmod(0o755)
            repository.git("config", "gpg.program", str(program))
        for name, value in settings.items():
            repository.git("config", name.replace("_", "."), value)
        environment = {**ENVIRONMENT, "HOME": str(tmp_path)}
        return signing_keys(Git(repository.path / ".git", repository.path, environment))

    return told


@pytest.mark.parametrize("text", [ALICE.line, f"key::{ALICE.line}", f"{ALICE.line} alice@laptop"])
def test_an_ssh_key_in_the_setting_itself(ask, text):
    assert ask(gpg_format="ssh", user_signingKey=text) == (ALICE.id,)


def test_an_ssh_keys_file(ask, tmp_path):
    (tmp_path / "alice").write_bytes((KEYS / "ssh" / "alice").read_bytes())
    assert ask(gpg_format="ssh", user_signingKey="~/alice") == ()  # nothing says which public key it is
    (tmp_path / "alice.pub").write_text(ALICE.line + " alice\n")
    assert ask(user_signingKey="~/alice") == (ALICE.id,)
    assert ask(user_signingKey=str(tmp_path / "alice.pub")) == (ALICE.id,)


def test_ssh_keys_that_cannot_be_told(ask, tmp_path):
    assert ask(gpg_format="ssh") == ()
    assert ask(user_signingKey=str(tmp_path / "nothing")) == ()
    (tmp_path / "weak.pub").write_text(RSA1024.line + "\n")
    assert ask(user_signingKey=str(tmp_path / "weak.pub")) == ()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert ask(user_signingKey=str(tmp_path / "binary")) == ()


def test_openpgp_keys_as_gpg_prefers_them(ask, tmp_path):
    assert ask(gpg=LISTING, user_signingKey="somebody@example.org") == (A5, A2)
    assert (tmp_path / "asked").read_text().endswith("--list-secret-keys -- somebody@example.org\n")
    assert ask(gpg=LISTING.replace("cESC", "scESC")) == (A5, A2, A1)
    assert ask(gpg_format="openpgp") == (A5, A2, A1)


def test_a_user_id_begins_no_lines_of_its_own(ask):
    forged = "Somebody\x85fpr:::::::::" + "B" * 40 + ":\u2028"
    certifies = LISTING.replace("Somebody", forged).replace("uid:", "sec:u::::::::::scESC:\nuid:")
    assert ask(gpg=certifies, user_signingKey="x") == (A5, A2)


def test_one_openpgp_key_and_no_other(ask):
    assert ask(gpg=LISTING, user_signingKey="0xAAAAAAAAAAAAAAA2!") == (A2,)


def test_without_a_setting_the_committer_is_who_gpg_is_asked_for(ask, tmp_path):
    assert ask(gpg=LISTING) == (A5, A2)
    assert (tmp_path / "asked").read_text().endswith("-- C <c@example.org>\n")


def test_a_fingerprint_speaks_for_itself(ask, repository):
    repository.git("config", "gpg.program", "/nonexistent/gpg")
    assert ask(user_signingKey="ABCD1234") == ()
    assert ask(user_signingKey=CAROL.id.lower()) == (CAROL.id,)


def test_no_committer_and_no_key(ask, repository, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "GIT_COMMITTER_EMAIL", "")
    monkeypatch.setitem(ENVIRONMENT, "GIT_COMMITTER_NAME", "")
    assert ask(gpg="") == ()


def test_other_formats(ask):
    with pytest.raises(CannotSign, match="x509"):
        ask(gpg_format="x509")


def test_gpg_agrees_on_the_form(ask, monkeypatch):
    """The real gpg, with a key of its own; its sockets need a short path."""
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        monkeypatch.setitem(ENVIRONMENT, "GNUPGHOME", home)
        secret = KEYS / "openpgp" / "carol.secret.asc"
        command = ["gpg", "--batch", "--quiet", "--import", secret]
        subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
        try:
            assert CAROL.signing.name in ask(user_signingKey=CAROL.id)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=ENVIRONMENT, check=True)
