"""Finding a path in a tree, through an object source; every tree that is read is checked (R7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, OversizedObject
from gitverify.objects.tree import EMPTY_TREE, TreeReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry


class Trees:
    """Reads trees of one source. Root trees differ from commit to commit, so few are remembered."""

    def __init__(self, source: ObjectSource, remembered: int = 256) -> None:
        """Read from ``source``; remember the answers of so many trees."""
        self._source = source
        self._reader = TreeReader()
        self._remembered = remembered
        self._found: dict[tuple[bytes, ...], dict[bytes, list[TreeEntry | None]]] = {}

    def find(self, tree: bytes, names: tuple[bytes, ...]) -> list[TreeEntry | None]:
        """Return the entries of these names in the tree with this id.

        Raises MissingObject, and MalformedTree where the tree breaks R7 or the id is no tree's.
        """
        answers = self._found.get(names)
        if answers is None:
            answers = self._found[names] = {}
        found = answers.get(tree)
        if found is None:
            found = self._reader.find(self.content(tree), names)
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

        One level only, ordered by name; raises as :meth:`find` for each of the two.
        """
        left = {} if before is None else self.entries(before)
        right = {} if after is None else self.entries(after)
        pairs = ((name, left.get(name), right.get(name)) for name in sorted(left | right))
        return {name: (mine, theirs) for name, mine, theirs in pairs if mine != theirs}

    def content(self, tree: bytes) -> bytes:
        """Return the raw content of the tree with this id."""
        if tree == EMPTY_TREE:  # git has it built in, so it need not be in the database
            return b""
        try:
            kind, raw = self._source.read(tree)
        except OversizedObject as error:
            raise MalformedTree(str(error)) from None
        if kind != "tree":
            raise MalformedTree(f"object {tree.hex()} stands where a tree is expected, but is a {kind}")
        return raw

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
