"""Which parent's policy governs a merge (section 5 of the rules)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.rules.authority import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.objects.tree import TreeEntry
    from gitverify.rules.authority import Base, Parent


class Governing(NamedTuple):
    """The governing policy: ``entry`` is its file, ``parents`` those that may take the governing parent's place.

    ``both_changed``: both parents changed the policy file since the merge base, to the same one.
    """

    parents: tuple[Parent, ...]
    entry: TreeEntry | None
    both_changed: bool = False


def find_governing(parents: Sequence[Parent], standing: Standing, bases: Sequence[Base]) -> Governing | None:
    """Return what governs a merge of these parents; None where nothing does.

    ``bases``: the merge bases of two parents; none where there are more parents, or no history is shared. Of parents
    with the same file those that descend from the introduction come first: what their tree says of keys is newer. A
    parent that does not can't bring a policy file of its own into one that does (R21), so it governs no such merge.
    """
    main = tuple(parent for parent in parents if parent.standing is Standing.MAIN)
    entry = parents[0].entry
    if all(parent.entry == entry for parent in parents):
        both_changed = len(parents) == 2 and bool(changed_since(parents, bases))
        return Governing(main or tuple(parents), entry, both_changed)
    if len(parents) != 2 or not bases:
        return None
    changed = changed_since(parents, bases)
    if len(changed) != 1:
        return None
    one = changed[0]
    if standing is Standing.SIDE:
        return Governing(tuple(parents), one.entry)  # all of them lend the introduction's policy
    if one.standing is not Standing.MAIN and main:
        return None
    return Governing((one,), one.entry)


def changed_since(parents: Sequence[Parent], bases: Sequence[Base]) -> list[Parent]:
    """Return the parents whose policy file is not that of every merge base."""
    return [parent for parent in parents if any(parent.entry != base.entry for base in bases)]
