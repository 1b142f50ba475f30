"""Comparing trees: the same answer, and the same refusals (R7), as taking both apart."""

from contextlib import nullcontext
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitverify.errors import MalformedTree
from gitverify.objects import treechanges
from gitverify.objects.tree import EMPTY_TREE, TreeEntry, block_of, parse_tree, sort_key
from gitverify.objects.treechanges import CheckedTree, check, compare

ID = bytes(range(20))
OTHER = bytes(range(20, 40))
FILE, DIRECTORY = b"100644", b"40000"
EMPTY = check(b"")


@pytest.fixture(autouse=True, scope="module", params=[0, 2048], ids=["in pieces", "small ones at once"])
def _small(request):
    """Trees in tests are small, and most are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treechanges, "_SMALL", request.param)
        yield


# Names that are beginnings of each other, on either side of the slash; ids that look like entries.
NAMES = st.sampled_from([b"a", b"a-", b"a-b", b"a.b", b"a0", b"aa", b"b", b"b c", b".gitx", b"c\xff", b"d\n"])
IDS = st.sampled_from([ID, OTHER, b"100644 a\0".ljust(20, b"x"), b"40000 b\0" + b"100644 a\0" + b"aaa", b"\0" * 20])
MODES = st.sampled_from([FILE, DIRECTORY, b"100755", b"120000", b"160000"])


def tree(*entries):
    return b"".join(mode + b" " + name + b"\0" + (rest[0] if rest else ID) for mode, name, *rest in entries)


def many(count, *, skip=(), changed=()):
    return tree(*((FILE, b"%05d" % n, OTHER if n in changed else ID) for n in range(count) if n not in skip))


CONTENTS = st.dictionaries(NAMES, st.tuples(MODES, IDS), max_size=11)
EDITS = st.dictionaries(NAMES, st.none() | st.tuples(MODES, IDS), max_size=3)
FORBIDDEN = st.sampled_from([b".", b"..", b".git", b".GiT"])
MISPLACED = st.tuples(st.integers(0, 11), st.tuples(MODES, NAMES | FORBIDDEN, IDS | st.just(EMPTY_TREE)))


def ordered(contents):
    """The entries in git's order."""
    return sorted(((m, n, i) for n, (m, i) in contents.items()), key=lambda e: sort_key(e[0], e[1]))


TREES = CONTENTS.map(lambda contents: tree(*ordered(contents)))


@st.composite
def histories(draw):
    """Trees of which each is the one before with a few edits, and mostly nothing that breaks R7."""
    contents = draw(CONTENTS)
    found = [tree(*ordered(contents))]
    for edits in draw(st.lists(EDITS, max_size=5)):
        contents = {name: entry for name, entry in (contents | edits).items() if entry is not None}
        entries = ordered(contents)
        for at, entry in draw(st.just([]) | st.lists(MISPLACED, max_size=2)):
            entries.insert(at, entry)
        found.append(tree(*entries))
    return found


def expected(before, after):
    old, new = parse_tree(before), parse_tree(after)
    return {n: (old.get(n), new.get(n)) for n in sorted(old | new) if old.get(n) != new.get(n)}


def heads(raw):
    return [(name, entry.mode) for name, entry in parse_tree(raw).items()]


def refusal(function, *arguments):
    try:
        function(*arguments)
    except MalformedTree as error:
        return str(error)
    return None


def agrees(old, raw):
    """Compare; return the new tree where it keeps R7, the old one otherwise."""
    refused = refusal(parse_tree, raw)
    assert refusal(check, raw) == refused
    again = CheckedTree(old.raw, [*old.starts], recurs=True)
    assert refusal(compare, old, raw) == refusal(compare, again, raw) == refused
    if refused:
        return old
    wanted = expected(old.raw, raw)
    assert list(compare(again, raw)[0].items()) == list(wanted.items())
    changes, new = compare(old, raw)
    assert list(changes.items()) == list(wanted.items())
    assert new.raw == raw
    assert new.recurs is (heads(old.raw) == heads(raw))
    begins, at = [], 0
    for name, entry in parse_tree(raw).items():
        begins.append(at)
        at += len(entry.mode) + len(name) + 22
    assert set(new.starts) <= set(begins)
    assert new.starts == sorted(set(new.starts))
    assert new.starts[:1] == begins[:1]
    return new


@given(histories(), st.sampled_from([(1, 1), (2, 40), (16, 1024)]))
def test_one_tree_after_the_other(history, spacing):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treechanges, "_BLOCK", block_of(spacing[0]))
        patch.setattr(treechanges, "_SPACING", spacing[1])
        old = check(history[0])
        for raw in history[1:]:
            old = agrees(old, raw)


@given(TREES, TREES, st.data())
def test_any_bytes(first, second, data):
    at = data.draw(st.integers(0, len(second)))
    to = data.draw(st.integers(at, min(len(second), at + 3)))
    raw = second[:at] + data.draw(st.binary(max_size=3)) + second[to:]
    agrees(check(first), raw)
    agrees(EMPTY, raw)


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        # A file and a directory of the same name, with another name between them, and each of them is the new one.
        ([(FILE, b"a"), (FILE, b"a.b")], [(FILE, b"a"), (FILE, b"a.b"), (DIRECTORY, b"a")], "two entries"),
        ([(FILE, b"a.b"), (DIRECTORY, b"a")], [(FILE, b"a"), (FILE, b"a.b"), (DIRECTORY, b"a")], "two entries"),
        ([(FILE, b"a.b")], [(FILE, b"a"), (FILE, b"a.b"), (DIRECTORY, b"a")], "two entries"),
        ([(FILE, b"a")], [(FILE, b"a"), (DIRECTORY, b"a")], "two entries"),
        ([(FILE, b"a"), (FILE, b"a.b")], [(FILE, b"a.b"), (DIRECTORY, b"a")], None),
        ([(FILE, b"a.b"), (DIRECTORY, b"a")], [(FILE, b"a"), (FILE, b"a.b")], None),
        ([(FILE, b"a-")], [(FILE, b"a-"), (DIRECTORY, b"a")], None),
        # Order, beside a piece that both share.
        ([(FILE, b"b")], [(FILE, b"b"), (FILE, b"a")], "not in order"),
        ([(FILE, b"b"), (FILE, b"d")], [(FILE, b"b"), (FILE, b"a"), (FILE, b"d")], "not in order"),
        ([(FILE, b"b"), (FILE, b"d")], [(FILE, b"b"), (FILE, b"c"), (FILE, b"d")], None),
        ([(FILE, b"b")], [(FILE, b"b"), (FILE, b"b")], "two entries"),
        ([(FILE, b"b")], [(FILE, b"b"), (FILE, b"b", OTHER)], "two entries"),
        ([(FILE, b"a"), (FILE, b"b")], [(FILE, b"b"), (FILE, b"a")], "not in order"),
        ([(FILE, b"a.b"), (DIRECTORY, b"a")], [(DIRECTORY, b"a"), (FILE, b"a.b")], "not in order"),
        # What an entry may not be.
        ([(FILE, b"a")], [(FILE, b".git"), (FILE, b"a")], "named “.git”"),
        ([(FILE, b"a")], [(FILE, b".gitx"), (FILE, b"a")], None),
        ([(DIRECTORY, b"a")], [(DIRECTORY, b"a", EMPTY_TREE)], "empty tree"),
        ([], [(DIRECTORY, b"a", EMPTY_TREE)], "empty tree"),
        ([(DIRECTORY, b"a")], [(DIRECTORY, b"a", OTHER)], None),
        ([(FILE, b"a")], [(b"100664", b"a")], "mode"),
        ([(FILE, b"a")], [(b"100755", b"a")], None),
        ([], [(FILE, b"a/b")], "slash"),
        ([], [(FILE, b"")], "no name"),
    ],
)
def test_refusals_and_their_twins(before, after, refused):
    old, raw = check(tree(*before)), tree(*after)
    with pytest.raises(MalformedTree, match=refused) if refused else nullcontext():
        compare(old, raw)
    agrees(old, raw)


def test_a_tree_that_ends_within_an_entry():
    old = check(tree((FILE, b"a"), (FILE, b"b")))
    for raw in (old.raw[:-1], old.raw + b"1", old.raw[:30]):
        with pytest.raises(MalformedTree, match="cut short"):
            compare(old, raw)
    assert compare(old, old.raw[:29])[0] == {b"b": (TreeEntry(FILE, ID), None)}


def test_a_type_change_is_one_change():
    changes, _ = compare(check(tree((FILE, b"a"), (FILE, b"a.b"))), tree((FILE, b"a.b"), (DIRECTORY, b"a", OTHER)))
    assert changes == {b"a": (TreeEntry(FILE, ID), TreeEntry(DIRECTORY, OTHER))}


def test_a_tree_above_the_limit_is_refused(monkeypatch):
    raw = many(3)
    for limit, outcome in ((len(raw), nullcontext()), (len(raw) - 1, pytest.raises(MalformedTree, match="the limit"))):
        limits = type("L", (), {"tree_size": limit})
        monkeypatch.setattr("gitverify.objects.tree.LIMITS", limits)
        monkeypatch.setattr("gitverify.objects.treechanges.LIMITS", limits)
        with outcome:
            compare(EMPTY, raw)


def test_only_what_differs_is_taken_apart(monkeypatch):
    """9,000 entries, a few of which differ: the others are not looked at one by one."""
    old, raw = check(many(9000, skip={5000})), many(9000, skip={4000}, changed={10, 8990})
    monkeypatch.setattr(treechanges, "split_tree", None)
    entry, looked = treechanges._match, []
    monkeypatch.setattr(treechanges, "_match", lambda raw, start: looked.append(start) or entry(raw, start))
    changes, new = compare(old, raw)
    assert list(changes) == [b"00010", b"04000", b"05000", b"08990"]
    assert len(looked) < 100
    assert len(new.starts) > 9000 // 17  # so that the next comparison is no slower


def test_places_stay_dense_where_much_is_added():
    """Always the same place, so that all that was added lies between two known beginnings of entries."""
    kept = {*range(10), *range(1990, 2000)}
    old = check(many(2000, skip=set(range(2000)) - kept))
    for number in reversed(range(10, 1990)):
        kept.add(number)
        old = compare(old, many(2000, skip=set(range(2000)) - kept))[1]
    assert old.raw == many(2000)
    assert len(compare(EMPTY, old.raw)[1].starts) < 2000 // 10  # nor are they too dense
    assert old.start(60_000) == 60_000 // 33 * 33
    places = [start for start in old.starts if start < 60_000]
    assert max(there - here for here, there in pairwise(places)) < 100 * 33


@given(st.binary(max_size=600), st.binary(max_size=600), st.integers(0, 600), st.data())
def test_how_much_is_shared(ours, theirs, length, data):
    common = data.draw(st.binary(max_size=600)) * 4
    ours, theirs = common + ours, b"xy" + common + theirs
    assume(length <= len(ours))
    count = treechanges._shared(ours, length, theirs, length + 2)
    assert ours[length : length + count] == theirs[length + 2 : length + 2 + count]
    rest = ours[length + count : length + count + 1], theirs[length + 2 + count : length + 3 + count]
    assert rest[0] != rest[1] or rest[0] == b""


@pytest.mark.parametrize("common", [b"", b"ab", b"ab" * 64, b"ab" * 1000])
def test_what_differs_in_one_bit_or_ends_is_not_shared(common):
    for bit in range(8):
        assert treechanges._shared(common + b"\0", 0, common + bytes([1 << bit]), 0) == len(common)
    for rest in (b"\0", b"\0\0", b"\0c", b"c"):
        assert treechanges._shared(common, 0, common + rest, 0) == len(common)
        assert treechanges._shared(common + rest, 0, common, 0) == len(common)
        assert treechanges._shared(b"xyz" + common + rest, 3, common, 0) == len(common)
        assert treechanges._shared(common + rest, 0, b"xyz" + common, 3) == len(common)


class Pieces(bytes):
    """Bytes that count how often a piece of them is taken."""

    __slots__ = ()
    taken = 0

    def __getitem__(self, piece):
        Pieces.taken += 1
        return super().__getitem__(piece)


def test_few_pieces_are_compared():
    Pieces.taken = 0
    ours, theirs = Pieces(1_000_000), bytes(900_000) + b"x" * 100_000
    assert treechanges._shared(ours, 0, theirs, 0) == 900_000
    assert Pieces.taken < 40


@pytest.mark.parametrize("limit", [-1, 0, 1])
def test_a_small_tree_is_taken_apart_as_a_whole_where_it_is_met_again(limit, monkeypatch):
    trees = [tree((FILE, b"a"), (FILE, b"b", bytes([n]) * 20)) for n in range(4)]
    small = limit >= 0
    monkeypatch.setattr(treechanges, "_SMALL", len(trees[0]) + limit)
    ways = []

    def noting(usual):
        return lambda *trees: ways.append(usual.__name__) or usual(*trees)

    for way in ("_changed_fields", "_changed_ids"):
        monkeypatch.setattr(treechanges, way, noting(getattr(treechanges, way)))
    found = [check(trees[0])]
    for raw in trees[1:]:
        found.append(compare(found[-1], raw)[1])
    assert ways == ["_changed_ids", *["_changed_fields" if small else "_changed_ids"] * 2]
    assert [one.recurs for one in found] == [False, True, True, True]
    assert (found[-1]._layout is not None) is small
    assert found[-1]._layout is found[-2]._layout


def test_any_one_byte_changed():
    """Wherever it is: in a mode, a name, an id, or between them."""
    for before in (tree((FILE, b"a"), (DIRECTORY, b"b"), (FILE, b"c", OTHER)), tree((FILE, b"a", b"\0" * 20))):
        for at in range(len(before)):
            for byte in (0, ord(" "), ord("/"), before[at] ^ 1):
                raw = before[:at] + bytes([byte]) + before[at + 1 :]
                agrees(check(before), raw)
