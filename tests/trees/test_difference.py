"""What differs between two trees, against the definition: leaves by path; and how little of them is read."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.rights import may_change, policy
from trees.forest import EXECUTABLE, FILE, GITLINK, SYMLINK, Forest, file

from gitverify.errors import MalformedTree, MissingObject, TooMuch
from gitverify.limits import LIMITS
from gitverify.objects.tree import EMPTY_TREE
from gitverify.policies.coverage import EVERYTHING, NOTHING, cover
from gitverify.trees.difference import Change, changes, uncovered

POLICY = b".gitverify.yaml"
ALICE = frozenset({"alice"})

NAMES = st.sampled_from([b"a", b"a-", b"a.b", b"a0", b"p", b"\xff\n"])
LEAVES = st.builds(file, st.integers(0, 1), st.sampled_from([FILE, FILE, EXECUTABLE, SYMLINK, GITLINK]))
NODES = st.recursive(LEAVES, lambda nodes: st.dictionaries(NAMES, nodes, min_size=1, max_size=4), max_leaves=12)
ROOTS = st.dictionaries(NAMES, NODES, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
PREFIXES = st.tuples(PATHS, st.sampled_from([b"", b"/"])).map(b"".join)


@st.composite
def pairs(draw):
    """Two trees; mostly the second one is the first with some of its nodes exchanged."""

    def edited(node):
        what = draw(st.integers(0, 9))
        if not isinstance(node, dict) or what == 0:
            return draw(NODES) if what < 3 else node
        if what < 5:
            return node
        return {name: edited(below) for name, below in node.items()}

    before = draw(ROOTS)
    after = draw(ROOTS) if draw(st.integers(0, 4)) == 0 else {name: edited(node) for name, node in before.items()}
    forest = Forest()
    return forest, forest.add(before), forest.add({**after, **draw(st.dictionaries(NAMES, NODES, max_size=1))})


@given(pairs())
def test_changes_are_the_leaves_that_differ(pair):
    forest, before, after = pair
    wanted = [Change(path, *entries) for path, entries in forest.differences(before, after).items()]
    assert list(changes(forest.trees(), before, after)) == wanted


@given(
    pairs(),
    st.lists(PREFIXES, max_size=4),
    st.lists(PREFIXES, max_size=1),
    PATHS | st.just(b"a/p"),
    st.booleans(),
    st.booleans(),
)
def test_the_first_path_that_is_not_covered(pair, granted, unprotected, policy_path, policy_file, everywhere):
    forest, before, after = pair
    law = policy(([*granted, *([b"/"] if everywhere else [])], ["alice"]), unprotected=unprotected)

    def covered(path):
        return may_change(law, ALICE, path, policy_path, policy_file=policy_file)

    differences = forest.differences(before, after)
    first = next((path for path in differences if not covered(path)), None)
    found = uncovered(forest.trees(), before, after, cover(law, ALICE, policy_path, policy_file=policy_file))
    if found is None or not found.endswith(b"/"):
        assert found == first
    else:
        directory = b"" if found == b"/" else found
        assert first.startswith(directory)
        assert not any(covered(path) for path in differences if path.startswith(directory))
    # Nothing was read but directories that differ and in which something that is written down lies, and those once.
    written = [policy_path, *(p.path for g in law.grants for p in g.paths), *(p.path for p in law.unprotected)]
    entered = {b"/".join(path.split(b"/")[:depth]) for path in written for depth in range(path.count(b"/") + 1)}
    pairs = {(forest.directory(before, path), forest.directory(after, path)) for path in entered}
    assert set(forest.read_ids) <= {tree for pair in pairs if pair[0] != pair[1] for tree in pair}
    assert len(set(forest.read_ids)) == len(forest.read_ids)


def differ(before, after, *granted, policy_path=POLICY, policy_file=False):
    """Return the first path that somebody with these grants may not change."""
    forest = Forest()
    law = cover(policy((granted, ["alice"])), ALICE, policy_path, policy_file=policy_file)
    return uncovered(forest.trees(), forest.add(before), forest.add(after), law)


A = {b"a": {b"x": file()}, b"b": file()}


@pytest.mark.parametrize(
    ("after", "granted", "path"),
    [
        # One directory after the other, and one in the other.
        ({b"a": {b"x": file(1)}, b"b": file(1)}, [b"a/x"], b"b"),
        (A | {b"a": {b"x": file(1)}, b"b": file(1)}, [b"a/x", b"b"], None),
        ({b"a": {b"c": {b"y": file()}, b"x": file()}, b"b": file()}, [b"a/x"], b"a/c/"),
        ({b"a": {b"c": {b"y": file()}, b"x": file()}, b"b": file()}, [b"a/c/"], None),
        # Mode alone, and what a leaf is.
        ({b"a": {b"x": file(mode=EXECUTABLE)}, b"b": file()}, [b"a/"], None),
        ({b"a": {b"x": file(mode=EXECUTABLE)}, b"b": file()}, [b"b"], b"a/"),
        ({b"a": {b"x": file(mode=SYMLINK)}, b"b": file()}, [b"a/y"], b"a/x"),
        ({b"a": {b"x": file()}, b"b": file(mode=GITLINK)}, [b"b"], None),
        ({b"a": {b"x": file()}, b"b": file(mode=GITLINK)}, [b"b/"], b"b"),
        # A directory gives way to a leaf: everything below it goes, and the path itself comes.
        *(({b"a": file(mode=mode), b"b": file()}, [b"a/"], b"a") for mode in (FILE, SYMLINK, GITLINK)),
        *(({b"a": file(mode=mode), b"b": file()}, [b"a"], b"a/") for mode in (FILE, SYMLINK, GITLINK)),
        *(({b"a": file(mode=mode), b"b": file()}, [b"a", b"a/"], None) for mode in (FILE, SYMLINK, GITLINK)),
        # And the other way round.
        ({b"a": {b"x": file()}, b"b": {b"y": file()}}, [b"b/"], b"b"),
        ({b"a": {b"x": file()}, b"b": {b"y": file()}}, [b"b"], b"b/"),
        ({b"a": {b"x": file()}, b"b": {b"y": file()}}, [b"b", b"b/"], None),
        ({b"a": {b"x": file()}, b"b": {b"y": file()}}, [b"b", b"b/y"], None),
        # Removing and moving: the old path counts, too.
        ({b"b": file()}, [b"a/"], None),
        ({b"b": file()}, [b"a/x"], None),
        ({b"b": file()}, [b"c/"], b"a/"),
        ({b"a": {b"y": file()}, b"b": file()}, [b"a/"], None),
        ({b"a": {b"y": file()}, b"b": file()}, [b"a/y"], b"a/x"),
        ({b"c": {b"x": file()}, b"b": file()}, [b"c/"], b"a/"),
        ({b"c": {b"x": file()}, b"b": file()}, [b"a/", b"c/"], None),
        # Names that are like a granted one.
        (A | {b"a-evil": {b"x": file()}}, [b"a/"], b"a-evil/"),
        (A | {b"a.x": file()}, [b"a/"], b"a.x"),
        (A | {b"A": {b"x": file()}}, [b"a/"], b"A/"),
        (A | {b"\xff": {b"x\n": file()}}, [b"a/"], b"\xff/"),
        # The policy file, whatever is granted.
        (A | {POLICY: file()}, [b"/"], POLICY),
        (A | {POLICY: {b"x": file()}}, [b"/"], POLICY + b"/"),
        (A | {POLICY.upper(): file()}, [b"/"], None),
        (A | {b"c": {POLICY: file()}}, [b"/"], None),
        (A, [], None),
    ],
)
def test_grants_and_what_they_do_not_reach(after, granted, path):
    assert differ(A, after, *granted) == path
    assert differ(after, A, *granted) == path
    assert differ(A, after, b"/", policy_file=True) is None


def test_a_policy_file_in_a_directory():
    path = b"conf/policy.yaml"
    before = {b"conf": {b"policy.yaml": file(), b"x": file()}}
    for after, found in (
        ({b"conf": {b"policy.yaml": file(1), b"x": file()}}, path),
        ({b"conf": {b"policy.yaml": {b"y": file()}, b"x": file()}}, path),
        ({b"conf": {b"x": file()}}, path),
        ({b"conf": file()}, path),
        ({}, path),
        ({b"conf": {b"policy.yaml": file(), b"x": file(1)}}, None),
        ({b"conf": {b"policy.yaml": file(), b"policy.yaml.x": file()}}, None),
        ({b"conf": {b"policy.yaml": file(), b"Policy.yaml": file(), b"x": file()}}, None),
    ):
        assert differ(before, after, b"/", policy_path=path) == found
        assert differ(before, after, b"/", policy_path=path, policy_file=True) is None
    moved = {b"conf": {b"x": file()}}
    assert differ(before, moved, policy_path=path, policy_file=True) is None
    assert differ(before, {}, policy_path=path, policy_file=True) == b"conf/x"


def test_paths_come_in_the_order_of_their_bytes():
    """A file ``a`` comes before ``a.b``, which comes before what is below a directory ``a``."""
    names = (b"a.b", b"a", b"a0")
    before = {b"a": file(), b"a.b": file(), b"a0": file()}
    after = {b"a": {b"x": file()}, b"a.b": file(1), b"a0": file(1)}
    forest = Forest()
    found = [change.path for change in changes(forest.trees(), forest.add(before), forest.add(after))]
    assert found == [b"a", b"a.b", b"a/x", b"a0"]
    for count in range(4):
        first = found[count]
        granted = [b"z", *(path if path in names else b"a/" for path in found[:count])]
        assert differ(before, after, *granted) == (first if first in names else b"a/")


@pytest.mark.parametrize("tree", [None, EMPTY_TREE])
def test_no_tree(tree):
    forest = Forest()
    full = forest.add(A)
    trees = forest.trees()
    assert [change.path for change in changes(trees, tree, full)] == [b"a/x", b"b"]
    assert [(path, after) for path, _, after in changes(trees, full, tree)] == [(b"a/x", None), (b"b", None)]
    law = cover(policy(([b"b"], ["alice"])), ALICE, POLICY, policy_file=False)
    assert uncovered(trees, tree, full, law) == uncovered(trees, full, tree, law) == b"a/"
    assert uncovered(trees, tree, None, NOTHING) is uncovered(trees, None, tree, NOTHING) is None
    assert list(changes(trees, tree, None)) == list(changes(trees, None, tree)) == []


def test_nothing_is_read_where_there_is_one_answer():
    """None of the trees is there."""
    trees = Forest().trees()
    one, other = b"\1" * 20, b"\2" * 20
    assert uncovered(trees, one, one, NOTHING) is None
    assert uncovered(trees, one, other, EVERYTHING) is None
    assert uncovered(trees, one, other, NOTHING) == b"/"
    law = cover(policy(([b"a/"], ["alice"])), ALICE, POLICY, policy_file=False)
    with pytest.raises(MissingObject):
        uncovered(trees, one, other, law)


@pytest.mark.parametrize("broken", [None, b"100644 z\0" + b"\1" * 20 + b"100644 a\0" + b"\1" * 20])
@pytest.mark.parametrize(("name", "answer"), [(b"equal", None), (b"granted", None), (b"refused", b"refused/")])
def test_what_is_not_read_may_be_missing_or_malformed(broken, name, answer):
    forest = Forest()
    there = b"\1" * 20 if broken is None else forest.add_raw(broken)
    other = there if name == b"equal" else b"\2" * 20
    granted = {b"x": file()}
    before, after = (forest.add({name: tree, b"part": granted, b"a": file()}) for tree in (there, other))
    law = cover(policy(([b"granted/", b"part/x"], ["alice"])), ALICE, POLICY, policy_file=False)
    assert uncovered(forest.trees(), before, after, law) == answer
    # Where the answer differs below it, the same tree is read: the error is the twin.
    before, after = forest.add({b"part": there}), forest.add({b"part": granted})
    for pair in ((before, after), (after, before)):
        with pytest.raises(MissingObject if broken is None else MalformedTree) as error:
            uncovered(forest.trees(), *pair, law)
        assert broken is not None or error.value.object_id == there
        with pytest.raises(MissingObject if broken is None else MalformedTree):
            list(changes(forest.trees(), *pair))


def test_a_blob_in_place_of_a_directory():
    """The mode says tree, the object is none."""
    forest = Forest()
    blob = b"\7" * 20
    forest.objects[blob] = b"text"
    read = forest.read
    forest.read = lambda object_id: ("blob", b"text") if object_id == blob else read(object_id)
    pair = forest.add({b"a": blob}), forest.add({b"a": {b"x": file()}})
    law = cover(policy(([b"a/x"], ["alice"])), ALICE, POLICY, policy_file=False)
    with pytest.raises(MalformedTree, match="is a blob"):
        uncovered(forest.trees(), *pair, law)


def doubled(forest, depth, leaf):
    """Return a tree with 2 ** depth leaves, made of as many trees as it is deep."""
    tree = forest.add({b"a": leaf, b"b": leaf})
    for _ in range(depth - 1):
        tree = forest.add({b"a": tree, b"b": tree})
    return tree


def test_trees_that_hold_each_other_many_times():
    """What is read is what the policy names, not what the trees would unfold to."""
    forest = Forest()
    before, after = doubled(forest, 200, file()), doubled(forest, 200, file(1))
    path = b"/".join([b"a"] * 200)
    law = cover(policy(([path], ["alice"])), ALICE, POLICY, policy_file=False)
    assert uncovered(forest.trees(), before, after, law) == b"a/" * 199 + b"b"
    assert len(forest.read_ids) == 400
    grants = [b"a/" * depth + b"b/" for depth in range(200)]
    law = cover(policy(([path, *grants, b"a/" * 199 + b"b"], ["alice"])), ALICE, POLICY, policy_file=False)
    assert uncovered(forest.trees(), before, after, law) is None
    found = [change.path for change in islice(changes(forest.trees(), before, after), 3)]
    assert found == [b"a/" * 199 + b"a", b"a/" * 199 + b"b", b"a/" * 198 + b"b/a"]


def test_more_changes_than_anyone_looks_at(monkeypatch):
    forest = Forest()
    pair = doubled(forest, 3, file()), doubled(forest, 3, file(1))
    monkeypatch.setattr("gitverify.trees.difference.LIMITS", type("L", (), {"changed_paths": 8, "tree_depth": 3}))
    assert len(list(changes(forest.trees(), *pair))) == 8
    monkeypatch.setattr("gitverify.trees.difference.LIMITS", type("L", (), {"changed_paths": 7, "tree_depth": 3}))
    with pytest.raises(TooMuch, match="more than 7 paths"):
        list(changes(forest.trees(), *pair))


def test_directories_nested_as_deep_as_git_goes():
    forest = Forest()
    for depth, deepest in ((LIMITS.tree_depth - 1, True), (LIMITS.tree_depth, False), (10_000, False)):
        pair = [forest.chain(depth, b"a", forest.add({b"x": file(value)})) for value in (0, 1)]
        if deepest:
            assert [change.path for change in changes(forest.trees(), *pair)] == [b"a/" * depth + b"x"]
        else:
            with pytest.raises(MalformedTree, match="deep"):
                list(changes(forest.trees(), *pair))
        law = cover(policy(([b"b", b"a/" * 10_000], ["alice"])), ALICE, POLICY, policy_file=False)
        assert uncovered(forest.trees(), *pair, law) == (None if depth == 10_000 else b"a/" * depth + b"x")
