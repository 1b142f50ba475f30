"""The decision on one commit (R14, R17, R18 by intersection, R21, R22, R22b).

For every parent the same two questions are asked, and every parent's policy must answer yes to both:

1. who vouches for the commit under this policy?
2. may one of them change what differs from this parent: the policy file (an editor, and nobody else), and
   anything else (a grant on the whole tree)?

With one parent that is R17; with several it is the intersection of all parents' policies, in which the policy
file counts as changed against each parent from which it differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from gitverify.policies.model import Dialect
from gitverify.rules.authority import Standing, own_policy_problem, touches_policy_on_the_side
from gitverify.rules.facts import Authorized, PolicyProblem, Refusal
from gitverify.rules.hints import HINTS
from gitverify.rules.vouch import NotVouchedFor, vouchers

if TYPE_CHECKING:
    from gitverify.policies.model import Policy
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.facts import CommitFacts, Examined, Voucher

# How many of the people who vouch must have the standing; endorsements and thresholds will raise it.
REQUIRED = 1


class Evidence(Protocol):
    """What the rules ask for only when they need it."""

    def examine(self, commit: CommitFacts, judge: Parent) -> Examined:
        """Return the signature's result under the judge's key material (R12)."""
        ...

    def only_policy_differs(self, commit: CommitFacts, parent: Parent) -> bool:
        """Whether commit and parent differ in nothing but the policy file's entry."""
        ...


class _Refused(Exception):
    """Ends the judgement inside this module."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def judge(case: Case, evidence: Evidence) -> Authorized | Refusal:
    """Decide on a commit whose parents have been decided on."""
    try:
        return _judge(case, evidence)
    except _Refused as refused:
        return refused.refusal


def _judge(case: Case, evidence: Evidence) -> Authorized:
    commit = case.commit
    _check_form(commit)
    _check_parents(case)
    _check_own_policy(case)
    judges = []
    for parent in case.judges:
        policy = _judging_policy(commit, parent)
        judges.append((parent, policy, _vouching(commit, parent, policy, evidence)))
    if case.standing is Standing.MAIN:
        for parent, policy, people in judges:
            _check_policy_change(commit, parent, policy, people)
    elif case.dialect is not Dialect.GUIX and touches_policy_on_the_side(case):
        message = "a branch that does not descend from the introduction may not touch the policy file"
        raise _Refused(_refusal(commit, "R21", "policy-unauthorized", message))
    for parent, policy, people in judges:
        _check_contribution(commit, parent, policy, people, evidence)
    rule = "R21" if case.standing is Standing.SIDE else "R17" if len(case.parents) == 1 else "R18"
    return Authorized(rule, judges[0][2])


def _refusal(commit: CommitFacts, rule: str, code: str, message: str) -> Refusal:
    return Refusal(commit.id, rule, code, message, HINTS[code])


def _check_form(commit: CommitFacts) -> None:
    """R6 and R7."""
    if commit.examined.malformed is not None:
        code, message = commit.examined.malformed
        raise _Refused(_refusal(commit, "R7" if code == "malformed-tree" else "R6", code, message))


def _check_parents(case: Case) -> None:
    """R17 and R18: all parents are authentic."""
    for parent in case.parents:
        if not parent.authentic:
            message = f"its parent {parent.id.hex()} is not authentic"
            rule = "R17" if len(case.parents) == 1 else "R18"
            raise _Refused(_refusal(case.commit, rule, "parent-not-authentic", message))


def _check_own_policy(case: Case) -> None:
    """R14, R3, R22."""
    problem = own_policy_problem(case)
    if problem is None:
        return
    rule = {"dialect-changed": "R3", "policy-missing": "R22" if case.dialect is Dialect.GUIX else "R14"}.get(
        problem.code
    )
    raise _Refused(_refusal(case.commit, rule or "R14", problem.code, problem.message))


def _judging_policy(commit: CommitFacts, parent: Parent) -> Policy:
    if isinstance(parent.policy, PolicyProblem):
        code, message = parent.policy
        raise _Refused(replace(_refusal(commit, "R22", code, message), judged_by=parent.judge))
    return parent.policy


def _vouching(commit: CommitFacts, parent: Parent, policy: Policy, evidence: Evidence) -> tuple[Voucher, ...]:
    """Who vouches under this parent's policy."""
    try:
        return vouchers(commit, evidence.examine(commit, parent), policy, parent.material)
    except NotVouchedFor as error:
        refusal = _refusal(commit, error.rule, error.code, error.message)
        raise _Refused(replace(refusal, key=error.key, judged_by=parent.judge)) from None


def _check_policy_change(commit: CommitFacts, parent: Parent, policy: Policy, people: tuple[Voucher, ...]) -> None:
    """R15: being an editor under the parent's policy is necessary to change its policy file."""
    if commit.examined.entry == parent.entry or _enough(people, policy.editors):
        return
    message = f"{people[0].person} may not change the policy file"
    raise _Refused(_about(_refusal(commit, "R15", "policy-unauthorized", message), people[0], parent))


def _check_contribution(
    commit: CommitFacts,
    parent: Parent,
    policy: Policy,
    people: tuple[Voucher, ...],
    evidence: Evidence,
) -> None:
    """R17: what differs from the parent, beside the policy file, needs a grant on the whole tree.

    An editor without a grant may change the policy file and nothing else. An empty contribution needs a voucher,
    which there is, with a standing: a person whom the policy lists but lets do nothing has none.
    """
    if _enough(people, policy.whole_tree):
        return
    if _enough(people, policy.editors) and evidence.only_policy_differs(commit, parent):
        return
    message = f"{people[0].person} has no grant on what this commit changes"
    raise _Refused(_about(_refusal(commit, "R17", "unauthorized-path", message), people[0], parent))


def _enough(people: tuple[Voucher, ...], among: frozenset[str]) -> bool:
    return len({voucher.person for voucher in people} & among) >= REQUIRED


def _about(refusal: Refusal, voucher: Voucher, parent: Parent) -> Refusal:
    return replace(refusal, key=voucher.key, person=voucher.person, judged_by=parent.judge)
