"""Reading trees of a source: what was read lately is not read again, and everything is checked (R7)."""

import hashlib
from itertools import pairwise

import pytest

from gitverify import treepath
from gitverify.errors import MalformedTree, MissingObject, OversizedObject
from gitverify.objects.tree import EMPTY_TREE, TreeEntry
from gitverify.treepath import Trees, components

FILE = b"100644"


class Source:
    """Objects by id; notes what is read."""

    def __init__(self):
        self.objects = {}
        self.read_ids = []

    def read(self, object_id):
        self.read_ids.append(object_id)
        found = self.objects.get(object_id)
        if found is None:
            raise MissingObject(object_id)
        if isinstance(found, Exception):
            raise found
        return found

    def add(self, raw, kind="tree"):
        object_id = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(raw)) + raw).digest()
        self.objects[object_id] = kind, raw
        return object_id

    def folder(self, *, count=300, **others):
        """A folder whose size is that of a large one; ``f5=2`` gives the file f00005 the content 2."""
        contents = {b"f%05d" % n: 0 for n in range(count)} | {b"f%05d" % int(n[1:]): v for n, v in others.items()}
        return self.add(b"".join(FILE + b" " + n + b"\0" + bytes([v]) * 20 for n, v in sorted(contents.items())))


@pytest.fixture
def source():
    return Source()


def entry(value):
    return TreeEntry(FILE, bytes([value]) * 20)


def test_what_differs(source):
    trees = Trees(source)
    before, after = source.folder(f1=1, f5=1), source.folder(f1=2, f400=3)
    wanted = {
        b"f00001": (entry(1), entry(2)),
        b"f00005": (entry(1), entry(0)),
        b"f00400": (None, entry(3)),
    }
    assert trees.changed(before, after) == wanted
    assert list(trees.changed(before, after)) == sorted(wanted)
    assert trees.changed(after, before) == {name: (new, old) for name, (old, new) in wanted.items()}
    assert trees.changed(before, before) == {}


def test_nothing_is_read_for_one_tree(source):
    assert Trees(source).changed(b"\5" * 20, b"\5" * 20) == {}
    assert source.read_ids == []


def test_what_was_found_is_remembered(source, monkeypatch):
    monkeypatch.setattr(treepath, "_ROOM_LOOKED_INTO", 0)
    trees = Trees(source, remembered=2)
    line = [source.folder(count=2, f1=number) for number in range(3)]
    for tree in (0, 1, 0, 1):
        assert trees.find(line[tree], (b"f00001", b"x")) == [entry(tree), None]
    assert source.read_ids == line[:2]
    for tree in (0, 2, 2):
        assert trees.find(line[tree], (b"f00001",)) == [entry(tree)]
    assert source.read_ids == [*line[:2], line[0], line[2]]
    assert trees.find(line[1], (b"f00001",)) == [entry(1)]  # two others were asked for since
    assert source.read_ids == [*line[:2], line[0], line[2], line[1]]
    assert trees.find(line[1], (b"f00001", b"x")) == [entry(1), None]
    assert len(source.read_ids) == 5
    trees.find(line[0], (b"f00001",))  # forgotten to make room
    assert len(source.read_ids) == 6


def test_a_tree_that_was_looked_into_is_not_read_again_to_be_compared(source, monkeypatch):
    line = [source.folder(count=2, f1=number) for number in range(5)]
    size = len(source.objects[line[0]][1])
    monkeypatch.setattr(treepath, "_ROOM_LOOKED_INTO", 3 * size)
    trees = Trees(source)
    for tree in line:
        trees.find(tree, (b"f00001",))
    assert trees.changed(line[3], line[4]) == {b"f00001": (entry(3), entry(4))}
    assert source.read_ids == line
    assert trees.changed(line[1], line[2]) == {b"f00001": (entry(1), entry(2))}
    assert source.read_ids == [*line, line[1]]


def test_nothing_is_kept_where_nothing_is_compared(source):
    trees = Trees(source, remembered=1, keeps=False)
    line = [source.folder(count=2, f1=number) for number in range(2)]
    for tree in line:
        trees.find(tree, (b"f00001",))
    assert trees.changed(*line)
    assert source.read_ids == [*line, *line]


def test_no_tree_is_like_an_empty_one(source):
    trees = Trees(source)
    tree = source.folder(count=2)
    wanted = {b"f00000": (None, entry(0)), b"f00001": (None, entry(0))}
    assert trees.changed(None, tree) == trees.changed(EMPTY_TREE, tree) == wanted
    assert trees.changed(tree, None) == {name: (new, old) for name, (old, new) in wanted.items()}
    assert trees.changed(None, EMPTY_TREE) == {}
    assert source.read_ids == [tree]


def test_each_tree_is_read_once(source):
    trees = Trees(source)
    line = [source.folder(f7=number) for number in range(8)]
    for before, after in pairwise(line):
        trees.changed(before, after)
    assert trees.entries(line[3])[b"f00007"] == entry(3)
    assert source.read_ids == line


def test_each_tree_is_checked_once(source, monkeypatch):
    trees = Trees(source)
    line = [source.folder(count=2, f1=number) for number in range(3)]
    trees.changed(line[0], line[1])
    monkeypatch.setattr(treepath, "check", None)
    assert list(trees.changed(line[1], line[2])) == [b"f00001"]
    assert list(trees.changed(line[2], line[0])) == [b"f00001"]


def test_a_tree_is_compared_with_the_one_that_is_most_like_it(source, monkeypatch):
    trees = Trees(source)
    trees.changed(source.folder(f7=1), source.folder(f7=2))
    monkeypatch.setattr(treepath, "check", None)  # nothing is checked from nothing any more
    assert list(trees.changed(source.folder(f8=1), source.folder(f8=2))) == [b"f00008"]


def test_what_was_read_long_ago_is_forgotten(source, monkeypatch):
    line = [source.folder(f7=number) for number in range(8)]
    size = len(source.objects[line[0]][1])
    monkeypatch.setattr(treepath, "_ROOM", 3 * size)  # with what comes along: two trees
    trees = Trees(source)
    for before, after in pairwise(line):
        trees.changed(before, after)
    assert source.read_ids == line
    trees.changed(line[6], line[7])
    assert source.read_ids == line
    trees.changed(line[0], line[7])
    assert source.read_ids == [*line, line[0]]
    trees.changed(line[6], line[7])  # 7 was asked for after 6
    assert source.read_ids == [*line, line[0], line[6]]


def test_trees_that_leave_no_room(source, monkeypatch):
    monkeypatch.setattr(treepath, "_ROOM", 10)
    trees = Trees(source)
    before, after = source.folder(f7=1), source.folder(f7=2)
    assert list(trees.changed(before, after)) == list(trees.changed(before, after)) == [b"f00007"]
    assert source.read_ids == [before, after] * 2


def test_a_malformed_tree_on_either_side_is_refused(source):
    good = source.folder(count=200)
    raw = source.objects[good][1]
    bad = source.add(raw + raw[:34])
    for _ in range(2):  # it is not remembered as a good one
        with pytest.raises(MalformedTree, match="two entries"):
            Trees(source).changed(good, bad)
    trees = Trees(source)
    for pair in ((good, bad), (bad, good), (None, bad), (bad, None)):
        for _ in range(2):
            with pytest.raises(MalformedTree, match="two entries"):
                trees.changed(*pair)
    with pytest.raises(MalformedTree, match="two entries"):
        trees.entries(bad)


def test_what_is_no_tree(source):
    trees = Trees(source)
    tree, blob, missing, large = source.folder(), source.add(b"x", "blob"), b"\5" * 20, b"\6" * 20
    source.objects[large] = OversizedObject("tree", 10, 9)
    for other in (blob, large):
        for pair in ((tree, other), (other, tree)):
            with pytest.raises(MalformedTree, match=r"is a blob|10 bytes"):
                trees.changed(*pair)
    for pair in ((tree, missing), (missing, tree)):
        with pytest.raises(MissingObject) as error:
            trees.changed(*pair)
        assert error.value.object_id == missing


def test_entries_on_a_path(source):
    trees = Trees(source)
    inner = source.add(FILE + b" x\0" + b"\1" * 20)
    root = source.add(b"40000 a\0" + inner)
    assert trees.walk(trees.find(root, (b"a",))[0], components(b"x/")) == entry(1)
    assert trees.walk(trees.find(root, (b"a",))[0], components(b"x/y")) is None
    assert trees.walk(None, components(b"x")) is None
