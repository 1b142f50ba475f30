"""pre-receive and update: real pushes to a real server, attacks first, each with a twin that is accepted."""

import os
import re
import signal
import subprocess

import pytest
from cli.forge import policy
from hooks.place import ALICE, BOB, FILES, GITVERIFY, OPTIONS, ZERO, said

from fixtures.lib import policies

TIDY = {"README": "tidy\n"}


@pytest.fixture
def guarded(place):
    """A server with a pre-receive hook, and a mark where its branch is."""
    assert place.install("pre-receive").status == 0
    assert place.call("verify", "main", repo=place.server).status == 0
    return place


def refused(done, code):
    """Assert a refusal that a pusher can read: ten lines, 80 columns, a code and what to do."""
    assert done.status == 1
    lines = said(done)
    assert len(lines) <= 10
    assert all(len(line) <= 72 for line in lines)
    assert any(line.startswith(f"  {code} (") for line in lines), lines
    assert any(line.startswith("  do  ") for line in lines), lines
    return lines


# --- what may not be pushed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["path", "file", "daemon"])
def test_an_unsigned_commit(guarded, url):
    there = {
        "path": guarded.server,
        "file": f"file://{guarded.server}",
        "daemon": f"ext::git daemon --inetd --enable=receive-pack --export-all %G{guarded.server}",
    }[url]
    guarded.set(**{"protocol.ext.allow": "always"})
    good = guarded.commit("Signed", TIDY, sign=True)
    assert guarded.push("main", remote=there).status == 0
    bad = guarded.commit("Not signed", {"README": "mine\n"})
    lines = refused(guarded.push("main", remote=there), "unsigned")
    assert lines[0] == "gitverify: refused refs/heads/main"
    assert f"  commit  {bad}" in lines
    assert lines[-1] == "Nothing of this push was accepted."
    assert guarded.at() == good


@pytest.mark.parametrize("limit", ["1", "1000"], ids=["pack", "loose"])
def test_objects_of_a_push_are_seen_wherever_git_keeps_them(guarded, limit):
    guarded.on_server("receive.unpackLimit", limit)
    guarded.commit("Signed", TIDY, sign=True)
    assert guarded.push("main").status == 0
    guarded.commit("Not signed", {"README": "mine\n"})
    refused(guarded.push("main"), "unsigned")


def test_a_push_that_removes_the_policy(guarded):
    guarded.commit("No policy", {policies.NATIVE: None}, sign=True)
    refused(guarded.push("main"), "policy-missing")
    guarded.git("reset", "-q", "--hard", "HEAD~")
    changed = policy("policy_editors: [alice]", people={"alice": [ALICE], "bob": [BOB]})
    guarded.commit("Another policy", {policies.NATIVE: changed}, sign=True)
    assert guarded.push("main").status == 0


def test_a_policy_that_lets_its_author_in(guarded):
    guarded.sign_with(BOB)
    guarded.commit("Bob may all", {policies.NATIVE: policy("policy_editors: [bob]")}, sign=True)
    refused(guarded.push("main"), "policy-unauthorized")
    guarded.git("reset", "-q", "--hard", "HEAD~")
    guarded.commit("Bob's folder", {"pkgs/a": "better\n"}, sign=True)
    assert guarded.push("main").status == 0


def test_going_back_by_force(guarded):
    guarded.commit("Second", TIDY, sign=True)
    third = guarded.commit("Third", {"README": "3\n"}, sign=True)
    assert guarded.push("main").status == 0
    refused(guarded.push("--force", "HEAD~:main"), "behind")
    guarded.git("switch", "-q", "-c", "other", "HEAD~")
    guarded.commit("Another third", {"README": "other\n"}, sign=True)
    refused(guarded.push("--force", "other:main"), "rollback")
    assert guarded.at() == third
    guarded.git("switch", "-q", "main")
    fourth = guarded.commit("Fourth", {"README": "4\n"}, sign=True)
    assert guarded.push("--force", "main").status == 0
    assert guarded.at() == fourth


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_deleting(place, hook):
    place.install(hook)
    place.on_server("receive.denyDeleteCurrent", "ignore")
    assert place.push("main:feature").status == 0
    assert place.push(":feature").status == 0
    refused(place.push(":main"), "rollback")
    assert place.at()


def test_unrelated_history(guarded):
    guarded.git("switch", "-q", "--orphan", "new")
    guarded.commit("All new", FILES | {policies.NATIVE: policy()}, sign=True)
    refused(guarded.push("--force", "new:main"), "not-descendant")
    assert guarded.push("new").status == 0  # not a protected branch


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_one_good_and_one_bad(place, hook):
    """pre-receive refuses both; update is asked for each by itself."""
    place.install(hook)
    place.on_server("gitverify.protected", "refs/heads/release/*")
    start = place.at()
    good = place.commit("Signed", TIDY, sign=True)
    place.git("switch", "-q", "-c", "bad")
    place.commit("Not signed", {"README": "mine\n"})
    lines = refused(place.push("main", "bad:release/1"), "unsigned")
    assert lines[0] == "gitverify: refused refs/heads/release/1"
    assert place.at() == (start if hook == "pre-receive" else good)
    assert not place.at("refs/heads/release/1")
    assert place.push("main", "main:release/1").status == 0
    assert place.at("refs/heads/release/1") == good


def test_an_unprotected_branch_is_anyones(guarded):
    guarded.commit("Not signed", TIDY)
    assert guarded.push("main:fix").status == 0


# --- names and claims ------------------------------------------------------------------------------------------------

NAMES = [
    "x$(touch${IFS}pwned)",
    "x;touch${IFS}pwned",
    "x|`id`&'\"",
    "line\u2028separator\u0085next",
    "bidi\u202egnp",
    "-o",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_names_that_mean_something_to_others(place, hook, name):
    place.install(hook)
    place.on_server("gitverify.protected", "refs/heads/*")
    good = place.commit("Signed", TIDY, sign=True)
    place.commit("Not signed", {"README": "mine\n"})
    ref = f"refs/heads/{name}"
    lines = refused(place.push(f"HEAD:{ref}"), "unsigned")
    assert not re.search("[\u2028\u0085\u202e]", "".join(lines))
    assert place.push(f"{good}:{ref}").status == 0
    assert not list(place.place.rglob("pwned"))


def test_a_name_that_is_not_utf8(place):
    """No setting could name it, so it is not known whether it should be protected."""
    place.install("pre-receive")
    place.on_server("gitverify.protected", "refs/heads/*")
    line = f"{ZERO} {place.introduction} ".encode()
    assert place.hook("pre-receive", stdin=line + b"refs/heads/y\n").status == 0
    done = place.hook("pre-receive", stdin=line + b"refs/heads/y\xff\n")
    assert done.status == 2
    assert "y\\xff would be protected" in done.stderr
    assert place.hook("pre-receive", stdin=line + b"refs/other/y\xff\n").status == 0


GARBAGE = [
    b"\0",
    b"garbage\n",
    b"refs/heads/main\n",
    b"%(old)s %(new)s refs/heads/main",
    b"%(old)s  %(new)s refs/heads/main\n",
    b"%(old)s %(new)s refs/heads/main\r\n",
    b"%(old)s %(new)s refs/heads/a b\n",
    b"%(old)s %(new)s \n",
    b"%(old)s 1234 refs/heads/main\n",
    b"%(old)s %(new)s refs/heads/main\n\n",
    b"HEAD main refs/heads/main\n",
    b"%(OLD)s %(new)s refs/heads/main\n",
]


@pytest.mark.parametrize("line", GARBAGE)
def test_garbage_on_standard_input(place, line):
    new = place.commit("Signed", TIDY, sign=True)
    place.git("push", "-q", "origin", "HEAD:other")
    ids = {b"old": place.introduction.encode(), b"new": new.encode(), b"OLD": place.introduction.upper().encode()}
    done = place.hook("pre-receive", stdin=line % ids if b"%" in line else line)
    assert done.status == 2
    assert done.stderr.startswith("gitverify: ")
    assert place.hook("pre-receive", stdin=b"%(old)s %(new)s refs/heads/main\n" % ids).status == 0


def test_no_lines_refuse_nothing(place):
    assert place.hook("pre-receive").status == 0


def test_the_pushers_claim_of_the_old_value_moves_no_mark(guarded):
    """A draft that somebody signed and gave up: as an old value it would keep the honest branch out from then on."""
    guarded.git("switch", "-q", "-c", "draft")
    draft = guarded.commit("Draft", {"README": "draft\n"}, sign=True)
    further = guarded.commit("More of it", {"README": "further\n"}, sign=True)
    guarded.push("draft")
    line = f"{draft} {further} refs/heads/main\n".encode()
    done = guarded.hook("pre-receive", stdin=line)
    assert done.status == 1
    assert f"it is at {guarded.introduction}" in " ".join(done.stderr.split())
    assert guarded.hook("pre-receive", stdin=f"{ZERO} {further} refs/heads/main\n".encode()).status == 1
    guarded.git("switch", "-q", "main")
    guarded.commit("Signed", TIDY, sign=True)
    assert guarded.push("main").status == 0


def test_another_name_for_a_protected_branch(guarded):
    """Git moves what a symbolic reference leads to."""
    guarded.git("symbolic-ref", "refs/heads/alias", "refs/heads/main", cwd=guarded.server)
    good = guarded.commit("Signed", TIDY, sign=True)
    guarded.commit("Not signed", {"README": "mine\n"})
    lines = refused(guarded.push("main:alias"), "unsigned")
    assert lines[0] == "gitverify: refused refs/heads/main"
    assert guarded.push(f"{good}:alias").status == 0
    assert guarded.at() == good


def test_a_loop_of_symbolic_references(place):
    for one, other in (("a", "b"), ("b", "a")):
        (place.server / "refs/heads" / one).write_text(f"ref: refs/heads/{other}\n")
    done = place.hook("pre-receive", stdin=f"{ZERO} {place.introduction} refs/heads/a\n".encode())
    assert done.status == 4


def test_a_client_has_no_say_in_what_is_trusted(guarded):
    """Not by options, settings or variables of git or ours, on a transport that hands all variables on."""
    guarded.on_server("receive.advertisePushOptions", "true")
    guarded.git("switch", "-q", "--orphan", "new")
    guarded.sign_with(BOB)
    bad = guarded.commit("All mine", FILES | {policies.NATIVE: policy()}, sign=True)
    ours = {
        "GITVERIFY_INTRODUCTION": bad,
        "GITVERIFY_SIGNER": BOB.id,
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "gitverify.introduction",
        "GIT_CONFIG_VALUE_0": bad,
        "GIT_CONFIG_KEY_1": "gitverify.protected",
        "GIT_CONFIG_VALUE_1": "refs/heads/none",
    }
    settings = ["-c", f"gitverify.introduction={bad}", "-c", "core.hooksPath=/dev/null"]
    options = ["-o", f"gitverify.introduction={bad}", "-o", "no-verify", "--no-verify"]
    for variables in ({}, ours):
        done = guarded.really("git", *settings, "push", "--force", *options, "origin", "new:main", env=variables)
        refused(done, "not-descendant")
    guarded.git("switch", "-q", "main")
    guarded.commit("Bob's folder", {"pkgs/a": "better\n"}, sign=True)
    assert guarded.really("git", *settings, "push", *options, "origin", "main", env=ours).status == 0


def test_a_namespace_is_refused(place):
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    assert place.hook("pre-receive", stdin=line).status == 0
    assert place.hook("pre-receive", stdin=line, env={"GIT_NAMESPACE": "fork"}).status == 4


# --- objects ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def arriving(place, tmp_path):
    """Objects that are in no repository yet, as git keeps those of a push; and the commit that they belong to."""
    new = place.commit("Signed", {"sub/file": "new\n"}, sign=True)
    names = place.git("rev-list", "--objects", f"{place.introduction}..{new}").split()
    quarantine = tmp_path / "incoming"
    for name in names:
        file = place.clone / ".git/objects" / name[:2] / name[2:]
        if file.is_file():
            (quarantine / name[:2]).mkdir(parents=True, exist_ok=True)
            file.rename(quarantine / name[:2] / name[2:])
    return quarantine, f"{place.introduction} {new} refs/heads/main\n".encode(), new


def test_a_pack_that_lacks_objects(place, arriving):
    quarantine, line, new = arriving
    env = {"GIT_QUARANTINE_PATH": str(quarantine), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'{place.server}/objects:"x'}
    tree = place.git("cat-file", "-p", new, GIT_ALTERNATE_OBJECT_DIRECTORIES=str(quarantine)).split()[1]
    file = quarantine / tree[:2] / tree[2:]
    content = file.read_bytes()
    file.unlink()
    done = place.hook("pre-receive", stdin=line, env=env)
    assert done.status == 3
    assert "cannot judge" in done.stderr
    assert tree in done.stderr
    file.write_bytes(content)
    assert place.hook("pre-receive", stdin=line, env=env).status == 0


def test_only_hooks_look_where_a_push_is_kept(place, arriving):
    quarantine, line, new = arriving
    where = {"GIT_QUARANTINE_PATH": str(quarantine), "GIT_OBJECT_DIRECTORY": str(quarantine)}
    assert place.hook("pre-receive", stdin=line, env=where).status == 0
    assert place.hook("pre-receive", stdin=line).status == 3
    done = place.call("verify", new, "--no-state", repo=place.server, env=where)
    assert done.status == 3


def test_a_repository_of_another_hash(place, tmp_path):
    server = tmp_path / "sha256.git"
    place.git("init", "-q", "--bare", "--object-format=sha256", str(server), cwd=tmp_path)
    place.git("config", "gitverify.introduction", place.introduction, cwd=server)
    line = f"{'0' * 64} {'1' * 64} refs/heads/main\n".encode()
    done = place.hook("pre-receive", stdin=line, where=server)
    assert done.status == 3
    assert "unsupported-repository" in done.stderr


def test_something_else_than_a_commit(place):
    place.on_server("gitverify.protected", "refs/things/*")
    blob = place.git("hash-object", "-w", "README", cwd=place.clone)
    place.git("tag", "thing", blob)
    assert place.push("thing").status == 0
    done = place.hook("pre-receive", stdin=f"{ZERO} {blob} refs/things/x\n".encode())
    assert done.status == 1
    assert "malformed-commit" in done.stderr
    line = f"{ZERO} {place.introduction} refs/things/x\n".encode()
    assert place.hook("pre-receive", stdin=line).status == 0


# --- everything that goes wrong refuses ----------------------------------------------------------------------------


def test_no_introduction(place):
    place.install("pre-receive")
    place.commit("Signed", TIDY, sign=True)
    place.git("config", "--unset", "gitverify.introduction", cwd=place.server)
    done = place.push("main")
    assert done.status == 1
    assert any("introduction-not-configured (R1)" in line for line in said(done))
    assert len(said(done)) <= 10
    place.on_server("gitverify.introduction", place.introduction)
    assert place.push("main").status == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gitverify.state", "relative"),
        ("gitverify.hookTimeout", "soon"),
        ("gitverify.hookTags", "maybe"),
        ("gitverify.introduction", "main"),
        ("gitverify.introduction", "1" * 40),
        ("gitverify.signer", "SHA256:" + "A" * 43),
    ],
)
def test_settings_that_make_no_sense(place, name, value):
    place.install("pre-receive")
    place.commit("Signed", TIDY, sign=True)
    before = place.git("config", "--get", name, cwd=place.server, check=False)
    place.on_server(name, value)
    done = place.push("main")
    assert done.status == 1
    assert "pre-receive hook declined" in done.stderr
    assert len(said(done)) <= 10
    if before:
        place.on_server(name, before)
    else:
        place.git("config", "--unset", name, cwd=place.server)
    assert place.push("main").status == 0


def test_state(place, tmp_path):
    place.install("pre-receive")
    place.commit("Signed", TIDY, sign=True)
    place.on_server("gitverify.state", str(place.server / "state"))
    lines = said(place.push("main"))
    assert "  state-unsafe (R24)" in lines
    state = tmp_path / "state"
    place.on_server("gitverify.state", str(state))
    state.mkdir(mode=0o700)
    (state / "marks.sqlite3").write_bytes(b"no database at all, but a text of some length\n" * 100)
    (state / "marks.sqlite3").chmod(0o600)
    assert "  state-corrupt (R24)" in said(place.push("main"))
    (state / "marks.sqlite3").unlink()
    assert place.push("main").status == 0
    assert (state / "marks.sqlite3").exists()


def test_the_environment_names_the_state_before_the_configuration(place, tmp_path):
    place.on_server("gitverify.state", str(tmp_path / "one"))
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    assert place.hook("pre-receive", stdin=line, env={"GITVERIFY_STATE": str(tmp_path / "other")}).status == 0
    assert [path.name for path in tmp_path.glob("o*")] == ["other"]


def test_nothing_is_protected(place):
    place.git("update-ref", "--no-deref", "HEAD", place.introduction, cwd=place.server)
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    done = place.hook("pre-receive", stdin=line)
    assert done.status == 4
    assert "gitverify.protected" in done.stderr
    place.on_server("gitverify.protected", "main")
    assert place.hook("pre-receive", stdin=line).status == 0


def test_no_repository(place, tmp_path):
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    assert place.hook("pre-receive", stdin=line, where=tmp_path).status == 2


def test_an_internal_error(place, monkeypatch):
    """It goes up to where every command ends with 70; a listener that has gone would there be no error."""
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    assert place.hook("pre-receive", stdin=line).status == 0
    for error, status in ((BrokenPipeError(), 70), (RuntimeError("bug"), None)):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("gitverify.hooks.server.receive", fail)
        if status is None:
            with pytest.raises(RuntimeError):
                place.hook("pre-receive", stdin=line)
        else:
            assert place.hook("pre-receive", stdin=line).status == status


def test_judging_for_too_long(place, monkeypatch):
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    place.on_server("gitverify.hookTimeout", "5m")
    assert place.hook("pre-receive", stdin=line).status == 0
    monkeypatch.setattr("gitverify.hooks.server.receive", lambda *_: signal.raise_signal(signal.SIGALRM))
    done = place.hook("pre-receive", stdin=line)
    assert done.status == 3
    assert "longer than 300 seconds" in done.stderr
    assert signal.alarm(0) == 0


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_pusher_who_does_not_listen(place, hook):
    """Its standard error is a pipe that nobody reads; the answer is the same."""
    place.commit("Not signed", TIDY)
    place.git("push", "-q", "origin", "HEAD:other")
    ids = [place.introduction, place.head()]
    words = ["refs/heads/main", *ids] if hook == "update" else []
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*GITVERIFY, "hook", hook, *words],
        cwd=place.server,
        env=place.environment | {"GIT_DIR": "."},
        input=f"{' '.join(ids)} refs/heads/main\n".encode(),
        stdout=writing,
        stderr=writing,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1


# --- more branches, tags, first pushes -------------------------------------------------------------------------------


def test_a_new_branch_is_judged(guarded):
    guarded.on_server("gitverify.protected", "refs/heads/release/*")
    good = guarded.commit("Signed", TIDY, sign=True)
    guarded.commit("Not signed", {"README": "mine\n"})
    refused(guarded.push("main:release/1"), "unsigned")
    assert guarded.push(f"{good}:refs/heads/release/1").status == 0
    assert guarded.push(f"{guarded.introduction}:refs/heads/release/2").status == 0


def test_the_first_push_to_an_empty_server(place, tmp_path):
    server = tmp_path / "new.git"
    place.git("init", "-q", "--bare", "-b", "main", str(server), cwd=tmp_path)
    place.git("config", "gitverify.introduction", place.introduction, cwd=server)
    assert place.install("pre-receive", repo=server).status == 0
    bad = place.commit("Not signed", TIDY)
    refused(place.push("main", remote=server), "unsigned")
    assert place.push(f"{place.introduction}:refs/heads/main", remote=server).status == 0
    assert place.push(f"{bad}:refs/heads/feature", remote=server).status == 0


@pytest.fixture
def tagging(place):
    """A server that judges tags, too."""
    place.install("pre-receive")
    place.on_server("gitverify.hookTags", "verify")
    return place


def test_tags_are_let_through_unless_they_are_to_be_judged(place):
    place.install("pre-receive")
    place.git("tag", "bad", place.commit("Not signed", TIDY))
    assert place.push("bad").status == 0
    assert place.push(":refs/tags/bad").status == 0
    place.on_server("gitverify.hookTags", "verify")
    refused(place.push("bad"), "tag-not-annotated")
    place.git("tag", "-s", "-m", "good", "good", place.introduction)
    assert place.push("good").status == 0


def test_tags_of_what_is_not_authentic_or_by_nobody(tagging):
    bad = tagging.commit("Not signed", TIDY)
    tagging.git("tag", "-s", "-m", "bad", "bad", bad)
    tagging.git("tag", "-a", "-m", "unsigned", "unsigned", tagging.introduction)
    tagging.git("tag", "-s", "-m", "blob", "blob", tagging.git("rev-parse", "HEAD:README"))
    tagging.git("tag", "-s", "-m", "good", "good", tagging.introduction)
    refused(tagging.push("bad"), "unsigned")
    lines = refused(tagging.push("unsigned"), "unsigned")
    assert f"  tag     {tagging.head('unsigned')}" in lines
    refused(tagging.push("blob"), "tag-target")
    lines = refused(tagging.push("good:refs/tags/other"), "tag-name")
    assert lines[0] == "gitverify: refused refs/tags/other"
    assert "  do      Push it under the name that it calls itself." in lines
    assert tagging.push("good").status == 0
    assert tagging.push("HEAD:refs/heads/feature").status == 0


def test_a_tag_that_is_there_stays(tagging):
    tagging.git("tag", "-s", "-m", "one", "v1", tagging.introduction)
    assert tagging.push("v1").status == 0
    refused(tagging.push(":refs/tags/v1"), "rollback")
    tagging.git("tag", "-s", "-f", "-m", "another", "v1", tagging.commit("Signed", TIDY, sign=True))
    assert tagging.push("main").status == 0
    refused(tagging.push("--force", "v1"), "rollback")
    tagging.git("tag", "-s", "-m", "two", "v2")
    assert tagging.push("v2").status == 0


def test_a_tag_by_somebody_who_has_left(tagging):
    """The server's mark is moved to where the branch is before it is asked."""
    options = (*OPTIONS[:3], "policy_editors: [alice]", "tags: [alice, bob]")
    tagging.sign_with(ALICE)
    both = tagging.commit("Bob tags", {policies.NATIVE: policy(*options)}, sign=True)
    assert tagging.push("main").status == 0
    tagging.sign_with(BOB)
    tagging.git("tag", "-s", "-m", "one", "v1", both)
    assert tagging.push("v1").status == 0
    tagging.sign_with(ALICE)
    tagging.commit("Bob does not", {policies.NATIVE: policy(*OPTIONS, "tags: [alice]")}, sign=True)
    assert tagging.push("main").status == 0
    tagging.sign_with(BOB)
    tagging.git("tag", "-s", "-m", "two", "v2", both)
    refused(tagging.push("v2"), "unauthorized-key")
    tagging.sign_with(ALICE)
    tagging.git("tag", "-s", "-f", "-m", "two", "v2", both)
    assert tagging.push("v2").status == 0


def test_tags_without_an_introduction_or_a_default_branch(place):
    place.on_server("gitverify.hookTags", "verify")
    place.git("tag", "-s", "-m", "one", "v1", place.introduction)
    place.git("push", "-q", "origin", "v1:refs/objects/v1")
    line = f"{ZERO} {place.head('v1')} refs/tags/v1\n".encode()
    assert place.hook("pre-receive", stdin=line).status == 0
    place.git("config", "--unset", "gitverify.introduction", cwd=place.server)
    assert place.hook("pre-receive", stdin=line).status == 4
    place.on_server("gitverify.introduction", place.introduction)
    place.on_server("gitverify.protected", "main")
    place.git("update-ref", "--no-deref", "HEAD", place.introduction, cwd=place.server)
    assert place.hook("pre-receive", stdin=line).status == 0
    missing = f"{ZERO} {'1' * 40} refs/tags/v1\n".encode()
    assert place.hook("pre-receive", stdin=missing).status == 3


# --- a branch that is not authentic yet ----------------------------------------------------------------------------


def test_a_branch_that_was_not_authentic_can_be_sealed(place):
    bad = place.commit("Not signed", TIDY)
    assert place.push("main").status == 0  # there was no hook yet
    place.install("pre-receive")
    place.commit("Signed, on top", {"README": "top\n"}, sign=True)
    refused(place.push("main"), "unsigned")
    place.git("reset", "-q", "--hard", bad)
    assert place.run("adopt", "--yes").status == 0
    assert place.push("main").status == 0
    assert place.at() == place.head()


@pytest.mark.parametrize("back", ["good", "introduction"])
def test_a_branch_that_was_not_authentic_goes_back_no_further_than_it_was(place, back):
    """What is authentic of it was accepted by all who verified it: no push may take that back."""
    place.commit("good", TIDY, sign=True)
    place.commit("Not signed", {"README": "mine\n"})
    assert place.push("main").status == 0  # there was no hook yet
    place.install("pre-receive")
    done = place.push("--force", f"{place.ids[back]}:main")
    if back == "good":
        assert done.status == 0
    else:
        refused(done, "behind")


def test_the_mark_is_where_the_branch_was_not_where_it_goes(guarded):
    """Another hook may still refuse the push."""
    first = guarded.commit("First", TIDY, sign=True)
    (guarded.server / "hooks/update").write_text("#!/bin/sh\nexit 1\n")
    (guarded.server / "hooks/update").chmod(0o755)
    assert guarded.push("main").status == 1
    guarded.git("reset", "-q", "--hard", "HEAD~")
    other = guarded.commit("Other", {"README": "other\n"}, sign=True)
    (guarded.server / "hooks/update").unlink()
    assert guarded.push("main").status == 0
    assert first != other == guarded.at()


def test_how_old_a_branch_is_stops_no_push(place, later):
    """Somebody has to be the first to commit again; and what is there counts as a floor, however old."""
    place.on_server("gitverify.maxAge", "7d")
    new = place.commit("Signed", TIDY, sign=True)
    place.git("push", "-q", "origin", "HEAD:other")
    assert place.call("verify", "main", "--no-state", repo=place.server).status == 1
    assert place.hook("pre-receive", stdin=f"{place.introduction} {new} refs/heads/main\n".encode()).status == 0
    place.git("push", "-q", "origin", "HEAD:main")
    done = place.hook("pre-receive", stdin=f"{new} {place.introduction} refs/heads/main\n".encode())
    assert "behind (R23)" in done.stderr


def test_who_runs_the_server_can_go_back(guarded):
    guarded.commit("Second", TIDY, sign=True)
    assert guarded.push("main").status == 0
    assert guarded.call("verify", "main", repo=guarded.server).status == 0
    guarded.git("update-ref", "refs/heads/main", guarded.introduction, cwd=guarded.server)
    guarded.git("reset", "-q", "--hard", guarded.introduction)
    guarded.commit("Another second", {"README": "another\n"}, sign=True)
    refused(guarded.push("main"), "rollback")
    assert guarded.call("verify", "--allow-rollback", "main", repo=guarded.server).status == 0
    assert guarded.push("main").status == 0


def test_in_a_repository_with_a_checkout(place, tmp_path):
    server = tmp_path / "normal"
    place.git("clone", "-q", str(place.server), str(server), cwd=tmp_path)
    place.git("config", "gitverify.introduction", place.introduction, cwd=server)
    place.git("config", "receive.denyCurrentBranch", "updateInstead", cwd=server)
    assert place.install("pre-receive", repo=server).status == 0
    good = place.commit("Signed", TIDY, sign=True)
    place.commit("Not signed", {"README": "mine\n"})
    refused(place.push("main", remote=server), "unsigned")
    assert place.push(f"{good}:main", remote=server).status == 0
    assert (server / "README").read_text() == "tidy\n"
