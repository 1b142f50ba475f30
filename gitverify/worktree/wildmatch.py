"""Patterns of ``.gitignore`` and ``.gitattributes``, as gitignore(5) and git's wildmatch read them.

A pattern is taken apart at its slashes, and each part becomes a regular expression for one path component. A part
that is not the last ends an atomic group at its earliest match, which is as good as any other: so a pattern that
somebody wrote to take for ever does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_EVERYTHING = range(256)
_CLASSES = {
    b"alnum": rb"[0-9A-Za-z]",
    b"alpha": rb"[A-Za-z]",
    b"blank": rb"[ \t]",
    b"cntrl": rb"[\x00-\x1f\x7f]",
    b"digit": rb"[0-9]",
    b"graph": rb"[!-~]",
    b"lower": rb"[a-z]",
    b"print": rb"[ -~]",
    b"punct": rb"[!-/:-@\[-`{-~]",
    b"space": rb"[ \t-\r]",
    b"upper": rb"[A-Z]",
    b"xdigit": rb"[0-9A-Fa-f]",
}
_CLASS = re.compile(rb"\[:([^\]]*):\]")

_ANY_DEPTH = None  # stands for a part that is **


class _Never(Exception):
    """A pattern that git never finds a match for; does not leave this module."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """One pattern, relative to a directory.

    ``parts`` match one path component each, None any number of them. A pattern without a slash in it (``anywhere``)
    is matched with the last component alone. With ``directory_only`` it means directories.
    """

    parts: tuple[re.Pattern[bytes] | None, ...]
    anywhere: bool
    directory_only: bool

    def matches(self, path: tuple[bytes, ...], *, directory: bool) -> bool:
        """Return if the pattern means this path (components, relative to the pattern's directory; at least one)."""
        if self.directory_only and not directory:
            return False
        return _matches(self.parts, path[-1:] if self.anywhere else path)


def parse_pattern(text: bytes) -> PathPattern | None:
    """Return the pattern that ``text`` is; None for one that matches nothing."""
    directory_only = text.endswith(b"/")
    text = text[:-1] if directory_only else text
    anywhere = b"/" not in text
    try:
        parts = _parts(text.removeprefix(b"/") if not anywhere else text)
    except _Never:
        return None
    return PathPattern(tuple(parts), anywhere, directory_only)


def _matches(parts: tuple[re.Pattern[bytes] | None, ...], path: tuple[bytes, ...]) -> bool:
    """Follow all ways to match at once: ``reached`` are the numbers of components that the parts so far can take."""
    reached = {0}
    for number, part in enumerate(parts):
        if part is not _ANY_DEPTH:
            reached = {at + 1 for at in reached if at < len(path) and part.fullmatch(path[at])}
        elif number == len(parts) - 1:
            return any(at < len(path) for at in reached)
        elif reached:
            reached = set(range(min(reached), len(path) + 1))
    return len(path) in reached


def _parts(text: bytes) -> list[re.Pattern[bytes] | None]:
    """Take a pattern apart at its slashes. Raises _Never."""
    parts: list[re.Pattern[bytes] | None] = []
    pieces, raw, at = [b""], b"", 0  # one part: what stands between its asterisks, and its text
    while at <= len(text):
        byte = text[at : at + 1]
        if byte == b"\\" and text[at + 1 : at + 2] == b"/":
            at += 1
            byte = b"/"
        if byte in {b"", b"/"}:
            parts.append(_ANY_DEPTH if re.fullmatch(rb"\*\*+", raw) else _expression(pieces))
            pieces, raw, at = [b""], b"", at + 1
            continue
        start = at
        if byte == b"*":
            pieces.append(b"")
            at += 1
        elif byte == b"[":
            among, at = _bracket(text, at)
            pieces[-1] += among
        elif byte == b"\\":
            if at + 1 == len(text):
                raise _Never
            pieces[-1] += re.escape(text[at + 1 : at + 2])
            at += 2
        else:
            pieces[-1] += b"." if byte == b"?" else re.escape(byte)
            at += 1
        raw += text[start:at]
    return parts


def _expression(pieces: list[bytes]) -> re.Pattern[bytes]:
    """Return an expression for the pieces with anything in between."""
    first, *rest = pieces
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = b"".join(b"(?>.*?%s)" % piece for piece in rest[:-1] if piece)
    return re.compile(first + middle + b".*" + rest[-1], re.DOTALL)


def _bracket(text: bytes, at: int) -> tuple[bytes, int]:
    """Return an expression for the bracket that begins at ``at``, and where it ends. Raises _Never."""
    at += 1
    negated = text[at : at + 1] in {b"!", b"^"}
    at += negated
    among: set[int] = set()
    previous: int | None = None
    first = True
    while first or text[at : at + 1] != b"]":
        first = False
        byte, after = _member(text, at)
        named = _CLASS.match(text, at)
        if text[at : at + 1] == b"-" and previous is not None and text[at + 1 : at + 2] not in {b"", b"]"}:
            last, at = _member(text, at + 1)
            among.update(range(previous, last + 1))
            previous = None
        elif named is not None:
            if named[1] not in _CLASSES:
                raise _Never
            among.update(byte for byte in _EVERYTHING if re.match(_CLASSES[named[1]], bytes([byte])))
            previous, at = None, named.end()
        else:
            among.add(byte)
            previous, at = byte, after
    chosen = [byte for byte in _EVERYTHING if (byte in among) != negated and byte != ord("/")]
    if not chosen:
        raise _Never
    return b"[%s]" % b"".join(b"\\x%02x" % byte for byte in chosen), at + 1


def _member(text: bytes, at: int) -> tuple[int, int]:
    """Return the byte that stands at ``at`` in a bracket, perhaps after a backslash, and where the next one is."""
    if text[at : at + 1] == b"\\":
        at += 1
    if at >= len(text):
        raise _Never
    return text[at], at + 1
