"""Judges new values of references on top of what is accepted, many in one run.

What the references of a push share is not judged once for each of them: a commit is examined once, the same question
is asked once, and a branch that has no mark of its own yet is judged from what was found authentic before it, under
the same introduction and settings, wherever that is enough to tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MissingObject
from gitverify.pool import Inline
from gitverify.report.model import Report
from gitverify.revisions import BadRevision, peel
from gitverify.rules.facts import Refusal
from gitverify.session import Session, Unanswerable, unanswered
from gitverify.tagging.find import Wanted
from gitverify.tagging.judge import verify_tag
from gitverify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.examine import Examiner
    from gitverify.objects.commit import CommitHead
    from gitverify.objects.source import ObjectSource
    from gitverify.pool import Ahead, Pool, Sink, Take, Work
    from gitverify.request import Floor, Observer, Outcome, Request
    from gitverify.rules.facts import Examined
    from gitverify.session import Query
    from gitverify.settings import Identity, Settings
    from gitverify.source import Repository
    from gitverify.verify import MakePool


class Refused(GitverifyError):
    """A hook does not agree. ``reference``: its full name; ``report``: why; ``advice``: a command that mends it."""

    def __init__(self, reference: str, report: Report) -> None:
        """Remember what to show."""
        super().__init__(report.reason or "")
        self.reference = reference
        self.report = report
        self.advice: str | None = None


def refused(reference: str, rule: str, code: str, message: str, hint: str) -> Refused:
    """Make a refusal of what needs no engine to be refused."""
    return Refused(reference, Report(problem=Refusal(b"", rule, code, message, hint), problem_verdict="refused"))


class Judge:
    """Answers for references of one repository."""

    def __init__(
        self,
        repository: Repository,
        settings: Settings,
        query: Query,
        make_pool: MakePool | None = None,
        observer: Observer | None = None,
    ) -> None:
        """``query``: where the state is, and the time; what it says of a revision is not used."""
        self.repository = repository
        self.settings = settings
        self._query = query
        self._make_pool = make_pool
        self._observer = observer
        self._examined: dict[bytes, dict[bytes, Examined]] = {}
        self._accepted: dict[bytes, Floor] = {}
        self._answers: dict[tuple[bytes, bytes], list[tuple[Floor, Outcome]]] = {}

    def settle(self, reference: str, identity: Identity, current: bytes) -> None:
        """Verify what a reference points to now, and move the mark there where it is authentic.

        Where it is not, the mark moves to the newest commit of it that is (R27), or stays: what comes on top may be the
        merge that mends it (R20), and must not take back what was accepted by others. Raises Refused where that can't
        be told: nothing would say what the new value must not take back.
        """
        # However old it is: its floor must hold.
        report = self._verified(reference, identity, current, replace(self._query, any_age=True, newest_authentic=True))
        if report.verdict not in {"authentic", "refused"}:
            raise Refused(reference, report)

    def accept(self, reference: str, identity: Identity, tip: bytes) -> None:
        """Verify what a reference points to, and move the mark. Raises Refused where it is not authentic."""
        report = self._verified(reference, identity, tip, self._query)
        if report.exit_status:
            raise Refused(reference, report)

    def newest_authentic(self, reference: str, identity: Identity, tip: bytes) -> bytes | None:
        """Return what R27 would take in place of a tip that is refused; None where there is nothing."""
        try:
            session = self._session(reference, identity, tip)
            request = session.request()
            asked = replace(request, floor=session.remembered(request), newest_authentic=True)
        except (Refused, Unanswerable, MissingObject):
            return None
        pools = self._pools(session.context(request))
        return verify(self.repository, asked, make_pool=pools, observer=self._observer).fallback

    def judge(self, reference: str, identity: Identity, new: bytes) -> Report:
        """Return when a new value is authentic and takes back nothing that is remembered; moves no mark.

        Raises Refused otherwise.
        """
        try:
            session = self._session(reference, identity, new)
            request = session.request()
            floor = session.remembered(request)
            outcome = self._answer(session.context(request), replace(request, floor=floor))
            report = session.report(outcome, None)
        except (Unanswerable, MissingObject) as error:
            raise Refused(reference, unanswered(error)) from None
        if report.exit_status:
            raise Refused(reference, report)
        return report

    def judge_tag(self, reference: str, identity: Identity, tag: bytes) -> None:
        """Return when what is to be a tag is authentic, as verify-tag says. Raises Refused, UsageProblem.

        ``identity``: the branch whose settings count.
        """
        try:
            try:
                tagged = peel(self.repository, tag, reference)
            except BadRevision:  # which will be refused
                tagged = tag
            session = Session.about(self.repository, self.settings, self._query, tagged, identity)
            name = reference.removeprefix("refs/tags/").encode("utf-8", "surrogateescape")
            pools = self._pools(session.context(session.request()))
            report = verify_tag(session, Wanted(tag, name), pools, self._observer)
        except (Unanswerable, MissingObject) as error:
            raise Refused(reference, unanswered(error)) from None
        if report.exit_status:
            raise Refused(reference, report)

    def _verified(self, reference: str, identity: Identity, tip: bytes, query: Query) -> Report:
        try:
            session = self._session(reference, identity, tip, query)
            return session.verify(self._pools(session.context(session.request())), self._observer)
        except (Unanswerable, MissingObject) as error:
            raise Refused(reference, unanswered(error)) from None

    def _session(self, reference: str, identity: Identity, value: bytes, query: Query | None = None) -> Session:
        try:
            tip = peel(self.repository, value, reference)
        except BadRevision as error:
            raise refused(reference, "R4", "malformed-commit", str(error), "Push a commit there.") from None
        return Session.about(self.repository, self.settings, query or self._query, tip, identity)

    def _answer(self, context: bytes, request: Request) -> Outcome:
        """Ask the engine, once for the same question."""
        answers = self._answers.setdefault((context, request.tip), [])
        for floor, outcome in answers:
            if floor == request.floor:
                return outcome
        asked = request
        if not request.floor.commits and context in self._accepted:
            # All the same commits are judged; what is left out is known to be authentic, and need not be reached.
            asked = replace(request, floor=self._accepted[context], allow_rollback=True)
        outcome = verify(self.repository, asked, make_pool=self._pools(context), observer=self._observer)
        answers.append((request.floor, outcome))
        if outcome.verdict == "authentic" and outcome.mark is not None:
            self._accepted.setdefault(context, outcome.mark)
        return outcome

    def _pools(self, context: bytes) -> MakePool:
        """Make pools that examine no commit twice under the same settings."""
        known = self._examined.setdefault(context, {})

        def make(prepare: Callable[[ObjectSource], Examiner], sink: Sink) -> Pool:
            def note(commit: bytes, examined: Examined) -> None:
                known[commit] = examined
                sink(commit, examined)

            pool = self._make_pool(prepare, note) if self._make_pool else Inline(prepare(self.repository), note)
            return _Remembering(pool, known, sink)

        return make


class _Remembering:
    """A pool in front of another, with what is known already."""

    def __init__(self, pool: Pool, known: dict[bytes, Examined], sink: Sink) -> None:
        self._pool = pool
        self._known = known
        self._sink = sink

    def put(self, commit: bytes, raw: bytes, head: CommitHead) -> None:
        found = self._known.get(commit)
        if found is None:
            self._pool.put(commit, raw, head)
        else:
            self._sink(commit, found)

    def until(self, there: Callable[[], bool]) -> None:
        self._pool.until(there)

    def finish(self) -> None:
        self._pool.finish()

    def close(self) -> None:
        self._pool.close()

    def ahead(self, blocks: int, prepare: Callable[[], Work], take: Take) -> Ahead | None:
        return self._pool.ahead(blocks, prepare, take)
