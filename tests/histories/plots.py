"""Longer stories that random steps seldom tell: what attackers try, and what happens among honest people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from histories import steps
from histories.growth import Growth, begun
from histories.people import draw_changed_policy, signing_key, usable
from reference import RefPolicy, RefSignature

if TYPE_CHECKING:
    from histories.dice import Dice
    from reference import RefPerson


def policy_at(growth: Growth, name: str) -> RefPolicy:
    """The policy in a commit of the line."""
    return steps.some_policy(growth, name)


def without(policy: RefPolicy, person: RefPerson) -> RefPolicy:
    """The policy after somebody was removed; if there is nobody else, after a word was changed."""
    left = replace(policy, people=tuple(one for one in policy.people if one.name != person.name))
    return left if usable("native", left) else replace(policy, note=policy.note + 1)


def criss_cross(growth: Growth) -> None:
    """Two branches, each merged into the other, something on top of one or not, and a merge of the merges."""
    start = growth.line[-1]
    left = steps.edit(growth, start) or start
    right = (steps.change_policy(growth, start) if growth.dice.one_in(4) else steps.edit(growth, start)) or start
    one = steps.merge_of(growth, (left, right)) or left
    other = steps.merge_of(growth, (right, left)) or right
    if growth.dice.one_in(2):
        one = steps.edit(growth, one) or one
    steps.merge_of(growth, (one, other))


def draft(growth: Growth) -> None:
    """A policy is drafted on a side branch, used there, and merged by somebody else."""
    start = growth.dice.pick(growth.line[::-1][:2])
    drafted = steps.change_policy(
        growth, start, draw_changed_policy(growth.dice, "native", policy_at(growth, start), paths=True)
    )
    if not drafted:
        return
    used = steps.edit(growth, drafted) or drafted
    head = growth.line[-1] if growth.line[-1] not in (used, drafted) else start
    if growth.dice.one_in(2):
        head = steps.edit(growth, head) or head
    steps.merge_of(growth, tuple(growth.dice.shuffled([head, used])), keep=growth.dice.one_in(2))


def comeback(growth: Growth) -> None:
    """Somebody is removed from the policy; a branch of theirs from before then is merged, or adopts today's."""
    dice = growth.dice
    start = growth.line[-1]
    policy = policy_at(growth, start)
    person = dice.pick(policy.people[::-1])
    key = signing_key(person)
    by = RefSignature("good", key) if key else None
    branch = steps.edit(growth, start, by) or start
    head = steps.change_policy(growth, start, without(policy, person)) or start
    if dice.one_in(2):
        head = steps.edit(growth, head) or head
    if dice.one_in(3) and by:
        branch = steps.merge_of(growth, (branch, steps.junk(growth, head)), by) or branch
    if dice.one_in(4):
        head = steps.change_policy(growth, head, policy) or head  # and comes back
    parents = [head, branch] if not dice.one_in(3) else [branch, head]
    steps.merge_of(growth, tuple(parents), dice.pick([steps.UNSIGNED, None]), keep=not dice.one_in(3))


def diverged(growth: Growth) -> None:
    """Two branches change the policy, or one and the introduction it was forked off before, or have no common root."""
    dice = growth.dice
    start = growth.line[-1]
    branch = steps.beside(growth) if dice.one_in(2) else steps.change_policy(growth, start)
    head = start if dice.one_in(3) else steps.change_policy(growth, start)
    steps.merge_of(growth, (head or start, branch or start), keep=not dice.one_in(3))


def twice(growth: Growth) -> None:
    """A branch is merged, goes on, and is merged again."""
    start = growth.line[-1]
    branch = steps.edit(growth, start) or start
    head = steps.merge_of(growth, (steps.edit(growth, start) or start, branch)) or start
    steps.merge_of(growth, (head, steps.edit(growth, branch) or branch))


STEPS = (
    *[steps.edit] * 8,
    *[steps.merge] * 7,
    *[steps.change_policy] * 4,
    *[steps.adopt] * 2,
    *[steps.junk] * 2,
    *[steps.beside] * 2,
    steps.nothing,
    steps.root,
)
PLOTS = (criss_cross, draft, comeback, comeback, diverged, twice)


def draw_rich(dice: Dice, size: int) -> Growth:
    """A history of about so many commits of the native dialect, with paths and merges of all kinds."""
    before = dice.pick([0, 0, 0, 1, 1, 2, 3]) if size > 5 else dice.number(2)
    growth = begun(dice, "native", before, paths=True)
    if size - before > 4 and dice.one_in(2):
        steps.edit(growth)
    if size - before > 4 and not dice.one_in(3):
        dice.pick(PLOTS)(growth)
    for _ in range(2 * size):
        if len(growth.history) >= size:
            break
        dice.pick(STEPS)(growth)
    return growth
