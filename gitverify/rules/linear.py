"""R17: a commit with one parent, or (on the side, R21) with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized
from gitverify.rules.refused import refused, unsigned, vouched

if TYPE_CHECKING:
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.refused import Vouched


def judge_linear(case: Case, parent: Parent, evidence: Evidence, law: Parent | None = None) -> Authorized:
    """Decide by what the commit changes beyond its one parent, which is authentic; raise Refused.

    ``law`` takes the place of the parent's policy where R19 (e) asks what another policy would have said. A parent
    that was not authentic has been dropped where ``parent`` is not the commit's only one (R20): then the voucher
    answers for everything, and there must be one.
    """
    adopting = len(case.parents) > 1
    commit = case.commit
    found = vouched(commit, law or parent, evidence)
    if found.people:
        _check_voucher(case, parent, found, evidence, "R20" if adopting else "R17")
    elif adopting:
        raise not_adoptable(case, found)
    else:
        _check_unsigned(case, parent, found, evidence)
    if case.standing is Standing.SIDE and commit.examined.entry != parent.entry:
        raise touched_on_the_side(case)
    rule = "R21" if case.standing is Standing.SIDE else "R20" if adopting else "R17"
    return Authorized(rule, found.people, None if adopting else (found.policy, found.parent.material))


def _check_voucher(case: Case, parent: Parent, found: Vouched, evidence: Evidence, rule: str) -> None:
    """Check that the people may change every path that differs; an empty contribution just needs one of them."""
    commit = case.commit
    changed = commit.examined.entry != parent.entry
    if changed and not found.is_editor and case.standing is Standing.MAIN:
        raise no_editor(case, found)
    cover = evidence.cover(found.policy, found.names, policy_file=True)
    path = evidence.uncovered(parent.tree, commit.tree, cover)
    if path is not None:
        raise no_grant(case, found, rule, path)


def _check_unsigned(case: Case, parent: Parent, found: Vouched, evidence: Evidence) -> None:
    """Check that nothing is changed but unprotected paths, and at least one of them."""
    commit = case.commit
    if commit.tree == parent.tree:
        raise unsigned(commit, found)
    cover = evidence.cover(found.policy, frozenset(), policy_file=False)
    path = evidence.uncovered(parent.tree, commit.tree, cover)
    if path is not None:
        raise unsigned(commit, found, path)


def no_editor(case: Case, found: Vouched) -> Exception:
    """R15: being an editor is necessary to change the policy file."""
    message = f"{found.people[0].person} may not change the policy file"
    return refused(case.commit, "R15", "policy-unauthorized", message, **found.about())


def no_grant(case: Case, found: Vouched, rule: str, path: bytes) -> Exception:
    """R17, R18, R20: a path that the voucher has no grant for."""
    message = f"{found.people[0].person} has no grant on what this commit changes"
    return refused(case.commit, rule, "unauthorized-path", message, path=path, **found.about())


def not_adoptable(case: Case, found: Vouched) -> Exception:
    """R20: an adopting merge is signed."""
    parent = next(parent for parent in case.parents if not parent.authentic)
    why = f": {found.problem.message}" if found.problem is not None else ""
    message = f"its parent {parent.id.hex()} is not authentic, and nobody vouches for adopting it{why}"
    return refused(case.commit, "R20", "parent-not-authentic", message, **found.about())


def touched_on_the_side(case: Case) -> Exception:
    """R21: off the introduction's descendants the policy file stays as it is."""
    message = "a branch that does not descend from the introduction may not touch the policy file"
    return refused(case.commit, "R21", "policy-unauthorized", message)
