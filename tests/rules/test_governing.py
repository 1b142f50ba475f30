"""Whose policy governs a merge (section 5 of the rules)."""

from rules.world import ENTRY, OTHER_ENTRY, parent, policy

from gitverify.objects.tree import TreeEntry
from gitverify.rules.authority import Base, Standing
from gitverify.rules.governing import Governing, find_governing

THIRD_ENTRY = TreeEntry(b"100644", b"\3" * 20)
POLICY = policy("alice")
MAIN, SIDE, GIVEN = Standing.MAIN, Standing.SIDE, Standing.GIVEN


def make(name, entry, standing=MAIN):
    return parent(POLICY, name=name, entry=entry, standing=standing)


def bases(*entries):
    return [Base(b"b" * 20, entry) for entry in entries]


def test_with_one_file_those_that_descend_from_the_introduction_come_first():
    main, side, given = make(b"p", ENTRY), make(b"q", ENTRY, SIDE), make(b"r", ENTRY, GIVEN)
    for parents, governing in (
        ((main, side), (main,)),
        ((side, main), (main,)),
        ((side, given), (side, given)),
        ((main, main), (main, main)),
        ((side, main, main), (main, main)),
    ):
        assert find_governing(parents, MAIN, ()) == Governing(governing, ENTRY, both_changed=False)


def test_both_changed_it_to_the_same():
    parents = make(b"p", OTHER_ENTRY), make(b"q", OTHER_ENTRY)
    for old, both in (
        (bases(ENTRY), True),
        (bases(OTHER_ENTRY), False),
        (bases(OTHER_ENTRY, ENTRY), True),
        ((), False),
    ):
        assert find_governing(parents, MAIN, old) == Governing(parents, OTHER_ENTRY, both_changed=both)


def test_the_one_that_changed_it_governs():
    old, new = make(b"p", ENTRY), make(b"q", OTHER_ENTRY)
    for parents in ((old, new), (new, old)):
        assert find_governing(parents, MAIN, bases(ENTRY)) == Governing((new,), OTHER_ENTRY)
        assert find_governing(parents, MAIN, bases(ENTRY, ENTRY)) == Governing((new,), OTHER_ENTRY)


def test_nobody_governs():
    one, other, third = make(b"p", ENTRY), make(b"q", OTHER_ENTRY), make(b"r", ENTRY)
    assert find_governing((one, other), MAIN, ()) is None
    assert find_governing((one, other, third), MAIN, ()) is None
    assert find_governing((one, other), MAIN, bases(THIRD_ENTRY)) is None
    assert find_governing((one, other), MAIN, bases(ENTRY, OTHER_ENTRY)) is None


def test_it_has_changed_where_one_of_several_bases_has_another():
    one, other = make(b"p", ENTRY), make(b"q", OTHER_ENTRY)
    for old in (bases(ENTRY, THIRD_ENTRY), bases(THIRD_ENTRY, ENTRY)):
        assert find_governing((one, other), MAIN, old) is None


def test_a_side_branch_governs_on_the_side_only():
    old, new = make(b"p", ENTRY), make(b"q", OTHER_ENTRY, SIDE)
    assert find_governing((old, new), MAIN, bases(ENTRY)) is None
    assert find_governing((old._replace(standing=SIDE), new._replace(standing=MAIN)), MAIN, bases(ENTRY)) == Governing(
        (new._replace(standing=MAIN),), OTHER_ENTRY
    )
    sides = old._replace(standing=SIDE), new
    assert find_governing(sides, SIDE, bases(ENTRY)) == Governing(sides, OTHER_ENTRY)
