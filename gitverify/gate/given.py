"""``--base-authentic``: what follows from BASE being authentic, where nobody verified it here.

An authentic commit's first parent is authentic, and so is every parent of one that is no adopting merge (R17 to R20).
So of what BASE reaches all is given but what a merge may have adopted: that is judged anew where HEAD has it, too, and
given where it proves to be authentic. Taken to descend from the introduction is the line of BASE's first parents, and
what leads down to that line; what forked off elsewhere is judged by other rules (R21), so there is no answer for it
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gitverify.anchor import load_anchor
from gitverify.errors import MalformedObject, MissingObject
from gitverify.objects.commit import parse_commit, parse_head
from gitverify.policies.model import Policy
from gitverify.request import Floor, Stop
from gitverify.rules.facts import Authorized
from gitverify.treepath import components
from gitverify.walk import Fence, reaches, read_commit

if TYPE_CHECKING:
    from gitverify.anchor import Anchor
    from gitverify.judgement import Judgement
    from gitverify.objects.commit import CommitHead
    from gitverify.objects.source import ObjectSource
    from gitverify.request import Request

    Edge = tuple[bytes, bytes]

_NOWHERE = bytes(20), bytes(20)


class Given:
    """What BASE gives, where it is given as authentic.

    ``floor``: it, to build on. ``line``: its first parents. How wrong dates are below it is not known. Where they are,
    a commit may seem not to be BASE's, or to be one more merge base: either way more is asked of a merge, not less.
    """

    def __init__(self, source: ObjectSource, request: Request, base: bytes) -> None:
        """Prepare; nothing is read yet."""
        self._doubts = _Doubts(source, request)
        self.floor = Floor(commits=(base,), trusted=True, fences=self._doubts)
        self.line = Line(source, base, request.introduction)

    def settle(self, judgement: Judgement) -> bool:
        """Whether a judgement has shown that what may have been adopted was authentic, so that it was only merged.

        Then it is given, too, and the question is another one.
        """
        return self._doubts.settle(judgement)


class _Doubts(Mapping["Edge", Fence]):
    """The edges from merges to parents that they may have adopted (R20), found out when they are asked for."""

    def __init__(self, source: ObjectSource, request: Request) -> None:
        self._source = source
        self._request = request
        self._anchor: Anchor | None = None
        # An edge that is not there: somewhere below there may be an adopting merge, looked at or not.
        self._found: dict[Edge, Fence | None] = {_NOWHERE: Fence.DROPPED}

    def __getitem__(self, edge: Edge) -> Fence:
        if edge not in self._found:
            self._found[edge] = Fence.DROPPED if self._may_be_adopted(*edge) else None
        fence = self._found[edge]
        if fence is None:
            raise KeyError(edge)
        return fence

    def __iter__(self) -> Iterator[Edge]:
        return (edge for edge, fence in self._found.items() if fence is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def settle(self, judgement: Judgement) -> bool:
        """Leave no doubt about parents that were found authentic; return whether there were any."""
        settled = [edge for edge in self if isinstance(judgement.decisions.get(edge[1]), Authorized)]
        self._found.update(dict.fromkeys(settled))
        return bool(settled)

    def _may_be_adopted(self, child: bytes, parent: bytes) -> bool:
        """Whether the child is a signed merge, has this parent not as its first, and may adopt."""
        try:
            merge = parse_commit(read_commit(self._source, child))
            if len(merge.parents) < 2 or parent == merge.parents[0] or merge.signature is None:
                return False
            first = parse_head(read_commit(self._source, merge.parents[0]))
            return self._adopts(first)
        except (MissingObject, MalformedObject, Stop):
            return True

    def _adopts(self, first: CommitHead) -> bool:
        if self._anchor is None:
            self._anchor = load_anchor(self._source, self._request)
        anchor = self._anchor
        name, *rest = components(anchor.examination.policy_path)
        entry = anchor.trees.walk(anchor.trees.find(first.tree, (name,))[0], tuple(rest))
        policy = anchor.book.policy(entry) if entry is not None else None
        # To the side it is for the introduction's policy to say (R21), and who is there is not known.
        return not isinstance(policy, Policy) or policy.adopting_merges or anchor.policy.adopting_merges


def is_older(source: ObjectSource, commit: bytes, introduction: bytes) -> bool:
    """Whether a commit is seen to be an ancestor of the introduction: then BASE is not what it was said to be.

    Looked for only where the dates let it seem so: it is a mistake that is caught here.
    """
    try:
        dates = [parse_head(read_commit(source, one)).date for one in (commit, introduction)]
        return commit != introduction and dates[0] <= dates[1] and reaches(source, introduction, commit)
    except (MissingObject, MalformedObject):
        return False


class Line:
    """BASE's first parents, down to the introduction."""

    def __init__(self, source: ObjectSource, base: bytes, introduction: bytes) -> None:
        """Prepare; nothing is read yet."""
        self._source = source
        self._introduction = introduction
        self._line = {base, introduction}
        self._next: bytes | None = base
        self._absent: MissingObject | None = None

    def meets(self, commit: bytes) -> bool:
        """Whether a commit is on the line, or its own first parents lead down to it; no ancestor of the introduction.

        Both are followed newest first, so that they are where they meet at about the same time; wrong dates cost time
        alone. Raises MissingObject where they might meet in what is not here.
        """
        if is_older(self._source, commit, self._introduction):
            return False
        own = {commit}
        while commit not in self._line:
            head = self._head(commit)
            while self._next is not None and self._ahead(head.date if head is not None else 0):
                if self._step() in own:
                    return True
            if commit in self._line:
                break
            if head is None or not head.parents:
                return self._meets_below(own)
            commit = head.parents[0]
            own.add(commit)
        return True

    def _ahead(self, date: int) -> bool:
        """Whether the line's next commit is dated no earlier; reads it."""
        head = self._peek()
        return head is not None and head.date >= date

    def _meets_below(self, own: set[bytes]) -> bool:
        """Follow the line to its end: the dates told nothing."""
        while self._peek() is not None:
            if self._step() in own:
                return True
        if self._absent is not None:
            raise self._absent
        return False

    def _peek(self) -> CommitHead | None:
        if self._next is None or self._next == self._introduction:
            return None
        try:
            return self._head(self._next)
        except MissingObject as error:
            self._absent = error
            self._next = None
            return None

    def _step(self) -> bytes | None:
        head = self._peek()
        self._next = head.parents[0] if head is not None and head.parents else None
        if self._next is not None:
            self._line.add(self._next)
        return self._next

    def _head(self, commit: bytes) -> CommitHead | None:
        try:
            return parse_head(read_commit(self._source, commit))
        except MalformedObject:
            return None
