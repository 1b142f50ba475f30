"""Where the marks of earlier runs lie, seen from a tagged commit, over authentic edges (R23, T4, T6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MalformedTree
from gitverify.floors import floor_of
from gitverify.objects.commit import parse_commit, parse_head
from gitverify.rules.tags import Place
from gitverify.treepath import components
from gitverify.walk import Fence, reaches, read_commit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gitverify.anchor import Anchor
    from gitverify.judgement import Judgement
    from gitverify.mark import Mark
    from gitverify.marking import Marking
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.request import Floor

    Edge = tuple[bytes, bytes]


class Ground:
    """A tagged commit, found authentic in this run or in the one that made ``floor``.

    ``judgement`` and ``marking`` are those of this run; None where an earlier one had judged it, or it is the
    introduction.
    """

    def __init__(
        self,
        source: ObjectSource,
        anchor: Anchor,
        target: bytes,
        floor: Floor,
        judged: tuple[Judgement, Marking] | None,
    ) -> None:
        """Take what is known of the commit; nothing is read yet."""
        self._source = source
        self._anchor = anchor
        self._target = target
        self._floor = floor
        self._judged = judged
        self._closure: set[bytes] | None = None

    def places(self, mark: Mark) -> list[Place]:
        """Return where the commits of a mark lie. Raises MissingObject."""
        dropped = fences_of(mark)
        return [self._place(commit, dropped) for commit in mark.commits]

    def _place(self, commit: bytes, dropped: Collection[Edge]) -> Place:
        if reaches(self._source, commit, self._target, {*dropped, *below(self._source, self._anchor)}):
            return Place.ABOVE
        if self._reached(commit):
            return Place.BELOW
        return Place.BESIDE if self._unchanged(commit, dropped) else Place.CHANGED

    def _reached(self, commit: bytes) -> bool:
        """Whether the tagged commit reaches another over binding edges."""
        starts: Iterable[bytes] = (self._target,)
        if self._judged is not None:
            if not self._judged[1].missing(self._target, (commit,)):
                return True
            starts = self._floor.commits
        fences = {*self._floor.fences, *below(self._source, self._anchor)}
        return any(reaches(self._source, start, commit, fences) for start in starts)

    def _unchanged(self, commit: bytes, dropped: Collection[Edge]) -> bool:
        """Whether a commit has the policy file that it had where it and the tagged commit parted."""
        shared = self._shared()
        parted: set[bytes] = set()
        seen, todo = {commit}, [commit]
        while todo:
            here = todo.pop()
            if here in shared:
                parted.add(here)
                continue
            new = {p for p in self._raw_parents(here) if (here, p) not in dropped} - seen
            seen |= new
            todo += new
        entry = self._entry(commit)
        changed = {base for base in parted if self._entry(base) != entry}
        if changed:  # only the newest of where they parted count, as merge bases do
            changed -= self._ancestors({parent for base in parted for parent in self._parents(base)})
        return bool(parted) and not changed

    def _shared(self) -> set[bytes]:
        if self._closure is None:
            self._closure = self._ancestors({self._target})
        return self._closure

    def _ancestors(self, commits: set[bytes]) -> set[bytes]:
        """Return these commits, and what they reach over authentic edges."""
        found, todo = set(commits), list(commits)
        while todo:
            new = set(self._parents(todo.pop())) - found
            found |= new
            todo += new
        return found

    def _parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return the authentic parents of a commit that the tagged one reaches; none of the introduction's."""
        if commit == self._anchor.facts.id:
            return ()
        if self._judged is not None:
            judgement = self._judged[0]
            parents = judgement.parents_of.get(commit)
            if parents is not None:
                return tuple(filter(judgement.is_authentic, parents))
        fences = self._floor.fences
        return tuple([p for p in self._raw_parents(commit) if fences.get((commit, p)) is not Fence.DROPPED])

    def _raw_parents(self, commit: bytes) -> tuple[bytes, ...]:
        try:
            return parse_head(read_commit(self._source, commit)).parents
        except MalformedCommit:
            return ()

    def _entry(self, commit: bytes) -> TreeEntry | None:
        try:
            return policy_entry(self._source, self._anchor, commit)
        except (MalformedCommit, MalformedTree):
            return None


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
