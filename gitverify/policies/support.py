"""What a policy asks for and the engine does not have yet: refused as ``policy-unsupported``, never ignored.

Whoever brings one of these removes it here; with the last one this module goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.policies.model import WHOLE_TREE
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.model import Policy


def unsupported_features(policy: Policy) -> tuple[str, ...]:
    """Return one sentence for each feature of this policy that the rules do not implement; none for most policies."""
    missing = []
    for grant in policy.grants:
        path = next((path for path in grant.paths if path != WHOLE_TREE), None)
        if path is not None:
            missing.append(f"grants on paths (“{shown(str(path))}”, line {grant.line}): only “/” can be granted so far")
            break
    if policy.unprotected:
        missing.append(
            f"unprotected paths (“{shown(str(policy.unprotected[0]))}”): every change needs a signature so far"
        )
    if policy.unsigned_merges:
        missing.append("unsigned_merges: true: every merge needs a signature so far")
    if policy.adopting_merges:
        missing.append("adopting_merges: true: every parent of a merge must be authentic so far")
    return tuple(missing)
