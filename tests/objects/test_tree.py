"""R7: every tree that is read is checked."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.errors import MalformedTree
from gitverify.objects.tree import EMPTY_TREE, TreeEntry, TreeReader, parse_tree

ID = bytes(range(20))
OTHER = bytes(range(20, 40))


def tree(*entries):
    return b"".join(mode + b" " + name + b"\0" + (rest[0] if rest else ID) for mode, name, *rest in entries)


def test_entries_with_every_mode():
    raw = tree((b"100644", b"a"), (b"120000", b"b.x"), (b"40000", b"b"), (b"160000", b"c"), (b"100755", b"d", OTHER))
    entries = parse_tree(raw)
    assert list(entries) == [b"a", b"b.x", b"b", b"c", b"d"]
    assert entries[b"d"] == TreeEntry(b"100755", OTHER)
    assert entries[b"b"].is_directory
    assert not entries[b"a"].is_directory
    assert [e.is_regular_file for e in entries.values()] == [True, False, False, False, True]


def test_an_empty_root_tree_is_empty():
    assert parse_tree(b"") == {}


def test_find_gives_what_is_asked_for_and_checks_all():
    reader = TreeReader()
    raw = tree((b"100644", b"a"), (b"100644", b"b", OTHER))
    assert reader.find(raw, (b"b", b"x")) == [TreeEntry(b"100644", OTHER), None]
    with pytest.raises(MalformedTree):
        reader.find(tree((b"100644", b"b"), (b"100644", b"a")), (b"b",))


def test_a_remembered_layout_still_checks_ids_and_tells_values_apart():
    reader = TreeReader(remembered=1)
    for object_id in (ID, OTHER):
        assert reader.find(tree((b"40000", b"a", object_id)), (b"a",)) == [TreeEntry(b"40000", object_id)]
    with pytest.raises(MalformedTree, match="empty tree"):
        reader.find(tree((b"40000", b"a", EMPTY_TREE)), (b"a",))
    assert reader.find(tree((b"40000", b"c")), (b"c",))[0] is not None
    assert reader.find(tree((b"40000", b"a")), (b"a",))[0] is not None


def test_the_empty_trees_id_may_be_a_name():
    raw = tree((b"100644", EMPTY_TREE))
    reader = TreeReader()
    assert parse_tree(raw) == reader.entries(raw) == reader.entries(raw) == {EMPTY_TREE: TreeEntry(b"100644", ID)}


def test_large_trees_are_checked_as_well():
    reader = TreeReader()
    raw = tree(*((b"100644", b"%05d" % number) for number in range(3000)))
    assert len(reader.entries(raw)) == 3000
    assert reader.find(raw, (b"02999", b"x")) == [TreeEntry(b"100644", ID), None]
    with pytest.raises(MalformedTree, match="not in order"):
        reader.find(raw + tree((b"100644", b"0")), (b"02999",))
    assert not reader._layouts


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (tree((b"100644", b".")), "named “.”"),
        (tree((b"40000", b"..")), "named “..”"),
        (tree((b"40000", b".git")), "named “.git”"),
        (tree((b"40000", b".GiT")), "named “.GiT”"),
        (tree((b"100644", b"a/b")), "slash"),
        (tree((b"100644", b"")), "no name"),
        (tree((b"100644", b"a"), (b"100644", b"a")), "two entries"),
        (tree((b"100644", b"a"), (b"100644", b"a.b"), (b"40000", b"a")), "two entries"),
        (tree((b"100644", b"b"), (b"100644", b"a")), "not in order at “b”"),
        (tree((b"40000", b"a"), (b"100644", b"a.b")), "not in order"),
        (tree((b"100664", b"a")), "mode “100664”"),
        (tree((b"040000", b"a")), "mode “040000”"),
        (tree((b"", b"a")), "mode “”"),
        (tree((b"40000", b"a", EMPTY_TREE)), "empty tree"),
        (tree((b"100644", b"a"))[:-1], "cut short"),
        (b"100644", "cut short"),
        (tree((b"100644", b"a")) + b"junk", "cut short"),
        (b"junk" + tree((b"100644", b"a")), "mode"),
        (b"100644" + b"a\0" + ID, "mode"),
    ],
)
def test_what_breaks_r7_is_refused(raw, reason):
    with pytest.raises(MalformedTree, match=reason):
        parse_tree(raw)


def test_names_that_only_look_like_git_are_left_to_the_export():
    assert list(parse_tree(tree((b"100644", b".gitignore"), (b"100644", b"git~1")))) == [b".gitignore", b"git~1"]


def test_a_tree_above_the_limit_is_refused(monkeypatch):
    raw = tree((b"100644", b"a"))
    monkeypatch.setattr("gitverify.objects.tree.LIMITS", type("L", (), {"tree_size": len(raw) - 1}))
    with pytest.raises(MalformedTree, match="the limit is"):
        parse_tree(raw)


@given(
    st.dictionaries(
        st.binary(min_size=1, max_size=6).filter(lambda n: not set(n) & {0, 47}), st.booleans(), max_size=12
    )
)
def test_what_git_would_write_is_read_back(names):
    names = {n: d for n, d in names.items() if n.lower() not in {b".", b"..", b".git"}}
    ordered = sorted(names, key=lambda n: n + b"/" if names[n] else n)
    entries = [(b"40000" if names[n] else b"100644", n) for n in ordered]
    assert {n: (e.mode, e.id) for n, e in parse_tree(tree(*entries)).items()} == {n: (m, ID) for m, n in entries}
    if len(entries) > 1:
        with pytest.raises(MalformedTree):
            parse_tree(tree(*reversed(entries)))


def test_git_mktree_agrees_on_the_order(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    git = ["git", "-C", str(tmp_path)]
    blob = subprocess.run([*git, "hash-object", "-w", "--stdin"], input=b"x", capture_output=True, check=True)
    empty = subprocess.run([*git, "mktree"], input=b"", capture_output=True, check=True).stdout.strip().decode()
    lines = [f"100644 blob {blob.stdout.strip().decode()}\t{n}" for n in ("a", "a-b", "a.b", "a0")]
    inner = subprocess.run(
        [*git, "mktree"], input="\n".join(lines), capture_output=True, check=True, text=True
    ).stdout.strip()
    lines += [f"040000 tree {inner}\tab", f"040000 tree {inner}\ta.c"]
    assert empty == EMPTY_TREE.hex()
    made = subprocess.run([*git, "mktree"], input="\n".join(lines), capture_output=True, check=True, text=True)
    raw = subprocess.run([*git, "cat-file", "tree", made.stdout.strip()], capture_output=True, check=True).stdout
    assert list(parse_tree(raw)) == [b"a", b"a-b", b"a.b", b"a.c", b"a0", b"ab"]
