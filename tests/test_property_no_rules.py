"""What an accepted tip holds was changed by those who might, as far as anyone knew before: see property_no_rules."""

from __future__ import annotations

import sys
from collections import Counter

import histories
import pytest
import reference
from histories.contents import text
from hypothesis import HealthCheck, event, given, settings
from property_no_rules import Hole, holes
from reference import floor, native
from stories import GONE, UNSIGNED, Story
from test_reference_merges import TEAM, WITHOUT_BOB, crossed, good, parted, removed


def known_of(case):
    world = reference.anchored(case.history, case.question)
    return reference.decide_all(world) if isinstance(world, reference.World) else None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=histories.cases(paths=True))
def test_whatever_an_accepted_tip_holds_is_answered_for(case):
    known = known_of(case)
    if known is not None:
        event(f"{len(known.decisions)} commits")
        assert not list(holes(known))


def test_the_same_of_histories_that_are_always_the_same():
    seen = Counter()
    for seed in range(600):
        known = known_of(histories.draw_case(histories.seeded(seed), ("native",), paths=True))
        if known is not None:
            seen.update(decision.rule for decision in known.decisions.values())
            assert not list(holes(known)), f"seed {seed}"
    assert min(seen[rule] for rule in ("R17", "R18", "R19", "R20", "R21")) > 20


def clean():
    story = Story(TEAM).add("start", "intro", x=text((0, 0))).add("a", "start", x=text((1, 0)))
    return story.add("b", "start", x=text((0, 1))).add("m", "a", "b", by=UNSIGNED, x=text((1, 1)))


def everything(*_, **__):
    return True


def nothing(*_, **__):
    return None


BROKEN_RULES = {
    "R17": (lambda: Story(TEAM).add("m", "intro", by="dan", x=b"1\n"), "uncovered", nothing, "intro", b"x"),
    "R18 (e)": (lambda: removed("head", "old", by="dan"), "r18_answers_for_the_side", everything, "head", b"x"),
    "R19 (b)": (lambda: parted(z=b"1\n"), "merge_contributions", lambda *_: [frozenset()], "a", b"z"),
    "R19 (e)": (lambda: removed("head", "old"), "r19_e", everything, "head", b"x"),
    "R20": (
        lambda: Story(TEAM).add("j", "intro", by=UNSIGNED, x=b"1\n").add("m", "intro", "j", by="dan", x=b"1\n"),
        "decide_native",
        lambda *_: reference.Decision(None, "R20", vouched=True),
        "intro",
        b"x",
    ),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_a_rule_that_is_left_out_is_seen(rule, monkeypatch):
    tell, name, instead, earlier, path = BROKEN_RULES[rule]
    assert not list(holes(tell().known()))
    for module in (native, sys.modules["reference.answer"]):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, instead)
    assert Hole(earlier, "m", path) in list(holes(tell().known()))


def test_content_that_was_merged_is_answered_for_by_those_who_changed_the_sides():
    assert clean().ask() == ("authentic", frozenset(), {})
    assert not list(holes(clean().known()))


def test_policy_that_grew_from_the_first_counts(monkeypatch):
    """Bob is removed, comes back, and changes something: but only an editor of the time can bring him back."""
    story = Story(TEAM).add("out", "intro", policy=WITHOUT_BOB).add("back", "out", policy=TEAM)
    story.add("his", "back", by="bob", x=b"1\n")
    assert story.ask() == ("authentic", frozenset(), {})
    assert not list(holes(story.known()))
    monkeypatch.setattr(native, "uncovered", nothing)
    monkeypatch.setattr(floor, "r23_is_binding", everything)
    assert Hole("out", "his", b"x") in list(holes(story.spoil("back", signature=good("dan")).known()))


def reverted():
    """A branch is merged, and alice takes it back; the server merges it once more where it was, and that merge."""
    story = Story(TEAM).add("a", "intro", x=b"1\n").add("bad", "intro", by="bob", y=b"1\n")
    story.add("m", "a", "bad", by=UNSIGNED, y=b"1\n").add("revert", "m", y=GONE)
    return story.add("w", "a", "bad", by=UNSIGNED, y=b"1\n").add("n", "revert", "w", by=UNSIGNED, y=b"1\n")


def twice_merged():
    """Alice's merge of two branches leaves one's change out; the server merges it with another merge of the two."""
    story = crossed().spoil("m", signature=good("alice"), tree=parted().history["a"].tree)
    return story.spoil("n", tree=story.history["w"].tree)


@pytest.mark.parametrize(("tell", "earlier"), [(reverted, "revert"), (twice_merged, "m")])
def test_a_server_can_t_undo_across_several_merge_bases_what_was_signed(tell, earlier, monkeypatch):
    """Why every base must do: if one were enough, y would come back, and nobody has signed that."""
    story = tell()
    assert story.ask()[2] == {"n": "merge-not-mechanical"}
    assert not list(holes(story.known()))
    each = native.merge_contributions
    monkeypatch.setattr(native, "merge_contributions", lambda *merge: [min(each(*merge), key=len)])
    assert story.ask(marks=frozenset({earlier})) == ("authentic", frozenset(), {})
    assert Hole(earlier, "n", b"y") in list(holes(story.known()))
