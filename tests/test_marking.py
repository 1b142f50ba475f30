"""What an accepted history is remembered by, against the definitions (R23, R26, R27)."""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from rules.world import Evidence, parent, policy, ssh

from gitverify.marking import Marking
from gitverify.objects.tree import TreeEntry
from gitverify.request import MAX_FUTURE, Floor
from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized, CommitFacts, Examined, Refusal, Unproven, Voucher
from gitverify.walk import Colour, Fence

POLICY = policy("alice", "bob", editors=["alice"])
VOUCHER = (Voucher("alice", ssh("alice"), ssh("alice")),)


class History:
    """A judgement that has run, and its walk; commits are letters, parents first, and ``i`` is the introduction.

    ``commits`` maps new ones to (parents, policy file, signer): the signer vouches, and alice is an editor.
    """

    introduction = b"i"
    is_native = True
    adopts = True

    def __init__(self, commits, *, refused=(), side=(), old=None, dates=None):
        self.parents_of = {c: tuple(bytes([p]) for p in parents) for c, (parents, _, _) in commits.items()}
        self.order = list(commits)
        self.files = {c: file for c, (_, file, _) in commits.items()}
        self.signers = {c: signer for c, (_, _, signer) in commits.items()}
        self.side = side
        self.colours = {b"i": Colour.GIVEN, **(old or {})}
        self.dates = dates or {}
        self.decisions = {
            c: Refusal(c, "R8", "unsigned", "it is not signed")
            if c in refused
            else Authorized("R17", VOUCHER if self.signers[c] else ())
            for c in commits
        }
        self.marking = Marking(self, self, Evidence())

    def colour(self, commit):
        return self.colours.get(commit, Colour.NEW if commit in self.decisions else None)

    def is_authentic(self, commit):
        return isinstance(self.decisions[commit], Authorized) if commit in self.decisions else commit in self.colours

    def standing(self, commit):
        return Standing.SIDE if commit in self.side else Standing.MAIN

    def facts(self, commit):
        signer = self.signers.get(commit)
        signed = {"key": ssh(signer)} if signer else {"unproven": Unproven("unsigned", "it is not signed")}
        entry = TreeEntry(b"100644", bytes([self.files.get(commit, 1)]) * 20)
        return CommitFacts(commit, commit * 20, (), self.dates.get(commit, 0), Examined(entry, **signed))

    def parent(self, commit):
        return parent(POLICY, name=commit, entry=self.facts(commit).examined.entry)

    def accepted(self):
        return [self.facts(c) for c, decision in self.decisions.items() if isinstance(decision, Authorized)]

    # The definitions.

    def binding(self, commit):
        if not isinstance(self.decisions.get(commit), Authorized):
            return []
        same = self.files[commit]
        return [
            p
            for p in self.parents_of[commit]
            if self.is_authentic(p) and (self.files.get(p, 1) == same or self.signers[commit] == "alice")
        ]

    def reached(self, commit):
        return {commit}.union(*(self.reached(p) for p in self.binding(commit)))

    def newest_vouched(self, tip):
        vouched = {c for c in self.reached(tip) if c == b"i" or self.signers[c]}
        return {c for c in vouched if not any(c in self.reached(other) for other in vouched - {c})}


@st.composite
def histories(draw):
    names = [bytes([letter]) for letter in b"abcdef"[: draw(st.integers(1, 6))]]
    commits = {}
    for at, name in enumerate(names):
        parents = draw(st.lists(st.sampled_from(b"i" + b"".join(names[:at])), min_size=1, max_size=2, unique=True))
        signer = draw(st.sampled_from(["", "alice", "bob"]))
        commits[name] = parents, draw(st.sampled_from([1, 1, 2])), signer
    refused = draw(st.sets(st.sampled_from(names), max_size=1))
    return History(commits, refused=refused, side=draw(st.sets(st.sampled_from(names), max_size=1)))


@settings(max_examples=300)
@given(histories())
def test_over_binding_edges_as_defined(history):
    everything = (b"i", *history.order)
    reaching = history.marking.reaching(everything)
    for tip in history.order:
        assert (tip in reaching) is history.is_authentic(tip)
        if history.is_authentic(tip):
            assert list(history.marking.binding_parents(tip)) == history.binding(tip)
            reached = history.reached(tip)
            assert {c for at, c in enumerate(everything) if reaching[tip] >> at & 1} == reached
            assert set(history.marking.missing(tip, everything)) == set(everything) - reached
            assert history.marking.missing(tip, (tip, tip)) == []
            assert all((history.marking.missing(tip, (c,)) == []) is (c in reached) for c in everything)
            newest = history.newest_vouched(tip)
            event(f"{len(newest)} newest")
            assert history.marking._newest_vouched(tip, Floor()) == newest


@settings(max_examples=300)
@given(histories(), st.data())
def test_the_newest_that_is_authentic_as_defined(history, data):
    floor = tuple(data.draw(st.sets(st.sampled_from([b"i", *history.order]), max_size=2)))
    for tip in history.order:
        line = [tip]
        while line[-1] != b"i":
            line.append(history.parents_of[line[-1]][0])
        fine = (
            c
            for c in line
            if history.is_authentic(c) and history.standing(c) is Standing.MAIN and history.reached(c).issuperset(floor)
        )
        assert history.marking.newest_authentic(tip, floor) == next(fine, None)


def test_nobody_is_newest_where_the_line_ends():
    history = History({b"a": (b"", 1, "alice"), b"b": (b"a", 1, "alice")}, side=b"a", refused=[b"b"])
    history.side = (b"a",)
    assert history.marking.newest_authentic(b"b", ()) is None


def test_the_mark_of_what_was_accepted():
    history = History({b"a": (b"i", 1, "alice"), b"b": (b"ai", 1, "")}, dates={b"a": 7, b"b": 4})
    before = Floor(accepted=10, fences={(b"x", b"y"): Fence.LOOSE}, freshness={"k": 3}, skew=2)
    assert history.marking.mark(b"b", before, now=100) == Floor(
        commits=(b"a",),
        trusted=True,
        fences={(b"x", b"y"): Fence.LOOSE},
        accepted=12,
        freshness={"k": 3, ssh("alice"): 7},
        skew=3,
    )
    history.is_native = False
    assert history.marking.mark(b"b", before, now=100).skew == 0


def test_several_commits_of_a_mark_are_sorted_and_those_aside_are_named():
    commits = {b"b": (b"i", 1, "alice"), b"a": (b"i", 1, "alice"), b"m": (b"ba", 1, "")}
    mark = History(commits, side=(b"a",)).marking.mark(b"m", Floor(), now=0)
    assert (mark.commits, mark.aside) == ((b"a", b"b"), {b"a"})
    assert mark.fences == {(b"m", b"a"): Fence.SIDE}


@pytest.mark.parametrize(
    ("colour", "known", "expected"),
    [
        (Colour.ACCEPTED, True, {b"o"}),
        (Colour.LOOSE, True, {b"o"}),
        (Colour.ACCEPTED, False, set()),
        (Colour.GIVEN, False, set()),
        (Colour.LOOSE, False, None),
        (Colour.ASIDE, False, None),
    ],
)
def test_what_an_earlier_run_accepted(colour, known, expected):
    floor = Floor(commits=(b"o",) if known else ())
    history = History({b"a": (b"o", 1, "")}, old={b"o": colour})
    assert history.marking._newest_vouched(b"a", floor) == expected
    assert (history.marking.mark(b"a", floor, now=0) is None) is (expected is None)
    vouched = History({b"a": (b"o", 1, "bob"), b"b": (b"a", 1, "")}, old={b"o": colour})
    assert vouched.marking._newest_vouched(b"b", floor) == {b"a"}
    unreached = History({b"a": (b"o", 2, ""), b"b": (b"ai", 2, "")}, old={b"o": colour})
    assert unreached.marking._newest_vouched(b"b", floor) == set()


def test_a_commit_of_the_mark_that_is_judged_anew_is_as_any_other():
    history = History({b"a": (b"i", 1, ""), b"b": (b"a", 1, "")})
    assert history.marking._newest_vouched(b"b", Floor(commits=(b"a",))) == {b"i"}


def test_where_nothing_is_new():
    history = History({}, old={b"o": Colour.ACCEPTED})
    assert history.marking._newest_vouched(b"o", Floor(commits=(b"o",))) == {b"o"}
    assert history.marking._newest_vouched(b"i", Floor()) == {b"i"}


def test_edges_that_are_set_apart():
    """Only merges have such: what is dropped, what is on the side, and what binds nobody."""
    commits = {
        b"a": (b"i", 1, ""),
        b"b": (b"i", 2, "alice"),
        b"r": (b"i", 1, ""),
        b"s": (b"", 1, "alice"),
        b"t": (b"s", 1, "alice"),
        b"d": (b"ar", 1, "alice"),
        b"l": (b"ab", 1, "bob"),
        b"e": (b"ab", 1, "alice"),
        b"j": (b"as", 1, "alice"),
        b"u": (b"st", 2, "bob"),
        b"z": (b"ab", 1, "bob"),
        b"o": (b"a", 2, "bob"),
    }
    history = History(commits, refused=(b"r", b"z"), side=(b"s", b"t", b"u"))
    assert dict(history.marking._fences()) == {
        (b"d", b"r"): Fence.DROPPED,
        (b"l", b"b"): Fence.LOOSE,
        (b"j", b"s"): Fence.SIDE,
    }


def test_freshness_is_the_newest_date_of_each_key_that_is_not_in_the_future():
    """R26."""
    commits = {
        b"a": (b"i", 1, "alice"),
        b"b": (b"a", 1, "alice"),
        b"c": (b"b", 1, "bob"),
        b"d": (b"c", 1, ""),
        b"e": (b"d", 1, "carol"),
        b"f": (b"e", 1, "dave"),
    }
    now = 1000
    dates = {b"a": 20, b"b": 10, b"c": 5, b"d": 50, b"e": now + MAX_FUTURE, b"f": now + MAX_FUTURE + 1}
    history = History(commits, dates=dates)
    before = {ssh("bob"): 6, "old": 1}
    assert history.marking._freshness(b"f", Floor(freshness=before), now) == {
        **before,
        ssh("alice"): 20,
        ssh("carol"): now + MAX_FUTURE,
    }
    assert before == {ssh("bob"): 6, "old": 1}
    assert History({b"a": (b"i", 1, "alice")}).marking._freshness(b"a", Floor(), 0) == {ssh("alice"): 0}
    left_out = {b"a": (b"i", 1, "alice"), b"b": (b"a", 1, "bob"), b"c": (b"b", 1, ""), b"d": (b"ac", 1, "alice")}
    history = History(left_out, refused=(b"c",), dates={b"d": 3})
    assert history.marking._freshness(b"d", Floor(), 0) == {ssh("alice"): 3}  # b is authentic, and d does not reach it
    aside = {b"a": (b"i", 1, "alice"), b"b": (b"", 1, "bob"), b"c": (b"ab", 1, "alice")}
    history = History(aside, side=(b"b",), dates={b"b": 9})
    assert history.marking._freshness(b"c", Floor(), 0) == {ssh("alice"): 0}
    assert History(aside, dates={b"b": 9}).marking._freshness(b"c", Floor(), 9) == {ssh("alice"): 0, ssh("bob"): 9}
    later = History({b"a": (b"i", 1, "bob")}, dates={b"a": 7})
    assert later.marking._freshness(b"a", Floor(freshness=before), now)[ssh("bob")] == 7


@pytest.mark.parametrize(
    ("dates", "refused", "before", "skew"),
    [
        ({b"a": 10, b"b": 20, b"c": 30}, (), 0, 0),
        ({b"a": 30, b"b": 20, b"c": 25}, (), 0, 10),
        ({b"a": 30, b"b": 31, b"c": 25}, (), 0, 6),
        ({b"a": 30, b"b": 20, b"c": 5}, (), 0, 25),
        ({b"a": 30, b"b": 20, b"c": 25}, (), 40, 40),
        ({b"a": 30, b"b": 20, b"c": 25}, (b"b",), 3, 3),
        ({b"i": 90, b"a": 30, b"b": 40, b"c": 50}, (), 0, 0),
    ],
)
def test_skew_is_by_how_much_an_ancestor_was_ever_dated_later(dates, refused, before, skew):
    commits = {b"a": (b"i", 1, "alice"), b"b": (b"a", 1, "alice"), b"c": (b"b", 1, "alice")}
    assert History(commits, refused=refused, dates=dates).marking._skew(before) == skew


def test_skew_of_what_comes_after_a_refusal():
    commits = {b"a": (b"i", 1, "alice"), b"r": (b"a", 1, ""), b"b": (b"a", 1, "alice")}
    assert History(commits, refused=(b"r",), dates={b"a": 30, b"r": 1, b"b": 20}).marking._skew(0) == 10


@pytest.mark.parametrize(("colour", "skew"), [(Colour.ACCEPTED, 15), (Colour.ASIDE, 15), (Colour.GIVEN, 5)])
def test_skew_counts_what_an_earlier_run_accepted_with_what_was_known_then(colour, skew):
    history = History({b"a": (b"o", 1, "alice")}, old={b"o": colour}, dates={b"o": 20, b"a": 10})
    assert history.marking._skew(5) == skew
    assert History({b"a": (b"x", 1, "alice")}, dates={b"x": 20, b"a": 10}).marking._skew(5) == 5
