"""Which commits are to be judged: those the tip reaches and nothing accepted or given covers.

The walk follows raw parents only (R5) and paints the graph, newest first:

* NEW: reached from the tip, to be judged;
* ACCEPTED, LOOSE, ASIDE: found authentic before, because a mark reaches it over authentic edges (R23);
* GIVEN: the introduction and its ancestors.

Committer dates decide the order, and anyone can write any date, so nothing may depend on them: a commit is painted
only along real edges, and what is painted late is taken back from the NEW ones. A wrong date can make more commits be
looked at again, with the same answer. Where more depends on it, because the rules ask where branches parted,
:meth:`Walk.settle` and :meth:`Walk.exhaust` go on until no date can be wrong enough.

Some edges of the accepted part are *fences* (see :class:`Fence`), at which the colour changes or ends.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MissingObject, OversizedObject
from gitverify.objects.commit import CommitHead, parse_head

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gitverify.objects.source import ObjectSource

    Edge = tuple[bytes, bytes]
    Head = CommitHead | MalformedCommit
    Visitor = Callable[[bytes, bytes, Head, int], None]
    Loaded = tuple[bytes, Head, int]


class Colour(IntEnum):
    """What a commit is; a higher one wins.

    ASIDE: accepted, and does not descend from the introduction (R21). LOOSE: accepted and descends from it, but the
    mark reaches it over an edge that is not binding. ACCEPTED: the mark reaches it over binding edges.
    """

    NEW = 0
    ASIDE = 1
    LOOSE = 2
    ACCEPTED = 3
    GIVEN = 4


class Fence(IntEnum):
    """What sets an edge from an accepted commit to a parent apart.

    DROPPED: the parent is not authentic (R20). SIDE: it does not descend from the introduction (R21). LOOSE: the
    edge is not binding (R23).
    """

    DROPPED = 0
    SIDE = 1
    LOOSE = 2


# Looking a member up in its class takes longer than everything else that is done with it.
_NEW, _GIVEN = Colour.NEW, Colour.GIVEN
_BEYOND = {Fence.SIDE: Colour.ASIDE, Fence.LOOSE: Colour.LOOSE}


def read_commit(source: ObjectSource, object_id: bytes) -> bytes:
    """Return a commit's raw content. Raises MissingObject, and MalformedCommit for an object of another kind."""
    try:
        kind, raw = source.read(object_id)
    except OversizedObject as error:
        raise MalformedCommit(str(error)) from None
    if kind != "commit":
        raise MalformedCommit(f"object {object_id.hex()} stands where a commit is expected, but is a {kind}")
    return raw


class Walk:
    """One walk from a tip. ``new`` holds the parents of each commit to be judged, newest first."""

    def __init__(
        self,
        source: ObjectSource,
        tip: bytes,
        introduction: bytes,
        accepted: Collection[bytes] = (),
        fences: Mapping[Edge, Fence] | None = None,
        aside: Collection[bytes] = (),
    ) -> None:
        """Prepare; nothing is read yet. Ids are raw; ``aside`` are those of the accepted that are to the side."""
        self._source = source
        self._introduction = introduction
        self._fences = fences or {}
        self._colours: dict[bytes, Colour] = {}
        self._parents: dict[bytes, tuple[bytes, ...]] = {}
        self._loaded: dict[bytes, Loaded] = {}
        self._visited: dict[bytes, tuple[bytes, ...]] = {}  # those that are NEW still, with their parents
        self._queue: list[tuple[int, bytes]] = []
        self._pending = 0
        self._absent: dict[bytes, MissingObject] = {}
        late = 1 << 62
        self._paint(introduction, Colour.GIVEN, late)
        for commit in accepted:
            self._paint(commit, Colour.ASIDE if commit in aside else Colour.ACCEPTED, late)
        self._paint(tip, Colour.NEW, late)

    def run(self, visit: Visitor) -> None:
        """Walk until everything that is left is covered; call ``visit(id, raw, head, date)`` for each NEW one.

        For a commit that breaks R6 in its first fields ``head`` is the error, and there are no parents to follow. A
        visited commit may later turn out to be covered: only :attr:`new` counts. Raises MissingObject where a NEW
        commit is absent (R5): the first in order.
        """
        while self._pending:
            self._step(visit)
        while (absent := self._needed()) is not None:
            if not self._queue:
                raise absent
            self._step(visit)
        self._loaded.clear()

    def settle(self, since: int) -> None:
        """Paint on until nothing is left that is dated later than ``since`` (seconds since 1970)."""
        while self._queue and -self._queue[0][0] >= since:
            self._step(None)

    def find(self, commit: bytes) -> Colour | None:
        """Paint on until a commit has a colour; None where nothing that is accepted or given reaches it."""
        while commit not in self._colours and self._queue:
            self._step(None)
        return self._colours.get(commit)

    def exhaust(self) -> None:
        """Paint to the end, so that every ancestor of the introduction is known to be one.

        Raises MissingObject where the history below the introduction is not all there.
        """
        while self._queue:
            self._step(None)
        if self._absent:
            raise next(iter(self._absent.values()))

    @property
    def exhausted(self) -> bool:
        """Whether everything has been painted."""
        return not self._queue

    @property
    def new(self) -> dict[bytes, tuple[bytes, ...]]:
        """The commits to be judged with their parents, in the order of the walk (newest first)."""
        return self._visited.copy()

    def colour(self, commit: bytes) -> Colour | None:
        """Return what the walk knows of a commit; None if it did not come by."""
        return self._colours.get(commit)

    def _needed(self) -> MissingObject | None:
        """Return the first absent commit that nothing covers yet; a look further down may still cover it."""
        return next((e for c, e in self._absent.items() if self._colours[c] is Colour.NEW), None)

    def _paint(self, commit: bytes, colour: Colour, key: int) -> None:
        """Give a commit a colour and queue it, unless it has it already."""
        before = self._colours.get(commit)
        if before is not None and before >= colour:
            return
        self._colours[commit] = colour
        if colour is _NEW:
            self._pending += 1
        elif before is _NEW:
            if commit not in self._parents:
                self._pending -= 1
            self._visited.pop(commit, None)
        loaded = self._loaded.get(commit)
        heappush(self._queue, (-(loaded[2] if loaded else key), commit))

    def _step(self, visit: Visitor | None) -> None:
        key, commit = heappop(self._queue)
        colour = self._colours[commit]
        parents = self._parents.get(commit)
        date = -key
        if parents is None:
            loaded = self._loaded.get(commit) or self._load(commit)
            if loaded is None:
                if colour is _NEW:
                    self._pending -= 1
                return
            date = loaded[2]
            # Queued under its child's date; in its own place only now that its own is known.
            if self._queue and -date > self._queue[0][0] and -date != key:
                self._loaded[commit] = loaded
                heappush(self._queue, (-date, commit))
                return
            self._loaded.pop(commit, None)
            if colour is _NEW:
                self._descend(commit, loaded, visit)
                return
            parents = self._parents[commit] = _parents(loaded[1])
        for parent in parents:
            self._follow(commit, parent, colour, date)

    def _descend(self, commit: bytes, loaded: Loaded, visit: Visitor | None) -> None:
        """Visit a NEW commit, and its line of only parents without a detour over the queue while they come first."""
        queue, colours = self._queue, self._colours
        while True:
            raw, head, date = loaded
            parents = self._parents[commit] = _parents(head)
            self._visited[commit] = parents
            if visit is not None:
                visit(commit, raw, head, date)
            if len(parents) != 1 or parents[0] in colours:
                break
            commit = parents[0]
            colours[commit] = _NEW
            found = self._load(commit)
            if found is None:
                self._pending -= 1
                return
            loaded = found
            if queue and -loaded[2] > queue[0][0]:
                self._loaded[commit] = loaded
                heappush(queue, (-loaded[2], commit))
                return
        self._pending -= 1
        for parent in parents:
            self._follow(commit, parent, _NEW, date)

    def _follow(self, commit: bytes, parent: bytes, colour: Colour, date: int) -> None:
        if colour is not _NEW and colour is not _GIVEN and self._fences:
            fence = self._fences.get((commit, parent))
            if fence is Fence.DROPPED:
                return
            if fence is not None:
                colour = min(colour, _BEYOND[fence])
        self._paint(parent, colour, date)

    def _load(self, commit: bytes) -> Loaded | None:
        """Read a commit; None where it is absent, which matters only if it stays NEW."""
        try:
            raw = read_commit(self._source, commit)
        except MissingObject as error:
            self._absent[commit] = error
            self._parents[commit] = ()
            return None
        except MalformedCommit as error:
            return b"", error, 0
        try:
            head = parse_head(raw)
        except MalformedCommit as error:
            return raw, error, 0
        return raw, head, head.date


def _parents(head: Head) -> tuple[bytes, ...]:
    return head.parents if isinstance(head, CommitHead) else ()


def reaches(source: ObjectSource, start: bytes, goal: bytes, without: Collection[Edge] = ()) -> bool:
    """Whether ``goal`` is ``start`` or an ancestor of it over raw edges but those of ``without``, newest first.

    Raises MissingObject where the history that would have to be looked at is not all there. Malformed commits
    end their line.
    """
    seen = {start}
    queue = [(0, start)]
    while queue:
        _, commit = heappop(queue)
        if commit == goal:
            return True
        try:
            head = parse_head(read_commit(source, commit))
        except MalformedCommit:
            continue
        for parent in head.parents:
            if parent not in seen and (commit, parent) not in without:
                seen.add(parent)
                heappush(queue, (-head.date, parent))
    return False
