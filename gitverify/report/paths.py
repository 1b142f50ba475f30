"""Many paths for people: grouped by directory and by who may change them, so much of them as a reader takes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.report.human import number
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.policies.rights import Rights

MOST_GROUPS = 24
MOST_NAMES = 8  # in one directory, where there is more than one screen of them
MOST_LINES = 40
MOST_PEOPLE = 6


class PathLine(NamedTuple):
    """A path with what is to be said of it: ``what`` stands before it, ``extra`` behind."""

    path: bytes
    what: str
    rights: Rights | None
    extra: str = ""


def path_lines(paths: Sequence[PathLine], count: int) -> list[str]:
    """Return lines that show paths; ``count`` is how many there are, with those that are not at hand."""
    groups: dict[tuple[bytes, Rights | None], list[PathLine]] = {}
    for line in paths:
        directory = line.path.rpartition(b"/")[0]
        groups.setdefault((directory, line.rights), []).append(line)
    short = len(paths) + len(groups) > MOST_LINES
    lines = []
    told = 0
    for (directory, rights), its in list(groups.items())[:MOST_GROUPS]:
        where = shown(directory + b"/") if directory else "./"
        who = f": {rights_text(rights)}" if rights is not None else ""
        lines.append(f"{where}{who}")
        here = its[:MOST_NAMES] if short else its
        width = max(len(line.what) for line in here)
        for line in here:
            name = shown(line.path.rpartition(b"/")[2])
            lines.append(f"  {line.what:<{width}}  {name}{line.extra}")
        if len(its) > len(here):
            lines.append(f"  and {number(len(its) - len(here), 'more path')}")
        told += len(its)
    if count > told:
        lines.append(f"and {number(count - told, 'more path')}")
    return lines


def rights_text(rights: Rights) -> str:
    """Say who may change a path."""
    if rights.unprotected:
        return "anyone, unprotected"
    people = names(rights.people)
    return f"the policy's editors, {people}" if rights.policy_file else people


def names(people: frozenset[str]) -> str:
    """Return a list of names; of many the first ones, and how many there are."""
    ordered = sorted(people)
    text = ", ".join(shown(name) for name in ordered[:MOST_PEOPLE])
    return f"{text} and {len(ordered) - MOST_PEOPLE} more" if len(ordered) > MOST_PEOPLE else text or "nobody"
