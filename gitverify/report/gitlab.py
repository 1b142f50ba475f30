"""GitLab's Code Quality report: a list that a merge request shows in its widget and beside the changed files.

Of the reports that GitLab reads this is the one that every edition shows and that has room for a path. The format is
a subset of Code Climate's. Output is ASCII, with nothing of a commit as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.report.findings import PATH_LENGTH, Finding, details, findings, policy_path
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.report.model import Report

_SEVERITY = {"failure": "blocker", "error": "critical", "note": "info"}


def write_gitlab(report: Report) -> str:
    """Return the report as a JSON array with a line end; empty where the verdict is *authentic*."""
    return json.dumps([_entry(report, finding) for finding in findings(report)], indent=2) + "\n"


def _entry(report: Report, finding: Finding) -> dict[str, Any]:
    refusal = finding.refusal
    path = ((refusal.path or b"").strip(b"/") or policy_path(report)).strip(b"/")
    return {
        "check_name": refusal.code,
        "description": "; ".join(f"{label}: {what}" for label, what in details(report, finding)),
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITY[finding.severity],
        "location": {"path": shown(path or b".", PATH_LENGTH), "lines": {"begin": 1}},
    }
