"""``gitverify policy add-key``, ``remove-key``, ``grant``, ``revoke``: files, commits, and who may not."""

import stat

import pytest
from cli.forge import Forge
from keyplaces import gpg_home, key_file, ssh_agent

from fixtures.lib.keys import ALICE, BOB, CAROL, MALLORY

FILE = ".gitverify.yaml"


@pytest.fixture
def forge(tmp_path):
    return Forge(tmp_path, options=("unprotected: [open/]", "policy_editors: [alice]  # the boss"))


def policy(forge):
    return (forge.clone / FILE).read_text()


def run(forge, *arguments, status=0, **more):
    done = forge.run("policy", *arguments, **more)
    assert done.status == status, done.stdout + done.error
    return done.stdout if status == 0 else done.error


def test_a_key_from_a_file(forge, tmp_path):
    before, path = policy(forge), key_file(tmp_path, "mallory", comment="mallory@laptop")
    (forge.clone / FILE).chmod(0o640)
    out = run(forge, "add-key", "mallory", str(path), "--new-person")
    assert out == (
        f"listed mallory with the key {MALLORY.id}, who may change nothing yet\n"
        "warning: mallory may do nothing: the name stands in no grant and no group\n"
        f"changed {FILE}; it counts from the commit after the one that has it\n"
        f"next: git commit -S -m 'Add a key of mallory to the policy' -- {FILE}\n"
    )
    new = f"  mallory:\n    keys:\n      - {MALLORY.line} mallory@laptop\n"
    assert policy(forge) == before.replace("grants:", new + "grants:")
    assert stat.S_IMODE((forge.clone / FILE).stat().st_mode) == 0o640
    assert [path.name for path in forge.clone.glob(f"{FILE}*")] == [FILE]
    assert forge.git("status", "--short") == f"M {FILE}"


def test_what_is_there_already(forge, tmp_path):
    before = (forge.clone / FILE).stat().st_mtime_ns
    for arguments in (
        ("add-key", "alice", ALICE.line),
        ("grant", "bob", "pkgs/"),
        ("grant", "alice", "--editor"),
        ("revoke", "bob", "--tags"),
    ):
        assert run(forge, *arguments).endswith("nothing had to be changed\n")
        assert "nothing had to be changed" in run(forge, *arguments, "--commit")
    assert (forge.clone / FILE).stat().st_mtime_ns == before


def test_a_key_of_the_agent(forge):
    with ssh_agent("mallory", "ecdsa256") as socket:
        env = {"SSH_AUTH_SOCK": socket}
        assert MALLORY.id in run(forge, "add-key", "bob", MALLORY.id, env=env)
        assert "ssh-agent has no key “nothing”; it has: SHA256:" in run(
            forge, "add-key", "bob", "nothing", "--agent", env=env, status=2
        )
    assert "there is no ssh-agent here" in run(forge, "add-key", "bob", "x", "--agent", status=2)


def test_an_openpgp_key_with_its_certificate(forge):
    with gpg_home(CAROL) as home:
        env = {"GNUPGHOME": home}
        out = run(forge, "add-key", "bob", CAROL.id, "--dry-run", env=env)
        assert f"+      - openpgp: {CAROL.id}\n" in out
        assert f"note: the certificate of {CAROL.id} would be written beside it\n" in out
        assert not (forge.clone / ".gitverify").exists()
        out = run(forge, "add-key", "bob", CAROL.id, env=env)
        name = f".gitverify/keys/bob-{CAROL.id[-16:]}.asc"
        assert "no certificate" not in out
        assert f"next: git add {name} && git commit -S -m 'Add a key of bob to the policy' -- {name} {FILE}\n" in out
        assert policy(forge).endswith("# the boss\nopenpgp_keys: .gitverify/keys/\n")
        assert run(forge, "add-key", "bob", CAROL.id, env=env).endswith("nothing had to be changed\n")
        assert "-----BEGIN PGP PUBLIC KEY BLOCK-----" in (forge.clone / name).read_text()
        (forge.clone / name).write_text("damaged")
        assert f"changed {name}; it counts" in run(forge, "add-key", "bob", CAROL.id, env=env)
        assert "gpg has no certificate" in run(forge, "add-key", "bob", "nobody@example.org", env=env, status=2)
    assert forge.run("policy", "check").stdout.count("\n") == 4  # one finding
    spaced = " ".join(CAROL.id[at : at + 4] for at in range(0, 40, 4))
    assert f"removed the key {CAROL.id} of bob" in run(forge, "remove-key", "bob", spaced)


def test_certificates_are_not_written_through_links(forge, tmp_path):
    (forge.clone / ".gitverify").symlink_to(tmp_path)
    before = policy(forge)
    with gpg_home(CAROL) as home:
        assert "is no directory" in run(forge, "add-key", "bob", CAROL.id, env={"GNUPGHOME": home}, status=2)
    assert policy(forge) == before


def test_a_committed_change_is_authentic(forge, tmp_path):
    (forge.clone / "README").write_text("not to be committed\n")
    forge.git("add", "README")
    with gpg_home(CAROL) as home:
        env = {"GNUPGHOME": home}
        out = run(forge, "add-key", "carol", CAROL.id, "--new-person", "--commit", "-m", "Welcome Carol", env=env)
    assert f"committed and signed as {forge.head()}\nnext: gitverify verify, then git push\n" in out
    assert forge.git("show", "-s", "--format=%s") == "Welcome Carol"
    changed = forge.git("show", "--format=", "--name-only").split()
    assert changed == [FILE, f".gitverify/keys/carol-{CAROL.id[-16:]}.asc"]
    assert forge.git("status", "--short") == "M  README"
    assert forge.verify("HEAD")["verdict"] == "authentic"


def test_a_commit_by_somebody_who_is_no_editor(forge):
    before, head = policy(forge), forge.head()
    forge.sign_with(BOB)
    error = run(forge, "grant", "bob", "/", "--commit", status=2)
    assert f"git would sign with key {BOB.id}, which is no editor's, so the commit would be refused" in error
    assert error.endswith("editors are: alice")
    assert (policy(forge), forge.head()) == (before, head)
    forge.git("config", "--unset", "user.signingKey")
    assert "can't be told which key" in run(forge, "grant", "bob", "/", "--commit", status=2)
    forge.set(**{"gpg.format": "x509"})
    assert "x509" in run(forge, "grant", "bob", "/", "--commit", status=2)
    assert (policy(forge), forge.head()) == (before, head)
    forge.sign_with(ALICE)
    run(forge, "grant", "bob", "/", "--commit")
    assert forge.verify("HEAD")["verdict"] == "authentic"


def test_a_commit_holds_this_change_alone(forge):
    (forge.clone / FILE).write_text(policy(forge) + "tags: [bob]\n")
    assert "has changes that are not committed" in run(forge, "grant", "bob", "x/", "--commit", status=2)
    forge.git("checkout", "-q", FILE)
    (forge.clone / ".git/MERGE_HEAD").write_text(forge.head() + "\n")
    assert "a merge or rebase is under way" in run(forge, "grant", "bob", "x/", "--commit", status=2)


def test_a_key_that_git_cant_use_leaves_the_change_uncommitted(forge, tmp_path):
    (tmp_path / ALICE.name).unlink()
    head = forge.head()
    forge.set(**{"user.signingKey": str(tmp_path / f"{ALICE.name}.pub")})
    error = run(forge, "grant", "bob", "x/", "--commit", status=2)
    assert "the file is changed, but git could not commit it" in error
    assert forge.head() == head


def test_a_dry_run_shows_a_diff_and_writes_nothing(forge):
    before = policy(forge)
    out = run(forge, "grant", "bob", "pkgs", "\x1b/", "--dry-run")
    assert '+  - {paths: [pkgs/, pkgs, "\\\\x1b/"], people: [bob]}\n' in out
    assert "\x1b" not in out
    assert "warning: “pkgs” is a directory: without its slash (“pkgs/”) nothing below it is meant\n" in out
    assert "warning: “\\x1b/” matches nothing in this tree\n" in out
    assert policy(forge) == before
    assert forge.run("policy", "grant", "bob", "x", "--dry-run", "--commit").status == 2


def test_removing_a_key_and_a_person(forge, tmp_path):
    run(forge, "add-key", "bob", MALLORY.line)
    out = run(forge, "remove-key", "bob", str(key_file(tmp_path, "mallory")) + ".pub")
    assert "note: commits already accepted stay valid;" in out
    assert forge.git("status", "--short") == ""
    run(forge, "add-key", "bob", MALLORY.line)
    run(forge, "remove-key", "bob", MALLORY.line)
    assert MALLORY.id in run(forge, "remove-key", "bob", MALLORY.id + "=", status=2)
    out = run(forge, "remove-key", "bob", "--all")
    assert "removed bob from people, groups, grants and roles\n" in out
    assert "bob" not in policy(forge)
    assert "there is no person “bob”" in run(forge, "remove-key", "bob", "--all", status=2)
    for arguments in (("bob",), ("bob", BOB.id, "--all")):
        assert forge.run("policy", "remove-key", *arguments).status == 2


def test_nobody_is_locked_out(forge):
    before = policy(forge)
    for arguments in (
        ("remove-key", "alice", ALICE.id),
        ("remove-key", "alice", "--all"),
        ("revoke", "alice", "--editor"),
    ):
        error = run(forge, *arguments, status=2)
        assert "refused, because it would lock everybody out" in error
        assert "gitverify policy grant PERSON --editor" in error
    assert policy(forge) == before
    run(forge, "grant", "bob", "--editor", "--tags", "README")
    assert "policy_editors: [alice, bob]  # the boss\ntags: [alice, bob]\n" in policy(forge)
    run(forge, "revoke", "alice", "--editor", "--tags")
    assert "policy_editors: [bob]  # the boss\ntags: [bob]\n" in policy(forge)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("grant", "alcie", "x/"), "there is no person “alcie” (did you mean “alice”?)"),
        (("grant", "@both", "x/"), "there is no group “@both”"),
        (("grant", "bob", "/x"), "paths begin at the root of the repository, without a slash"),
        (("grant", "bob", "x/../y"), "it has a component “.” or “..”"),
        (("grant", "bob", "*.py"), "there are no globs"),
        (("grant", "bob"), "name a PATH, or say --editor or --tags"),
        (("add-key", "bobby", MALLORY.line), "there is no person “bobby” (did you mean “bob”?); to list somebody new"),
        (("add-key", "bob", ALICE.line), "alice has the key"),
        (("add-key", "bob", "/nothing.pub"), "can't be read"),
        (("add-key", "bob", "ssh-rsa AAAA"), "the key is cut off"),
    ],
)
def test_refused(forge, arguments, message):
    before = policy(forge)
    assert message in run(forge, *arguments, status=2)
    assert policy(forge) == before


def test_a_file_that_is_no_policy(forge, tmp_path):
    text = policy(forge)
    (forge.clone / FILE).write_text(text.replace("alice:", "&a alice:"))
    error = run(forge, "grant", "bob", "x/", status=2)
    assert f"{FILE} has an error, correct it first: line 3, column" in error
    (forge.clone / FILE).unlink()
    (tmp_path / "elsewhere").write_text(text)
    (forge.clone / FILE).symlink_to(tmp_path / "elsewhere")
    assert "is a symlink: a policy is a regular file (R14)" in run(forge, "grant", "bob", "x/", status=2)
    assert (tmp_path / "elsewhere").read_text() == text
    (forge.clone / FILE).unlink()
    (forge.clone / FILE).mkdir()
    assert "is no regular file" in run(forge, "grant", "bob", "x/", status=2)


def test_other_dialects_are_edited_by_hand(forge):
    (forge.clone / FILE).unlink()
    (forge.clone / ".allowed_signers").write_text(f"a@example.org {ALICE.line}\n")
    error = run(forge, "grant", "bob", "x/", status=2)
    assert ".allowed_signers is a policy of the openssh dialect: edit it by hand" in error


def test_a_bare_repository(forge):
    forge.git("push", "-q")
    forge.clone = forge.server
    assert "this is a bare repository" in run(forge, "grant", "bob", "x/", status=2)
    assert "bob" in run(forge, "show")


def test_a_policy_elsewhere(forge):
    (forge.clone / "pkgs/policy.yaml").write_text(policy(forge))
    out = run(forge, "grant", "bob", "open/", "--policy-path", "pkgs/policy.yaml")
    assert "changed pkgs/policy.yaml" in out
    assert forge.git("status", "--short") == "?? pkgs/policy.yaml"


def test_a_policy_behind_a_link(forge, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/policy.yaml").write_text(policy(forge))
    (forge.clone / "here").symlink_to(tmp_path / "there")
    error = run(forge, "grant", "bob", "open/", "--policy-path", "here/policy.yaml", status=2)
    assert "here/policy.yaml lies behind a symlink" in error
    assert (tmp_path / "there/policy.yaml").read_text() == policy(forge)


def test_a_forges_key(forge):
    gitlab = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIADOCCUoN3Q1UPQqUvp845fKy7haJH17qsSkVXzWXilW"
    out = run(forge, "add-key", "forge", gitlab, "--new-person")
    assert "warning: “forge” has the key of GitLab.com (web commits): anyone with an account there can have it" in out


def test_commands_to_copy_are_quoted(forge):
    out = run(forge, "grant", "bob", "x/", "-m", "Bob's; rm -rf ~")
    assert f"""next: git commit -S -m 'Bob'"'"'s; rm -rf ~' -- {FILE}\n""" in out


def test_nothing_to_sign_with_before_there_is_a_policy(forge):
    text = policy(forge)
    forge.git("rm", "-q", FILE)
    forge.commit("no policy", {}, sign=True)
    (forge.clone / FILE).write_text(text)
    assert "HEAD has no policy that can be used" in run(forge, "grant", "bob", "x/", "--commit", status=2)
