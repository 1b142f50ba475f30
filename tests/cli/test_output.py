"""``gitverify verify --output``: what appears is the commit that was verified, after the verdict, or nothing."""

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from cli.scene import ALICE, MALLORY, policies
from marks import scratch

from fixtures.lib.objects import EXECUTABLE, GITLINK, SYMLINK, Entry
from gitverify.export.place import Place
from gitverify.export.visitor import Unfit
from gitverify.mark import MarkMoved, MarkStore
from gitverify.statedir import StateError
from tests.nix import nixtrees as trees

VERIFY = ("verify", "--introduction", "{introduction}")
SCHEMA = json.loads((resources.files("gitverify.report") / "report.schema.json").read_text())


@pytest.fixture
def here():
    """A directory in memory, where waiting for the disk takes no time."""
    with scratch() as directory:
        yield directory


@pytest.fixture
def full(scene):
    """The scene, with a commit that has files of all kinds."""
    scene.history.commit(
        "full",
        {
            "run": Entry(EXECUTABLE, b"#!/bin/sh\n"),
            "lib/link": Entry(SYMLINK, b"../README"),
            "lib/away": Entry(SYMLINK, b"/etc"),
            "sub": Entry(GITLINK, b"1" * 40),
            ".gitattributes": "README export-ignore\nversion export-subst\n",
            "version": "$Format:%H$\n",
            "empty": "",
        },
        sign=ALICE,
    )
    return scene


def git(scene, *arguments):
    return subprocess.run(
        ["git", "-C", scene.path, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def marks(scene):
    directory = scene.place / "xdg" / "gitverify"
    if not directory.exists():
        return {}
    with MarkStore.open(directory, read_only=True) as store:
        return {key.ref: [commit.hex() for commit in mark.commits] for key, mark in store.all()}


def test_what_appears_is_the_commit(full, here):
    report = full.json(*VERIFY, "--output", str(here / "out"))
    assert report.pop("exit") == 0
    jsonschema.validate(report, SCHEMA)
    found = trees.read(here / "out")
    assert len(found.pop(policies.NATIVE.encode())) > 100
    assert found == {
        b"README": b"three\n",
        b"run": trees.Executable(b"#!/bin/sh\n"),
        b"lib": {b"link": trees.Link(b"../README"), b"away": trees.Link(b"/etc")},
        b"sub": {},
        b".gitattributes": b"README export-ignore\nversion export-subst\n",
        b"version": b"$Format:%H$\n",
        b"empty": b"",
    }
    assert [path.name for path in here.iterdir()] == ["out"]
    assert report["output"].pop("bytes") > 100
    assert report["output"] == {
        "directory": f"{here / 'out'}",
        "files": 8,
        "submodules": [{"path": "sub", "commit": "1" * 40}],
    }
    assert report["mark"]["after"] == [full.ids["full"]]
    date = int(git(full, "log", "-1", "--format=%ct", full.ids["full"]))
    assert {path.lstat().st_mtime for path in [here / "out", *(here / "out").rglob("*")]} == {date}


def test_for_people(full, here):
    text = full.run(*VERIFY, "--output", str(here / "out\x1b")).stdout
    assert f"  written to {here}/out\\x1b: 8 files, " in text
    assert "    submodules, left empty: sub at 111111111111\n" in text


def test_without_the_option_nothing_is_written(scene):
    assert "output" not in scene.json(*VERIFY)


def test_it_is_git_archive_without_attributes(full, here):
    full.run(*VERIFY, "--output", str(here / "out"))
    (here / "archive").mkdir()
    attributes = full.path / ".git/info/attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* -export-ignore -export-subst\n")
    archive = subprocess.run(["git", "-C", full.path, "archive", full.ids["full"]], check=True, capture_output=True)
    subprocess.run(["tar", "x", "-C", here / "archive"], input=archive.stdout, check=True)
    assert trees.read(here / "out") == trees.read(here / "archive")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_many_files(scene, here, jobs):
    """With other processes that read ahead, and without."""
    files = {f"d{n % 7}/f{n}": f"{n}\n" * n for n in range(400)}
    scene.history.commit("many", files, sign=ALICE)
    report = scene.json(*VERIFY, "--jobs", jobs, "--output", str(here / "out"))
    assert (report["exit"], report["output"]["files"]) == (0, 402)
    found = {f"{path.relative_to(here / 'out')}": path.read_text() for path in (here / "out").glob("d*/*")}
    assert found == files


# --- refused: nothing appears --------------------------------------------------------------------------------


def test_a_commit_that_is_not_authentic(scene, here):
    scene.history.commit("evil", {"x": "y"}, sign=MALLORY)
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert (report["exit"], report["reason"]) == (1, "unauthorized-key")
    assert "output" not in report
    assert [*here.iterdir()] == []
    assert scene.json(*VERIFY, "main~1", "--ref", "main", "--output", str(here / "out"))["exit"] == 0
    assert trees.read(here / "out")[b"README"] == b"three\n"


def test_the_newest_authentic_one(scene, here):
    scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    report = scene.json(*VERIFY, "--newest-authentic", "--output", str(here / "out"))
    assert (report["exit"], report["tip"]) == (0, scene.ids["third"])
    assert trees.read(here / "out")[b"README"] == b"three\n"


def test_a_branch_that_moves_meanwhile(scene, here, monkeypatch):
    """What was verified appears, not what the branch is at by then."""
    write = Place.writer

    def moves(place, date):
        scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
        return write(place, date)

    monkeypatch.setattr(Place, "writer", moves)
    assert scene.json(*VERIFY, "--output", str(here / "out"))["exit"] == 0
    assert git(scene, "rev-parse", "main") == scene.ids["evil"]
    assert trees.read(here / "out")[b"README"] == b"three\n"


@pytest.mark.parametrize(
    ("name", "status"), [("git~1", 1), ("x/.git ", 1), (".g\u200cit", 1), ("git~", 0), ("x/.gitx", 0)]
)
def test_names_that_are_taken_for_git(scene, here, name, status):
    scene.history.commit("named", {name: "x"}, sign=ALICE)
    before = marks(scene)
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert report.pop("exit") == status
    jsonschema.validate(report, SCHEMA)
    assert (here / "out").exists() == (status == 0)
    if status:
        (refusal,) = report["refusals"]
        assert (refusal["rule"], refusal["code"]) == ("R7", "malformed-tree")
        assert refusal["path"].encode().decode("unicode_escape") == name
        assert [*here.iterdir()] == []
        assert marks(scene) == before
    assert scene.json(*VERIFY)["exit"] == 0


def test_a_checkout_that_differs(scene, here):
    scene.repository.check_out(scene.history.files["third"])
    (scene.path / "README").write_text("other\n")
    assert scene.json(*VERIFY, "--worktree", "--output", str(here / "out"))["reason"] == "worktree-dirty"
    assert [*here.iterdir()] == []
    (scene.path / "README").write_text("three\n")
    assert scene.json(*VERIFY, "--worktree", "--output", str(here / "out"))["exit"] == 0
    assert trees.read(here / "out")[b"README"] == b"three\n"


def test_a_file_that_is_missing(scene, here):
    blob = git(scene, "rev-parse", f"{scene.ids['third']}:README")
    scene.repository.objects.remove(blob)
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert [*here.iterdir()] == []
    assert marks(scene) == {}
    assert scene.json(*VERIFY)["exit"] == 0


# --- the place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["{here}", "{here}/x/out", "{here}/link", "", "."])
def test_a_place_that_can_not_be_taken(scene, here, output):
    """It is a usage error, before anything is verified."""
    (here / "f").touch()
    (here / "link").symlink_to("nowhere")
    done = scene.run(*VERIFY, "--output", output.format(here=here))
    assert done.status == 2
    assert "--output" in str(done.error)
    assert marks(scene) == {}
    assert sorted(path.name for path in here.iterdir()) == ["f", "link"]


def test_an_empty_directory_is_taken(scene, here):
    (here / "out").mkdir()
    assert scene.json(*VERIFY, "--output", str(here / "out"))["exit"] == 0
    assert trees.read(here / "out")[b"README"] == b"three\n"


# --- the mark, and what may happen around it -----------------------------------------------------------------


def test_where_no_mark_is_kept(scene, here):
    assert scene.json(*VERIFY, "--no-state", "--output", str(here / "out"))["exit"] == 0
    assert trees.read(here / "out")[b"README"] == b"three\n"


def test_what_can_not_be_written_moves_no_mark(scene, here, monkeypatch):
    def full(place, date):
        raise Unfit("output-failed", "README can't be written: No space left on device", b"README")

    monkeypatch.setattr(Place, "writer", full)
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert report.pop("exit") == 4
    jsonschema.validate(report, SCHEMA)
    assert (report["verdict"], report["reason"]) == ("error", "output-failed")
    assert report["refusals"][0]["path"] == "README"
    assert marks(scene) == {}
    text = scene.run(*VERIFY, "--output", str(here / "out")).stdout
    assert "output-failed" in text
    assert "No space left on device" in text


def test_the_mark_moves_first(scene, here, monkeypatch):
    """So that nothing was handed out that a later run would not miss."""
    seen = []
    appear = Place.appear

    def look(place):
        seen.append(marks(scene))
        appear(place)

    monkeypatch.setattr(Place, "appear", look)
    assert scene.json(*VERIFY, "--output", str(here / "out"))["exit"] == 0
    assert seen == [{"refs/heads/main": [scene.ids["third"]]}]


def test_a_mark_that_can_not_move(scene, here, monkeypatch):
    def fails(*_, **__):
        raise StateError("state-unsafe", "no")

    monkeypatch.setattr(MarkStore, "advance", fails)
    assert scene.json(*VERIFY, "--output", str(here / "out"))["reason"] == "state-unsafe"
    assert [*here.iterdir()] == []


def test_a_place_that_is_taken_at_the_last_moment(scene, here, monkeypatch):
    appear = Place.appear

    def late(place):
        (here / "out").symlink_to("elsewhere")
        appear(place)

    monkeypatch.setattr(Place, "appear", late)
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert (report["exit"], report["reason"]) == (4, "output-failed")
    assert report["mark"]["after"] == [scene.ids["third"]]
    assert [path.name for path in here.iterdir()] == ["out"]
    monkeypatch.undo()
    (here / "out").unlink()
    assert scene.json(*VERIFY, "--output", str(here / "out"))["exit"] == 0


@pytest.mark.parametrize("other", ["second", "newer"])
def test_a_mark_that_somebody_else_moves_meanwhile(scene, here, monkeypatch, other):
    """Then it is judged again: against that mark, the commit that was written may be an old state."""
    scene.history.branch("side", "third")
    scene.history.commit("newer", {"README": "four\n"}, sign=ALICE)

    def first(store, key, mark, after, **kwargs):
        monkeypatch.undo()
        scene.run(*VERIFY, scene.ids[other], "--ref", "main")
        with MarkStore.open(scene.place / "xdg" / "gitverify") as fresh:
            current = fresh.get(key)
        assert current != mark
        raise MarkMoved(key, current)

    monkeypatch.setattr(MarkStore, "advance", first)
    report = scene.json(*VERIFY, scene.ids["third"], "--ref", "main", "--output", str(here / "out"))
    if other == "newer":
        assert (report["exit"], report["reason"]) == (1, "behind")
        assert [*here.iterdir()] == []
    else:
        assert report["exit"] == 0
        assert trees.read(here / "out")[b"README"] == b"three\n"
        assert [path.name for path in here.iterdir()] == ["out"]


def test_killed_between_the_mark_and_the_directory(scene, here):
    """The next run finds the mark, and exports."""
    script = f"""
import os, signal, sys
from gitverify.export.place import Place
Place.appear = lambda place: os.kill(os.getpid(), signal.SIGKILL)
sys.argv[:] = ["gitverify", "verify", "--introduction", {scene.ids["introduction"]!r}, "--repo", {str(scene.path)!r},
               "--output", {str(here / "out")!r}]
from gitverify.__main__ import main
main()
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(scene.place), "XDG_STATE_HOME": str(scene.place / "xdg")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    assert marks(scene) == {"refs/heads/main": [scene.ids["third"]]}
    assert not (here / "out").exists()
    report = scene.json(*VERIFY, "--output", str(here / "out"))
    assert (report["exit"], report["commits"]["checked"]) == (0, 0)
    assert [path.name for path in here.iterdir()] == ["out"]
