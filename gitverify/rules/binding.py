"""R23: which edges of the history bind, so that a policy does not authorise its own arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.rules.facts import PolicyProblem
from gitverify.rules.refused import Refused, vouched

if TYPE_CHECKING:
    from gitverify.rules.authority import Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.facts import CommitFacts


def is_binding(child: CommitFacts, parent: Parent, evidence: Evidence) -> bool:
    """Whether an authentic edge binds: the policy file stays, or whom the parent's policy lets change it has done so.

    The server may merge somebody's abandoned draft of a policy, and the merge then has that draft for its policy; but
    the edge to the other parent does not bind unless an editor of *its* policy signed the merge.
    """
    if child.examined.entry == parent.entry:
        return True
    if isinstance(parent.policy, PolicyProblem):
        return False
    try:
        return vouched(child, parent, evidence).is_editor
    except Refused:
        return False
