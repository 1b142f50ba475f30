"""GitHub Actions: workflow commands for the log, which become annotations, and Markdown for the step summary.

The runner takes every line of a step's output for a command that begins, after blanks, with ``::``, or has ``##[``
anywhere. So every line here begins with words of ours, and what came from elsewhere is escaped: ``%``, line ends,
and in properties ``:`` and ``,``. It also shows only ten errors of a step, takes messages of 64 KiB at most and
summaries of 1 MiB: there is less here, and the last line says what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.report.findings import WORDS, Finding, details, findings, headline, named
from gitverify.text import commandless, legible, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitverify.report.model import Report, Route

MOST_ANNOTATIONS = 10
MESSAGE_LENGTH = 4000  # characters: at most 16,000 bytes
SUMMARY_SIZE = 1_000_000  # bytes; GitHub takes 1 MiB of a step, and drops all of it where it is more
MOST_CODES = 5
CUT = 500  # characters of a cell

ALL_OF_THEM = "gitverify with --format json has them all"


def write_github(report: Report) -> str:
    """Return lines for a step's output: the verdict, a command for each finding, up to ten, and how many are left."""
    found = findings(report)
    first = [each for each in found if not _follows(each)]
    room = MOST_ANNOTATIONS if len(found) == len(first) <= MOST_ANNOTATIONS else MOST_ANNOTATIONS - 1
    annotations = [_annotation(report, finding) for finding in first[:room]]
    left = len(found) - len(annotations)
    if left:
        annotations.append(f"::{_level(found)} title=gitverify::{data(f'{left:,} more: {ALL_OF_THEM}')}")
    lines = [commandless(f"gitverify: {headline(report)}"), *map(_route_line, report.routes), *annotations]
    return "".join(line + "\n" for line in lines)


def data(text: str) -> str:
    """Escape one line of text as a command's message."""
    return commandless(legible(text, MESSAGE_LENGTH)).replace("%", "%25")


def attribute(text: str) -> str:
    """Escape one line of text as the value of a command's property."""
    return commandless(legible(text, 250)).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def _follows(finding: Finding) -> bool:
    """Whether nothing is wrong with it but a parent: not worth one of ten places."""
    return finding.refusal.code == "parent-not-authentic" and finding.refusal.rule != "R20"


def _level(found: Iterable[Finding]) -> str:
    return "warning" if all(finding.severity == "note" for finding in found) else "error"


def _annotation(report: Report, finding: Finding) -> str:
    refusal = finding.refusal
    properties = [f"title={attribute(_title(finding))}"]
    # A file is where GitHub shows it beside the change; not for a directory, nor for a name that is not what it seems.
    if refusal.path and shown(refusal.path) == refusal.path.decode("utf-8", "replace") and refusal.path[-1:] != b"/":
        properties.append(f"file={attribute(shown(refusal.path))}")
    lines = [data(f"{label}: {what}") for label, what in details(report, finding)]
    return f"::{_level([finding])} {','.join(properties)}::{'%0A'.join(lines)}"


def _title(finding: Finding) -> str:
    about = f" in {finding.refusal.commit.hex()[:12]}" if finding.refusal.commit else ""
    rule = f" ({finding.refusal.rule})" if finding.refusal.rule else ""
    return f"gitverify: {finding.refusal.code}{rule}{about}"


def _route_line(route: Route) -> str:
    must = "" if route.required else ", not required"
    codes = _codes(route)
    return commandless(f"gitverify: {route.name}: {WORDS[route.verdict]}{f' ({codes})' if codes else ''}{must}")


def _codes(route: Route) -> str:
    codes = list(dict.fromkeys(refusal.code for refusal in route.refusals))
    return ", ".join([*codes[:MOST_CODES], *(["…"] if len(codes) > MOST_CODES else [])])


# --- the step summary --------------------------------------------------------------------------------------------


def write_summary(report: Report) -> str:
    """Return Markdown: the verdict, the routes, a row for each finding as far as there is room, and what is left out.

    What came from elsewhere stands in ``<code>``, where GitHub links no name, number or address, and each of its
    characters that could mean something to Markdown or HTML is written as a reference.
    """
    found = findings(report)
    lines = [f"### gitverify: {WORDS[report.verdict]}", "", quoted(headline(report)), ""]
    if report.routes:
        lines += _table(["way in", "verdict", "reasons", "what would help"], map(_route_row, report.routes))
    for note in report.notes[:20]:
        lines += [quoted(note, 2000), ""]
    if found:
        lines += _findings_table(report, found, sum(len(line.encode()) + 1 for line in lines))
    return "".join(line + "\n" for line in lines)


def quoted(text: str, limit: int = CUT) -> str:
    """Return one line of text as HTML that shows just that."""
    return f"<code>{''.join(_reference(character) for character in legible(text, limit))}</code>"


def _reference(character: str) -> str:
    plain = character == " " or (character.isalnum() and character.isascii()) or ord(character) > 0x7F
    return character if plain else f"&#{ord(character)};"


def _route_row(route: Route) -> list[str]:
    must = "" if route.required else " (not required)"
    remedies = [quoted(remedy) for remedy in route.remedies[:10]]
    return [quoted(route.name), WORDS[route.verdict] + must, quoted(_codes(route)), "<br>".join(remedies)]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(titles), _row(["---"] * len(titles))]
    return [*lines, *(_row(row) for row in rows), ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _findings_table(report: Report, found: Sequence[Finding], used: int) -> list[str]:
    lines = _table(["reason", "commit", "why and what to do"], [])[:-1]
    room = SUMMARY_SIZE - used
    shown_rows = 0
    for finding in found:
        row = _finding_row(report, finding)
        room -= len(row.encode()) + 1
        if room < 0:
            break
        lines.append(row)
        shown_rows += 1
    left = len(found) - shown_rows
    return [*lines, ""] if not left else [*lines, "", f"{left:,} more: {ALL_OF_THEM}."]


def _finding_row(report: Report, finding: Finding) -> str:
    refusal = finding.refusal
    cells = [f"{label}: {what}" for label, what in details(report, finding) if label != "commit"]
    commit = quoted(named(report, refusal.commit, 12)) if refusal.commit else ""
    rule = f" ({refusal.rule})" if refusal.rule else ""
    return _row([quoted(refusal.code + rule), commit, "<br>".join(quoted(cell) for cell in cells)])
