"""Reports for programs: ``json`` (one object) and ``jsonl`` (a line per refusal, then the summary).

The schema is ``report.schema.json`` beside this file; ``format`` is raised with every change that breaks readers.
Everything outside ASCII is written as an escape, so no byte of a commit reaches a terminal as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.export.answer import Exported
    from gitverify.report.model import Report, Route, TagLine
    from gitverify.rules.facts import Refusal
    from gitverify.worktree.model import Comparison

FORMAT = "gitverify/1"

_PATH_LENGTH = 4096


def write_json(report: Report) -> str:
    """Return the report as one JSON object with a line end."""
    return json.dumps({**_summary(report), "refusals": [refusal_fields(r) for r in report.refusals]}, indent=2) + "\n"


def write_jsonl(report: Report) -> str:
    """Return the report as lines: ``{"type": "refusal", …}`` each, then ``{"type": "summary", …}``."""
    lines: list[dict[str, Any]] = [{"format": FORMAT, "type": "refusal", **refusal_fields(r)} for r in report.refusals]
    lines.append({"type": "summary", **_summary(report)})
    return "".join(json.dumps(line) + "\n" for line in lines)


def _summary(report: Report) -> dict[str, Any]:
    outcome = report.outcome
    return {
        "format": FORMAT,
        "verdict": report.verdict,
        "reason": report.reason,
        "tip": outcome.tip.hex() if outcome is not None else None,
        "introduction": outcome.introduction.hex() if outcome is not None else None,
        "signer": report.signer,
        "ref": report.ref,
        "dialect": str(outcome.dialect) if outcome is not None and outcome.dialect is not None else None,
        "commits": {
            "checked": outcome.checked if outcome is not None else 0,
            "skipped": outcome.skipped if outcome is not None else 0,
        },
        "mark": {"before": [c.hex() for c in report.before], "after": [c.hex() for c in report.after]},
        "seconds": round(report.seconds, 3),
        **({"tag": _tag(report.tag)} if report.tag is not None else {}),
        **({"worktree": _worktree(report.comparison)} if report.comparison is not None else {}),
        **({"output": _output(report.exported)} if report.exported is not None else {}),
        **({"narHash": report.nar_hash} if report.nar_hash is not None else {}),
        **(
            {"base": report.base.hex(), "routes": [_route(r) for r in report.routes]} if report.base is not None else {}
        ),
    }


def _tag(tag: TagLine) -> dict[str, Any]:
    return {"name": shown(tag.name, _PATH_LENGTH), "id": tag.id.hex(), "person": tag.person, "key": tag.key}


def _worktree(comparison: Comparison) -> dict[str, Any]:
    return {
        "directory": shown(str(comparison.directory), _PATH_LENGTH),
        "files": comparison.files,
        "submodules": [
            {"path": shown(path, _PATH_LENGTH), "commit": commit.hex(), "checked_out": checked_out}
            for path, commit, checked_out in comparison.submodules
        ],
        "allowed": [shown(path, _PATH_LENGTH) for path in comparison.allowed],
        "converted": [shown(path, _PATH_LENGTH) for path in comparison.converted],
    }


def _output(exported: Exported) -> dict[str, Any]:
    return {
        "directory": shown(str(exported.directory), _PATH_LENGTH),
        "files": exported.files,
        "bytes": exported.size,
        "submodules": [
            {"path": shown(path, _PATH_LENGTH), "commit": commit.hex()} for path, commit in exported.submodules
        ],
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "verdict": route.verdict,
        "required": route.required,
        "refusals": [refusal_fields(refusal) for refusal in route.refusals],
        "remedies": list(route.remedies),
    }


def refusal_fields(refusal: Refusal) -> dict[str, Any]:
    """Return what the JSON reports say of a refusal."""
    return {
        "commit": refusal.commit.hex() or None,
        "rule": refusal.rule,
        "code": refusal.code,
        "message": refusal.message,
        "path": shown(refusal.path, _PATH_LENGTH) if refusal.path is not None else None,
        "key": refusal.key,
        "person": refusal.person,
        "hint": refusal.hint,
    }
