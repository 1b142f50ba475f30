"""The native dialect's commits: R17 to R21.

``under`` is the policy of R19 (e): where it is given it stands in the place of every parent's policy, and neither (e)
nor the difference to the governing parent is asked again, because every commit that they are about is looked at too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.governing import bases_of, differs_from, governing, merge_contributions, tree_of
from reference.known import (
    Decision,
    Known,
    authentic_parents,
    is_authentic,
    is_given,
    is_on_main,
    lent_policy,
    reach,
)
from reference.paths import all_covered, difference, editors, is_policy, is_unprotected, own_entry
from reference.policies import r14_own_problem
from reference.vouching import r8_is_bad, r8_why_nobody, vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference.governing import Governing
    from reference.model import RefCommit, RefPerson, RefPolicy

NOT_ADOPTED = Decision("parent-not-authentic")


def decide_native(known: Known, commit: RefCommit) -> Decision:
    """Judge a commit by its authentic parents; where they are not all, R20."""
    left = tuple(parent for parent in commit.parents if is_authentic(known, parent))
    if left != commit.parents and not r20_allows(known, commit, left, None):
        return NOT_ADOPTED
    main = is_on_main(known, left)
    own = r14_own_problem(known.world, commit) if main else None
    if own:
        return Decision(own)
    decision = judged_by(known, commit, left, None)
    if decision.code or main:
        return decision
    return Decision(None, "R21", vouched=decision.vouched)


def judged_by(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> Decision:
    """R17 or R18 and R19 over these parents; R20 where there are more."""
    adopting = left != commit.parents
    if adopting and not (r20_allows(known, commit, left, under) and r20_is_vouched(known, commit, left, under)):
        return NOT_ADOPTED
    decision = r17(known, commit, left, under) if len(left) < 2 else merge(known, commit, left, under)
    if decision.code is None and adopting:
        return Decision(None, "R20", vouched=True) if decision.vouched else NOT_ADOPTED
    return decision


def uncovered(known: Known, policy: RefPolicy, people: list[RefPerson], paths: Iterable[bytes]) -> str | None:
    """Why these people may not change these paths: the policy file comes first."""
    left = [path for path in paths if not all_covered(known.world, policy, people, [path])]
    if any(is_policy(known.world, path) for path in left):
        return "policy-unauthorized"
    return "unauthorized-path" if left else None


# --- R17 ------------------------------------------------------------------------------------------------------


def r17(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> Decision:
    """R17: every path is unprotected or granted to the voucher; no path at all needs a voucher.

    R21: beside the introduction, nobody may touch the policy file. *Reading*: a root commit there changes every path
    that it holds.
    """
    world = known.world
    policy = under or lent_policy(known, left[0] if left else world.introduction)
    paths = difference(tree_of(known, left[0]) if left else {}, commit.tree)
    people = vouchers(policy, commit)
    if not people:
        free = paths and all(is_unprotected(world, policy, path) for path in paths)
        if free and not r8_is_bad(policy, commit):
            return Decision(None, "R17")
        return Decision(r8_why_nobody(policy, commit))
    if is_on_main(known, left):
        problem = uncovered(known, policy, people, paths)
    else:
        touched = any(is_policy(world, path) for path in paths)
        problem = uncovered(known, policy, people, [path for path in paths if not is_policy(world, path)])
        problem = problem or ("policy-unauthorized" if touched else None)
    return Decision(problem) if problem else Decision(None, "R17", vouched=True)


# --- R18 ------------------------------------------------------------------------------------------------------


def merge(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> Decision:
    """R18 where somebody vouches, else R19."""
    govern = governing(known, left)
    if govern is None:
        return by_intersection(known, commit, left, under)
    policy = under or govern.policy
    people = vouchers(policy, commit)
    if people:
        problem = r18_problem(known, commit, left, govern, policy, people, again=under is not None)
        return Decision(problem) if problem else Decision(None, "R18", vouched=True)
    if r8_is_bad(policy, commit):
        return Decision("bad-signature")
    problem = r19_problem(known, commit, left, govern, under)
    return Decision(problem) if problem else Decision(None, "R19")


def r18_problem(
    known: Known,
    commit: RefCommit,
    left: tuple[str, ...],
    govern: Governing,
    policy: RefPolicy,
    people: list[RefPerson],
    *,
    again: bool,
) -> str | None:
    """R18 under a governing policy."""
    world = known.world
    touched = own_entry(world, commit) != govern.file
    if touched and not is_editor(known, policy, people):
        return "policy-unauthorized"
    if not all(all_covered(world, policy, people, paths) for paths in merge_contributions(known, commit, left)):
        return "unauthorized-path"
    if not again and not r18_answers_for_the_side(known, commit, left, govern, people):
        return "merge-revoked-side"
    if not policy.unsigned_merges and not any(answers_for(known, commit, one, policy, people) for one in left):
        return "unauthorized-path"
    return "policy-unauthorized" if touched and not is_on_main(known, left) else None


def is_editor(known: Known, policy: RefPolicy, people: list[RefPerson]) -> bool:
    """R15: whether one of these people may change the policy file."""
    return any(person in editors(known.world.dialect, policy) for person in people)


def answers_for(known: Known, commit: RefCommit, parent: str, policy: RefPolicy, people: list[RefPerson]) -> bool:
    """R18: whether these people are granted the whole difference to a parent."""
    return all_covered(known.world, policy, people, differs_from(known, commit, parent))


def r18_answers_for_the_side(
    known: Known, commit: RefCommit, left: tuple[str, ...], govern: Governing, people: list[RefPerson]
) -> bool:
    """R18: the voucher is granted the whole difference to the governing parent, or (e) holds.

    Where both parents changed the policy to the same, (e) is asked of each for what the other lacks.
    """
    if govern.both_changed:
        return all(r19_e(known, parent, left, govern.policy) for parent in left)
    return any(
        answers_for(known, commit, parent, govern.policy, people) or r19_e(known, parent, left, govern.policy)
        for parent in govern.parents
    )


def by_intersection(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> Decision:
    """R18 where nobody governs: an editor under every parent's policy who is granted every difference under each.

    *Reading*: a signature that some of the parents' policies list and others do not is refused for the conflict,
    one that none of them lists counts as none (R8). Beside the introduction (R21) there is no file to keep then, so
    that every such merge touches it.
    """
    judging = [under or lent_policy(known, parent) for parent in left]
    people = [vouchers(policy, commit) for policy in judging]
    if not any(people):
        return Decision(no_governing_policy(known, commit, left, judging))
    if not all(is_editor(known, policy, its) for policy, its in zip(judging, people, strict=True)):
        return Decision("merge-policy-conflict")
    if not is_on_main(known, left):
        return Decision("policy-unauthorized")
    for policy, its in zip(judging, people, strict=True):
        if not all(answers_for(known, commit, parent, policy, its) for parent in left):
            return Decision("unauthorized-path")
    return Decision(None, "R18", vouched=True)


def no_governing_policy(known: Known, commit: RefCommit, left: tuple[str, ...], judging: list[RefPolicy]) -> str:
    """R19 (a) and (c): why a merge with no voucher is refused where nobody governs."""
    if any(r8_is_bad(policy, commit) for policy in judging):
        return "bad-signature"
    if not all(policy.unsigned_merges for policy in judging):
        return r8_why_nobody(judging[0], commit)
    return "merge-policy-conflict" if bases_of(known, left) else "merge-unsupported"


# --- R19 ------------------------------------------------------------------------------------------------------


def r19_problem(
    known: Known, commit: RefCommit, left: tuple[str, ...], govern: Governing, under: RefPolicy | None
) -> str | None:
    """R19 (a) to (e); where unsigned merges are not allowed, R8."""
    world = known.world
    policy = under or govern.policy
    if not all((under or lent_policy(known, parent)).unsigned_merges for parent in left):
        return r8_why_nobody(policy, commit)
    if not bases_of(known, left):
        return "merge-unsupported"
    if govern.both_changed or own_entry(world, commit) != govern.file:
        return "merge-policy-conflict"
    if not all(
        all(is_unprotected(world, policy, path) for path in paths) for paths in merge_contributions(known, commit, left)
    ):
        return "merge-not-mechanical"
    if under is None and not any(r19_e(known, parent, left, policy) for parent in govern.parents):
        return "merge-revoked-side"
    return None


def r19_e(known: Known, place: str, left: tuple[str, ...], policy: RefPolicy) -> bool:
    """R19 (e): what the other parent reaches and this one doesn't is also authorised under the governing policy."""
    if len(left) != 2:
        return False
    other = left[1] if left[0] == place else left[0]
    beyond = reach(known, other) - reach(known, place)
    return all(authorised_under(known, name, policy) for name in beyond if not is_given(known, name))


def authorised_under(known: Known, name: str, policy: RefPolicy) -> bool:
    """R19 (e): whether R17 to R20 hold of an authentic commit with this policy in place of every parent's."""
    return judged_by(known, known.world.history[name], authentic_parents(known, name), policy).code is None


# --- R20 ------------------------------------------------------------------------------------------------------


def r20_allows(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> bool:
    """R20: the first parent is authentic, and its policy allows adopting merges."""
    return bool(left) and left[0] == commit.parents[0] and (under or lent_policy(known, left[0])).adopting_merges


def r20_is_vouched(known: Known, commit: RefCommit, left: tuple[str, ...], under: RefPolicy | None) -> bool:
    """R20: somebody vouches.

    *Reading*: under the policy that judges what is left: that of the one parent, the governing one, or any of those
    that intersect. A signature that names a listed key there and fails is refused as such (R8).
    """
    govern = governing(known, left) if len(left) > 1 else None
    if under:
        judging = [under]
    elif govern:
        judging = [govern.policy]
    else:
        judging = [lent_policy(known, parent) for parent in left]
    return any(vouchers(policy, commit) or r8_is_bad(policy, commit) for policy in judging)
