"""What differs between two trees, and whether all of it is covered (R16, R17).

A path is a leaf: a file, a symlink or a gitlink. Directories are none, so a directory that a file replaces is the
deletion of everything below it and the addition of the file. There are no renames: names are compared, not contents.
Paths are met in the order of their bytes, which is the order of git's index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedTree, TooMuch
from gitverify.limits import LIMITS
from gitverify.objects.tree import EMPTY_TREE, TreeEntry
from gitverify.policies.coverage import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.policies.coverage import Cover
    from gitverify.trees.source import TreeSource

    _Tree = bytes | None


class Change(NamedTuple):
    """A path that differs: its raw bytes, and what is there in either tree (None: nothing)."""

    path: bytes
    before: TreeEntry | None
    after: TreeEntry | None


def uncovered(trees: TreeSource, before: bytes | None, after: bytes | None, cover: Cover) -> bytes | None:
    """Return the first path that differs between two root trees (ids; None: no tree) and is not covered; else None.

    The path ends in a slash where nothing below a directory is covered: then the directory was not read (``b"/"``
    is the whole tree). Nothing is read below directories that are equal, covered, or not covered as a whole. Raises
    MissingObject and MalformedTree for the trees that are read.
    """
    if (before or EMPTY_TREE) == (after or EMPTY_TREE) or cover.extent is Extent.ALL:
        return None
    if cover.extent is Extent.NONE:
        return b"/"
    names: list[bytes] = []
    levels = [(cover, _steps(trees, before, after))]
    while levels:
        here, steps = levels[-1]
        step = next(steps, None)
        if step is None:
            levels.pop()
            if levels:
                names.pop()
        elif isinstance(step, _Leaf):
            if not here.leaf(step.name):
                return b"/".join([*names, step.name])
        else:
            below = here.enter(step.name)
            if below.extent is Extent.NONE:
                return b"/".join([*names, step.name, b""])
            if below.extent is Extent.SOME:
                names.append(step.name)
                levels.append((below, _steps(trees, step.before, step.after)))
    return None


def changes(trees: TreeSource, before: bytes | None, after: bytes | None) -> Iterator[Change]:
    """Yield all paths that differ between two root trees (ids; None: no tree).

    Between two of them no more is read than the trees above them. Raises MissingObject, MalformedTree, also where
    directories that differ are nested deeper than git itself goes, and TooMuch after more paths than anyone looks at:
    a few small trees that hold each other many times have more paths than there are atoms.
    """
    left = LIMITS.changed_paths
    names: list[bytes] = []
    levels = [_steps(trees, before or EMPTY_TREE, after or EMPTY_TREE)]
    while levels:
        step = next(levels[-1], None)
        if step is None:
            levels.pop()
            if levels:
                names.pop()
        elif isinstance(step, _Leaf):
            left -= 1
            if left < 0:
                raise TooMuch(f"more than {LIMITS.changed_paths:,} paths differ")
            yield Change(b"/".join([*names, step.name]), step.before, step.after)
        elif len(levels) >= LIMITS.tree_depth:
            raise MalformedTree(f"directories are nested more than {LIMITS.tree_depth} deep")
        else:
            names.append(step.name)
            levels.append(_steps(trees, step.before, step.after))


class _Leaf(NamedTuple):
    name: bytes
    before: TreeEntry | None
    after: TreeEntry | None


class _Directory(NamedTuple):
    name: bytes
    before: _Tree
    after: _Tree


def _steps(trees: TreeSource, before: _Tree, after: _Tree) -> Iterator[_Leaf | _Directory]:
    """Yield what differs at one level, in the order of the paths: a leaf comes before a directory with its name."""
    changed = trees.changed(before, after)
    steps: list[tuple[bytes, _Leaf | _Directory]] = []
    for name, (old, new) in changed.items():
        old_tree, new_tree = _tree(old), _tree(new)
        if old_tree != new_tree:
            steps.append((name + b"/", _Directory(name, old_tree, new_tree)))
        if old_tree is None or new_tree is None:
            leaf = _Leaf(name, _leaf(old), _leaf(new))
            if leaf.before != leaf.after:
                steps.append((name, leaf))
    if len(changed) > 1 or len(steps) > 1:
        steps.sort()
    return (step for _, step in steps)


def _leaf(entry: TreeEntry | None) -> TreeEntry | None:
    return None if entry is None or entry.is_directory else entry


def _tree(entry: TreeEntry | None) -> _Tree:
    return entry.id if entry is not None and entry.is_directory else None
