"""The decision on one commit (R14, R17, R18 by intersection, R21, R22, R22b).

For every parent the same two questions are asked, and every parent's policy must answer yes to both:

1. who vouches for the commit under this policy?
2. may one of them change what differs from this parent: the policy file (an editor, and nobody else), and
   anything else (a grant on the whole tree)?

With one parent that is R17; with several it is the intersection of all parents' policies, in which the policy
file counts as changed against each parent from which it differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.rules.authority import Standing, own_policy_problem
from gitverify.rules.facts import Authorized, PolicyProblem, Refusal
from gitverify.rules.hints import HINTS
from gitverify.rules.vouch import NotVouchedFor, vouchers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.policies.model import Dialect, Policy
    from gitverify.rules.authority import Parent
    from gitverify.rules.facts import CommitFacts, Examined, Voucher

# How many of the people who vouch must have the standing; detached endorsements and thresholds will raise it.
REQUIRED = 1


class _Refused(Exception):  # noqa: N818  (control flow inside this module)
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def judge(
    commit: CommitFacts,
    parents: Sequence[Parent],
    *,
    standing: Standing,
    dialect: Dialect,
    own_policy: Policy | PolicyProblem | None,
    other_dialect: str | None,
    side_parent: Parent,
    examine: Callable[[CommitFacts, Parent], Examined],
    only_policy_differs: Callable[[CommitFacts, Parent], bool],
) -> Authorized | Refusal:
    """Decide on a commit whose parents have been decided on.

    ``side_parent`` stands for the introduction's policy where a root commit on the side has no parent to ask
    (R21). ``examine`` gives the signature's result under the parent's material (R12), ``only_policy_differs``
    whether commit and parent differ in nothing but the policy file. Both are asked only when needed.
    """
    try:
        return _judge(
            commit,
            parents,
            standing,
            own_policy_problem(commit.examined.entry, own_policy, parents, standing, dialect, other_dialect),
            side_parent,
            examine,
            only_policy_differs,
        )
    except _Refused as refused:
        return refused.refusal


def _judge(
    commit: CommitFacts,
    parents: Sequence[Parent],
    standing: Standing,
    problem: PolicyProblem | None,
    side_parent: Parent,
    examine: Callable[[CommitFacts, Parent], Examined],
    only_policy_differs: Callable[[CommitFacts, Parent], bool],
) -> Authorized:
    _check_form(commit)
    _check_parents(commit, parents)
    if problem is not None:
        raise _Refused(_refusal(commit, _policy_rule(problem, standing), problem.code, problem.message))
    judges = parents or (side_parent,)
    vouching = [_vouching(commit, judge, examine(commit, judge)) for judge in judges]
    if standing is Standing.MAIN:  # on the side, own_policy_problem has seen that the file is a parent's (R21)
        for judge, people in zip(judges, vouching, strict=True):
            _check_policy_change(commit, judge, people)
    for judge, people in zip(judges, vouching, strict=True):
        _check_contribution(commit, judge, people, only_policy_differs)
    rule = "R21" if standing is Standing.SIDE else "R17" if len(parents) == 1 else "R18"
    return Authorized(rule, vouching[0])


def _refusal(commit: CommitFacts, rule: str, code: str, message: str, **where: object) -> Refusal:
    return Refusal(commit.id, rule, code, message, HINTS.get(code, ""), **where)  # type: ignore[arg-type]


def _check_form(commit: CommitFacts) -> None:
    """R6 and R7."""
    if commit.examined.malformed is not None:
        code, message = commit.examined.malformed
        raise _Refused(_refusal(commit, "R7" if code == "malformed-tree" else "R6", code, message))


def _check_parents(commit: CommitFacts, parents: Sequence[Parent]) -> None:
    """R17 and R18: all parents are authentic."""
    for parent in parents:
        if not parent.authentic:
            message = f"its parent {parent.id.hex()} is not authentic"
            raise _Refused(_refusal(commit, "R17", "parent-not-authentic", message, judged_by=parent.id))


def _policy_rule(problem: PolicyProblem, standing: Standing) -> str:
    if problem.code == "dialect-changed":
        return "R3"
    return "R21" if standing is Standing.SIDE else "R14"


def _vouching(commit: CommitFacts, judge: Parent, examined: Examined) -> tuple[Voucher, ...]:
    """Who vouches under this parent's policy."""
    if isinstance(judge.policy, PolicyProblem):
        problem = judge.policy
        raise _Refused(_refusal(commit, "R22", problem.code, problem.message, judged_by=judge.judge))
    try:
        return vouchers(commit, examined, judge.policy, judge.material)
    except NotVouchedFor as error:
        where = {"key": error.key, "judged_by": judge.judge}
        raise _Refused(_refusal(commit, error.rule, error.code, error.message, **where)) from None


def _check_policy_change(commit: CommitFacts, judge: Parent, people: tuple[Voucher, ...]) -> None:
    """R15: being an editor under the parent's policy is necessary to change its policy file."""
    if commit.examined.entry == judge.entry or isinstance(judge.policy, PolicyProblem):
        return
    if sum(voucher.person in judge.policy.editors for voucher in people) < REQUIRED:
        raise _Refused(
            _refusal(
                commit,
                "R15",
                "policy-unauthorized",
                f"{people[0].person} may not change the policy file",
                key=people[0].key,
                person=people[0].person,
                judged_by=judge.judge,
            ),
        )


def _check_contribution(
    commit: CommitFacts,
    judge: Parent,
    people: tuple[Voucher, ...],
    only_policy_differs: Callable[[CommitFacts, Parent], bool],
) -> None:
    """R17: what differs from the parent, beside the policy file, needs a grant on the whole tree.

    An editor without a grant may change the policy file and nothing else. An empty contribution needs a voucher,
    which there is, with a standing: a person whom the policy lists but lets do nothing has none.
    """
    policy = judge.policy
    if isinstance(policy, PolicyProblem):  # pragma: no cover - _vouching refused it
        return
    if sum(voucher.person in policy.whole_tree for voucher in people) >= REQUIRED:
        return
    if sum(voucher.person in policy.editors for voucher in people) >= REQUIRED and only_policy_differs(commit, judge):
        return
    raise _Refused(
        _refusal(
            commit,
            "R17",
            "unauthorized-path",
            f"{people[0].person} has no grant on what this commit changes",
            key=people[0].key,
            person=people[0].person,
            judged_by=judge.judge,
        ),
    )
