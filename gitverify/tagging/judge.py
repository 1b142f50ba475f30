"""The proof that a tag is authentic; reads from top to bottom as it goes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.anchor import load_anchor
from gitverify.errors import MalformedCommit, MalformedTree, MissingObject, OversizedMaterial, OversizedObject
from gitverify.examine import Examiner
from gitverify.floors import floor_of
from gitverify.mark import StateError
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Dialect
from gitverify.report.model import TagLine
from gitverify.request import Floor, Outcome, Stop
from gitverify.rules.facts import Examined, PolicyProblem, Refusal, Unproven
from gitverify.rules.hints import missing_object
from gitverify.rules.tags import Law, TagRefused, counting, read_tag, refuse, signed_by
from gitverify.session import Unanswerable, UsageProblem
from gitverify.signatures.result import SignatureRefused
from gitverify.tagging.places import Ground, below, fences_of, policy_entry
from gitverify.text import shown
from gitverify.verify import judge_closely
from gitverify.walk import reaches, read_commit

if TYPE_CHECKING:
    from gitverify.anchor import Anchor
    from gitverify.mark import Mark, MarkKey
    from gitverify.material import Material
    from gitverify.objects.tag import Tag
    from gitverify.policies.model import Policy
    from gitverify.report.model import Report
    from gitverify.request import Observer
    from gitverify.rules.facts import Voucher
    from gitverify.session import Session
    from gitverify.tagging.find import Wanted
    from gitverify.verify import MakePool

NO_MARK = (
    "no branch of this repository has been verified here before, so nothing could tell whether the policy has dropped "
    "the signer since: gitverify verify a branch that has the tagged commit, then ask again"
)
NO_STATE = "the marks were not looked at (--no-state): the policy may have dropped the signer since"
NO_POLICY = "the tree has no policy file"
_MOST = 10  # branches in one sentence
HISTORIC = "whether the policies accepted since list the signer still was not looked at (--historic)"


def verify_tag(
    session: Session,
    wanted: Wanted,
    make_pool: MakePool | None,
    observer: Observer | None,
    *,
    historic: bool = False,
) -> Report:
    """Answer whether a tag is authentic. Moves no mark. Raises Unanswerable, UsageProblem.

    ``session`` is one about the commit that the tag claims to name; its floor does not matter. ``historic``: the
    signer need not be listed any more (T6).
    """
    return _TagVerification(session, wanted, make_pool, observer, historic=historic).run()


class _TagVerification:
    def __init__(
        self,
        session: Session,
        wanted: Wanted,
        make_pool: MakePool | None,
        observer: Observer | None,
        *,
        historic: bool,
    ) -> None:
        self._session = session
        self._source = session.repository
        self._wanted = wanted
        self._make_pool = make_pool
        self._observer = observer
        self._historic = historic
        self._request = replace(session.request(), max_age=None, newest_authentic=False, keep_going=False)
        self._marks = self._remembered()
        self._outcome = Outcome("authentic", self._request.tip, self._request.introduction)
        self._line = TagLine(wanted.name, wanted.id)

    def run(self) -> Report:
        """Go through the proof; return the answer."""
        try:
            self._prove()
        except TagRefused as answer:
            self._answer(Stop("refused", (answer.refusal,)))
        except Stop as answer:
            self._answer(answer)
        except MissingObject as error:
            self._answer(Stop("undecided", (missing_object(error),)))
        report = self._session.report(self._outcome, None)
        report.tag = self._line
        report.ref = self._session.query.ref and report.ref
        report.repository = None
        report.before = report.after = tuple(sorted({commit for _, mark in self._marks for commit in mark.commits}))
        if self._outcome.verdict == "authentic":
            report.notes += self._notes()
        return report

    def _prove(self) -> None:
        anchor = load_anchor(self._source, self._request)
        self._outcome.dialect, self._outcome.policy_path = anchor.examination.dialect, anchor.examination.policy_path
        tag = self._read()
        if tag.signature is None:
            refuse(self._wanted.id, "R8", "unsigned", "the tag has no signature at the end of its message")
        date = self._target_date(tag)
        judges = self._judges(self._authentic(anchor, tag.target))
        people = self._signed_by(anchor, tag, date, tag.target)
        self._line = replace(self._line, person=people[0].person, key=people[0].key)
        for commit in () if self._historic else judges:
            self._signed_by(anchor, tag, date, commit, later=True)

    def _read(self) -> Tag:
        """T1 to T3."""
        try:
            kind, raw = self._source.read(self._wanted.id)
        except OversizedObject as error:
            refuse(self._wanted.id, "T1", "malformed-tag", str(error))
        return read_tag(self._wanted.id, kind, raw, self._wanted.name)

    def _target_date(self, tag: Tag) -> int:
        """T3: what it names is a commit. Return when the tag was made, at the earliest: no earlier than the commit.

        A tagger's date is anybody's word, and would else put a tag of today into the time of a key that has expired.
        """
        try:
            return max(tag.date, parse_commit(read_commit(self._source, tag.target)).date)
        except MalformedCommit as error:
            refuse(self._wanted.id, "T3", "tag-target", f"it tags what is no well-formed commit: {error}")

    def _authentic(self, anchor: Anchor, target: bytes) -> Ground:
        """T4: return when the engine says that the commit is authentic; raise its answer as Stop where it is not.

        What a mark reaches was found so by the run that made it. What reaches a mark is judged from there.
        """
        context = self._session.context(self._request)
        trusted = [mark for _, mark in self._marks if mark.context == context]
        source, given = self._source, below(self._source, anchor)
        if all(self._has(mark) for mark in trusted):
            for mark in trusted:
                accepted = fences_of(mark) | given
                descends = reaches(source, target, anchor.facts.id, accepted)
                if descends and any(reaches(source, commit, target, accepted) for commit in mark.commits):
                    self._outcome.introduced_at = anchor.facts.date
                    self._outcome.skipped = mark.accepted
                    return Ground(source, anchor, target, (target,), floor_of(mark, context), None)
            for mark in trusted:
                if all(reaches(source, target, commit, given) for commit in mark.commits):
                    with suppress(Stop):  # seen from elsewhere it may be authentic all the same
                        return self._judged(anchor, target, floor_of(mark, context))
        return self._judged(anchor, target, Floor())

    def _judged(self, anchor: Anchor, target: bytes, floor: Floor) -> Ground:
        outcome, _, marking = judge_closely(
            self._source, replace(self._request, floor=floor), make_pool=self._make_pool, observer=self._observer
        )
        self._outcome = outcome
        if outcome.verdict != "authentic":
            raise Stop(outcome.verdict, outcome.refusals[:1])
        if outcome.mark is None:  # pragma: no cover - the engine has one for whatever is authentic
            raise AssertionError("an authentic commit without a mark")
        return Ground(self._source, anchor, target, outcome.mark.commits, floor, marking)

    def _judges(self, ground: Ground) -> list[bytes]:
        """T4, T6: return the commits of the marks whose policies the signer has to be listed in."""
        present = [(key, mark) for key, mark in self._marks if self._has(mark)]
        marks = [mark for _, mark in present]
        if not self._historic:
            for key, mark in self._marks:
                if (key, mark) not in present:
                    raise self._absent(key, mark)
        if self._marks and not marks:
            raise self._absent(*self._marks[0])
        found = counting(self._wanted.id, [ground.lies(mark) for mark in marks])
        return sorted({commit for at in found for commit in marks[at].commits})

    def _absent(self, key: MarkKey, mark: Mark) -> Stop:
        commit = next(commit for commit in mark.commits if not self._has_commit(commit))
        message = (
            f"{shown(key.ref)} of {shown(key.repository)} was accepted at {commit.hex()}, which is not in this "
            "repository: whether its policy lists the signer can't be told"
        )
        hint = "Fetch that branch; or name the branch that the tag belongs to with --ref, if it is another."
        return Stop("undecided", (Refusal(commit, "T6", "missing-object", message, hint),))

    def _has(self, mark: Mark) -> bool:
        return all(self._has_commit(commit) for commit in mark.commits)

    def _has_commit(self, commit: bytes) -> bool:
        try:
            read_commit(self._source, commit)
        except (MissingObject, MalformedCommit):
            return False
        return True

    def _signed_by(
        self, anchor: Anchor, tag: Tag, date: int, commit: bytes, *, later: bool = False
    ) -> tuple[Voucher, ...]:
        """T5, T6: return the people whom the policy of an accepted commit lists for tags, and who signed this one."""
        policy, material = self._policy(anchor, commit)
        keyring = None if policy.dialect is Dialect.OPENSSH else material.keyring
        examiner = Examiner(self._source, anchor.examination, keyring)
        try:
            signed = examiner.signer(tag.signature, tag.payload, historic=False)
            examined = Examined(None, None, signed.key, signed.made_at, signed.user_verified)
        except SignatureRefused as error:
            examined = Examined(unproven=Unproven(error.code, error.message, error.keys))
        return signed_by(self._wanted.id, date, examined, Law(policy, material, commit, later))

    def _policy(self, anchor: Anchor, commit: bytes) -> tuple[Policy, Material]:
        """Return the policy of an accepted commit's own tree, with its certificates (R12)."""
        tag = self._wanted.id
        try:
            entry = policy_entry(self._source, anchor, commit)
            policy = anchor.book.policy(entry) if entry is not None else PolicyProblem("policy-missing", NO_POLICY)
            if isinstance(policy, PolicyProblem):
                refuse(tag, "R14", policy.code, policy.message, judged_by=commit)
            material = anchor.materials.fixed
            if policy.dialect is Dialect.NATIVE:
                tree = parse_commit(read_commit(self._source, commit)).tree
                material = anchor.materials.judging(policy, lambda name: _directory(anchor, tree, name))
            material.load()
        except (MalformedCommit, MalformedTree, OversizedMaterial) as error:
            refuse(tag, "R14", "policy-invalid", f"its policy can't be read: {error}", judged_by=commit)
        return policy, material

    def _remembered(self) -> list[tuple[MarkKey, Mark]]:
        """Return the marks that count: of this introduction and repository, and of one branch if it was named."""
        session, query = self._session, self._session.query
        if query.no_state:
            return []
        try:
            with session.open_store(read_only=True) as store:
                marks = store.all(self._request.introduction)
        except StateError as error:
            raise Unanswerable(error.code, str(error), rule="R24") from None
        if query.ref and session.identity is not None:
            named = [(key, mark) for key, mark in marks if key.repository == session.identity.repository]
            found = [(key, mark) for key, mark in named if key.ref == session.identity.ref]
            if named and not found:
                raise _none_of(query.ref, [key for key, _ in named])
            return found
        names = {query.name} if query.name else session.repository_names()
        return [(key, mark) for key, mark in marks if key.repository in names]

    def _notes(self) -> list[str]:
        if self._session.query.no_state:
            return [NO_STATE]
        if not self._marks:
            return [NO_MARK]
        return [HISTORIC] if self._historic else []

    def _answer(self, answer: Stop) -> None:
        outcome = self._outcome
        outcome.verdict, outcome.reason, outcome.refusals = answer.verdict, answer.refusals[0].code, answer.refusals
        outcome.mark = None


def _none_of(name: str, keys: list[MarkKey]) -> UsageProblem:
    """Say that a branch is none that was verified here: by mistake, no mark would have a say."""
    there = sorted(shown(key.ref) for key in keys)
    more = f", and {len(there) - _MOST:,} more" if len(there) > _MOST else ""
    return UsageProblem(
        f"“{shown(name)}” was not verified here, and other branches were: verify it first, or name one that was: "
        + ", ".join(there[:_MOST])
        + more
    )


def _directory(anchor: Anchor, tree: bytes, name: bytes) -> bytes | None:
    entry = anchor.trees.find(tree, (name,))[0]
    return entry.id if entry is not None and entry.is_directory else None
