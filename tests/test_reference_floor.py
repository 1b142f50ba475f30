"""The reference by hand: what an accepted tip must not take back (R23 to R27)."""

from __future__ import annotations

import pytest
import reference
from reference import DAY, Question
from stories import ALICE, ALICE_BOB, AUTHENTIC, UNSIGNED, Story, limited, policy, refused


def forked():
    return Story(None).add("old").add("intro", "old", policy=ALICE).add("a", "intro").add("b", "a").add("c", "a")


@pytest.mark.parametrize(
    ("tip", "marks", "answer"),
    [
        ("b", {"a"}, AUTHENTIC),
        ("b", {"b"}, AUTHENTIC),
        ("b", {"intro", "a"}, AUTHENTIC),
        ("a", {"b"}, refused("behind")),
        ("intro", {"b", "c"}, refused("behind")),
        ("c", {"b"}, refused("rollback")),
        ("c", {"a", "b"}, refused("rollback")),
        ("c", {"elsewhere"}, refused("rollback")),
        ("a", {"b", "elsewhere"}, refused("behind")),
    ],
)
def test_r23_tip_reaches_the_marks(tip, marks, answer):
    assert forked().ask(tip, marks=frozenset(marks)) == answer


@pytest.mark.parametrize(
    ("tip", "contains", "answer"),
    [
        ("b", {"a"}, AUTHENTIC),
        ("b", {"old"}, AUTHENTIC),
        ("b", {"old", "intro", "a", "b"}, AUTHENTIC),
        ("b", {"a", "c"}, refused("not-contained")),
        ("b", {"elsewhere"}, refused("not-contained")),
    ],
)
def test_r23b_tip_contains_what_is_known_to_be_good(tip, contains, answer):
    assert forked().ask(tip, contains=frozenset(contains)) == answer


def test_commit_refusals_come_before_the_floor():
    story = forked().spoil("c", signature=UNSIGNED)
    assert story.ask("c", marks=frozenset({"b"}), contains=frozenset({"b"}), max_age=0) == refused(c="unsigned")
    told = forked().ask("c", marks=frozenset({"b"}), contains=frozenset({"b"}), max_age=0, now=9)
    assert told == refused("rollback", "not-contained", "stale")


@pytest.mark.parametrize(
    ("dates", "max_age", "answer"),
    [
        ((0, 90), 10, AUTHENTIC),
        ((0, 89), 10, refused("stale")),
        ((95, 0), 10, AUTHENTIC),  # any accepted commit counts, not the tip alone
        ((0, 100 + DAY), 10, AUTHENTIC),
        ((0, 101 + DAY), 10, refused("stale")),  # from the future
        ((0, 101 + DAY), None, AUTHENTIC),
    ],
)
def test_r26_age_of_the_newest_commit(dates, max_age, answer):
    story = Story().add("a", "intro", date=dates[0]).add("b", "a", date=dates[1])
    assert story.ask(max_age=max_age, now=100) == answer


def test_r26_signer_must_be_a_person_of_the_tips_policy():
    story = Story(ALICE_BOB).add("a", "intro", by="bob", date=100).add("b", "a", policy=ALICE)
    assert story.ask("a", max_age=10, now=100) == AUTHENTIC
    assert story.ask("b", max_age=10, now=100) == refused("stale")


def test_r26_introduction_counts_and_what_it_reaches_does_not():
    story = Story(None).add("old", date=100).add("intro", "old", policy=ALICE, date=50)
    assert story.ask(max_age=50, now=100) == AUTHENTIC
    assert story.ask(max_age=49, now=100) == refused("stale")


def test_r26_without_a_signed_commit_is_stale():
    story = Story().spoil("intro", signature=UNSIGNED, date=100)
    assert story.ask() == AUTHENTIC
    assert story.ask(max_age=10, now=100) == refused("stale")


# --- binding edges and marks ----------------------------------------------------------------------------------

MERGING = {"unsigned_merges": True}
OPEN = policy("alice", unprotected=(b"free/",), **MERGING)


def mark(story, tip=None):
    return reference.r23_mark(story.known(), tip or list(story.history)[-1])


def test_r23_mark_stands_on_the_newest_vouched_commit():
    story = Story(OPEN).add("a", "intro", x=b"1\n")
    assert mark(story) == {"a"}
    story.add("junk", "a", by=UNSIGNED, **{"free/x": b"1\n"})
    assert story.ask() == AUTHENTIC
    assert mark(story) == {"a"}
    assert mark(story, "intro") == {"intro"}
    assert mark(story.spoil("intro", signature=UNSIGNED), "intro") == {"intro"}


def test_r23_mark_of_an_unsigned_merge_stands_on_both_sides():
    story = Story(OPEN).add("a", "intro", x=b"1\n").add("b", "intro", y=b"1\n")
    story.add("m", "a", "b", by=UNSIGNED, y=b"1\n")
    assert story.ask() == AUTHENTIC
    assert mark(story) == {"a", "b"}
    assert story.ask(marks=frozenset({"a", "b"})) == AUTHENTIC
    assert story.ask("a", marks=frozenset({"a", "b"})) == refused("rollback")
    assert mark(story.add("n", "m", z=b"1\n")) == {"n"}
    assert story.ask("m", marks=frozenset({"n"})) == refused("behind")


def abandoned(by=UNSIGNED):
    """Somebody with the right to has drafted a policy, and the server merges it."""
    drafted = policy("alice", "mallory", limited("bob", "b/"), **MERGING)
    story = Story(policy("alice", limited("bob", "b/"), **MERGING)).add("a", "intro", x=b"1\n")
    return story.add("draft", "intro", policy=drafted).add("m", "a", "draft", by=by, policy=drafted)


def test_r23_policy_does_not_authorise_its_own_arrival():
    story = abandoned()
    assert story.ask() == AUTHENTIC
    assert mark(story) == {"draft"}
    assert story.ask(marks=frozenset({"draft", "intro"})) == AUTHENTIC
    assert story.ask(marks=frozenset({"a"})) == refused("rollback")
    assert story.ask(contains=frozenset({"a"})) == refused("not-contained")


def test_r23_editor_of_the_policy_that_was_in_force_lets_another_one_in():
    assert abandoned(by="alice").ask(marks=frozenset({"a"}), contains=frozenset({"a"})) == AUTHENTIC
    assert mark(abandoned(by="alice")) == {"m"}
    assert mark(abandoned(by="bob")) == {"m"}  # whom both policies list
    for by in ("bob", "mallory"):
        assert abandoned(by=by).ask() == AUTHENTIC
        assert abandoned(by=by).ask(marks=frozenset({"a"})) == refused("rollback")


def test_r23_what_follows_on_such_a_merge_does_not_help():
    story = abandoned().add("n", "m", by="mallory", x=b"2\n")
    assert story.ask() == AUTHENTIC
    assert story.ask(marks=frozenset({"a"})) == refused("rollback")
    assert story.ask("a", marks=frozenset({"n"})) == refused("behind")


def test_r23_behind_and_rollback_are_told_apart_over_authentic_edges():
    story = Story(policy("alice", adopting_merges=True)).add("a", "intro").add("b", "intro")
    story.add("junk", "a", by=UNSIGNED, x=b"1\n").add("m", "b", "junk")
    assert story.ask() == AUTHENTIC
    assert story.ask("a", marks=frozenset({"m"})) == refused("rollback")  # m has dropped the edge to it
    assert story.ask("b", marks=frozenset({"m"})) == refused("behind")


def test_r23b_below_the_introduction_every_edge_binds():
    story = Story(None).add("old").add("intro", "old", policy=ALICE, by=UNSIGNED)
    assert story.ask(contains=frozenset({"old"})) == AUTHENTIC
    assert story.ask(contains=frozenset({"nowhere"})) == refused("not-contained")


def test_r26_commits_that_are_not_authentic_do_not_count():
    story = Story(policy("alice", adopting_merges=True)).add("junk", "intro", by=UNSIGNED, x=b"1\n")
    story.add("fresh", "junk", date=100).add("m", "intro", "fresh", date=1)
    assert story.ask(max_age=99, now=100) == AUTHENTIC
    assert story.ask(max_age=98, now=100) == refused("stale")


# --- R27 ------------------------------------------------------------------------------------------------------


def newest(story, tip, *marks):
    return reference.newest_authentic(story.known(), Question("intro", tip, marks=frozenset(marks)))


def test_r27_newest_authentic_commit_on_the_first_parent_line():
    story = Story().add("a", "intro").add("b", "a").add("side", "a").add("c", "b", "side", by=UNSIGNED)
    story.add("d", "c")
    assert newest(story, "d") == "b"
    assert newest(story, "d", "a") == "b"
    assert newest(story, "d", "side") is None
    assert newest(story, "side") == "side"


def test_r27_looks_further_down_for_one_that_satisfies_the_mark():
    story = abandoned().add("junk", "m", by=UNSIGNED, x=b"3\n")
    assert newest(story, "junk") == "m"
    assert newest(story, "junk", "a") == "a"
    assert newest(story, "junk", "nowhere") is None


def test_r27_passes_what_does_not_descend_from_the_introduction():
    story = Story(None).add("old").add("intro", "old", policy=ALICE).add("s", "old", x=b"1\n")
    assert newest(story.add("junk", "s", by=UNSIGNED, x=b"2\n"), "junk") is None
    assert newest(story.add("m", "intro", "s", x=b"1\n").add("n", "m", by=UNSIGNED, x=b"2\n"), "n") == "m"
