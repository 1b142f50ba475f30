"""From which lines differ to which stretches changed, each moved to where git shows it.

A stretch of changed lines can often be moved: where ``b`` was added in ``a b a b a``, or ``b a``, nobody can say. Git
(as GNU diff before it) moves every stretch down as far as it goes, unless it can stand beside one of the other file;
stretches that meet become one. Where two people's changes touch depends on that.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gitverify.trees.effort import Effort

    Differing = Callable[[Sequence[int], Sequence[int], Effort], tuple[bytearray, bytearray]]

_INVERTED = bytes([1, 0]) + bytes(254)


class Hunk(NamedTuple):
    """Lines ``old`` to ``old_end`` became lines ``new`` to ``new_end``; ends are exclusive."""

    old: int
    old_end: int
    new: int
    new_end: int


def hunks(old: Sequence[int], new: Sequence[int], differing: Differing, effort: Effort) -> list[Hunk]:
    """Return what changed, in order, with at least one unchanged line between two hunks.

    ``differing`` is one of the algorithms: :mod:`~gitverify.trees.histogram`, :mod:`~gitverify.trees.myers`. Lines
    are numbers: equal lines, equal numbers. Raises OutOfEffort.
    """
    old_flags, new_flags = differing(old, new, effort)
    left, right = _unchanged(old_flags), _unchanged(new_flags)
    numbers = {*_move(old, left, right, _stretches(old_flags), effort)}
    numbers.update(_move(new, right, left, _stretches(new_flags), effort))
    return [Hunk(left[at - 1] + 1, left[at], right[at - 1] + 1, right[at]) for at in sorted(numbers)]


def _unchanged(flags: bytearray) -> list[int]:
    """Return the places of the unchanged lines, between -1 and the number of lines.

    The n-th of one file is the counterpart of the n-th of the other. The stretch that ends at the n-th lies between
    it and the one before; it may be empty.
    """
    return [-1, *compress(range(len(flags)), flags.translate(_INVERTED)), len(flags)]


def _stretches(flags: bytearray) -> Iterator[int]:
    """Yield the numbers of the unchanged lines at which a stretch ends that is not empty."""
    changed = end = 0
    while (start := flags.find(1, end)) >= 0:
        end = flags.find(0, start)
        end = len(flags) if end < 0 else end
        yield start - changed + 1
        changed += end - start


def _move(
    lines: Sequence[int], unchanged: list[int], other: list[int], stretches: Iterable[int], effort: Effort
) -> list[int]:
    """Move each stretch of one file to its place: another of several equal lines becomes the unchanged one.

    Return the numbers of the lines at which the stretches then end.
    """
    ends = [
        _place(lines, unchanged, other, number, effort)
        for number in stretches
        if unchanged[number] - unchanged[number - 1] > 1  # or else one before took it in
    ]
    return [number for number in ends if unchanged[number] - unchanged[number - 1] > 1]  # or else one after did


def _place(lines: Sequence[int], unchanged: list[int], other: list[int], number: int, effort: Effort) -> int:
    """Move the stretch that ends at an unchanged line; return the number of the line at which it then ends."""
    size = 0
    while size != unchanged[number] - unchanged[number - 1]:
        size = unchanged[number] - unchanged[number - 1]
        while number > 1 and lines[unchanged[number - 1]] == lines[unchanged[number] - 1]:
            unchanged[number - 1] = unchanged[number] - 1
            number -= 1
            effort.spend(1)
        highest = number
        beside = number if other[number] - other[number - 1] > 1 else 0
        while number < len(unchanged) - 1 and lines[unchanged[number - 1] + 1] == lines[unchanged[number]]:
            unchanged[number] = unchanged[number - 1] + 1
            number += 1
            effort.spend(1)
            beside = number if other[number] - other[number - 1] > 1 else beside
    while highest <= beside < number:
        unchanged[number - 1] = unchanged[number] - 1
        number -= 1
        effort.spend(1)
    return number
