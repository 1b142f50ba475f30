"""Histories without paths, where every commit has somebody's signature: of the dialects that know nothing else too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from histories import contents
from histories.growth import Growth, begun, heads
from histories.people import START, STEP, draw_changed_policy
from reference import Entry, RefCommit, RefPolicy, RefSignature, Tree

if TYPE_CHECKING:
    from histories.dice import Dice


def signers(growth: Growth, commit: RefCommit) -> list[str]:
    """The keys that would make the commit authentic, without that of p0, who may nearly always, if others do."""
    signed = [replace(commit, signature=RefSignature("good", key)) for key in growth.keys]
    found = [one.signature.key for one in signed if growth.is_authentic(one)]
    return [key for key in found if key != growth.keys[0]] or found


def draw_parents(growth: Growth) -> tuple[str, ...]:
    """One commit near the end of the line, or several of any kind of which one is on the line, or none on the line."""
    dice = growth.dice
    kind = dice.pick(["line"] * 5 + ["merge"] * 4 + ["side"] * 2)
    if kind == "line":
        return (dice.pick(growth.line[-3:]),)
    if kind == "side":
        return tuple(dice.some(growth.old + growth.side, 2))
    others = (growth.old[-2:] + growth.side + growth.line)[::-1]
    parents = dict.fromkeys([dice.pick(growth.line[-3:]), *(dice.pick(others) for _ in range(1 + dice.number(3)))])
    return tuple(dice.shuffled(list(parents)))


def draw_merged(dice: Dice, trees: list[Tree], path: bytes) -> Tree:
    """One side's tree, or all of them laid over each other; and one side's policy file."""
    tree = dice.pick(trees)
    if dice.one_in(2):
        for other in trees:
            tree = contents.laid_over(other, tree)
    return contents.with_policy(tree, path, dice.pick(trees).get(path))


def draw_commit(growth: Growth, parents: tuple[str, ...]) -> None:
    """Add a commit by somebody who may; of a merge that nobody may make, or an edit, less is left; or nothing."""
    dice, path, dialect = growth.dice, growth.world.path, growth.world.dialect
    trees = [growth.tree(parent) for parent in parents] or [{b"keep": Entry(b"root\n")}]
    what = dice.pick(["files", "files", "files", "policy", "policy", "both"])
    tree = draw_merged(dice, trees, path)
    tree = tree if what == "policy" else contents.draw_edited(dice, tree)
    held = tree.get(path)
    if what != "files" and held is not None and isinstance(held.content, RefPolicy):
        tree = contents.with_policy(tree, path, Entry(draw_changed_policy(dice, dialect, held.content)))
    wanted = growth.next(parents, tree)
    index = len(growth.history)
    plainer = [
        wanted,
        replace(wanted, tree=contents.with_policy(tree, path, held)),
        replace(wanted, tree=trees[0]),
        replace(wanted, tree=trees[-1], date=START + index * STEP),
        replace(wanted, tree=growth.tree(growth.line[-1]), parents=(growth.line[-1],)),
    ]
    for commit in plainer:
        possible = signers(growth, commit)
        if possible:
            growth.add(replace(commit, signature=RefSignature("good", dice.pick(possible))))
            return


def draw_criss_cross(growth: Growth) -> None:
    """Two branches, each merged into the other, and a merge of the merges: there are two merge bases."""
    start = growth.line[-1]
    names: list[str] = []
    for shape in [(), (), (0, 1), (1, 0), (2, 3)]:
        before = len(growth.line)
        draw_commit(growth, tuple(dict.fromkeys(names[at] for at in shape)) or (start,))
        names.append(growth.line[-1] if len(growth.line) > before else start)


def draw_plain(dice: Dice, dialect: str, size: int) -> Growth:
    """A history of about so many commits in which all are authentic."""
    crossed = size > 6 and dice.one_in(2)
    before = dice.number(min(5, size - 5 if crossed else size))
    growth = begun(dice, dialect, before, paths=False)
    if crossed:
        draw_criss_cross(growth)
    for _ in range(size - len(growth.history)):
        draw_commit(growth, draw_parents(growth))
    loose = [name for name in heads(growth.history) if name not in growth.old]
    if len(loose) > 1 and not dice.one_in(4):
        draw_commit(growth, tuple(dice.shuffled(loose[-4:])))
    return growth
