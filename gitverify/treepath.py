"""Finding a path in a tree, through an object source; every tree that is read is checked (R7)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, OversizedObject
from gitverify.objects.tree import EMPTY_TREE, TreeReader
from gitverify.objects.treechanges import check, compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.objects.treechanges import CheckedTree


_ROOM = 16 << 20  # bytes
_ROOM_LOOKED_INTO = 32 << 20  # bytes
_LARGE = 512  # from here on it is worth while to look for a tree that is like another one


class _Recent:
    """Trees that were read lately and keep R7: a commit's tree is its child's parent's."""

    def __init__(self) -> None:
        # To find the first one in a dict takes the longer, the more have been taken out before it.
        self._trees: OrderedDict[bytes, CheckedTree] = OrderedDict()
        self._by_beginning: dict[bytes, bytes] = {}
        self._used = 0

    def get(self, tree: bytes) -> CheckedTree | None:
        """Return the tree with this id; it stays for longer then."""
        checked = self._trees.get(tree)
        if checked is not None:
            self._trees.move_to_end(tree)
        return checked

    def like(self, raw: bytes) -> CheckedTree | None:
        """Return the last large tree with the same first entry; mostly it is the same directory, a while ago."""
        tree = self._by_beginning.get(_beginning(raw)) if len(raw) >= _LARGE else None
        return None if tree is None else self._trees[tree]

    def add(self, tree: bytes, checked: CheckedTree) -> None:
        """Remember a tree, and forget those that were asked for least lately where there is no room."""
        if tree in self._trees:
            return
        self._trees[tree] = checked
        self._used += checked.size
        if len(checked.raw) >= _LARGE:
            self._by_beginning[_beginning(checked.raw)] = tree
        while self._used > _ROOM:
            oldest, forgotten = self._trees.popitem(last=False)
            self._used -= forgotten.size
            if self._by_beginning.get(_beginning(forgotten.raw)) == oldest:
                del self._by_beginning[_beginning(forgotten.raw)]


def _beginning(raw: bytes) -> bytes:
    """Return the first entry. Different directories may begin with the same name, and to compare those takes long."""
    return raw[: raw.find(b"\0") + 21]


class Trees:
    """Reads trees of one source. Root trees differ from commit to commit, so few are remembered."""

    def __init__(self, source: ObjectSource, remembered: int = 256, *, keeps: bool = True) -> None:
        """Read from ``source``; remember the answers of so many trees, and what was looked into if it ``keeps``."""
        self._keeps = keeps
        self._source = source
        self._reader = TreeReader()
        self._remembered = remembered
        self._recent = _Recent()
        self._found: dict[tuple[bytes, ...], dict[bytes, list[TreeEntry | None]]] = {}
        # Trees that were looked into, the last ones last: a commit that is judged soon has its tree compared then.
        self._looked_into: OrderedDict[bytes, bytes] = OrderedDict()
        self._looked_into_size = 0
        self.size_compared = 0

    def find(self, tree: bytes, names: tuple[bytes, ...]) -> list[TreeEntry | None]:
        """Return the entries of these names in the tree with this id.

        Raises MissingObject, and MalformedTree where the tree breaks R7 or the id is no tree's.
        """
        answers = self._found.get(names)
        if answers is None:
            answers = self._found[names] = {}
        found = answers.get(tree)
        if found is None:
            raw = self.content(tree)
            found = self._reader.find(raw, names)
            if self._keeps:
                self._keep(tree, raw)
            if len(answers) >= self._remembered:
                answers.clear()
            answers[tree] = found
        return found

    def entries(self, tree: bytes) -> dict[bytes, TreeEntry]:
        """Return all entries of the tree with this id; raises as :meth:`find`."""
        return self._reader.entries(self.content(tree))

    def changed(
        self, before: bytes | None, after: bytes | None
    ) -> Mapping[bytes, tuple[TreeEntry | None, TreeEntry | None]]:
        """Return the names whose entry differs between two trees (ids; None: no tree), with both entries.

        One level only, in no order that is promised; raises as :meth:`find` for each of the two.
        """
        if before == after:
            return {}
        old = self._checked(before or EMPTY_TREE)
        changes, new = compare(old, self.content(after or EMPTY_TREE))
        self.size_compared += len(old.raw) + len(new.raw)
        self._recent.add(after or EMPTY_TREE, new)
        return changes

    def _checked(self, tree: bytes) -> CheckedTree:
        """Return a tree that keeps R7: a recent one, or one that is compared with the recent one most like it."""
        checked = self._recent.get(tree)
        if checked is None:
            raw = self.content(tree)
            like = self._recent.like(raw)
            checked = check(raw) if like is None else compare(like, raw)[1]
            self._recent.add(tree, checked)
        return checked

    def content(self, tree: bytes) -> bytes:
        """Return the raw content of the tree with this id."""
        if tree == EMPTY_TREE:  # git has it built in, so it need not be in the database
            return b""
        recent = self._recent.get(tree)
        if recent is not None:
            return recent.raw
        raw = self._looked_into.pop(tree, None)
        if raw is not None:
            self._looked_into_size -= len(raw)
            return raw
        try:
            kind, raw = self._source.read(tree)
        except OversizedObject as error:
            raise MalformedTree(str(error)) from None
        if kind != "tree":
            raise MalformedTree(f"object {tree.hex()} stands where a tree is expected, but is a {kind}")
        return raw

    def _keep(self, tree: bytes, raw: bytes) -> None:
        kept = self._looked_into
        if tree not in kept:
            kept[tree] = raw
            self._looked_into_size += len(raw)
            while self._looked_into_size > _ROOM_LOOKED_INTO:
                self._looked_into_size -= len(kept.popitem(last=False)[1])

    def walk(self, entry: TreeEntry | None, components: tuple[bytes, ...]) -> TreeEntry | None:
        """Follow path components below an entry; None where one is missing or no directory stands in the way."""
        for name in components:
            if entry is None or not entry.is_directory:
                return None
            entry = self.find(entry.id, (name,))[0]
        return entry


def components(path: bytes) -> tuple[bytes, ...]:
    """Split a path of a policy or an option into its components."""
    return tuple(part for part in path.split(b"/") if part)
