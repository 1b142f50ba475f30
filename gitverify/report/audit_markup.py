"""Writing HTML without a way to forget escaping: whatever is no Markup becomes text.

Bytes are what somebody else wrote. They are shown as everywhere (:func:`gitverify.text.shown`), and isolated, so that
a name in another direction of writing does not reorder what stands beside it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VOID = frozenset({"meta"})


class Markup(str):
    """HTML that was made by the functions of this module."""

    __slots__ = ()


def text(content: Markup | str | bytes | int) -> Markup:
    """Return content as HTML; numbers are grouped."""
    if isinstance(content, Markup):
        return content
    if isinstance(content, bytes):
        return Markup(f'<bdi dir="ltr">{escape(shown(content))}</bdi>')
    return Markup(escape(content if isinstance(content, str) else f"{content:,}"))


def join(parts: Iterable[Markup | str | bytes | int]) -> Markup:
    """Return parts, one after the other."""
    return Markup("".join(map(text, parts)))


def tag(name: str, *content: Markup | str | bytes | int, **attributes: str | bytes | bool | None) -> Markup:
    """Return an element. ``class_`` is the attribute class; ``aria_label`` aria-label; None and False leave one out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID and not content:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def _attribute(key: str, value: str | bytes | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{escape(shown(value) if isinstance(value, bytes) else value)}"'


def table(
    caption: str,
    names: Sequence[str],
    lines: Iterable[Markup],
    *,
    note: str | None = None,
    left: Sequence[int] = (),
) -> Markup:
    """Return a table that can be scrolled; ``lines`` are its rows, ``left`` the columns that hold no numbers."""
    heads = [tag("th", name, scope="col", class_="left" if at in left else None) for at, name in enumerate(names)]
    made = tag("table", tag("caption", caption), tag("thead", tag("tr", *heads)), tag("tbody", *lines))
    region = tag("div", made, class_="wide", tabindex="0", role="region", aria_label=caption)
    return region if note is None else join([region, tag("p", note, class_="note")])


def row(label: Markup | str | bytes, *cells: Markup | str | bytes | int, class_: str | None = None) -> Markup:
    """Return a row of a table: its heading, and cells; what is no Markup is set to the right, as numbers are."""
    made = [tag("td", cell, class_="left" if isinstance(cell, Markup) else "n") for cell in cells]
    return tag("tr", tag("th", label, scope="row"), *made, class_=class_)
