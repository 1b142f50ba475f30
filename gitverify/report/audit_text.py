"""An audit for people, as text. Everything that comes from the repository goes through ``gitverify.text.shown``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gitverify.report.audit_model import MERGES, MOST_REASONS, percent, rows
from gitverify.report.human import WIDTH, day, number
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitverify.audit.model import Audit, Counts, Stranger
    from gitverify.report.audit_model import AuditReport

MOST_FOLDERS = 30
MOST_PEOPLE = 20
MOST_KEYS = 12
MOST_AUTHORS = 10

_COUNTS = ("commits", "authentic", "listed", "unlisted", "unsigned")


def write_audit_text(report: AuditReport) -> str:
    """Return the audit as lines of text."""
    parts = [
        _head(report),
        _coverage(report.audit),
        _reasons(report),
        _merges(report.audit),
        _folders(report.audit),
        _suggestions(report.audit),
        _people(report.audit),
        _keys(report.audit),
        _authors(report.audit),
        [line for note in report.notes for line in _note(note)],
    ]
    return "\n".join("".join(line.rstrip() + "\n" for line in part) for part in parts if part)


def _head(report: AuditReport) -> list[str]:
    audit = report.audit
    line = report.lines.get(audit.tip)
    subject = f" “{shown(line.subject, 70)}”" if line is not None else ""
    policy = (
        f"the proposed policy {shown(report.policy or '')}"
        if audit.proposed is not None
        else "the policies as they are"
    )
    lines = [f"audit      {audit.tip.hex()[:12]}{subject}"]
    since = f", since the introduction {audit.introduction.hex()[:12]}" if audit.introduction is not None else ""
    lines.append(f"commits    {audit.total.commits:,}, {day(audit.oldest)} to {day(audit.newest)}{since}")
    lines.append(f"judged by  {policy}; each commit on its own, as if its parents were authentic")
    return lines


def _coverage(audit: Audit) -> list[str]:
    total = audit.total
    parts: list[tuple[str, int, int]] = [
        ("commits", total.authentic, total.commits),
        ("changes (the paths of each commit)", *audit.changes),
        ("paths (all changes of each)", *audit.paths),
    ]
    lines = ["would be authentic"]
    lines += [f"  {percent(part, whole):>8}  {part:>9,} of {whole:>9,} {what}" for what, part, whole in parts]
    lines.append("signed")
    kinds = (
        (total.listed, "by people whom the policy lists"),
        (total.unlisted, "with other keys, or such as have no certificate here"),
        (total.unsigned, "not at all"),
        (total.void, "in a way that does not count"),
    )
    return lines + [f"  {percent(count, total.commits):>8}  {count:>9,} {what}" for count, what in kinds]


def _table(title: str, names: Sequence[str], cells: Iterable[tuple[str, Sequence[int]]], width: int) -> list[str]:
    """Return a table: a label to the left, numbers to the right."""
    lines = [f"{title:<{width}}" + "".join(f"{name:>10}" for name in names)]
    for label, numbers in cells:
        lines.append(f"  {label:<{width - 2}}" + "".join(f"{count:>10,}" for count in numbers))
    return lines


def _numbers(counts: Counts) -> list[int]:
    return [counts.commits, counts.authentic, counts.listed, counts.unlisted, counts.unsigned]


def _reasons(report: AuditReport) -> list[str]:
    reasons = report.audit.reasons
    lines = ["why the others would not be"] if reasons else []
    for reason in reasons[:MOST_REASONS]:
        line = report.lines.get(reason.example)
        subject = f" “{shown(line.subject, 34)}”" if line is not None else ""
        what = f"{reason.code} ({reason.rule})"
        lines.append(f"  {reason.commits:>8,}  {what:<28} such as {reason.example.hex()[:12]}{subject}")
    return lines


def _merges(audit: Audit) -> list[str]:
    found = [(MERGES[kind], _numbers(counts)) for kind, counts in audit.merges.items() if counts.commits]
    return _table("merges", _COUNTS, found, 46) if found else []


def _folders(audit: Audit) -> list[str]:
    cells = []
    for folder, name, depth, freed in rows(audit.folders, MOST_FOLDERS):
        label = "  " * depth + shown(name, max(30 - 2 * depth, 12)) + (" *" if freed else "")
        cells.append((label, [*_numbers(folder.counts), folder.unblocks]))
    if not cells:
        return []
    lines = _table("folders", (*_COUNTS, "unblocks"), cells, 36)
    if any(found.freed for found in rows(audit.folders, MOST_FOLDERS)):
        lines.append("  * is unprotected, with all below")
    return [*lines, "  unblocks: so many more commits would pass, if that folder alone were unprotected (too)"]


def _suggestions(audit: Audit) -> list[str]:
    lines = []
    total = audit.total.commits
    if audit.suggestions:
        lines.append("leaving unprotected would give        gained       then    gives up")
        for suggestion in audit.suggestions:
            then = percent(suggestion.authentic, total)
            files = f"{number(suggestion.files, 'file')} ({percent(suggestion.files, audit.files)})"
            lines.append(f"  {shown(suggestion.prefix, 30):<32} {suggestion.gained:>+9,} {then:>10}    {files}")
    if audit.mergeable:
        lines.append(f"“unsigned_merges: true” would give {audit.mergeable:>+11,} merges")
    return lines


def _people(audit: Audit) -> list[str]:
    lines = ["people                                commits  authentic"] if audit.people else []
    for person in audit.people[:MOST_PEOPLE]:
        lines.append(f"  {shown(person.name, 32):<34} {person.commits:>8,} {person.authentic:>10,}")
        lines += [f"      {use.key}  {use.commits:,}, last {day(use.last)}" for use in person.keys]
    return lines + _more(len(audit.people), MOST_PEOPLE)


def _keys(audit: Audit) -> list[str]:
    lines = ["other keys"] if audit.strangers else []
    for stranger in audit.strangers[:MOST_KEYS]:
        use = stranger.use
        checked = "" if stranger.proven else ", by name only"
        lines.append(f"  {use.commits:>8,}  {use.key}")
        lines.append(f"            {_whose(stranger)}, last {day(use.last)}{checked}")
        if stranger.would_sign and not stranger.forge:
            lines.append(
                f"            {number(stranger.would_sign, 'commit is', 'commits are')} refused for want of it"
            )
    return lines + _more(len(audit.strangers), MOST_KEYS)


def _whose(stranger: Stranger) -> str:
    if stranger.listed is not None:
        return f"listed for {shown(stranger.listed)}: its certificate is missing"
    return f"{stranger.forge}: never list it" if stranger.forge else f"“{shown(stranger.author, 50)}”"


def _authors(audit: Audit) -> list[str]:
    cells = [(shown(author.identity, 41), _numbers(author.counts)) for author in audit.authors[:MOST_AUTHORS]]
    if not cells:
        return []
    return _table("authors, as commits have it", _COUNTS, cells, 46) + _more(len(audit.authors), MOST_AUTHORS)


def _note(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="note: ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _more(count: int, most: int) -> list[str]:
    return [f"  and {count - most:,} more: --format json"] if count > most else []
