"""What git writes to a hook's standard input (githooks(5)), strictly read: a hook that misreads must not agree.

References are bytes: git lets nearly everything into their names, and a line ends at a line feed and nowhere else.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_SYMBOLIC = re.compile(rb"ref:[^ ]+")


class BadInput(GitverifyError):
    """It is not what git writes to such a hook."""


class Change(NamedTuple):
    """A reference that is to move. ``old`` and ``new`` are raw ids; None where there is no such reference."""

    ref: bytes
    old: bytes | None
    new: bytes | None


def received(raw: bytes) -> list[Change]:
    """Read ``OLD NEW REF`` lines, of pre-receive and reference-transaction. Raises BadInput.

    A change of what a symbolic reference points to (``ref:…`` for an id) moves no branch and is left out.
    """
    found = []
    for line in _lines(raw):
        old, new, ref = _fields(line, line.split(b" ", 2), 3)
        if not (_SYMBOLIC.fullmatch(old) or _SYMBOLIC.fullmatch(new)):
            found.append(change(ref, old, new))
    return found


def pushed(raw: bytes) -> list[Change]:
    """Read ``LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`` lines, of pre-push; the first field may be any expression."""
    found = []
    for line in _lines(raw):
        _, new, ref, old = _fields(line, line.rsplit(b" ", 3), 4)
        found.append(change(ref, old, new))
    return found


def change(ref: bytes, old: bytes, new: bytes) -> Change:
    """Read the three parts of a change. Raises BadInput."""
    if not ref or re.search(rb"[\x00-\x20\x7f]", ref):
        raise BadInput(f"“{shown(ref, 80)}” is no name of a reference")
    return Change(ref, _id(old), _id(new))


def moves_branches(changes: Iterable[Change]) -> bool:
    """Whether a branch is to point to something: else a transaction, of which there are many, is over quickly."""
    return any(each.new is not None and each.ref.startswith((b"refs/remotes/", b"refs/heads/")) for each in changes)


def _lines(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    if lines.pop():
        raise BadInput("the last line of what git says is cut off")
    return lines


def _fields(line: bytes, fields: list[bytes], count: int) -> list[bytes]:
    if len(fields) != count:
        raise BadInput(f"“{shown(line, 80)}” is not a line that git writes to this hook")
    return fields


def _id(text: bytes) -> bytes | None:
    if _ID.fullmatch(text) is None:
        raise BadInput(f"“{shown(text, 80)}” is no object id")
    return unhexlify(text) if text.strip(b"0") else None
