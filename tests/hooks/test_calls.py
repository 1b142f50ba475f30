"""What the tests with real pushes see from outside, called in this process: update, tags of a client, odd values."""

import pytest
from hooks.place import ZERO

from gitverify.session import Unanswerable


def test_update_is_asked_for_one(place):
    new = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    bad = place.commit("Not signed", {"README": "mine\n"})
    place.git("push", "-q", "origin", "HEAD:refs/objects/all")
    assert place.hook("update", "refs/heads/main", place.introduction, new).status == 0
    done = place.hook("update", "refs/heads/main", place.introduction, bad)
    assert done.status == 1
    assert done.stderr.endswith("This reference was left as it was.\n")
    assert place.hook("update", "refs/heads/main", place.introduction, ZERO).status == 1
    assert place.hook("update", "refs/heads/feature", ZERO, bad).status == 0
    assert place.hook("update", "refs/heads/main", "garbage", bad).status == 2
    assert place.hook("update", "refs/heads/main").status == 2


def test_what_is_there_can_not_be_judged(place):
    """Then nothing says what the new value must not take back; a branch that is not authentic is another matter."""
    new = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    place.git("push", "-q", "origin", "HEAD:refs/objects/all")
    lost = place.server / "objects" / place.introduction[:2] / place.introduction[2:]
    content = lost.read_bytes()
    lost.unlink()
    line = f"{place.introduction} {new} refs/heads/main\n".encode()
    done = place.hook("pre-receive", stdin=line)
    assert done.status == 3
    lost.write_bytes(content)
    assert place.hook("pre-receive", stdin=line).status == 0
    place.on_server("gitverify.keyring", "none")
    assert "keyring-missing" in place.hook("pre-receive", stdin=line).stderr
    tree = place.git("rev-parse", f"{place.introduction}^{{tree}}")
    file = place.server / "objects" / tree[:2] / tree[2:]
    place.git("config", "--unset", "gitverify.keyring", cwd=place.server)
    file.unlink()
    assert place.hook("pre-receive", stdin=line).status == 3


def test_a_commit_that_is_there_is_lost(place):
    """Its mark can't be moved: undecided, not merely not authentic."""
    second = place.commit("Second", {"README": "2\n"}, sign=True)
    third = place.commit("Third", {"README": "3\n"}, sign=True)
    place.git("push", "-q", "origin", "HEAD~:main", "HEAD:refs/objects/all")
    tree = place.git("rev-parse", f"{second}^{{tree}}")
    (place.server / "objects" / tree[:2] / tree[2:]).unlink()
    done = place.hook("pre-receive", stdin=f"{second} {third} refs/heads/main\n".encode())
    assert done.status == 3
    assert "cannot judge refs/heads/main" in done.stderr


def test_tags_of_a_client(place):
    place.set(**{"gitverify.hookTags": "verify"})
    where = place.clone / ".git"
    place.git("tag", "-s", "-m", "one", "v1")
    line = f"refs/tags/v1 {place.head('v1')} refs/tags/v1 {ZERO}\n".encode()
    assert place.hook("pre-push", "origin", "url", stdin=line, where=where).status == 0
    line = f"refs/tags/v1 {place.introduction} refs/tags/v1 {ZERO}\n".encode()
    assert "tag-not-annotated" in place.hook("pre-push", "origin", "url", stdin=line, where=where).stderr
    line = f"(delete) {ZERO} refs/tags/v1 {place.introduction}\n".encode()
    assert place.hook("pre-push", "origin", "url", stdin=line, where=where).status == 1
    line = f"x {place.introduction} refs/heads/feature {ZERO}\n".encode()
    assert place.hook("pre-push", "origin", "url", stdin=line, where=where).status == 0


@pytest.mark.parametrize("value", ["verify", "ignore"])
def test_local_branches(place, value):
    place.set(**{"gitverify.hookHeads": value})
    where = place.clone / ".git"
    bad = place.commit("Not signed", {"README": "mine\n"})
    place.git("reset", "-q", "--hard", place.introduction)
    line = f"{ZERO} {bad} refs/heads/main\n".encode()
    done = place.hook("reference-transaction", "prepared", stdin=line, where=where)
    assert done.status == (1 if value == "verify" else 0)
    for ref in ("refs/heads/topic", "refs/heads/main"):
        commit = bad if ref == "refs/heads/topic" else place.introduction
        line = f"{ZERO} {commit} {ref}\n".encode()
        assert place.hook("reference-transaction", "prepared", stdin=line, where=where).status == 0


def test_a_merge_with_no_way_back(place):
    """Nothing is authentic, and git remembers no place where the branch was."""
    place.git("update-ref", "-d", "ORIG_HEAD")
    place.set(**{"gitverify.signer": "SHA256:" + "A" * 43})
    done = place.hook("post-merge", "0", where=place.clone / ".git")
    assert done.status == 1
    assert "introduction-signer" in done.stderr
    assert "git reset" not in done.stderr


@pytest.mark.parametrize("value", ["~nobody-of-that-name/state", "state", "./state"])
def test_a_state_directory_that_is_nowhere(place, value):
    place.on_server("gitverify.state", value)
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    assert place.hook("pre-receive", stdin=line).status == 4
    place.on_server("gitverify.state", "~/state")
    assert place.hook("pre-receive", stdin=line).status == 0
    assert (place.place / "home/state/marks.sqlite3").exists()


def test_settings_in_the_working_tree(place):
    (place.clone / "config").write_text(f"[gitverify]\n\tintroduction = {place.introduction}\n")
    place.set(**{"include.path": "../config"})
    line = f"x {place.introduction} refs/heads/main {ZERO}\n".encode()
    done = place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git")
    assert done.status == 4
    assert "config-untrusted" in done.stderr


def test_a_tag_whose_branch_can_not_be_asked(place, monkeypatch):
    place.set(**{"gitverify.hookTags": "verify"})
    place.git("tag", "-s", "-m", "one", "v1")
    line = f"refs/tags/v1 {place.head('v1')} refs/tags/v1 {ZERO}\n".encode()

    def unanswerable(*_, **__):
        raise Unanswerable("state-corrupt", "it is damaged", rule="R24")

    monkeypatch.setattr("gitverify.hooks.judge.verify_tag", unanswerable)
    assert place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git").status == 4
    monkeypatch.undo()
    assert place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git").status == 0


@pytest.mark.parametrize(("name", "value"), [("hookTimeout", "soon"), ("hookTags", "maybe"), ("hookTags", "")])
def test_settings_that_say_nothing(place, name, value):
    line = f"{place.introduction} {place.introduction} refs/heads/main\n".encode()
    place.on_server(f"gitverify.{name}", value)
    done = place.hook("pre-receive", stdin=line)
    assert done.status == 4
    assert f"gitverify.{name}" in done.stderr
    place.git("config", "--unset", f"gitverify.{name}", cwd=place.server)
    assert place.hook("pre-receive", stdin=line).status == 0


def test_a_tag_that_is_there_is_not_moved(place):
    place.on_server("gitverify.hookTags", "verify")
    place.git("tag", "-s", "-m", "one", "v1")
    place.git("tag", "-s", "-m", "two", "v2")
    place.git("push", "-q", "origin", "v1", "v2:refs/objects/v2")
    one, two = place.head("v1"), place.head("v2")
    assert place.hook("pre-receive", stdin=f"{one} {two} refs/tags/v1\n".encode()).status == 1
    assert place.hook("pre-receive", stdin=f"{ZERO} {two} refs/tags/v2\n".encode()).status == 0
    blob = place.git("rev-parse", "HEAD:README")
    done = place.hook("pre-receive", stdin=f"{ZERO} {blob} refs/tags/v3\n".encode())
    assert "tag-not-annotated" in done.stderr
