"""A map of the folders: each box is as large as what commits did in it, and inside of it lie the folders below.

What is laid out here are rectangles, in percent of the box around them; ``audit_html`` draws them. Rows are filled so
that boxes come out near to squares (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitverify.audit.model import Folder

# Pixels, for a page of usual width; on another one the boxes are stretched.
WIDTH = 1120
HEIGHT = 680
HEADING = 22
PADDING = 3
_LEAST_AREA = 700  # of a box of its own
_LEAST_WIDTH, _LEAST_HEIGHT = 110, 70  # of a box with others inside
_NAME_WIDTH, _SHARE_WIDTH, _LINE_HEIGHT = 26, 46, 18
_DEEPEST = 4


class Box(NamedTuple):
    """A rectangle: percent of the inside of the box around it.

    ``name`` is the folder's path below that box, ``path`` its whole path; ``name`` is empty for the files right in
    the folder around it (``more`` 0), and for so many (``more``) folders that are too small for boxes. ``weight``
    and ``authentic`` are in commits, each spread over what it changes. ``freed``: it is unprotected, and what is around
    it is not. ``lines``: for how many lines of text
    there is room: a name, and a share.
    """

    left: float
    top: float
    width: float
    height: float
    path: bytes
    name: bytes
    more: int
    weight: float
    authentic: float
    freed: bool
    lines: int
    inside: tuple[Box, ...] = ()

    @property
    def share(self) -> float:
        """How much of it is authentic, between 0 and 1."""
        return self.authentic / self.weight if self.weight else 0.0


class _Item(NamedTuple):
    weight: float
    authentic: float
    name: bytes
    folder: Folder | None
    more: int = 0


class _Area(NamedTuple):
    left: float
    top: float
    width: float
    height: float


def treemap(folders: Sequence[Folder]) -> tuple[Box, ...]:
    """Return the boxes of the top level; ``folders`` come in the order of their paths, the root first."""
    below: defaultdict[bytes, list[Folder]] = defaultdict(list)
    for folder in folders:
        if folder.path:
            below[folder.path[: folder.path.rfind(b"/", 0, -1) + 1]].append(folder)
    if not folders or folders[0].weight <= 0:
        return ()
    return _inside(folders[0], below, WIDTH, HEIGHT, 1)


def _inside(
    around: Folder, below: dict[bytes, list[Folder]], width: float, height: float, depth: int
) -> tuple[Box, ...]:
    """Lay out what is in one folder, on an area of so many pixels."""
    if width <= 0 or height <= 0:
        return ()
    made = []
    items = _items(around, below, width * height)
    rectangles = _squarify([item.weight for item in items], _Area(0, 0, width, height))
    for item, area in zip(items, rectangles, strict=True):
        folder = item.folder
        inside: tuple[Box, ...] = ()
        splits = area.width >= _LEAST_WIDTH and area.height >= _LEAST_HEIGHT and depth < _DEEPEST
        if folder is not None and splits and below.get(folder.path):
            within = area.width - 2 * PADDING, area.height - HEADING - PADDING
            inside = _inside(folder, below, *within, depth + 1)
        made.append(
            Box(
                100 * area.left / width,
                100 * area.top / height,
                100 * area.width / width,
                100 * area.height / height,
                folder.path if folder is not None else around.path,
                item.name,
                item.more,
                item.weight,
                item.authentic,
                folder is not None and folder.unprotected and not around.unprotected,
                _lines(area),
                inside,
            )
        )
    return tuple(made)


def _lines(area: _Area) -> int:
    if area.width < _NAME_WIDTH or area.height < _LINE_HEIGHT:
        return 0
    return 2 if area.width >= _SHARE_WIDTH and area.height >= 2 * _LINE_HEIGHT else 1


def _items(around: Folder, below: dict[bytes, list[Folder]], area: float) -> list[_Item]:
    """Return what is in a folder, the largest first: folders, the files right in it, and what is too small."""
    start = len(around.path)
    folders = [_only_one_in(folder, below) for folder in below.get(around.path, ())]
    items = [_Item(f.weight, f.authentic_weight, f.path[start:], f) for f in folders if f.weight > 0]
    here = around.weight - sum(item.weight for item in items)
    if here > around.weight / 1e6:
        authentic = around.authentic_weight - sum(item.authentic for item in items)
        items.append(_Item(here, min(max(authentic, 0.0), here), b"", None))
    items.sort(key=lambda item: (-item.weight, item.name))
    least = around.weight * _LEAST_AREA / area
    small = [item for item in items if item.weight < least and item.folder is not None]
    if len(small) > 1:
        together = _Item(
            sum(item.weight for item in small), sum(item.authentic for item in small), b"", None, len(small)
        )
        items = [item for item in items if item not in small] + [together]
    return items


def _only_one_in(folder: Folder, below: dict[bytes, list[Folder]]) -> Folder:
    """Go down while there is nothing else than one folder: it takes one box."""
    while True:
        inside = below.get(folder.path, ())
        if len(inside) != 1 or inside[0].weight < folder.weight * (1 - 1e-6):
            return folder
        folder = inside[0]


def _squarify(weights: Sequence[float], area: _Area) -> Iterator[_Area]:
    """Yield a rectangle for each weight, the largest of which comes first; together they fill the area."""
    left = sum(weights)
    at = 0
    while at < len(weights):
        side = min(area.width, area.height)
        scale = area.width * area.height / left
        end, row = at + 1, weights[at]
        while end < len(weights) and _worst(weights[at : end + 1], row + weights[end], side, scale) <= _worst(
            weights[at:end], row, side, scale
        ):
            row += weights[end]
            end += 1
        depth = row / left * (max(area.width, area.height))
        along = 0.0
        for weight in weights[at:end]:
            length = side * weight / row
            if area.width >= area.height:
                yield _Area(area.left, area.top + along, depth, length)
            else:
                yield _Area(area.left + along, area.top, length, depth)
            along += length
        if area.width >= area.height:
            area = _Area(area.left + depth, area.top, max(area.width - depth, 0.0), area.height)
        else:
            area = _Area(area.left, area.top + depth, area.width, max(area.height - depth, 0.0))
        left -= row
        at = end


def _worst(row: Sequence[float], total: float, side: float, scale: float) -> float:
    """Return how far the longest rectangle of a row is from a square: 1 is one."""
    thickness = total * scale / side
    return max(
        max(thickness / length, length / thickness) for length in (side * row[0] / total, side * row[-1] / total)
    )
