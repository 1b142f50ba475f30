"""What differs between two tree objects, at the cost of comparing their bytes.

A folder of nine thousand entries changes by one entry a commit. So what two trees share is found by comparing long
pieces of them, and only what differs is taken apart. That is also how a tree is checked (R7): it keeps the rule where
it equals a tree that does, but for entries that are looked at together with their neighbours. A small tree is taken
apart by what its modes and names are, where they are the other tree's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import compress, count
from operator import ne
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedTree
from gitverify.limits import LIMITS
from gitverify.objects.tree import (
    DIRECTORY,
    EMPTY_TREE,
    ENTRY,
    FORBIDDEN,
    Layout,
    TreeEntry,
    block_of,
    layout_of,
    sort_key,
    split_tree,
    what_is_wrong,
)

if TYPE_CHECKING:
    from re import Match

# From one entry whose place is known to the next: in entries, and in bytes where entries are added.
_BLOCK = block_of(16)
_SPACING = 1024
_PIECE = 128  # bytes that are compared as one number
_SMALL = 2048  # bytes; up to here it is faster to take all of a tree apart

_Changes = dict[bytes, tuple[TreeEntry | None, TreeEntry | None]]


class CheckedTree:
    """A tree object's content that keeps R7, and places where entries of it begin, the first among them.

    An id may look like the beginning of an entry, so entries are only found from such a place onwards.
    """

    __slots__ = ("_layout", "raw", "recurs", "size", "starts")

    def __init__(self, raw: bytes, starts: list[int], layout: Layout | None = None, *, recurs: bool = False) -> None:
        """Take over what was found out; see :func:`check` and :func:`compare`.

        ``recurs``: it has another one's modes and names, so a next one may have them, too.
        """
        self.raw = raw
        self.recurs = recurs
        self.starts = starts
        self.size = len(raw) + 40 * len(starts) + 400  # bytes of memory, about
        self._layout = layout
        if len(raw) <= _SMALL:
            self.size += 4 * len(raw)

    @property
    def layout(self) -> Layout:
        """What the tree has beside ids. For small trees."""
        if self._layout is None:
            self._layout = layout_of(ENTRY.findall(self.raw))
        return self._layout

    def start(self, position: int) -> int:
        """Return where the entry begins that has the byte at this position."""
        at = bisect_right(self.starts, position)
        start = self.starts[at - 1]
        block = _BLOCK.match(self.raw, start, position)
        if block is None:
            return start
        if _BLOCK.match(self.raw, block.end(), position) is None:
            return block.end()
        passed = _blocks(self.raw, start, position)
        self.starts[at:at] = passed[:-1]  # so that nobody passes them again
        return passed[-1] if passed else start


def check(raw: bytes) -> CheckedTree:
    """Check a tree that no other is known to be like. Raises MalformedTree where it breaks R7."""
    split_tree(raw)
    return CheckedTree(raw, [0] if raw else [])


def compare(old: CheckedTree, raw: bytes) -> tuple[_Changes, CheckedTree]:
    """Check a tree by comparing it with one that keeps R7; return what differs: name → before and after.

    Raises MalformedTree where it breaks R7, as :func:`check` does. Beside the comparison of bytes it takes time in
    proportion to what differs.
    """
    small = old.recurs and len(raw) <= _SMALL
    changes = None
    if len(raw) == len(old.raw):
        changes = _changed_fields(old, raw) if small else _changed_ids(old, raw)
    if changes is not None:
        return changes, CheckedTree(raw, old.starts, old.layout if small else None, recurs=True)
    comparison = _Comparison(old, raw)
    comparison.run()
    if comparison.doubtful:
        split_tree(raw)
    before, after = comparison.before, comparison.after
    names = sorted(before.keys() | after.keys())
    return {name: (before.get(name), after.get(name)) for name in names}, CheckedTree(raw, comparison.starts)


def _changed_fields(old: CheckedTree, raw: bytes) -> _Changes | None:
    """Do what :func:`_changed_ids` does, for small trees."""
    fields, heads, _ = old.layout
    now = fields.unpack(raw)
    if now[::2] != heads:
        return None
    before, after = fields.unpack(old.raw)[1::2], now[1::2]
    changes: _Changes = {}
    for at in compress(count(), map(ne, before, after)):
        if after[at] == EMPTY_TREE:
            return None
        mode, _, name = heads[at][:-1].partition(b" ")
        changes[name] = (TreeEntry(mode, before[at]), TreeEntry(mode, after[at]))
    return changes


def _changed_ids(old: CheckedTree, raw: bytes) -> _Changes | None:
    """Return what differs where some entries have other ids and that is all, as most commits do to most trees.

    With the same modes and names, all that R7 asks of the new tree is that no entry is an empty tree. None otherwise.
    Both are as long.
    """
    before = old.raw
    changes: _Changes = {}
    end = 0
    while (at := end + _shared(before, end, raw, end)) < len(raw):
        found = _match(before, old.start(at))
        mode, name, old_id = found.groups()
        end = found.end()
        new_id = raw[end - 20 : end]
        if at < end - 20 or new_id == EMPTY_TREE:
            return None
        changes[name] = (TreeEntry(mode, old_id), TreeEntry(mode, new_id))
    return changes


class _Entry(NamedTuple):
    """An entry as it stands in a tree; ``key`` is what git orders entries by."""

    key: bytes
    name: bytes
    mode: bytes
    id: bytes
    length: int


class _Comparison:
    """Goes through both trees at once, in the order of the old one's keys.

    That proves the new tree's order: within a piece that the old tree has too it is the old one's, and an entry that
    takes the place of the old tree's with the same key stands right after whatever was before. Any other new entry
    is compared with the one before it; what follows is new, too, or has the old tree's next key, which is larger.

    A file and a directory of the same name need not be neighbours, but whatever stands between them begins with that
    name. The old tree has no such two, so that one of them is new and has a neighbour that begins with its name.

    What might break R7 is not decided here: it makes the tree ``doubtful``, and then all of it is looked at.
    """

    def __init__(self, old: CheckedTree, raw: bytes) -> None:
        self._old = old
        self._raw = raw
        self._at_old = self._at_new = 0
        self._last: bytes | None = b""  # the key before this place in the new tree; None: the end of what is shared
        self._shared_end = 0
        self.before: dict[bytes, TreeEntry] = {}
        self.after: dict[bytes, TreeEntry] = {}
        self.starts: list[int] = []
        self.doubtful = len(raw) > LIMITS.tree_size

    def run(self) -> None:
        while self._pass_different():
            self._pass_shared()

    def _pass_shared(self) -> None:
        """Go on from an entry that is the same in both to the first one that is not."""
        old, begin, shift = self._old, self._at_old, self._at_new - self._at_old
        end = begin + _shared(old.raw, begin, self._raw, self._at_new)
        if end < len(old.raw):
            end = old.start(end)
        self._mark()
        starts = old.starts[bisect_right(old.starts, begin) : bisect_left(old.starts, end)]
        self.starts += [start + shift for start in starts] if shift else starts
        self._at_old = self._shared_end = end
        self._at_new = end + shift
        self._last = None

    def _pass_different(self) -> bool:
        """Go on to the next entry that is the same in both; return False where there is none."""
        old = _entry(self._old.raw, self._at_old)
        new = _entry(self._raw, self._at_new)
        while old != new:
            gone = old if old is not None and (new is None or old.key <= new.key) else None
            if new is not None and (old is None or new.key <= old.key):
                self._take(new, replaces=gone is not None)
                new = _entry(self._raw, self._at_new)
            if gone is not None:
                self.before[gone.name] = TreeEntry(gone.mode, gone.id)
                self._at_old += gone.length
                old = _entry(self._old.raw, self._at_old)
        return old is not None

    def _take(self, new: _Entry, *, replaces: bool) -> None:
        """Look at an entry that the old tree does not have; it may have one with the same key."""
        self.after[new.name] = TreeEntry(new.mode, new.id)
        self._mark()
        self._at_new += new.length
        if new.id == EMPTY_TREE or (not replaces and self._is_doubtful(new)):
            self.doubtful = True
        self._last = new.key

    def _is_doubtful(self, new: _Entry) -> bool:
        """Whether an entry with a new key is forbidden, in the wrong place, or not the only one with its name."""
        last = self._last
        if last is None:
            neighbour = _entry(self._old.raw, self._old.start(self._shared_end - 1))
            last = neighbour.key if neighbour is not None else b""
        if new.name in FORBIDDEN or new.key <= last:
            return True
        if new.mode == DIRECTORY:
            return last.startswith(new.name)
        following = _entry(self._raw, self._at_new)
        return following is not None and following.key < new.name + b"0"  # the byte after the slash

    def _mark(self) -> None:
        """Remember where an entry begins, unless another one is near."""
        if not self.starts or self._at_new - self.starts[-1] >= _SPACING:
            self.starts.append(self._at_new)


def _blocks(raw: bytes, start: int, end: int) -> list[int]:
    """Return where blocks of entries end, from a place where one begins up to another place; the last may be short."""
    ends = []
    while (block := _BLOCK.match(raw, start, end)) is not None:
        start = block.end()
        ends.append(start)
    return ends


def _entry(raw: bytes, start: int) -> _Entry | None:
    """Return the entry that begins here; None at the end."""
    if start == len(raw):
        return None
    found = _match(raw, start)
    mode, name, object_id = found.groups()
    return _Entry(sort_key(mode, name), name, mode, object_id, found.end() - start)


def _match(raw: bytes, start: int) -> Match[bytes]:
    found = ENTRY.match(raw, start)
    if found is None:
        raise MalformedTree(what_is_wrong(raw, start))
    return found


def _shared(ours: bytes, at_ours: int, theirs: bytes, at_theirs: int) -> int:
    """Return how many bytes are the same from these places on. Few long pieces are compared, not many bytes."""
    longest = min(len(ours) - at_ours, len(theirs) - at_theirs)
    shared, size = 0, 2 * _PIECE
    while theirs.startswith(ours[at_ours + shared : at_ours + shared + size], at_theirs + shared):
        shared += size
        if shared >= longest:
            return longest
        size *= 4
    end = min(shared + size, longest + 1)  # so many are not the same, or are too many
    while end - shared > _PIECE:
        middle = (shared + end) // 2
        if theirs.startswith(ours[at_ours + shared : at_ours + middle], at_theirs + shared):
            shared = middle
        else:
            end = middle
    end = min(end, longest)
    difference = int.from_bytes(ours[at_ours + shared : at_ours + end], "little") ^ int.from_bytes(
        theirs[at_theirs + shared : at_theirs + end], "little"
    )
    # The lowest bit that differs is in the first byte that does.
    return end if difference == 0 else shared + ((difference & -difference).bit_length() - 1) // 8
