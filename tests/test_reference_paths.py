"""The reference by hand: who may change which path (R15 to R17), and what the mechanical merge settles (section 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from histories.contents import text
from reference import Entry, RefSignature
from reference.mechanical import unsettled
from reference.paths import prefix_covers
from stories import ALICE, AUTHENTIC, FILES, GONE, UNSIGNED, Story, limited, person, policy, refused

POLICY = FILES["native"].decode()


@pytest.mark.parametrize(
    ("prefix", "covered", "others"),
    [
        ("/", ["a", "a/b", "a/b/c"], []),
        ("a/b/", ["a/b/x", "a/b/c/d"], ["a/b", "a/bc", "a/b.c", "a", "b/x"]),
        ("a/b", ["a/b"], ["a/b/x", "a/bc", "a", "a/b.c"]),
    ],
)
def test_r16_what_a_prefix_covers(prefix, covered, others):
    assert all(prefix_covers(prefix.encode(), path.encode()) for path in covered)
    assert not any(prefix_covers(prefix.encode(), path.encode()) for path in others)


PEOPLE = policy("alice", limited("bob", "dir/", "a"), limited("editor", "b/", editor=True), unprotected=(b"free/",))


def one(by, **changes):
    """The answer about one commit that changes a tree with ``dir/x``, ``free/x``, ``a`` and ``b/x``."""
    story = Story(None)
    story.add("intro", policy=PEOPLE, **{"dir/x": b"1\n", "free/x": b"1\n", "a": b"1\n", "b/x": b"1\n"})
    return story.add("c", "intro", by=by, **changes).ask()


@pytest.mark.parametrize(
    ("by", "changes", "code"),
    [
        ("bob", {"dir/x": b"2\n"}, ""),
        ("bob", {"dir/x": b"2\n", "a": GONE}, ""),
        ("bob", {"dir/sub/new": b"2\n"}, ""),
        ("bob", {"dir/x": b"2\n", "free/x": b"2\n"}, ""),
        ("bob", {"b/x": b"2\n"}, "unauthorized-path"),
        ("bob", {"dir/x": b"2\n", "b/x": b"2\n"}, "unauthorized-path"),
        ("bob", {"dir/x": Entry(b"1\n", "100755")}, ""),
        ("bob", {"b/x": Entry(b"1\n", "100755")}, "unauthorized-path"),
        ("bob", {"dir/x": GONE, "dir": b"2\n"}, "unauthorized-path"),  # dir itself is not below dir/
        ("bob", {"dir/x": GONE, "dir": Entry(b"2\n", "120000")}, "unauthorized-path"),
        ("bob", {"dir/x": GONE}, ""),
        ("bob", {"a": GONE, "a/x": b"2\n"}, "unauthorized-path"),  # nor is a/x covered by a
        ("bob", {"dir/x": GONE, "b/moved": b"1\n"}, "unauthorized-path"),
        ("bob", {}, ""),
        ("editor", {"b/x": b"2\n", "policy": ALICE}, ""),
        ("editor", {"a": b"2\n", "policy": ALICE}, "unauthorized-path"),
        ("bob", {"dir/x": b"2\n", "policy": ALICE}, "policy-unauthorized"),
        ("bob", {"b/x": b"2\n", "policy": ALICE}, "policy-unauthorized"),
    ],
)
def test_r17_voucher_changes_what_is_granted(by, changes, code):
    assert one(by, **changes) == (refused(c=code) if code else AUTHENTIC)


@pytest.mark.parametrize(
    ("signature", "changes", "code"),
    [
        (UNSIGNED, {"free/x": b"2\n"}, ""),
        (UNSIGNED, {"free/sub/new": b"2\n"}, ""),
        (UNSIGNED, {"free/x": GONE, "free": b"2\n"}, "unsigned"),
        (UNSIGNED, {"freedom": b"2\n"}, "unsigned"),
        (UNSIGNED, {"free/x": b"2\n", "a": b"2\n"}, "unsigned"),
        (UNSIGNED, {"free/x": b"2\n", "policy": ALICE}, "unsigned"),
        (UNSIGNED, {}, "unsigned"),
        (RefSignature("good", "mallory"), {"free/x": b"2\n"}, ""),
        (RefSignature("good", "mallory"), {}, "unauthorized-key"),
        (RefSignature("weak", "alice"), {"free/x": b"2\n"}, ""),
        (RefSignature("unknown-key", "alice"), {"free/x": b"2\n"}, ""),
        (RefSignature("bad", "mallory"), {"free/x": b"2\n"}, ""),
        (RefSignature("bad", "alice"), {"free/x": b"2\n"}, "bad-signature"),
        (RefSignature("bad", "alice"), {"a": b"2\n"}, "bad-signature"),
    ],
)
def test_r8_r17_what_nobody_has_to_vouch_for(signature, changes, code):
    assert one(signature, **changes) == (refused(c=code) if code else AUTHENTIC)


@pytest.mark.parametrize("prefix", [POLICY, f"{POLICY}/", ".gitverify.yaml.d/"])
def test_r15_policy_file_is_never_granted_nor_unprotected(prefix):
    rules = policy("alice", limited("bob", prefix), unprotected=(prefix.encode(),))
    story = Story(rules).add("a", "intro", policy=replace(rules, note=1))
    assert story.ask() == AUTHENTIC
    assert story.spoil("a", signature=RefSignature("good", "bob")).ask() == refused(a="policy-unauthorized")
    assert story.spoil("a", signature=UNSIGNED).ask() == refused(a="unsigned")
    beside = Story(rules).add("a", "intro", by=UNSIGNED, **{".gitverify.yaml.d/x": b"1\n"})
    assert beside.ask() == (AUTHENTIC if prefix.endswith(".d/") else refused(a="unsigned"))


def test_r15_grant_of_the_root_leaves_the_policy_file_to_editors():
    rules = policy("alice", person("bob", editor=False))
    story = Story(rules).add("a", "intro", by="bob", x=b"1\n")
    assert story.ask() == AUTHENTIC
    assert story.add("b", "a", by="bob", policy=ALICE).ask() == refused(b="policy-unauthorized")


def test_r17_grant_is_not_used_in_the_commit_that_gives_it():
    given = policy("alice", limited("bob", "b/", editor=True))
    story = Story(policy("alice", limited("bob", editor=True))).add("a", "intro", by="bob", policy=given)
    assert story.add("b", "a", by="bob", **{"b/x": b"1\n"}).ask() == AUTHENTIC
    story.spoil("a", tree=story.history["b"].tree)
    assert story.ask("a") == refused(a="unauthorized-path")


def test_r21_unprotected_paths_beside_the_introduction():
    story = Story(None).add("old").add("intro", "old", policy=PEOPLE)
    story.add("s", "old", by=UNSIGNED, **{"free/x": b"1\n"}).add("m", "intro", "s", **{"free/x": b"1\n"})
    assert story.ask() == AUTHENTIC
    assert story.spoil("s", parents=(), tree={b"free/x": Entry(b"1\n")}).ask() == AUTHENTIC  # from a root of its own
    story.spoil("s", tree={b"free/x": Entry(b"1\n"), b"x": Entry(b"1\n")})
    assert story.ask()[2] == {"s": "unsigned", "m": "parent-not-authentic"}


# --- section 6 ------------------------------------------------------------------------------------------------

A, B, C = (Entry(text((0, 0))), Entry(text((1, 0))), Entry(text((0, 2))))
BOTH, SAME_PLACE, BINARY = Entry(text((1, 2))), Entry(text((2, 0))), Entry(text((0, 4)))


def executable(entry):
    return replace(entry, mode="100755")


def link(entry):
    return replace(entry, mode="120000")


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        (A, A, A, A),
        (A, B, A, B),
        (A, A, B, B),
        (A, B, B, B),
        (None, B, B, B),
        (None, None, B, B),
        (A, None, A, None),
        (A, None, None, None),
        (A, B, C, BOTH),  # different places
        (A, executable(A), B, executable(B)),
        (A, executable(B), C, executable(BOTH)),
        (A, executable(B), executable(C), executable(BOTH)),
        (executable(A), B, executable(C), BOTH),
        (link(A), link(A), B, B),
    ],
)
def test_section_6_what_is_settled(base, ours, theirs, result):
    for one, other in ((ours, theirs), (theirs, ours)):
        assert not conflicts(base, one, other, result)
        for wrong in {base, ours, theirs, None, A, BOTH} - {result}:
            assert conflicts(base, one, other, wrong)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (A, B, SAME_PLACE),
        (A, None, B),
        (None, A, B),
        (None, A, executable(A)),
        (A, B, BINARY),
        (A, link(A), B),
        (link(A), link(B), link(C)),
        (link(A), B, C),
        (A, link(B), executable(A)),
        (Entry(b"1\n"), Entry(b"2\n"), Entry(b"3\n")),
        (Entry(b"1\n"), A, B),
    ],
)
def test_section_6_what_is_not_settled(base, ours, theirs):
    for recorded in (base, ours, theirs, None, BOTH):
        assert conflicts(base, ours, theirs, recorded)
        assert conflicts(base, theirs, ours, recorded)


def conflicts(*entries):
    """Whether the path is part of the contribution of a merge whose base, sides and result hold these entries."""
    trees = [{b"keep": A} | ({b"x": entry} if entry is not None else {}) for entry in entries]
    found = unsettled(*trees)
    assert found <= {b"x"}
    return bool(found)
