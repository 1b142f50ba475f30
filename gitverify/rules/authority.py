"""Which policy judges the children of a commit, and what is wrong with a commit's own (R14, R21, R22)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gitverify.policies.model import Dialect
from gitverify.rules.facts import PolicyProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.objects.tree import TreeEntry
    from gitverify.policies.model import Policy
    from gitverify.rules.vouch import KeyMaterial


class Standing(Enum):
    """Where a commit stands to the introduction.

    MAIN: the introduction, or descends from it. SIDE: neither, but reachable from the tip (R21). GIVEN: an
    ancestor of the introduction, trusted with it.
    """

    MAIN = "main"
    SIDE = "side"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent as its child's judge sees it.

    ``entry`` is its own policy file, ``policy`` the one that it lends authority with: for a side or given commit
    of the native and OpenSSH dialects the introduction's (R21). A problem in place of the policy means that no
    child of this commit can be judged. ``tree`` is the root tree's id, ``material`` the certificates that
    belong to the policy (R12). ``judge`` is the commit whose tree the policy stands in.
    """

    id: bytes
    tree: bytes
    entry: TreeEntry | None
    authentic: bool
    policy: Policy | PolicyProblem
    material: KeyMaterial
    judge: bytes


def own_policy_problem(
    entry: TreeEntry | None,
    policy: Policy | PolicyProblem | None,
    parents: Sequence[Parent],
    standing: Standing,
    dialect: Dialect,
    other_dialect: str | None,
) -> PolicyProblem | None:
    """Return what is wrong with the policy file in a commit's own tree, or None (R14, R21, R22).

    ``policy`` is what the entry was read as; ``other_dialect`` names another dialect's file that the tree has.
    """
    if standing is Standing.SIDE and dialect is not Dialect.GUIX:
        if not parents and entry is None:
            return None
        if any(parent.entry == entry for parent in parents):
            return None
        return PolicyProblem(
            "policy-unauthorized",
            "a branch that does not descend from the introduction may not touch the policy file",
        )
    if entry is None:
        if dialect is Dialect.GUIX and not any(parent.entry for parent in parents):
            return None
        if other_dialect is not None:
            return PolicyProblem(
                "dialect-changed",
                f"the policy file is gone and {other_dialect} is there; the dialect is the introduction's",
            )
        return PolicyProblem("policy-missing", "the tree has no policy file")
    return policy if isinstance(policy, PolicyProblem) else None
