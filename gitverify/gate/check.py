"""The gate's answer: BASE is authentic, and what would come of HEAD by each of the ways in.

All that could become the target's new tip is judged at once, by the same engine as everything else: a commit is made up
that has all of them as parents, and what is decided on each of them is read off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MissingObject
from gitverify.gate.given import Given, is_older
from gitverify.gate.judged import Judged
from gitverify.gate.span import find_span
from gitverify.gate.ways import METHODS, Way, Ways
from gitverify.gate.workshop import Workshop
from gitverify.imagined import Imagined
from gitverify.policies.model import Dialect, Policy
from gitverify.request import Outcome
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS, missing_object
from gitverify.session import commit_line
from gitverify.verify import judge_closely, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from gitverify.examine import Examiner
    from gitverify.gate.span import Span
    from gitverify.judgement import Judgement
    from gitverify.marking import Marking
    from gitverify.objects.source import ObjectSource
    from gitverify.pool import Pool, Sink
    from gitverify.report.model import Report, Route
    from gitverify.request import Floor, Observer, Verdict
    from gitverify.session import Session
    from gitverify.verify import MakePool

_MOST_LINES = 200  # commits of which it is read what they say of themselves

FETCH = (
    "In CI fetch all of the history (fetch-depth: 0, GIT_DEPTH: 0), or more of it: git fetch --deepen=N; elsewhere: "
    "git fetch --unshallow, or git fetch --refetch in a partial clone."
)


def check(  # noqa: PLR0913  (by name)
    session: Session,
    head: bytes,
    *,
    methods: Collection[str] | None = None,
    base_authentic: bool = False,
    environment: Mapping[str, str],
    make_pool: MakePool | None = None,
    observer: Observer | None = None,
) -> Report:
    """Judge what HEAD would bring in on top of the commit that the session is about, BASE; no mark moves.

    ``methods``: the ways in that the verdict hangs on, of METHODS; None: the branch's own and, where BASE's policy lets
    the forge merge, such a merge, unless there are conflicts. ``base_authentic``: BASE, and what it
    reaches, is given as authentic. ``environment``: the process's, for git. Whatever the repository holds, the answer
    is a report. Raises Unanswerable and UsageProblem where the question can't be put.
    """
    with Workshop(session.repository, environment) as workshop:
        return _Gate(session, head, workshop, None if methods is None else frozenset(methods), make_pool, observer).run(
            base_authentic=base_authentic
        )


def to_fetch(refusal: Refusal) -> Refusal:
    """Say of an object that is not in the clone how it gets there."""
    absent = refusal.code == "missing-object" and refusal.hint == HINTS["missing-object"]
    return replace(refusal, hint=FETCH) if absent else refusal


class _Gate:
    """One question."""

    def __init__(
        self,
        session: Session,
        head: bytes,
        workshop: Workshop,
        methods: frozenset[str] | None,
        make_pool: MakePool | None,
        observer: Observer | None,
    ) -> None:
        self._session = session
        self._base = session.revision.commit
        self._head = head
        self._workshop = workshop
        self._methods = methods
        self._make_pool = make_pool
        self._observer = observer
        self._imagined = Imagined(session.repository, workshop.objects)
        # How old the newest commit is (R26) is no question here: there is about to be a new one.
        self._request = replace(session.request(), max_age=None, newest_authentic=False, tip=self._base)

    def run(self, *, base_authentic: bool) -> Report:
        """Go through the question."""
        request, base = self._request, self._base
        given = None
        if base_authentic:
            if is_older(self._session.repository, base, request.introduction):
                message = "BASE is older than the introduction"
                refusal = Refusal(base, "R2", "not-descendant", message, HINTS["not-descendant"])
                return self._report(self._blank("refused", refusal))
            given = Given(self._session.repository, request, base)
            floor = given.floor
        else:
            request = replace(request, floor=self._session.remembered(request), keep_going=True)
            source = self._session.repository
            found = verify(source, request, make_pool=self._make_pool, observer=self._observer)
            if found.verdict != "authentic" or found.mark is None:
                return self._refused_base(found)
            floor = found.mark
        try:
            report = None
            while report is None:
                span = find_span(self._imagined, request, base, self._head, floor)
                report = self._answer(span, floor, given)
        except MissingObject as error:
            return self._report(self._blank("undecided", to_fetch(missing_object(error))))
        except MalformedCommit as error:
            refusal = Refusal(base, "R6", "malformed-commit", str(error), HINTS["malformed-commit"])
            return self._report(self._blank("refused", refusal))
        return report

    def _refused_base(self, outcome: Outcome) -> Report:
        outcome.refusals = tuple(self._absent_introduction(refusal) for refusal in outcome.refusals)
        if outcome.refusals[0].code == "missing-object":
            outcome.verdict, outcome.reason = "undecided", "missing-object"
        report = self._session.report(outcome, None)
        report.base = self._base
        report.notes.append("this is about BASE itself, so nothing was asked about HEAD")
        return report

    def _absent_introduction(self, refusal: Refusal) -> Refusal:
        """Have the introduction fetched that a shallow clone lacks: it may be the right one (R5)."""
        repository = self._session.repository
        if refusal.code != "introduction-missing" or not (repository.common_directory / "shallow").is_file():
            return to_fetch(refusal)
        introduction = refusal.commit.hex()
        message = f"the introduction {introduction} is not in this shallow clone"
        hint = f"Fetch it: git fetch --depth=1 origin {introduction}. Or fetch all of the history: fetch-depth: 0."
        return Refusal(refusal.commit, "R5", "missing-object", message, hint)

    # --- judging -----------------------------------------------------------------------------------------------------

    def _answer(self, span: Span, floor: Floor, given: Given | None) -> Report | None:
        """Return the answer; None where what was found means that more is given, so that it is to be asked again."""
        ways = Ways(self._imagined, self._workshop, span, self._request.now)
        branch = Way("branch", self._head)
        if not span.ahead:
            made = [Way(name, self._base) for name in METHODS]
        elif span.related:
            made = [branch, ways.merge(), ways.squash(), ways.rebase(whole=False)]
        else:
            made = [Way(name, self._head) for name in METHODS]
        outcome, judgement, marking = self._judge(ways, floor, made)
        if outcome.reason == "missing-object" and span.related and span.ahead:
            # What a merge needs to be judged may be missing where the branch alone does not need it.
            problem = to_fetch(outcome.refusals[0])
            made = [branch, *(Way(name, problem=problem) for name in METHODS[1:])]
            outcome, judgement, marking = self._judge(ways, floor, made)
        if judgement is None or marking is None or outcome.verdict in {"undecided", "error"}:
            return self._unjudged(outcome)
        if given is not None and given.settle(judgement):
            return None
        line = given.line if given is not None else None
        judged = Judged(judgement, marking, span, floor, line, self._request)
        methods = self._methods if self._methods is not None else self._usual(judgement)
        routes = judged.routes(made, ways, methods)
        if not ways.rebased and routes[-1].verdict == "authentic":  # then it takes a look at the rest
            whole = ways.rebase(whole=True)
            outcome, again, marking = self._judge(ways, floor, [whole])
            if again is None or marking is None:
                return self._unjudged(outcome)
            routes[-1] = Judged(again, marking, span, floor, line, self._request).route(whole, ways, methods)
        if self._methods is None and (routes[0].verdict != "authentic" or made[1].conflicts):
            routes[1] = replace(routes[1], required=False)  # it would say the same once more, or nobody can merge
        return self._report(self._total(judged, routes, outcome), routes)

    def _usual(self, judgement: Judgement) -> frozenset[str]:
        """Return the ways in that count where none is named."""
        policy = judgement.parent(self._base).policy
        merges = isinstance(policy, Policy) and policy.dialect is Dialect.NATIVE and policy.unsigned_merges
        return frozenset({"branch", "merge"} if merges else {"branch"})

    def _judge(self, ways: Ways, floor: Floor, made: Iterable[Way]) -> tuple[Outcome, Judgement | None, Marking | None]:
        """Judge all that these ways lead to."""
        tips = dict.fromkeys([self._base, *(way.tip for way in made if way.tip is not None)])
        if len(tips) < 3:
            # Of three parents nobody asks what a mechanical merge of them would be, which may take more than is here.
            tips[self._request.introduction] = None
        tip = self._imagined.commit(ways.tree(self._base), tuple(tips), self._request.now)
        request = replace(self._request, tip=tip, floor=floor)
        return judge_closely(self._imagined, request, make_pool=self._pools(), observer=self._observer)

    def _pools(self) -> MakePool | None:
        """Let every process see what is made up, too."""
        make_pool, imagined = self._make_pool, self._imagined
        if make_pool is None:
            return None

        def make(prepare: Callable[[ObjectSource], Examiner], sink: Sink) -> Pool:
            return make_pool(lambda source: prepare(imagined.over(source)), sink)

        return make

    # --- reporting ---------------------------------------------------------------------------------------------------

    def _unjudged(self, outcome: Outcome) -> Report:
        refusals = [self._absent_introduction(refusal) for refusal in outcome.refusals]
        verdict = "undecided" if refusals[0].code == "missing-object" else outcome.verdict
        return self._report(replace(outcome, verdict=verdict, reason=refusals[0].code, refusals=tuple(refusals)))

    def _blank(self, verdict: Verdict, *refusals: Refusal) -> Outcome:
        outcome = Outcome("authentic", self._head, self._request.introduction)
        return replace(outcome, verdict=verdict, reason=refusals[0].code, refusals=refusals)

    def _total(self, judged: Judged, routes: Sequence[Route], outcome: Outcome) -> Outcome:
        """Take the required ways together: refused where one is, else undecided where one is."""
        required = [route for route in routes if route.required]
        verdicts = {route.verdict for route in required}
        total = replace(
            outcome, verdict="authentic", reason=None, refusals=(), mark=None, rolled_back=False, fallback=None
        )
        worst: tuple[Verdict, ...] = ("refused", "undecided")
        for verdict in worst:
            if verdict in verdicts:
                refusals = dict.fromkeys(
                    refusal for route in required if route.verdict == verdict for refusal in route.refusals
                )
                reason = next(iter(refusals)).code
                total = replace(total, verdict=verdict, reason=reason, refusals=tuple(refusals))
                break
        return replace(
            total,
            checked=judged.checked,
            vouched=dict(judged.vouched()),
            skipped=judged.accepted,
            tip_date=judged.date(self._head),
        )

    def _report(self, outcome: Outcome, routes: Sequence[Route] = ()) -> Report:
        outcome = replace(outcome, tip=self._head)
        report = self._session.report(outcome, None)
        report.base = self._base
        report.routes = tuple(routes)
        named = [self._base, *(r.commit for route in routes for r in route.refusals[:_MOST_LINES] if r.commit)]
        for commit in dict.fromkeys(named):
            if commit not in report.lines and len(report.lines) < 2 * _MOST_LINES:
                found = commit_line(self._session.repository, commit)
                report.lines.update({commit: found} if found is not None else {})
        return report
