"""Section 5: the contribution of a commit, and the policy that governs a merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference.known import hidden_bases, is_main, lent_policy, merge_bases
from reference.mechanical import unsettled
from reference.paths import difference, is_policy, own_entry

if TYPE_CHECKING:
    from reference.known import Known
    from reference.model import RefCommit, RefPolicy, Tree


@dataclass(frozen=True)
class Governing:
    """Which of a merge's parents governs: ``parents`` holds those that may take the place, ``file`` is the policy file.

    ``both_changed``: both parents changed the file since the merge base, to the same.
    """

    parents: tuple[str, ...]
    file: object
    policy: RefPolicy
    both_changed: bool = False


def bases_of(known: Known, parents: tuple[str, ...]) -> list[str]:
    """The merge bases of two parents; more or fewer have none."""
    return merge_bases(known, *parents) if len(parents) == 2 else []


def file_of(known: Known, name: str) -> object:
    """The policy file of a commit, mode and content."""
    return own_entry(known.world, known.world.history[name])


def changers(known: Known, parents: tuple[str, ...]) -> list[str]:
    """The parents whose policy file changed since the merge base: with several, differs from any of them."""
    bases = bases_of(known, parents)
    return [one for one in parents if any(file_of(known, one) != file_of(known, base) for base in bases)]


def governing(known: Known, parents: tuple[str, ...]) -> Governing | None:
    """The governing policy of a merge of these parents, all authentic; None where every parent's must allow it.

    *Reading*: where no parent descends from the introduction, the introduction's policy governs, and either parent
    may take the governing one's place; where one does, no other may. So where the one that changed does not and
    the other does, nobody governs.
    """
    changed = changers(known, parents)
    files = [file_of(known, parent) for parent in parents]
    on_main = tuple(parent for parent in parents if is_main(known, parent))
    if all(file == files[0] for file in files):
        places = on_main or parents
        return Governing(places, files[0], lent_policy(known, places[0]), both_changed=len(changed) == 2)
    if len(changed) != 1:
        return None
    if not on_main:
        return Governing(parents, file_of(known, changed[0]), lent_policy(known, changed[0]))
    if changed[0] not in on_main:
        return None
    return Governing((changed[0],), file_of(known, changed[0]), lent_policy(known, changed[0]))


def tree_of(known: Known, name: str) -> Tree:
    """The tree of a commit that is decided."""
    return known.world.history[name].tree


def differs_from(known: Known, commit: RefCommit, parent: str) -> frozenset[bytes]:
    """The whole difference to a parent."""
    return difference(tree_of(known, parent), commit.tree)


def merge_contributions(known: Known, commit: RefCommit, parents: tuple[str, ...]) -> list[frozenset[bytes]]:
    """What a merge contributes beside the policy file: one answer for each merge base, each of which must do."""
    if bases_of(known, parents):
        ours, theirs = (tree_of(known, parent) for parent in parents)
        bases = bases_of(known, parents) + hidden_bases(known, *parents)
        found = [unsettled(tree_of(known, base), ours, theirs, commit.tree) for base in bases]
    else:
        found = [frozenset().union(*(differs_from(known, commit, parent) for parent in parents))]
    return [frozenset(path for path in paths if not is_policy(known.world, path)) for paths in found]
