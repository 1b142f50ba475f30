"""How the marks of earlier runs lie to a tagged commit, over authentic edges (R23, T4, T6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.floors import floor_of
from gitverify.objects.commit import parse_commit, parse_head
from gitverify.rules.tags import Lies
from gitverify.treepath import components
from gitverify.walk import Fence, reaches, read_commit

if TYPE_CHECKING:
    from gitverify.anchor import Anchor
    from gitverify.mark import Mark
    from gitverify.marking import Marking
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.request import Floor

    Edge = tuple[bytes, bytes]


class Ground:
    """A tagged commit, found authentic in this run, or in the one that made ``floor``.

    ``newest``: the newest vouched commits that it reaches over binding edges (R23); what it has beyond them nobody
    has signed. ``marking`` is this run's; None where an earlier one had judged the commit, or it is the introduction.
    """

    def __init__(
        self,
        source: ObjectSource,
        anchor: Anchor,
        target: bytes,
        newest: tuple[bytes, ...],
        floor: Floor,
        marking: Marking | None,
    ) -> None:
        """Take what is known of the commit; nothing is read yet."""
        self._source = source
        self._target = target
        self._newest = newest
        self._floor = floor
        self._marking = marking
        self._given = below(source, anchor)

    def lies(self, mark: Mark) -> Lies:
        """Return how a mark lies to the commit. Raises MissingObject."""
        if all(self._reaches(commit) for commit in mark.commits):
            return Lies.OLDER
        accepted = fences_of(mark) | self._given
        within = all(
            any(reaches(self._source, commit, newest, accepted) for commit in mark.commits) for newest in self._newest
        )
        return Lies.NEWER if within else Lies.ASIDE

    def _reaches(self, commit: bytes) -> bool:
        """Whether the tagged commit reaches another over binding edges."""
        starts: tuple[bytes, ...] = (self._target,)
        if self._marking is not None:
            if not self._marking.missing(self._target, (commit,)):
                return True
            starts = self._floor.commits
        fences = {*self._floor.fences, *self._given}
        return any(reaches(self._source, start, commit, fences) for start in starts)


def fences_of(mark: Mark) -> set[Edge]:
    """Return the edges below a mark that lead to what was not authentic."""
    return {edge for edge, fence in floor_of(mark, mark.context).fences.items() if fence is Fence.DROPPED}


def below(source: ObjectSource, anchor: Anchor) -> set[Edge]:
    """Return the edges from the introduction down: nobody looks for anything there."""
    here = anchor.facts.id
    return {(here, parent) for parent in parse_head(read_commit(source, here)).parents}


def policy_entry(source: ObjectSource, anchor: Anchor, commit: bytes) -> TreeEntry | None:
    """Return the policy file's entry in a commit's tree. Raises MalformedCommit, MalformedTree, MissingObject."""
    tree = parse_commit(read_commit(source, commit)).tree
    first, *rest = components(anchor.examination.policy_path)
    return anchor.trees.walk(anchor.trees.find(tree, (first,))[0], tuple(rest))
