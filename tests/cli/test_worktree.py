"""``gitverify verify --worktree``: what it reports, and what it does to the mark."""

import json
from importlib import resources

import jsonschema
import pytest
from cli.scene import ALICE, MALLORY

from fixtures.lib.objects import FILE, GITLINK, Entry
from gitverify.mark import MarkStore

VERIFY = ("verify", "--introduction", "{introduction}", "--worktree")
SCHEMA = json.loads((resources.files("gitverify.report") / "report.schema.json").read_text())


@pytest.fixture
def checkout(scene):
    """The scene, with its last commit checked out."""
    scene.repository.check_out(scene.history.files["third"])
    return scene


def marks(scene):
    with MarkStore.open(scene.place / "xdg" / "gitverify", read_only=True) as store:
        return {key.ref: [commit.hex() for commit in mark.commits] for key, mark in store.all()}


def test_json_of_a_checkout_that_is_the_same(checkout):
    report = checkout.json(*VERIFY)
    assert report.pop("exit") == 0
    jsonschema.validate(report, SCHEMA)
    assert report["worktree"] == {
        "directory": f"{checkout.path}",
        "files": 2,
        "submodules": [],
        "allowed": [],
        "converted": [],
    }
    assert report["mark"]["after"] == [checkout.ids["third"]]


def test_json_of_one_that_differs(checkout):
    (checkout.path / "README").write_text("other\n")
    (checkout.path / "new\x1b").write_text("")
    report = checkout.json(*VERIFY)
    assert report.pop("exit") == 1
    jsonschema.validate(report, SCHEMA)
    assert (report["verdict"], report["reason"]) == ("refused", "worktree-dirty")
    assert report["mark"] == {"before": [], "after": []}
    assert marks(checkout) == {}
    first, second = report["refusals"]
    assert first.pop("hint")
    assert first == {
        "commit": checkout.ids["third"],
        "rule": "R28",
        "code": "worktree-dirty",
        "message": "modified: other content than in the commit",
        "path": "README",
        "key": None,
        "person": None,
    }
    assert second["path"] == "new\\x1b"


def test_without_the_option_the_checkout_is_not_looked_at(checkout):
    (checkout.path / "README").unlink()
    report = checkout.json(*VERIFY[:-1])
    assert report["exit"] == 0
    assert "worktree" not in report


def test_no_mark_moves_until_the_checkout_is_the_same(checkout):
    assert checkout.run(*VERIFY).status == 0
    before = marks(checkout)
    checkout.history.commit("fourth", {"README": "four\n"}, sign=ALICE)
    assert checkout.run(*VERIFY).status == 1
    assert marks(checkout) == before
    (checkout.path / "README").write_text("four\n")
    assert checkout.run(*VERIFY).status == 0
    assert marks(checkout) == {"refs/heads/main": [checkout.ids["fourth"]]}


def test_without_state(checkout):
    assert checkout.run(*VERIFY, "--no-state").status == 0
    (checkout.path / "README").unlink()
    assert checkout.run(*VERIFY, "--no-state").status == 1


def test_what_is_not_authentic_is_not_compared(checkout):
    checkout.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    report = checkout.json(*VERIFY)
    assert (report["exit"], report["reason"]) == (1, "unauthorized-key")
    assert "worktree" not in report


def test_the_commit_asked_about_counts_and_not_head(checkout):
    (checkout.path / "README").write_text("two\n")
    assert checkout.run(*VERIFY).status == 1
    assert checkout.run(*VERIFY, "{second}", "--no-state").status == 0


def test_the_newest_authentic_commit_counts_where_it_is_asked_for(checkout):
    checkout.history.commit("evil", {"README": "evil\n"})
    asked = (*VERIFY, "--newest-authentic")
    report = checkout.json(*asked, "--no-state")
    assert (report["exit"], report["tip"]) == (0, checkout.ids["third"])
    (checkout.path / "README").write_text("evil\n")
    report = checkout.json(*asked)
    assert (report["exit"], report["reason"]) == (1, "worktree-dirty")
    assert [refusal["code"] for refusal in report["refusals"]] == ["worktree-dirty"]


def test_for_people(checkout):
    said = checkout.run(*VERIFY).stdout
    assert f"  the checkout in {checkout.path} is just that: 2 files\n" in said
    (checkout.path / "README").unlink()
    said = checkout.run(*VERIFY).stdout
    assert said.startswith(f"not authentic: {checkout.ids['third']} “third”\n  worktree-dirty (R28)\n")
    assert "the commit is authentic" in said
    assert "    README: missing\n" in said


def test_what_was_let_pass_is_said(checkout):
    linked = Entry(GITLINK, b"1" * 40)
    files = {".gitattributes": "*.bat eol=crlf\n", "a.bat": "a\n", ".gitignore": "*.o\n", "sub": linked}
    checkout.history.commit("fourth", files, sign=ALICE)
    checkout.repository.check_out({name: checkout.history.files["fourth"][name] for name in files})
    (checkout.path / "a.bat").write_bytes(b"a\r\n")
    for number in range(25):
        (checkout.path / f"{number:02}.o").write_text("")
    done = checkout.run(*VERIFY, "--allow-ignored", "*.o")
    assert done.status == 0
    assert "    submodules: sub (not checked out)\n" in done.stdout
    assert "    CRLF line ends, as its .gitattributes asks: a.bat\n" in done.stdout
    assert "    not in the commit, and allowed: 00.o, " in done.stdout
    assert "19.o, and 5 more\n" in done.stdout


def test_not_all_of_many_differences_are_shown(checkout):
    for number in range(25):
        (checkout.path / f"{number:02}").write_text("")
    said = checkout.run(*VERIFY).stdout
    assert "in 25 places" in " ".join(said.split())
    assert "    19: added" in said
    assert "    20: added" not in said
    assert "    and 5 more: --format json has them all\n" in said
    assert len(checkout.json(*VERIFY)["refusals"]) == 25


def test_a_bare_repository_has_no_checkout(scene):
    config = scene.repository.git / "config"
    config.write_text(config.read_text().replace("bare = false", "bare = true"))
    bare = scene.place / "bare"
    scene.repository.git.rename(bare)
    done = scene.run(*VERIFY, "--repo", str(bare), repo=False)
    assert done.status == 2
    assert "bare" in str(done.error)


@pytest.mark.parametrize("pattern", ["", "!a", "#a", "[a", "a\\"])
def test_patterns_that_fit_nothing(checkout, pattern):
    done = checkout.run(*VERIFY, "--allow-ignored", pattern)
    assert done.status == 2
    assert "no pattern" in str(done.error)


def test_patterns_for_nothing(checkout):
    done = checkout.run(*VERIFY[:-1], "--allow-ignored", "*.o")
    assert done.status == 2
    assert "--worktree" in str(done.error)


def test_where_the_environment_has_another_checkout(checkout):
    there = {"GIT_WORK_TREE": str(checkout.path)}
    elsewhere = {"GIT_WORK_TREE": str(checkout.place)}
    named = {"GIT_DIR": str(checkout.repository.git)}
    assert checkout.run(*VERIFY, env=named | there, repo=False).status == 0
    done = checkout.run(*VERIFY, env=named | elsewhere, repo=False)
    assert done.status == 2
    assert "GIT_WORK_TREE" in str(done.error)
    assert checkout.run(*VERIFY, env=named | elsewhere).status == 0, "--repo goes before the environment"


def test_a_tree_that_is_missing(checkout):
    checkout.history.commit("fourth", {"lib/deep/a": "x"}, sign=ALICE)
    objects = checkout.repository.objects
    lib = objects.tree({"a": b"x"})
    objects.remove(lib)
    checkout.repository.check_out({"lib/deep/a": b"x"})
    report = checkout.json(*VERIFY)
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert report["refusals"][0]["commit"] == lib
    assert marks(checkout) == {}


def test_a_tree_that_is_malformed(checkout):
    """Far below what the history is judged by."""
    objects = checkout.repository.objects
    blob = objects.write("blob", b"x")
    odd = objects.raw_tree([(FILE, b".GIT", blob)])
    policy = checkout.history.files["third"][".gitverify.yaml"]
    entries = [(FILE, b".gitverify.yaml", objects.write("blob", policy)), (0o40000, b"lib", odd)]
    checkout.history.commit("fourth", tree=objects.raw_tree(entries), sign=ALICE)
    (checkout.path / "README").unlink()
    (checkout.path / "lib").mkdir()
    report = checkout.json(*VERIFY)
    assert (report["exit"], report["reason"]) == (1, "malformed-tree")
    assert report["refusals"][0]["rule"] == "R7"
    assert marks(checkout) == {}
