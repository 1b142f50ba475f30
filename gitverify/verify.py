"""The main question: is the tip authentic, from the introduction (R1 to R3, R17 to R26)?

Reads top to bottom as the proof goes: the anchor is sound; every commit between it and the tip is authentic; the
tip descends from it; and the answer takes back nothing that an earlier run accepted. All that comes from outside
comes through the object source and the request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.anchor import load_anchor, stop
from gitverify.errors import MalformedCommit, MissingObject
from gitverify.examine import Examiner
from gitverify.judgement import Judgement
from gitverify.marking import Marking
from gitverify.objects.commit import parse_head
from gitverify.pool import Inline
from gitverify.request import MAX_FUTURE, Floor, Outcome, Silent, Stop
from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized, CommitFacts, Examined, PolicyProblem
from gitverify.rules.hints import missing_object
from gitverify.rules.vouch import counts_at
from gitverify.walk import Fence, Walk, reaches, read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gitverify.anchor import Anchor
    from gitverify.explain import Explanation
    from gitverify.objects.commit import CommitHead
    from gitverify.objects.source import ObjectSource
    from gitverify.pool import Pool, Sink
    from gitverify.request import Observer, Request

    MakePool = Callable[[Callable[[ObjectSource], Examiner], Sink], Pool]


def verify(
    source: ObjectSource,
    request: Request,
    *,
    make_pool: MakePool | None = None,
    observer: Observer | None = None,
) -> Outcome:
    """Answer a request. Whatever the repository holds, the answer is an outcome with a verdict, no exception.

    ``make_pool`` makes a pool of processes from (examiner for a source, sink for results); None examines here.
    """
    outcome = Outcome("authentic", request.tip, request.introduction)
    try:
        _Verification(source, request, make_pool, observer or Silent(), outcome).run()
    except Stop as answer:
        outcome.change(answer.verdict, answer.refusals)
    except MissingObject as error:
        outcome.change("undecided", (missing_object(error),))
    return outcome


def verify_newest(
    source: ObjectSource,
    request: Request,
    *,
    make_pool: MakePool | None = None,
    observer: Observer | None = None,
) -> tuple[Outcome, Outcome | None]:
    """Answer a request; where the tip is refused, answer for what R27 takes in its place.

    Returns the outcome that counts and, where another commit was taken, the tip's own.
    """
    first = verify(source, request, make_pool=make_pool, observer=observer)
    if first.verdict != "refused" or first.fallback is None:
        return first, None
    instead = verify(source, replace(request, tip=first.fallback), make_pool=make_pool, observer=observer)
    return (instead, first) if instead.verdict == "authentic" else (first, None)


def judge_closely(
    source: ObjectSource,
    request: Request,
    *,
    make_pool: MakePool | None = None,
    observer: Observer | None = None,
) -> tuple[Outcome, Judgement | None, Marking | None]:
    """Answer for the tip, and hand out what was seen on the way; None where the tip did not come to be judged."""
    outcome = Outcome("authentic", request.tip, request.introduction)
    verification = _Verification(source, replace(request, keep_going=True), make_pool, observer or Silent(), outcome)
    try:
        verification.run()
    except Stop as answer:
        outcome.change(answer.verdict, answer.refusals)
    except MissingObject as error:
        outcome.change("undecided", (missing_object(error),))
    judgement = verification.judgement
    if judgement is None or request.tip not in judgement.decisions:
        return outcome, None, None
    return outcome, judgement, verification.marking


def explain(
    source: ObjectSource,
    request: Request,
    *,
    make_pool: MakePool | None = None,
    observer: Observer | None = None,
) -> tuple[Outcome, Explanation | None]:
    """Answer for the tip from the introduction, and say why; None where it did not come to be judged."""
    outcome, judgement, marking = judge_closely(source, request, make_pool=make_pool, observer=observer)
    if judgement is None or marking is None:
        return outcome, None
    from gitverify.explain import explain as take_apart  # noqa: PLC0415  (no verification waits for it)

    try:
        return outcome, take_apart(judgement, marking, request.tip)
    except MissingObject as error:
        outcome.change("undecided", (missing_object(error),))
        return outcome, None


class _Verification:
    """One run, which fills in the outcome or raises Stop or MissingObject."""

    def __init__(
        self,
        source: ObjectSource,
        request: Request,
        make_pool: MakePool | None,
        observer: Observer,
        outcome: Outcome,
    ) -> None:
        self._source = source
        self._request = request
        self._make_pool = make_pool
        self._observer = observer
        self._outcome = outcome
        self.judgement: Judgement | None = None
        self.marking: Marking
        self._pool: Pool = Inline(lambda _, __: [], lambda _, __: None)
        self._malformed: set[bytes] = set()  # commits of the last walk, and those with such trees
        self._unexamined: Collection[bytes] = ()  # commits that its pool was given, and has not examined yet

    def run(self) -> None:
        """Go through the proof, and leave no process behind."""
        try:
            self._run()
        finally:
            self._pool.close()

    def _run(self) -> None:
        request, outcome = self._request, self._outcome
        anchor = load_anchor(self._source, request)
        outcome.dialect = anchor.examination.dialect
        outcome.policy_path = anchor.examination.policy_path
        outcome.introduced_at = anchor.facts.date
        judgement = None
        if request.floor.trusted and all(self._is_commit(commit) for commit in request.floor.commits):
            judgement = self._above(anchor, request.floor)
        if judgement is None:
            # No mark, or not all of what it remembers is enough to tell: look at everything.
            judgement = self._authenticate(anchor, Floor())
            self._check_floor(judgement)
            self._check_contains(judgement)
            if self._stale(judgement, anchor):
                days = (request.max_age or 0) / 86_400
                message = f"none of the people whom its policy lists has signed a commit dated within {days:g} days"
                raise self._about_tip("R26", "stale", message)

    def _above(self, anchor: Anchor, floor: Floor) -> Judgement | None:
        """Judge what is new since the mark; None where that is not enough to tell."""
        request, outcome = self._request, self._outcome
        walk, facts = self._walk(anchor, floor)
        judgement = Judgement(self._source, request, anchor, walk, facts, floor, self._malformed)
        if not judgement.has_in_reach(floor.commits):
            return None  # the tip may rest on nothing that was accepted
        judgement = self._authenticate(anchor, floor, (walk, facts))
        complete = outcome.mark is not None and not self.marking.missing(request.tip, floor.commits)
        if not complete or not self._has_all_contained(judgement) or self._stale(judgement, anchor):
            outcome.mark = None
            return None
        return judgement

    def _authenticate(
        self, anchor: Anchor, floor: Floor, walked: tuple[Walk, dict[bytes, CommitFacts]] | None = None
    ) -> Judgement:
        """Judge the commits of a walk. Returns when the tip and all that it rests on is authentic; else raises."""
        request, outcome = self._request, self._outcome
        walk, facts = walked or self._walk(anchor, floor)
        exhausted = walk.exhausted
        judgement = self._judge(anchor, walk, facts, floor)
        if not exhausted and self._may_be_given(judgement):
            # Only real edges tell an ancestor of the introduction from a side branch, and dates cut those short.
            walk.exhaust()
            judgement = self._judge(anchor, walk, facts, floor)
        outcome.checked = len(judgement.decisions)
        outcome.skipped = floor.accepted
        outcome.tip_date = judgement.facts(request.tip).date
        if judgement.refusals:
            every = request.keep_going or request.newest_authentic
            refusals = judgement.refusals if every else judgement.refusals[:1]
            self._fall_back()
            raise Stop("refused", tuple(refusals))
        if not judgement.is_authentic(request.tip):  # pragma: no cover - nothing above lets this happen
            raise AssertionError("a tip without a refusal is not authentic")
        if judgement.standing(request.tip) is not Standing.MAIN:
            message = "the tip descends from the introduction only over commits that are not authentic"
            raise self._about_tip("R2", "not-descendant", message)
        outcome.vouched = dict(_count(judgement))
        outcome.mark = self.marking.mark(request.tip, self._floor_with_introduction(anchor, floor), request.now)
        return judgement

    def _fall_back(self) -> None:
        """R27."""
        request = self._request
        if request.newest_authentic:
            found = self.marking.newest_authentic(request.tip, request.floor.commits)
            self._outcome.fallback = found if found != request.tip else None

    def _judge(self, anchor: Anchor, walk: Walk, facts: dict[bytes, CommitFacts], floor: Floor) -> Judgement:
        """Judge the commits of a walk, those that have been examined first.

        What is decided must not hang on how far that is: so it is decided anew where one of the others turns out to
        be malformed, and nothing ends this before all have been examined.
        """
        pool = self._pool
        while True:
            known = len(self._malformed)
            judgement = Judgement(self._source, self._request, anchor, walk, facts, floor, self._malformed)
            descends = judgement.descends_raw(self._request.tip) or judgement.interrupted
            ended: MissingObject | Stop | None = None
            if descends:
                try:
                    judgement.run(pool, self._observer)
                except (MissingObject, Stop) as error:
                    ended = error
            pool.finish()
            if ended is not None and self._unexamined:
                raise ended  # because of an object that examining needs, also of what turned out to be covered
            if len(self._malformed) != known:
                continue
            if ended is not None:
                raise ended
            if not descends:
                raise self._about_tip("R2", "not-descendant", "the tip does not descend from the introduction")
            self.judgement = judgement
            self.marking = Marking(judgement, walk, judgement.inquiry)
            return judgement

    def _may_be_given(self, judgement: Judgement) -> bool:
        """Whether anything hangs on a commit's not being an ancestor of the introduction, which it seems not to be.

        A refusal does, and where branches parted from each other (section 6 of the rules). Judging may have found out
        already that a commit which it was asked to judge is such an ancestor, and too late for its children.
        """

        def seems_aside(commit: bytes) -> bool:
            standing = judgement.standing(commit)
            return standing is Standing.SIDE or (standing is Standing.GIVEN and commit in judgement.decisions)

        if any(seems_aside(refusal.commit) for refusal in judgement.refusals):
            return True
        return judgement.is_native and any(
            len(parents) > 1 and any(seems_aside(parent) for parent in parents)
            for parents in judgement.parents_of.values()
        )

    def _walk(self, anchor: Anchor, floor: Floor) -> tuple[Walk, dict[bytes, CommitFacts]]:
        """Walk to the floor, or to the introduction, and have every new commit examined."""
        request = self._request
        walk = Walk(self._source, request.tip, request.introduction, floor.commits, floor.fences, floor.aside)
        facts: dict[bytes, CommitFacts] = {}
        malformed = self._malformed = set[bytes]()
        heads = self._unexamined = dict[bytes, tuple[bytes, tuple[bytes, ...], int]]()
        tip = self._head(request.tip)
        keyring = anchor.likely_keyring(tip.tree if tip is not None else None)
        if tip is not None:
            below = [head.date for commit in floor.commits if (head := self._head(commit)) is not None]
            self._observer.span(max(below, default=anchor.facts.date), tip.date)

        def prepare(source: ObjectSource) -> Examiner:
            # What is looked into now is compared later, where it is compared at all.
            shared = source is self._source and anchor.policy.compares_trees
            return Examiner(source, anchor.examination, keyring, anchor.trees if shared else None)

        def sink(commit: bytes, examined: Examined) -> None:
            tree, parents, date = heads.pop(commit)
            facts[commit] = CommitFacts(commit, tree, parents, date, examined)
            if examined.malformed is not None:
                malformed.add(commit)
            self._observer.examined(1, date)

        pool = self._make_pool(prepare, sink) if self._make_pool else Inline(prepare(self._source), sink)

        def visit(commit: bytes, raw: bytes, head: CommitHead | MalformedCommit, date: int) -> None:
            if isinstance(head, MalformedCommit):
                heads[commit] = b"", (), date
                sink(commit, Examined(malformed=("malformed-commit", str(head))))
            else:
                heads[commit] = head.tree, head.parents, date
                pool.put(commit, raw, head)

        self._pool = pool
        walk.run(visit)
        if not floor.commits:
            return walk, facts  # the oldest ones can be judged while the others are examined
        pool.finish()
        new = walk.new
        if any(len(parents) > 1 for parents in new.values()):
            # Where branches parted, it counts whether a commit is new: no wrong date may make it seem so.
            walk.settle(min(facts[commit].date for commit in new) - floor.skew)
        return walk, facts

    def _head(self, commit: bytes) -> CommitHead | None:
        try:
            return parse_head(read_commit(self._source, commit))
        except MalformedCommit:
            return None

    def _is_commit(self, commit: bytes) -> bool:
        try:
            read_commit(self._source, commit)
        except (MissingObject, MalformedCommit):
            return False
        return True

    def _about_tip(self, rule: str, code: str, message: str) -> Stop:
        return stop("refused", self._request.tip, rule, code, message)

    def _check_floor(self, judgement: Judgement) -> None:
        """R23: the tip reaches every commit of the mark over binding edges."""
        request = self._request
        below = self.marking.missing(request.tip, request.floor.commits)
        if not below:
            return
        self._outcome.rolled_back = True
        if request.allow_rollback:
            return
        self._fall_back()
        if any(self._is_commit(commit) and self._reaches(commit, request.tip) for commit in below):
            message = f"an earlier run accepted {below[0].hex()}, which is newer"
            raise self._about_tip("R23", "behind", message)
        message = f"an earlier run accepted {below[0].hex()}, which is not among the tip's ancestors"
        if judgement.is_authentic(below[0]) and below[0] in judgement.decisions:
            message = (
                f"an earlier run accepted {below[0].hex()}, and the tip reaches it only through a merge that brings in "
                "another policy than was in force, without the signature of one of its editors"
            )
        raise self._about_tip("R23", "rollback", message)

    def _reaches(self, start: bytes, goal: bytes) -> bool:
        """Whether a commit of the mark reaches another over what was authentic when it was accepted."""
        dropped = {edge for edge, fence in self._request.floor.fences.items() if fence is Fence.DROPPED}
        return reaches(self._source, start, goal, dropped)

    def _check_contains(self, judgement: Judgement) -> None:
        """R23b: the tip reaches these over binding edges, too."""
        for commit in self._request.contains:
            if not self._contained(judgement, commit):
                message = f"{commit.hex()} is not among the tip's ancestors"
                raise self._about_tip("R23b", "not-contained", message)

    def _has_all_contained(self, judgement: Judgement) -> bool:
        """Whether all of R23b is seen to hold among the commits since the mark, or right below it."""
        return all(self._contained(judgement, commit) for commit in self._request.contains)

    def _contained(self, judgement: Judgement, commit: bytes) -> bool:
        request = self._request
        if not self._is_commit(commit):
            return False
        known = commit in judgement.decisions or commit in judgement.floor.commits or commit == request.introduction
        if known and not self.marking.missing(request.tip, (commit,)):
            return True
        # Binding edges lead from what descends from the introduction down to it; below it every edge counts.
        start = judgement.floor.commits if judgement.floor.trusted else ()
        fences = judgement.floor.fences
        return any(reaches(self._source, c, commit, fences) for c in (*start, request.introduction))

    def _stale(self, judgement: Judgement, anchor: Anchor) -> bool:
        """R26: whether nobody of the tip's policy has committed within the time asked for."""
        request, mark = self._request, self._outcome.mark
        if request.max_age is None or mark is None:
            return False
        tip = judgement.parent(request.tip)
        if isinstance(tip.policy, PolicyProblem):  # pragma: no cover - an accepted tip has a sound policy
            return True
        since, latest = request.now - request.max_age, request.now + MAX_FUTURE
        dates = [*mark.freshness.items()]
        if not judgement.floor.trusted:  # a key may have been listed for other dates than that of its newest commit
            dates += [(facts.examined.key, facts.date) for facts in self.marking.dated(request.tip)]
            dates += [(anchor.signing_key(self._source), anchor.facts.date)]
        return not any(
            key and since <= date <= latest and counts_at(key, date, tip.policy, tip.material) for key, date in dates
        )

    def _floor_with_introduction(self, anchor: Anchor, floor: Floor) -> Floor:
        """Count the introduction among the accepted commits (R26)."""
        if floor.trusted:
            return floor
        key, date = anchor.signing_key(self._source), anchor.facts.date
        return replace(floor, freshness={key: date}) if key and date <= self._request.now + MAX_FUTURE else floor


def _count(judgement: Judgement) -> Counter[tuple[str, str]]:
    """Count the accepted commits per person and listed key."""
    return Counter(
        (voucher.person, voucher.listed)
        for decision in judgement.decisions.values()
        if isinstance(decision, Authorized)
        for voucher in decision.vouchers[:1]
    )
