"""JUnit XML: what nearly every build server shows as a list of tests.

A case for each way in (a gate's routes), else one for each commit that was refused, else a single one that passed. A
failure is a verdict, an error is that there could be none. What stops nothing is a case that was skipped. There is no
standard; this keeps to what the readers of Jenkins, GitLab and Azure have in common: at most one child of a case says
how it ended. Output is ASCII; what XML has no way to write was escaped before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gitverify.report.findings import (
    WORDS,
    Finding,
    Severity,
    details,
    findings,
    headline,
    named,
    severity,
)
from gitverify.text import legible, shown

if TYPE_CHECKING:
    from gitverify.report.model import Report, Route
    from gitverify.rules.facts import Refusal

_COMMAND = re.compile(r"##(?=[a-z]{0,20}\[)", re.IGNORECASE)
_ELEMENTS: dict[Severity, str] = {"failure": "failure", "error": "error", "note": "skipped"}


@dataclass(slots=True)
class _Case:
    """One test. ``ended`` is None where it passed; ``body`` are lines."""

    group: str
    name: str
    ended: Severity | None = None
    code: str = ""
    message: str = ""
    body: list[str] = field(default_factory=list)


def write_junit(report: Report) -> str:
    """Return the report as an XML document with a line end."""
    cases = _cases(report)
    counted = {name: sum(case.ended == ended for case in cases) for ended, name in _COUNTS.items()}
    numbers = {"tests": str(len(cases)), **{name: str(count) for name, count in counted.items()}}
    time = f"{report.seconds:.3f}"
    root = ET.Element("testsuites", {"name": "gitverify", **_without_skipped(numbers), "time": time})
    suite = ET.SubElement(root, "testsuite", {"name": _suite_name(report), **numbers, "time": time})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for case in cases:
        _write(suite, case)
    ET.indent(root)
    text = ET.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    # Build servers take ##[ and the like for a command anywhere in a line; to XML this is the same text.
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_COMMAND.sub("#&#35;", text)}\n'


_COUNTS: dict[Severity, str] = {"failure": "failures", "error": "errors", "note": "skipped"}


def _without_skipped(numbers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in numbers.items() if name != "skipped"}  # not all readers know it up there


def _suite_name(report: Report) -> str:
    if report.tag is not None:
        return "gitverify verify-tag"
    return "gitverify check" if report.routes else "gitverify verify"


def _properties(report: Report) -> list[tuple[str, str]]:
    pairs = [("summary", headline(report)), ("verdict", report.verdict)]
    if report.base is not None:
        pairs.append(("base", report.base.hex()))
    if report.outcome is not None:
        pairs += [("tip", report.outcome.tip.hex()), ("introduction", report.outcome.introduction.hex())]
    if report.ref is not None:
        pairs.append(("ref", shown(report.ref)))
    return pairs


def _cases(report: Report) -> list[_Case]:
    cases = [_route(report, route) for route in report.routes]
    if not any(case.ended in {"failure", "error"} for case in cases):
        cases += _commits(report)
    if not cases or (report.verdict == "authentic" and not report.routes):
        cases.insert(0, _Case("gitverify.tip", headline(report)))
    return cases


def _route(report: Report, route: Route) -> _Case:
    case = _Case("gitverify.route", route.name)
    if route.verdict == "authentic":
        return case
    case.ended = severity(route.verdict) if route.required else "note"
    codes = dict.fromkeys(refusal.code for refusal in route.refusals)
    case.code = next(iter(codes), route.verdict)
    case.message = f"{WORDS[route.verdict]}: {', '.join(codes)}" if codes else WORDS[route.verdict]
    for refusal in route.refusals:
        case.body += _lines(report, Finding(refusal, case.ended))
    case.body += [f"remedy: {legible(remedy)}" for remedy in route.remedies]
    return case


def _commits(report: Report) -> list[_Case]:
    """Make a case for each commit that was refused, with all that is wrong with it."""
    cases: dict[tuple[bytes, str], _Case] = {}
    for finding in findings(report):
        refusal = finding.refusal
        case = cases.get((refusal.commit, finding.severity))
        if case is None:
            name = named(report, refusal.commit) if refusal.commit else refusal.code
            case = _Case("gitverify.commit", name, finding.severity, refusal.code, _message(refusal))
            cases[refusal.commit, finding.severity] = case
        case.body += _lines(report, finding)
    return list(cases.values())


def _message(refusal: Refusal) -> str:
    return f"{refusal.code}: {legible(refusal.message)}"


def _lines(report: Report, finding: Finding) -> list[str]:
    """Each line begins with a word of ours."""
    rule = f" ({finding.refusal.rule})" if finding.refusal.rule else ""
    return [f"{finding.refusal.code}{rule}", *(f"  {label}: {what}" for label, what in details(report, finding))]


def _write(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(suite, "testcase", {"classname": case.group, "name": case.name, "time": "0"})
    if case.ended is None:
        return
    attributes = {"message": case.message}
    if case.ended != "note":
        attributes["type"] = case.code
    ending = ET.SubElement(element, _ELEMENTS[case.ended], attributes)
    ending.text = "\n".join(["", *case.body, ""])
