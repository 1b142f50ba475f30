"""What a commit changes beyond what its parents settle (section 5 of the rules), and what of it stops the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.audit.lookup import outside
from gitverify.audit.model import Merge, Needs
from gitverify.errors import MalformedTree, TooMuch
from gitverify.limits import LIMITS
from gitverify.objects.tree import EMPTY_TREE
from gitverify.policies.model import Dialect, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.audit.lookup import Lookup
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.facts import Refusal

Paths = tuple[bytes, ...]

# A commit that nobody vouches for is refused with the most telling of these, for the paths that it changes (R17).
NOBODY_VOUCHES = frozenset({
    "unsigned",
    "unauthorized-key",
    "unknown-key",
    "weak-signature",
    "unsupported-signature",
    "revoked-key",
    "expired-key",
})  # fmt: skip


class Contribution(NamedTuple):
    """The paths: of a merge with several merge bases those that any of them leaves unsettled, for all have to do.

    ``whole``: whether they could all be found.
    """

    merge: Merge | None
    paths: Paths
    whole: bool = True


def contribution(case: Case, lookup: Lookup) -> Contribution:
    """Find all paths of a commit's contribution."""
    tree, parents = case.commit.tree, case.parents
    try:
        if len(parents) < 2:
            return Contribution(None, lookup.differences(parents[0].tree if parents else EMPTY_TREE, tree))
        bases = lookup.bases(parents[0].id, parents[1].id) if len(parents) == 2 else []
        if not bases:
            paths = {path for parent in parents for path in lookup.differences(parent.tree, tree)}
            return Contribution(Merge.UNSUPPORTED, tuple(sorted(paths)))
        if len(bases) > LIMITS.merge_bases:
            return Contribution(Merge.UNSUPPORTED, (), whole=False)
        sides = parents[0].tree, parents[1].tree
        paths = {path for base in bases for path in lookup.contribution(base.tree, sides, tree)}
    except (TooMuch, MalformedTree):
        return Contribution(None if len(parents) < 2 else Merge.OTHERWISE, (), whole=False)
    return Contribution(Merge.OTHERWISE if paths else Merge.MECHANICAL, tuple(sorted(paths)))


def needs(case: Case, refusal: Refusal, found: Contribution, lookup: Lookup) -> Needs:
    """Return which paths would have to be unprotected for a refused commit to be authentic."""
    policy = _judging_policy(case, refusal)
    if case.dialect is not Dialect.NATIVE or policy is None or not found.whole:
        return ()
    try:
        sets = _uncovered(case, refusal, found, policy, lookup)
    except (TooMuch, MalformedTree):
        return ()
    policy_path = lookup.policy_path
    return tuple({paths for paths in sets if paths and policy_path not in paths})


def _judging_policy(case: Case, refusal: Refusal) -> Policy | None:
    judges = (*case.parents, case.side_judge)
    policy = next((judge.policy for judge in judges if judge.judge == refusal.judged_by), None)
    return policy if isinstance(policy, Policy) else None


def _uncovered(
    case: Case, refusal: Refusal, found: Contribution, policy: Policy, lookup: Lookup
) -> Iterable[frozenset[bytes]]:
    """Return what is not covered, once for each way to be authentic."""
    linear = found.merge is None
    if refusal.code == "merge-not-mechanical" or (linear and refusal.code in NOBODY_VOUCHES):
        nobody = lookup.cover(policy, frozenset(), policy_file=not linear)
        return [frozenset(outside(nobody, found.paths))]
    if refusal.code != "unauthorized-path" or refusal.person is None:
        return []
    person = frozenset({refusal.person})
    theirs = lookup.cover(policy, person, policy_file=True)
    paths = frozenset(outside(theirs, found.paths))
    if linear or policy.unsigned_merges:
        return [paths]
    # R18: where machines may not merge, the voucher is granted the difference to one parent, too.
    differences = [_difference(case, parent, policy, person, lookup) for parent in case.parents]
    return [paths | difference for difference in differences]


def _difference(case: Case, parent: Parent, policy: Policy, person: frozenset[str], lookup: Lookup) -> frozenset[bytes]:
    edits = case.commit.examined.entry == parent.entry or bool(person & policy.editors)
    cover = lookup.cover(policy, person, policy_file=edits)
    return frozenset(outside(cover, lookup.differences(parent.tree, case.commit.tree)))
