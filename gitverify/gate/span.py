"""What a branch has that its target has not: the raw graph between the two, before anything is judged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MissingObject
from gitverify.objects.commit import parse_head
from gitverify.walk import Walk, read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.imagined import Imagined
    from gitverify.objects.commit import CommitHead
    from gitverify.request import Floor, Request


@dataclass(frozen=True, slots=True)
class Span:
    """The commits of BASE..HEAD. ``ahead``: their raw ids, every parent before its children; ``parents``: theirs.

    ``forward``: HEAD has all that BASE has, so that BASE can be fast-forwarded to it. ``related``: the two share
    history, or that can't be told. ``ends``: the parents at which the span ends, which BASE reaches.
    """

    base: bytes
    head: bytes
    ahead: tuple[bytes, ...]
    parents: Mapping[bytes, tuple[bytes, ...]]
    ends: frozenset[bytes]
    forward: bool
    related: bool

    @property
    def linear(self) -> bool:
        """Whether each of the commits has one parent."""
        return all(len(self.parents[commit]) == 1 for commit in self.ahead)


def find_span(source: Imagined, request: Request, base: bytes, head: bytes, floor: Floor) -> Span:
    """Walk from both down to what is accepted or given. Raises MissingObject where a commit of HEAD's is not here."""
    # A walk begins at one commit: make one up that reaches both.
    both = source.commit(bytes(20), (base, head), request.now)
    walk = Walk(source, both, request.introduction, floor.commits, floor.fences, floor.aside)
    oldest = [request.now]
    malformed: set[bytes] = set()  # nothing that these say is believed, so they seem to have no parents

    def visit(commit: bytes, raw: bytes, head: CommitHead | MalformedCommit, date: int) -> None:  # noqa: ARG001
        oldest[0] = min(oldest[0], date)
        if isinstance(head, MalformedCommit):
            malformed.add(commit)

    walk.run(visit)
    walk.settle(oldest[0] - floor.skew)  # as the engine does, so that no wrong date makes a commit seem to be new
    # An adopting merge of BASE's may have HEAD below it without having made it authentic (R20): no news, either.
    nothing = _is_below(source, base, head)
    parents, ends = ({}, frozenset[bytes]()) if nothing else _between(walk.new, base, head)
    if parents and not ends and not walk.exhausted and malformed.isdisjoint(parents):
        # What the introduction descends from is all given, and seems to be new where it is dated later.
        walk.exhaust()
        parents, ends = _between(walk.new, base, head)
    ahead = parents.keys()
    return Span(
        base=base,
        head=head,
        ahead=_parents_first(parents, head),
        parents=parents,
        ends=ends,
        forward=base in ends or base == head,
        related=bool(ends) or not ahead or not malformed.isdisjoint(ahead),
    )


def _between(
    new: Mapping[bytes, tuple[bytes, ...]], base: bytes, head: bytes
) -> tuple[dict[bytes, tuple[bytes, ...]], frozenset[bytes]]:
    """Return the commits that HEAD reaches and BASE does not, with their parents, and those of these that end them."""
    ahead = _reached(new, head) - _reached(new, base)
    parents = {commit: new[commit] for commit in ahead}
    return parents, frozenset(parent for its in parents.values() for parent in its if parent not in ahead)


def _reached(new: Mapping[bytes, tuple[bytes, ...]], start: bytes) -> set[bytes]:
    found: set[bytes] = set()
    todo = [start]
    while todo:
        commit = todo.pop()
        if commit in new and commit not in found:
            found.add(commit)
            todo += new[commit]
    return found


def _is_below(source: Imagined, start: bytes, goal: bytes) -> bool:
    """Whether ``start`` reaches ``goal`` over raw edges by commits that are dated no earlier than it.

    Where dates are wrong it may not be seen; then it is judged like news.
    """
    try:
        since = parse_head(read_commit(source, goal)).date
    except MalformedCommit:
        return start == goal
    seen = {start}
    todo = [start]
    while todo:
        commit = todo.pop()
        if commit == goal:
            return True
        with suppress(MalformedCommit, MissingObject):
            head = parse_head(read_commit(source, commit))
            if head.date >= since:
                todo += [parent for parent in head.parents if parent not in seen]
                seen.update(head.parents)
    return False


def _parents_first(parents: Mapping[bytes, tuple[bytes, ...]], head: bytes) -> tuple[bytes, ...]:
    done: dict[bytes, None] = {}
    stack = [head] if head in parents else []
    while stack:
        commit = stack[-1]
        waiting = [parent for parent in parents[commit] if parent in parents and parent not in done]
        if waiting:
            stack += reversed(waiting)
        else:
            stack.pop()
            done[commit] = None
    return tuple(done)
