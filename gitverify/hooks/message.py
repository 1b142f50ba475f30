"""What somebody who pushes, fetches or pulls sees of a refusal: ten lines at most, and what to do.

Git puts ``remote: `` before each line of a server's hook, so 72 columns are left of 80.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gitverify.report.human import day
from gitverify.rules.hints import HINTS
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.hooks.judge import Refused
    from gitverify.rules.facts import Refusal

WIDTH = 72
MOST_LINES = 10

# What the report's own hint tells somebody who verifies, where somebody who pushes needs something else.
FOR_PUSHERS = {
    "behind": "Fetch, and push on top of what is there. If it must go back, ask who runs the repository.",
    "introduction-not-configured": "In that repository: gitverify trust COMMIT --signer KEY",
    "introduction-missing": "The push must bring that commit along, or gitverify.introduction is wrong there.",
    "missing-object": "Push from a whole clone: git fetch --unshallow, or --refetch in a partial clone.",
    "rollback": "Fetch, and push on top of what is there. If it must go back, ask who runs the repository.",
    "tag-aside": "Push the branch that has the tagged commit first, then the tag.",
    "tag-name": "Push it under the name that it calls itself.",
    "unsigned": "Someone listed signs it (git commit --amend -S), or vouches for the branch: gitverify adopt",
}


def refusal_lines(refused: Refused, ending: str) -> list[str]:
    """Return the lines that show a refusal; ``ending`` says what became of it all."""
    report = refused.report
    refusal = report.refusals[0]
    word = {"undecided": "cannot judge", "error": "cannot judge"}.get(report.verdict, "refused")
    lines = _cut(f"gitverify: {word} ", shown(refused.reference, 150), 2)
    lines.append(f"  {refusal.code} ({refusal.rule})")
    lines += _about(refused, refusal)
    room = MOST_LINES - len(lines) - 1
    general = refusal.hint in {"", HINTS.get(refusal.code)}
    hint = FOR_PUSHERS.get(refusal.code, refusal.hint) if general else refusal.hint
    do = _cut("  do      ", refused.advice or hint, min(3, room - 1))
    return [*lines, *_cut("  why     ", refusal.message, room - len(do)), *do, *_cut("", ending, 1)]


def problem_lines(message: str, ending: str) -> list[str]:
    """Return the lines that show why nothing could be asked."""
    return [*_cut("gitverify: ", message, MOST_LINES - 2), *_cut("", ending, 2)]


def _about(refused: Refused, refusal: Refusal) -> Sequence[str]:
    """Describe the commit at fault, in three lines at most."""
    if not refusal.commit:
        return []
    tag = refused.report.tag
    label = "tag   " if tag is not None and tag.id == refusal.commit else "commit"
    lines = [f"  {label}  {refusal.commit.hex()}"]
    line = refused.report.lines.get(refusal.commit)
    if line is not None:
        author = line.author.rpartition(b">")[0] + b">" if b">" in line.author else line.author
        lines += _cut("          ", f"“{shown(line.subject, 60)}” of {day(line.date)}, {shown(author, 80)}", 1)
    if refusal.path is not None:
        lines += _cut("  path    ", shown(refusal.path), 1)
    elif refusal.key is not None:
        lines += _cut("  key     ", refusal.key, 1)
    return lines


def _cut(first: str, text: str, most: int) -> list[str]:
    """Break text into at most so many lines below each other."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * min(len(first), 10),
        max_lines=most,
        placeholder=" …",
        break_on_hyphens=False,
    )
