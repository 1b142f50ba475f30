"""What is decided so far, and the relations between commits that follow from it: all over authentic edges.

A commit is decided after its parents. What follows from decisions is found by going over all of them again; only what
was given, and what a decided commit reaches, is remembered, as that does not change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from reference.policies import policy_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reference.model import History, RefPolicy, World


@dataclass(frozen=True)
class Decision:
    """What was decided on a commit: a reason code if it is refused, else the rule by which it is authentic.

    ``vouched``: there is a voucher under the policy that judged it (R23).
    """

    code: str | None
    rule: str = ""
    vouched: bool = False


@dataclass
class Known:
    """The decisions on the commits that came by; those of closure(introduction) need none."""

    world: World
    decisions: dict[str, Decision] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)

    @cached_property
    def given(self) -> set[str]:
        """closure(introduction)."""
        return closure(self.world.history, self.world.introduction)


def found_from(start: Iterable[str], onwards: Callable[[str], Iterable[str]]) -> set[str]:
    """Everything that can be reached, the start included."""
    found = set(start)
    while True:
        more = {other for one in found for other in onwards(one)} - found
        if not more:
            return found
        found |= more


def parents_of(history: History, name: str) -> tuple[str, ...]:
    """R6: nothing that a malformed commit says is believed, its parents included."""
    commit = history[name]
    return () if commit.malformed == "malformed-commit" else commit.parents


def closure(history: History, name: str) -> set[str]:
    """The commit and all its ancestors, over all edges."""
    return found_from([name], lambda one: parents_of(history, one))


def is_given(known: Known, name: str) -> bool:
    """R21: what the introduction reaches counts as given."""
    return name in known.given


def is_authentic(known: Known, name: str) -> bool:
    """Given with the introduction, or found authentic."""
    return is_given(known, name) or (name in known.decisions and known.decisions[name].code is None)


def authentic_parents(known: Known, name: str) -> tuple[str, ...]:
    """The commits at the other end of a commit's authentic edges; inside closure(introduction) every edge counts."""
    if is_given(known, name):
        return parents_of(known.world.history, name)
    if not is_authentic(known, name):
        return ()
    return tuple(parent for parent in parents_of(known.world.history, name) if is_authentic(known, parent))


def reach(known: Known, name: str) -> set[str]:
    """What a commit that is given or decided reaches over authentic edges, itself included."""
    if name not in known.reached:
        known.reached[name] = found_from([name], lambda one: authentic_parents(known, one))
    return known.reached[name]


def is_main(known: Known, name: str) -> bool:
    """R2: the introduction, or authentic and descending from it."""
    return known.world.introduction in reach(known, name)


def is_on_main(known: Known, parents: Iterable[str]) -> bool:
    """Whether a commit with these authentic parents descends from the introduction."""
    return any(is_main(known, parent) for parent in parents)


def merge_bases(known: Known, one: str, other: str) -> list[str]:
    """The common ancestors that no other common ancestor reaches."""
    return sorted(newest_common(one, other, lambda name: reach(known, name)))


def hidden_bases(known: Known, one: str, other: str) -> list[str]:
    """*Reading*: those over all edges, which a merge must not contradict either.

    Below an adopting merge there may be authentic commits that nobody merged; merged by a machine, they must bring
    nothing back that was taken back since.
    """
    history = known.world.history
    found = newest_common(one, other, lambda name: closure(history, name))
    return sorted(set(found) - set(merge_bases(known, one, other)))


def newest_common(one: str, other: str, reached: Callable[[str], set[str]]) -> list[str]:
    """Of what both reach, that which nothing else of it reaches."""
    common = reached(one) & reached(other)
    return [base for base in common if not any(base in reached(c) for c in common if c != base)]


def lent_policy(known: Known, name: str) -> RefPolicy:
    """The policy that a parent judges with: its own; R21: off the introduction's descendants, the introduction's."""
    world = known.world
    return policy_in(world, world.history[name if is_main(known, name) else world.introduction])
