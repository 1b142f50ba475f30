"""Many references in one push, and pushes at the same time."""

import subprocess

import pytest
from hooks.place import ZERO, said

from gitverify.examine import Examiner
from gitverify.mark import MarkStore
from gitverify.verify import verify

REFS = 1000


@pytest.fixture
def examined(monkeypatch):
    """Every commit's content that is examined in this process."""
    seen = []
    examine = Examiner.__call__

    def counting(self, raws, *heads):
        seen.extend(raws)
        return examine(self, raws, *heads)

    monkeypatch.setattr(Examiner, "__call__", counting)
    return seen


@pytest.fixture
def asked(monkeypatch):
    """What the engine is asked."""
    seen = []
    monkeypatch.setattr(
        "gitverify.hooks.judge.verify", lambda *args, **more: seen.append(args) or verify(*args, **more)
    )
    return seen


def lines(*changes):
    return "".join(f"{old} {new} {ref}\n" for old, new, ref in changes).encode()


def test_a_push_of_a_thousand_references(place):
    """Of which one is protected, and another kind of push of the same size has it not authentic."""
    place.install("pre-receive")
    good = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    refs = [f"refs/heads/feature/{number}" for number in range(REFS)]
    place.git("update-ref", "--stdin", stdin="".join(f"create {ref} {good}\n" for ref in refs))
    assert place.push("main", "refs/heads/feature/*:refs/heads/feature/*").status == 0
    assert len(place.git("for-each-ref", "refs/heads/feature", cwd=place.server).splitlines()) == REFS
    place.commit("Not signed", {"README": "mine\n"})
    done = place.push("main", *(f"main:refs/heads/more/{number}" for number in range(100)))
    assert done.status == 1
    assert len(said(done)) <= 10
    assert not place.at("refs/heads/more/*")
    assert place.at() == good


def test_a_thousand_protected_branches_share_what_is_judged(place, examined, asked):
    place.on_server("gitverify.protected", "refs/heads/*")
    ids = [place.commit(f"Signed {number}", {"README": f"{number}\n"}, sign=True) for number in range(10)]
    place.git("push", "-q", "origin", "HEAD:refs/objects/all")
    new = [(ZERO, ids[number % 10], f"refs/heads/release/{number}") for number in range(REFS)]
    assert place.hook("pre-receive", stdin=lines(*new)).status == 0
    assert len(examined) == len(set(examined)) <= len(ids) + 2
    assert len(asked) <= len(ids)
    bad = place.commit("Not signed", {"README": "mine\n"})
    place.git("push", "-q", "origin", "HEAD:refs/objects/all")
    done = place.hook("pre-receive", stdin=lines(*new, (ZERO, bad, "refs/heads/release/last")))
    assert done.status == 1
    assert "refused refs/heads/release/last" in done.stderr


def test_what_was_accepted_of_one_branch_is_no_floor_for_another(place):
    """A new branch may begin at an older commit than those before it, or at another one."""
    place.on_server("gitverify.protected", "refs/heads/*")
    first = place.commit("First", {"README": "1\n"}, sign=True)
    second = place.commit("Second", {"README": "2\n"}, sign=True)
    place.git("switch", "-q", "-c", "other", first)
    other = place.commit("Other", {"README": "o\n"}, sign=True)
    place.git("switch", "-q", "-c", "bad", place.introduction)
    bad = place.commit("Not signed", {"README": "mine\n"})
    place.git("push", "-q", "origin", "main:refs/objects/1", "other:refs/objects/2", "bad:refs/objects/3")
    good = [(ZERO, commit, f"refs/heads/{number}") for number, commit in enumerate([second, first, other, first])]
    good += [(place.introduction, second, "refs/heads/main"), (ZERO, place.introduction, "refs/heads/x")]
    assert place.hook("pre-receive", stdin=lines(*good)).status == 0
    done = place.hook("pre-receive", stdin=lines(*good, (ZERO, bad, "refs/heads/bad")))
    assert done.status == 1
    assert bad in done.stderr


def test_each_of_two_pushes_at_once_sees_its_own(place):
    """To two branches, one of them not authentic; then to the same one, of which one comes first."""
    place.install("pre-receive")
    place.on_server("gitverify.protected", "refs/heads/*")
    good = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    place.git("switch", "-q", "-c", "bad")
    place.commit("Not signed", {"README": "mine\n"})
    statuses = together(place, "main:refs/heads/one", "bad:refs/heads/two", "main:refs/heads/three")
    assert statuses == [0, 1, 0]
    assert place.at("refs/heads/one") == place.at("refs/heads/three") == good
    assert not place.at("refs/heads/two")
    place.git("switch", "-q", "-c", "second", place.introduction)
    place.commit("Signed as well", {"README": "second\n"}, sign=True)
    assert sorted(together(place, "main:main", "second:main")) == [0, 1]
    assert place.at() in {place.head("main"), place.head("second")}


def together(place, *refspecs):
    """Push all at the same time; return the exit statuses in this order."""
    running = [
        subprocess.Popen(
            ["git", "push", "-q", "origin", refspec],
            cwd=place.clone,
            env=place.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for refspec in refspecs
    ]
    return [process.wait() for process in running]


def test_the_mark_is_not_moved_by_judging(place):
    """Only what is there already moves it."""
    new = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    place.git("push", "-q", "origin", "HEAD:other")
    for _ in range(2):
        assert place.hook("pre-receive", stdin=lines((place.introduction, new, "refs/heads/main"))).status == 0
        assert marks(place) == {"refs/heads/main": [place.introduction]}
    place.git("push", "-q", "origin", "main")
    assert place.hook("pre-receive", stdin=lines((new, new, "refs/heads/main"))).status == 0
    assert marks(place) == {"refs/heads/main": [new]}


def marks(place):
    with MarkStore.open(place.place / "xdg/gitverify", read_only=True) as store:
        return {key.ref: [commit.hex() for commit in mark.commits] for key, mark in store.all()}
