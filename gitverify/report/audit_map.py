"""Drawing the map of folders: nested boxes, placed by rules of the page's one style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.report.audit_markup import Markup, join, tag
from gitverify.report.audit_model import percent
from gitverify.report.audit_style import STEPS, step
from gitverify.report.audit_treemap import treemap
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitverify.audit.model import Folder
    from gitverify.report.audit_treemap import Box


def draw_map(folders: Sequence[Folder]) -> tuple[Markup, str]:
    """Return the map, and the style rules that place its boxes."""
    boxes = treemap(folders)
    if not boxes:
        return tag("p", "No commit changes anything."), ""
    rules: list[str] = []
    drawn = tag(
        "div",
        *(_box(box, rules) for box in boxes),
        class_="map",
        role="img",
        aria_label="Map of the folders, coloured by how much of the work in them would be authentic",
    )
    return join([drawn, _key(dashed=any(box.freed for box in _all(boxes)))]), "\n".join(rules) + "\n"


def _box(box: Box, rules: list[str]) -> Markup:
    identity = f"b{len(rules)}"
    rules.append(
        f"#{identity} {{ left: {box.left:.3f}%; top: {box.top:.3f}%; "
        f"width: {box.width:.3f}%; height: {box.height:.3f}%; }}"
    )
    share = percent(box.authentic, box.weight)
    name, title = _names(box)
    about = f": work of {box.weight:,.1f} commits, {share} authentic" + (", unprotected" if box.freed else "")
    classes = f"box {step(box.share)}" + (" free" if box.freed else "") + ("" if box.inside else " leaf")
    short = percent(box.authentic, box.weight, decimals=0)
    lines = [tag("span", name, " ", short)] if box.inside else [tag("span", name), tag("span", short)]
    content = lines[: box.lines]
    if box.inside:
        content.append(tag("div", *(_box(inner, rules) for inner in box.inside)))
    return tag("div", *content, class_=classes, id_=identity, title=title + about)


def _names(box: Box) -> tuple[bytes | str, str]:
    """Return what a box is called, in it and where the pointer rests."""
    if box.name:
        return box.name, shown(box.path)
    if box.more:
        return f"{box.more:,} more", f"{box.more:,} small folders in {shown(box.path or b'/')}"
    return "files here", f"files in {shown(box.path or b'/')}"


def _all(boxes: Sequence[Box]) -> Iterator[Box]:
    for box in boxes:
        yield box
        yield from _all(box.inside)


def _key(*, dashed: bool) -> Markup:
    width = 100 // STEPS
    steps = [tag("li", f"{width * n} to {width * (n + 1)} % authentic", class_=f"s{n}") for n in range(STEPS)]
    if dashed:
        steps.append(tag("li", "dashed: unprotected", class_="free"))
    return tag("ul", *steps, class_="key")
