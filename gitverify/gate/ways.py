"""The ways by which a branch may come in, as commits: the branch's own, and those that a forge would make."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit
from gitverify.gate.workshop import Conflicts, NotMade
from gitverify.imagined import unsigned_commit
from gitverify.objects.commit import parse_head
from gitverify.objects.tree import EMPTY_TREE
from gitverify.rules.facts import Refusal
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.gate.span import Span
    from gitverify.gate.workshop import Workshop
    from gitverify.imagined import Imagined

METHODS = ("branch", "merge", "squash", "rebase")

MADE_BY_FORGE = {
    "merge": "the merge commit that the forge would make",
    "squash": "the one commit that the forge would make of all",
    "rebase": "this commit as the forge would make it anew",
}


@dataclass(slots=True)
class Way:
    """A way in. ``tip``: the commit that the target would be at; None where ``problem`` says why there is none.

    ``made``: the commits that are made up, with the one that each is made of; ``b""`` where it is none. ``conflicts``:
    the problem is that nobody can make them.
    """

    name: str
    tip: bytes | None = None
    problem: Refusal | None = None
    made: dict[bytes, bytes] = field(default_factory=dict)
    conflicts: bool = False


def undecided(message: str, hint: str, commit: bytes = b"") -> Refusal:
    """Make the answer for a way of which it can't be told what comes of it."""
    return Refusal(commit, "R5", "route-undecided", message, hint)


class Ways:
    """Makes the commits of each way up. Methods raise MissingObject."""

    def __init__(self, imagined: Imagined, workshop: Workshop, span: Span, now: int) -> None:
        """``now``: the date of what is made up, in seconds since 1970."""
        self._imagined = imagined
        self._workshop = workshop
        self._span = span
        self._now = now
        self._merged: bytes | NotMade | None = None
        self._rebase: _Rebase | None = None

    def tree(self, commit: bytes) -> bytes:
        """Return a commit's root tree. Raises MalformedCommit."""
        return parse_head(read_commit(self._imagined, commit)).tree

    def merged_tree(self) -> bytes:
        """Return the tree that git makes of BASE and HEAD. Raises NotMade."""
        if self._merged is None:
            self._merged = self._merge()
        if isinstance(self._merged, NotMade):
            raise self._merged
        return self._merged

    def _merge(self) -> bytes | NotMade:
        span = self._span
        try:
            return self.tree(span.head) if span.forward else self._workshop.merged(span.base, span.head)
        except (MalformedCommit, NotMade) as error:
            return _not_made(error)

    def merge(self) -> Way:
        """Make up what the forge's merge button makes."""
        return self._one("merge", (self._span.base, self._span.head))

    def squash(self) -> Way:
        """Make up one commit on BASE with all that the merge would give."""
        return self._one("squash", (self._span.base,))

    def _one(self, name: str, parents: tuple[bytes, ...]) -> Way:
        try:
            tip = self._imagined.commit(self.merged_tree(), parents, self._now)
        except NotMade as error:
            return Way(name, problem=undecided(str(error), error.hint), conflicts=isinstance(error, Conflicts))
        return Way(name, tip, made={tip: b""})

    def rebase(self, *, whole: bool) -> Way:
        """Make each commit up anew on BASE; unless ``whole``, the first one only: where that is refused, all is."""
        try:
            if self._rebase is None:
                self._rebase = _Rebase(self, self._imagined, self._workshop, self._span, self._now)
            self._rebase.go_on(whole=whole)
        except (MalformedCommit, NotMade) as error:
            why = _not_made(error)
            return Way("rebase", problem=undecided(str(why), why.hint))
        return Way("rebase", self._rebase.tip, made=self._rebase.made)

    @property
    def rebased(self) -> bool:
        """Whether the rebase has come to its end."""
        return self._rebase is None or not self._rebase.left


class _Rebase:
    """Picks the commits one after the other; only where it has to does git do that."""

    def __init__(self, ways: Ways, imagined: Imagined, workshop: Workshop, span: Span, now: int) -> None:
        self._ways = ways
        self._imagined = imagined
        self._workshop = workshop
        self._now = now
        self.tip = span.base
        self._tree = ways.tree(span.base)
        self.left = deque(span.ahead if span.linear else workshop.in_rebase_order(span.base, span.head))
        self.made: dict[bytes, bytes] = {}

    def go_on(self, *, whole: bool) -> None:
        while self.left and (whole or not self.made):
            self._pick(self.left.popleft())

    def _pick(self, commit: bytes) -> None:
        head = parse_head(read_commit(self._imagined, commit))
        parent = head.parents[:1]
        before = self._ways.tree(parent[0]) if parent else EMPTY_TREE
        if before == self._tree:
            after = head.tree
        elif before == head.tree:  # it was empty, and stays so
            after = self._tree
        else:
            after = self._workshop.picked(commit, unsigned_commit(self._tree, parent, self._now))
            if after == self._tree:  # BASE has the same already: git leaves it out
                return
        self.tip = self._imagined.commit(after, (self.tip,), self._now)
        self.made[self.tip] = commit
        self._tree = after


def _not_made(error: MalformedCommit | NotMade) -> NotMade:
    return error if isinstance(error, NotMade) else NotMade(f"a commit is malformed: {error}", "Leave it out.")
