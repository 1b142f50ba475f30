"""Files and trees for the histories: few paths that lie close to each other, few texts that merge or conflict.

A text has two places for a line, or none, with three lines between them that never change: what two sides do to
different places merges, and what they do to the same place conflicts unless it is the same, whoever finds the
difference and however. No line occurs twice in a text.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from reference import Entry, RefPolicy, Tree

if TYPE_CHECKING:
    from histories.dice import Dice

PLACES = 2
LINES = ("a\n", "b\n", "c\n", "", "\0\n")  # what can stand in a place; the last makes the file a binary one
WRITTEN = range(3)

# Three in four edits meet one of the first, which every history begins with.
USUAL = (b"a", b"dir/x", b"dir/sub/z", b"free/x")
UNUSUAL = (
    b"dir",  # a leaf in the place of the directory
    b"dir/y",
    b"dir.yaml",
    b"dirt/x",
    b"free",
    b"free/sub/y",
    b"freedom",
    b".gitverify.yml",
    b".gitverify.yaml.d",
)


def text(lines: tuple[int, ...]) -> bytes:
    """The text with these lines in its places."""
    places = [f"{at}:{LINES[line]}" if LINES[line] else "" for at, line in enumerate(lines)]
    between = [f"--{at}a\n--{at}b\n--{at}c\n" for at in range(1, PLACES)]
    return "".join(part for pair in zip(places, [*between, ""], strict=True) for part in pair).encode()


TEXTS = {text(lines): lines for lines in product(range(len(LINES)), repeat=PLACES)}
FIRST = Entry(text((0,) * PLACES))
OTHERS = tuple(Entry(content, mode) for content in (b"1\n", b"2\n") for mode in ("100644", "120000", "160000"))
START = dict.fromkeys(USUAL, FIRST)


def put(tree: Tree, path: bytes, entry: Entry | None) -> Tree:
    """The tree with another entry at the path, or none; what can't stand beside it goes."""
    rest = {name: held for name, held in tree.items() if name != path}
    if entry is None:
        return rest
    return {n: held for n, held in rest.items() if not clash(n, path)} | {path: entry}


def clash(one: bytes, other: bytes) -> bool:
    """Whether one of the two would have to be a directory and a leaf at once."""
    return one.startswith(other + b"/") or other.startswith(one + b"/")


def laid_over(lower: Tree, upper: Tree) -> Tree:
    """All of the upper tree, and what of the lower one can stand beside it."""
    tree = dict(upper)
    for path, entry in lower.items():
        if path not in tree and not any(clash(path, other) for other in upper):
            tree[path] = entry
    return tree


def draw_path(dice: Dice) -> bytes:
    """Some path, often one that is there."""
    return dice.pick(UNUSUAL) if dice.one_in(4) else dice.pick(USUAL)


def draw_other_entry(dice: Dice, held: Entry | None) -> Entry | None:
    """What an edit leaves in the place of an entry: another line, mode or kind of entry, or nothing."""
    what = dice.pick(["line"] * 7 + ["mode", "kind", "gone"])
    lines = None if held is None or isinstance(held.content, RefPolicy) else TEXTS.get(held.content)
    if held is None or (lines is None and what in ("line", "mode")):
        return Entry(dice.pick(sorted(TEXTS))) if dice.one_in(3) else FIRST
    if what == "line":
        place, line = dice.number(PLACES), dice.number(30)
        changed = list(lines)
        changed[place] = (lines[place] + 1 + line) % 3 if line < 27 else 3 + line % 2
        return Entry(text(tuple(changed)), held.mode)
    if what == "mode":
        return Entry(held.content, "100644" if held.mode == "100755" else "100755")
    return dice.pick(OTHERS) if what == "kind" else None


def draw_edited(dice: Dice, tree: Tree, path: bytes | None = None) -> Tree:
    """The tree with a path or two changed, set or removed."""
    edited = dict(tree)
    paths = [path or draw_path(dice)] + ([draw_path(dice)] if dice.one_in(6) else [])
    for one in paths:
        edited = put(edited, one, draw_other_entry(dice, edited.get(one)))
    return edited


def with_policy(tree: Tree, path: bytes, entry: Entry | None) -> Tree:
    """The tree with another policy file, or none."""
    rest = {name: held for name, held in tree.items() if name != path and not name.startswith(path + b"/")}
    return rest if entry is None else {**rest, path: entry}
