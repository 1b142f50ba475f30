"""R23: which edges of the history bind, so that a policy does not authorise its own arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.rules.facts import PolicyProblem
from gitverify.rules.refused import Refused, vouched

if TYPE_CHECKING:
    from gitverify.rules.authority import Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.facts import Authorized, CommitFacts


def is_binding(child: CommitFacts, decision: Authorized, parent: Parent, evidence: Evidence) -> bool:
    """Whether an authentic edge binds.

    Either the policy file stays, and the parent's is the one by which the child was judged; or the child's voucher is
    somebody whom the *parent's* policy lets change it. The server may merge somebody's abandoned draft of a policy, and
    whoever that draft lists may sign such a merge, and put the old file back: by the draft it is authentic, but the
    edge to the main line binds only if an editor there has signed.
    """
    governs = decision.governing is None or decision.governing[0] == parent.entry
    if governs and child.examined.entry == parent.entry:
        return True
    if isinstance(parent.policy, PolicyProblem):
        return False
    try:
        return vouched(child, parent, evidence).is_editor
    except Refused:
        return False
