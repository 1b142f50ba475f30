"""A history in the making: what is decided of it so far, and how it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import reference
from emit import BROKEN
from histories import contents
from histories.people import KEYS, START, STEP, draw_policy
from reference import DIALECT_FILES, Entry, History, Known, RefCommit, RefPolicy, RefSignature, Tree, World

if TYPE_CHECKING:
    from histories.dice import Dice

UNSIGNED = RefSignature()


@dataclass
class Growth:
    """Commits by the kin they are of.

    ``old`` are before the introduction, ``side`` beside it, ``line`` descend from it; ``refused`` are not authentic.
    """

    dice: Dice
    known: Known
    paths: bool = False
    old: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    side: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.known.world

    @property
    def history(self) -> History:
        return self.world.history

    @property
    def keys(self) -> tuple[str, ...]:
        return KEYS[self.world.dialect]

    def tree(self, name: str) -> Tree:
        return self.history[name].tree

    def next(self, parents: tuple[str, ...], tree: Tree, signature: RefSignature = UNSIGNED) -> RefCommit:
        """A commit that is not there yet, dated after those that are, most of the time."""
        index = len(self.history)
        return RefCommit(f"c{index}", parents, tree, signature, START + index * STEP + self.skew())

    def skew(self) -> int:
        """Now and then a clock is wrong."""
        return self.dice.pick([-3 * STEP, 2 * STEP, 5 * reference.DAY]) if self.dice.one_in(8) else 0

    def is_authentic(self, commit: RefCommit) -> bool:
        return reference.decide(self.known, commit).code is None

    def reached_by(self, name: str) -> set[str]:
        return reference.reach(self.known, name)

    def add(self, commit: RefCommit) -> str:
        """Take a commit in, authentic or not."""
        self.history[commit.name] = commit
        self.known.decisions[commit.name] = reference.decide(self.known, commit)
        kin = self.side
        if not reference.is_authentic(self.known, commit.name):
            kin = self.refused
        elif reference.is_main(self.known, commit.name):
            kin = self.line
        kin.append(commit.name)
        return commit.name


def heads(history: History) -> list[str]:
    """The commits that are nobody's parent."""
    parents = {parent for commit in history.values() for parent in commit.parents}
    return [name for name in history if name not in parents]


def draw_old_commit(growth: Growth) -> None:
    """Before the introduction anything goes."""
    dice, path = growth.dice, growth.world.path
    parents = tuple(dice.some(growth.old, 2))
    tree = growth.tree(parents[0]) if parents else {b"keep": Entry(b"old\n"), **contents.START}
    what = dice.pick(["as is", "as is", "policy", "broken"])
    if what == "policy":
        tree = contents.with_policy(tree, path, Entry(draw_policy(dice, growth.world.dialect, paths=growth.paths)))
    elif what == "broken":
        tree = contents.with_policy(tree, path, Entry(BROKEN))
    signature = dice.pick([RefSignature(), RefSignature("good", growth.keys[0])])
    commit = growth.next(parents, contents.draw_edited(dice, tree), signature)
    growth.history[commit.name] = commit
    growth.old.append(commit.name)


def draw_introduction(growth: Growth) -> None:
    """The introduction reaches every commit before it, so that those are given."""
    dice, path = growth.dice, growth.world.path
    parents = tuple(heads(growth.history))
    tree = growth.tree(parents[0]) if parents else {b"keep": Entry(b"old\n"), **contents.START}
    held = tree.get(path)
    if held is None or not isinstance(held.content, RefPolicy) or dice.one_in(2):
        held = Entry(draw_policy(dice, growth.world.dialect, paths=growth.paths))
    signature = dice.pick([RefSignature("good", growth.keys[0])] * 3 + [RefSignature()])
    commit = growth.next(parents, contents.with_policy(tree, path, held), signature)
    growth.history[commit.name] = commit
    growth.line.append(commit.name)


def begun(dice: Dice, dialect: str, before: int, *, paths: bool) -> Growth:
    """A history that has its introduction, with so many commits before it."""
    path = dice.pick(DIALECT_FILES[dialect])
    historical = frozenset(dice.some(KEYS[dialect], 3)) if dialect == "guix" else frozenset()
    growth = Growth(dice, Known(World({}, f"c{before}", dialect, path, historical)), paths)
    for _ in range(before):
        draw_old_commit(growth)
    draw_introduction(growth)
    return growth
