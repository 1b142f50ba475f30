"""The mechanical merge against its definition, path by path, and against git; how little of the trees it reads."""

from hashlib import sha1
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policies.rights import may_change, policy
from trees.forest import EXECUTABLE, FILE, GITLINK, SYMLINK
from trees.oracles import SIDES, Scratch, needs_merge_tree
from trees.store import Store

from gitverify.objects.tree import EMPTY_TREE, parse_tree
from gitverify.policies.coverage import EVERYTHING, NOTHING, Extent, cover
from gitverify.source import Repository
from gitverify.treepath import Trees
from gitverify.trees.mechanical import Why, unsettled
from gitverify.trees.textmerge import is_clean_merge, merge

ALICE = frozenset({"alice"})


def contribution(store, trees):
    """The definition: of every path, whatever lies on the way to it."""
    base, ours, theirs, recorded = map(store.leaves, trees)
    found = {}
    for path in sorted(base | ours | theirs | recorded):
        b, o, t, r = (leaves.get(path) for leaves in (base, ours, theirs, recorded))
        why = why_not(store, b, o, t, r)
        if why:
            found[path] = why
    return found


def why_not(store, b, o, t, r):  # noqa: PLR0911
    if t in (b, o):
        return None if r == o else Why.OTHERWISE
    if o == b:
        return None if r == t else Why.OTHERWISE
    if None in {b, o, t} or {b.mode, o.mode, t.mode} - {FILE, EXECUTABLE}:
        return Why.BOTH
    mode = o.mode if t.mode in {b.mode, o.mode} else t.mode
    if r is None or r.mode != mode:
        return Why.OTHERWISE
    if t.id in {b.id, o.id} or o.id == b.id:
        return None if r.id == (t.id if o.id == b.id else o.id) else Why.OTHERWISE
    contents = [store.blobs[entry.id] for entry in (b, o, t, r)]
    if is_clean_merge(*contents):
        return None
    return Why.CONFLICT if merge(*contents[:3]) is None else Why.OTHERWISE


# --- against the definition -----------------------------------------------------------------------------------------

NAMES = st.sampled_from([b"a", b"a-", b"a.b", b"a0", b"p", b"\xff\n"])
ENDS = st.sampled_from([b"1\n", b"2\n", b"3\n"])
CONTENTS = st.builds(b"%b%b%b".__mod__, st.tuples(ENDS, st.sampled_from([b"-\n"] * 6 + [b""]), ENDS))
LEAVES = st.tuples(st.sampled_from([FILE, FILE, FILE, FILE, EXECUTABLE, SYMLINK, GITLINK]), CONTENTS)
NODES = st.recursive(LEAVES, lambda nodes: st.dictionaries(NAMES, nodes, min_size=1, max_size=4), max_leaves=12)
ROOTS = st.dictionaries(NAMES, NODES, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
PREFIXES = st.tuples(PATHS, st.sampled_from([b"", b"/"])).map(b"".join)


@st.composite
def nodes(draw):
    """Four trees, as dictionaries; mostly the last is close to what the others come to."""

    def edited(node):
        what = draw(st.integers(0, 19))
        if what < 4:
            return node
        if isinstance(node, dict):
            below = {name: edited(inner) for name, inner in node.items() if draw(st.integers(0, 19))}
            return below | (draw(st.dictionaries(NAMES, NODES, max_size=1)) if what > 17 else {}) or draw(LEAVES)
        if what < 6:
            return draw(NODES)
        mode, content = node
        content = draw(ENDS) + content[2:] if draw(st.booleans()) else content[:-2] + draw(ENDS)
        return draw(st.sampled_from([mode, mode, mode, EXECUTABLE])), content

    def close(base, ours, theirs):
        if draw(st.integers(0, 30)) == 0:
            return draw(st.sampled_from([base, ours, theirs, draw(LEAVES)]))
        if theirs in (base, ours):
            return ours
        if ours == base:
            return theirs
        if dict in map(type, (base, ours, theirs)):
            below = [node if isinstance(node, dict) else {} for node in (base, ours, theirs)]
            found = {name: close(*(node.get(name) for node in below)) for name in below[0] | below[1] | below[2]}
            return {name: node for name, node in found.items() if node} or None
        if base and ours and theirs:
            contents = base[1], ours[1], theirs[1]
            results = [
                contents[1],
                contents[2],
                contents[1][:-2] + contents[2][-2:],
                contents[2][:-2] + contents[1][-2:],
            ]
            merged = next((result for result in results if is_clean_merge(*contents, result)), draw(CONTENTS))
            return ours[0] if theirs[0] in {base[0], ours[0]} else theirs[0], merged
        return ours or theirs

    def pruned(node):
        if not isinstance(node, dict):
            return node
        below = {name: pruned(inner) for name, inner in node.items()}
        return {name: inner for name, inner in below.items() if inner}

    base = draw(ROOTS)
    sides = [draw(ROOTS) if draw(st.integers(0, 19)) == 0 else edited(base) for _ in range(2)]
    sides = [side if isinstance(side, dict) else {b"a": side} for side in sides]
    recorded = close(base, *sides) or {}
    recorded = recorded if isinstance(recorded, dict) else {b"a": recorded}
    return [pruned(node) for node in (base, *sides, recorded)]


@st.composite
def merges(draw):
    """A store, and the ids of four trees."""
    store = Store()
    return store, [store.tree(node) for node in draw(nodes())]


@settings(max_examples=300)
@given(merges())
def test_the_contribution_is_what_the_definition_says(case):
    store, trees = case
    wanted = contribution(store, trees)
    assert dict(store.paths(trees)) == wanted
    assert [path for path, _ in store.paths(trees)] == list(wanted)  # in order
    assert (store.ask(trees) is None) == (not wanted)
    base, ours, theirs, recorded = trees
    assert [path for path, _ in store.paths([base, theirs, ours, recorded])] == list(wanted)


@settings(max_examples=300)
@given(
    merges(),
    st.lists(PREFIXES, max_size=4),
    st.lists(PREFIXES, max_size=1),
    PATHS | st.just(b"a/p"),
    st.booleans(),
    st.booleans(),
)
def test_the_first_path_that_is_not_covered(case, granted, unprotected, policy_path, policy_file, everywhere):
    store, trees = case
    law = policy(([*granted, *([b"/"] if everywhere else [])], ["alice"]), unprotected=unprotected)

    def covered(path):
        return may_change(law, ALICE, path, policy_path, policy_file=policy_file)

    wanted = contribution(store, trees)
    view = cover(law, ALICE, policy_path, policy_file=policy_file)
    found = store.ask(trees, view)
    first = next((path for path in wanted if not covered(path)), None)
    if found is None or not found.endswith(b"/"):
        assert found == first
    else:
        directory = b"" if found == b"/" else found
        assert first.startswith(directory)
        assert not any(covered(path) for path in wanted if path.startswith(directory))
    # What was read lies in directories that the ids do not settle as recorded, and that are not covered as a whole;
    # where they are settled otherwise, only as far as a prefix leads.
    may_be_read = set()
    todo = [(tuple(trees), view)]
    while todo:
        four, here = todo.pop()
        base, ours, theirs, recorded = four
        settled = theirs == base or ours in {base, theirs}
        if here.extent is Extent.ALL or (settled and (theirs if ours == base else ours) == recorded):
            continue
        if settled and here.extent is Extent.NONE:
            continue
        may_be_read |= set(four)
        names = {name for tree in four if tree for name in parse_tree(store.objects[tree])}
        todo += [(tuple(store.directory(tree, name) for tree in four), here.enter(name)) for name in names]
    assert set(store.read_ids) <= may_be_read
    assert len(set(store.read_ids)) == len(store.read_ids)


@given(merges())
def test_nothing_is_read_where_everything_is_covered(case):
    store, trees = case
    assert store.ask(trees, EVERYTHING) is None
    assert not store.read_ids
    assert not store.blobs_read


# --- git and libgit2 ------------------------------------------------------------------------------------------------


def some_leaf(rng):
    mode = rng.choice([FILE, FILE, FILE, FILE, EXECUTABLE, SYMLINK, GITLINK])
    return mode, b"".join(rng.choices([b"1\n", b"2\n", b"3\n"], k=rng.randint(0, 3)))


def some_tree(rng, depth=0):
    names = [name for name in (b"a", b"a-", b"a.b", b"a0", b"p") if rng.random() < 0.5] or [b"a"]
    return {name: some_tree(rng, depth + 1) if depth < 3 and rng.random() < 0.4 else some_leaf(rng) for name in names}


def edited(rng, node):
    if rng.random() < 0.3:
        return node
    if not isinstance(node, dict):
        return (node[0], node[1] + b"4\n") if rng.random() < 0.5 else rng.choice([some_leaf, some_tree])(rng)
    below = {name: edited(rng, inner) for name, inner in node.items() if rng.random() < 0.9}
    return below or some_leaf(rng)


def leaves(node, path=b""):
    """Return path → (mode, content) as git takes it; each file's content is its own, so none looks like a rename."""
    if isinstance(node, dict):
        return {at: leaf for name in node for at, leaf in leaves(node[name], path + b"/" + name).items()}
    mode, content = node
    if mode == GITLINK:
        return {path[1:]: (mode, sha1(path + content).digest())}
    own = [b"%d %s\n" % (number, path * 5) for number in range(9)]
    # Both ends of a file change, so that some changes of two sides meet and some do not.
    return {path[1:]: (mode, content[: len(content) // 4 * 2] + b"".join(own) + content[len(content) // 4 * 2 :])}


def subtree(tree, name):
    """Return the raw id of a directory of a tree of pygit2's; an empty one where there is none."""
    return tree[name].id.raw if name in tree else EMPTY_TREE


@pytest.mark.parametrize("seed", range(3))
def test_git_and_libgit2_merge_the_same_trees(tmp_path, seed):
    """Many merges as one, each in a directory of its own."""
    needs_merge_tree()
    rng = Random(seed)
    wholes = [{}, {}, {}]
    for number in range(250):
        base = some_tree(rng)
        for whole, node in zip(wholes, (base, edited(rng, base), edited(rng, base)), strict=True):
            whole[b"m%d" % number] = {b"top": node}
    scratch = Scratch(tmp_path)
    scratch.commits(leaves(whole) for whole in wholes)
    sides = [scratch.tree(name) for name in SIDES]
    source = Repository(scratch.path, bare="trusted")
    for tree, conflicts in (scratch.merge_tree(), scratch.merge_trees()):
        clean = {f"m{number}" for number in range(250)} - {path.partition("/")[0] for path in conflicts}
        assert 50 < len(clean) < 200
        for name in (f"m{number}" for number in range(250)):
            versions = [subtree(side, name) for side in sides]
            recorded = subtree(tree, name) if name in clean else versions[1]
            path = unsettled(Trees(source), lambda blob: source.read(blob)[1], *versions, recorded, NOTHING)
            assert (path is None) == (name in clean)
