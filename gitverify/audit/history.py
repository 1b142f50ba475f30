"""The graph of everything that a revision reaches, over raw edges (R5), and which of it is looked at."""

from __future__ import annotations

from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit
from gitverify.objects.commit import parse_head
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.objects.source import ObjectSource


class History:
    """What a tip reaches, newest first and every child before its parents: the graph of :mod:`gitverify.ancestry`.

    All edges count, so nothing is given with an introduction here. A malformed commit ends its line (R6).
    """

    introduction = b""
    skew = 0

    def __init__(self, source: ObjectSource, tip: bytes) -> None:
        """Read all commits. Raises MissingObject where the history is not all there."""
        self.parents: dict[bytes, tuple[bytes, ...]] = {}
        self._dates: dict[bytes, int] = {}
        todo = [tip]
        while todo:
            commit = todo.pop()
            if commit in self.parents:
                continue
            try:
                head = parse_head(read_commit(source, commit))
                self.parents[commit], self._dates[commit] = head.parents, head.date
            except MalformedCommit:
                self.parents[commit], self._dates[commit] = (), 0
            todo += self.parents[commit]

    @cached_property
    def order(self) -> list[bytes]:
        """The commits, newest first; a child comes before its parents whatever their dates say."""
        children = dict.fromkeys(self.parents, 0)
        for parents in self.parents.values():
            for parent in parents:
                children[parent] += 1
        queue = [(-self._dates[commit], commit) for commit, count in children.items() if not count]
        heapify(queue)
        order = []
        while queue:
            commit = heappop(queue)[1]
            order.append(commit)
            for parent in self.parents[commit]:
                children[parent] -= 1
                if not children[parent]:
                    heappush(queue, (-self._dates[parent], parent))
        return order

    @cached_property
    def ranks(self) -> dict[bytes, int]:
        """A number for each commit; a child has a higher one than its parents."""
        return {commit: rank for rank, commit in enumerate(reversed(self.order))}

    def reached(self, *starts: bytes) -> set[bytes]:
        """Return the commits that these reach, themselves included, as far as they belong to this history."""
        found: set[bytes] = set()
        todo = [start for start in starts if start in self.parents]
        while todo:
            commit = todo.pop()
            if commit not in found:
                found.add(commit)
                todo += self.parents[commit]
        return found

    def descendants(self, start: bytes) -> set[bytes]:
        """Return the commits that reach this one, itself included."""
        found = {start}
        for commit in reversed(self.order):
            if not found.isdisjoint(self.parents[commit]):
                found.add(commit)
        return found

    def authentic_parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return a commit's parents: each is taken as authentic."""
        return self.parents[commit]

    def date(self, commit: bytes) -> int:
        """Return a commit's date, in seconds since 1970."""
        return self._dates[commit]

    def given(self, commit: bytes) -> bool:  # noqa: ARG002  (what ancestry asks)
        """Nothing is given."""
        return False

    def descends(self, commit: bytes) -> bool:  # noqa: ARG002  (what ancestry asks)
        """Nothing reaches what is given."""
        return False
