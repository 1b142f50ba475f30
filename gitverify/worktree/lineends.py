"""Line ends: what git makes of a file's content on checkout where attributes ask for CRLF (gitattributes(5))."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.worktree.attributes import Value

_LONE_LF = re.compile(rb"(?<!\r)\n")
_PRINTABLE = bytes(byte for byte in range(256) if (byte >= 0x20 and byte != 0x7F) or byte in b"\b\t\f\x1b")
_END_OF_FILE = 0x1A  # of CP/M; git forgives one at the end


class LineEnds(Enum):
    """What a path's attributes say about its line ends."""

    AS_STORED = "as stored"
    LOCAL = "left to the clone's settings"
    CRLF = "CRLF"
    CRLF_IF_TEXT = "CRLF where it looks like text"


def line_ends(attributes: Mapping[bytes, Value]) -> LineEnds:
    """Return what attributes ask for, by git's own order of precedence (``text``, then ``crlf``, with ``eol``)."""
    text = _text(attributes.get(b"text"))
    text = text if text is not None else _text(attributes.get(b"crlf"))
    eol = attributes.get(b"eol")
    if text == b"binary":
        return LineEnds.AS_STORED
    if eol == b"crlf":
        return LineEnds.CRLF_IF_TEXT if text == b"auto" else LineEnds.CRLF
    if eol == b"lf" or text == b"input":
        return LineEnds.AS_STORED
    return LineEnds.LOCAL


def checked_out(content: bytes, ends: LineEnds) -> bytes:
    """Return what a checkout with these line ends has for a blob of this content."""
    automatic = ends is LineEnds.CRLF_IF_TEXT
    if ends not in {LineEnds.CRLF, LineEnds.CRLF_IF_TEXT} or (automatic and (b"\r" in content or _is_binary(content))):
        return content
    return _LONE_LF.sub(b"\r\n", content)


def same_but_for_line_ends(one: bytes, other: bytes) -> bool:
    """Return if two contents differ in line ends at most."""
    return one.replace(b"\r\n", b"\n") == other.replace(b"\r\n", b"\n")


def _text(value: Value) -> bytes | None:
    """Return what ``text`` or ``crlf`` means; None where it says nothing."""
    if value is True:
        return b"text"
    if value is False:
        return b"binary"
    return value if value in {b"auto", b"input"} else None


def _is_binary(content: bytes) -> bool:
    """Return if git's heuristic takes a content without CR for binary."""
    if b"\0" in content:
        return True
    odd = len(content.translate(None, _PRINTABLE + b"\n")) - (content[-1:] == bytes([_END_OF_FILE]))
    even = len(content) - len(content.translate(None, _PRINTABLE))
    return even // 128 < odd
