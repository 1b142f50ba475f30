"""Merge bases and differences of what is reached, compared with their definitions on random graphs."""

from itertools import combinations, combinations_with_replacement, permutations, product

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gitverify.ancestry import Ancestry
from gitverify.errors import TooMuch
from gitverify.limits import LIMITS
from gitverify.mainline import Mainline


class Graph:
    """Commits are numbers written as bytes, parents smaller; ``old`` ones have dates and no ranks."""

    def __init__(self, parents, *, introduction=0, old=(), dates=None, skew=None):
        self.parents = {name(n): tuple(name(p) for p in its) for n, its in parents.items()}
        self.introduction = name(introduction)
        self.closures = {}
        for commit, its in self.parents.items():
            self.closures[commit] = {commit}.union(*(self.closures[parent] for parent in its))
        self.old = {name(n) for n in old}
        self.ranks = {c: at for at, c in enumerate(self.parents) if c not in self.old}
        self.dates = {name(n): date for n, date in (dates or {}).items()}
        self.skew = self.true_skew() if skew == "true" else skew
        self.looked = set()

    def true_skew(self):
        mine = self.old - self.closures[self.introduction]
        return max((self.date(a) - self.date(d) for d in mine for a in self.closures[d] & mine), default=0)

    def authentic_parents(self, commit):
        self.looked.add(commit)
        return self.parents[commit]

    def date(self, commit):
        return self.dates.get(commit, int.from_bytes(commit, "big"))

    def given(self, commit):
        return commit in self.closures[self.introduction]

    def descends(self, commit):
        return self.introduction in self.closures[commit]

    def line(self, tip):
        found = []
        while tip in self.ranks:
            found.append(tip)
            tip = self.parents[tip][0] if self.parents[tip] else None
        return found[::-1]

    def bases(self, ours, theirs):
        common = self.closures[ours] & self.closures[theirs]
        return {c for c in common if not any(c in self.closures[other] for other in common - {c})}

    def beyond(self, ours, theirs):
        return self.closures[ours] - self.closures[theirs] - self.closures[self.introduction]


def name(number):
    return number.to_bytes(2, "big")


@st.composite
def graphs(draw):
    size = draw(st.integers(2, 12))
    parents = {}
    for n in range(size):
        some = st.lists(st.integers(max(0, n - 5), n - 1), max_size=2, unique=True) if n else st.just([])
        parents[n] = draw(some)
    introduction = draw(st.integers(0, size - 1))
    old = draw(st.integers(0, size))
    dates = {n: draw(st.integers(0, 20)) for n in range(old)} if draw(st.booleans()) else {}
    graph = Graph(
        parents, introduction=introduction, old=range(old), dates=dates, skew=draw(st.sampled_from(["true", None]))
    )
    # What the introduction reaches has no ranks; what has one has nothing without one above it.
    graph.old |= graph.closures[graph.introduction]
    graph.ranks = {c: at for at, c in enumerate(graph.parents) if c not in graph.old}
    graph.skew = graph.true_skew() if graph.skew is not None else None
    return graph


@settings(max_examples=400)
@given(graphs(), st.data())
def test_bases_and_what_is_beyond_are_as_defined(graph, data):
    commits = sorted(graph.parents)
    ours, theirs = data.draw(st.sampled_from(commits)), data.draw(st.sampled_from(commits))
    found = Ancestry(graph).reach(ours, theirs)
    event(f"{len(found.bases)} bases")
    assert set(found.bases) == graph.bases(ours, theirs)
    assert len(found.bases) == len(set(found.bases))
    assert set(found.ours) == graph.beyond(ours, theirs)
    for tip in commits:
        line = graph.line(tip)
        ancestry = Ancestry(graph, line)
        assert set(ancestry.bases(ours, theirs)) == graph.bases(ours, theirs)
        assert set(ancestry.beyond(ours, theirs)) == graph.beyond(ours, theirs)
        event("on the line" if ours in line or theirs in line else "beside the line")
    assert set(found.theirs) == graph.beyond(theirs, ours)


def small_graphs(order=combinations, size=5):
    """All graphs of this size in which nobody has more than two parents; ``order`` says in which order those come."""
    choices = [[parents for count in range(3) for parents in order(range(n), count)] for n in range(size)]
    for its in product(*choices):
        yield dict(enumerate(its))


WRONG = {0: 3, 1: 0, 2: 4, 3: 1, 4: 2}


@pytest.mark.parametrize(
    ("old", "introduction"),
    [*(("none", at) for at in range(5)), *product(["some", "all", "all, and no skew"], [0, 2])],
)
def test_every_small_graph(introduction, old):
    for parents in small_graphs():
        graph = Graph(parents, introduction=introduction, dates=WRONG)
        graph.old = set(graph.closures[graph.introduction])
        if old != "none":
            graph.old |= set(list(graph.parents)[: 3 if old == "some" else 5])
        graph.ranks = {c: at for at, c in enumerate(graph.parents) if c not in graph.old}
        graph.skew = None if "no skew" in old else graph.true_skew()
        for ours, theirs in combinations_with_replacement(graph.parents, 2):
            ancestry = Ancestry(graph)
            found = ancestry.reach(ours, theirs)
            assert sorted(found.bases) == sorted(graph.bases(ours, theirs))
            assert sorted(found.ours) == sorted(graph.beyond(ours, theirs))
            assert sorted(found.theirs) == sorted(graph.beyond(theirs, ours))
            assert ancestry.reach(theirs, ours) == (found.bases, found.theirs, found.ours)


@pytest.mark.parametrize("introduction", [0, 1, 3])
def test_every_small_graph_with_a_main_line(introduction):
    """Where the main line answers it is right; and it does where a branch left it, unless there is more below."""
    answered = 0
    for parents in small_graphs(permutations):
        graph = Graph(parents, introduction=introduction)
        graph.old = set(graph.closures[graph.introduction])
        graph.ranks = {c: at for at, c in enumerate(graph.parents) if c not in graph.old}
        for tip in (name(4), name(3)):
            line = graph.line(tip)
            mainline = Mainline(graph, line)
            for one, other in product(line, graph.parents):
                parted = mainline.parted(one, other)
                bases = graph.bases(one, other)
                if parted is not None:
                    answered += 1
                    assert {parted.base} == bases
                    assert list(parted.beyond) == sorted(graph.beyond(other, one), reverse=True)
                else:
                    assert len(bases) != 1 or not bases <= set(line) or graph.closures[other] & graph.old
            assert Mainline(graph, line).parted(b"?", tip) is None
    assert answered > 1000


def test_a_base_found_below_another_ends_no_search_of_a_side():
    graph = Graph({0: [], 1: [0], 2: [1], 3: [0], 4: [3], 5: [4, 3, 2], 6: [4, 3]}, old=[0])
    found = Ancestry(graph).reach(name(5), name(6))
    assert found == ((name(4),), (name(5), name(2), name(1)), (name(6),))


def test_a_date_that_is_just_as_wrong_as_any_was():
    dates = {1: 10, 2: 5, 3: 12, 4: 20, 5: 21}
    graph = Graph({0: [], 1: [0], 2: [1], 3: [2], 4: [3, 1], 5: [3, 1]}, old=range(6), dates=dates, skew="true")
    assert graph.skew == 5
    assert Ancestry(graph).reach(name(4), name(5)).bases == (name(3),)


def test_a_branch_off_the_introduction():
    graph = Graph({0: [], 1: [0], 2: [1], 3: [0], 4: [3, 1]}, old=[0])
    mainline = Mainline(graph, graph.line(name(2)))
    assert mainline.parted(name(2), name(3)) == (name(0), (name(3),))
    assert mainline.parted(name(2), name(4)) == (name(1), (name(4), name(3)))
    assert name(0) not in graph.looked


def test_what_is_newer_is_no_question_of_names():
    graph = Graph({9: [], 7: [9], 5: [7], 1: [5], 3: [7], 2: [3, 5]}, introduction=9, old=[9])
    mainline = Mainline(graph, graph.line(name(1)))
    assert mainline.parted(name(1), name(2)) == (name(5), (name(2), name(3)))


def line(length, fork):
    """A line with a branch of one commit that left it at ``fork``; the last one is the branch."""
    parents = {n: [n - 1] if n else [] for n in range(length)}
    parents[length] = [fork]
    return parents


def test_no_further_down_than_where_they_parted():
    graph = Graph(line(1000, 990))
    found = Ancestry(graph).reach(name(999), name(1000))
    assert found.bases == (name(990),)
    assert found.ours == tuple(name(n) for n in range(999, 990, -1))
    assert found.theirs == (name(1000),)
    assert min(graph.looked) >= name(990)


def test_among_earlier_commits_as_far_as_dates_were_ever_wrong():
    graph = Graph(line(1000, 990), old=range(1000), skew=5)
    assert Ancestry(graph).reach(name(999), name(1000)).bases == (name(990),)
    assert name(985) <= min(graph.looked) <= name(987)


def test_what_descends_from_the_introduction_reaches_all_below_it_unseen():
    parents = line(1000, 10)
    graph = Graph(parents, introduction=900, old=range(901))
    for ours, theirs in ((name(999), name(1000)), (name(1000), name(999))):
        graph.looked.clear()
        assert Ancestry(graph).reach(ours, theirs).bases == (name(10),)
        assert min(graph.looked) >= name(10)
        assert name(899) not in graph.looked
    graph = Graph(line(1000, 900), introduction=900, old=range(901))
    assert Ancestry(graph).reach(name(999), name(1000)).bases == (name(900),)
    assert min(graph.looked) > name(900)


def test_the_same_question_from_the_other_side():
    graph = Graph(line(20, 10))
    ancestry = Ancestry(graph)
    one = ancestry.reach(name(19), name(20))
    graph.looked.clear()
    other = ancestry.reach(name(20), name(19))
    assert (other.bases, other.ours, other.theirs) == (one.bases, one.theirs, one.ours)
    assert ancestry.reach(name(19), name(20)) is one
    assert not graph.looked


def test_of_several_bases_the_newest_comes_first():
    for older, newer in ((1, 2), (2, 1)):
        graph = Graph({0: [], 1: [0], 2: [0], 3: [older, newer], 4: [older, newer]}, dates={1: 9})
        assert Ancestry(graph).reach(name(3), name(4)).bases == (name(2), name(1))


def test_the_main_line_answers_without_a_look(monkeypatch):
    graph = Graph(line(20, 10))
    ancestry = Ancestry(graph, graph.line(name(19)))
    monkeypatch.setattr(ancestry, "reach", None)
    assert ancestry.bases(name(19), name(20)) == ancestry.bases(name(20), name(19)) == (name(10),)
    assert ancestry.beyond(name(20), name(19)) == (name(20),)


def limited(monkeypatch, graph, steps, for_each=0):
    limits = type(LIMITS)(ancestry_steps=steps, ancestry_steps_per_commit=for_each)
    monkeypatch.setattr("gitverify.ancestry.LIMITS", limits)
    return Ancestry(graph)


def test_what_a_look_takes_is_what_is_left_of_later_ones(monkeypatch):
    graph = Graph(line(1000, 995))
    ancestry = limited(monkeypatch, graph, 100)
    ancestry.reach(name(999), name(1000))
    taken = 100 - ancestry._steps
    assert 5 <= taken <= 10
    ancestry = limited(monkeypatch, graph, taken)
    assert ancestry.reach(name(999), name(1000)).bases == (name(995),)
    with pytest.raises(TooMuch, match="tangled"):
        limited(monkeypatch, graph, taken - 1).reach(name(999), name(1000))
    ancestry = limited(monkeypatch, graph, 2 * taken)
    for _ in range(2):
        ancestry.reach(name(999), name(1000))
        ancestry._asked = None
    with pytest.raises(TooMuch, match="tangled"):
        ancestry.reach(name(999), name(1000))


def test_a_longer_history_may_be_looked_at_for_longer(monkeypatch):
    graph = Graph(line(1000, 1))
    assert limited(monkeypatch, graph, 10, 1).reach(name(999), name(1000)).bases == (name(1),)


def test_a_run_looks_at_so_many_and_no_more(monkeypatch):
    graph = Graph(line(1000, 1))
    monkeypatch.setattr("gitverify.ancestry.LIMITS", type(LIMITS)(ancestry_steps=1500, ancestry_steps_per_commit=0))
    ancestry = Ancestry(graph)
    assert ancestry.reach(name(999), name(1000)).bases == (name(1),)
    with pytest.raises(TooMuch, match="tangled"):
        ancestry.reach(name(998), name(1000))


def test_following_branches_to_the_main_line_counts(monkeypatch):
    parents = {0: [], **{n: [n - 1] for n in range(1, 100)}, **{n: [n - 1 if n > 100 else 1] for n in range(100, 200)}}
    graph = Graph(parents)
    monkeypatch.setattr("gitverify.ancestry.LIMITS", type(LIMITS)(ancestry_steps=250, ancestry_steps_per_commit=0))
    ancestry = Ancestry(graph, [name(n) for n in range(100)])
    assert ancestry.bases(name(99), name(199)) == (name(1),)
    assert len(ancestry.beyond(name(199), name(99))) == 100
    with pytest.raises(TooMuch, match="tangled"):
        ancestry.bases(name(99), name(199))
