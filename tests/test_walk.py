"""The walk: what is to be judged, whatever the dates say, and what may be missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitverify.errors import MalformedCommit, MissingObject
from gitverify.walk import Colour, Fence, Walk, reaches, read_commit


class Graph:
    """An object source of commits only; ``absent`` ones can't be read."""

    def __init__(self, parents, dates=None):
        self.ids = {name: bytes([index + 1]) * 20 for index, name in enumerate(parents)}
        self.absent = set()
        self.reads = []
        self._raw = {}
        for index, (name, its) in enumerate(parents.items()):
            lines = "".join(f"parent {self.ids[p].hex()}\n" for p in its)
            date = (dates or {}).get(name, 1000 + index)
            people = f"author A <a@b> 1 +0000\ncommitter C <c@d> {date} +0000\n"
            self._raw[self.ids[name]] = f"tree {'0' * 40}\n{lines}{people}\n{name}\n".encode()

    def read(self, object_id):
        self.reads.append(object_id)
        if object_id in self.absent or object_id not in self._raw:
            raise MissingObject(object_id)
        return "commit", self._raw[object_id]

    def names(self, ids):
        back = {object_id: name for name, object_id in self.ids.items()}
        return {back[object_id] for object_id in ids}

    def walk(self, tip, introduction, accepted=(), fences=None, aside=()):
        walk = Walk(
            self,
            self.ids[tip],
            self.ids[introduction],
            [self.ids[name] for name in accepted],
            {(self.ids[child], self.ids[parent]): kind for (child, parent), kind in (fences or {}).items()},
            [self.ids[name] for name in aside],
        )
        walk.run(lambda *_: None)
        return walk


LINE = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["d"]}


def test_from_the_tip_to_the_introduction():
    graph = Graph(LINE)
    assert graph.names(graph.walk("e", "b").new) == {"c", "d", "e"}


def test_newest_first_and_each_visited_once():
    graph = Graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    seen = []
    walk = Walk(graph, graph.ids["d"], graph.ids["a"])
    walk.run(lambda commit, raw, head, _: seen.append((commit, raw, head.parents)))
    assert [commit for commit, *_ in seen] == [graph.ids[n] for n in "dcb"]
    assert list(walk.new) == [graph.ids[n] for n in "dcb"]


def test_the_tip_is_the_introduction_or_below_it():
    graph = Graph(LINE)
    assert not graph.walk("b", "b").new
    assert not graph.walk("a", "c").new


def test_what_a_mark_covers_is_not_looked_at_again():
    graph = Graph(LINE)
    walk = graph.walk("e", "a", accepted=["d"])
    assert graph.names(walk.new) == {"e"}
    assert walk.colour(graph.ids["d"]) is Colour.ACCEPTED
    assert graph.ids["b"] not in graph.reads


def test_a_branch_from_below_the_mark_is_new_alone():
    graph = Graph({"a": [], "b": ["a"], "c": ["b"], "x": ["b"], "m": ["c", "x"]})
    assert graph.names(graph.walk("m", "a", accepted=["c"]).new) == {"m", "x"}


def test_the_introductions_own_history_is_given():
    graph = Graph({"r": [], "i": ["r"], "s": ["r"], "m": ["i", "s"]})
    walk = graph.walk("m", "i")
    assert graph.names(walk.new) == {"m", "s"}
    assert walk.colour(graph.ids["r"]) is Colour.GIVEN


def test_the_colour_changes_at_a_fence():
    graph = Graph({"r": [], "i": ["r"], "s": ["r"], "m": ["i", "s"], "n": ["m"], "t": ["s"], "u": ["n", "t"]})
    walk = graph.walk("u", "i", accepted=["n"], fences={("m", "s"): Fence.SIDE})
    assert graph.names(walk.new) == {"u", "t"}
    assert walk.colour(graph.ids["s"]) is Colour.ASIDE
    walk = graph.walk("u", "i", accepted=["n"], fences={("m", "s"): Fence.DROPPED})
    assert graph.names(walk.new) == {"u", "t", "s"}


def test_what_is_below_a_loose_edge_is_accepted_and_told_apart():
    graph = Graph({"i": [], "a": ["i"], "b": ["i"], "m": ["b", "a"], "t": ["a"], "u": ["m", "t"]})
    walk = graph.walk("u", "i", accepted=["m"], fences={("m", "a"): Fence.LOOSE})
    assert graph.names(walk.new) == {"u", "t"}
    assert (walk.colour(graph.ids["a"]), walk.colour(graph.ids["b"])) == (Colour.LOOSE, Colour.ACCEPTED)


def test_a_date_that_lies_makes_an_accepted_commit_new_until_the_walk_has_settled():
    graph = Graph({"i": [], "x": ["i"], "y": ["x"], "m": ["y"], "t": ["x"], "u": ["m", "t"]}, {**DATED, "y": 1})
    walk = graph.walk("u", "i", accepted=["m"])
    assert graph.names(walk.new) == {"u", "t", "x"}
    walk.settle(1)
    assert graph.names(walk.new) == {"u", "t"}


def test_painting_on_until_a_commit_is_found():
    graph = Graph(LINE)
    walk = graph.walk("e", "a", accepted=["d"])
    assert walk.colour(graph.ids["b"]) is None
    assert walk.find(graph.ids["b"]) is Colour.ACCEPTED
    assert not walk.exhausted
    assert walk.find(b"x" * 20) is None
    assert walk.exhausted


DATED = {"i": 10, "x": 20, "y": 30, "m": 40, "t": 40, "u": 50}


def test_dates_that_lie_cannot_hide_a_commit():
    dates = {"a": 9, "b": 1, "c": 99, "d": 0, "e": 5}
    graph = Graph(LINE, dates)
    assert graph.names(graph.walk("e", "a").new) == {"b", "c", "d", "e"}


def test_an_ancestor_of_the_introduction_taken_for_new_is_taken_back():
    # The side branch is dated so that the walk meets the old root before the introduction's colour does.
    parents = {"r": [], "q": ["r"], "i": ["q"], "s": ["r"], "m": ["i", "s"]}
    graph = Graph(parents, {"r": 10_000, "q": 1, "i": 2, "s": 20_000, "m": 30_000})
    walk = graph.walk("m", "i")
    assert graph.names(walk.new) == {"m", "s", "r"}
    walk.exhaust()
    assert graph.names(walk.new) == {"m", "s"}


def test_a_missing_commit_is_named():
    graph = Graph(LINE)
    graph.absent.add(graph.ids["c"])
    with pytest.raises(MissingObject) as caught:
        graph.walk("e", "a")
    assert caught.value.object_id == graph.ids["c"]


def test_what_lies_below_the_introduction_may_be_missing():
    graph = Graph(LINE)
    graph.absent |= {graph.ids["a"], graph.ids["b"]}
    assert graph.names(graph.walk("e", "c").new) == {"d", "e"}


def test_exhausting_needs_all_of_the_history():
    graph = Graph({"z": [], "r": ["z"], "i": ["r"], "s": ["r"], "m": ["i", "s"]})
    graph.absent.add(graph.ids["z"])
    walk = graph.walk("m", "i")
    with pytest.raises(MissingObject):
        walk.exhaust()


def test_a_missing_commit_that_turns_out_covered_does_not_matter():
    graph = Graph({"r": [], "i": ["r"], "m": ["i", "r"]}, {"r": 5, "i": 4, "m": 9})
    graph.absent.add(graph.ids["r"])
    assert graph.names(graph.walk("m", "i").new) == {"m"}


def test_a_malformed_commit_ends_its_line():
    graph = Graph(LINE)
    graph._raw[graph.ids["d"]] = b"tree x\n"
    heads = []
    walk = Walk(graph, graph.ids["e"], graph.ids["a"])
    walk.run(lambda _commit, _raw, head, _date: heads.append(head))
    assert graph.names(walk.new) == {"d", "e"}
    assert isinstance(heads[1], MalformedCommit)


def test_an_object_of_another_kind_is_malformed():
    graph = Graph(LINE)
    blob = graph.ids["d"]
    read = graph.read
    graph.read = lambda object_id: ("blob", b"") if object_id == blob else read(object_id)
    with pytest.raises(MalformedCommit, match="is a blob"):
        read_commit(graph, blob)
    walk = graph.walk("e", "a")
    assert graph.names(walk.new) == {"d", "e"}
    assert not reaches(graph, graph.ids["e"], graph.ids["a"])


def test_reaches():
    graph = Graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    ids = graph.ids
    assert reaches(graph, ids["d"], ids["d"])
    assert reaches(graph, ids["d"], ids["a"])
    assert not reaches(graph, ids["b"], ids["c"])
    graph.absent.add(ids["a"])
    assert reaches(graph, ids["d"], ids["c"])
    with pytest.raises(MissingObject):
        reaches(graph, ids["b"], ids["c"])


@st.composite
def graphs(draw):
    size = draw(st.integers(2, 9))
    names = [f"n{i}" for i in range(size)]
    parents = {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=3)) if at else []
        for at, name in enumerate(names)
    }
    dates = {name: draw(st.integers(0, 12)) for name in names}
    return Graph(parents, dates), parents, draw(st.sampled_from(names)), draw(st.sampled_from(names))


def closure(parents, name):
    found, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += parents[name]
    return found


@settings(max_examples=300)
@given(graphs())
def test_exactly_what_the_tip_reaches_beyond_the_introduction(drawn):
    graph, parents, tip, introduction = drawn
    walk = graph.walk(tip, introduction)
    expected = closure(parents, tip) - closure(parents, introduction)
    assert graph.names(walk.new) >= expected
    assert graph.names(walk.new) - expected <= closure(parents, introduction)
    walk.exhaust()
    assert graph.names(walk.new) == expected
    assert all(walk.new[graph.ids[n]] == tuple(graph.ids[p] for p in parents[n]) for n in expected)
    assert reaches(graph, graph.ids[tip], graph.ids[introduction]) == (introduction in closure(parents, tip))


def painted(parents, introduction, accepted, fences):
    """Colours by their definition, from the floor's commits down until nothing changes."""
    given_ = closure(parents, introduction)
    colours = dict.fromkeys(given_, Colour.GIVEN)
    todo = [(name, Colour.ACCEPTED) for name in accepted]
    while todo:
        name, colour = todo.pop()
        if colours.get(name, Colour.NEW) >= colour:
            continue
        colours[name] = colour
        for parent in parents[name]:
            fence = fences.get((name, parent))
            if fence is not Fence.DROPPED:
                beyond = {Fence.SIDE: Colour.ASIDE, Fence.LOOSE: Colour.LOOSE}.get(fence, Colour.ACCEPTED)
                todo.append((parent, min(colour, beyond)))
    return colours


@settings(max_examples=300)
@given(graphs(), st.data())
def test_every_commit_has_the_colour_that_the_marks_and_fences_give_it(drawn, data):
    graph, parents, tip, introduction = drawn
    accepted = data.draw(st.sets(st.sampled_from(sorted(parents)), max_size=2))
    edges = [(child, parent) for child in parents for parent in parents[child]]
    fences = data.draw(st.dictionaries(st.sampled_from(edges), st.sampled_from(Fence))) if edges else {}
    walk = graph.walk(tip, introduction, accepted=sorted(accepted), fences=fences)
    expected = painted(parents, introduction, accepted, fences)
    for name in parents:
        assert (walk.colour(graph.ids[name]) or Colour.NEW) <= expected.get(name, Colour.NEW)
    walk.exhaust()
    for name in parents:
        if name in expected:
            assert walk.colour(graph.ids[name]) is expected[name]
    new = closure(parents, tip) - expected.keys()
    assert graph.names(walk.new) <= new
    reached, todo = set(), [tip]
    while todo:
        name = todo.pop()
        if name in new and name not in reached:
            reached.add(name)
            todo += parents[name]
    assert graph.names(walk.new) >= reached
