"""A property of accepted tips that knows none of the rules for commits: who changed what, and could they?

Take two tips that were accepted from the same introduction: first F, on which a mark then stood (F itself is vouched
for), later T, with that mark. So T answers to whoever knew F.

*History* is what a commit reaches over parents that were found authentic; N is the history of T without that of F.

*Grown* is the smallest set of policies which has Policy(F) (and the introduction's, where that is in N), and with a
policy P each that a commit of N has in its own tree, if a parent of it has P, and its signer is listed in P and may
change the policy file under P. Off the introduction's descendants, the policy of a commit is the introduction's.

Somebody *may change* a path if under one policy of Grown the key that signed is listed, by a person who is granted
the path (of the policy file: who is an editor). A path is *free* if one policy of Grown leaves it unprotected.

The *parts* of a path are its mode and the pieces of its content, as the mechanical merge settles them each by itself.
What commit C holds at a part is *answered for* if the path is free, or

* C is in the history of F, and holds what F holds;
* C is in N, differs there from a parent (or has none), and its signer may change the path;
* C is in N and given with the introduction; or
* C is in N, an authentic parent of it holds the same there, and there it is answered for.

The property: whatever T holds is answered for. In particular, each path at which F and T differ was changed outside
F's history by somebody who may, or is free. (The dialects without paths have it too: there, everyone listed may.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reference.floor import binding_reach, r23_judging_policy
from reference.known import authentic_parents, is_given, is_main, reach
from reference.mechanical import pieces
from reference.paths import editors, is_granted, is_policy, is_unprotected
from reference.policies import policy_in
from reference.vouching import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference import Entry, Known, RefPolicy


@dataclass(frozen=True)
class Hole:
    """A path at which the later tip holds what nobody answers for to those who knew the earlier one."""

    earlier: str
    later: str
    path: bytes


class Answers:
    """Who answers for what, between two accepted tips."""

    def __init__(self, known: Known, earlier: str, later: str) -> None:
        self.known = known
        self.world = known.world
        self.earlier = earlier
        self.before = reach(known, earlier)
        self.new = reach(known, later) - self.before
        self.grown = self._grown()
        self._found: dict[tuple[str, bytes, int], bool] = {}

    def _grown(self) -> list[RefPolicy]:
        history = self.world.history
        grown = [r23_judging_policy(self.known, self.earlier)]
        if self.world.introduction in self.new:
            grown.append(policy_in(self.world, history[self.world.introduction]))
        while True:
            more = [
                policy_in(self.world, history[name])
                for name in self.new
                if is_main(self.known, name)
                and not is_given(self.known, name)
                and any(
                    self._may_write(name, r23_judging_policy(self.known, parent))
                    for parent in authentic_parents(self.known, name)
                    if r23_judging_policy(self.known, parent) in grown
                )
            ]
            more = [policy for policy in more if policy not in grown]
            if not more:
                return grown
            grown.append(more[0])

    def _may_write(self, name: str, policy: RefPolicy) -> bool:
        allowed = editors(self.world.dialect, policy)
        return any(person in allowed for person in vouchers(policy, self.world.history[name]))

    def _may_change(self, name: str, path: bytes) -> bool:
        for policy in self.grown:
            people = vouchers(policy, self.world.history[name])
            if is_policy(self.world, path):
                if any(person in editors(self.world.dialect, policy) for person in people):
                    return True
            elif any(self.world.dialect != "native" or is_granted(person, path) for person in people):
                return True
        return False

    def _held(self, name: str, path: bytes, part: int) -> object:
        """What a commit holds at a part; None where there is no such part."""
        entry = self.world.history[name].tree.get(path)
        parts = () if entry is None else parts_of(entry)
        return parts[part] if part < len(parts) else None

    def all_answered(self, name: str, path: bytes) -> bool:
        """Whether all that a commit holds at a path is answered for, or that it holds nothing there."""
        entry = self.world.history[name].tree.get(path)
        return all(self.answered(name, path, part) for part in range(1 if entry is None else len(parts_of(entry))))

    def answered(self, name: str, path: bytes, part: int) -> bool:
        """Whether what a commit holds at a part is answered for."""
        key = name, path, part
        if key not in self._found:
            self._found[key] = self._answered(name, path, part)
        return self._found[key]

    def _answered(self, name: str, path: bytes, part: int) -> bool:
        if any(is_unprotected(self.world, policy, path) for policy in self.grown):
            return True
        held = self._held(name, path, part)
        if name in self.before:
            return held == self._held(self.earlier, path, part)
        if is_given(self.known, name):
            return True
        parents = self.world.history[name].parents
        differs = not parents or any(self._held(parent, path, part) != held for parent in parents)
        if differs and self._may_change(name, path):
            return True
        return any(
            self._held(parent, path, part) == held and self.answered(parent, path, part)
            for parent in authentic_parents(self.known, name)
        )


@lru_cache(4096)
def parts_of(entry: Entry) -> tuple[object, ...]:
    """The mode, and the content; of a text what stands between the lines that never change."""
    return entry.mode, *(pieces(entry.content)[::2] if isinstance(entry.content, bytes) else [entry.content])


def holes(known: Known) -> Iterator[Hole]:
    """Look at every two commits that can stand for F and T."""
    history = known.world.history
    introduction = known.world.introduction
    tips = [name for name in history if is_main(known, name)]
    vouched = [name for name in known.decisions if known.decisions[name].vouched]
    for earlier in [introduction, *vouched]:
        for later in tips:
            if later == earlier or earlier not in binding_reach(known, later):
                continue
            answers = Answers(known, earlier, later)
            paths = {*history[later].tree, *history[earlier].tree}
            for path in sorted(paths):
                if not answers.all_answered(later, path):
                    yield Hole(earlier, later, path)
