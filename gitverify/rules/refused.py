"""How a rule says no: an exception inside this package, which :mod:`gitverify.rules.authorize` turns into a value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gitverify.rules.facts import PolicyProblem, Refusal
from gitverify.rules.hints import HINTS
from gitverify.rules.vouch import NotVouchedFor, vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.policies.model import Policy
    from gitverify.rules.authority import Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.facts import CommitFacts, Voucher

# How many of the people who vouch must have the standing; endorsements and thresholds will raise it.
REQUIRED = 1


class Refused(Exception):
    """Ends the judgement of one commit."""

    def __init__(self, refusal: Refusal) -> None:
        """Remember the answer."""
        self.refusal = refusal


def refused(commit: CommitFacts, rule: str, code: str, message: str, **more: object) -> Refused:
    """Make the exception; ``more`` are further fields of the refusal."""
    return Refused(Refusal(commit.id, rule, code, message, HINTS[code], **more))  # type: ignore[arg-type]


class Vouched(NamedTuple):
    """Who vouches for a commit under one policy: people, or what there is in place of their signature (R8).

    ``revoked``: a listed key signed that the material says is compromised.
    """

    policy: Policy
    parent: Parent
    people: tuple[Voucher, ...]
    problem: NotVouchedFor | None = None

    @property
    def names(self) -> frozenset[str]:
        """The people's names in this policy."""
        return frozenset(voucher.person for voucher in self.people)

    @property
    def is_editor(self) -> bool:
        """Whether the people may change the policy file (R15)."""
        return enough(self.people, self.policy.editors)

    def about(self) -> dict[str, object]:
        """Return the fields of a refusal that say who signed, and whose policy decided."""
        if not self.people:
            return {"key": self.problem.key if self.problem else None, "judged_by": self.parent.judge}
        first = self.people[0]
        return {"key": first.key, "person": first.person, "judged_by": self.parent.judge}


def judging_policy(commit: CommitFacts, parent: Parent) -> Policy:
    """Return the policy that a parent lends; raise Refused where it has none."""
    if isinstance(parent.policy, PolicyProblem):
        code, message = parent.policy
        raise refused(commit, "R22", code, message, judged_by=parent.judge)
    return parent.policy


def vouched(commit: CommitFacts, parent: Parent, evidence: Evidence) -> Vouched:
    """Find who vouches under a parent's policy (R8).

    Raises Refused for a signature that names a listed key and fails: that is refused whatever the commit changes.
    """
    policy = judging_policy(commit, parent)
    try:
        return Vouched(policy, parent, vouchers(commit, evidence.examine(commit, parent), policy, parent.material))
    except NotVouchedFor as problem:
        found = Vouched(policy, parent, (), problem)
        if problem.code == "bad-signature":
            raise unsigned(commit, found) from None
        return found


def unsigned(commit: CommitFacts, found: Vouched, path: bytes | None = None) -> Refused:
    """Make the refusal of a commit that needs a voucher and has none: the most telling reason (R8)."""
    problem = found.problem
    if problem is None:  # pragma: no cover - asked only where nobody vouches
        raise AssertionError("somebody vouches")
    refusal = refused(commit, problem.rule, problem.code, problem.message, **found.about())
    return Refused(replace(refusal.refusal, path=path))


def enough(people: Iterable[Voucher], among: frozenset[str]) -> bool:
    """Whether as many of the people as must be are among these."""
    return len({voucher.person for voucher in people} & among) >= REQUIRED
