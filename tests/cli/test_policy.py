"""``gitverify policy check`` and ``show``: what is wrong, where, and who may do what."""

import json
import os
import shutil

import pytest
from cli.forge import Forge, policy
from click.testing import CliRunner

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB, CAROL
from gitverify.cli.main import cli

FILE = ".gitverify.yaml"


def write(forge, text):
    (forge.clone / FILE).write_text(text)


def edit(forge, old, new):
    text = (forge.clone / FILE).read_text()
    assert old in text
    write(forge, text.replace(old, new))


def checked(forge, *arguments):
    done = forge.run("policy", "check", *arguments, "--format", "json")
    return done.status, json.loads(done.stdout)


@pytest.fixture
def clean(tmp_path):
    """A policy of which nothing has to be said."""
    return Forge(tmp_path, options=("unprotected: [open/]", "policy_editors: [alice, bob]"))


def test_in_order(clean):
    done = clean.run("policy", "check")
    assert done.status == 0
    assert done.stdout == f"{FILE}: in order: 2 people with 2 keys, 2 grants, 2 editors\n"
    assert checked(clean, "--strict") == (
        0,
        {"format": "gitverify-policy/1", "file": FILE, "dialect": "native", "verdict": "ok", "findings": []},
    )


def test_an_error_with_its_line_and_a_caret(clean):
    edit(clean, "people: [bob]", "people: [bbo]")
    done = clean.run("policy", "check")
    assert done.status == 1
    head, line, caret, summary = done.stdout.splitlines()
    assert head == f"{FILE}:11:31: error: there is no person “bbo” (did you mean “bob”?)"
    assert line == "    - {paths: [pkgs/], people: [bbo]}"
    assert line[caret.index("^") :] == "bbo]}"
    assert summary == f"{FILE}: 1 error, 0 warnings"
    status, report = checked(clean)
    assert status == 1
    assert report["verdict"] == "errors"
    (found,) = report["findings"]
    assert (found["code"], found["line"], found["column"]) == ("policy-invalid", 11, 31)


def test_a_policy_that_locks_everybody_out(clean):
    edit(clean, "policy_editors: [alice, bob]", "policy_editors: []")
    status, report = checked(clean)
    assert (status, report["findings"][0]["code"]) == (1, "policy-lockout")


def test_warnings_end_with_0_unless_strict(clean):
    edit(clean, "policy_editors: [alice, bob]", "policy_editors: [alice]")
    done = clean.run("policy", "check")
    assert done.status == 0
    assert f"{FILE}:13:1: warning: only one key may change the policy" in done.stdout
    assert done.stdout.endswith(f"{FILE}: 0 errors, 1 warning: 2 people with 2 keys, 2 grants, 1 editor\n")
    assert checked(clean, "--strict")[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("[pkgs/]", "[pkgs]", 11, 14, "“pkgs” is a directory: without its slash (“pkgs/”) nothing below it is meant"),
        ("[pkgs/]", "[pkgs/, doc/]", 11, 21, "“doc/” matches nothing in this tree"),
        ("[pkgs/]", "[pkgs/, README/]", 11, 21, "“README/” is no directory: write “README” for the file itself"),
        ("[open/]", "[opne/]", 12, 15, "“opne/” matches nothing in this tree"),
        ("people: [bob]", "people: [alice]", 11, 14, "“pkgs/” is granted to these people by “/” already (line 10)"),
        ("grants:", f"  carol:\n    keys: [openpgp: {CAROL.id}]\ngrants:", 9, 3, "carol may do nothing"),
    ],
)
def test_what_is_likely_wrong(clean, old, new, line, column, message):
    edit(clean, old, new)
    status, report = checked(clean)
    assert status == 0
    found = [each for each in report["findings"] if each["message"].startswith(message)]
    assert [(each["severity"], each["line"], each["column"]) for each in found] == [("warning", line, column)]


def test_a_key_without_its_certificate_and_with_it(clean):
    edit(clean, "grants:", f"  carol:\n    keys: [openpgp: {CAROL.id}]\ngrants:")
    edit(clean, "[alice, bob]", "[alice, bob, carol]")
    assert [each["line"] for each in checked(clean)[1]["findings"]] == [9]
    place = clean.clone / ".gitverify/keys"
    place.mkdir(parents=True)
    (place / "no-certificate").write_text("nothing\n")
    (place / "folder").mkdir()
    (place / "carol.asc").write_bytes(CAROL.certificate)
    assert checked(clean)[1]["verdict"] == "ok"
    clean.commit("with carol", {}, sign=True)
    assert checked(clean, "--rev", "HEAD")[1]["verdict"] == "ok"
    shutil.rmtree(place)
    clean.commit("without her certificate", {}, sign=True)
    assert checked(clean, "--rev", "HEAD")[1]["verdict"] == "warnings"


def test_a_change_by_somebody_who_may_not(clean):
    clean.commit("one editor", {FILE: (clean.clone / FILE).read_text().replace("[alice, bob]", "[alice]")}, sign=True)
    clean.sign_with(BOB)
    assert len(checked(clean)[1]["findings"]) == 1  # nothing has changed, so nothing is signed
    edit(clean, "policy_editors: [alice]", "policy_editors: [alice, bob]")
    ((first,),) = [checked(clean)[1]["findings"]]
    assert first["message"].startswith(f"git would sign here with key {BOB.id}, which is no editor's")
    clean.sign_with(ALICE)
    assert checked(clean)[1]["verdict"] == "ok"
    clean.set(**{"gpg.format": "x509"})
    assert checked(clean)[1]["verdict"] == "ok"
    edit(clean, "policy_editors: [alice, bob]", "policy_editors: [bob]")
    assert any("nobody who may change the policy today" in each["message"] for each in checked(clean)[1]["findings"])


def test_another_commits_policy(clean):
    edit(clean, "people: [bob]", "people: [bbo]")
    assert checked(clean, "--rev", "HEAD")[1]["verdict"] == "ok"
    clean.commit("broken", {})
    assert checked(clean, "--rev", "HEAD")[0] == 1
    assert clean.run("policy", "check", "--rev", "nothing").status == 2
    assert clean.run("policy", "check", "--rev", "HEAD", FILE).status == 2


def test_a_file_in_no_repository(tmp_path, monkeypatch, clean):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "draft.yaml"
    path.write_text(policy("policy_editors: [alice, bob]"))
    monkeypatch.setattr(os, "environ", clean.environment)
    done = CliRunner().invoke(cli, ["policy", "check", "--strict", str(path)], standalone_mode=False)
    assert done.return_value == 0
    path.unlink()
    path.symlink_to(clean.clone / FILE)
    done = CliRunner().invoke(cli, ["policy", "check", str(path)], standalone_mode=False)
    assert "is a symlink" in str(done.exception)
    path.unlink()
    done = CliRunner().invoke(cli, ["policy", "check", str(path)], standalone_mode=False)
    assert "can't be read: No such file" in str(done.exception)


def test_other_dialects(clean):
    (clean.clone / ".allowed_signers").write_text(f"a@example.org {ALICE.line}\n")
    assert "name the one that counts with --policy-path" in clean.run("policy", "check").error
    status, report = checked(clean, "--policy-path", ".allowed_signers")
    assert (status, report["dialect"]) == (0, "openssh")
    messages = [each["message"] for each in report["findings"]]
    assert messages[1] == "only one key may change the policy: when it is lost, nobody can; list a second one"
    assert "the commit before has .gitverify.yaml: where that is the policy" in messages[0]
    text = clean.run("policy", "check", "--policy-path", ".allowed_signers").stdout
    assert text.endswith("in the openssh dialect everyone who is listed may change everything: there are no paths\n")
    (clean.clone / ".guix-authorizations").write_text("(authorizations")
    status, report = checked(clean, "--dialect", "guix")
    assert (status, report["dialect"], report["verdict"]) == (1, "guix", "errors")
    assert clean.run("policy", "check", "--policy-path", "../x").status == 2
    clean.set(**{"gitverify.dialect": "klingon"})
    assert "“klingon” is no dialect" in clean.run("policy", "check").error


def test_a_policy_of_another_dialect_is_shown(clean):
    (clean.clone / FILE).unlink()
    clean.commit("openssh", {".allowed_signers": f"a@example.org {ALICE.line}\n"}, sign=True)
    assert "/                a@example.org\n" in clean.run("policy", "show").stdout
    assert checked(clean)[1]["dialect"] == "openssh"


def test_what_is_no_regular_file(clean):
    (clean.clone / FILE).unlink()
    (clean.clone / FILE).symlink_to("README")
    clean.commit("a link", {}, sign=True)
    assert "is no regular file" in clean.run("policy", "check", "--rev", "HEAD").error
    assert "is a symlink" in clean.run("policy", "check").error
    assert "can't be used: .gitverify.yaml is a symlink" in clean.run("policy", "show").error


def test_a_file_beside_a_bare_repository(clean, tmp_path):
    path = tmp_path / "draft.yaml"
    path.write_text((clean.clone / FILE).read_text() + "tags: [bob]\n")
    clean.git("push", "-q")
    clean.clone = clean.server
    edited = path.read_text().replace("grants:", f"  carol:\n    keys: [openpgp: {CAROL.id}]\ngrants:")
    path.write_text(edited.replace("[alice, bob]", "[alice, bob, carol]"))
    assert checked(clean, str(path))[1]["findings"] == []


def test_no_policy_at_all(clean):
    (clean.clone / FILE).unlink()
    assert "“gitverify init” writes a first one" in clean.run("policy", "check").error
    clean.commit("no policy", {})
    assert "has no policy file" in clean.run("policy", "show").error


def test_hostile_text_is_escaped(clean):
    edit(clean, "[pkgs/]", '[pkgs/, "\\e[31m\\u202e/"]')
    done = clean.run("policy", "check")
    assert "“\\x1b[31m\\u202e/” matches nothing" in done.stdout
    write(clean, "version: 1\n\x1b[31m: 1\n")
    done = clean.run("policy", "check")
    assert done.status == 1
    assert "\x1b" not in done.stdout
    assert "  \\x1b[31m: 1\n  ^\n" in done.stdout


# --- show --------------------------------------------------------------------------------------------------------


def test_who_may_do_what(forge):
    done = forge.run("policy", "show")
    assert done.status == 0
    head, rest = done.stdout.split("\n\n", 1)
    assert head == f"{FILE} (native) of {forge.introduction[:12]} “introduction”, not verified here"
    assert rest == (
        "/                alice; some of it: bob\n"
        "open/            anyone, unsigned\n"
        "pkgs/            alice, bob\n"
        "the policy file  alice\n"
        "release tags     alice\n"
        "options          unsigned_merges: true, adopting_merges: true\n"
        "\n"
        "alice\n"
        "  may change  /\n"
        "  signs       the policy file, release tags\n"
        f"  key         {ALICE.id}\n"
        "bob\n"
        "  may change  pkgs/\n"
        f"  key         {BOB.id}\n"
    )


def test_who_may_change_a_path(forge):
    done = forge.run("policy", "show", "HEAD", "README", "pkgs", "pkgs/new", "pkgs/sub/", FILE, "open/x", "open", "/")
    assert done.stdout.splitlines() == [
        "README           alice",
        "pkgs/            alice, bob",
        "pkgs/new         alice, bob",
        "pkgs/sub/        alice, bob",
        f"{FILE}  the policy's editors: alice",
        "open/x           anyone, unsigned",
        "open/            anyone, unsigned",
        "/                alice; some of it: bob",
    ]
    assert forge.run("policy", "show", "README").stdout == "README  alice\n"
    report = json.loads(forge.run("policy", "show", "pkgs/a", "open/", "--format", "json").stdout)
    assert report["paths"] == [
        {"path": "pkgs/a", "people": ["alice", "bob"], "partly": [], "unprotected": False, "policy_file": False},
        {"path": "open/", "people": ["alice", "bob"], "partly": [], "unprotected": True, "policy_file": False},
    ]


def test_a_revision_that_is_a_path_too(forge):
    forge.branch("pkgs")
    assert "is a revision and a path" in forge.run("policy", "show", "pkgs").error
    assert forge.run("policy", "show", "HEAD", "pkgs").stdout == "pkgs/  alice, bob\n"


def test_a_person(forge):
    done = forge.run("policy", "show", "--person", "bob")
    assert done.stdout.splitlines()[:2] == ["bob", "  may change  pkgs/"]
    report = json.loads(forge.run("policy", "show", "HEAD", "--person", "alice", "--format", "json").stdout)
    (alice,) = report["people"]
    assert (alice["editor"], alice["tags"], alice["paths"], alice["groups"]) == (True, True, ["/"], [])
    assert alice["keys"][0]["key"] == ALICE.id
    assert report["options"]["expired_keys"] == "ignore"
    assert "there is no person “bobb” (did you mean “bob”?)" in forge.run("policy", "show", "--person", "bobb").error
    assert forge.run("policy", "show", "HEAD", "x", "--person", "bob").status == 2


def test_groups_options_and_people_without_keys(forge):
    text = policies.native(
        {"alice": [ALICE], "bob": [BOB], "none": []},
        "groups: {both: [alice, bob]}",
        "  - {paths: [docs/x], people: ['@both']}",
        "policy_editors: ['@both']",
        "expired_keys: refuse",
        "tags: []",
        granted=["alice"],
    )
    lines = text.splitlines()
    groups = lines.pop(next(number for number, line in enumerate(lines) if line.startswith("groups")))
    forge.commit("groups", {FILE: "\n".join([*lines, groups]) + "\n"}, sign=True)
    out = forge.run("policy", "show").stdout
    assert "docs/x           alice, bob\n" in out
    assert "release tags     nobody\noptions          expired_keys: refuse\n" in out
    assert "bob (@both)\n  may change  docs/x\n  signs       the policy file\n" in out
    assert "none\n  may change  nothing\n  key         none, so nothing by this person counts\n" in out


def test_a_policy_that_cant_be_used(forge):
    forge.commit("broken", {FILE: "version: 2\n"})
    assert "can't be used: .gitverify.yaml: line 1, column 10" in forge.run("policy", "show").error
    assert forge.run("policy", "show", "HEAD~1").status == 0
