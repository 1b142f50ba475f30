"""Merge bases, and what one commit reaches and another does not: over authentic edges only.

Plain ancestry can be forged: whoever may make an adopting merge (R20) can hang any branch below any other, with one
junk commit between them. So the graph that is asked here is the one of the commits that were found authentic, each with
those of its parents that are.

The commits judged in this run have exact ranks, every parent a lower one than its child, so a look at them can stop as
soon as nothing above is left. For those of earlier runs there are only dates, which anyone can write. By how many
seconds an ancestor was ever dated later than a descendant among accepted commits (the *skew*) is kept with the mark,
and a look among them goes on until nothing that is left could be dated that wrongly. Below the introduction not even
that is known, and where several merge bases seem to lie there, it goes on to the end.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import TooMuch
from gitverify.limits import LIMITS
from gitverify.mainline import Mainline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.mainline import Graph, Parted

TANGLED = "the history is too tangled to find out where its branches parted"

_OURS, _THEIRS, _STALE = 1, 2, 4
_BOTH = _OURS | _THEIRS
_OLD = 1 << 62  # a commit without a rank comes after all that have one
_NEVER = -(1 << 70)


class Reach(NamedTuple):
    """What a look at two commits found: the merge bases, and what only one of the two reaches.

    ``ours`` and ``theirs`` go from the newest to the oldest, without what is given.
    """

    bases: tuple[bytes, ...]
    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]


class Ancestry:
    """Answers about one graph."""

    def __init__(self, graph: Graph, line: Sequence[bytes] = ()) -> None:
        """Prepare; nothing is looked at yet. ``line``: the tip's first parents of this run, oldest first."""
        self._graph = graph
        self._mainline = Mainline(graph, line)
        self._steps = LIMITS.ancestry_steps + len(graph.ranks) * LIMITS.ancestry_steps_per_commit
        self._asked: tuple[bytes, bytes] | None = None
        self._found = Reach((), (), ())

    def bases(self, ours: bytes, theirs: bytes) -> tuple[bytes, ...]:
        """Return the merge bases of two authentic commits. Raises as :meth:`reach`."""
        parted = self._parted(ours, theirs) or self._parted(theirs, ours)
        return (parted.base,) if parted is not None else self.reach(ours, theirs).bases

    def beyond(self, commit: bytes, other: bytes) -> tuple[bytes, ...]:
        """Return what ``commit`` reaches and ``other`` does not, newest first, without what is given.

        Both are authentic. Raises as :meth:`reach`.
        """
        parted = self._parted(other, commit)
        return parted.beyond if parted is not None else self.reach(commit, other).ours

    def _parted(self, on_line: bytes, branch: bytes) -> Parted | None:
        parted = self._mainline.parted(on_line, branch)
        if parted is not None:
            self._spend(len(parted.beyond))
        return parted

    def _spend(self, steps: int) -> None:
        """Count steps; what one merge takes is little, but merges come by the thousand."""
        self._steps -= steps
        if self._steps < 0:
            raise TooMuch(TANGLED)

    def reach(self, ours: bytes, theirs: bytes) -> Reach:
        """Look at two authentic commits. Raises TooMuch where the run has looked at too many, and MissingObject."""
        if self._asked == (theirs, ours):
            return Reach(self._found.bases, self._found.theirs, self._found.ours)
        if self._asked != (ours, theirs):
            look = _Look(self._graph, ours, theirs)
            self._steps -= look.run(self._steps)
            self._asked, self._found = (ours, theirs), look.result()
        return self._found


class _Look:
    """One search from two commits at once, newest first, until what is left can change nothing.

    What descends from the introduction reaches all of its closure, so nobody goes there to see (*flood*).
    """

    def __init__(self, graph: Graph, ours: bytes, theirs: bytes) -> None:
        self._graph = graph
        self._flags: dict[bytes, int] = {}
        self._queue: list[tuple[int, bytes]] = []
        self._pending: set[bytes] = set()
        self._single = 0  # how many pending commits only one side reaches
        self._bases: set[bytes] = set()  # reached from both sides and, as far as is known, below no other such commit
        self._side_limit = self._base_limit = -_NEVER  # what is left and older than these takes nothing back
        self._flood = (_OURS if graph.descends(ours) else 0) | (_THEIRS if graph.descends(theirs) else 0)
        self._paint(ours, _OURS)
        self._paint(theirs, _THEIRS)

    def run(self, steps: int) -> int:
        """Search; return how many steps it took."""
        queue, flags, pending = self._queue, self._flags, self._pending
        parents_of = self._graph.authentic_parents
        left = steps
        while queue and (self._single or self._may_change(-queue[0][0])):
            left -= 1
            if left < 0:
                raise TooMuch(TANGLED)
            commit = heappop(queue)[1]
            pending.discard(commit)
            state = flags[commit]
            if state & _BOTH == _BOTH:
                state |= _STALE  # for what lies below
            else:
                self._single -= 1
                if commit not in self._graph.ranks and not self._graph.given(commit):
                    self._side_limit = min(self._side_limit, self._limit(commit))
            for parent in parents_of(commit):
                self._paint(parent, state)
        return steps - left

    def result(self) -> Reach:
        """Return what was found."""
        graph = self._graph
        bases = list(self._bases)
        if self._flood == _BOTH and not any(graph.descends(base) for base in bases):
            bases.append(graph.introduction)
        ours: list[bytes] = []
        theirs: list[bytes] = []
        for commit, state in self._flags.items():
            if state & _BOTH != _BOTH and not graph.given(commit):
                (ours if state & _OURS else theirs).append(commit)
        newest = self._newest_first
        return Reach(tuple(sorted(bases, key=newest)), *(tuple(sorted(side, key=newest)) for side in (ours, theirs)))

    def _newest_first(self, commit: bytes) -> tuple[int, bytes]:
        rank = self._graph.ranks.get(commit)
        return -(rank if rank is not None else self._graph.date(commit) - _OLD), commit

    def _paint(self, commit: bytes, state: int) -> None:
        if self._flood and commit not in self._graph.ranks and self._graph.given(commit):
            state |= self._flood
            if self._flood == _BOTH or state & _BOTH != _BOTH:
                return
        before = self._flags.get(commit, 0)
        after = before | state
        if after == before:
            return
        self._flags[commit] = after
        if after & _STALE:
            self._bases.discard(commit)
        elif after & _BOTH == _BOTH:
            self._bases.add(commit)
            self._base_limit = min(self._base_limit, self._limit(commit))
        single = after & _BOTH != _BOTH
        if commit in self._pending:
            if before & _BOTH != _BOTH and not single:
                self._single -= 1
            return
        self._single += single
        self._pending.add(commit)
        heappush(self._queue, self._newest_first(commit))

    def _limit(self, commit: bytes) -> int:
        """Return the key below which nothing is a descendant of this commit."""
        graph = self._graph
        rank = graph.ranks.get(commit)
        if rank is not None:
            return rank
        if graph.skew is None or graph.given(commit):
            return _NEVER
        return graph.date(commit) - graph.skew - _OLD

    def _may_change(self, key: int) -> bool:
        """Whether what is left, all of it reached from both sides, can take back what was found."""
        return key >= self._side_limit or (len(self._bases) > 1 and key >= self._base_limit)
