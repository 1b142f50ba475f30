"""The reference by hand: the native dialect's merges (R18 to R20), each attack beside what is right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from histories.contents import text
from reference import Entry, RefSignature
from stories import ALICE_BOB, AUTHENTIC, GONE, UNSIGNED, Story, limited, person, policy, refused

MERGING = {"unsigned_merges": True}
ADOPTING = {"adopting_merges": True}
TEAM = policy("alice", "bob", limited("dan", "d/"), unprotected=(b"free/",), **MERGING)
WITHOUT_BOB = replace(TEAM, people=tuple(one for one in TEAM.people if one.name != "bob"))
STRICT = replace(TEAM, unsigned_merges=False)


def good(by):
    return RefSignature("good", by)


def codes(story, tip=None):
    return story.ask(tip)[2]


def parted(rules=TEAM, a=None, b=None, **more):
    """Two branches from the introduction: ``a`` changes x, ``b`` changes y, or as it is given."""
    story = Story(rules).add("a", "intro", **(a or {"x": b"1\n"})).add("b", "intro", **(b or {"y": b"1\n"}))
    return story.add("m", "a", "b", **({"by": UNSIGNED, "y": b"1\n"} | more))


# --- R19: unsigned merges -------------------------------------------------------------------------------------


def test_r19_clean_merge_needs_nobody():
    assert parted().ask() == AUTHENTIC
    assert parted(by="mallory").ask() == AUTHENTIC  # who is nobody
    assert parted(by=RefSignature("bad", "alice")).ask() == refused(m="bad-signature")
    assert parted(STRICT).ask() == refused(m="unsigned")
    assert parted(STRICT, by="mallory").ask() == refused(m="unauthorized-key")


@pytest.mark.parametrize("switched", ["a", "b"])
def test_r19_both_parents_policies_allow_it(switched):
    story = parted(**{switched: {"policy": STRICT}})
    if switched == "b":
        story.spoil("m", tree={**story.history["b"].tree, b"x": Entry(b"1\n")})
    assert story.ask() == refused(m="unsigned")
    assert story.spoil("m", signature=good("alice")).ask() == AUTHENTIC


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, ""),
        ({"free/x": b"1\n"}, ""),
        ({"z": b"1\n"}, "merge-not-mechanical"),
        ({"y": GONE}, "merge-not-mechanical"),  # the tree of a parent
        ({"y": b"2\n"}, "merge-not-mechanical"),
        ({"y": Entry(b"1\n", "100755")}, "merge-not-mechanical"),
        ({"x": GONE}, "merge-not-mechanical"),
    ],
)
def test_r19_b_nothing_but_what_the_parents_settle(files, code):
    assert parted(**({"y": b"1\n"} | files)).ask() == (refused(m=code) if code else AUTHENTIC)


def test_r19_b_content_is_merged_too():
    story = Story(TEAM).add("start", "intro", x=text((0, 0)))
    story.add("a", "start", x=text((1, 0))).add("b", "start", x=text((0, 1))).add("m", "a", "b", by=UNSIGNED)
    assert story.ask() == refused(m="merge-not-mechanical")
    story.spoil("m", tree={**story.history["m"].tree, b"x": Entry(text((1, 1)))})
    assert story.ask() == AUTHENTIC


def test_r19_a_two_parents_that_share_history():
    story = parted().add("c", "intro", z=b"1\n").add("n", "a", "b", "c", by=UNSIGNED, y=b"1\n", z=b"1\n")
    assert story.ask() == refused(n="merge-unsupported")
    assert story.spoil("n", signature=good("alice")).ask() == AUTHENTIC
    story.add("root").add("r", "a", "root", by=UNSIGNED)
    assert story.ask() == refused(r="merge-unsupported")
    assert story.spoil("r", signature=good("alice")).ask() == AUTHENTIC


@pytest.mark.parametrize("swapped", [False, True])
def test_r19_c_d_the_policy_file_that_governs(swapped):
    changed, other = replace(TEAM, note=1), replace(TEAM, note=2)
    parents = ("b", "a") if swapped else ("a", "b")
    story = Story(TEAM).add("a", "intro", policy=changed).add("b", "intro").add("m", *parents, by=UNSIGNED)
    story.spoil("m", tree=story.history["a"].tree)
    assert story.ask() == AUTHENTIC
    for tree in (story.history["b"].tree, {**story.history["a"].tree, b".gitverify.yaml": Entry(other)}):
        assert story.spoil("m", tree=tree).ask() == refused(m="merge-policy-conflict")
    story.spoil("m", tree=story.history["a"].tree)
    for file in (changed, other):  # both changed
        story.spoil("b", tree={**story.history["b"].tree, b".gitverify.yaml": Entry(file)})
        assert story.ask() == refused(m="merge-policy-conflict")
        assert story.spoil("m", signature=good("alice")).ask() == AUTHENTIC
        story.spoil("m", signature=UNSIGNED)


def removed(*parents, **more):
    """Bob is removed on the main branch; before, he left a commit on a branch of his."""
    story = Story(TEAM).add("old", "intro", by="bob", x=b"bob\n").add("head", "intro", policy=WITHOUT_BOB)
    return story.add("m", *parents, **({"by": UNSIGNED, "policy": WITHOUT_BOB, "x": b"bob\n"} | more))


@pytest.mark.parametrize("parents", [("head", "old"), ("old", "head")])
def test_r19_e_removed_person_does_not_come_back_through_a_merge_button(parents):
    assert removed(*parents).ask() == refused(m="merge-revoked-side")
    assert removed(*parents, by="alice").ask() == AUTHENTIC
    assert removed(*parents, by="dan").ask() == refused(m="merge-revoked-side")  # a limited person
    assert removed(*parents, by="bob").ask() == refused(m="merge-revoked-side")
    story = removed(*parents)
    assert story.spoil("old", signature=good("alice")).ask() == AUTHENTIC


def test_r19_e_every_commit_of_the_side_counts():
    story = Story(TEAM).add("head", "intro", policy=WITHOUT_BOB)
    story.add("mine", "intro", x=b"1\n").add("his", "mine", by="bob", y=b"1\n").add("last", "his", z=b"1\n")
    tree = {**story.history["last"].tree, b".gitverify.yaml": Entry(WITHOUT_BOB)}
    story.add("m", "head", "last", by=UNSIGNED).spoil("m", tree=tree)
    assert story.ask() == refused(m="merge-revoked-side")
    assert story.spoil("his", signature=good("alice")).ask() == AUTHENTIC
    story.spoil("his", signature=good("dan"))
    assert codes(story)["his"] == "unauthorized-path"


def test_r19_e_merges_of_the_side_are_judged_again():
    def told(by, head=None, side=TEAM):
        head = head or replace(TEAM, note=1)
        story = Story(side).add("head", "intro", policy=head)
        story.add("one", "intro", x=b"1\n").add("two", "intro", y=b"1\n").add("side", "one", "two", by=by, y=b"1\n")
        return story.add("m", "head", "side", by=UNSIGNED, x=b"1\n", y=b"1\n").ask()

    strict = replace(TEAM, unsigned_merges=False)
    assert told(UNSIGNED) == AUTHENTIC
    assert told("dan") == AUTHENTIC
    # Unsigned merges are no longer allowed, so that the merge to be judged needs a signature, and that of the side too.
    assert told(UNSIGNED, head=strict) == refused(m="unsigned")
    story = Story(TEAM).add("head", "intro", policy=strict)
    story.add("one", "intro", x=b"1\n").add("two", "intro", **{"d/y": b"1\n"})
    files = {"d/y": b"1\n"}
    story.add("side", "one", "two", by="dan", **files).add("m", "head", "side", by="dan", x=b"1\n", **files)
    assert story.ask() == refused(m="unauthorized-path")  # dan may not bring x in
    story.spoil("m", signature=good("alice"))
    assert story.ask() == AUTHENTIC


def test_r19_e_adopting_merges_of_the_side_need_the_governing_policys_leave():
    def told(head):
        story = Story(replace(TEAM, **ADOPTING)).add("head", "intro", policy=head)
        story.add("mine", "intro", x=b"1\n").add("junk", "mine", by=UNSIGNED, y=b"1\n")
        story.add("side", "mine", "junk", y=b"1\n")
        return story.add("m", "head", "side", by=UNSIGNED, x=b"1\n", y=b"1\n").ask()

    assert told(replace(TEAM, note=1, **ADOPTING)) == AUTHENTIC
    assert told(replace(TEAM, note=1)) == refused(m="merge-revoked-side")


def test_r19_e_either_parent_may_govern_where_neither_changed_the_policy():
    """A policy comes and goes on a branch: under today's its commits are nobody's, whichever side is asked about."""
    with_eve = replace(TEAM, people=(*TEAM.people, person("eve")))
    story = Story(TEAM).add("in", "intro", policy=with_eve).add("hers", "in", by="eve", y=b"1\n")
    story.add("out", "hers", policy=TEAM).add("a", "intro", x=b"1\n").add("m", "a", "out", by=UNSIGNED, y=b"1\n")
    assert story.ask() == AUTHENTIC  # out in the governing parent's place: what a brings is alice's
    story.spoil("a", signature=UNSIGNED, tree={**story.history["intro"].tree, b"free/x": Entry(b"1\n")})
    story.spoil("m", tree={**story.history["out"].tree, b"free/x": Entry(b"1\n")})
    assert story.ask() == AUTHENTIC


def test_r19_side_branch_is_judged_by_what_governs_now():
    story = Story(None).add("old").add("intro", "old", policy=ALICE_BOB).add("head", "intro", policy=TEAM)
    story.add("s", "old", by="bob", x=b"1\n").add("m", "head", "s", by=UNSIGNED, x=b"1\n")
    assert codes(story) == {"m": "unsigned"}  # the introduction's policy does not allow it
    story.spoil("intro", tree={**story.history["intro"].tree, b".gitverify.yaml": Entry(replace(TEAM, note=1))})
    assert story.ask() == AUTHENTIC
    story.spoil("head", tree={**story.history["head"].tree, b".gitverify.yaml": Entry(WITHOUT_BOB)})
    story.spoil("m", tree={**story.history["m"].tree, b".gitverify.yaml": Entry(WITHOUT_BOB)})
    assert codes(story) == {"m": "merge-revoked-side"}


# --- R18: signed merges ---------------------------------------------------------------------------------------


def test_r18_voucher_answers_for_the_contribution():
    for files, by, code in [
        ({}, "dan", ""),
        ({"d/x": b"1\n"}, "dan", ""),
        ({"z": b"1\n"}, "dan", "unauthorized-path"),
        ({"z": b"1\n"}, "alice", ""),
        ({"y": GONE}, "alice", ""),
    ]:
        assert parted(by=by, **({"y": b"1\n"} | files)).ask() == (refused(m=code) if code else AUTHENTIC)


def test_r18_limited_person_does_not_bring_in_what_others_left_lying():
    assert parted(STRICT, by="dan").ask() == refused(m="unauthorized-path")
    assert parted(STRICT, b={"d/y": b"1\n", "by": "dan"}, by="dan", **{"y": GONE, "d/y": b"1\n"}).ask() == AUTHENTIC
    assert parted(STRICT, by="alice").ask() == AUTHENTIC


def test_r18_policy_file_that_does_not_govern_needs_an_editor():
    changed, other = replace(TEAM, note=1), replace(TEAM, note=2)
    editor = limited("ed", editor=True)
    changed, other, rules = (replace(one, people=(*one.people, editor)) for one in (changed, other, TEAM))
    story = Story(rules).add("a", "intro", policy=changed).add("b", "intro")
    for file, by, code in [
        (changed, "dan", ""),
        (other, "dan", "policy-unauthorized"),
        (rules, "dan", "policy-unauthorized"),
        (other, "ed", ""),
        (rules, "ed", ""),
    ]:
        story.add("m", "a", "b", by=by, policy=file)
        assert story.ask() == (refused(m=code) if code else AUTHENTIC)


def test_r18_both_changed_the_policy_to_the_same():
    """Then e is asked of each side for what the other lacks, and no grant does instead."""
    for by in ("alice", "dan"):
        story = parted(a={"policy": WITHOUT_BOB, "x": b"1\n"}, b={"policy": WITHOUT_BOB, "y": b"1\n"}, by=by)
        assert story.ask() == AUTHENTIC
        story.add("his", "intro", by="bob", z=b"1\n").add("b2", "his", policy=WITHOUT_BOB)
        story.add("n", "a", "b2", by=by, z=b"1\n")
        assert story.ask() == refused(n="merge-revoked-side")


def test_r18_octopus_contributes_every_difference():
    story = parted(b={"d/y": b"1\n"}, y=GONE).add("c", "intro", **{"d/z": b"1\n"})
    story.add("n", "b", "b", "c", by="dan", **{"d/z": b"1\n"})
    assert story.ask() == AUTHENTIC
    story.add("n", "a", "b", "c", by="dan", **{"d/y": b"1\n", "d/z": b"1\n"})
    assert story.ask() == refused(n="unauthorized-path")
    assert story.spoil("n", signature=good("alice")).ask() == AUTHENTIC


def nobody_governs(by, policy=TEAM, **files):
    """Both sides have changed the policy, each otherwise; only alice is an editor on both."""
    mine = policy_of("alice", person("carol", editor=False), "only-a", limited("dan", "d/"), note=1)
    theirs = policy_of("alice", "carol", "only-b", limited("dan", "d/"), note=2)
    story = Story(TEAM).add("a", "intro", policy=mine).add("b", "intro", policy=theirs, y=b"1\n")
    return story.add("m", "a", "b", by=by, policy=policy, **({"y": b"1\n"} | files)).ask()


def policy_of(*people, **options):
    return policy(*people, **MERGING, **options)


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("alice", ""),
        ("carol", "merge-policy-conflict"),  # no editor on one side
        ("only-a", "merge-policy-conflict"),  # not listed on the other
        ("dan", "merge-policy-conflict"),
        (UNSIGNED, "merge-policy-conflict"),
        ("mallory", "merge-policy-conflict"),
        (RefSignature("bad", "only-b"), "bad-signature"),
    ],
)
def test_r18_where_nobody_governs_an_editor_of_every_policy_signs(by, code):
    assert nobody_governs(by) == (refused(m=code) if code else AUTHENTIC)


def test_r18_intersection_of_more_than_two_and_of_unrelated_histories():
    changed = replace(TEAM, note=1)
    story = Story(TEAM).add("a", "intro", policy=changed).add("b", "intro").add("c", "intro")
    story.add("m", "a", "b", "c")
    assert story.ask() == AUTHENTIC
    assert story.spoil("m", signature=good("dan")).ask() == refused(m="merge-policy-conflict")
    assert story.spoil("m", signature=UNSIGNED).ask() == refused(m="merge-unsupported")
    story.add("root", by=UNSIGNED, keep=GONE, **{"free/x": b"1\n"}).add("n", "a", "root", by="alice")
    assert story.ask() == AUTHENTIC
    assert story.spoil("n", signature=good("dan")).ask() == refused(n="merge-policy-conflict")


def test_r18_parents_that_are_the_same_or_reach_each_other():
    story = Story(TEAM).add("a", "intro", x=b"1\n").add("m", "a", "a", by=UNSIGNED).add("n", "m", "a", by=UNSIGNED)
    assert story.ask() == AUTHENTIC
    assert story.add("o", "intro", "n", by=UNSIGNED, x=b"1\n").ask() == AUTHENTIC
    assert story.add("p", "intro", "n", by=UNSIGNED).ask() == refused(p="merge-not-mechanical")


# --- criss-cross ----------------------------------------------------------------------------------------------


def crossed(**files):
    """Two branches, each merged into the other: the merge of the merges has two merge bases."""
    story = parted().add("w", "b", "a", by=UNSIGNED, x=b"1\n")
    return story.add("n", "m", "w", by=UNSIGNED, **files)


def test_section_6_each_of_several_merge_bases_must_do():
    assert crossed().ask() == AUTHENTIC
    assert crossed(z=b"1\n").ask() == refused(n="merge-not-mechanical")
    story = crossed().spoil("m", signature=good("alice"), tree=parted().history["a"].tree)
    assert story.ask() == refused(n="merge-not-mechanical")  # seen from b, which has y, as w has, it would do
    story.spoil("n", tree=story.history["w"].tree)
    assert story.ask() == refused(n="merge-not-mechanical")  # seen from a, which has no y, as m has none, it would
    assert story.spoil("n", signature=good("alice")).ask() == AUTHENTIC


# --- R20: adopting merges -------------------------------------------------------------------------------------

ADOPTERS = replace(TEAM, **ADOPTING)


def adopted(*parents, rules=ADOPTERS, junk=None, **more):
    story = (
        Story(rules).add("a", "intro", x=b"1\n").add("junk", "intro", **({"by": UNSIGNED, "y": b"1\n"} | (junk or {})))
    )
    return story.add("m", *(parents or ("a", "junk")), **({"y": b"1\n"} | more))


def test_r20_voucher_answers_for_all_that_is_adopted():
    assert adopted().ask() == AUTHENTIC
    assert adopted(rules=TEAM).ask()[2] == {"junk": "unsigned", "m": "parent-not-authentic"}
    for by in (UNSIGNED, "mallory", RefSignature("weak", "alice")):
        assert adopted(by=by).ask()[2] == {"junk": "unsigned", "m": "parent-not-authentic"}
    assert adopted(by=RefSignature("bad", "alice")).ask()[2] == {"junk": "unsigned", "m": "bad-signature"}
    assert codes(adopted(by="dan"))["m"] == "unauthorized-path"
    assert adopted(by="dan", y=GONE, **{"d/y": b"1\n"}).ask() == AUTHENTIC


def test_r20_first_parent_is_authentic():
    assert codes(adopted("junk", "a"))["m"] == "parent-not-authentic"
    assert codes(adopted("junk"))["m"] == "parent-not-authentic"


def test_r20_voucher_is_needed_where_everything_is_unprotected():
    story = adopted(by=UNSIGNED, y=GONE, **{"free/x": b"1\n"})
    assert codes(story)["m"] == "parent-not-authentic"
    assert story.spoil("m", signature=good("dan")).ask() == AUTHENTIC


def test_r20_what_is_adopted_does_not_become_authentic():
    story = adopted().add("n", "junk", y=b"2\n")
    assert codes(story, "n") == {"junk": "unsigned", "n": "parent-not-authentic"}
    assert story.add("o", "m", "junk", by=UNSIGNED, y=b"1\n").ask()[2]["o"] == "parent-not-authentic"


def test_r20_several_authentic_parents_are_judged_as_a_merge():
    story = adopted().add("b", "intro", z=b"1\n").add("n", "a", "b", "junk", by="dan", z=b"1\n", **{"d/x": b"1\n"})
    assert story.ask() == AUTHENTIC
    assert codes(story.spoil("n", signature=UNSIGNED))["n"] == "parent-not-authentic"
    story.add("n", "a", "junk", "b", by="dan", y=b"1\n", z=b"1\n")
    assert codes(story)["n"] == "unauthorized-path"


def hijacked(*parents, by=UNSIGNED, **rules):
    """Bob, removed, hangs today's branch, with a junk commit on top, below a branch on which he is still listed."""
    first, last = replace(ADOPTERS, **rules), replace(WITHOUT_BOB, **ADOPTING, **rules)
    story = Story(first).add("old", "intro", by="bob", w=b"1\n").add("head", "intro", policy=last, x=b"1\n")
    story.add("junk", "head", by="bob", y=b"1\n")
    story.add("his", "old", "junk", by="bob", x=b"1\n", y=b"1\n")
    return story.add("m", *parents, by=by, policy=last, w=b"1\n", x=b"1\n", y=b"1\n")


def test_r20_removed_person_adopts_todays_branch_into_his_own():
    story = hijacked("head", "his")
    assert story.ask("his") == AUTHENTIC  # a branch of its own
    assert story.ask("his", marks=frozenset({"head"})) == refused("rollback")
    assert story.ask("his", contains=frozenset({"head"})) == refused("not-contained")
    for parents in (("head", "his"), ("his", "head")):
        assert codes(hijacked(*parents)) == {"m": "merge-revoked-side"}
        assert codes(hijacked(*parents, by="dan")) == {"m": "merge-revoked-side"}
        assert hijacked(*parents, by="alice").ask() == AUTHENTIC


def test_r20_adopting_merge_does_not_make_a_descendant():
    story = Story(ADOPTERS).add("old", "intro", w=b"1\n").add("head", "intro", x=b"1\n")
    story.add("junk", "head", by=UNSIGNED, y=b"1\n").add("n", "old", "junk", x=b"1\n", y=b"1\n")
    assert story.ask("n") == AUTHENTIC
    assert story.ask("n", introduction="head") == refused("not-descendant")
    assert story.spoil("junk", signature=good("alice")).ask("n", introduction="head") == AUTHENTIC


def test_r20_dropped_edges_make_no_merge_base():
    """Over all edges head would be the base of the two, and all that his side changes the result of a clean merge."""
    story = hijacked("head", "his").add("n", "head", "his", by=UNSIGNED)
    story.spoil(
        "n", tree={**story.history["his"].tree, b".gitverify.yaml": story.history["head"].tree[b".gitverify.yaml"]}
    )
    assert story.ask()[2] == {"n": "merge-revoked-side"}
