"""What adopting asks of the engine: is this authentic, and would a commit be that is not there yet?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.imagined import Imagined
from gitverify.objects.commit import parse_commit
from gitverify.verify import judge_closely, verify
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.judgement import Judgement
    from gitverify.report.model import Report
    from gitverify.request import Observer, Outcome
    from gitverify.session import Session
    from gitverify.verify import MakePool


class NotAdopted(GitverifyError):
    """Adopting would not be authentic, or that can't be told. ``details`` are further lines to show."""

    def __init__(self, report: Report, details: tuple[str, ...] = ()) -> None:
        """Remember what to show."""
        super().__init__(report.reason or "")
        self.report = report
        self.details = details


class NothingToAdopt(GitverifyError):
    """All is authentic, or where it should be, already."""


class Asking:
    """Asks about commits of one repository, as ``verify`` would with the same options; moves no mark."""

    def __init__(self, session: Session, make_pool: MakePool | None, observer: Observer | None) -> None:
        """Take the question from a session about the target branch. Raises Unanswerable, UsageProblem."""
        self.session = session
        # How old the newest commit is (R26) is no question here: this is about to make a new one.
        request = replace(session.request(), max_age=None)
        self._request = replace(request, floor=session.remembered(request))
        self._make_pool = make_pool
        self._observer = observer

    @property
    def now(self) -> int:
        """The time, in seconds since 1970."""
        return self._request.now

    def verify(self, tip: bytes) -> Outcome:
        """Answer for a tip. ``fallback`` is what R27 would take in its place."""
        request = replace(self._request, tip=tip, newest_authentic=True)
        return verify(self.session.repository, request, make_pool=self._make_pool, observer=self._observer)

    def refused(self, outcome: Outcome, *details: str) -> NotAdopted:
        """Make the answer that shows why a tip is not authentic: what is wrong with it, else its oldest refusal."""
        own = [refusal for refusal in outcome.refusals if refusal.commit == outcome.tip and refusal.rule == "R20"]
        outcome = replace(outcome, refusals=tuple(own) or outcome.refusals[:1])
        return NotAdopted(self.session.report(outcome, None), details)

    def judge(self, tree: bytes, parents: tuple[bytes, ...]) -> Judgement:
        """Judge everything that a merge of these parents would rest on, as if it were there, without a signature.

        Raises NotAdopted where an object is missing, or whatever else leaves the parents without an answer.
        """
        source = Imagined(self.session.repository)
        request = replace(self._request, tip=source.commit(tree, parents, self.now))
        outcome, judgement, _ = judge_closely(source, request, make_pool=self._make_pool, observer=self._observer)
        if judgement is None or outcome.verdict in {"undecided", "error"}:
            raise self.refused(outcome)
        return judgement

    def tree(self, commit: bytes) -> bytes:
        """Return a commit's root tree. Raises MalformedCommit, MissingObject."""
        return parse_commit(read_commit(self.session.repository, commit)).tree
