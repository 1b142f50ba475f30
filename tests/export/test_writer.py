"""Writing a tree: what is made is what is in the tree, and nothing is made anywhere else."""

import os
import resource
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from test_names import ALIKE, OTHER

from gitverify.export.visitor import Unfit
from gitverify.export.walk import show_tree
from gitverify.export.writer import Writer
from gitverify.limits import LIMITS
from tests.export.objects import Objects
from tests.nix import nixtrees as trees
from tests.nix.nixtrees import DIRECTORIES, Executable, Link

DATE = 1_700_000_000


def write(directory, source, tree, date=DATE, writer=Writer):
    """Write a tree of the object database as ``out`` in a directory."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with writer(handle, b"out", date) as visitor:
            show_tree(source, tree, visitor)
    finally:
        os.close(handle)
    return directory / "out"


def refused(directory, source, tree, **kwargs):
    with pytest.raises(Unfit) as error:
        write(directory, source, tree, **kwargs)
    return error.value.code, error.value.path, str(error.value)


def harmless(tree):
    """Leave out what is refused; what git has no way to record is there as an empty directory anyway."""
    kept = {name: entry for name, entry in tree.items() if b"git" not in name.lower() and name.isascii()}
    return {name: harmless(entry) if isinstance(entry, dict) else entry for name, entry in kept.items()}


@settings(max_examples=60, deadline=None)
@given(tree=DIRECTORIES)
def test_what_is_written_is_the_tree(tree, tmp_path_factory):
    source = Objects()
    out = write(tmp_path_factory.mktemp("x"), source, trees.put(harmless(tree), source.add))
    assert trees.read(out) == harmless(tree)


def test_modes_and_times(tmp_path):
    source = Objects()
    tree = {b"a": b"1", b"x": Executable(b"2"), b"d": {b"l": Link(b"../../a")}, b"sub": {}}
    before = os.umask(0o027)
    try:
        out = write(tmp_path, source, trees.put(tree, source.add))
    finally:
        os.umask(before)
    found = {str(path.relative_to(tmp_path)): path.lstat() for path in [out, *out.rglob("*")]}
    assert {name: oct(stat.S_IMODE(status.st_mode)) for name, status in found.items()} == {
        "out": "0o750",
        "out/a": "0o640",
        "out/x": "0o750",
        "out/d": "0o750",
        "out/d/l": "0o777",
        "out/sub": "0o750",
    }
    assert {status.st_mtime for status in found.values()} == {DATE}


@pytest.mark.parametrize(("date", "expected"), [(-5, 0), (0, 0), (1 << 40, (1 << 32) - 1), (DATE, DATE)])
def test_dates_that_no_file_has(tmp_path, date, expected):
    source = Objects()
    assert (write(tmp_path, source, source.of(a="1"), date) / "a").stat().st_mtime == expected


def test_attributes_do_not_apply(tmp_path):
    source = Objects()
    files = {
        ".gitattributes": "* text eol=crlf ident\nsecret export-ignore\nversion export-subst\n*.bin filter=lfs\n",
        "secret": "1\n",
        "version": "$Format:%H$ $Id$\n",
        "a.bin": "version https://git-lfs.github.com/spec/v1\n",
    }
    out = write(tmp_path, source, source.of(**dict(sorted(files.items()))))
    assert trees.read(out) == {name.encode(): text.encode() for name, text in files.items()}


@pytest.mark.parametrize("name", ALIKE, ids=ascii)
@pytest.mark.parametrize("mode", [b"100644", b"120000", b"40000", b"160000"])
def test_names_that_are_taken_for_git(tmp_path, name, mode):
    source = Objects()
    inner = source.of(config="x") if mode == b"40000" else source.file()
    tree = source.tree((b"40000", b"d", source.tree((mode, name, inner))))
    code, path, message = refused(tmp_path, source, tree)
    assert (code, path) == ("malformed-tree", b"d/" + name)
    assert "taken for .git" in message
    assert [*(tmp_path / "out/d").iterdir()] == []


def test_names_that_are_like_those(tmp_path):
    source = Objects()
    file = source.file()
    out = write(tmp_path, source, source.tree(*((b"100644", name, file) for name in sorted(OTHER))))
    assert {*trees.read(out)} == {*OTHER}


# --- what lies in the way ------------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path):
    """Something that must stay as it is."""
    trees.write({b"f": b"safe", b"d": {}}, tmp_path / "outside")
    yield tmp_path / "outside"
    assert trees.read(tmp_path / "outside") == {b"f": b"safe", b"d": {}}


def links_to(outside):
    return {"a file": outside / "f", "a directory": outside / "d", "nothing yet": outside / "new"}


@pytest.mark.parametrize("leads_to", ["a file", "a directory", "nothing yet"])
@pytest.mark.parametrize("mode", [b"100644", b"120000", b"40000", b"160000"])
def test_a_symlink_that_is_there_first(tmp_path, outside, mode, leads_to):
    """As on a file system that has two names of the tree for one: the first one was made as a symlink."""
    source = Objects()
    inner = source.of(f="evil") if mode == b"40000" else source.file(b"evil")
    tree = source.tree((b"100644", b"a", source.file()), (mode, b"b", inner))

    class Meets(Writer):
        def file(self, name, **kwargs):
            super().file(name, **kwargs)
            if name == b"a":
                (tmp_path / "out/b").symlink_to(links_to(outside)[leads_to])

    code, path, message = refused(tmp_path, source, tree, writer=Meets)
    assert (code, path) == ("output-failed", b"b")
    assert "takes its name for that of another file" in message


@pytest.mark.parametrize("there", ["file", "directory"])
@pytest.mark.parametrize("mode", [b"100644", b"120000", b"40000", b"160000"])
def test_a_name_that_is_that_of_another_file_here(tmp_path, mode, there):
    """``README`` and ``readme`` where a file system keeps no case: neither is written into the other."""
    source = Objects()
    inner = source.of(f="evil") if mode == b"40000" else source.file(b"evil")
    tree = source.tree((b"100644", b"a", source.file()), (mode, b"b", inner))

    class Meets(Writer):
        def file(self, name, **kwargs):
            super().file(name, **kwargs)
            if name == b"a":
                trees.write({"file": b"first", "directory": {b"f": b"first"}}[there], tmp_path / "out/b")

    assert refused(tmp_path, source, tree, writer=Meets)[:2] == ("output-failed", b"b")
    assert trees.read(tmp_path / "out/b") in (b"first", {b"f": b"first"})


def test_a_symlink_that_takes_a_new_directorys_place(tmp_path, outside, monkeypatch):
    """Between making and opening it."""
    source = Objects()
    make = os.mkdir

    def swap(name, *args, dir_fd):
        make(name, *args, dir_fd=dir_fd)
        if name == b"d":
            os.rmdir(name, dir_fd=dir_fd)
            os.symlink(outside, name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", swap)
    tree = source.tree((b"40000", b"d", source.of(f="evil")))
    code, path, _ = refused(tmp_path, source, tree)
    assert (code, path) == ("output-failed", b"d")


def test_a_directory_that_is_moved_away_meanwhile(tmp_path, outside):
    """And a symlink put in its place: what is still to come goes where the directory went, not through the symlink."""
    source = Objects()
    tree = source.tree((b"40000", b"d", source.of(a="1", f="evil")))

    class Swaps(Writer):
        def file(self, name, **kwargs):
            if name == b"f":
                (tmp_path / "out/d").rename(tmp_path / "out/gone")
                (tmp_path / "out/d").symlink_to(outside)
            super().file(name, **kwargs)

    write(tmp_path, source, tree, writer=Swaps)
    assert trees.read(tmp_path / "out/gone") == {b"a": b"1", b"f": b"evil"}


# --- file systems that don't keep what they are given --------------------------------------------------------------


def test_a_name_that_is_changed(tmp_path):
    """As HFS+ does with an ä in one piece, and FAT with a dot at the end."""
    source = Objects()

    class Changes(Writer):
        def leave(self):
            place = tmp_path / "out/d/b."
            if place.exists():
                self._end_file()
                place.rename(tmp_path / "out/d/b")
            super().leave()

    tree = source.tree((b"40000", b"d", source.tree(*((b"100644", name, source.file()) for name in (b"a", b"b.")))))
    code, path, message = refused(tmp_path, source, tree, writer=Changes)
    assert (code, path) == ("output-failed", b"d/b.")
    assert "another name" in message


@pytest.mark.parametrize("mode", [b"100644", b"100755"])
def test_executable_bits_that_are_not_kept(tmp_path, monkeypatch, mode):
    source = Objects()
    tree = source.tree((mode, b"a", source.file()))
    status = os.fstat

    def other(handle):
        found = status(handle)
        return replace_mode(found, found.st_mode ^ 0o111)

    monkeypatch.setattr(os, "fstat", other)
    code, path, message = refused(tmp_path, source, tree)
    assert (code, path) == ("output-failed", b"a")
    assert "executable" in message


def replace_mode(status, mode):
    return os.stat_result((mode, *status[1:]))


def test_a_symlink_that_is_not_kept(tmp_path, monkeypatch):
    source = Objects()
    monkeypatch.setattr(os, "readlink", lambda *_, **__: b"elsewhere")
    code, path, _ = refused(tmp_path, source, source.tree((b"120000", b"a", source.file())))
    assert (code, path) == ("output-failed", b"a")


# --- errors in the middle -------------------------------------------------------------------------------------------


def test_a_file_that_may_not_be_so_large(tmp_path):
    source = Objects()
    tree = source.tree((b"100644", b"a", source.file()), (b"100644", b"big", source.file(b"x" * 100_000)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        answer = refused(tmp_path, source, tree)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert answer == ("output-failed", b"big", "big can't be written: File too large")


@pytest.mark.parametrize("function", ["utime", "listdir", "close"])
def test_errors_at_the_end(tmp_path, monkeypatch, function):
    """Of a file, and of a directory: the disk may be full only when a file is closed."""
    source = Objects()
    real = getattr(os, function)
    failing = []

    def fails(place, *args, **kwargs):
        if failing and isinstance(place, int):
            raise OSError(28, "No space left on device")
        return real(place, *args, **kwargs)

    class Fails(Writer):
        def _end_file(self):
            failing.append(1)
            super()._end_file()

        def close(self):
            failing.clear()
            super().close()

    monkeypatch.setattr(os, function, fails)
    code, _, message = refused(tmp_path, source, source.of(a="1"), writer=Fails)
    failing.clear()
    assert code == "output-failed"
    assert "No space left" in message


def test_nothing_stays_open(tmp_path):
    source = Objects()
    before = len([*Path("/dev/fd").iterdir()])
    tree = source.nested(source.of(a="x", b="y"), 5)
    write(tmp_path, source, tree)
    (tmp_path / "other").mkdir()

    class Stops(Writer):
        def data(self, piece):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "other", source, tree, writer=Stops)
    assert len([*Path("/dev/fd").iterdir()]) == before


def test_as_deep_as_is_allowed(tmp_path):
    source = Objects()
    write(tmp_path, source, source.nested(source.of(a="x"), LIMITS.content_depth - 1))
