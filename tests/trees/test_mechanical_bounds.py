"""What the mechanical merge cannot read, and what it takes at most."""

from dataclasses import replace

import pytest
from policies.rights import policy
from trees.store import BOTH, FIRST, LAST, LINES, OTHER, Store

from gitverify.errors import MalformedTree, MissingObject, OversizedObject, TooMuch
from gitverify.limits import LIMITS
from gitverify.policies.coverage import EVERYTHING, NOTHING, cover
from gitverify.trees.mechanical import Why, Work, unsettled, unsettled_paths

POLICY = b".gitverify.yaml"
ALICE = frozenset({"alice"})


def test_a_tree_that_is_missing_below_a_changed_path():
    store = Store()
    nodes = [{b"d": {b"e": {b"x": x, b"y": y}}} for x, y in ((b"1", b"1"), (b"2", b"1"), (b"1", b"2"), (b"2", b"2"))]
    trees = [store.tree(node) for node in nodes]
    assert store.ask(trees) is None
    for tree in trees:
        missing = store.directory(tree, b"d/e")
        raw = store.objects.pop(missing)
        with pytest.raises(MissingObject) as caught:
            store.ask(trees)
        assert caught.value.object_id == missing
        # Nobody asks for it where the answer does not depend on it.
        assert store.ask(trees, cover(policy(([b"d/"], ["alice"])), ALICE, POLICY, policy_file=False)) is None
        store.objects[missing] = raw
    with pytest.raises(MissingObject):
        unsettled(store.trees(), Store().blob, *(store.tree({b"f": b}) for b in (LINES, FIRST, LAST, BOTH)), NOTHING)


def test_a_malformed_tree():
    store = Store()
    bad = store.add_raw(b"100644 a\0" + bytes(20) + b"100644 a\0" + bytes(20))
    trees = [store.add({b"d": node}) for node in ({b"x": store.file(b"1")}, {b"x": store.file(b"2")}, bad, bad)]
    with pytest.raises(MalformedTree):
        store.ask(trees)


def test_a_file_that_is_too_large():
    store = Store()
    trees = [store.tree({b"a": content, b"b": b"1"}) for content in (LINES, FIRST, LAST, BOTH)]

    def blob(_):
        raise OversizedObject("blob", 1, 0)

    assert list(unsettled_paths(store.trees(), blob, *trees)) == [(b"a", Why.TOO_LARGE)]


# --- bounds ---------------------------------------------------------------------------------------------------------


def limited(monkeypatch, **limits):
    monkeypatch.setattr("gitverify.trees.mechanical.LIMITS", replace(LIMITS, **limits))


def wide(store, count):
    """Return a merge in which both sides changed every one of so many files, in directories of ten."""
    return [
        store.tree(
            {
                b"%03d" % at: {b"%d" % number: content for number in range(10)}
                for at, content in enumerate([content] * (count // 10))
            }
        )
        for content in (LINES, FIRST, LAST, BOTH)
    ]


def test_work_is_counted():
    store = Store()
    trees = wide(store, 30)
    work = Work()
    assert store.ask(trees, work=work) is None
    # The three directories are one tree, so two of them need no second look.
    assert (work.directories, work.files) == (2, 10)
    assert work.bytes == 10 * 4 * len(LINES)
    assert work.names == 2 * (3 + 10)
    assert work.tree_bytes == sum(len(store.objects[tree]) for tree in set(store.read_ids))
    assert 0 < work.steps < 2000
    again = Work()
    assert store.paths(trees, work=again) == []
    assert again.files == 30  # here every path counts


def test_names_that_both_sides_changed_alike_are_counted():
    store = Store()
    trees = [
        store.tree({b"d": {b"f": content, b"g": content}, b"h": g})
        for content, g in ((b"1", b"1"), (b"2", b"2"), (b"2", b"1"), (b"2", b"3"))
    ]
    work = Work()
    assert [path for path, _ in store.paths(trees, work=work)] == [b"h"]
    assert work.names == 1 + 1 + 2


def apart(store, count):
    """Return a merge in which each side changed other files, two in each of so many directories."""
    contents = [(b"1", b"1"), (b"2", b"1"), (b"1", b"2"), (b"2", b"2")]
    return [
        store.tree({b"%03d" % at: {b"f": ours, b"g": theirs, b"n": b"%d" % at} for at in range(count)})
        for ours, theirs in contents
    ]


def binary(store, count):
    return [store.tree({b"%03d" % at: b"\0%d%d" % (at, side) for at in range(count)}) for side in range(4)]


@pytest.mark.parametrize(
    ("limit", "made"),
    [
        *((limit, wide) for limit in ("directories", "names", "tree_bytes", "bytes")),
        *((limit, apart) for limit in ("directories", "names", "tree_bytes")),
        ("bytes", binary),
    ],
)
def test_too_much(monkeypatch, limit, made):
    store = Store()
    trees = made(store, 30)
    work = Work()
    found = store.paths(trees, work=work)
    taken = getattr(work, limit)
    limited(monkeypatch, **{f"merge_{limit}": taken})
    assert store.paths(trees) == found
    limited(monkeypatch, **{f"merge_{limit}": taken - 1})
    with pytest.raises(TooMuch):
        store.paths(trees)
    assert store.ask(trees, EVERYTHING) is None


def test_too_many_steps(monkeypatch):
    """They are counted after each file, and asked for before the next."""
    store = Store()
    trees = wide(store, 10)
    work = Work()
    assert store.ask(trees, work=work) is None
    limited(monkeypatch, merge_steps=work.steps * 9 // 10)
    assert store.ask(trees) is None
    limited(monkeypatch, merge_steps=work.steps * 9 // 10 - 1)
    with pytest.raises(TooMuch):
        store.ask(trees)


def test_work_on_several_bases_adds_up():
    store = Store()
    trees = wide(store, 10)
    work = Work()
    for total in (1, 2):
        assert store.ask(trees, work=work) is None
        assert work.files == 10 * total
        assert work.tree_bytes == total * sum(len(store.objects[tree]) for tree in set(store.read_ids))


def test_a_file_that_takes_too_long(monkeypatch):
    store = Store()
    trees = [store.tree({b"f": content}) for content in (LINES, FIRST, LAST, BOTH)]
    limited(monkeypatch, merge_file_steps=20)
    assert store.paths(trees) == [(b"f", Why.TOO_LARGE)]
    limited(monkeypatch, merge_file_steps=2000)
    assert store.paths(trees) == []


def test_a_conflict_that_takes_all_there_is(monkeypatch):
    store = Store()
    trees = [store.tree({b"f": content}) for content in (LINES, FIRST, OTHER, BOTH)]
    work = Work()
    assert store.paths(trees, work=work) == [(b"f", Why.CONFLICT)]
    limited(monkeypatch, merge_file_steps=work.steps)
    assert store.paths(trees) == [(b"f", Why.CONFLICT)]
    limited(monkeypatch, merge_file_steps=work.steps - 1)
    assert store.paths(trees) == [(b"f", Why.TOO_LARGE)]


def test_a_wide_contribution_is_bounded(monkeypatch):
    store = Store()
    trees = [store.tree({b"d": {b"%d" % at: content for at in range(9)}}) for content in (b"1", b"1", b"1", b"2")]
    work = Work()
    assert len(store.paths(trees, work=work)) == 9
    assert work.names == 9
    limited(monkeypatch, merge_names=8)
    with pytest.raises(TooMuch):
        store.paths(trees)
    assert store.ask(trees) == b"/"


def bomb(store, depth, content):
    """Return a tree of two to the power of ``depth`` equal files, made of as many trees as it is deep."""
    tree = store.tree({b"f": content})
    for _ in range(depth):
        tree = store.add({b"0": tree, b"1": tree})
    return tree


def test_trees_that_hold_the_same_trees_again_and_again():
    store = Store()
    trees = [bomb(store, 60, content) for content in (LINES, FIRST, LAST, BOTH)]
    law = cover(policy(([b"0/1/0/x", b"1/1/1/0/"], ["alice"])), ALICE, POLICY, policy_file=False)
    for view in (NOTHING, law):
        store.read_ids.clear()
        work = Work()
        assert store.ask(trees, view, work=work) is None
        assert len(store.read_ids) == 4 * 61
        assert work.directories < 61 + 8
    other = [*trees[:3], bomb(store, 60, FIRST)]
    assert store.ask(other) == b"0/" * 60 + b"f"
    assert (
        store.ask(other, cover(policy(([b"0/"], ["alice"])), ALICE, POLICY, policy_file=False))
        == b"1/" + b"0/" * 59 + b"f"
    )


def test_all_of_what_such_trees_contribute_is_bounded(monkeypatch):
    limited(monkeypatch, merge_names=500)
    store = Store()
    with pytest.raises(TooMuch):
        store.paths([bomb(store, 60, content) for content in (LINES, FIRST, LAST, BOTH)])
    with pytest.raises(TooMuch):
        store.paths([bomb(store, 60, content) for content in (LINES, LINES, LINES, BOTH)])


def test_depth_is_bounded_and_takes_no_recursion():
    store = Store()
    trees = [store.chain(LIMITS.tree_depth - 1, b"d", store.tree({b"f": c})) for c in (LINES, FIRST, LAST, BOTH)]
    assert store.ask(trees) is None
    other = [*trees[:3], store.chain(LIMITS.tree_depth - 1, b"d", store.tree({b"f": FIRST}))]
    assert store.paths(other) == [(b"d/" * (LIMITS.tree_depth - 1) + b"f", Why.OTHERWISE)]
    with pytest.raises(MalformedTree, match="nested"):
        store.ask([store.add({b"d": tree}) for tree in trees])
