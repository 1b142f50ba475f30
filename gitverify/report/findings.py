"""What a report says that other programs list: one finding for each thing that is wrong, however often it was met.

A gate meets the same refusal on several routes; an accepted older commit leaves refusals behind that stop nothing.
The writers for forges show findings, and so agree on what there is. Every text made here is one line that is safe to
print: see :mod:`gitverify.text`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitverify.rules.facts import Refusal
from gitverify.text import legible, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.report.model import Report, Route

Severity = Literal["failure", "error", "note"]

WORDS = {"authentic": "authentic", "refused": "not authentic", "undecided": "cannot decide", "error": "error"}

DEFAULT_POLICY = b".gitverify.yaml"
PATH_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """A refusal to list. ``routes``: on which ways in it was met, in the gate's order.

    ``severity``: failure (not authentic), error (no verdict could be reached) or note (it stops nothing).
    """

    refusal: Refusal
    severity: Severity
    routes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hex digits that stay the same for the same thing: independent of words, order and routes."""
        return hashlib.sha256(b"\0".join(_identity(self.refusal))).hexdigest()


def findings(report: Report) -> list[Finding]:
    """Return what is wrong, each thing once. Never empty unless the verdict is *authentic*."""
    found = _of_routes(report) if report.routes else []
    if not any(finding.severity != "note" for finding in found):
        found = [*_each(report.refusals, severity(report.verdict)), *found]
    if not found and report.verdict != "authentic":
        found = [Finding(Refusal(b"", "", report.reason or report.verdict, headline(report)), severity(report.verdict))]
    return found


def severity(verdict: str) -> Severity:
    """Return what a refusal counts for under a verdict; with *authentic* it was left behind (R27)."""
    return {"authentic": "note", "refused": "failure"}.get(verdict, "error")  # type: ignore[return-value]


def required(report: Report) -> tuple[Route, ...]:
    """Return the routes on which the exit status hangs."""
    return tuple(route for route in report.routes if route.required)


def headline(report: Report) -> str:
    """Return the verdict in a line: ``not authentic: <id> “subject”``, of a tag ``authentic: tag v1: <id> …``."""
    word = WORDS[report.verdict]
    if report.tag is not None:
        word += f": tag {shown(report.tag.name)}"
    if report.outcome is None:
        return f"{word}: {report.reason}" if report.reason else word
    tip = named(report, report.outcome.tip)
    return f"{word}: {tip} on top of {report.base.hex()[:12]}" if report.base is not None else f"{word}: {tip}"


def named(report: Report, commit: bytes, length: int = 40) -> str:
    """Return a commit's id, with its subject where that is known."""
    line = report.lines.get(commit)
    text = f" “{shown(line.subject, 80)}”" if line is not None else ""
    return commit.hex()[:length] + text


def details(report: Report, finding: Finding) -> list[tuple[str, str]]:
    """Return what there is to say, as pairs of label and text, most important first."""
    refusal = finding.refusal
    pairs = [("why", legible(refusal.message))]
    if refusal.hint:
        pairs.append(("do", legible(refusal.hint)))
    if refusal.commit:
        pairs.append(("commit", named(report, refusal.commit)))
        line = report.lines.get(refusal.commit)
        if line is not None:
            pairs.append(("author", shown(_without_time(line.author))))
    if refusal.path is not None:
        pairs.append(("path", shown(refusal.path, PATH_LENGTH)))
    if refusal.person is not None:
        pairs.append(("person", shown(refusal.person)))
    if refusal.key is not None:
        pairs.append(("key", shown(refusal.key)))
    if refusal.judged_by is not None:
        pairs.append(("policy", f"{shown(policy_path(report))} as of {named(report, refusal.judged_by, 12)}"))
    if finding.routes:
        pairs.append(("routes", ", ".join(finding.routes)))
    return pairs


def policy_path(report: Report) -> bytes:
    """Return where the policy file is, or would be."""
    return (report.outcome.policy_path if report.outcome is not None else None) or DEFAULT_POLICY


def _of_routes(report: Report) -> list[Finding]:
    """Collect the required routes' refusals; another's are for the table of routes, not for a list of what is wrong."""
    met: dict[tuple[bytes, ...], Finding] = {}
    for route in required(report):
        if route.verdict == "authentic":
            continue
        for refusal in route.refusals:
            before = met.get(_identity(refusal))
            routes = (*before.routes, route.name) if before is not None else (route.name,)
            counts = severity(route.verdict) if before is None or before.severity == "error" else before.severity
            met[_identity(refusal)] = Finding(before.refusal if before is not None else refusal, counts, routes)
    return list(met.values())


def _each(refusals: Iterable[Refusal], counts: Severity) -> list[Finding]:
    """One finding for each refusal that differs in more than its words."""
    return list({_identity(refusal): Finding(refusal, counts) for refusal in refusals}.values())


def _without_time(author: bytes) -> bytes:
    return author.rpartition(b">")[0] + b">" if b">" in author else author


def _identity(refusal: Refusal) -> tuple[bytes, ...]:
    path = b"" if refusal.path is None else b"/" + refusal.path
    return refusal.code.encode(), refusal.rule.encode(), refusal.commit, path
