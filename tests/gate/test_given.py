"""BASE's line of first parents, found by dates that may be wrong, in histories of which parts may be absent."""

import hashlib
import itertools

import pytest

from gitverify.errors import MissingObject
from gitverify.gate.given import Given, Line, is_older
from gitverify.imagined import unsigned_commit
from gitverify.request import Request
from gitverify.walk import Fence

TREE = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")


class Graph:
    """Commits by name, with the dates that they claim."""

    def __init__(self):
        self.objects = {}
        self.reads = 0

    def read(self, object_id):
        self.reads += 1
        if object_id not in self.objects:
            raise MissingObject(object_id)
        return "commit", self.objects[object_id]

    def commit(self, date, *parents):
        return self.add(unsigned_commit(TREE, parents, date))

    def add(self, raw):
        made = hashlib.sha1(b"commit %d\0" % len(raw) + raw).digest()
        self.objects[made] = raw
        return made

    def line(self, start, dates):
        tips = []
        for date in dates:
            start = self.commit(date, *([start] if start else []))
            tips.append(start)
        return tips


@pytest.fixture
def graph():
    return Graph()


@pytest.mark.parametrize("dates", [(60, 70, 80), (10, 5, 1), (900, 800, 999)], ids=["right", "old", "future"])
def test_a_branch_that_left_the_line(graph, dates):
    main = graph.line(None, range(10, 100, 10))
    side = graph.line(main[3], dates)
    assert Line(graph, main[-1], main[0]).meets(side[-1])
    assert Line(graph, main[-1], main[0]).meets(main[3])


@pytest.mark.parametrize("dates", list(itertools.permutations((20, 30, 40))))
def test_lines_with_wrong_dates_meet_all_the_same(graph, dates):
    main = graph.line(None, [10, *dates, 50])
    side = graph.line(main[1], dates)
    line = Line(graph, main[-1], main[0])
    assert all(line.meets(commit) for commit in (*side, *main))


def test_a_branch_that_did_not(graph):
    main = graph.line(None, range(10, 100, 10))
    other = graph.line(None, range(15, 95, 10))
    assert not Line(graph, main[-1], main[0]).meets(other[-1])


def test_what_lies_below_the_introduction_does_not_count(graph):
    main = graph.line(None, range(10, 100, 10))
    side = graph.line(main[1], (75, 85))
    line = Line(graph, main[-1], main[4])
    assert not line.meets(side[-1])
    assert not line.meets(main[1])
    assert line.meets(main[4])


def test_only_the_newest_part_is_read(graph):
    main = graph.line(None, range(10, 10_000, 10))
    side = graph.line(main[-5], (99_000,))
    graph.reads = 0
    assert Line(graph, main[-1], main[0]).meets(side[-1])
    assert graph.reads < 40


def test_where_they_might_meet_in_what_is_absent_it_is_not_told(graph):
    main = graph.line(None, range(10, 100, 10))
    side = graph.line(main[1], (35, 45))
    del graph.objects[main[4]]
    with pytest.raises(MissingObject) as missing:
        Line(graph, main[-1], main[3]).meets(side[-1])
    assert missing.value.object_id == main[4]


def test_a_malformed_commit_ends_a_line(graph):
    root = graph.line(None, (10, 20))
    broken = graph.add(b"tree nonsense\n")
    main = graph.line(broken, (40, 50))
    side = graph.line(broken, (45,))
    assert not Line(graph, main[-1], root[-1]).meets(graph.line(root[-2], (60,))[-1])
    assert Line(graph, main[-1], root[-1]).meets(side[-1])  # at the malformed one, on which nothing authentic stands


def test_older_is_what_the_introduction_descends_from(graph):
    main = graph.line(None, (10, 20, 30))
    assert is_older(graph, main[0], main[2])
    assert not is_older(graph, main[2], main[0])
    assert not is_older(graph, main[1], main[1])
    assert not is_older(graph, graph.commit(5), main[2])
    assert not is_older(graph, b"\1" * 20, main[2])


def test_edges_to_what_may_have_been_adopted(graph):
    first, second = graph.commit(10), graph.commit(11)
    plain = graph.commit(20, first, second)
    raw = unsigned_commit(TREE, (first, second), 21).replace(b"\n\n", b"\ngpgsig x\n\n", 1)
    signed = graph.add(raw)
    fences = Given(graph, Request(tip=plain, introduction=first), plain).floor.fences
    before = len(fences)
    assert fences  # somewhere below there may be one
    assert fences.get((plain, second)) is None
    assert fences.get((signed, first)) is None
    # No policy says that it may not adopt, here where none can be found.
    assert fences.get((signed, second)) is Fence.DROPPED
    assert fences.get((b"\1" * 20, second)) is Fence.DROPPED
    assert len(fences) == len(list(fences)) == before + 2
