"""Which policy judges the children of a commit, and what is wrong with a commit's own (R14, R21, R22)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.model import Dialect
from gitverify.rules.facts import PolicyProblem

if TYPE_CHECKING:
    from gitverify.objects.tree import TreeEntry
    from gitverify.policies.model import Policy
    from gitverify.rules.facts import CommitFacts
    from gitverify.rules.vouch import KeyMaterial


class Standing(Enum):
    """Where a commit stands to the introduction.

    MAIN: the introduction, or descends from it. SIDE: neither, but reachable from the tip (R21). GIVEN: an
    ancestor of the introduction, trusted with it.
    """

    MAIN = "main"
    SIDE = "side"
    GIVEN = "given"


class Parent(NamedTuple):
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
    standing: Standing = Standing.MAIN


class Base(NamedTuple):
    """A merge base: its root tree's id, and its own policy file's entry."""

    tree: bytes
    entry: TreeEntry | None


class Case(NamedTuple):
    """A commit to be judged, with what surrounds it.

    ``own_policy`` is what the policy file in its own tree was read as, ``other_dialect`` names another dialect's
    file there. ``side_judge`` stands for the introduction's policy where a commit on the side has no parent to
    ask (R21).
    """

    commit: CommitFacts
    parents: tuple[Parent, ...]
    standing: Standing
    dialect: Dialect
    own_policy: Policy | PolicyProblem | None
    other_dialect: str | None
    side_judge: Parent

    @property
    def judges(self) -> tuple[Parent, ...]:
        """Those whose policies judge the commit: its parents."""
        return self.parents or (self.side_judge,)


def own_policy_problem(case: Case) -> PolicyProblem | None:
    """Return what is wrong with the policy file in a commit's own tree, or None (R14, R22)."""
    if case.standing is Standing.SIDE and case.dialect is not Dialect.GUIX:
        return None  # it decides nothing there
    if case.commit.examined.entry is not None:
        return case.own_policy if isinstance(case.own_policy, PolicyProblem) else None
    if case.dialect is Dialect.GUIX and not any(parent.entry for parent in case.parents):
        return None
    if case.other_dialect is not None:
        message = f"the policy file is gone and {case.other_dialect} is there; the dialect is the introduction's"
        return PolicyProblem("dialect-changed", message)
    return PolicyProblem("policy-missing", "the tree has no policy file")


def touches_policy_on_the_side(case: Case) -> bool:
    """Whether a commit on the side has a policy file that is no parent's, or as a root commit any (R21)."""
    entry = case.commit.examined.entry
    return not any(parent.entry == entry for parent in case.parents) and (bool(case.parents) or entry is not None)
