"""Bringing a mirror up to date: fetched into the quarantine, judged there, and only then taken over.

Each branch is judged by itself, under its own mark; one that is refused stays where it is, and hinders no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject
from gitverify.mirror.memory import Run, write
from gitverify.mirror.promote import NotTaken, Verified
from gitverify.rules.hints import HINTS
from gitverify.session import Unanswerable, unanswered
from gitverify.transfer.arrival import Arrival
from gitverify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.mirror.memory import Memory
    from gitverify.report.model import Report
    from gitverify.request import Observer
    from gitverify.session import Query
    from gitverify.source import Repository
    from gitverify.transfer.arrival import Bounds
    from gitverify.transfer.quarantine import Quarantine
    from gitverify.transfer.store import Store
    from gitverify.transfer.url import Source
    from gitverify.verify import MakePool


@dataclass(slots=True)
class Result:
    """What came of one branch (short name): where the mirror has it now, where it had it (raw ids), and why."""

    branch: str
    before: bytes | None
    after: bytes | None
    report: Report


class Update:
    """One run over a mirror. ``pools`` makes pools of processes for a repository."""

    def __init__(
        self,
        store: Store,
        memory: Memory,
        query: Query,
        *,
        pools: Callable[[Repository], MakePool | None],
        observer: Observer | None = None,
        said: Callable[[str], None] | None = None,
    ) -> None:
        """``query``: what is asked of every branch; what the mirror remembers is in it already."""
        self._store = store
        self._memory = memory
        self._query = query
        self._pools = pools
        self._observer = observer
        self._said = said

    def run(self, quarantine: Quarantine, source: Source, bounds: Bounds) -> list[Result]:
        """Bring every branch up to date, as far as it is authentic; the store is locked. Raises OSError, GitError."""
        verified = Verified(self._store.directory, self._store.home, self._store.environment)
        verified.recover()
        arrival = Arrival(self._store, quarantine, source, bounds, self._said)
        missing = self._fetch(arrival)
        tips = verified.tips()
        results = []
        for branch in self._memory.branches:
            reference = f"refs/heads/{branch}"
            report = missing.get(branch) or self._judge(arrival, reference, tips.get(reference))
            before = after = tips.get(reference)
            if report.verdict == "authentic" and report.outcome is not None:
                try:
                    verified.take(quarantine, reference, report.outcome.tip)
                    after = report.outcome.tip
                except NotTaken as error:
                    report = unanswered(Unanswerable("mirror-failed", str(error), rule="R5"))
            results.append(Result(branch, before, after, report))
        self._remember(results)
        self._clear(quarantine, arrival, results)
        return results

    def _fetch(self, arrival: Arrival) -> dict[str, Report]:
        """Fetch all branches; return, for those that can't be had, why."""
        names = [f"refs/heads/{branch}" for branch in self._memory.branches]
        missing = _try(arrival, names)
        if missing is None:
            return {}
        if len(names) == 1:
            return {self._memory.branches[0]: missing}
        # One that is not there any more would keep all others from coming.
        answers = {branch: _try(arrival, [f"refs/heads/{branch}"]) for branch in self._memory.branches}
        return {branch: answer for branch, answer in answers.items() if answer is not None}

    def _judge(self, arrival: Arrival, reference: str, current: bytes | None) -> Report:
        try:
            floor = self._floor(arrival, reference, current) if current is not None else ()
            query = replace(self._query, contains=(*self._query.contains, *floor))
            session = arrival.session(query, arrival.tip(reference), reference)
            report = session.verify(self._pools(session.repository), self._observer)
        except (Unanswerable, MissingObject) as error:
            return unanswered(error)
        if floor and report.reason == "not-contained" and report.outcome is not None:
            refusal = report.refusals[0]
            said = f"{refusal.message}; what the mirror has rests on it"
            report.outcome.refusals = (replace(refusal, message=said, hint=HINTS["rollback"]),)
        return report

    def _floor(self, arrival: Arrival, reference: str, current: bytes) -> tuple[str, ...]:
        """Return the commits (ids), beside the mark's, that must be in what takes the place of what the mirror has.

        Where no mark is left, it is made again. Where it is an older one, out of a backup, or another command was told
        to accept an older state, the mirror has not been told: it does not go back by itself.
        """
        query = replace(self._query, any_age=True, contains=(), allow_rollback=False, newest_authentic=False)
        session = arrival.session(query, current, reference)
        request = session.request()
        mark = session.remembered(request)
        pools = self._pools(session.repository)
        if not mark.commits:
            session.verify(pools, self._observer)
            return ()
        if current in mark.commits or self._query.allow_rollback:
            return ()
        asked = replace(request, floor=mark, allow_rollback=True)
        outcome = verify(session.repository, asked, make_pool=pools, observer=self._observer)
        found = outcome.mark.commits if outcome.verdict == "authentic" and outcome.mark is not None else ()
        return tuple(commit.hex() for commit in found)

    def _remember(self, results: Sequence[Result]) -> None:
        now = self._query.now
        for result in results:
            before = self._memory.runs.get(result.branch)
            good = now if result.report.verdict == "authentic" else before.authentic_at if before else None
            self._memory.runs[result.branch] = Run(
                verdict=result.report.verdict, reason=result.report.reason, at=now, authentic_at=good
            )
        write(self._store.home, self._memory)

    @staticmethod
    def _clear(quarantine: Quarantine, arrival: Arrival, results: Sequence[Result]) -> None:
        """Empty the quarantine where all in it is verified, or where something in it is missing or damaged."""
        taken = all(
            result.after is not None and arrival.quarantine.arrived(f"refs/heads/{result.branch}") == result.after
            for result in results
        )
        damaged = any(result.report.reason == "missing-object" for result in results)
        if taken or damaged:
            quarantine.empty()


def _try(arrival: Arrival, names: list[str]) -> Report | None:
    try:
        arrival.fetch(*names)
    except Unanswerable as error:
        return unanswered(error)
    return None
