"""The native dialect's histories, step by step: edits, policies, junk, merges of every kind, adopting merges.

A step is drawn so that it is mostly right: by somebody who may, merged as a forge's button would. What is refused all
the same is signed by somebody who may do everything, or else kept as it is: another step may adopt it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from histories import contents
from histories.growth import UNSIGNED
from histories.people import STRANGERS, draw_changed_policy, draw_policy, is_full, signing_key
from reference import Entry, RefPolicy, RefSignature, Tree
from reference.governing import governing
from reference.known import is_authentic, lent_policy, merge_bases
from reference.mechanical import Conflict, settled
from reference.paths import is_granted, prefix_covers

if TYPE_CHECKING:
    from histories.growth import Growth
    from reference import RefCommit, RefPerson


def signed(person: RefPerson | None) -> RefSignature:
    """The signature of a person, or none where there is no key to sign with."""
    key = person and signing_key(person)
    return RefSignature("good", key) if key else UNSIGNED


def full_person(policy: RefPolicy) -> RefPerson:
    """Somebody who may do everything."""
    return next(person for person in policy.people if is_full(person))


def some_policy(growth: Growth, name: str) -> RefPolicy:
    """The policy that a commit lends, or would if it were authentic."""
    if is_authentic(growth.known, name):
        return lent_policy(growth.known, name)
    return lent_policy(growth.known, growth.world.introduction)


def draw_signature(growth: Growth, policy: RefPolicy, path: bytes | None = None) -> RefSignature:
    """Often of somebody who may change the path, sometimes of anybody, sometimes none."""
    dice = growth.dice
    kind = dice.pick(["able"] * 5 + ["listed", "any", "absent", "absent"])
    if kind == "able":
        able = [one for one in policy.people if is_granted(one, path)] if path else list(policy.people)
        return signed(dice.pick(able or policy.people))
    if kind == "listed":
        return signed(dice.pick(policy.people))
    return RefSignature("good", dice.pick(growth.keys)) if kind == "any" else UNSIGNED


def settle(growth: Growth, commit: RefCommit, *, keep: bool = False) -> str:
    """Take a commit in, better signed where that helps; now and then as it is, merges more often."""
    dice = growth.dice
    if keep or growth.is_authentic(commit) or dice.one_in(3 if len(commit.parents) > 1 else 5):
        return growth.add(commit)
    for parent in dict.fromkeys(commit.parents):
        better = replace(commit, signature=signed(full_person(some_policy(growth, parent))))
        if growth.is_authentic(better):
            return growth.add(better)
    return growth.add(commit) if dice.one_in(3) else ""


# --- linear ---------------------------------------------------------------------------------------------------


def draw_place(growth: Growth) -> str:
    """A commit to build on: mostly the newest of the line."""
    dice = growth.dice
    kind = dice.pick(["newest"] * 5 + ["line"] * 3 + ["beside", "refused"])
    if kind == "beside" and growth.old + growth.side:
        return dice.pick((growth.old + growth.side)[::-1])
    if kind == "refused" and growth.refused:
        return dice.pick(growth.refused[::-1])
    return growth.line[-1] if kind == "newest" else dice.pick(growth.line[::-1])


def edit(growth: Growth, on: str | None = None, by: RefSignature | None = None) -> str:
    """Change a path or two."""
    on = on or draw_place(growth)
    path = contents.draw_path(growth.dice)
    tree = contents.draw_edited(growth.dice, growth.tree(on), path)
    return settle(growth, growth.next((on,), tree, by or draw_signature(growth, some_policy(growth, on), path)))


def beside(growth: Growth) -> str:
    """Change something on a branch that does not descend from the introduction."""
    places = (growth.old + growth.side)[::-1]
    if not places:
        return root(growth)
    on = growth.dice.pick(places)
    path = growth.dice.pick(list(contents.USUAL))
    unprotected = some_policy(growth, on).unprotected
    by = UNSIGNED if any(prefix_covers(prefix, path) for prefix in unprotected) else None
    tree = contents.put(growth.tree(on), path, contents.draw_other_entry(growth.dice, growth.tree(on).get(path)))
    return settle(growth, growth.next((on,), tree, by or draw_signature(growth, some_policy(growth, on), path)))


def nothing(growth: Growth) -> str:
    """Change nothing."""
    on = draw_place(growth)
    return settle(growth, growth.next((on,), growth.tree(on), draw_signature(growth, some_policy(growth, on))))


def draw_new_policy(growth: Growth, on: str) -> RefPolicy:
    """Another policy than a commit's: changed, or one that held before."""
    dice = growth.dice
    files = [commit.tree.get(growth.world.path) for commit in growth.history.values()]
    former = [file.content for file in files if file is not None and isinstance(file.content, RefPolicy)]
    if dice.one_in(4):
        return dice.pick(former)
    held = growth.tree(on).get(growth.world.path)
    policy = held.content if held is not None and isinstance(held.content, RefPolicy) else former[-1]
    return draw_changed_policy(dice, "native", policy, paths=True)


def change_policy(growth: Growth, on: str | None = None, policy: RefPolicy | None = None) -> str:
    """Change the policy file, mostly by an editor, sometimes with something else."""
    dice = growth.dice
    on = on or draw_place(growth)
    tree = contents.with_policy(growth.tree(on), growth.world.path, Entry(policy or draw_new_policy(growth, on)))
    if dice.one_in(5):
        tree = contents.draw_edited(dice, tree)
    editors = [one for one in some_policy(growth, on).people if one.editor] or [None]
    signature = draw_signature(growth, some_policy(growth, on)) if dice.one_in(4) else signed(dice.pick(editors))
    return settle(growth, growth.next((on,), tree, signature))


def junk(growth: Growth, on: str | None = None) -> str:
    """A commit that is probably refused, on any other."""
    dice = growth.dice
    on = on or (growth.line[-1] if dice.one_in(2) else dice.pick(list(growth.history)[::-1]))
    tree = contents.draw_edited(dice, growth.tree(on))
    signature = dice.pick([UNSIGNED, UNSIGNED, RefSignature("good", STRANGERS["native"])])
    if dice.one_in(3):
        signature = RefSignature("good", dice.pick(growth.keys))
    if dice.one_in(5):
        tree = contents.with_policy(tree, growth.world.path, Entry(draw_new_policy(growth, on)))
    return growth.add(growth.next((on,), tree, signature))


def root(growth: Growth) -> str:
    """A commit without parents, without the policy file most of the time."""
    tree = contents.draw_edited(growth.dice, {})
    if growth.dice.one_in(8):
        tree = contents.with_policy(tree, growth.world.path, Entry(draw_policy(growth.dice, "native", paths=True)))
    return settle(growth, growth.next((), tree, draw_signature(growth, some_policy(growth, growth.world.introduction))))


# --- merges ---------------------------------------------------------------------------------------------------


def merged_by_the_button(growth: Growth, parents: tuple[str, ...]) -> Tree:
    """What a forge would record: the mechanical merge of two, where they conflict the first; all of several."""
    trees = [growth.tree(parent) for parent in parents]
    known_ones = all(is_authentic(growth.known, parent) for parent in parents)
    bases = merge_bases(growth.known, *parents) if len(parents) == 2 and known_ones else []
    tree = dict(trees[0])
    if not bases:
        for other in trees[1:]:
            tree = contents.laid_over(other, tree)
        return tree
    base = growth.tree(growth.dice.pick(bases))
    for path in sorted({*base, *trees[0], *trees[1]} - {growth.world.path}):
        try:
            entry = settled(base.get(path), trees[0].get(path), trees[1].get(path))
        except Conflict:
            continue
        tree = contents.put(tree, path, entry)
    return tree


def draw_merged_policy(growth: Growth, parents: tuple[str, ...], tree: Tree) -> Tree:
    """The tree with the policy file that governs, or that of any parent, or a new one."""
    dice, path = growth.dice, growth.world.path
    known_ones = tuple(parent for parent in parents if is_authentic(growth.known, parent))
    govern = governing(growth.known, known_ones) if len(known_ones) > 1 else None
    file = growth.tree((known_ones or parents)[0]).get(path)
    if govern is not None:
        file = govern.file if isinstance(govern.file, Entry) else None
    if dice.one_in(8):
        file = growth.tree(dice.pick(parents)).get(path)
    if dice.one_in(20):
        file = Entry(draw_new_policy(growth, parents[0]))
    return contents.with_policy(tree, path, file)


def merge_of(growth: Growth, parents: tuple[str, ...], by: RefSignature | None = None, *, keep: bool = False) -> str:
    """Merge these: mostly mechanically, else with something else changed, or taking one side's tree as it is."""
    dice = growth.dice
    if len(set(parents)) < len(parents) and not dice.one_in(12):
        parents = tuple(dict.fromkeys(parents))
    if len(parents) == 1:
        return edit(growth, parents[0], by)
    how = dice.pick(["button"] * 7 + ["evil", "evil", "one side"])
    tree = growth.tree(dice.pick(parents)) if how == "one side" else merged_by_the_button(growth, parents)
    tree = draw_merged_policy(growth, parents, tree)
    if how == "evil":
        tree = contents.draw_edited(dice, tree)
    if by is None:
        policy = some_policy(growth, dice.pick(parents))
        by = UNSIGNED if dice.one_in(2) else draw_signature(growth, policy)
    return settle(growth, growth.next(parents, tree, by), keep=keep)


def draw_other(growth: Growth, first: str) -> str:
    """Something to merge: rather what is not merged yet, and authentic."""
    dice = growth.dice
    reached = {first} if dice.one_in(8) else growth.reached_by(first)
    apart = [name for name in [*growth.line, *growth.side, *growth.old] if name not in reached]
    return dice.pick((apart or list(growth.history))[::-1])


def merge(growth: Growth) -> str:
    """Merge two or, seldom, more; sometimes with a parent named twice, sometimes the wrong way round."""
    dice = growth.dice
    first = growth.line[-1] if not dice.one_in(3) else dice.pick(growth.line[::-1])
    parents = [first, draw_other(growth, first)]
    if dice.one_in(8):
        parents.append(dice.pick([*growth.line, *growth.side, *growth.old][::-1]))
    if dice.one_in(30):
        parents.append(dice.pick(parents))
    if dice.one_in(3):
        parents = dice.shuffled(parents)
    return merge_of(growth, tuple(parents))


def adopt(growth: Growth) -> str:
    """Merge what is not authentic into what is, by somebody who answers for it; sometimes the wrong way round."""
    dice = growth.dice
    first = growth.line[-1] if not dice.one_in(3) else dice.pick((growth.line + growth.side)[::-1])
    parents = [first, dice.pick(growth.refused[::-1]) if growth.refused else junk(growth)]
    if dice.one_in(5):
        parents.append(dice.pick((growth.line + growth.side + growth.refused)[::-1]))
    if dice.one_in(6):
        parents = dice.shuffled(parents)
    policy = some_policy(growth, parents[0])
    return merge_of(growth, tuple(parents), UNSIGNED if dice.one_in(6) else draw_signature(growth, policy))
