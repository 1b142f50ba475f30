"""The mechanical merge (section 6), path by path as it is written.

Texts are merged here in pieces, between lines that begin with ``--``. That is what any three-way merge of lines comes
to where these lines are the same on all sides, no other line is repeated, and what stands between two of them is at
most one line: so the histories that are compared hold no other texts (see ``plots/contents.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference.model import REGULAR_MODES, Entry

if TYPE_CHECKING:
    from reference.model import Tree

BINARY_WITHIN = 8000


class Conflict(Exception):
    """The sides do not settle it."""


def settled_value(base: object, ours: object, theirs: object) -> object:
    """Where one side equals the base the other settles it; where both are equal they do. Raises Conflict."""
    if theirs == base:
        return ours
    if ours in (base, theirs):
        return theirs
    raise Conflict


def pieces(text: bytes) -> list[bytes]:
    """The text cut before and after each line that begins with ``--``."""
    found = [b""]
    for line in text.splitlines(keepends=True):
        if line.startswith(b"--"):
            found += [line, b""]
        else:
            found[-1] += line
    return found


def merged_text(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """A three-way merge of lines without conflict. Raises Conflict."""
    if any(b"\0" in text[:BINARY_WITHIN] for text in (base, ours, theirs)):
        raise Conflict
    cut = [pieces(text) for text in (base, ours, theirs)]
    if not [one[1::2] for one in cut] == [cut[0][1::2]] * 3:
        raise Conflict
    return b"".join(str_or_bytes(settled_value(*each)) for each in zip(*cut, strict=True))


def str_or_bytes(value: object) -> bytes:
    """The value, known to be bytes."""
    assert isinstance(value, bytes)
    return value


def settled_content(base: object, ours: object, theirs: object) -> object:
    """The content, by itself: of one side, or merged."""
    try:
        return settled_value(base, ours, theirs)
    except Conflict:
        if isinstance(base, bytes) and isinstance(ours, bytes) and isinstance(theirs, bytes):
            return merged_text(base, ours, theirs)
        raise


def settled(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> object:
    """The entry that two sides come to, relative to the base (None: nothing at that path). Raises Conflict."""
    try:
        return settled_value(base, ours, theirs)
    except Conflict:
        if base is None or ours is None or theirs is None:
            raise
        if not {base.mode, ours.mode, theirs.mode} <= set(REGULAR_MODES):
            raise
    mode = settled_value(base.mode, ours.mode, theirs.mode)
    return replace(ours, mode=mode, content=settled_content(base.content, ours.content, theirs.content))


def is_settled_as(base: Entry | None, ours: Entry | None, theirs: Entry | None, recorded: Entry | None) -> bool:
    """Whether the sides settle it, and it was recorded so."""
    try:
        return settled(base, ours, theirs) == recorded
    except Conflict:
        return False


def unsettled(base: Tree, ours: Tree, theirs: Tree, recorded: Tree) -> frozenset[bytes]:
    """The paths that the mechanical merge does not settle as recorded, relative to this base."""
    return frozenset(
        path
        for path in {*base, *ours, *theirs, *recorded}
        if not is_settled_as(base.get(path), ours.get(path), theirs.get(path), recorded.get(path))
    )
