"""The report for people: what was verified, by whom and since when, or what stopped it and what to do.

Everything that comes from the repository goes through :func:`gitverify.text.shown`.
"""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.export.answer import Exported
    from gitverify.report.model import Report, Route
    from gitverify.request import Outcome
    from gitverify.rules.facts import Refusal
    from gitverify.worktree.model import Comparison

WIDTH = 96  # fits a terminal of 100 columns also where it is quoted
MOST_PEOPLE = 12
MOST_PATHS = 20
MOST_REFUSALS = 5  # of each way in


_WORDS = {"authentic": "authentic", "refused": "not authentic", "undecided": "cannot decide", "error": "error"}


def write_human(report: Report) -> str:
    """Return the report as lines of text."""
    if report.routes:
        lines = _gate(report)
    else:
        lines = _authentic(report) if report.verdict == "authentic" else _not_authentic(report)
    for note in report.notes:
        lines += _filled("note: ", note)
    return "".join(line + "\n" for line in lines)


def day(seconds: int) -> str:
    """Return a date in UTC; a time that no calendar has as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return f"@{seconds}"


def number(count: int, word: str, words: str | None = None) -> str:
    """Return a count with its noun: ``1 commit``, ``2,177 commits``; ``words`` is a plural without a mere s."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {words or word + 's'}"


def _authentic(report: Report) -> list[str]:
    outcome = report.outcome
    if outcome is None:
        return []
    lines = [f"authentic: {_commit(report, outcome.tip)}"]
    if report.tag is not None:
        lines = [f"authentic: tag {shown(report.tag.name)} of {_commit(report, outcome.tip)}"]
        lines.append(f"  signed by {shown(report.tag.person or '')}, key {report.tag.key}")
    since = f"since the introduction {outcome.introduction.hex()[:12]} of {day(outcome.introduced_at)}"
    lines.append(f"  {number(outcome.checked, 'commit')} verified now, {outcome.skipped:,} known from before, {since}")
    if outcome.tip == outcome.introduction:
        lines.append("  the tip is the introduction itself")
    elif not outcome.checked and report.tag is None:
        lines.append("  nothing is new since the last run")
    lines += _people(outcome)
    if report.comparison is not None:
        lines += _checkout(report.comparison)
    if report.exported is not None:
        lines += _output(report.exported)
    if report.nar_hash is not None:
        lines.append(f"  narHash {report.nar_hash}")
    if report.left_out is not None:
        lines += _left_out(report, report.left_out)
    if report.after and report.after != report.before:
        lines.append(
            f"  mark: {shown(report.ref or '')} of {shown(report.repository or '')} is now at {_ids(report.after)}"
        )
    return lines


def _people(outcome: Outcome) -> list[str]:
    ranked = sorted(outcome.vouched.items(), key=lambda item: (-item[1], item[0]))
    lines = []
    if ranked:
        names = {person for person, _ in outcome.vouched}
        lines.append(f"  signed by {number(len(names), 'person', 'people')}:")
    width = max((len(shown(person)) for (person, _), _ in ranked[:MOST_PEOPLE]), default=0)
    lines += [f"    {n:>9,}  {shown(person):<{width}}  {key}" for (person, key), n in ranked[:MOST_PEOPLE]]
    if len(ranked) > MOST_PEOPLE:
        rest = sum(count for _, count in ranked[MOST_PEOPLE:])
        lines.append(f"    {rest:>9,}  by {len(ranked) - MOST_PEOPLE} more keys")
    return lines


def _checkout(comparison: Comparison) -> list[str]:
    """R28: the checkout equals the commit; what is in it beside files, and what was let pass."""
    files = number(comparison.files, "file")
    lines = [f"  the checkout in {shown(str(comparison.directory))} is just that: {files}"]
    submodules = [
        f"{shown(path)} at {commit.hex()[:12]}" if checked_out else f"{shown(path)} (not checked out)"
        for path, commit, checked_out in comparison.submodules
    ]
    lines += _listed("submodules:", submodules)
    lines += _listed("CRLF line ends, as its .gitattributes asks:", [shown(path) for path in comparison.converted])
    lines += _listed("not in the commit, and allowed:", [shown(path) for path in comparison.allowed])
    return lines


def _output(exported: Exported) -> list[str]:
    """Say what was written where, and what was not."""
    files = f"{number(exported.files, 'file')}, {number(exported.size, 'byte')}"
    submodules = [f"{shown(path)} at {commit.hex()[:12]}" for path, commit in exported.submodules]
    return [
        f"  written to {shown(str(exported.directory))}: {files}",
        *_listed("submodules, left empty:", submodules),
    ]


def _listed(title: str, items: Sequence[str]) -> list[str]:
    more = [f"and {len(items) - MOST_PATHS:,} more"] if len(items) > MOST_PATHS else []
    return [f"    {title} {', '.join([*items[:MOST_PATHS], *more])}"] if items else []


def _left_out(report: Report, tip: Outcome) -> list[str]:
    lines = [f"  left out (--newest-authentic): {_commit(report, tip.tip)}"]
    lines += [f"    {refusal.code}: {_commit(report, refusal.commit)}" for refusal in tip.refusals[:5]]
    if len(tip.refusals) > 5:
        lines.append(f"    and {number(len(tip.refusals) - 5, 'more refusal')}")
    return lines


def _not_authentic(report: Report) -> list[str]:
    word = _WORDS[report.verdict]
    # With rule R20 it is the reason itself: a merge that would adopt that parent, but may not.
    refusals = [each for each in report.refusals if each.code != "parent-not-authentic" or each.rule == "R20"]
    lines = []
    if report.outcome is not None:
        what = _commit(report, report.outcome.tip, full=True)
        if report.tag is not None:
            names_a_commit = report.outcome.tip != report.tag.id
            what = f"tag {shown(report.tag.name)}" + (f" of {what}" if names_a_commit else "")
        lines.append(f"{word}: {what}")
    if report.reason == "worktree-dirty" and report.comparison is not None:
        return lines + _dirty(report.comparison, refusals)
    for refusal in refusals:
        lines += _refusal(report, refusal, word if report.outcome is None else None)
    descendants = len(report.refusals) - len(refusals)
    if descendants:
        lines.append(f"  {number(descendants, 'more commit')} not authentic because a parent is not")
    return lines


def _dirty(comparison: Comparison, refusals: Sequence[Refusal]) -> list[str]:
    """R28: the commit is authentic, and something else is checked out."""
    lines = [f"  {refusals[0].code} ({refusals[0].rule})"]
    where = shown(str(comparison.directory))
    places = number(len(refusals), "place")
    lines += _wrapped("why", f"the commit is authentic; what is checked out in {where} is not the same, in {places}")
    for refusal in refusals[:MOST_PATHS]:
        lines += _filled(f"    {shown(refusal.path or b'')}: ", refusal.message, indent=6)
    if len(refusals) > MOST_PATHS:
        lines.append(f"    and {len(refusals) - MOST_PATHS:,} more: --format json has them all")
    return lines + _wrapped("do", refusals[0].hint)


def _refusal(report: Report, refusal: Refusal, word: str | None) -> list[str]:
    lines = [f"{word}: {refusal.code} ({refusal.rule})" if word else f"  {refusal.code} ({refusal.rule})"]
    about_tip = report.outcome is not None and refusal.commit == report.outcome.tip
    if report.tag is not None and refusal.commit == report.tag.id:
        lines.append(f"    tag      {refusal.commit.hex()}")
    elif refusal.commit and not about_tip:
        lines.append(f"    commit   {_commit(report, refusal.commit, full=True)}")
    line = report.lines.get(refusal.commit)
    if line is not None:
        lines.append(f"    author   {shown(_identity(line.author))}, committed {day(line.date)}")
    if refusal.person is not None or refusal.key is not None:
        who = f"{shown(refusal.person)}, key {refusal.key}" if refusal.person is not None else f"key {refusal.key}"
        lines.append(f"    signer   {who}")
    if refusal.path is not None:
        lines.append(f"    path     {shown(refusal.path)}")
    if refusal.judged_by is not None and refusal.code != "parent-not-authentic":
        path = report.outcome.policy_path if report.outcome is not None else None
        name = shown(path) if path is not None else "the policy file"
        lines.append(f"    policy   {name} as of {_commit(report, refusal.judged_by)}")
    lines += _wrapped("why", refusal.message)
    if refusal.hint:
        lines += _wrapped("do", refusal.hint)
    return lines


def _gate(report: Report) -> list[str]:
    """Show what would come of a branch by each way in; those that the verdict hangs on in full."""
    outcome, base = report.outcome, report.base
    if outcome is None or base is None:
        return []
    lines = [f"{_WORDS[report.verdict]}: {_commit(report, outcome.tip, full=True)}"]
    lines.append(f"  on top of {_commit(report, base)}")
    since = f"since the introduction {outcome.introduction.hex()[:12]} of {day(outcome.introduced_at)}"
    lines.append(f"  {number(outcome.checked, 'commit')} verified, {since}")
    lines += _people(outcome)
    told: set[Refusal] = set()
    for route in report.routes:
        lines += _route(report, route, told)
    return lines


def _route(report: Report, route: Route, told: set[Refusal]) -> list[str]:
    """Show a way in; what was told of another one before is not told again."""
    required = "  (required)" if route.required else ""
    lines = [f"  {route.name:<8} {_WORDS[route.verdict]}{required}"]
    refusals = [each for each in route.refusals if each.code != "parent-not-authentic" or each.rule == "R20"]
    new = [each for each in refusals if each not in told]
    most = MOST_REFUSALS if route.required else 1
    for refusal in new[:most]:
        lines += [f"  {line}" for line in _refusal(report, refusal, None)]
        told.add(refusal)
    if len(new) > most:
        lines.append(f"      and {number(len(new) - most, 'more refusal')}: --format json has them all")
    if len(new) < len(refusals):
        lines.append(f"      {number(len(refusals) - len(new), 'refusal')} as above")
    for remedy in route.remedies:
        lines += _filled(f"    {'remedy' if route.verdict == 'refused' else 'note':<8} ", remedy)
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    return _filled(f"    {label:<8} ", text)


def _filled(first: str, text: str, indent: int | None = None) -> list[str]:
    """Break text into lines below each other, or indented; commands, ids and paths stay whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * (len(first) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _identity(line: bytes) -> bytes:
    """Cut the time off an author line."""
    return line.rpartition(b">")[0] + b">" if b">" in line else line


def _commit(report: Report, commit: bytes, *, full: bool = False) -> str:
    line = report.lines.get(commit)
    text = f" “{shown(line.subject, 80)}”" if line is not None else ""
    return (commit.hex() if full else commit.hex()[:12]) + text


def _ids(commits: tuple[bytes, ...]) -> str:
    return ", ".join(commit.hex()[:12] for commit in commits)
