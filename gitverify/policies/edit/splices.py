"""Pieces of text that take the place of others, and the lines that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.edit.result import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterable


class Splice(NamedTuple):
    """``text`` takes the place of what stands from ``start`` to before ``end`` (characters)."""

    start: int
    end: int
    text: str = ""


def apply(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with all splices made. Raises EditRefused where two of them meet."""
    parts: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda splice: splice[:2]):
        if splice.start < at:
            raise EditRefused(
                "two changes meet in this line: make them one by one, or by hand", line=line_of(text, splice.start)
            )
        parts += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join([*parts, text[at:]])


def newline(text: str) -> str:
    """Return how the file ends its lines: as it ends the first one."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def line_of(text: str, at: int) -> int:
    """Return the number of the line, from 1."""
    return text.count("\n", 0, at) + 1


def line_start(text: str, at: int) -> int:
    """Return where the line begins."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Return where the next line begins, or the end of the text."""
    return text.find("\n", at) + 1 or len(text)


def is_rest_blank(text: str, at: int) -> bool:
    """Whether nothing but a comment follows in the line."""
    rest = text[at : line_end(text, at)].strip()
    return not rest or rest.startswith("#")


def insert_lines(text: str, at: int, lines: Iterable[str]) -> Splice:
    """Return whole lines put after the line in which ``at`` is; a file without a last line end stays without."""
    end = line_end(text, at)
    mark = newline(text)
    written = mark.join(lines)
    return Splice(end, end, written + mark if text[:end].endswith("\n") else mark + written)


def remove_lines(text: str, stretches: Iterable[tuple[int, int]]) -> list[Splice]:
    """Return the removal of these stretches of whole lines; a file without a last line end stays without."""
    splices: list[Splice] = []
    for start, end in sorted(stretches):
        if splices and splices[-1].end == start:
            start = splices.pop().start  # noqa: PLW2901
        splices.append(Splice(start, end))
    if splices and splices[-1].end == len(text) and not text.endswith("\n"):
        start = splices[-1].start
        splices[-1] = Splice(max(0, start - len(newline(text))), len(text))
    return splices
