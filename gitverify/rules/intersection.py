"""The Guix and the OpenSSH dialect: every parent's policy must allow the commit (R22, R22b), whatever it changes.

For every parent the same two questions are asked, and every parent's policy must answer yes to both:

1. who vouches for the commit under this policy?
2. may one of them change what differs from this parent: the policy file (an editor), and anything else?

With one parent that is R17; with several it is the intersection of all parents' policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.policies.model import Dialect
from gitverify.rules.authority import Standing, touches_policy_on_the_side
from gitverify.rules.facts import Authorized
from gitverify.rules.refused import enough, refused, unsigned, vouched

if TYPE_CHECKING:
    from gitverify.rules.authority import Case
    from gitverify.rules.evidence import Evidence


def judge_by_intersection(case: Case, evidence: Evidence) -> Authorized:
    """Decide on a commit whose parents are authentic; raise Refused."""
    commit = case.commit
    found = []
    for parent in case.judges:
        under = vouched(commit, parent, evidence)
        if not under.people:
            raise unsigned(commit, under)
        found.append(under)
    if case.standing is Standing.MAIN:
        for under in found:
            if commit.examined.entry != under.parent.entry and not under.is_editor:
                message = f"{under.people[0].person} may not change the policy file"
                raise refused(commit, "R15", "policy-unauthorized", message, **under.about())
    elif case.dialect is not Dialect.GUIX and touches_policy_on_the_side(case):
        message = "a branch that does not descend from the introduction may not touch the policy file"
        raise refused(commit, "R21", "policy-unauthorized", message)
    for under in found:
        if not enough(under.people, under.policy.whole_tree):
            message = f"{under.people[0].person} has no grant on what this commit changes"
            raise refused(commit, "R17", "unauthorized-path", message, **under.about())
    rule = "R21" if case.standing is Standing.SIDE else "R17" if len(case.parents) == 1 else "R18"
    authority = (found[0].policy, found[0].parent.material) if len(found) == 1 else None
    return Authorized(rule, found[0].people, authority)
