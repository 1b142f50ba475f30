"""The graph of an audit: all of it, every child before its parents, and what each commit reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.audit.history import History
from gitverify.errors import MissingObject

COMMIT = "tree {tree}\n{parents}author A <a> {date} +0000\ncommitter A <a> {date} +0000\n\nx\n"


class Commits:
    """Commits by number, each with parents of lower numbers and any date."""

    def __init__(self, parents, dates):
        self.objects = {}
        for number, (its, date) in enumerate(zip(parents, dates, strict=True)):
            lines = "".join(f"parent {name(parent).hex()}\n" for parent in its)
            body = COMMIT.format(tree="0" * 40, parents=lines, date=date)
            self.objects[name(number)] = ("commit", body.encode())

    def read(self, object_id):
        if object_id not in self.objects:
            raise MissingObject(object_id)
        return self.objects[object_id]


def name(number):
    return bytes([number]) * 20


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 8))
    parents = [draw(st.lists(st.integers(0, n - 1), max_size=3)) if n else [] for n in range(size)]
    return parents, [draw(st.integers(0, 5)) for _ in range(size)]


def closure(parents, start):
    found = {start}
    for number in range(start, -1, -1):
        if number in found:
            found.update(parents[number])
    return found


@given(graphs())
def test_order_ranks_and_reach(graph):
    parents, dates = graph
    tip = len(parents) - 1
    history = History(Commits(parents, dates), name(tip))
    reached = closure(parents, tip)
    assert sorted(history.order) == sorted(map(name, reached))
    for commit in history.order:
        assert all(history.ranks[parent] < history.ranks[commit] for parent in history.parents[commit])
        assert not history.given(commit)
        assert not history.descends(commit)
        assert history.authentic_parents(commit) == history.parents[commit]
    for number in reached:
        assert history.reached(name(number)) == set(map(name, closure(parents, number)))
        descendants = {name(other) for other in reached if number in closure(parents, other)}
        assert history.descendants(name(number)) == descendants
        assert history.date(name(number)) == dates[number]


def test_dates_decide_between_lines_that_do_not_meet():
    history = History(Commits([[], [0], [0], [1], [3, 2]], [0, 1, 3, 2, 9]), name(4))
    assert history.order == [name(4), name(2), name(3), name(1), name(0)]


def test_a_malformed_commit_ends_its_line():
    source = Commits([[], [0]], [0, 1])
    source.objects[name(0)] = ("blob", b"")
    history = History(source, name(1))
    assert history.parents[name(0)] == ()
    assert history.date(name(0)) == 0


def test_what_is_not_all_there_is_no_history():
    source = Commits([[], [0]], [0, 1])
    del source.objects[name(0)]
    with pytest.raises(MissingObject):
        History(source, name(1))
