"""A directory appears whole or not at all, where it should, whatever happens on the way."""

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from marks import fork, in_child, needs_root, scratch

from gitverify.export.place import NoPlace, Place
from gitverify.export.visitor import Unfit
from gitverify.export.walk import show_tree
from tests.export.objects import Objects
from tests.nix import nixtrees as trees

SOURCE = Objects()
TREE = SOURCE.of(a="1", b="2")
CONTENT = {b"a": b"1", b"b": b"2"}


@pytest.fixture
def here():
    """A directory in memory, where waiting for the disk takes no time."""
    with scratch() as directory:
        yield directory


def stage(place, tree=TREE):
    with place.writer(0) as writer:
        show_tree(SOURCE, tree, writer)


def export(directory, tree=TREE):
    with Place(directory) as place:
        stage(place, tree)
        place.appear()


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_it_appears_when_it_is_said_to(here):
    with Place(here / "out") as place:
        stage(place)
        assert not (here / "out").exists()
        place.appear()
        assert trees.read(here / "out") == CONTENT
    assert names(here) == ["out"]


def test_a_umask_that_takes_from_the_owner_leaves_nothing_behind(here):
    with Place(here / "out") as place:
        before = os.umask(0o700)
        try:
            with pytest.raises(Unfit):
                stage(place)
        finally:
            os.umask(before)
    assert not names(here)


def test_over_an_empty_directory(here):
    (here / "out").mkdir()
    export(here / "out")
    assert trees.read(here) == {b"out": CONTENT}


@pytest.mark.parametrize("name", ["out/", "./out", "x/../out"])
def test_other_ways_to_write_it(here, name, monkeypatch):
    (here / "x").mkdir()
    monkeypatch.chdir(here)
    export(Path(name))
    assert trees.read(here / "out") == CONTENT


def test_below_a_symlink_that_the_user_named(here):
    (here / "real").mkdir()
    (here / "link").symlink_to("real")
    export(here / "link/out")
    assert trees.read(here / "real") == {b"out": CONTENT}


def test_nothing_appears_without_a_word(here):
    with Place(here / "out") as place:
        stage(place)
    assert names(here) == []


def test_the_last_tree_that_was_written_appears(here):
    with Place(here / "out") as place:
        stage(place, SOURCE.of(c="3"))
        stage(place)
        place.appear()
    assert trees.read(here) == {b"out": CONTENT}


@pytest.mark.parametrize("error", [KeyboardInterrupt, Unfit("output-failed", "no", None)])
def test_an_error_in_the_middle(here, error):
    def attempt():
        with Place(here / "out") as place, place.writer(0) as writer:
            writer.enter(b"")
            writer.file(b"a", executable=False, size=1)
            raise error

    with pytest.raises((KeyboardInterrupt, Unfit)):
        attempt()
    assert names(here) == []


def test_nothing_stays_open(here):
    before = len([*Path("/dev/fd").iterdir()])
    export(here / "out")
    with pytest.raises(NoPlace):
        Place(here / "out")
    assert len([*Path("/dev/fd").iterdir()]) == before


# --- where it can't appear ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (b"x", "is a file"),
        (trees.Link(b"/nowhere"), "is a symlink"),
        (trees.Link(b"."), "is a symlink"),
        ({b"f": b"x"}, "not empty"),
        ({b".hidden": {}}, "not empty"),
    ],
)
def test_what_is_there(here, there, said):
    trees.write(there, here / "out")
    with pytest.raises(NoPlace, match=said):
        Place(here / "out")
    assert trees.read(here) == {b"out": there}


@pytest.mark.parametrize("name", [".", "..", "/", "x/.."])
def test_directories_without_a_name(here, name, monkeypatch):
    (here / "x").mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(NoPlace, match="no name of its own"):
        Place(Path(name))


def test_no_parent(here):
    with pytest.raises(NoPlace, match="No such file"):
        Place(here / "x/out")
    (here / "f").touch()
    with pytest.raises(NoPlace, match="Not a directory"):
        Place(here / "f/out")


def test_a_name_that_is_too_long(here):
    export(here / ("x" * 255))
    with pytest.raises(NoPlace, match="too long"):
        Place(here / ("x" * 256))


@needs_root
def test_a_parent_that_may_not_be_written(here):
    def attempt():
        with pytest.raises(NoPlace) as error:
            Place(here / "out")
        return str(error.value)

    assert "permission denied" in in_child(attempt, user=65534)


@needs_root
def test_a_directory_that_may_not_be_read(here):
    (here / "out").mkdir(mode=0o700)
    here.chmod(0o777)

    def attempt():
        with pytest.raises(NoPlace) as error:
            Place(here / "out")
        return str(error.value)

    assert "Permission denied" in in_child(attempt, user=65534)


# --- what changes meanwhile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "there",
    [b"x", trees.Link(b"outside"), trees.Link(b"nowhere"), {b"f": b"x"}],
    ids=["file", "link", "dangling", "full"],
)
def test_something_that_appears_there_first(here, there):
    trees.write({}, here / "outside")
    with Place(here / "out") as place:
        stage(place)
        trees.write(there, here / "out")
        with pytest.raises(Unfit, match="by now there is something else") as error:
            place.appear()
    assert error.value.code == "output-failed"
    assert trees.read(here) == {b"out": there, b"outside": {}}


def test_a_parent_that_is_moved_away(here):
    """And another one, or a symlink, put in its place: it appears in the one that was looked at."""
    (here / "parent").mkdir()
    (here / "other").mkdir()
    with Place(here / "parent/out") as place:
        (here / "parent").rename(here / "gone")
        (here / "parent").symlink_to("other")
        stage(place)
        place.appear()
    assert trees.read(here / "gone") == {b"out": CONTENT}
    assert names(here / "other") == []


def test_a_holder_that_is_exchanged(here):
    """By somebody who may write beside the directory: what was written appears, not what was put in its place."""
    with Place(here / "out") as place:
        stage(place)
        (holder,) = here.iterdir()
        holder.rename(here / "moved")
        trees.write({b"gitverify-export": {b"evil": b""}}, holder)
        place.appear()
    assert trees.read(here / "out") == CONTENT
    assert trees.read(holder) == {b"gitverify-export": {b"evil": b""}}


@pytest.mark.parametrize("instead", ["symlink", "directory"])
def test_a_holder_that_is_exchanged_before_it_is_opened(here, instead, monkeypatch):
    outside = here / "outside"
    outside.mkdir()
    make = os.mkdir

    def swap(name, *args, dir_fd):
        make(name, *args, dir_fd=dir_fd)
        os.rmdir(name, dir_fd=dir_fd)
        if instead == "symlink":
            os.symlink(outside, name, dir_fd=dir_fd)
        else:
            make(name, 0o755, dir_fd=dir_fd)

    with Place(here / "out") as place:
        monkeypatch.setattr(os, "mkdir", swap)
        with pytest.raises(Unfit):
            place.writer(0)
        monkeypatch.undo()
    assert names(outside) == []
    assert not (here / "out").exists()


@needs_root
def test_others_see_nothing_until_it_appears(here):
    here.chmod(0o777)
    with Place(here / "out") as place:
        stage(place)
        (holder,) = here.iterdir()
        assert "PermissionError" in in_child(lambda: str([*holder.iterdir()]), user=65534)
        place.appear()
    assert in_child(lambda: str(sorted(path.name for path in (here / "out").iterdir())), user=65534) == "['a', 'b']"


# --- faults --------------------------------------------------------------------------------------------------------


def test_a_run_that_was_killed(here):
    """In the middle nothing appears; what it left is removed by the next one, but not what a living one writes."""

    def killed():
        place = Place(here / "out")
        stage(place)
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(fork(killed), 0)
    (left,) = names(here)
    assert left.startswith(".gitverify-export-")
    with Place(here / "living") as living:
        assert names(here) == [left]
        stage(living)
        (lives,) = names(here)
        assert lives != left
        export(here / "out")
        assert names(here) == [lives, "out"]
        living.appear()
    assert trees.read(here) == {b"out": CONTENT, b"living": CONTENT}


@pytest.mark.parametrize(
    "like",
    [
        {b"other": b"x"},
        {b"gitverify-export": {}, b"other": b"x"},
        b"x",
        trees.Link(b"precious"),
    ],
    ids=["other", "more", "file", "link"],
)
def test_what_only_has_a_name_like_that_stays(here, like):
    """A name proves little: somebody may have given it to another directory of the user's."""
    trees.write({b"f": b"x"}, here / "precious")
    trees.write(like, here / ".gitverify-export-0123456789abcdef")
    if isinstance(like, dict):
        (here / ".gitverify-export-0123456789abcdef").chmod(0o700)
    export(here / "out")
    assert trees.read(here / ".gitverify-export-0123456789abcdef") == like
    assert trees.read(here / "precious") == {b"f": b"x"}
    assert trees.read(here / "out") == CONTENT


def test_what_others_may_enter_stays(here):
    trees.write({b"gitverify-export": {b"f": b"x"}}, here / ".gitverify-export-0123456789abcdef")
    export(here / "out")
    assert trees.read(here / ".gitverify-export-0123456789abcdef") == {b"gitverify-export": {b"f": b"x"}}


def test_a_run_that_cleans_up_at_the_wrong_moment(here, monkeypatch):
    """It takes a new holder for abandoned, before that is locked: another one is made."""
    lock = fcntl.flock
    removed = []

    def late(handle, how):
        if not removed:
            (holder,) = here.iterdir()
            removed.append(holder)
            holder.rmdir()
        lock(handle, how)

    with Place(here / "out") as place:
        monkeypatch.setattr(fcntl, "flock", late)
        stage(place)
        place.appear()
    assert removed
    assert trees.read(here) == {b"out": CONTENT}


def test_locks_that_are_not_to_be_had(here, monkeypatch):
    """Then nothing is taken for abandoned."""

    def none(*_):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", none)
    left = here / ".gitverify-export-0123456789abcdef"
    left.mkdir(mode=0o700)
    export(here / "out")
    assert names(here) == [left.name, "out"]


def test_names_that_always_are_taken(here, monkeypatch):
    def taken(*_):
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", taken)
    with Place(here / "out") as place, pytest.raises(Unfit, match="can't be written"):
        place.writer(0)


@needs_root
def test_a_disk_that_is_full(tmp_path):
    """Really full: a file system of 64 KiB. Nothing appears, what was there stays, and the space is free again."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("file systems can't be mounted here")
    try:
        (small / "kept").write_text("x")
        large = SOURCE.of(**{name: name * 20_000 for name in "abcdefgh"})
        with pytest.raises(Unfit, match="No space left on device") as error:
            export(small / "out", large)
        assert error.value.code == "output-failed"
        assert trees.read(small) == {b"kept": b"x"}
        export(small / "out")
        assert trees.read(small / "out") == CONTENT
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.fixture
def caseless(tmp_path):
    """A real file system that keeps no case: NTFS, as Windows reads it."""
    image, place = tmp_path / "image", tmp_path / "caseless"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    if not shutil.which("mkntfs") or not shutil.which("lowntfs-3g"):
        pytest.skip("NTFS can't be made here (Debian: ntfs-3g)")
    made = subprocess.run(["mkntfs", "-q", "-F", image], check=False, capture_output=True)
    mounted = subprocess.run(
        ["lowntfs-3g", "-o", "ignore_case,permissions", image, place], check=False, capture_output=True
    )
    if made.returncode or mounted.returncode:
        pytest.skip("file systems can't be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


@needs_root
@pytest.mark.parametrize(
    ("first", "second"), [("README", "readme"), ("\u00c4", "\u00e4"), ("a", "A")], ids=["ascii", "umlaut", "letter"]
)
@pytest.mark.parametrize("mode", [b"100644", b"120000", b"40000"])
def test_a_file_system_that_keeps_no_case(caseless, here, first, second, mode):
    """The second of two names is not written into the first, be that a symlink that leads away."""
    link, inner = SOURCE.file(b"%s" % os.fsencode(here)), SOURCE.file(b"evil")
    if mode == b"40000":
        inner = SOURCE.of(evil="x")
    first, second = sorted([first.encode(), second.encode()])
    tree = SOURCE.tree((b"120000", first, link), (mode, second, inner))
    with pytest.raises(Unfit, match="takes its name for that of another file") as error:
        export(caseless / "out", tree)
    assert (error.value.code, error.value.path) == ("output-failed", second)
    assert names(caseless) == names(here) == []
    export(caseless / "out", SOURCE.tree((b"120000", b"l", link), (mode, b"x", inner)))
    assert names(caseless / "out") == ["l", "x"]


@needs_root
def test_a_file_system_that_changes_names(caseless):
    """This one makes them small."""
    with pytest.raises(Unfit, match="another name") as error:
        export(caseless / "out", SOURCE.of(Name="x"))
    assert (error.value.code, error.value.path) == ("output-failed", b"Name")
    assert names(caseless) == []


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_errors_when_it_should_appear(here, monkeypatch, call):
    def fails(*_, **__):
        raise OSError(5, "Input/output error")

    with Place(here / "out") as place:
        stage(place)
        monkeypatch.setattr(os, call, fails)
        with pytest.raises(Unfit, match="Input/output error"):
            place.appear()
    assert names(here) == ([] if call == "rename" else ["out"])  # whole, but perhaps not after a power failure


def test_what_can_not_be_brought_to_the_disk_does_not_appear(here, monkeypatch):
    class Library:
        def syncfs(self, handle):
            return -1

    monkeypatch.setattr("gitverify.export.place.ctypes.CDLL", lambda *_, **__: Library())
    monkeypatch.setattr("gitverify.export.place.ctypes.get_errno", lambda: 5)
    with Place(here / "out") as place:
        stage(place)
        with pytest.raises(Unfit, match="Input/output error"):
            place.appear()
    assert names(here) == []
