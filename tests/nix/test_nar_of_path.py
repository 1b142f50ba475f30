"""Showing what lies on disk, as Nix reads it."""

import os
import socket
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings

from gitverify.limits import LIMITS
from gitverify.nix.directory import Unreadable, show_path
from gitverify.nix.nar import nar_hash, sri
from tests.nix import nixtrees as trees
from tests.nix.nixtrees import DIRECTORIES, LEAVES
from tests.nix.vectors import VECTORS


def hash_of(path):
    return nar_hash(partial(show_path, path))


@pytest.mark.parametrize("name", VECTORS)
def test_what_nix_computed(name, tmp_path):
    tree, expected, _ = VECTORS[name]
    trees.write(tree, tmp_path / "t")
    assert sri(hash_of(tmp_path / "t")) == expected


@settings(max_examples=40, deadline=None)
@given(tree=DIRECTORIES | LEAVES)
def test_it_is_the_hash_of_what_was_written(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "t"
    trees.write(tree, path)
    assert hash_of(path) == nar_hash(partial(trees.show, tree))


def test_only_the_owners_executable_bit_counts(tmp_path):
    trees.write({b"f": b"x"}, tmp_path / "t")
    plain = hash_of(tmp_path / "t")
    for mode, same in ((0o600, True), (0o677, True), (0o755, False), (0o700, False)):
        (tmp_path / "t/f").chmod(mode)
        assert (hash_of(tmp_path / "t") == plain) == same


def test_times_do_not_count(tmp_path):
    trees.write({b"f": b"x"}, tmp_path / "t")
    before = hash_of(tmp_path / "t")
    os.utime(tmp_path / "t/f", (0, 0))
    assert hash_of(tmp_path / "t") == before


def test_large_files_are_read_in_pieces(tmp_path):
    content = bytes(range(256)) * (10 << 10)
    trees.write({b"f": content}, tmp_path / "t")
    pieces = []

    class Visitor(Nothing):
        def data(self, piece):
            pieces.append(len(piece))

    show_path(tmp_path / "t", Visitor())
    assert pieces == [1 << 20, 1 << 20, 1 << 19]


class Nothing:
    def enter(self, name):
        pass

    def leave(self):
        pass

    def file(self, name, *, executable, size):
        pass

    def data(self, piece):
        pass

    def symlink(self, name, target):
        pass


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("inner", [True, False])
def test_what_is_no_file_is_not_opened(tmp_path, monkeypatch, kind, inner):
    path = tmp_path / "d/x" if inner else tmp_path / "x"
    path.parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        monkeypatch.chdir(path.parent)  # a socket's path may have few bytes only
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("x")
    with pytest.raises(Unreadable, match="x can't be read: it is neither"):
        hash_of(tmp_path / "d" if inner else path)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_symlink_swapped_in_is_not_followed(tmp_path, what):
    """Where an entry was when the directory was read there is a symlink to something else when it is opened."""
    outside = tmp_path / "outside"
    trees.write({b"f": b"secret"}, outside)
    trees.write({b"a": b"", b"b": {b"f": b"1"} if what == "directory" else b"1"}, tmp_path / "t")

    class Swap(Nothing):
        def file(self, name, *, executable, size):
            if name == b"a":
                (tmp_path / "t/b").rename(tmp_path / "gone")
                (tmp_path / "t/b").symlink_to(outside if what == "directory" else outside / "f")

    with pytest.raises(Unreadable, match=r"t/b can't be read"):
        show_path(tmp_path / "t", Swap())


def test_a_pipe_swapped_in_is_not_waited_for(tmp_path):
    trees.write({b"a": b"", b"b": b"1"}, tmp_path / "t")

    class Swap(Nothing):
        def file(self, name, *, executable, size):
            if name == b"a":
                (tmp_path / "t/b").unlink()
                os.mkfifo(tmp_path / "t/b")

    with pytest.raises(Unreadable, match="it changed while it was read"):
        show_path(tmp_path / "t", Swap())


def test_a_file_that_gets_shorter(tmp_path):
    trees.write({b"a": b"x" * (2 << 20)}, tmp_path / "t")

    class Cut(Nothing):
        def data(self, piece):
            os.truncate(tmp_path / "t/a", 1)

    with pytest.raises(Unreadable, match=r"t/a can't be read: it changed while it was read"):
        show_path(tmp_path / "t", Cut())


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"x" * (3 << 20)])
def test_a_file_that_grows(tmp_path, content):
    trees.write({b"a": content}, tmp_path / "t")
    assert show_path(tmp_path / "t", Nothing()) is None

    class Grow(Nothing):
        def file(self, name, *, executable, size):
            with (tmp_path / "t/a").open("ab") as file:
                file.write(b"x")

    with pytest.raises(Unreadable, match=r"t/a can't be read: it changed while it was read"):
        show_path(tmp_path / "t", Grow())


def test_a_file_that_is_written_anew(tmp_path):
    trees.write({b"a": b"x" * (3 << 20)}, tmp_path / "t")
    os.utime(tmp_path / "t/a", (0, 0))

    class Write(Nothing):
        def data(self, piece):
            with (tmp_path / "t/a").open("r+b") as file:
                file.write(b"y")

    with pytest.raises(Unreadable, match=r"t/a can't be read: it changed while it was read"):
        show_path(tmp_path / "t", Write())


def test_what_is_not_there(tmp_path):
    with pytest.raises(Unreadable, match=r"x\\x1b can't be read: No such file"):
        hash_of(tmp_path / "x\x1b")


def test_depth(tmp_path):
    path = tmp_path / "t"
    for _ in range(LIMITS.content_depth):
        path.mkdir()
        path /= "d"
    path.write_text("x")
    before = len([*Path("/dev/fd").iterdir()])
    assert hash_of(tmp_path / "t")
    path.unlink()
    path.mkdir()
    with pytest.raises(Unreadable, match="256 deep"):
        hash_of(tmp_path / "t")
    assert len([*Path("/dev/fd").iterdir()]) <= before  # none stays open
