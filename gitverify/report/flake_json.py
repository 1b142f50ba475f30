"""A lock gate's report for programs: one JSON object, described in ``docs/nix.md``.

``format`` is raised with every change that breaks readers. Everything outside ASCII is written as an escape.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.report.json import refusal_fields
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.report.flake_model import InputReport, LockReport

FORMAT = "gitverify-flake/1"


def write_flake_json(report: LockReport) -> str:
    """Return the report as one JSON object with a line end."""
    found = {
        "format": FORMAT,
        "verdict": report.verdict,
        "reason": report.reason,
        "base": shown(report.base) if report.base is not None else None,
        "inputs": [_input(each) for each in report.inputs],
        "refusals": [refusal_fields(refusal) for refusal in report.refusals],
        "notes": report.notes,
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(found, indent=2) + "\n"


def _input(each: InputReport) -> dict[str, Any]:
    return {
        "name": shown(each.name, 4096),
        "type": shown(each.kind),
        "rev": _id(each.rev),
        "verdict": each.verdict,
        "reason": each.refusals[0].code if each.refusals else None,
        "introduction": _id(each.introduction),
        "previous": _id(each.previous),
        "form": each.form,
        "checked": each.checked,
        "refusals": [refusal_fields(refusal) for refusal in each.refusals],
        "notes": each.notes,
    }


def _id(raw: bytes | None) -> str | None:
    return raw.hex() if raw is not None else None
