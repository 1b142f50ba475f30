"""Which lines two files have in common, found from their rarest common run of lines.

Source: the description of JGit's ``HistogramDiff``, which git's ``--diff-algorithm=histogram`` follows, and with it
git's merges since 2.34: take the run of common lines that holds the rarest line (of two, the longer one), and do the
same before and after it. Where all common lines are frequent, Myers's algorithm compares.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from gitverify.trees import myers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.trees.effort import Effort

_FREQUENT = 64  # a line that the old file has more often is no anchor
_STEPS_OF_RUN = 16  # what it takes to look for a run, however short


class _Box(NamedTuple):
    """Part of the old file and part of the new one; ends are exclusive."""

    old: int
    old_end: int
    new: int
    new_end: int


def differing(old: Sequence[int], new: Sequence[int], effort: Effort) -> tuple[bytearray, bytearray]:
    """Return for each line of either file whether it has no counterpart in the other (1) or has one (0).

    Lines are numbers: equal lines, equal numbers. Raises OutOfEffort.
    """
    flags = bytearray(len(old)), bytearray(len(new))
    boxes = [_Box(0, len(old), 0, len(new))]
    while boxes:
        box = boxes.pop()
        if box.old == box.old_end or box.new == box.new_end:
            _mark(flags, box)
            continue
        effort.spend(box.old_end - box.old + box.new_end - box.new)
        common, run = _rarest_run(old, new, box, effort)
        if run is not None:
            boxes.append(_Box(box.old, run.old, box.new, run.new))
            boxes.append(_Box(run.old_end, box.old_end, run.new_end, box.new_end))
        elif common:
            left, right = slice(box.old, box.old_end), slice(box.new, box.new_end)
            flags[0][left], flags[1][right] = myers.differing(old[left], new[right], effort)
        else:
            _mark(flags, box)
    return flags


def _mark(flags: tuple[bytearray, bytearray], box: _Box) -> None:
    flags[0][box.old : box.old_end] = b"\1" * (box.old_end - box.old)
    flags[1][box.new : box.new_end] = b"\1" * (box.new_end - box.new)


def _rarest_run(old: Sequence[int], new: Sequence[int], box: _Box, effort: Effort) -> tuple[bool, _Box | None]:
    """Return whether the two parts have a line in common, and the run to begin with unless all are frequent."""
    places = _Places(old[box.old : box.old_end], box.old)
    common = not places.first.keys().isdisjoint(new[box.new : box.new_end])
    best, longest, rarest = None, 1, _FREQUENT + 1
    at = box.new
    while at < box.new_end:
        line = new[at]
        at += 1
        if line not in places.first or places.count(line) > rarest:
            continue
        effort.spend(_STEPS_OF_RUN * places.count(line))
        start, passed = at - 1, box.old
        for place in (places.first[line], *places.later.get(line, ())):
            if place < passed:
                continue  # lies in the run found last
            run = _run(old, new, box, place, start)
            length = run.old_end - run.old
            effort.spend(length)
            count = places.least_count(old[run.old : run.old_end])
            if length > longest or count < rarest:
                best, longest, rarest = run, length, count
            passed = run.old_end
            at = max(at, run.new_end)
    return common, best if rarest <= _FREQUENT else None


class _Places:
    """Where lines stand in a part of a file: first, and later. Most stand there once."""

    def __init__(self, part: Sequence[int], start: int) -> None:
        places = range(start, start + len(part))
        self.first = dict(zip(reversed(part), reversed(places), strict=True))
        self.later: defaultdict[int, list[int]] = defaultdict(list)
        if len(self.first) < len(part):
            for place, line in zip(places, part, strict=True):
                if self.first[line] != place:
                    self.later[line].append(place)

    def count(self, line: int) -> int:
        """Return how often a line stands there that does."""
        return 1 + len(self.later[line]) if line in self.later else 1

    def least_count(self, lines: Sequence[int]) -> int:
        """Return how often the rarest of these lines, which all stand there, does."""
        least = _FREQUENT + 1
        for line in lines:
            if line not in self.later:
                return 1
            least = min(least, 1 + len(self.later[line]))
        return least


def _run(old: Sequence[int], new: Sequence[int], box: _Box, place: int, at: int) -> _Box:
    """Return the longest run of equal lines around a pair of equal lines."""
    before = 0
    most = min(place - box.old, at - box.new)
    while before < most and old[place - before - 1] == new[at - before - 1]:
        before += 1
    length, step = 1, 1
    most = min(box.old_end - place, box.new_end - at)
    while step and length < most:  # ever more lines at once, then ever fewer
        step = min(step, most - length)
        if old[place + length : place + length + step] == new[at + length : at + length + step]:
            length += step
            step *= 2
        else:
            step //= 2
    return _Box(place - before, place + length, at - before, at + length)
