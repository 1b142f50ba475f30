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

    from gitverify.policies.model import Policy
    from gitverify.pool import Ahead, Pool
    from gitverify.rules.authority import Parent
    from gitverify.rules.facts import Authorized, Refusal

# Fewer commits than this are judged faster than a process starts.
WORTH_LOOKING = 512

BLOCK = 64  # commits


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


def look_ahead(judgement: Judging, policies: list[Policy], pool: Pool) -> Foresight | None:
    """Start processes that look ahead of a judgement, where that is worth while.

    ``policies``: those of the commits to be judged, each once.
    """
    order = judgement.order
    if len(order) < WORTH_LOOKING or not any(policy.compares_trees for policy in policies):
        return None
    answers = Answers(policies)
    blocks = -(-len(order) // BLOCK)

    def prepare() -> Callable[[int], tuple[Any, ...] | None]:
        supposed = judgement.supposing_authentic(Supposing)
        asked = supposed.inquiry.answers = Asked(policies)

        def work(block: int) -> tuple[Any, ...] | None:
            try:
                for commit in order[block * BLOCK : (block + 1) * BLOCK]:
                    supposed.decide(commit)
            except MissingObject:
                return None
            return asked.hand_over()

        return work

    ahead = pool.ahead(blocks, prepare, answers.take)
    if ahead is None:
        return None
    judgement.inquiry.answers = answers
    return Foresight(ahead, answers)


class Foresight:
    """The processes that look ahead, and what they found."""

    def __init__(self, ahead: Ahead, answers: Answers) -> None:
        """Take both."""
        self._ahead = ahead
        self._answers = answers

    def reached(self, place: int) -> None:
        """Say which commit is judged next: where a block begins, what was found about it comes to hand."""
        if not place % BLOCK:
            self._ahead.reached(place // BLOCK)
            self._answers.reached(place // BLOCK)

    def close(self) -> None:
        """End the processes."""
        self._ahead.close()


class Supposing(Inquiry):
    """Finds out in a child process what will be asked."""

    def authorised_beyond(self, other: bytes, governing: Parent) -> bytes | None:  # noqa: ARG002
        """Suppose that there is none: what would have to be asked is mostly known where the decisions are taken."""
        return None
