"""The reference by hand: beside the introduction (R21), and the Guix and OpenSSH dialects (R22, R22b)."""

from __future__ import annotations

import pytest
from reference import Entry, Listing, RefPerson, RefSignature
from stories import ALICE, ALICE_BOB, AUTHENTIC, BROKEN, INHERITED, STANDINGS, Story, person, policy, refused

# --- R21: beside the introduction -----------------------------------------------------------------------------


def beside(**options):
    """A history with a side commit ``s`` that was forked off before the introduction, merged into ``m``."""
    story = Story(None).add("old", by=RefSignature()).add("intro", "old", policy=ALICE)
    return story.add("s", "old", x=b"1\n", **options).add("m", "intro", "s")


def test_r21_side_commit_is_judged_by_the_introductions_policy():
    assert beside().ask() == AUTHENTIC
    assert beside(by=RefSignature()).ask() == refused("unsigned", s="unsigned", m="parent-not-authentic")
    assert beside(by="bob").ask() == refused("unauthorized-key", s="unauthorized-key", m="parent-not-authentic")
    assert beside(policy=ALICE).ask() == refused(
        "policy-unauthorized", s="policy-unauthorized", m="parent-not-authentic"
    )


def test_r21_side_commit_keeps_the_policy_file_that_it_found():
    def told(policy):
        story = Story(None).add("old", policy=BROKEN).add("intro", "old", policy=ALICE)
        return story.add("s", "old", policy=policy).add("m", "intro", "s").ask()

    bad = refused("policy-unauthorized", s="policy-unauthorized", m="parent-not-authentic")
    assert told(BROKEN) == AUTHENTIC
    assert told(None) == bad
    assert told(ALICE) == bad


def unrelated(dialect, first):
    """A history whose introduction has two roots below it, one with the file ``first``, and a merge of them beside."""
    story = Story(None, dialect).add("one", policy=first).add("other").add("intro", "one", "other", policy=ALICE)
    return story.add("s", "one", "other").add("m", "intro", "s")


def test_r21_side_merge_keeps_one_of_the_files_that_it_found():
    story = unrelated("openssh", BROKEN)
    assert story.ask() == AUTHENTIC
    story.spoil("s", tree=story.history["other"].tree)
    assert story.ask() == AUTHENTIC
    story.spoil("s", tree=story.history["intro"].tree)
    assert story.ask()[2] == {"s": "policy-unauthorized", "m": "parent-not-authentic"}


def test_r21_side_merge_keeps_the_file_of_all_parents_or_the_one_that_changed():
    told = {first: unrelated("native", first).ask()[2] for first in (BROKEN, ALICE)}
    assert all(codes == {"s": "policy-unauthorized", "m": "parent-not-authentic"} for codes in told.values())
    story = unrelated("native", BROKEN)
    story.spoil("other", tree=story.history["one"].tree)
    assert story.ask() == AUTHENTIC
    story.spoil("other", parents=("one",), tree={b"keep": Entry(b"1\n")}).spoil("s", tree={b"keep": Entry(b"1\n")})
    assert story.ask() == AUTHENTIC  # other has removed the file
    story.spoil("s", tree=story.history["one"].tree)
    assert story.ask()[2] == {"s": "policy-unauthorized", "m": "parent-not-authentic"}


def test_r21_standing_on_the_side_is_the_introductions():
    story = Story(None).add("old").add("intro", "old", policy=STANDINGS).add("s", "old", by="editor")
    story.add("m", "intro", "s")
    assert story.ask() == AUTHENTIC  # nothing changed on the side
    story.spoil("s", tree={b"x": Entry(b"1\n")})
    assert story.ask()[2] == {"s": "unauthorized-path", "m": "parent-not-authentic"}
    story.spoil("s", signature=RefSignature("good", "grantee"))
    assert story.ask() == AUTHENTIC


@pytest.mark.parametrize("dialect", ["native", "openssh"])
def test_r21_root_commit_on_the_side(dialect):
    story = Story(dialect=dialect).add("root").add("m", "intro", "root")
    assert story.ask() == AUTHENTIC
    assert story.ask("root") == refused("not-descendant")
    story.spoil("root", tree=story.history["intro"].tree)
    assert story.ask()[2] == {"root": "policy-unauthorized", "m": "parent-not-authentic"}
    story.spoil("root", tree={b"keep": Entry(b"1\n")}, signature=RefSignature())
    assert story.ask()[2] == {"root": "unsigned", "m": "parent-not-authentic"}


def test_r21_root_commit_changes_all_that_it_holds():
    story = Story(STANDINGS).add("root", by="grantee").add("m", "intro", "root")
    assert story.ask() == AUTHENTIC
    story.spoil("root", signature=RefSignature("good", "editor"))
    assert story.ask()[2] == {"root": "unauthorized-path", "m": "parent-not-authentic"}


def test_r21_side_parent_of_a_merge_stands_under_the_introductions_policy():
    story = Story(None, "openssh").add("old").add("intro", "old", policy=ALICE_BOB)
    story.add("a", "intro", policy=policy("carol", "bob"))
    story.add("m", "a", "old", by="bob")  # an ancestor of the introduction as a parent
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "carol"))
    assert story.ask() == refused(m="unauthorized-key")
    story.spoil("m", parents=("a",))
    assert story.ask() == AUTHENTIC


def test_r21_side_parent_does_not_govern():
    first = policy("alice", person("grantee", editor=False))
    story = Story(None).add("old").add("intro", "old", policy=first).add("m", "intro", "old", by="grantee")
    assert story.ask() == AUTHENTIC  # of the two the introduction changed the file
    story.spoil("intro", tree={**story.history["intro"].tree}).spoil("old", tree=story.history["intro"].tree)
    story.add("gone", "old", policy=None, by="alice")
    assert story.add("n", "intro", "gone").ask("n")[2]["gone"] == "policy-unauthorized"


# --- R22: the Guix dialect ------------------------------------------------------------------------------------


def guix_beside(old_policy, historical=(), **options):
    story = Story(None, "guix").add("root").add("old", "root", policy=old_policy or INHERITED)
    story.add("intro", "old", policy=policy("alice", "bob")).add("s", "old", **options).add("m", "intro", "s")
    return story.ask(historical=frozenset(historical))


def test_r22_side_commit_is_judged_by_its_parents_files():
    assert guix_beside(policy("alice", "carol")) == AUTHENTIC
    assert guix_beside(policy("alice", "carol"), by="carol") == AUTHENTIC
    assert guix_beside(policy("alice", "carol"), by="bob")[2]["s"] == "unauthorized-key"
    assert guix_beside(policy("alice", "carol"), by="carol", policy=policy("alice", "mallory")) == AUTHENTIC


def test_r22_side_commit_without_a_file_is_judged_by_the_historical_list():
    assert guix_beside(None)[2]["s"] == "unauthorized-key"
    assert guix_beside(None, {"alice"}) == AUTHENTIC
    assert guix_beside(None, {"carol"})[2]["s"] == "unauthorized-key"


def test_r22_side_commit_may_not_remove_or_break_the_file():
    assert guix_beside(ALICE, {"alice"}, policy=None)[2]["s"] == "policy-missing"
    assert guix_beside(ALICE, {"alice"}, policy=None, **{".gitsigners": b"1\n"})[2]["s"] == "dialect-changed"
    assert guix_beside(ALICE, {"alice"}, policy=BROKEN)[2]["s"] == "policy-invalid"
    assert guix_beside(BROKEN, {"alice"}, policy=ALICE)[2]["s"] == "policy-invalid"


def test_r22_side_merge_may_not_drop_the_file_of_any_parent():
    story = Story(None, "guix").add("one", policy=ALICE).add("other").add("intro", "one", "other", policy=ALICE)
    story.add("s", "one", "other").add("m", "intro", "s")
    historical = frozenset({"alice"})
    assert story.ask(historical=historical) == AUTHENTIC
    story.spoil("s", tree=story.history["other"].tree)
    assert story.ask(historical=historical)[2] == {"s": "policy-missing", "m": "parent-not-authentic"}


def test_r22_root_commit_on_the_side_is_judged_by_the_historical_list():
    story = Story(dialect="guix").add("root", policy=ALICE).add("m", "intro", "root")
    assert story.ask(historical=frozenset({"alice"})) == AUTHENTIC
    assert story.ask()[2] == {"root": "unauthorized-key", "m": "parent-not-authentic"}


def test_r22_merge_with_a_side_parent_is_judged_by_that_parents_file():
    def told(old_policy, historical):
        story = Story(None, "guix").add("old", policy=old_policy).add("intro", "old", policy=ALICE_BOB)
        return story.add("m", "intro", "old").ask(historical=frozenset(historical))

    assert told(INHERITED, {"alice"}) == AUTHENTIC
    assert told(INHERITED, {"bob"}) == refused(m="unauthorized-key")
    assert told(ALICE, ()) == AUTHENTIC
    assert told(policy("bob"), ()) == refused(m="unauthorized-key")


def test_r22_parent_without_the_file_whose_own_parent_had_it():
    story = Story(None, "guix").add("older", policy=ALICE).add("old", "older", policy=None)
    story.add("intro", "old", policy=ALICE).add("m", "intro", "old")
    historical = frozenset({"alice"})
    assert story.ask(historical=historical) == refused(m="policy-missing")
    story.spoil("older", tree=story.history["old"].tree)
    assert story.ask(historical=historical) == AUTHENTIC


# --- R22b: the OpenSSH dialect --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({}, ""),
        ({"after": 100}, ""),
        ({"after": 101}, "unauthorized-key"),
        ({"before": 100}, ""),
        ({"before": 99}, "expired-key"),
        ({"after": 99, "before": 101}, ""),
        ({"for_git": False}, "unauthorized-key"),
    ],
)
def test_r22b_entry_in_force_at_the_committer_date(window, code):
    story = Story(policy("alice", person("bob", **window)), "openssh").add("a", "intro", by="bob", date=100)
    assert story.ask() == (refused(a=code) if code else AUTHENTIC)
    story.spoil("a", signature=RefSignature("bad", "bob"))
    assert story.ask() == refused(a="bad-signature")


def test_r22b_any_of_the_people_who_list_a_key_may_vouch():
    lapsed, valid = person("bob", before=50), RefPerson("robert", (Listing("bob", after=50),))
    told = {people: Story(policy("alice", *people), "openssh") for people in [(lapsed,), (lapsed, valid)]}
    answers = [story.add("a", "intro", by="bob", date=100).ask() for story in told.values()]
    assert answers == [refused(a="expired-key"), AUTHENTIC]


@pytest.mark.parametrize(("window", "answer"), [((5, 6), AUTHENTIC), ((5, 5), "policy-invalid")])
def test_r22b_window_that_is_empty_breaks_the_file(window, answer):
    later = policy("alice", person("bob", after=window[0], before=window[1]))
    told = Story(dialect="openssh").add("a", "intro", policy=later).ask()
    assert told == (answer if answer is AUTHENTIC else refused(a=answer))


def test_r22b_file_with_no_entry_for_git_is_a_lockout():
    for_files = policy(person("alice", for_git=False))
    assert Story(dialect="openssh").add("a", "intro", policy=for_files).ask() == refused(a="policy-lockout")
    both = policy(RefPerson("alice", (Listing("alice", for_git=False), Listing("laptop"))))
    assert Story(dialect="openssh").add("a", "intro", policy=both).ask() == AUTHENTIC
