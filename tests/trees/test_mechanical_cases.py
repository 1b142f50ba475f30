"""What the mechanical merge settles, case by case."""

import pytest
from policies.rights import policy
from trees.forest import EXECUTABLE, FILE, GITLINK, SYMLINK
from trees.store import BOTH, FIRST, LAST, LINES, OTHER, Store

from gitverify.objects.tree import EMPTY_TREE
from gitverify.policies.coverage import cover
from gitverify.trees.mechanical import Why

POLICY = b".gitverify.yaml"
ALICE = frozenset({"alice"})
X, L = (EXECUTABLE, LINES), (SYMLINK, b"to")

CASES = {
    # One file in each of the four trees (None: nothing), and why it is not settled as recorded.
    "nobody changed it": (LINES, LINES, LINES, LINES, None),
    "nobody changed it, but it was": (LINES, LINES, LINES, OTHER, Why.OTHERWISE),
    "we changed it": (LINES, FIRST, LINES, FIRST, None),
    "they changed it": (LINES, LINES, LAST, LAST, None),
    "they changed it, and it was left out": (LINES, LINES, LAST, LINES, Why.OTHERWISE),
    "we changed it, and it was taken back": (LINES, FIRST, LINES, LINES, Why.OTHERWISE),
    "both the same": (LINES, FIRST, FIRST, FIRST, None),
    "both the same, and it was left out": (LINES, FIRST, FIRST, LINES, Why.OTHERWISE),
    "both, in different lines": (LINES, FIRST, LAST, BOTH, None),
    "both, and ours was taken": (LINES, FIRST, LAST, FIRST, Why.OTHERWISE),
    "both, and something was added": (LINES, FIRST, LAST, BOTH + b"z\n", Why.OTHERWISE),
    "both, and it was removed": (LINES, FIRST, LAST, None, Why.OTHERWISE),
    "both, and its mode was changed": (LINES, FIRST, LAST, (EXECUTABLE, BOTH), Why.OTHERWISE),
    "both, in the same line": (LINES, FIRST, OTHER, FIRST, Why.CONFLICT),
    "both, and the conflict was resolved": (LINES, FIRST, OTHER, BOTH, Why.CONFLICT),
    "a binary file": (b"\0", b"\0" + FIRST, b"\0" + LAST, b"\0" + FIRST, Why.BINARY),
    "a file that was binary": (b"\0" + LINES, FIRST, LAST, BOTH, Why.BINARY),
    "a file that they made binary": (LINES, FIRST, b"\0" + LAST, BOTH, Why.BINARY),
    "mode and content by different sides": (LINES, X, LAST, (EXECUTABLE, LAST), None),
    "mode and content, and the mode was left out": (LINES, X, LAST, LAST, Why.OTHERWISE),
    "mode and content, and the content was left out": (LINES, X, LAST, X, Why.OTHERWISE),
    "mode and content by us, content by them": (LINES, (EXECUTABLE, FIRST), LAST, (EXECUTABLE, BOTH), None),
    "mode by both": (LINES, (EXECUTABLE, FIRST), (EXECUTABLE, LAST), (EXECUTABLE, BOTH), None),
    "mode by both, back": (X, FIRST, LAST, BOTH, None),
    "mode by both, content by us": (LINES, (EXECUTABLE, FIRST), X, (EXECUTABLE, FIRST), None),
    "we added it": (None, LINES, None, LINES, None),
    "they added it": (None, None, LINES, LINES, None),
    "both added the same": (None, LINES, LINES, LINES, None),
    "both added, each another": (None, FIRST, LAST, FIRST, Why.BOTH),
    "both added, with another mode": (None, LINES, X, X, Why.BOTH),
    "the merge added it": (None, None, None, LINES, Why.OTHERWISE),
    "we removed it": (LINES, None, LINES, None, None),
    "they removed it": (LINES, LINES, None, None, None),
    "they removed it, and it is still there": (LINES, LINES, None, LINES, Why.OTHERWISE),
    "both removed it": (LINES, None, None, None, None),
    "both removed it, and it is back": (LINES, None, None, LINES, Why.OTHERWISE),
    "we removed and they edited": (LINES, None, LAST, LAST, Why.BOTH),
    "we edited and they removed": (LINES, FIRST, None, None, Why.BOTH),
    "we removed and they changed the mode": (LINES, None, X, X, Why.BOTH),
    "a symlink that they changed": (L, L, (SYMLINK, b"there"), (SYMLINK, b"there"), None),
    "a symlink that both changed": ((SYMLINK, LINES), (SYMLINK, FIRST), (SYMLINK, LAST), (SYMLINK, BOTH), Why.BOTH),
    "a file that became a symlink": (LINES, L, LINES, L, None),
    "a file that became a symlink, and was edited": (LINES, L, LAST, L, Why.BOTH),
    "a gitlink that we changed": ((GITLINK, b"1"), (GITLINK, b"2"), (GITLINK, b"1"), (GITLINK, b"2"), None),
    "a gitlink that both changed": ((GITLINK, b"1"), (GITLINK, b"2"), (GITLINK, b"3"), (GITLINK, b"3"), Why.BOTH),
    "a gitlink that became a file": ((GITLINK, b"1"), LINES, (GITLINK, b"1"), LINES, None),
    "a file instead of their symlink": (LINES, LINES, L, (FILE, b"to"), Why.OTHERWISE),
}


@pytest.mark.parametrize("what", CASES)
def test_one_path(what):
    *nodes, why = CASES[what]
    for around in ({}, {b"other": b"1"}):
        store = Store()
        trees = [store.tree(around | ({} if node is None else {b"d": {b"f": node}})) for node in nodes]
        assert store.paths(trees) == ([(b"d/f", why)] if why else [])
        # Nothing below a directory that the ids settle is read, so then the directory is named.
        assert store.ask(trees) in ([None] if why is None else [b"d/f", b"d/", b"/"])
        assert store.ask(trees, cover(policy(([b"d/f"], ["alice"])), ALICE, POLICY, policy_file=False)) is None
        elsewhere = cover(policy(([b"d/g", b"e/"], ["alice"])), ALICE, POLICY, policy_file=False)
        assert store.ask(trees, elsewhere) == (b"d/f" if why else None)


def directories(*nodes):
    store = Store()
    trees = [store.tree(node) for node in nodes]
    return [path for path, _ in store.paths(trees)]


def test_a_directory_that_a_file_replaces():
    before, after = {b"a": {b"x": b"1", b"y": b"2"}, b"b": b"3"}, {b"a": b"1", b"b": b"3"}
    theirs = before | {b"b": b"4"}
    assert directories(before, after, theirs, {b"a": b"1", b"b": b"4"}) == []
    assert directories(before, after, theirs, theirs) == [b"a", b"a/x", b"a/y"]
    assert directories(before, theirs, after, {b"a": b"1", b"b": b"4"}) == []
    # We replace the directory, they edit or add something in it: there is no tree that has both.
    edited, added = before | {b"a": {b"x": b"1", b"y": b"3"}}, before | {b"a": before[b"a"] | {b"z": b"1"}}
    assert directories(before, after, edited, after) == [b"a/y"]
    assert directories(before, after, added, after) == [b"a/z"]
    assert directories(before, after, added, added) == [b"a", b"a/x", b"a/y"]
    # Both replace it, each by another file.
    assert directories(before, after, {b"a": b"9", b"b": b"3"}, after) == [b"a"]


def test_names_between_a_file_and_a_directory_are_in_order():
    before = {b"a": {b"x": b"1"}, b"a-": b"1", b"a.b": b"1"}
    after = {b"a": b"1", b"a-": b"2", b"a.b": b"2"}
    assert directories(before, before, before, after) == [b"a", b"a-", b"a.b", b"a/x"]
    assert directories(before, after, before | {b"c": b"1"}, before) == [b"a", b"a-", b"a.b", b"a/x", b"c"]


def test_a_rename_is_not_followed():
    """An edit on one side stays at its path, where the other side has moved the file away."""
    before, moved = {b"open": {b"f": LINES}}, {b"protected": {b"f": LINES}}
    assert directories(before, moved, {b"open": {b"f": FIRST}}, {b"protected": {b"f": FIRST}}) == [
        b"open/f",
        b"protected/f",
    ]


def test_what_lies_in_files_changes_nothing():
    attributes = {b".gitattributes": b"* merge=union\n"}
    nodes = [attributes | {b"f": content} for content in (LINES, FIRST, OTHER, FIRST + OTHER)]
    assert directories(*nodes) == [b"f"]


def test_a_tree_of_a_stale_parent():
    base, ours = {b"a": b"1", b"b": b"1"}, {b"a": b"2", b"b": b"1"}
    theirs = {b"a": b"1", b"b": b"2"}
    assert directories(base, ours, theirs, {b"a": b"2", b"b": b"2"}) == []
    assert directories(base, ours, theirs, theirs) == [b"a"]
    assert directories(base, ours, theirs, ours) == [b"b"]


def test_without_a_base_tree_and_with_empty_trees():
    store = Store()
    tree = store.tree({b"a": b"1"})
    assert store.paths([None, tree, tree, tree]) == []
    assert store.paths([None, tree, EMPTY_TREE, tree]) == []
    assert store.paths([None, tree, EMPTY_TREE, EMPTY_TREE]) == [(b"a", Why.OTHERWISE)]
    assert store.paths([tree, EMPTY_TREE, tree, EMPTY_TREE]) == []
    assert store.ask([None, tree, EMPTY_TREE, EMPTY_TREE]) == b"a"
    assert store.ask([EMPTY_TREE, tree, EMPTY_TREE, EMPTY_TREE]) == b"/"


def test_the_words():
    """They are written into reports."""
    assert [*Why] == ["recorded-otherwise", "both-changed", "conflict", "binary", "too-large"]
