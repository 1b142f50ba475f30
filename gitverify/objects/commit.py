"""Commit objects, parsed strictly (R6).

Source: gitformat-commit-object as git's own ``fsck`` reads it, narrowed by R6. The bytes that a signature covers
are the object without its ``gpgsig`` and ``gpgsig-sha256`` header fields, as git computes them; any other field,
however it is called, stays covered.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import NamedTuple

from gitverify.errors import MalformedCommit
from gitverify.limits import LIMITS
from gitverify.text import shown

_HEAD = re.compile(
    rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author ([^\n\0]*)\ncommitter ([^\n\0]*)\n(?! )",
)
# One further header field with its continuation lines.
_FIELD = re.compile(rb"([^ \n]+) ([^\n]*(?:\n [^\n]*)*)\n")
# git reads the digits after the last ">" of the committer line; 18 digits keep the number sane.
DATE = re.compile(rb".*> ?([0-9]{1,18})(?![0-9])", re.DOTALL)

_PARENT_LINE = len(b"parent ") + 40 + 1
_ONCE = frozenset({b"encoding", b"gpgsig", b"gpgsig-sha256"})
_MISPLACED = frozenset({b"tree", b"parent", b"author", b"committer"})


class CommitHead(NamedTuple):
    """The fixed first fields: what a walk over the graph needs."""

    tree: bytes
    parents: tuple[bytes, ...]
    author: bytes
    committer: bytes
    end: int

    @property
    def date(self) -> int:
        """Committer time in seconds since 1970; 0 where the line has none, as git takes it. Never trusted."""
        found = DATE.match(self.committer)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that keeps R6.

    All fields are bytes as recorded; ids are raw. ``signature`` is the value of ``gpgsig`` with its continuation
    lines unfolded, or None; ``payload`` the bytes that it should cover; ``message`` what follows the header.
    """

    tree: bytes
    parents: tuple[bytes, ...]
    author: bytes
    committer: bytes
    date: int
    signature: bytes | None
    payload: bytes
    message: bytes

    @property
    def subject(self) -> bytes:
        """First line of the message."""
        return self.message.lstrip(b"\n").partition(b"\n")[0]


def parse_head(raw: bytes) -> CommitHead:
    """Parse the fixed fields of a commit; raise MalformedCommit where they are not exactly as git writes them.

    The same pattern serves the walk and :func:`split_commit`, so the graph that is walked is the one judged.
    """
    found = _match_head(raw)
    tree, parent_lines, author, committer = found.groups()
    if len(parent_lines) == _PARENT_LINE:  # as nearly every commit has it
        parents: tuple[bytes, ...] = (unhexlify(parent_lines[7:47]),)
    else:
        places = range(0, len(parent_lines), _PARENT_LINE)
        parents = tuple([unhexlify(parent_lines[at + 7 : at + 47]) for at in places])
    return CommitHead(unhexlify(tree), parents, author, committer, found.end())


def _match_head(raw: bytes) -> re.Match[bytes]:
    """Match the fixed fields; raise MalformedCommit."""
    if len(raw) > LIMITS.commit_size:
        raise MalformedCommit(f"the commit is {len(raw)} bytes long; the limit is {LIMITS.commit_size}")
    found = _HEAD.match(raw)
    if found is None:
        raise MalformedCommit(_what_is_wrong(raw))
    parents = (found.end(2) - found.start(2)) // _PARENT_LINE
    if parents > LIMITS.commit_parents:
        raise MalformedCommit(f"the commit has {parents} parents; the limit is {LIMITS.commit_parents}")
    return found


class SignedParts(NamedTuple):
    """A commit that keeps R6, as far as checking its signature needs it; see :class:`Commit` for the fields.

    ``end`` is where the header ends.
    """

    tree: bytes
    signature: bytes | None
    payload: bytes
    end: int


def parse_commit(raw: bytes) -> Commit:
    """Parse a commit object's content; raise MalformedCommit where it breaks R6."""
    head = parse_head(raw)
    _, signature, payload, end = split_commit(raw, (head.tree, head.end))
    return Commit(
        tree=head.tree,
        parents=head.parents,
        author=head.author,
        committer=head.committer,
        date=head.date,
        signature=signature,
        payload=payload,
        message=raw[end + 1 :],
    )


def split_commit(raw: bytes, head: tuple[bytes, int] | None = None) -> SignedParts:
    """Do the checks of :func:`parse_commit`; raise MalformedCommit where the commit breaks R6.

    ``head`` is ``tree`` and ``end`` of what :func:`parse_head` returned for these bytes, where that is known.
    """
    if head is None:
        found = _match_head(raw)
        head = unhexlify(found[1]), found.end()
    tree, start = head
    blank = raw.find(b"\n\n", start - 1)
    if blank < 0 and not raw.endswith(b"\n"):
        raise MalformedCommit("the header's last line has no end")
    end = len(raw) if blank < 0 else blank + 1
    if raw.find(b"\0", 0, end) >= 0:
        raise MalformedCommit("the header has a NUL byte")
    # A header has no more lines than bytes: most need no counting.
    if end > LIMITS.commit_header_lines < raw.count(b"\n", 0, end):
        raise MalformedCommit(f"the header has more than {LIMITS.commit_header_lines} lines")
    signature = None
    seen: tuple[bytes, ...] = ()
    payload = b""
    position = covered = start
    while position < end:
        field = _FIELD.match(raw, position, end)
        if field is None:
            line = raw[position:end].partition(b"\n")[0]
            raise MalformedCommit(f"the header line “{shown(line, 60)}” is no field")
        name = field[1]
        if name in _ONCE:
            if name in seen:
                raise MalformedCommit(f"the header has two “{shown(name)}” fields")
            seen += (name,)
            if name != b"encoding":
                payload += raw[covered:position]
                covered = field.end()
                if name == b"gpgsig":
                    signature = field[2].replace(b"\n ", b"\n") + b"\n"
        elif name in _MISPLACED:
            raise MalformedCommit(f"the header has a “{shown(name)}” field out of place")
        position = field.end()
    if covered == start:
        return SignedParts(tree, signature, raw, end)
    return SignedParts(tree, signature, b"".join((raw[:start], payload, raw[covered:])), end)


def _what_is_wrong(raw: bytes) -> str:
    """Say which of the fixed fields is not as it must be."""
    header = raw.partition(b"\n\n")[0]
    if b"\0" in header:
        return "the header has a NUL byte"
    if b"\r\n" in header:
        return "the header has CR LF line ends"
    for number, line in enumerate(header.split(b"\n"), 1):
        name, _, value = line.partition(b" ")
        expected = b"tree" if number == 1 else name
        if name != expected or name not in _MISPLACED:
            break
        if name in {b"tree", b"parent"} and re.fullmatch(rb"[0-9a-f]{40}", value) is None:
            return f"“{shown(line, 60)}” has no id of 40 lower-case hexadecimal digits"
    return "the header does not start with tree, parents, author and committer, in this order"
