"""Which lines two files have in common, by the shortest way to edit one into the other.

Source: E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b: the middle of a shortest
way is found from both ends at once, then each half is treated alike. As in GNU diff and git, lines that the other
file lacks are put aside first, and so are frequent lines among many such lines: they would only match by accident.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from gitverify.trees.effort import OutOfEffort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.trees.effort import Effort

_FARTHEST = 256  # edits from either end; git makes do with a longer way beyond, which is not followed here
_MOST_FREQUENT = 1024
_AROUND = 100  # lines before and after that are looked at to see whether a frequent line matches by accident
_LACKING, _RARE, _FREQUENT = 0, 1, 2


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
    effort.spend(len(old) + len(new))
    whole = _without_common_ends(old, new, _Box(0, len(old), 0, len(new)))
    old_kept = _kept(old, range(whole.old, whole.old_end), Counter(new), effort)
    new_kept = _kept(new, range(whole.new, whole.new_end), Counter(old), effort)
    flags[0][whole.old : whole.old_end] = b"\1" * (whole.old_end - whole.old)
    flags[1][whole.new : whole.new_end] = b"\1" * (whole.new_end - whole.new)
    pairs = _Search([old[at] for at in old_kept], [new[at] for at in new_kept], effort).pairs()
    for here, there in pairs:
        flags[0][old_kept[here]] = flags[1][new_kept[there]] = 0
    return flags


def _without_common_ends(old: Sequence[int], new: Sequence[int], box: _Box) -> _Box:
    """Return the box without what both parts begin with and end with."""
    start, end, other, other_end = box
    while start < end and other < other_end and old[start] == new[other]:
        start += 1
        other += 1
    while start < end and other < other_end and old[end - 1] == new[other_end - 1]:
        end -= 1
        other_end -= 1
    return _Box(start, end, other, other_end)


def _kept(lines: Sequence[int], part: range, there: Counter[int], effort: Effort) -> list[int]:
    """Return the places of the lines that are worth comparing; ``there`` counts the other file's lines."""
    # About the square root of the number of lines, as a power of two.
    many = min(1 << (len(lines).bit_length() + 1) // 2, _MOST_FREQUENT)
    counts = [there[lines[at]] for at in part]
    kinds = [_LACKING if not count else _FREQUENT if count >= many else _RARE for count in counts]
    return [
        at
        for at, kind in zip(part, kinds, strict=True)
        if kind == _RARE or (kind == _FREQUENT and not _accidental(kinds, at - part.start, effort))
    ]


def _accidental(kinds: list[int], at: int, effort: Effort) -> bool:
    """Whether a frequent line stands among many lines that the other file lacks, on both sides of it."""
    lacking = frequent = 0
    for way in (kinds[max(0, at - _AROUND) : at][::-1], kinds[at + 1 : at + 1 + _AROUND]):
        effort.spend(len(way))
        near = way[: way.index(_RARE)] if _RARE in way else way
        if _LACKING not in near:
            return False
        lacking += near.count(_LACKING)
        frequent += near.count(_FREQUENT) + 1
    return frequent * 4 < frequent + lacking


class _Search:
    """Finds pairs of equal lines along a shortest way.

    A *diagonal* is the set of places whose distance from the start of the old lines exceeds that of the new ones by
    the same number. ``_forward`` and ``_backward`` remember how far along the old lines the diagonals were followed.
    """

    def __init__(self, old: Sequence[int], new: Sequence[int], effort: Effort) -> None:
        self._old = old
        self._new = new
        self._effort = effort
        self._zero = len(new) + 1
        size = len(old) + len(new) + 3
        self._forward = [0] * size
        self._backward = [0] * size

    def pairs(self) -> list[tuple[int, int]]:
        """Return the places of the lines that have counterparts."""
        found: list[tuple[int, int]] = []
        boxes = [_Box(0, len(self._old), 0, len(self._new))]
        while boxes:
            box = boxes.pop()
            inner = _without_common_ends(self._old, self._new, box)
            found += zip(range(box.old, inner.old), range(box.new, inner.new), strict=True)
            found += zip(range(inner.old_end, box.old_end), range(inner.new_end, box.new_end), strict=True)
            self._effort.spend(box.old_end - inner.old_end + inner.old - box.old + 1)
            if inner.old < inner.old_end and inner.new < inner.new_end:
                old, new = self._middle(inner)
                boxes.append(_Box(inner.old, old, inner.new, new))
                boxes.append(_Box(old, inner.old_end, new, inner.new_end))
        return found

    def _middle(self, box: _Box) -> tuple[int, int]:
        """Return a place on a shortest way, where the searches from both ends meet."""
        lowest, highest = box.old - box.new_end, box.old_end - box.new
        start, end = box.old - box.new, box.old_end - box.new_end
        odd = (start - end) % 2 == 1
        first = last = start
        back_first = back_last = end
        zero, forward, backward = self._zero, self._forward, self._backward
        forward[zero + start], backward[zero + end] = box.old, box.old_end
        for _ in range(_FARTHEST):
            first = self._widen(forward, first, -1, lowest, -1)
            last = self._widen(forward, last, 1, highest, -1)
            self._effort.spend(last - first + 2)
            for diagonal in range(last, first - 1, -2):
                old = self._follow(box, diagonal)
                if odd and back_first <= diagonal <= back_last and backward[zero + diagonal] <= old:
                    return old, old - diagonal
            back_first = self._widen(backward, back_first, -1, lowest, len(self._old) + 1)
            back_last = self._widen(backward, back_last, 1, highest, len(self._old) + 1)
            self._effort.spend(back_last - back_first + 2)
            for diagonal in range(back_last, back_first - 1, -2):
                old = self._follow_back(box, diagonal)
                if not odd and first <= diagonal <= last and old <= forward[zero + diagonal]:
                    return old, old - diagonal
        raise OutOfEffort

    def _widen(self, reached: list[int], diagonal: int, way: int, limit: int, nowhere: int) -> int:
        """Return the outermost diagonal of the next round: one further out, or one in where there is none."""
        if diagonal == limit:
            return diagonal - way
        reached[self._zero + diagonal + 2 * way] = nowhere
        return diagonal + way

    def _follow(self, box: _Box, diagonal: int) -> int:
        """Make the best of one more edit on a diagonal, then go on while lines are equal."""
        at = self._zero + diagonal
        reached = self._forward
        start = old = reached[at - 1] + 1 if reached[at - 1] >= reached[at + 1] else reached[at + 1]
        new = old - diagonal
        while old < box.old_end and new < box.new_end and self._old[old] == self._new[new]:
            old += 1
            new += 1
        self._effort.spend(old - start)
        reached[at] = old
        return old

    def _follow_back(self, box: _Box, diagonal: int) -> int:
        """Do the same from the end."""
        at = self._zero + diagonal
        reached = self._backward
        start = old = reached[at - 1] if reached[at - 1] < reached[at + 1] else reached[at + 1] - 1
        new = old - diagonal
        while old > box.old and new > box.new and self._old[old - 1] == self._new[new - 1]:
            old -= 1
            new -= 1
        self._effort.spend(start - old)
        reached[at] = old
        return old
