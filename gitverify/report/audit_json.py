"""An audit for programs: one JSON object. Its fields are described in ``docs/adoption.md``.

The schema is ``audit.schema.json`` beside this file; ``format`` is raised with every change that breaks readers.
Everything outside ASCII is written as an escape, so no byte of a commit reaches a terminal as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.audit.model import Audit, Counts, KeyUse, Part, Person, Stranger
    from gitverify.report.audit_model import AuditReport

FORMAT = "gitverify-audit/1"

MOST_FOLDERS = 2000
MOST_KEYS = 200
MOST_AUTHORS = 200
_LONG = 4096


def write_audit_json(report: AuditReport) -> str:
    """Return the audit as one JSON object with a line end."""
    audit = report.audit
    found = {
        "format": FORMAT,
        "tip": audit.tip.hex(),
        "introduction": audit.introduction.hex() if audit.introduction is not None else None,
        "policy": _policy(report),
        "policy_path": shown(audit.policy_path, _LONG),
        "newest": audit.newest,
        "oldest": audit.oldest,
        "coverage": {
            "commits": {"authentic": audit.total.authentic, "total": audit.total.commits},
            "changes": _part(audit.changes),
            "paths": _part(audit.paths),
        },
        "signed": {name: count for name, count in _counts(audit.total).items() if name not in {"commits", "authentic"}},
        "reasons": [
            {"code": r.code, "rule": r.rule, "commits": r.commits, "example": r.example.hex()} for r in audit.reasons
        ],
        "merges": {str(kind): _counts(counts) for kind, counts in audit.merges.items()},
        "folders": _folders(audit),
        "people": [_person(person) for person in audit.people],
        "keys": [_stranger(stranger) for stranger in audit.strangers[:MOST_KEYS]],
        "authors": [{"author": shown(a.identity, _LONG), **_counts(a.counts)} for a in audit.authors[:MOST_AUTHORS]],
        "suggestions": {
            "unprotected": [
                {"prefix": shown(s.prefix, _LONG), "gained": s.gained, "authentic": s.authentic, "files": s.files}
                for s in audit.suggestions
            ],
            "unsigned_merges": audit.mergeable,
        },
        "files": audit.files,
        "immeasurable": audit.immeasurable,
        "notes": report.notes,
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(found, indent=2) + "\n"


def _policy(report: AuditReport) -> dict[str, Any] | None:
    policy = report.audit.proposed
    if policy is None:
        return None
    return {
        "file": shown(report.policy or "", _LONG),
        "people": len(policy.people),
        "unprotected": [shown(str(prefix), _LONG) for prefix in policy.unprotected],
        "unsigned_merges": policy.unsigned_merges,
    }


def _part(part: Part) -> dict[str, int]:
    return {"authentic": part.part, "total": part.whole}


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "commits": counts.commits,
        "authentic": counts.authentic,
        "listed": counts.listed,
        "unlisted": counts.unlisted,
        "unsigned": counts.unsigned,
        "void": counts.void,
    }


def _folders(audit: Audit) -> list[dict[str, Any]]:
    chosen = sorted(audit.folders, key=lambda folder: (-folder.counts.commits, folder.path))[:MOST_FOLDERS]
    return [
        {
            "path": shown(folder.path or b"/", _LONG),
            **_counts(folder.counts),
            "unblocks": folder.unblocks,
            "weight": round(folder.weight, 3),
            "authentic_weight": round(folder.authentic_weight, 3),
            "files": folder.files,
            "unprotected": folder.unprotected,
        }
        for folder in sorted(chosen, key=lambda folder: folder.path)
    ]


def _person(person: Person) -> dict[str, Any]:
    return {
        "name": shown(person.name, _LONG),
        "commits": person.commits,
        "authentic": person.authentic,
        "keys": [_use(use) for use in person.keys],
    }


def _use(use: KeyUse) -> dict[str, Any]:
    return {"key": use.key, "commits": use.commits, "last": use.last}


def _stranger(stranger: Stranger) -> dict[str, Any]:
    return {
        **_use(stranger.use),
        "proven": stranger.proven,
        "would_sign": stranger.would_sign,
        "author": shown(stranger.author, _LONG),
        "example": stranger.example.hex(),
        "line": stranger.line,
        "forge": stranger.forge,
        "listed": shown(stranger.listed, _LONG) if stranger.listed is not None else None,
    }
