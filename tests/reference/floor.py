"""What an accepted tip must not take back, and what it leaves for the next run (R23, R23b, R26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.governing import governing
from reference.intersection import r22_policy_of
from reference.known import Known, authentic_parents, found_from, is_given, is_main, lent_policy, reach
from reference.model import DAY, Question, RefPolicy
from reference.paths import editors, own_entry
from reference.policies import policy_in
from reference.vouching import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable


def r23_judging_policy(known: Known, parent: str) -> RefPolicy:
    """The policy that a parent lends."""
    return r22_policy_of(known.world, parent) if known.world.dialect == "guix" else lent_policy(known, parent)


def r23_is_binding(known: Known, child: str, parent: str) -> bool:
    """R23: whether an authentic edge binds: the file is the same, or the child's voucher may change it there.

    *Reading*: inside closure(introduction) every edge does, as the introduction answers for them all. Of a merge that
    another policy governed, the file's being the same is not enough: whom a draft lists may put the old file back.
    """
    world = known.world
    commit = world.history[child]
    if is_given(known, child):
        return True
    left = authentic_parents(known, child)
    governs = governing(known, left) if world.dialect == "native" and len(left) > 1 else None
    theirs = own_entry(world, world.history[parent])
    if own_entry(world, commit) == theirs and (governs is None or governs.file == theirs):
        return True
    policy = r23_judging_policy(known, parent)
    return any(person in editors(world.dialect, policy) for person in vouchers(policy, commit))


def binding_reach(known: Known, name: str) -> set[str]:
    """What a commit reaches over binding edges, itself included."""

    def onwards(child: str) -> Iterable[str]:
        return [parent for parent in authentic_parents(known, child) if r23_is_binding(known, child, parent)]

    return found_from([name], onwards)


def r23_mark(known: Known, tip: str) -> frozenset[str]:
    """R23: the newest vouched commits that an accepted tip reaches over binding edges; the introduction counts."""
    reached = [
        name
        for name in binding_reach(known, tip)
        if name == known.world.introduction or (name in known.decisions and known.decisions[name].vouched)
    ]
    below = {name: binding_reach(known, name) - {name} for name in reached}
    return frozenset(name for name in reached if not any(name in its for its in below.values()))


def r23_problem(known: Known, tip: str, marks: frozenset[str]) -> str | None:
    """R23: the tip reaches every mark. *Reading*: ``behind`` where any of those not reached reaches the tip."""
    unreached = [mark for mark in marks if mark not in binding_reach(known, tip)]
    if not unreached:
        return None
    if any(mark in known.world.history and tip in reach(known, mark) for mark in unreached):
        return "behind"
    return "rollback"


def r23b_problem(known: Known, tip: str, contains: frozenset[str]) -> str | None:
    """R23b: the tip reaches what the caller knows to be good."""
    return None if contains <= binding_reach(known, tip) else "not-contained"


def r26_problem(known: Known, tip: str, max_age: int | None, now: int) -> str | None:
    """R26: a person of the tip's policy has signed an accepted commit lately.

    *Reading*: the introduction is an accepted commit; what it reaches is none, and branches that do not descend from
    it do not count. In the OpenSSH dialect, a key counts while its entry is in force at the commit's date.
    """
    if max_age is None:
        return None
    world = known.world
    policy = policy_in(world, world.history[tip])
    accepted = [world.history[name] for name in reach(known, tip) if is_main(known, name)]
    dates = [commit.date for commit in accepted if vouchers(policy, commit) and commit.date <= now + DAY]
    return None if dates and max(dates) >= now - max_age else "stale"


def floor_problems(known: Known, question: Question) -> frozenset[str]:
    """What is wrong with a tip that is authentic."""
    tip = question.tip
    found = (
        r23_problem(known, tip, question.marks),
        r23b_problem(known, tip, question.contains),
        r26_problem(known, tip, question.max_age, question.now),
    )
    return frozenset(code for code in found if code)
