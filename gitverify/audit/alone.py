"""Judging each commit on its own: as if its parents were authentic, so that one refusal is not the next one's reason.

What the rules ask about the history, they ask about all of it then. R19 (e), whether a policy would have allowed what
a merge brings in from the other side, is asked of the commits that are authentic on their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.audit.contribution import NOBODY_VOUCHES, contribution, needs
from gitverify.audit.lookup import Lookup
from gitverify.audit.model import Judged, Signing
from gitverify.errors import MalformedCommit
from gitverify.objects.commit import parse_head
from gitverify.rules.authorize import judge_under
from gitverify.rules.facts import Authorized
from gitverify.rules.refused import Refused, vouched
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.anchor import Anchor
    from gitverify.audit.history import History
    from gitverify.audit.lenders import Lenders
    from gitverify.objects.source import ObjectSource
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.facts import CommitFacts, Refusal

_SIGNING = {
    "unsigned": Signing.UNSIGNED,
    "unauthorized-key": Signing.UNLISTED,
    "unknown-key": Signing.UNLISTED,
}
# R18 asks more of a limited person's merge, too, where the policy does not allow unsigned ones.
_MERGES_WHERE_MACHINES_MAY_NOT = NOBODY_VOUCHES | {"unauthorized-path"}


class _Signed(NamedTuple):
    signing: Signing
    person: str | None = None
    key: str | None = None


class Alone:
    """Judges the commits of one history; they are to be put in order, parents first."""

    def __init__(
        self,
        source: ObjectSource,
        anchor: Anchor,
        history: History,
        examined: Mapping[bytes, CommitFacts],
        lenders: Lenders,
    ) -> None:
        """Prepare; ``examined`` has the facts on every commit that will be judged."""
        self._source = source
        self._lenders = lenders
        self._lookup = Lookup(source, anchor, history, dict(examined), self._allows)
        self._decisions: dict[bytes, Authorized | Refusal] = {}
        self._allowed: dict[tuple[bytes, int, int], bool] = {}

    def judge(self, commit: bytes) -> Judged:
        """Judge a commit. Raises MissingObject."""
        lookup = self._lookup
        facts = lookup.facts(commit)
        case = self._lenders.case(facts, lookup)
        found = contribution(case, lookup)
        decision = self._decisions[commit] = self._lenders.decide(case, lookup)
        refusal = None if isinstance(decision, Authorized) else decision
        signed = self._signed(case, decision)
        switchable = refusal is not None and refusal.code in _MERGES_WHERE_MACHINES_MAY_NOT and found.merge is not None
        return Judged(
            commit=commit,
            author=self._author(commit),
            date=facts.date,
            code=refusal.code if refusal is not None else None,
            rule=decision.rule,
            signing=signed.signing,
            merge=found.merge,
            person=signed.person,
            key=signed.key,
            proven=bool(facts.examined.key),
            paths=found.paths,
            needs=needs(case, refusal, found, lookup) if refusal is not None else (),
            mergeable=switchable and isinstance(self._lenders.decide_with_unsigned_merges(case, lookup), Authorized),
            immeasurable=not found.whole,
        )

    def _allows(self, law: Parent, commit: bytes) -> bool:
        """Answer for one commit of R19 (e)."""
        decision = self._decisions.get(commit)
        if not isinstance(decision, Authorized):
            return True  # it is refused itself, or not looked at: that is no fault of the merge
        if decision.authority is not None:
            policy, material = decision.authority
            if policy is law.policy and material is law.material:
                return True
        key = commit, id(law.policy), id(law.material)
        allowed = self._allowed.get(key)
        if allowed is None:
            case = self._lenders.case(self._lookup.facts(commit), self._lookup)
            allowed = self._allowed[key] = isinstance(judge_under(case, law, self._lookup), Authorized)
        return allowed

    def _signed(self, case: Case, decision: Authorized | Refusal) -> _Signed:
        """Say whose signature the commit has."""
        if isinstance(decision, Authorized) and decision.vouchers:
            voucher = decision.vouchers[0]
            return _Signed(Signing.LISTED, voucher.person, voucher.key)
        examined = case.commit.examined
        if examined.malformed is not None:
            return _Signed(Signing.VOID)
        unproven = examined.unproven
        key = examined.key or next(iter(unproven.keys if unproven is not None else ()), None)
        try:
            found = vouched(case.commit, case.judges[0], self._lookup)
        except Refused:  # no policy to ask, or a bad signature
            code = unproven.code if unproven is not None else "unauthorized-key"
            return _Signed(_SIGNING.get(code, Signing.VOID), None, key)
        if found.problem is None:
            return _Signed(Signing.LISTED, found.people[0].person, found.people[0].key)
        failing = unproven is not None and unproven.code == "bad-signature"
        signing = Signing.VOID if failing else _SIGNING.get(found.problem.code, Signing.VOID)
        return _Signed(signing, None, found.problem.key or key)

    def _author(self, commit: bytes) -> bytes:
        """Return whom the commit names, without the time."""
        try:
            line = parse_head(read_commit(self._source, commit)).author
        except MalformedCommit:
            return b""
        return line.rpartition(b">")[0] + b">" if b">" in line else line
