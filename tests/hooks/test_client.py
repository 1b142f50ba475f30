"""pre-push, reference-transaction and post-merge, with real pushes, fetches and merges."""

import re

import pytest
from hooks.place import ZERO

TIDY = {"README": "tidy\n"}


def other_clone(place):
    """Return the path of a second clone, from which somebody pushes whatever he likes."""
    path = place.place / "mallory"
    if not path.exists():
        place.git("clone", "-q", str(place.server), str(path), cwd=place.place)
        for name in ("user.name", "user.email", "gpg.format", "user.signingKey"):
            place.git("config", name, place.git("config", name), cwd=path)
    return path


def push_from_elsewhere(place, *, sign, content="elsewhere\n", start=None):
    """Have somebody else push a commit to main, by force; return its id."""
    path = other_clone(place)
    place.git("fetch", "-q", cwd=path)
    place.git("reset", "-q", "--hard", start or "origin/main", cwd=path)
    (path / "README").write_text(content)
    place.git("commit", "-q", "-a", *(["-S"] if sign else []), "-m", f"Elsewhere: {content}", cwd=path)
    place.git("push", "-q", "--force", "origin", "main", cwd=path)
    return place.git("rev-parse", "HEAD", cwd=path)


# --- pre-push --------------------------------------------------------------------------------------------------------


@pytest.fixture
def careful(place):
    """A clone with a pre-push hook."""
    assert place.install("pre-push").status == 0
    return place


def test_pushing_an_unsigned_commit(careful):
    good = careful.commit("Signed", TIDY, sign=True)
    assert careful.push("main").status == 0
    careful.commit("Not signed", {"README": "mine\n"})
    done = careful.push("main")
    assert done.status == 1
    assert "gitverify: refused refs/heads/main\n  unsigned (R8)\n" in done.stderr
    assert "Nothing was pushed. Without this check: git push --no-verify\n" in done.stderr
    assert careful.at() == good
    assert careful.push("main:feature").status == 0
    assert careful.push("--no-verify", "main").status == 0


def test_a_remote_that_is_called_like_an_option(careful):
    careful.git("config", "remote.--help.url", str(careful.server))
    good = careful.commit("Signed", TIDY, sign=True)
    assert careful.really("git", "push", "--", "--help", "main").status == 0
    careful.commit("Not signed", {"README": "mine\n"})
    assert careful.really("git", "push", "--", "--help", "main").status == 1
    assert careful.at() == good


def test_pushing_from_another_directory_of_the_clone_and_from_a_worktree(careful, tmp_path):
    careful.commit("Not signed", TIDY)
    assert careful.push("main", cwd=careful.clone / "pkgs").status == 1
    careful.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side", careful.introduction)
    assert careful.push("main", cwd=tmp_path / "tree").status == 1
    assert careful.push("side:main", cwd=tmp_path / "tree").status == 0


def test_pushing_back_and_deleting(careful):
    second = careful.commit("Second", TIDY, sign=True)
    assert careful.push("main").status == 0
    assert careful.verify("origin/main")["verdict"] == "authentic"
    assert "behind (R23)" in careful.push("--force", "HEAD~:main").stderr
    assert "rollback (R23)" in careful.push(":main").stderr
    assert careful.at() == second
    assert careful.push("main:feature").status == 0
    assert careful.push(":feature").status == 0


def test_all_references_at_once(careful):
    careful.set(**{"gitverify.protected": "refs/heads/release/*"})
    good = careful.commit("Signed", TIDY, sign=True)
    careful.commit("Not signed", {"README": "mine\n"})
    assert careful.push(f"{good}:refs/heads/main", "main:release/1", "main:feature").status == 1
    assert careful.at() == careful.introduction
    done = careful.push(f"{good}:refs/heads/main", f"{good}:refs/heads/release/1", "main:feature")
    assert done.status == 0


def test_tags_are_judged_where_that_is_set(careful):
    careful.git("tag", "-s", "-m", "good", "good")
    careful.commit("Not signed", TIDY)
    careful.git("tag", "bad")
    assert careful.push("bad").status == 0
    assert careful.push(":bad").status == 0
    careful.set(**{"gitverify.hookTags": "verify"})
    assert careful.push("bad").status == 1
    assert careful.push("good").status == 0
    assert careful.push(":good").status == 1
    careful.set(**{"gitverify.protected": "refs/heads/*"})
    careful.git("remote", "set-head", "origin", "-d")
    careful.git("tag", "-s", "-m", "good", "good-2", "good^{}")
    assert careful.push("good-2").status == 0


def test_the_url_chooses_the_introduction(careful):
    """Of a remote by its name, and of a URL without one, whatever name and password are in it."""
    careful.git("config", "--unset", "gitverify.introduction")
    careful.commit("Signed", TIDY, sign=True)
    assert "introduction-not-configured (R1)" in careful.push("main:main").stderr
    careful.set(**{f"gitverify.url:{careful.server}.introduction": careful.introduction})
    assert careful.push("main").status == 0
    assert careful.push("main", remote=careful.server).status == 0
    careful.commit("Not signed", {"README": "mine\n"})
    assert "unsigned (R8)" in careful.push("main").stderr
    line = f"refs/heads/main {careful.introduction} refs/heads/main {ZERO}\n".encode()
    url = "https://alice:secret@example.org/x"
    careful.set(**{"gitverify.url:https://example.org/x.introduction": careful.introduction})
    assert careful.hook("pre-push", url, url, stdin=line, where=careful.clone / ".git").status == 0
    other = "https://example.org/y"
    assert careful.hook("pre-push", other, other, stdin=line, where=careful.clone / ".git").status == 4


def test_every_branch_is_judged_where_the_default_one_is_not_known(careful):
    careful.git("remote", "set-head", "origin", "-d")
    careful.commit("Not signed", TIDY)
    assert careful.push("main:feature").status == 1
    careful.git("remote", "set-head", "origin", "main")
    assert careful.push("main:feature").status == 0


@pytest.mark.parametrize("line", [b"garbage\n", b"a b c d\n", b"x", b"refs/heads/main %b refs/heads/main 1\n"])
def test_garbage_for_pre_push(place, line):
    line = line.replace(b"%b", place.introduction.encode())
    assert place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git").status == 2


def test_what_is_pushed_may_be_an_expression(place):
    line = f":/a message {place.introduction} refs/heads/main {ZERO}\n".encode()
    assert place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git").status == 0
    assert place.hook("pre-push", "origin", "url", where=place.clone / ".git").status == 0


def test_how_old_the_branch_is_stops_no_push(place, later):
    place.set(**{"gitverify.maxAge": "7d"})
    line = f"refs/heads/main {place.introduction} refs/heads/main {ZERO}\n".encode()
    assert place.verify("origin/main")["reason"] == "stale"
    assert place.hook("pre-push", "origin", "url", stdin=line, where=place.clone / ".git").status == 0


# --- reference-transaction -----------------------------------------------------------------------------------------


@pytest.fixture
def watching(place):
    """A clone with a reference-transaction hook, whose mark is where origin/main is."""
    assert place.install("reference-transaction").status == 0
    assert place.verify("origin/main")["verdict"] == "authentic"
    return place


def test_fetching_what_is_not_authentic(watching):
    before = watching.head("origin/main")
    bad = push_from_elsewhere(watching, sign=False)
    for command in (["fetch"], ["pull"], ["pull", "--rebase"], ["fetch", "origin"], ["remote", "update"]):
        done = watching.really("git", *command)
        assert done.status != 0
        assert "gitverify: refused refs/remotes/origin/main\n  unsigned (R8)\n" in done.stderr
        assert f"  commit  {bad}\n" in done.stderr
        assert watching.head("origin/main") == watching.head() == before
    good = push_from_elsewhere(watching, sign=True, start=before)
    assert watching.really("git", "pull", "--rebase").status == 0
    assert watching.head("origin/main") == watching.head() == good


def test_fetching_a_branch_that_went_back(watching):
    """What a fetch let through once is remembered at the next."""
    first = push_from_elsewhere(watching, sign=True)
    assert watching.really("git", "fetch").status == 0
    other = push_from_elsewhere(watching, sign=True, content="other\n", start=watching.introduction)
    done = watching.really("git", "fetch")
    assert done.status != 0
    assert "rollback (R23)" in done.stderr
    assert watching.head("origin/main") == first != other
    last = push_from_elsewhere(watching, sign=True, content="last\n", start=first)
    assert watching.really("git", "fetch").status == 0
    assert watching.head("origin/main") == last


def test_a_frozen_branch(place, later):
    """A fetch is to bring news."""
    new = push_from_elsewhere(place, sign=True)
    place.git("fetch", "-q", "origin", "main:refs/other/main", cwd=place.clone)
    place.git("update-ref", "refs/remotes/origin/main", place.introduction)
    line = f"{place.introduction} {new} refs/remotes/origin/main\n".encode()
    place.set(**{"gitverify.maxAge": "7d"})
    done = place.hook("reference-transaction", "prepared", stdin=line, where=place.clone / ".git")
    assert done.status == 1
    assert "stale (R26)" in done.stderr
    place.set(**{"gitverify.maxAge": "30d"})
    assert place.hook("reference-transaction", "prepared", stdin=line, where=place.clone / ".git").status == 0


def test_other_branches_and_ones_own_work_are_let_be(watching):
    path = other_clone(watching)
    (path / "README").write_text("feature\n")
    watching.git("commit", "-q", "-am", "Not signed", cwd=path)
    watching.git("push", "-q", "origin", "HEAD:feature", cwd=path)
    assert watching.really("git", "fetch").status == 0
    assert watching.head("origin/feature")
    watching.commit("Not signed, my own", {"README": "own\n"})
    watching.git("switch", "-q", "-c", "topic")
    watching.commit("Another", {"README": "more\n"})
    watching.git("rebase", "-q", "--force-rebase", "main")
    watching.git("gc", "-q")
    watching.git("pack-refs", "--all")
    watching.git("push", "-q", "origin", ":feature")
    assert watching.really("git", "fetch", "--prune").status == 0
    assert watching.really("git", "remote", "remove", "origin").status == 0


def test_local_branches_by_setting(watching):
    watching.set(**{"gitverify.hookHeads": "verify"})
    (watching.clone / "README").write_text("mine\n")
    done = watching.really("git", "commit", "-am", "Not signed")
    assert done.status != 0
    assert "gitverify: refused refs/heads/main" in done.stderr
    assert watching.really("git", "commit", "-S", "-am", "Signed").status == 0
    assert watching.really("git", "switch", "-c", "topic").status == 0
    (watching.clone / "README").write_text("topic\n")
    assert watching.really("git", "commit", "-am", "Not signed").status == 0
    watching.set(**{"gitverify.protected": "topic"})
    (watching.clone / "README").write_text("more\n")
    assert watching.really("git", "commit", "-am", "Not signed either").status != 0


def test_cloning_with_the_hook_in_a_template(place):
    """And the introduction in one's own configuration, which is there before the clone."""
    place.install("reference-transaction")
    template = place.place / "template"
    (template / "hooks").mkdir(parents=True)
    hook = place.clone / ".git/hooks/reference-transaction"
    (template / "hooks/reference-transaction").write_bytes(hook.read_bytes())
    (template / "hooks/reference-transaction").chmod(0o755)
    clone = ("git", "clone", f"--template={template}", place.server)
    assert "introduction-not-configured (R1)" in place.really(*clone, place.place / "none").stderr
    place.git("config", "--global", f"gitverify.url:{place.server}.introduction", place.introduction)
    fresh = place.place / "fresh"
    assert place.really(*clone, fresh).status == 0
    push_from_elsewhere(place, sign=False)
    assert "unsigned (R8)" in place.really("git", "fetch", cwd=fresh).stderr
    done = place.really(*clone, place.place / "late")
    assert done.status != 0
    assert "unsigned (R8)" in done.stderr


@pytest.mark.parametrize("state", ["committed", "aborted", "preparing"])
def test_other_states_of_a_transaction_are_nobodys_business(place, state):
    where = place.clone / ".git"
    assert place.hook("reference-transaction", state, stdin=b"garbage", where=where).status == 0
    assert place.hook("reference-transaction", "prepared", stdin=b"garbage", where=where).status == 2
    assert place.hook("reference-transaction", where=where).status == 2


def test_what_no_branch_is_moved_by(place, monkeypatch):
    """Symbolic references, pseudo references, deletions and moves to where it is: nothing is judged, or even opened."""
    place.commit("Not signed", TIDY)
    bad, where = place.head(), place.clone / ".git"
    none = [
        f"{ZERO} {bad} ORIG_HEAD",
        f"{ZERO} {bad} FETCH_HEAD",
        f"{ZERO} {bad} HEAD",
        f"{ZERO} {bad} refs/stash",
        f"{ZERO} {bad} refs/tags/x",
        "ref:refs/heads/main ref:refs/heads/x HEAD",
        f"{ZERO} ref:refs/remotes/origin/main refs/remotes/origin/HEAD",
        f"{place.introduction} {ZERO} refs/remotes/origin/main",
    ]
    with monkeypatch.context() as patched:
        patched.setattr("gitverify.source.Repository.__init__", None)
        for line in none:
            assert place.hook("reference-transaction", "prepared", stdin=f"{line}\n".encode(), where=where).status == 0
    moves = [
        f"{ZERO} {bad} refs/remotes/origin/HEAD",
        f"{ZERO} {place.introduction} refs/remotes/origin/main",
        f"{ZERO} {bad} refs/heads/main",
        f"{ZERO} {bad} refs/remotes/nowhere/main",
    ]
    for line in moves:
        assert place.hook("reference-transaction", "prepared", stdin=f"{line}\n".encode(), where=where).status == 0
    line = f"{ZERO} {bad} refs/remotes/origin/main\n".encode()
    assert place.hook("reference-transaction", "prepared", stdin=line, where=where).status == 1


# --- post-merge ----------------------------------------------------------------------------------------------------


@pytest.fixture
def pulling(place):
    assert place.install("post-merge").status == 0
    return place


def test_pulling_what_is_not_authentic(pulling):
    """It is there already; the command that is printed goes back, and keeps what is being worked on."""
    good = push_from_elsewhere(pulling, sign=True)
    assert pulling.really("git", "pull", "--ff-only").status == 0
    bad = push_from_elsewhere(pulling, sign=False, content="bad\n")
    (pulling.clone / "notes").write_text("mine\n")
    done = pulling.really("git", "pull", "--ff-only")
    assert pulling.head() == bad
    assert "gitverify: refused refs/heads/main\n  unsigned (R8)\n" in done.stderr
    assert "Do not build or run what is checked out." in done.stderr
    command = re.search("do +(git reset --keep ([0-9a-f]+))", done.stderr)
    assert command[2] == good
    assert pulling.really(*command[1].split()).status == 0
    assert pulling.head() == good
    assert (pulling.clone / "notes").exists()


def test_a_pull_moves_the_mark(pulling):
    push_from_elsewhere(pulling, sign=True)
    assert pulling.really("git", "pull").status == 0
    push_from_elsewhere(pulling, sign=True, content="other\n", start=pulling.introduction)
    pulling.git("fetch", "-q")
    assert pulling.verify("origin/main")["reason"] == "rollback"


def test_the_way_back_without_an_introduction(pulling):
    pulling.git("config", "--unset", "gitverify.introduction")
    before = pulling.head()
    push_from_elsewhere(pulling, sign=True)
    done = pulling.really("git", "pull")
    assert "introduction-not-configured (R1)" in done.stderr
    assert f"git reset --keep {before}" in done.stderr
    assert pulling.hook("post-merge", "0", where=pulling.clone / ".git").status == 4


def test_merging_where_nothing_is_protected(pulling):
    pulling.git("switch", "-q", "-c", "topic")
    pulling.commit("Not signed", TIDY)
    done = pulling.really("git", "merge", "--no-ff", "-m", "Merge", "main", "-s", "ours")
    assert "gitverify" not in done.stderr
    pulling.git("switch", "-q", "--detach")
    assert pulling.hook("post-merge", "0", where=pulling.clone / ".git").status == 0
    pulling.git("switch", "-q", "topic")
    assert pulling.hook("post-merge", "1", where=pulling.clone / ".git").status == 0
    pulling.set(**{"gitverify.protected": "topic"})
    assert pulling.hook("post-merge", "0", where=pulling.clone / ".git").status == 1
