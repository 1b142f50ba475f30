"""Showing a tree out of the object database."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings

from gitverify.errors import MissingObject
from gitverify.export.visitor import Both, Unfit
from gitverify.export.walk import show_tree
from gitverify.limits import LIMITS
from gitverify.nix.nar import nar_hash
from tests.export.objects import Objects
from tests.nix import nixtrees as trees
from tests.nix.nixtrees import DIRECTORIES, Executable, Link


class Recorder:
    """Remembers what it is shown."""

    def __init__(self):
        self.seen = []

    def enter(self, name):
        self.seen.append(("enter", name))

    def leave(self):
        self.seen.append(("leave",))

    def file(self, name, *, executable, size):
        self.seen.append(("file", name, executable, size))

    def data(self, piece):
        self.seen.append(("data", bytes(piece)))

    def symlink(self, name, target):
        self.seen.append(("symlink", name, target))


def shown(source, tree):
    recorder = Recorder()
    show_tree(source, tree, recorder)
    return recorder.seen


@settings(deadline=None)
@given(tree=DIRECTORIES)
def test_a_tree_is_shown_as_it_is(tree):
    """Git's order is not that of bytes: ``a.b`` comes before the directory ``a``."""
    source, expected = Objects(), Recorder()
    trees.show(drop_git(tree), expected)
    assert [step for step in expected.seen if step != ("data", b"")] == shown(
        source, trees.put(drop_git(tree), source.add)
    )


def drop_git(tree):
    """Leave out what no tree may have."""
    kept = {name: entry for name, entry in tree.items() if name.lower() != b".git"}
    return {name: drop_git(entry) if isinstance(entry, dict) else entry for name, entry in kept.items()}


def test_all_kinds_are_counted_and_told():
    source, told = Objects(), []
    tree = {b"a": b"12", b"l": Link(b"a"), b"d": {b"x": Executable(b"123"), b"sub": {}}, b"e": b""}
    observer = type("Observer", (), {"exported": lambda _, size: told.append(size)})()
    tally = show_tree(source, trees.put(tree, source.add), Recorder(), observer=observer)
    assert (tally.files, tally.size) == (4, 6)
    assert tally.submodules == [(b"d/sub", b"\1" * 20)]
    assert told == [2, 3, 0, 1]


def test_the_empty_tree_need_not_be_there():
    source = Objects()
    empty = source.tree()
    del source.objects[empty]
    assert shown(source, empty) == [("enter", b""), ("leave",)]


def test_one_reading_for_several_visitors():
    source = Objects()
    tree = trees.put({b"a": b"12", b"d": {b"l": Link(b"a")}}, source.add)
    first, second = Recorder(), Recorder()
    show_tree(source, tree, Both([first, second]))
    assert first.seen == second.seen == shown(source, tree)
    assert len(first.seen) == 7


def test_the_hash_of_a_tree_in_the_database():
    source = Objects()
    tree = {b"a": {b"x": b"1"}, b"a-b": b"2", b"a.b": Executable(b"3"), b"a0": Link(b"4")}
    tree_id = trees.put(tree, source.add)
    assert nar_hash(partial(show_tree, source, tree_id)) == nar_hash(partial(trees.show, tree))


# --- what is refused, each with a twin that is shown --------------------------------------------------------------


def refused(source, tree):
    with pytest.raises(Unfit) as error:
        shown(source, tree)
    return error.value.code, error.value.path, str(error.value)


def test_malformed_trees():
    source = Objects()
    file = source.file()
    assert len(shown(source, source.tree((b"100644", b"a", file), (b"100644", b"b", file)))) == 6
    for entries, said in [
        ([(b"100644", b".git", file)], "named “.git”"),
        ([(b"100644", b".GIT", file)], "named “.GIT”"),
        ([(b"100644", b"..", file)], "named “..”"),
        ([(b"100644", b"a/b", file)], "slash"),
        ([(b"100644", b"", file)], "no name"),
        ([(b"100644", b"a", file), (b"120000", b"a", file)], "two entries"),
        ([(b"100644", b"b", file), (b"100644", b"a", file)], "not in order"),
        ([(b"100600", b"a", file)], "mode"),
        ([(b"40000", b"a", source.tree())], "empty tree"),
    ]:
        code, path, message = refused(source, source.tree(*entries))
        assert (code, path) == ("malformed-tree", None)
        assert said in message
        code, path, _ = refused(source, source.tree((b"40000", b"sub", source.tree(*entries))))
        assert (code, path) == ("malformed-tree", b"sub")


def test_a_symlink_and_a_directory_of_one_name():
    """The classic: the symlink is made first, then what is in the “directory” is written through it."""
    source = Objects()
    link, inner = source.file(b"/etc"), source.of(passwd="x")
    code, path, message = refused(source, source.tree((b"120000", b"d", link), (b"40000", b"d", inner)))
    assert (code, path) == ("malformed-tree", None)
    assert "two entries" in message
    twin = source.tree((b"120000", b"d", link), (b"40000", b"e", inner))
    assert ("symlink", b"d", b"/etc") in shown(source, twin)


@pytest.mark.parametrize("mode", [b"100644", b"100755", b"120000"])
def test_objects_of_another_kind(mode):
    source = Objects()
    tree = source.tree((mode, b"a", source.of(x="1")))
    assert refused(source, tree)[:2] == ("malformed-tree", b"a")


def test_a_file_where_a_tree_should_be():
    source = Objects()
    assert refused(source, source.tree((b"40000", b"a", source.file())))[:2] == ("malformed-tree", b"a")


def test_targets_of_symlinks():
    source = Objects()

    def tree(target):
        return source.tree((b"120000", b"l", source.file(target)))

    for target in (b"", b"a\0b", b"x" * 4096):
        assert refused(source, tree(target))[:2] == ("malformed-tree", b"l")
    for target in (b"x" * 4095, b"../../..", b"/", b"\xff\n"):
        assert shown(source, tree(target))[1] == ("symlink", b"l", target)


def test_what_is_missing():
    source = Objects()
    file = source.file()
    tree = source.tree((b"100644", b"a", file))
    del source.objects[file]
    with pytest.raises(MissingObject):
        shown(source, tree)


@pytest.fixture
def limit(monkeypatch):
    def to(**limits):
        monkeypatch.setattr("gitverify.export.walk.LIMITS", replace(LIMITS, **limits))

    return to


def test_depth(limit):
    limit(content_depth=3)
    source = Objects()
    twin = source.nested(source.of(x="1"), 2)
    assert len(shown(source, twin)) == 8
    assert refused(source, source.nested(twin, 1)) == (
        "output-failed",
        b"d0/d0/d0",
        "directories lie in one another more than 3 deep",
    )


def test_a_few_objects_that_stand_for_a_billion_files(limit):
    limit(content_entries=1000)
    source = Objects()
    small = source.nested(source.of(**{f"f{n}": "" for n in range(10)}), 1, wide=10)
    code, path, message = refused(source, source.nested(small, 8, wide=10))
    assert (code, path) == ("output-failed", None)
    assert "more than 1,000" in message
    assert len(shown(source, small)) == 2 + 20 + 100


def test_sizes(limit):
    limit(content_size=10, content_bytes=15)
    source = Objects()
    assert refused(source, source.of(a="x" * 11))[:2] == ("output-failed", b"a")
    assert refused(source, source.of(a="x" * 10, b="x" * 6))[:2] == ("output-failed", b"b")
    assert shown(source, source.of(a="x" * 10, b="x" * 5))
