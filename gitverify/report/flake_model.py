"""What a lock gate found: one value that the writers show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gitverify.report.model import EXIT_STATUS

if TYPE_CHECKING:
    from gitverify.report.model import CommitLine
    from gitverify.rules.facts import Refusal

    Verdict = Literal["authentic", "refused", "undecided", "error"]

_WORST_FIRST: tuple[Verdict, ...] = ("refused", "error", "undecided", "authentic")


@dataclass(slots=True)
class InputReport:
    """One input of a lock file.

    ``name`` is the path of names that leads to it, with slashes. ``verdict`` is None where no introduction is
    configured for it, so that nothing was asked. ``previous``: what was locked before, where the locked commit had to
    descend from it. ``form``: in which form the tree has the hash that the lock names. ``checked``: how many commits
    were looked at. ``own``: it is a folder of the flake itself. Ids are raw.
    """

    name: str
    kind: str
    rev: bytes | None = None
    verdict: Verdict | None = None
    refusals: tuple[Refusal, ...] = ()
    introduction: bytes | None = None
    previous: bytes | None = None
    form: str | None = None
    checked: int = 0
    own: bool = False
    line: CommitLine | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class LockReport:
    """The answer about a lock file.

    ``refusals`` are about the file as a whole; ``base`` says what it was compared with.
    """

    inputs: list[InputReport] = field(default_factory=list)
    refusals: tuple[Refusal, ...] = ()
    verdict_on_file: Verdict = "authentic"
    base: str | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Refused where anything is; else error or undecided where anything is that."""
        found = {self.verdict_on_file, *(each.verdict for each in self.inputs)}
        return next(verdict for verdict in _WORST_FIRST if verdict in found)

    @property
    def reason(self) -> str | None:
        """The code of the first refusal that made the verdict."""
        if self.verdict == "authentic":
            return None
        if self.verdict_on_file == self.verdict:
            return self.refusals[0].code
        return next(each.refusals[0].code for each in self.inputs if each.verdict == self.verdict)

    @property
    def exit_status(self) -> int:
        """The process's exit status."""
        return EXIT_STATUS[self.verdict]
