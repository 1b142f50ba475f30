"""The Guix and the OpenSSH dialect (R22, R22b): every parent's list has the signing key."""

from __future__ import annotations

from reference.known import Decision, Known, is_on_main, lent_policy
from reference.model import Listing, RefCommit, RefPerson, RefPolicy, World
from reference.paths import own_entry
from reference.policies import policy_in, r14_file_problem, r14_own_problem
from reference.vouching import r8_why_nobody, vouchers


def decide_by_intersection(known: Known, commit: RefCommit) -> Decision:
    """Judge a commit all of whose parents are authentic."""
    main = is_on_main(known, commit.parents)
    guix = known.world.dialect == "guix"
    code = r22_problem(known, commit, main=main) if guix else r22b_problem(known, commit, main=main)
    linear = "R17" if len(commit.parents) == 1 else "R18"
    return Decision(code) if code else Decision(None, "R22" if guix else linear if main else "R21", vouched=True)


def r8_problem(policy: RefPolicy, commit: RefCommit) -> str | None:
    """R8: why nobody vouches under this policy, if nobody does."""
    return None if vouchers(policy, commit) else r8_why_nobody(policy, commit)


# --- OpenSSH --------------------------------------------------------------------------------------------------


def r22b_problem(known: Known, commit: RefCommit, *, main: bool) -> str | None:
    """R22b: every key may change everything; R21: beside the introduction all but the policy file."""
    world = known.world
    own = r14_own_problem(world, commit) if main else None
    if own:
        return own
    introductions = policy_in(world, world.history[world.introduction])
    judging = [lent_policy(known, parent) for parent in commit.parents] or [introductions]
    problem = next((problem for policy in judging if (problem := r8_problem(policy, commit))), None)
    if problem or main:
        return problem
    inherited = [own_entry(world, world.history[parent]) for parent in commit.parents] or [None]
    return None if own_entry(world, commit) in inherited else "policy-unauthorized"


# --- Guix -----------------------------------------------------------------------------------------------------


def r22_own_problem(world: World, commit: RefCommit, *, main: bool) -> str | None:
    """R14, R21 and R22: only a side commit may lack the file, and not where a parent has it."""
    parents = [world.history[name] for name in commit.parents]
    had_it = any(own_entry(world, one) is not None for one in [commit, *parents])
    return r14_own_problem(world, commit) if had_it or main else None


def r22_parent_problem(world: World, parent: RefCommit) -> str | None:
    """R22: a parent's file can be read; it may lack it only where its own parents do."""
    if own_entry(world, parent) is not None:
        return r14_file_problem("guix", own_entry(world, parent))
    grandparents = [world.history[name] for name in parent.parents]
    if any(own_entry(world, grandparent) is not None for grandparent in grandparents):
        return "policy-missing"
    return None


def historical_list(world: World) -> RefPolicy:
    """R21: the list that holds where there is no file."""
    return RefPolicy(tuple(RefPerson(key, (Listing(key),)) for key in sorted(world.historical)))


def r22_policy_of(world: World, name: str) -> RefPolicy:
    """R21: the parent's file, or the historical list."""
    commit = world.history[name]
    return historical_list(world) if own_entry(world, commit) is None else policy_in(world, commit)


def r22_problem(known: Known, commit: RefCommit, *, main: bool) -> str | None:
    """R22: the signing key is in the list of every parent; of a root commit (R21), in the historical one.

    *Reading*: the parents are asked one after the other.
    """
    world = known.world
    problem = r22_own_problem(world, commit, main=main)
    for name in commit.parents:
        problem = problem or r22_parent_problem(world, world.history[name])
        problem = problem or r8_problem(r22_policy_of(world, name), commit)
    return problem or (None if commit.parents else r8_problem(historical_list(world), commit))
