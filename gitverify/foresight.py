"""Looking into trees before the judgement comes to the commits that ask for it, in other processes.

What differs between two trees beyond what some people may change is a question about trees alone. Whether it is asked
hangs on what was decided before, so the decisions are taken in one process, one after the other. But nearly always all
is well: so child processes suppose that it is, go through the newest commits with the same rules, and hand back which
questions that asked and what the answers were. The judgement looks an answer up by its question; where it asks another
one it looks for itself. No decision that a child came to is handed back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gitverify.answers import Answers, Asked
from gitverify.errors import MissingObject
from gitverify.inquiry import Inquiry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.policybook import PolicyBook
    from gitverify.pool import Ahead, Pool
    from gitverify.rules.authority import Parent
    from gitverify.rules.facts import Authorized, Refusal

# Fewer commits than this are judged faster than a process starts.
WORTH_LOOKING = 512

BLOCK = 64  # commits

# Bytes of policy files that a child reads. Nobody may have signed them: commits that will be refused can have any.
MOST_POLICIES = 8 << 20


class Judging(Protocol):
    """A judgement that is about to begin, or one that supposes."""

    inquiry: Inquiry

    @property
    def order(self) -> Sequence[bytes]:
        """The commits to be judged, parents first."""
        ...

    def supposing_authentic(self, make_inquiry: type[Inquiry]) -> Judging:
        """Return a judgement that takes every commit for authentic."""
        ...

    def decide(self, commit: bytes) -> Authorized | Refusal:
        """Decide on a commit."""
        ...


class Foresight:
    """The processes that look ahead of a judgement, and what they found."""

    def __init__(self, judgement: Judging, book: PolicyBook, pool: Pool) -> None:
        """Start none yet. ``book``: where the policies are read."""
        self._judgement = judgement
        self._book = book
        self._pool: Pool | None = pool
        self._answers = Answers(book)
        self._ahead: Ahead | None = None

    def reached(self, place: int) -> None:
        """Say which commit is judged next: where a block begins, what was found about it comes to hand.

        Processes are started once a policy has trees compared. That is asked of those in force, which somebody has
        signed: what is above the first refusal may be anything.
        """
        if place % BLOCK:
            return
        left = len(self._judgement.order) - place
        if self._pool is not None and self._book.compares_trees and left >= WORTH_LOOKING:
            self._start(self._pool)
        if self._ahead is not None:
            self._ahead.reached(place // BLOCK)
            self._answers.reached(place // BLOCK)

    def close(self) -> None:
        """End the processes."""
        if self._ahead is not None:
            self._ahead.close()

    def _start(self, pool: Pool) -> None:
        self._pool = None
        blocks = -(-len(self._judgement.order) // BLOCK)
        self._ahead = pool.ahead(blocks, self._prepare, self._answers.take)
        if self._ahead is not None:
            self._judgement.inquiry.answers = self._answers

    def _prepare(self) -> Callable[[int], tuple[Any, ...] | None]:
        """Make what finds the answers of a block, in a child process."""
        order, book = self._judgement.order, self._book
        supposed = self._judgement.supposing_authentic(Supposing)
        asked = supposed.inquiry.answers = Asked(book)
        most = book.size + MOST_POLICIES

        def work(block: int) -> tuple[Any, ...] | None:
            try:
                for commit in order[block * BLOCK : (block + 1) * BLOCK]:
                    supposed.decide(commit)
                    if book.size > most:
                        return None
            except MissingObject:
                return None
            return asked.hand_over()

        return work


class Supposing(Inquiry):
    """Finds out in a child process what will be asked."""

    def authorised_beyond(self, other: bytes, governing: Parent) -> bytes | None:  # noqa: ARG002
        """Suppose that there is none: what would have to be asked is mostly known where the decisions are taken."""
        return None
