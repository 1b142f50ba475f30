"""Where a branch left the main line: the common case, without a look at what the main line did meanwhile.

The *line* is the tip's first parents. An authentic commit's first parent is authentic, so every commit of the line
reaches all of the line below it. Each commit gets the position of the first one of the line that reaches it; then
whether a commit of the line reaches some other is a comparison of two numbers, and a branch need only be followed down
to where the line reaches it. All of that is exact, and takes time in proportion to the commits, each labelled once.

Where this is not enough to tell, nothing is said, and :mod:`gitverify.ancestry` looks in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Graph(Protocol):
    """What is known of the authentic commits."""

    @property
    def introduction(self) -> bytes:
        """The introduction."""
        ...

    @property
    def ranks(self) -> Mapping[bytes, int]:
        """The commits of this run: a child has a higher rank than its parents."""
        ...

    @property
    def skew(self) -> int | None:
        """By how many seconds at most an earlier run's commit is dated later than a descendant; None: not known."""
        ...

    def authentic_parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return the authentic parents of an authentic commit."""
        ...

    def date(self, commit: bytes) -> int:
        """Return the committer's date of a commit without a rank."""
        ...

    def given(self, commit: bytes) -> bool:
        """Whether the commit is the introduction or an ancestor of it."""
        ...

    def descends(self, commit: bytes) -> bool:
        """Whether the commit is the introduction or descends from it, and so reaches all that is given."""
        ...


class Parted(NamedTuple):
    """Where a branch left the line, and what only the branch reaches, from the newest to the oldest."""

    base: bytes
    beyond: tuple[bytes, ...]


class Mainline:
    """Answers for pairs of authentic commits of which one is on the line."""

    def __init__(self, graph: Graph, line: Sequence[bytes]) -> None:
        """``line``: the commits of this run that are first parents, from the oldest to the tip."""
        self._graph = graph
        self._line = line
        self._position = {commit: at for at, commit in enumerate(line)}
        self._reached: dict[bytes, int] = {}
        self._labelled = 0

    def parted(self, on_line: bytes, branch: bytes) -> Parted | None:
        """Return where ``branch`` left the line below ``on_line``; None where that takes a full look."""
        at = self._position.get(on_line)
        if at is None:
            return None
        self._label(at)
        reached, ranks, parents_of = self._reached, self._graph.ranks, self._graph.authentic_parents
        beyond: set[bytes] = set()
        met: set[bytes] = set()
        todo = [branch]
        while todo:
            commit = todo.pop()
            if reached.get(commit, at + 1) <= at or commit not in ranks:
                met.add(commit)
            elif commit not in beyond:
                beyond.add(commit)
                todo += parents_of(commit)
        # Of what has no label only this is sure to be below the line.
        known = {self._graph.introduction} if self._graph.descends(on_line) else set()
        base = self._newest(met) if all(commit in reached or commit in known for commit in met) else None
        if base is None:
            return None
        return Parted(base, tuple(sorted(beyond, key=ranks.__getitem__, reverse=True)))

    def _newest(self, met: set[bytes]) -> bytes | None:
        """Return the one of these that reaches all others; None where there is none, or it can't be told."""
        if len(met) == 1:
            return next(iter(met))
        newest = max(
            (commit for commit in met if commit in self._position), key=self._position.__getitem__, default=None
        )
        if newest is None:
            return None
        at = self._position[newest]
        known = {self._graph.introduction} if self._graph.descends(newest) else set()
        return newest if all(self._reached.get(commit, at + 1) <= at or commit in known for commit in met) else None

    def _label(self, at: int) -> None:
        """Label all that the line up to this position reaches."""
        reached, ranks, parents_of = self._reached, self._graph.ranks, self._graph.authentic_parents
        while self._labelled <= at:
            todo = [self._line[self._labelled]]
            while todo:
                commit = todo.pop()
                if commit in ranks and commit not in reached:
                    reached[commit] = self._labelled
                    todo += parents_of(commit)
            self._labelled += 1
