"""A policy, and what was found in one, as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.report.human import number
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.policies.model import Policy

FORMAT = "gitverify-policy/1"
_WIDTH = 96
_BEFORE = 60


def excerpt(data: bytes, line: int, column: int) -> list[str]:
    """Return a line of a file with a caret below its column, escaped; nothing where there is no such place."""
    lines = data.split(b"\n")
    if not 0 < line <= len(lines):
        return []
    text = lines[line - 1].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    at = max(0, min(column - 1, len(text)))
    start = max(0, at - _BEFORE)
    return [f"  {shown(text[start : start + _WIDTH], _WIDTH)}", f"  {' ' * len(shown(text[start:at], _WIDTH))}^"]


def finding_line(file: str, finding: Any) -> str:
    """Return ``FILE:LINE:COLUMN: error: …``."""
    place = f":{finding.line}:{finding.column}" if finding.line else ""
    return f"{shown(file)}{place}: {finding.severity}: {finding.message}"


def findings_json(file: str, dialect: str, verdict: str, findings: Sequence[Any]) -> str:
    """Return one object."""
    listed = [
        {"severity": f.severity, "code": f.code, "line": f.line, "column": f.column, "message": f.message}
        for f in findings
    ]
    return json.dumps({"format": FORMAT, "file": file, "dialect": dialect, "verdict": verdict, "findings": listed})


def summary(policy: Policy) -> str:
    """Count what a policy has."""
    keys = sum(len(person.keys) for person in policy.people.values())
    people, grants = number(len(policy.people), "person", "people"), number(len(policy.grants), "grant")
    return f"{people} with {number(keys, 'key')}, {grants}, {number(len(policy.editors), 'editor')}"
