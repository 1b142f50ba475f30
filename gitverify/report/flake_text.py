"""A lock gate's report for people; everything from the lock and the histories goes through ``shown``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gitverify.report.human import WIDTH, day, number
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.report.flake_model import InputReport, LockReport
    from gitverify.rules.facts import Refusal

_WORDS = {"authentic": "authentic", "refused": "not authentic", "undecided": "cannot decide", "error": "error"}
_NOT_ASKED = "not asked"


def write_flake_text(report: LockReport) -> str:
    """Return the report as lines of text."""
    judged = sum(each.verdict is not None for each in report.inputs)
    lines = [f"{_WORDS[report.verdict]}: {judged} of {number(len(report.inputs), 'input')} judged"]
    if report.base is not None:
        lines.append(f"  compared with {shown(report.base)}")
    for refusal in report.refusals:
        lines += _refusal(refusal, "  ")
    for each in report.inputs:
        lines += _input(each)
    for note in report.notes:
        lines += _filled("note: ", note)
    return "".join(line + "\n" for line in lines)


def _input(each: InputReport) -> list[str]:
    word = _WORDS[each.verdict] if each.verdict is not None else _NOT_ASKED
    rev = each.rev.hex()[:12] if each.rev is not None else "no commit"
    subject = f" “{shown(each.line.subject, 60)}” of {day(each.line.date)}" if each.line is not None else ""
    lines = [f"  {shown(each.name)}: {word}: {shown(each.kind, 20)} {rev}{subject}"]
    for refusal in each.refusals:
        lines += _refusal(refusal, "    ")
    if each.verdict == "authentic":
        since = f"since the introduction {each.introduction.hex()[:12]}" if each.introduction is not None else ""
        lines.append(f"    {number(each.checked, 'commit')} verified {since}, hash as of its {each.form} tree")
        if each.previous is not None and each.previous != each.rev:
            lines.append(f"    descends from {each.previous.hex()[:12]}, which was locked before")
    for note in each.notes:
        lines += _filled("    note: ", note)
    return lines


def _refusal(refusal: Refusal, indent: str) -> list[str]:
    lines = [f"{indent}{refusal.code} ({refusal.rule})"]
    if refusal.commit:
        lines.append(f"{indent}  commit   {refusal.commit.hex()}")
    if refusal.path is not None:
        lines.append(f"{indent}  path     {shown(refusal.path)}")
    lines += _filled(f"{indent}  why      ", refusal.message)
    return lines + (_filled(f"{indent}  do       ", refusal.hint) if refusal.hint else [])


def _filled(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
