"""One value that every writer shows: a verification's outcome with what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitverify.export.answer import Exported
    from gitverify.request import Outcome
    from gitverify.rules.facts import Refusal
    from gitverify.worktree.model import Comparison

EXIT_STATUS = {"authentic": 0, "refused": 1, "undecided": 3, "error": 4}


@dataclass(frozen=True, slots=True)
class CommitLine:
    """What a commit says of itself; all of it is attacker-controlled bytes. Dates in seconds since 1970."""

    subject: bytes
    author: bytes
    date: int


@dataclass(frozen=True, slots=True)
class Route:
    """A way by which a branch may come in, and what would come of it.

    ``name``: branch (as it is), merge (a merge commit made by the forge), squash or rebase. ``verdict``: authentic,
    refused or undecided. ``remedies``: sentences that say who could make it authentic, and how. ``required``: whether
    the exit status hangs on it.
    """

    name: str
    verdict: str
    refusals: tuple[Refusal, ...] = ()
    remedies: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class TagLine:
    """The tag that was asked about: the name asked for, the raw id, and who signed it where that was found out."""

    name: bytes
    id: bytes
    person: str | None = None
    key: str | None = None


@dataclass(slots=True)
class Report:
    """An answer to show.

    ``refusals`` are the outcome's, or, where R27 took an older commit, what was left out. ``lines`` describes the
    commits that are named. ``problem`` is an answer without an outcome: nothing could be asked. ``comparison`` is that
    of the checkout (R28), where one was made. ``notes`` are sentences for people. ``tag`` is the tag that was asked
    about. A gate's report has the commit that the branch is to go on top of (``base``) and ``routes``; its outcome
    takes the required ones together. ``nar_hash``: of the commit's tree, as Nix has it, where it was asked for.
    """

    outcome: Outcome | None = None
    problem: Refusal | None = None
    signer: str | None = None
    ref: str | None = None
    repository: str | None = None
    before: tuple[bytes, ...] = ()
    after: tuple[bytes, ...] = ()
    left_out: Outcome | None = None
    comparison: Comparison | None = None
    exported: Exported | None = None
    nar_hash: str | None = None
    lines: dict[bytes, CommitLine] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tag: TagLine | None = None
    base: bytes | None = None
    routes: tuple[Route, ...] = ()
    seconds: float = 0.0
    problem_verdict: str = "error"

    @property
    def verdict(self) -> str:
        """authentic, refused, undecided or error."""
        return self.outcome.verdict if self.outcome is not None else self.problem_verdict

    @property
    def reason(self) -> str | None:
        """The code of the first refusal."""
        if self.outcome is not None:
            return self.outcome.reason
        return self.problem.code if self.problem is not None else None

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """All refusals to show."""
        if self.outcome is None:
            return (self.problem,) if self.problem is not None else ()
        accepted = self.outcome.verdict == "authentic"
        return self.left_out.refusals if accepted and self.left_out is not None else self.outcome.refusals

    @property
    def exit_status(self) -> int:
        """The process's exit status."""
        return EXIT_STATUS[self.verdict]
