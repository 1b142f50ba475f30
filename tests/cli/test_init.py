"""``gitverify init``: from nothing to a policy that is signed, committed and verified; or nothing has changed."""

import os
import re
import shutil
from pathlib import Path
from unittest import mock

import pytest
from cli.beginning import Beginning
from click.testing import CliRunner
from keyplaces import gpg_home, key_file, ssh_agent

from fixtures.lib import pgpwriter
from fixtures.lib.keys import ALICE, BOB, CAROL, DAVE, KEYS, MALLORY, PGP_RSA1024, RSA1024, TOKEN
from gitverify.cli.main import cli
from gitverify.errors import PolicyError
from gitverify.policies.native import parse

ROOT = Path(__file__).parents[2]
TRUST = re.compile(r"^  gitverify (trust ([0-9a-f]{40}) --signer (\S+).*)$", re.MULTILINE)


@pytest.fixture
def here(tmp_path):
    return Beginning(tmp_path)


def refused(here, *arguments, why, **more):
    """It ends as a usage error that says why, and leaves everything as it was."""
    before = here.state()
    done = here.run("init", *arguments, **more)
    assert done.status == 2, done.stdout
    assert re.search(why, done.error), done.error
    assert done.error.isprintable()
    assert here.state() == before
    return done


def accepted(here, *arguments, **more):
    done = here.run("init", *arguments, **more)
    assert done.status == 0, done.error
    assert here.git("status", "--porcelain", "--untracked-files=no") == ""
    return done


# --- from the beginning to the end ---------------------------------------------------------------------------------


def test_from_an_empty_directory_to_a_refused_commit(here):
    done = accepted(here)
    trust = TRUST.search(done.stdout)
    assert (trust[2], trust[3]) == (here.git("rev-parse", "HEAD"), ALICE.id)
    assert here.git("show", "--format=", "--name-only", "HEAD") == ".gitverify.yaml"
    assert here.run("verify").status == 4  # nothing is stored that nobody asked for
    user = here.place / "user"
    here.git("clone", "-q", str(here.path), str(user), cwd=here.place)
    assert here.run(*trust[1].split(), "--repo", str(user), repo=False).status == 0
    assert here.run("verify", "--repo", str(user), repo=False).status == 0
    here.commit("Go on", "-S", README="hello\n")
    here.git("pull", "-q", "--ff-only", cwd=user)
    done = here.run("verify", "--repo", str(user), repo=False)
    assert done.status == 0
    assert "signed by 1 person:" in done.stdout
    here.sign_with("mallory")
    here.commit("Mine now", "-S", README="mine\n")
    here.git("pull", "-q", "--ff-only", cwd=user)
    done = here.run("verify", "--repo", str(user), repo=False)
    assert done.status == 1
    assert "unauthorized-key (R8)" in done.stdout
    assert MALLORY.id in done.stdout


def test_on_a_branch_with_a_history(here):
    first = here.commit("first", README="hello\n", **{"docs/index.md": "docs\n"})
    here.write("README", "not staged\n")
    here.write("notes", "unknown to git\n")
    assert here.run("init").status == 0
    assert here.git("rev-parse", "HEAD~1") == first
    assert here.git("status", "--porcelain") == "M README\n?? notes"
    assert here.git("show", "HEAD:README") == "hello"
    assert here.git("ls-tree", "-r", "--name-only", "HEAD").split() == [".gitverify.yaml", "README", "docs/index.md"]


def test_the_clone_trusts_it_where_that_is_asked_for(here):
    done = accepted(here, "--trust")
    assert "stored        for this clone" in done.stdout
    assert here.git("config", "gitverify.signer") == ALICE.id
    assert here.run("verify").status == 0


def test_the_file_explains_itself(here):
    accepted(here)
    policy = parse(here.policy.encode())
    assert {name: [key.key for key in person.keys] for name, person in policy.people.items()} == {
        "Alice-Example": [ALICE.id]
    }
    assert f"      - {ALICE.line} alice@laptop\n" in here.policy
    assert here.policy.count("\n# ") > 8
    assert max(map(len, here.policy.splitlines())) < 160
    assert here.git("show", "HEAD:.gitverify.yaml") + "\n" == here.policy


def test_dry_run(here):
    before = here.state()
    done = here.run("init", "--dry-run", "--person", "alice", answer="")
    assert done.status == 0
    assert parse(done.stdout.encode()).editors == {"alice"}
    assert here.state() == before


def test_a_name_of_ones_own_choice(here):
    refused(here, "--person", "a b", why="no name here")
    accepted(here, "--person", "alice")
    assert list(parse(here.policy.encode()).people) == ["alice"]


def test_a_name_without_letters(here):
    here.set(**{"user.name": "\u202eŻ\u0416"})
    accepted(here)
    assert list(parse(here.policy.encode()).people) == ["Z"]


def test_a_name_with_nothing_to_keep(here):
    here.set(**{"user.name": "\u0416\u0416"})
    refused(here, why="choose one with --person NAME")


def test_nobody_whom_git_knows(here):
    here.git("config", "--unset", "user.email")
    here.set(**{"user.useConfigOnly": "true"})
    refused(here, why="git does not know who you are")


# --- a second key --------------------------------------------------------------------------------------------------


def test_backup_keys(here):
    token = here.place / "token.pub"
    token.write_text(TOKEN.line + " token\n")
    done = accepted(here, "--backup-key", str(token), "--backup-key", BOB.line)
    (person,) = parse(here.policy.encode()).people.values()
    assert [key.key for key in person.keys] == [ALICE.id, TOKEN.id, BOB.id]
    assert "one key" not in done.stderr
    assert "touched" in done.stderr


def test_the_page_shows_what_it_prints(here):
    key_file(here.home, "bob")
    done = accepted(here, "--person", "alice", "--backup-key", str(here.home / "bob.pub"))
    page = (ROOT / "docs" / "starting.md").read_text()
    example = page.partition("```console\n")[2].partition("```")[0].partition("\n")[2]
    ids = re.compile("SHA256:[A-Za-z0-9+/]{43}|[0-9a-f]{40}")
    assert ids.sub("ID", done.stdout) == ids.sub("ID", example)


def test_only_one_key_is_told(here):
    done = accepted(here)
    assert "when this only key is lost" in done.stderr
    assert "every user has to trust a new introduction" in done.stderr


def test_somebody_is_asked_for_a_second_key(here):
    path = key_file(here.home, "bob")
    done = accepted(here, answer=f"{here.home}/nothing.pub\n{path}\n")
    assert "can't be read" in done.stdout
    (person,) = parse(here.policy.encode()).people.values()
    assert [key.key for key in person.keys] == [ALICE.id, BOB.id]


def test_somebody_has_none(here):
    done = accepted(here, answer="\n")
    assert "when this only key is lost" in done.stderr


def test_a_backup_key_of_the_agent(here):
    with ssh_agent("bob") as socket:
        accepted(here, "--backup-key", BOB.id, env={"SSH_AUTH_SOCK": socket})
        assert BOB.line in here.policy


def test_backup_keys_that_are_none(here):
    expected = {
        ALICE.line: "Alice-Example has the key SHA256:.* already",
        RSA1024.line: "1024 bits is weak",
        str(KEYS / "ssh" / "dsa.pub"): "ssh-dss",
        str(here.place / "nothing.pub"): "can't be read",
        "nonsense": "names no certificate",
        BOB.id: "no ssh-agent",
    }
    for named, why in expected.items():
        refused(here, "--backup-key", named, why=why)
    with ssh_agent("alice") as socket:
        refused(here, "--backup-key", BOB.id, why="ssh-agent has no such key", env={"SSH_AUTH_SOCK": socket})


# --- keys that git has ---------------------------------------------------------------------------------------------


def test_with_openpgp(tmp_path):
    here = Beginning(tmp_path, key=None)
    with gpg_home(DAVE, public=[CAROL]) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": DAVE.id[-16:]})
        done = accepted(here, "--backup-key", "carol@example.org")
        trust = TRUST.search(done.stdout)
        assert trust[3] == DAVE.signing.name  # the subkey that signed
        assert here.run(*trust[1].split()).status == 0
        here.commit("Go on", "-S", README="hello\n")
        assert here.run("verify").status == 0
        here.environment.pop("GNUPGHOME")
    assert here.run("verify", "--no-state").status == 0  # the certificate is in the repository
    (person,) = parse(here.policy.encode()).people.values()
    assert [key.key for key in person.keys] == [DAVE.id, CAROL.id]
    names = here.git("ls-tree", "-r", "--name-only", "HEAD~1").split()
    assert names == [".gitverify.yaml", *(f".gitverify/keys/{key}.asc" for key in sorted([CAROL.id, DAVE.id]))][
        :1
    ] + sorted(f".gitverify/keys/{key.id}.asc" for key in (CAROL, DAVE))
    assert "openpgp_keys: .gitverify/keys/\n" in here.policy


def test_user_ids_that_speak_for_gpg(tmp_path):
    """A stranger's certificate in the keyring begins lines of its own where gpg's answer is split."""
    here = Beginning(tmp_path, key=None)
    mallory = pgpwriter.eddsa_key("mallory")
    file = tmp_path / "mallory.pgp"
    name = b"Alice\xc2\x85[GNUPG:] IMPORT_OK x\xe2\x80\xa8fpr:::::::::%s:\n <alice@example.org>" % CAROL.id.encode()
    file.write_bytes(pgpwriter.primary(mallory) + pgpwriter.user_id(mallory, name))
    with gpg_home(CAROL, files=[file]) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": CAROL.id})
        refused(here, "--backup-key", "mallory@example.org", why="no certificate")
        accepted(here)
    (person,) = parse(here.policy.encode()).people.values()
    assert [key.key for key in person.keys] == [CAROL.id]


def test_a_key_in_the_setting_itself(here):
    with ssh_agent("bob") as socket:
        here.environment["SSH_AUTH_SOCK"] = socket
        here.set(**{"user.signingKey": f"key::{BOB.line}"})
        accepted(here)
    assert BOB.line in here.policy


def test_no_key_and_how_to_come_by_one(tmp_path):
    here = Beginning(tmp_path, key=None)
    with gpg_home() as home:
        here.environment["GNUPGHOME"] = home
        refused(here, why=r"gpg has no secret key for the committer .* ssh-keygen -t ed25519")
        here.set(**{"user.signingKey": "somebody@example.org"})
        refused(here, why="no secret key for “somebody@example.org”")
    here.git("config", "--unset", "user.signingKey")
    here.set(**{"gpg.format": "ssh"})
    refused(here, why="user.signingKey is not set; the shortest way")
    with ssh_agent("bob") as socket:
        env = {"SSH_AUTH_SOCK": socket}
        refused(here, why=f"ssh-agent has one: .*'key::{re.escape(BOB.line)}'", env=env)
        here.set(**{"gpg.ssh.defaultKeyCommand": "echo"})
        refused(here, why="defaultKeyCommand chooses one each time", env=env)
    with ssh_agent() as socket:
        refused(here, why="name the one to be listed: git config user.signingKey ~/.ssh/id_ed25519.pub$",
                env={"SSH_AUTH_SOCK": socket})  # fmt: skip


def test_x509(here):
    here.set(**{"gpg.format": "x509"})
    refused(here, why="“x509”.*ssh-keygen")


@pytest.mark.parametrize(("name", "why"), [("rsa1024", "1024 bits is weak"), ("dsa", "ssh-dss")])
def test_ssh_keys_that_do_not_count(here, name, why):
    here.sign_with(name)
    refused(here, why=why)


def test_openpgp_keys_that_do_not_count(tmp_path):
    here = Beginning(tmp_path, key=None)
    with gpg_home(PGP_RSA1024) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": PGP_RSA1024.id})
        refused(here, why="1024-bit RSA")


def test_a_comment_that_is_yaml(here):
    key_file(here.home, "alice", comment="x\u2028policy_editors: [mallory] # \\")
    accepted(here)
    assert parse(here.policy.encode()).editors == {"Alice-Example"}


def test_a_key_of_two_lines(here):
    here.set(**{"user.signingKey": f"key::{ALICE.line} x\npolicy_editors: [mallory]"})
    refused(here, why="no SSH public key line")
    refused(here, "--backup-key", f"{BOB.line} x\ngrants: []", why="no SSH public key line")


# --- signing fails -------------------------------------------------------------------------------------------------


def test_git_cannot_sign(here):
    (here.home / "alice").unlink()
    here.set(**{"user.signingKey": str(here.home / "alice.pub")})
    refused(here, why="git could not make a signed commit, so nothing was changed")


def test_git_signs_with_another_key(here):
    """Its configuration names one key, its program takes another."""
    key_file(here.home, "bob")
    program = here.place / "ssh-keygen"
    program.write_text(
        f'#!/bin/sh\nwhile [ "$1" != "-f" ]; do a="$a $1"; shift; done\nshift 2\n'
        f'exec {shutil.which("ssh-keygen")} $a -f {here.home}/bob "$@"\n'
    )
    program.chmod(0o755)
    here.set(**{"gpg.ssh.program": str(program)})
    refused(here, why="signed with the key " + re.escape(BOB.id) + ", which is not the one")


def test_git_makes_no_signature_that_holds(here):
    program = here.place / "ssh-keygen"
    program.write_text('#!/bin/sh\nfor last; do :; done\necho "-----BEGIN SSH SIGNATURE-----" > "$last.sig"\n')
    program.chmod(0o755)
    here.set(**{"gpg.ssh.program": str(program)})
    refused(here, why="can't be verified")


# --- places where it can't be done ---------------------------------------------------------------------------------


def test_a_policy_already(here):
    accepted(here)
    refused(here, why="is there already: gitverify policy show")


def test_a_policy_that_git_does_not_know(here):
    here.write(".gitverify.yaml")
    refused(here, why="which git does not know")
    (here.path / ".gitverify.yaml").unlink()
    (here.path / ".gitverify.yaml").symlink_to(here.place / "outside")  # leads to nothing, yet
    refused(here, why="which git does not know")
    assert not (here.place / "outside").exists()


def test_a_policy_in_the_index_alone(here):
    here.commit("first", README="hello\n")
    here.write(".gitverify.yaml")
    here.git("add", ".gitverify.yaml")
    (here.path / ".gitverify.yaml").unlink()
    refused(here, why="is staged already: git rm --cached")


@pytest.mark.parametrize("unborn", [True, False])
def test_staged_changes(here, unborn):
    if not unborn:
        here.commit("first", README="hello\n")
    here.write("README", "staged\n")
    here.git("add", "README")
    refused(here, why="changes are staged here")


def test_links_that_lead_outside(here):
    outside = here.place / "outside"
    outside.mkdir()
    (here.path / ".gitverify").symlink_to(outside)
    refused(here, why="is a symbolic link")
    (here.path / ".gitverify").unlink()
    (here.path / ".gitverify").mkdir()
    (here.path / ".gitverify/keys").symlink_to(outside)
    refused(here, why="is a symbolic link")
    (here.path / ".gitverify/keys").unlink()
    (here.path / ".gitverify/keys").write_text("a file\n")
    refused(here, why="is a file, not a directory")
    assert not list(outside.iterdir())


def test_files_in_the_place_of_directories(here):
    here.commit("a file", **{".gitverify": "a file where the directory should be\n"})
    refused(here, why="no directory in this branch")
    here.git("rm", "-q", ".gitverify")
    here.commit("one below", **{".gitverify/keys": "a file where the directory should be\n"})
    refused(here, why="no directory in this branch")


def test_a_key_directory_with_files_of_others(tmp_path):
    """They are left alone; a certificate that is in the way is not written over."""
    here = Beginning(tmp_path, key=None)
    foreign = {".gitverify/keys/README": "keys\n", ".gitverify/keys/zzz.asc": "no certificate\n"}
    here.commit("first", **foreign)
    theirs = here.write(".gitverify/keys/untracked.asc", "x\n")
    with gpg_home(CAROL) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": CAROL.id})
        inway = here.write(f".gitverify/keys/{CAROL.id}.asc", "theirs\n")
        refused(here, why="could not be put in place, so nothing was changed: .*File exists")
        inway.unlink()
        accepted(here)
        certificate = inway.read_bytes()
        assert theirs.read_text() == "x\n"
        here.git("rm", "-q", "--cached", ".gitverify.yaml")
        here.git("commit", "-q", "-m", "without")
        (here.path / ".gitverify.yaml").unlink()
        accepted(here)  # the certificate is there already, the same
    assert inway.read_bytes() == certificate
    names = here.git("ls-tree", "-r", "--name-only", "HEAD").split()
    assert set(foreign) < set(names)
    assert ".gitverify/keys/untracked.asc" not in names


def test_a_bare_repository(tmp_path):
    here = Beginning(tmp_path, "--bare")
    done = here.run("init")
    assert done.status == 2
    assert "bare repository" in done.error


def test_a_detached_head(here):
    here.commit("first", README="hello\n")
    here.git("checkout", "-q", "--detach")
    refused(here, why="HEAD is detached")


def test_a_merge_under_way(here):
    here.commit("first", README="hello\n")
    here.git("switch", "-q", "-c", "other")
    here.commit("theirs", OTHER="other\n")
    here.git("switch", "-q", "main")
    here.commit("ours", README="ours\n")
    here.git("merge", "-q", "--no-commit", "--no-ff", "other")
    refused(here, why="a merge is under way")


def test_no_repository(tmp_path):
    here = Beginning(tmp_path)
    shutil.rmtree(here.path / ".git")
    done = here.run("init")
    assert done.status == 2
    assert "not in a git repository" in done.error


def test_a_configuration_in_the_working_tree(here):
    """Whoever can commit could choose what is trusted here: that is for the owner to see first."""
    here.write("config", "[gitverify]\n\tintroduction = " + "1" * 40 + "\n")
    here.set(**{"include.path": "../config"})
    done = here.run("init")
    assert done.status == 4
    assert "config-untrusted" in done.stdout
    assert here.git("rev-parse", "-q", "--verify", "HEAD", check=False) == ""


def test_hooks_do_not_run(here):
    hook = here.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        path = hook.with_name(name)
        path.write_text(f"#!/bin/sh\ntouch {here.place}/ran\nexit 1\n")
        path.chmod(0o755)
    accepted(here)
    assert not (here.place / "ran").exists()


def test_an_index_that_is_locked(here):
    here.commit("first", README="hello\n")
    (here.path / ".git/index.lock").touch()
    refused(here, why="could not be put in place, so nothing was changed: .*index.lock")
    (here.path / ".git/index.lock").unlink()
    accepted(here)


def test_a_branch_that_is_locked(here):
    here.commit("first", README="hello\n")
    (here.path / ".git/refs/heads/main.lock").touch()
    refused(here, why="could not be put in place, so nothing was changed: .*cannot lock ref")


def test_an_index_that_cannot_be_read(here):
    (here.path / ".git/index").write_bytes(b"nonsense")
    done = here.run("init")
    assert done.status == 2
    assert "the index can't be read" in done.error


def test_a_clone_that_trusts_an_introduction(here):
    here.set(**{"gitverify.introduction": "1" * 40})
    refused(here, "--trust", why="trusts an introduction already")
    done = accepted(here)
    assert "this clone trusts another introduction" in done.stderr


def test_marks_that_would_be_given_up(here):
    accepted(here, "--trust")
    assert here.run("verify").status == 0
    here.git("rm", "-q", ".gitverify.yaml")
    here.git("commit", "-q", "-m", "without")
    for name in ("introduction", "signer"):
        here.git("config", "--unset", f"gitverify.{name}")
    done = here.run("init", "--trust")
    assert done.status == 2
    assert "has marks under another introduction" in done.error
    assert here.git("config", "gitverify.introduction", check=False) == ""
    assert here.git("show", "-s", "--format=%s") == "Say who may change this repository"


def test_text_settings_do_not_change_what_is_committed(here):
    here.commit("first", **{".gitattributes": "* text eol=crlf ident\n"})
    here.set(**{"core.autocrlf": "true"})
    assert here.run("init").status == 0
    assert "\r" not in here.policy
    assert parse(here.policy.encode()).people


def test_a_worktree_beside_the_repository(here):
    here.commit("first", README="hello\n")
    beside = here.place / "beside"
    here.git("worktree", "add", "-q", "-b", "side", str(beside))
    assert here.run("init", "--repo", str(beside), repo=False).status == 0
    assert (beside / ".gitverify.yaml").is_file()
    assert not (here.path / ".gitverify.yaml").exists()
    assert here.git("log", "--format=%s", "-1", "side") == "Say who may change this repository"


def test_a_key_directory_with_more_files_than_are_read(here):
    blob = here.git("hash-object", "-w", "--stdin")
    entries = "".join(f"100644 {blob}\t.gitverify/keys/{number}\n" for number in range(4097))
    here.feed(entries, "update-index", "--index-info")
    here.git("commit", "-q", "-m", "many")
    refused(here, why="would be no introduction: its key directory has 4,097 files")


def test_a_directory_that_cannot_be_looked_at(here, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("gitverify.setup.place.os.lstat", forbidden)
    refused(here, why="can't be looked at: Permission denied")


def test_a_setting_that_git_cannot_read(here):
    here.set(**{"user.signingKey": "~nobody-of-this-name/key"})
    refused(here, why="git config failed")


def test_a_policy_that_the_loader_refuses(here, monkeypatch):
    """Whatever was written, it is read back before anybody signs it."""

    def refuse(data):
        raise PolicyError("no", line=3, column=1)

    monkeypatch.setattr("gitverify.cli.init.native.parse", refuse)
    refused(here, why="no policy can be made of this: line 3, column 1: no")


def test_a_security_key(here):
    """There is none to touch here, so it can't sign; it can be listed."""
    here.set(**{"user.signingKey": f"key::{TOKEN.line}"})
    done = here.run("init", "--dry-run")
    assert done.status == 0
    assert TOKEN.line in done.stdout
    assert "must be touched" in done.stderr
    refused(here, why="git could not make a signed commit")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("echo nonsense", "did not say which commit"),
        ("exec git rev-parse HEAD", "another commit than it was asked for"),
    ],
)
def test_a_git_that_makes_something_else(here, answer, why):
    here.commit("first", README="hello\n")
    programs = here.place / "programs"
    programs.mkdir()
    git = shutil.which("git")
    path = f"PATH={here.environment['PATH']}"
    (programs / "git").write_text(
        f'#!/bin/sh\ncase "$*" in *commit-tree*) {path}; {answer};; *) exec {git} "$@";; esac\n'
    )
    (programs / "git").chmod(0o755)
    refused(here, why=why, env={"PATH": f"{programs}:{here.environment['PATH']}"})


def test_a_key_that_a_file_of_the_repository_revokes(tmp_path):
    """Gpg does not know of it yet; who verifies does."""
    here = Beginning(tmp_path, key=None)
    revoked = pgpwriter.primary(CAROL.primary) + pgpwriter.revocation(CAROL.primary)
    here.commit("first", README="hello\n")
    path = here.write(".gitverify/keys/carol")
    path.write_bytes(revoked)
    here.git("add", str(path))
    here.git("commit", "-q", "-m", "revoked")
    with gpg_home(CAROL) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": CAROL.id})
        refused(here, why="would not be authentic: it is signed by .*, which is revoked")


def test_directories_that_were_made_are_taken_back(tmp_path):
    here = Beginning(tmp_path, key=None)
    here.commit("first", README="hello\n")
    with gpg_home(CAROL) as home:
        here.environment["GNUPGHOME"] = home
        here.set(**{"user.signingKey": CAROL.id})
        (here.path / ".git/index.lock").touch()
        refused(here, why="index.lock")
    assert not (here.path / ".gitverify").exists()


def test_nobody_is_asked_where_nobody_is_there(here):
    """As a script runs it: not in a terminal."""
    with mock.patch.dict(os.environ, here.environment, clear=True):
        done = CliRunner().invoke(cli, ["init", "--repo", str(here.path)], standalone_mode=False)
    assert done.return_value == 0
    assert "Second key" not in done.output
