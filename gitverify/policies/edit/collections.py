"""Entries put into lists and mappings of a policy file, and taken out of them, whatever style they are written in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.edit.result import EditRefused
from gitverify.policies.edit.splices import (
    Splice,
    insert_lines,
    is_rest_blank,
    line_end,
    line_of,
    line_start,
    remove_lines,
)
from gitverify.policies.strictyaml import Mapping, Sequence

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from gitverify.policies.edit.writing import Written
    from gitverify.policies.strictyaml import Located, Node, Span, Text

_DASH = re.compile(r"(?P<indent> *)-(?P<gap> +)")
_DASH_ALONE = re.compile(r" *-\s*(?:#.*)?")


class _Entry(NamedTuple):
    """Where an item, or a key with its value, stands; ``comma``: where the comma after it is, -1 for none."""

    start: int
    end: int
    comma: int = -1


def insert(
    located: Located, node: Sequence | Mapping, written: tuple[Written, ...], after: int | None = None
) -> list[Splice]:
    """Return what puts new entries after the entry with this number, or after the last one."""
    places = _places(node)
    flow = [each.flow for each in written]
    if not places:
        at = located.span(node).start + 1
        return [Splice(at, at, ", ".join(flow))]
    entry = _entry(located, node, places, len(places) - 1 if after is None else after)
    if located.span(node).flow:
        return _insert_flow(located.text, entry, flow)
    lines = [line for each in written for line in _lines(located, node, entry, each)]
    return [insert_lines(located.text, entry.end, lines)]


def _lines(located: Located, node: Sequence | Mapping, entry: _Entry, written: Written) -> list[str]:
    """Return the lines of a new entry; an item keeps the distance to its dash that the one before has."""
    indent = " " * (node.column - 1)
    if isinstance(node, Mapping):
        return [indent + line for line in written.block]
    found = _DASH.fullmatch(located.text[line_start(located.text, entry.start) : entry.start])
    gap = found["gap"] if found is not None else " "
    first, *rest = written.block
    return [f"{indent}-{gap}{first}", *(f"{indent} {' ' * len(gap)}{line}" for line in rest)]


def _insert_flow(text: str, entry: _Entry, written: list[str]) -> list[Splice]:
    start = line_start(text, entry.start)
    indent = text[start : entry.start]
    end = max(entry.end, entry.comma + 1)
    if indent.strip() or not is_rest_blank(text, end) or "\n" in text[entry.start : end]:
        return [Splice(entry.end, entry.end, "".join(f", {each}" for each in written))]
    if entry.comma >= 0:
        return [insert_lines(text, end, [f"{indent}{each}," for each in written])]
    lines = [f"{indent}{each}," for each in written]
    return [Splice(entry.end, entry.end, ","), insert_lines(text, end, [*lines[:-1], lines[-1].removesuffix(",")])]


def remove(located: Located, node: Sequence | Mapping, gone: AbstractSet[int], key: Text) -> list[Splice]:
    """Return what takes these entries out; ``key`` is the key that the list or mapping is the value of.

    Whole lines go where an entry has them to itself, with the comments in them; an empty list is left as ``[]``.
    Raises EditRefused where a key does not stand in front of its line.
    """
    entries = _entries(located, node)
    if located.span(node).flow:
        return _remove_flow(located.text, entries, gone, located.span(node))
    text = located.text
    start_of = _dash_line if isinstance(node, Sequence) else _key_line
    stretches = [(start_of(text, entries[number].start), line_end(text, entries[number].end)) for number in gone]
    splices = remove_lines(text, stretches)
    if len(gone) == len(entries):
        colon = text.index(":", located.span(key).end) + 1
        splices.append(Splice(colon, colon, " []" if isinstance(node, Sequence) else " {}"))
    return splices


def _key_line(text: str, at: int) -> int:
    start = line_start(text, at)
    if text[start:at].strip():
        raise EditRefused("something else stands in this line: take the entry out by hand", line=line_of(text, at))
    return start


def _dash_line(text: str, at: int) -> int:
    """Return where the line with an item's dash begins; it may stand above the item."""
    start = line_start(text, at)
    if _DASH.fullmatch(text[start:at]):
        return start
    while start and not _DASH_ALONE.fullmatch(text[start : line_end(text, start)].rstrip("\r\n")):
        start = line_start(text, start - 1)
    return start


def _places(node: Sequence | Mapping) -> list[tuple[Node, Node]]:
    """Return the first and the last node of each entry, in order."""
    if isinstance(node, Sequence):
        return [(item, item) for item in node.items]
    return list(zip(node.keys.values(), node.values.values(), strict=True))


def _entry(located: Located, node: Sequence | Mapping, places: list[tuple[Node, Node]], number: int) -> _Entry:
    """Return where an entry stands."""
    first, last = places[number]
    start, end = located.span(first).start, located.span(last).end
    if not located.span(node).flow:
        return _Entry(start, end)
    is_last = number == len(places) - 1
    limit = located.span(node).end - 1 if is_last else located.span(places[number + 1][0]).start
    return _Entry(start, end, _comma(located.text, end, limit))


def _entries(located: Located, node: Sequence | Mapping) -> list[_Entry]:
    """Return where each entry stands, in order."""
    places = _places(node)
    return [_entry(located, node, places, number) for number in range(len(places))]


def _comma(text: str, at: int, limit: int) -> int:
    """Return where the comma stands between two entries; comments there may have commas of their own."""
    while at < limit and text[at] != ",":
        at = line_end(text, at) if text[at] == "#" else at + 1
    return at if at < limit else -1


def _remove_flow(text: str, entries: list[_Entry], gone: AbstractSet[int], span: Span) -> list[Splice]:
    splices: list[Splice] = []
    for first, last in _runs(gone):
        is_end = last == len(entries) - 1
        if not is_end:
            start, end = entries[first].start, entries[last + 1].start
        elif first:
            start, end = entries[first - 1].end, entries[last].end
        else:
            start, end = span.start + 1, span.end - 1
        if "\n" not in text[start:end]:
            splices.append(Splice(start, end))
            continue
        splices += (_piece(text, entries[number]) for number in range(first, last + 1))
        if is_end and first and entries[last].comma < 0:
            comma = entries[first - 1].comma
            splices.append(Splice(comma, comma + 1))
    return splices


def _piece(text: str, entry: _Entry) -> Splice:
    """Return the removal of one of several lines' entries: its line, or from it to the next one."""
    end = max(entry.end, entry.comma + 1)
    start = line_start(text, entry.start)
    if not text[start : entry.start].strip() and is_rest_blank(text, end):
        return Splice(start, line_end(text, end))
    after = end
    while text[after] == " ":
        after += 1
    return Splice(entry.start, end if text[after] in "#\r\n" else after)


def _runs(numbers: AbstractSet[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
