"""The survivors that have their reasons: in ``survivors.txt``, a paragraph each.

    gitverify/rules/example.py function
    - what is there
    + what it was changed to
    Why that makes no difference, or none that a test should see.

Several changes may share a reason: then their lines stand above each other. ``*`` in a changed line stands for
anything.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mutants import Mutant

_FILE = Path(__file__).with_name("survivors.txt")


class Reason(NamedTuple):
    """What one reason is given for."""

    path: str
    function: str
    before: str
    after: str
    text: str

    def is_for(self, mutant: Mutant) -> bool:
        """Whether the mutant is the one that is meant."""
        if (self.path, self.function) != (mutant.path, mutant.function):
            return False
        return _alike(self.before, mutant.before) and _alike(self.after, mutant.after)


def _alike(pattern: str, text: str) -> bool:
    return fnmatchcase(text, "".join("*" if part == "*" else f"[{part}]" if part in "?[" else part for part in pattern))


def reasons(text: str | None = None) -> list[Reason]:
    """Return what is in the file."""
    text = _FILE.read_text() if text is None else text
    return [reason for paragraph in text.split("\n\n") for reason in _paragraph(paragraph.strip().splitlines())]


def _paragraph(lines: list[str]) -> Iterator[Reason]:
    if not lines or lines[0].startswith("#"):
        return
    where, changed, words = ("", ""), [], []
    for line in lines:
        mark, rest = line[:2], line[2:].strip()
        if mark == "- ":
            changed.append([where, rest, ""])
        elif mark == "+ ":
            changed[-1][2] = rest
        elif line.startswith("gitverify/"):
            path, function = line.split()
            where = path, function
        else:
            words.append(line.strip())
    if not words:
        raise SystemExit(f"no reason is given for {lines[0]}")
    for (path, function), before, after in changed:
        yield Reason(path, function, before, after, " ".join(words))
