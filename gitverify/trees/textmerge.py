"""Three-way merge of a file's content, line by line: what both sides did to it, or nothing.

A clean result holds every line that a side added, where it added it, lacks every line that a side removed, and has
nothing else. Changes of the two sides that overlap or touch are a conflict unless they lead to the same lines, as for
git. Which lines count as changed, and so what touches, depends on how files are compared: git does it by histogram
(since its "ort" strategy), older git and libgit2 by Myers's algorithm. Each result of either is one that the two
sides settle, so each is taken as such.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from gitverify.limits import LIMITS
from gitverify.trees import histogram, myers
from gitverify.trees.effort import Effort, OutOfEffort
from gitverify.trees.hunks import hunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.trees.hunks import Differing, Hunk

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")  # the last one may lack its line feed; a carriage return is like any byte
_BINARY = 8000  # bytes, as for git


def merge(base: bytes, ours: bytes, theirs: bytes, effort: Effort | None = None) -> bytes | None:
    """Return the content as current git merges it; None: a conflict, or nothing to be merged by lines.

    ``effort``: what it may take; less than nothing is left of it where that was not enough.
    """
    return next(_merges((base, ours, theirs), (histogram.differing,), effort), None)


def is_clean_merge(base: bytes, ours: bytes, theirs: bytes, recorded: bytes, effort: Effort | None = None) -> bool:
    """Whether ``recorded`` is what the two sides make of ``base`` without conflict; ``effort`` as for :func:`merge`."""
    algorithms = histogram.differing, myers.differing
    return any(merged == recorded for merged in _merges((base, ours, theirs), algorithms, effort))


def mergeable(content: bytes) -> bool:
    """Whether a file's content is merged by lines: it is no binary file and has not too many lines."""
    return b"\0" not in content[:_BINARY] and content.count(b"\n") < LIMITS.merge_lines


def _merges(
    contents: tuple[bytes, bytes, bytes], algorithms: tuple[Differing, ...], effort: Effort | None
) -> Iterator[bytes]:
    """Yield the clean result of each algorithm that has one."""
    if not all(map(mergeable, contents)):
        return
    effort = effort or Effort(LIMITS.merge_file_steps)
    lines = [_LINE.findall(content) for content in contents]
    numbers: dict[bytes, int] = {}
    fresh = count()
    base, ours, theirs = ([*map(numbers.setdefault, file, fresh)] for file in lines)
    for differing in algorithms:
        try:
            mine, others = hunks(base, ours, differing, effort), hunks(base, theirs, differing, effort)
        except OutOfEffort:
            return
        regions = [*_regions(mine, others)]
        if all(region.settled(ours, theirs) for region in regions):
            yield b"".join(_result(lines, regions))


def _result(lines: list[list[bytes]], regions: list[_Region]) -> Iterator[bytes]:
    base, ours, theirs = lines
    done = 0
    for region in regions:
        yield from base[done : region.start]
        yield from ours[region.part(0)] if region.hunks[0] else theirs[region.part(1)]
        done = region.end
    yield from base[done:]


class _Region:
    """Lines of the base, ``start`` to ``end``, that hunks of either side or of both cover without a gap."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.hunks: tuple[list[Hunk], list[Hunk]] = [], []

    def part(self, side: int) -> slice:
        """Return the lines of a side, which has hunks here, that stand where the region's lines were."""
        first, last = self.hunks[side][0], self.hunks[side][-1]
        return slice(first.new - (first.old - self.start), last.new_end + self.end - last.old_end)

    def settled(self, ours: list[int], theirs: list[int]) -> bool:
        """Whether one side alone changed the region, or both to the same lines."""
        return not all(self.hunks) or ours[self.part(0)] == theirs[self.part(1)]


def _regions(ours: list[Hunk], theirs: list[Hunk]) -> Iterator[_Region]:
    """Yield the regions in order; between two of them lies a line that neither side changed."""
    region = None
    for start, side, hunk in sorted([(hunk.old, 0, hunk) for hunk in ours] + [(hunk.old, 1, hunk) for hunk in theirs]):
        if region is None or start > region.end:
            if region is not None:
                yield region
            region = _Region(start)
        region.hunks[side].append(hunk)
        region.end = max(region.end, hunk.old_end)
    if region is not None:
        yield region
