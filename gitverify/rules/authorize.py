"""The decision on one commit: what is asked first, and which rule decides (R6, R7, R14, R17 to R22b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, TooMuch
from gitverify.policies.model import Dialect, Policy
from gitverify.rules.authority import own_policy_problem
from gitverify.rules.intersection import judge_by_intersection
from gitverify.rules.linear import judge_linear
from gitverify.rules.merges import judge_merge
from gitverify.rules.refused import Refused, refused

if TYPE_CHECKING:
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.facts import Authorized, CommitFacts, Refusal


def judge(case: Case, evidence: Evidence) -> Authorized | Refusal:
    """Decide on a commit whose parents have been decided on. Raises MissingObject (R5)."""
    try:
        _check_form(case.commit)
        parents = parents_that_count(case)
        _check_own_policy(case)
    except Refused as no:
        return no.refusal
    return _by_rule(case, parents, evidence, None)


def judge_under(case: Case, law: Parent, evidence: Evidence) -> Authorized | Refusal:
    """Decide what the policy of ``law`` would have said of a commit that is authentic by those of its parents.

    That is what R19 (e) asks. Native dialect only. Raises MissingObject.
    """
    try:
        parents = parents_that_count(case, law)
    except Refused as no:
        return no.refusal
    return _by_rule(case, parents, evidence, law)


def _by_rule(case: Case, parents: tuple[Parent, ...], evidence: Evidence, law: Parent | None) -> Authorized | Refusal:
    try:
        if case.dialect is not Dialect.NATIVE:
            return judge_by_intersection(case, evidence)
        if len(parents) > 1:
            return judge_merge(case, parents, evidence, law)
        return judge_linear(case, parents[0] if parents else case.side_judge, evidence, law)
    except Refused as no:
        return no.refusal
    except MalformedTree as error:
        return refused(case.commit, "R7", "malformed-tree", str(error)).refusal
    except TooMuch as error:
        return refused(case.commit, "R18", "merge-unsupported", str(error)).refusal


def _check_form(commit: CommitFacts) -> None:
    """R6 and R7."""
    if commit.examined.malformed is not None:
        code, message = commit.examined.malformed
        raise refused(commit, "R7" if code == "malformed-tree" else "R6", code, message)


def parents_that_count(case: Case, law: Parent | None = None) -> tuple[Parent, ...]:
    """Return the parents that a commit is judged by; raise Refused.

    R17, R18: all of them are authentic; or R20: the first is, and its policy lets a merge adopt the others.
    """
    stranger = next((parent for parent in case.parents if not parent.authentic), None)
    if stranger is None:
        return case.parents
    first = case.parents[0]
    policy = (law or first).policy
    if first.authentic and isinstance(policy, Policy) and policy.adopting_merges:
        return tuple([parent for parent in case.parents if parent.authentic])
    message = f"its parent {stranger.id.hex()} is not authentic"
    rule = "R17" if len(case.parents) == 1 else "R18"
    raise refused(case.commit, rule, "parent-not-authentic", message)


def _check_own_policy(case: Case) -> None:
    """R14, R3, R22."""
    problem = own_policy_problem(case)
    if problem is None:
        return
    rule = {"dialect-changed": "R3", "policy-missing": "R22" if case.dialect is Dialect.GUIX else "R14"}.get(
        problem.code
    )
    raise refused(case.commit, rule or "R14", problem.code, problem.message)
