"""What the engine decided on all that might become the target's new tip, read as an answer for each way in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject
from gitverify.gate.remedies import Advice
from gitverify.gate.ways import MADE_BY_FORGE, undecided
from gitverify.gate.workshop import NotMade
from gitverify.report.model import Route
from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized, Refusal
from gitverify.rules.hints import HINTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from gitverify.gate.given import Line
    from gitverify.gate.span import Span
    from gitverify.gate.ways import Way, Ways
    from gitverify.judgement import Judgement
    from gitverify.marking import Marking
    from gitverify.request import Floor, Request

_AHEAD = (
    "BASE has commits that HEAD lacks, so HEAD can't be pushed there as it is: merge BASE into it, rebase it, or let "
    "the forge do that"
)
_NOTHING = "BASE has all of it already: there is nothing to bring in"
_ASTRAY = (
    "its first parents do not lead to the introduction, which is what the next check with --base-authentic would take "
    "for granted"
)


class Judged:
    """What the engine decided, read as an answer for each way."""

    def __init__(
        self, judgement: Judgement, marking: Marking, span: Span, floor: Floor, line: Line | None, request: Request
    ) -> None:
        """Take a judgement of all that the ways lead to. ``line``: BASE's, where BASE is given as authentic."""
        self._judgement = judgement
        self._span = span
        self._floor = floor
        self._advice = Advice(judgement, span, request.now)
        self._reaching = marking.reaching(floor.commits)
        self._everything = (1 << len(floor.commits)) - 1
        self._given = line is not None
        self._in_doubt = self._doubt(line) if line is not None else None

    def _doubt(self, line: Line) -> Refusal | None:
        """Return why there is no answer: HEAD leaves BASE's history where BASE alone does not tell what governs."""
        judgement = self._judgement
        # Those of the judgement, not of the span: where dates are wrong, one of them may take for new what is BASE's.
        judged = judgement.parents_of
        ends = {parent for parents in judged.values() for parent in parents if parent not in judged}
        for end in sorted(ends):
            if judgement.standing(end) is Standing.MAIN and not line.meets(end):
                message = (
                    f"HEAD goes on from {end.hex()}, on a branch that the first parents of BASE do not lead to, so "
                    "that it can't be told what governs there"
                )
                return undecided(message, "Check it without --base-authentic, in a clone with all of the history.", end)
        return None

    def _astray(self, way: Way) -> Refusal | None:
        """Return why there is no answer: as the next BASE, HEAD would not be what is said with --base-authentic.

        A merge may have a side branch (R21) as its first parent, and nobody follows BASE's line down to its end.
        """
        span, commit = self._span, self._span.head
        if not self._given or way.name != "branch" or not span.forward or self._judgement.refusals_of(commit):
            return None
        while self._judgement.standing(commit) is Standing.MAIN:
            if commit not in span.parents:
                return None
            commit = span.parents[commit][0]
        hint = "Merge it the other way round: the branch into BASE, so that BASE is the first parent."
        return undecided(f"HEAD comes by its first parents to {commit.hex()}, and {_ASTRAY}", hint, commit)

    @property
    def accepted(self) -> int:
        """How many commits earlier runs accepted."""
        return self._floor.accepted

    @property
    def checked(self) -> int:
        """How many of the branch's commits were judged."""
        return len(self._span.ahead)

    def vouched(self) -> Counter[tuple[str, str]]:
        """Count the branch's authentic commits per person and listed key."""
        decisions = (self._judgement.decisions.get(commit) for commit in self._span.ahead)
        return Counter(
            (voucher.person, voucher.listed)
            for decision in decisions
            if isinstance(decision, Authorized)
            for voucher in decision.vouchers[:1]
        )

    def date(self, commit: bytes) -> int:
        """Return a commit's date."""
        return self._judgement.facts(commit).date

    def routes(self, made: Iterable[Way], ways: Ways, methods: Collection[str]) -> list[Route]:
        """Return the answer for each way."""
        return [self.route(way, ways, methods) for way in made]

    def route(self, way: Way, ways: Ways, methods: Collection[str]) -> Route:
        """Return the answer for one way."""
        required = way.name in methods
        problem = self._in_doubt or way.problem or self._astray(way)
        if problem is not None or way.tip is None:
            assert problem is not None  # noqa: S101  (a way has a tip or a problem)
            return Route(way.name, "undecided", (problem,), (), required)
        refusals = self._refusals(way, way.tip)
        if not refusals:
            return Route(way.name, "authentic", (), tuple(self._remarks(way)), required)
        remedies = tuple(self._remedies(way, ways, refusals))
        return Route(way.name, "refused", tuple(self._named(each, way) for each in refusals), remedies, required)

    def _refusals(self, way: Way, tip: bytes) -> list[Refusal]:
        judgement, span = self._judgement, self._span
        if not span.related:
            return [self._no_descendant(span.head, "HEAD shares no history with BASE")]
        refusals = judgement.refusals_of(tip)
        if refusals or not span.ahead:
            return refusals
        if judgement.standing(tip) is not Standing.MAIN:
            return [self._no_descendant(tip, "it does not descend from the introduction over authentic commits")]
        if way.name != "branch" or span.forward:
            return self._rollback(tip)
        return []

    @staticmethod
    def _no_descendant(commit: bytes, message: str) -> Refusal:
        return Refusal(commit, "R2", "not-descendant", message, HINTS["not-descendant"])

    def _rollback(self, tip: bytes) -> list[Refusal]:
        """R23: what has accepted BASE must be able to accept this."""
        mask = self._reaching.get(tip, 0)
        if mask == self._everything:
            return []
        lost = next(commit for at, commit in enumerate(self._floor.commits) if not mask >> at & 1)
        message = (
            f"whoever has accepted {lost.hex()} would refuse this as a rollback: it is reached only through a merge "
            "that brings in another policy than was in force, without the signature of one of its editors"
        )
        return [Refusal(tip, "R23", "rollback", message, "One of the policy's editors signs that merge.")]

    def _named(self, refusal: Refusal, way: Way) -> Refusal:
        """Name what is made up by what it is made of."""
        if refusal.commit not in way.made:
            return refusal
        message = f"{MADE_BY_FORGE[way.name]}: {refusal.message}"
        hint = "" if refusal.code in HINTS and refusal.hint == HINTS[refusal.code] else refusal.hint
        return replace(refusal, commit=way.made[refusal.commit], message=message, hint=hint)

    def _remarks(self, way: Way) -> Iterable[str]:
        if not self._span.ahead:
            return [_NOTHING]
        return [_AHEAD] if way.name == "branch" and not self._span.forward else []

    def _remedies(self, way: Way, ways: Ways, refusals: Sequence[Refusal]) -> Iterable[str]:
        if refusals[0].rule in {"R2", "R23"}:
            return
        try:
            if way.name == "branch":
                yield from self._advice.for_branch(refusals)
                yield from self._remarks(way)
            elif way.name == "merge":
                yield from self._advice.for_merge(ways.merged_tree())
            elif way.name == "squash":
                yield from self._advice.for_squash(ways.merged_tree())
            else:
                yield from self._advice.for_rebase(refusals[0].commit)
        except (MissingObject, NotMade):  # nothing hangs on it
            return
