"""Tree objects, parsed strictly (R7).

Source: git's tree format (``mode SP name NUL id``) with the checks of R7. Ids are raw, names are bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from struct import Struct
from typing import NamedTuple

from gitverify.errors import MalformedTree
from gitverify.limits import LIMITS
from gitverify.text import shown

DIRECTORY = b"40000"
REGULAR_FILES = frozenset({b"100644", b"100755"})
EMPTY_TREE = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

_KNOWN_MODES = frozenset({DIRECTORY, b"100644", b"100755", b"120000", b"160000"})
_REMEMBERED_SIZE = 64 << 10  # larger trees are rare, and their layouts take several times their size
FORBIDDEN = frozenset({b".", b"..", *(b".%c%c%c" % letters for letters in product(b"gG", b"iI", b"tT"))})

# One entry: mode, name, id. What it takes for a name may still be forbidden.
ENTRY = re.compile(rb"(40000|100644|100755|120000|160000) ([^\0/]+)\0(.{20})", re.DOTALL)
# As many entries as there are: what follows the last one is looked at once. (No possessive quantifiers: those of
# Python 3.11 before 3.11.5 are broken.)
_ENTRIES = re.compile(rb"(?:(?:40000|100644|100755|120000|160000) [^\0/]+\0.{20})*", re.DOTALL)


def block_of(entries: int) -> re.Pattern[bytes]:
    """Return what matches so many entries, or as many as there are."""
    return re.compile(_ENTRIES.pattern.removesuffix(b"*") + b"{1,%d}" % entries, re.DOTALL)


class TreeEntry(NamedTuple):
    """One entry: the mode as git writes it (``b"100644"``) and the raw object id."""

    mode: bytes
    id: bytes

    @property
    def is_directory(self) -> bool:
        """Whether the entry is a tree."""
        return self.mode == DIRECTORY

    @property
    def is_regular_file(self) -> bool:
        """Whether the entry is a file, executable or not, and no symlink."""
        return self.mode in REGULAR_FILES


class Layout(NamedTuple):
    """Modes and names of a tree that were found to keep R7, and how to take a tree of this layout apart.

    ``heads``: what comes before each id; ``entries``: name → (mode, position).
    """

    fields: Struct
    heads: tuple[bytes, ...]
    entries: dict[bytes, tuple[bytes, int]]


def layout_of(entries: list[tuple[bytes, bytes, bytes]]) -> Layout:
    """Return the layout of a tree of these entries: mode, name and id of each, in order."""
    heads = tuple([mode + b" " + name + b"\0" for mode, name, _ in entries])
    places = {name: (mode, at) for at, (mode, name, _) in enumerate(entries)}
    return Layout(Struct("".join([f"{len(head)}s20s" for head in heads])), heads, places)


class TreeReader:
    """Finds entries in trees and checks every tree it is shown against R7.

    Consecutive trees mostly differ in ids alone, so the checks on names, order and modes are remembered by
    *layout* (the modes and names without the ids).
    """

    def __init__(self, remembered: int = 1024) -> None:
        """Remember at most so many layouts, one for each length of a tree."""
        self._layouts: dict[int, Layout] = {}
        self._remembered = remembered

    def entries(self, raw: bytes) -> dict[bytes, TreeEntry]:
        """Return name → entry of a tree object's content, in order; raise MalformedTree where it breaks R7."""
        if len(raw) > _REMEMBERED_SIZE:
            return parse_tree(raw)
        entries, ids = self._read(raw)
        return {name: TreeEntry(mode, ids[at]) for name, (mode, at) in entries.items()}

    def find(self, raw: bytes, names: tuple[bytes, ...]) -> list[TreeEntry | None]:
        """Return the entries of these names, None for the absent; raise MalformedTree where the tree breaks R7."""
        if len(raw) > _REMEMBERED_SIZE:
            return [*map(parse_tree(raw).get, names)]
        entries, ids = self._read(raw)
        found: list[TreeEntry | None] = []
        for name in names:
            entry = entries.get(name)
            found.append(None if entry is None else TreeEntry(entry[0], ids[entry[1]]))
        return found

    def _read(self, raw: bytes) -> tuple[dict[bytes, tuple[bytes, int]], tuple[bytes, ...]]:
        """Return name → (mode, position), and the ids by position."""
        layout = self._layouts.get(len(raw))
        fields = layout.fields.unpack(raw) if layout is not None else ()
        if layout is None or fields[::2] != layout.heads:
            layout = self._check(raw)
            fields = layout.fields.unpack(raw)
        ids = fields[1::2]
        if EMPTY_TREE in raw:
            _check_ids(dict(zip(ids, layout.entries, strict=True)))
        return layout.entries, ids

    def _check(self, raw: bytes) -> Layout:
        layout = layout_of(split_tree(raw))
        if len(self._layouts) >= self._remembered:
            self._layouts.clear()
        self._layouts[len(raw)] = layout
        return layout


def parse_tree(raw: bytes) -> dict[bytes, TreeEntry]:
    """Return name → entry of a tree object's content, in order; raise MalformedTree where it breaks R7."""
    return {name: TreeEntry(mode, object_id) for mode, name, object_id in split_tree(raw)}


def split_tree(raw: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Return mode, name and id of each entry, in order; raise MalformedTree where the tree breaks R7."""
    if len(raw) > LIMITS.tree_size:
        raise MalformedTree(f"the tree is {len(raw)} bytes long; the limit is {LIMITS.tree_size}")
    matched = _ENTRIES.match(raw)  # first, because looking for entries in what has none may take long
    end = matched.end() if matched else 0
    if end != len(raw):
        raise MalformedTree(what_is_wrong(raw, end))
    entries: list[tuple[bytes, bytes, bytes]] = ENTRY.findall(raw)
    _check_names([name for _, name, _ in entries])
    _check_order([name + b"/" if mode == DIRECTORY else name for mode, name, _ in entries])
    if EMPTY_TREE in raw:
        _check_ids({object_id: name for _, name, object_id in entries})
    return entries


def sort_key(mode: bytes, name: bytes) -> bytes:
    """Return what git orders entries by: a directory as if its name ended in a slash."""
    return name + b"/" if mode == DIRECTORY else name


def _check_names(names: list[bytes]) -> None:
    distinct = set(names)
    forbidden = distinct & FORBIDDEN
    if forbidden:
        raise MalformedTree(f"an entry is named “{shown(min(forbidden))}”")
    if len(distinct) != len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise MalformedTree(f"two entries are named “{shown(twice)}”")


def _check_order(keys: list[bytes]) -> None:
    ordered = sorted(keys)
    if keys != ordered:
        key = next(here for here, there in zip(keys, ordered, strict=True) if here != there)
        raise MalformedTree(f"the entries are not in order at “{shown(key)}”")


def _check_ids(names: dict[bytes, bytes]) -> None:
    if EMPTY_TREE in names:
        name = shown(names[EMPTY_TREE])
        raise MalformedTree(f"the entry “{name}” is an empty tree, which git's own tools do not show")


def what_is_wrong(raw: bytes, position: int) -> str:
    """Say what is wrong with the entry that begins at ``position``."""
    nul = raw.find(b"\0", position)
    if nul < 0 or nul + 21 > len(raw):
        return "the last entry is cut short"
    mode, space, name = raw[position:nul].partition(b" ")
    if not space or mode not in _KNOWN_MODES:
        return f"the mode “{shown(mode, 20)}” of an entry is not one that git writes"
    return f"the name “{shown(name)}” has a slash" if name else "an entry has no name"
