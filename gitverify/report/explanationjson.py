"""``explain --format json``: what the verdict on one commit rests on, for programs. docs/json.md has the fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitverify.rules.facts import Authorized
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.explain import ChangedPath, Contribution, Explanation, Merge
    from gitverify.report.model import Report
    from gitverify.rules.authority import Parent
    from gitverify.rules.facts import Examined

FORMAT = "gitverify-explain/1"


def write_explanation_json(report: Report, explanation: Explanation) -> str:
    """Return the explanation as one JSON object with a line end."""
    facts, decision = explanation.facts, explanation.decision
    vouchers = decision.vouchers if isinstance(decision, Authorized) else ()
    refusal = None if isinstance(decision, Authorized) else decision
    value = {
        "format": FORMAT,
        "commit": facts.id.hex(),
        "verdict": report.verdict,
        "rule": decision.rule,
        "code": refusal.code if refusal else None,
        "message": refusal.message if refusal else None,
        "hint": refusal.hint if refusal else None,
        "people": sorted({voucher.person for voucher in vouchers}),
        "standing": explanation.standing.value,
        "signature": _signature(facts.examined),
        "parents": [_parent(parent, explanation) for parent in explanation.parents],
        "merge": _merge(explanation.merge) if explanation.merge else None,
        "contribution": _contribution(explanation.contribution) if explanation.contribution else None,
    }
    return json.dumps(value, indent=2) + "\n"


def _signature(examined: Examined) -> dict[str, Any]:
    problem = examined.unproven
    if examined.malformed is not None:
        return {"key": None, "names": [], "problem": examined.malformed[0]}
    return {
        "key": examined.key or None,
        "names": list(problem.keys) if problem else [],
        "problem": problem.code if problem else None,
    }


def _parent(parent: Parent, explanation: Explanation) -> dict[str, Any]:
    return {
        "commit": parent.id.hex(),
        "authentic": parent.authentic,
        "dropped": parent.id in explanation.dropped,
        "binding": parent.id in explanation.binding,
        "policy": parent.judge.hex() if parent.authentic else None,
        "policy_file_changed": parent.entry != explanation.facts.examined.entry if parent.authentic else None,
    }


def _merge(merge: Merge) -> dict[str, Any]:
    return {
        "bases": [base.hex() for base in merge.bases],
        "governing": [parent.hex() for parent in merge.governing],
        "why": merge.why,
        "sides": [
            {
                "parent": side.parent.hex(),
                "other": side.other.hex(),
                "commits": side.commits,
                "not_allowed": side.stranger.hex() if side.stranger is not None else None,
                "not_covered": shown(side.uncovered, 4096) if side.uncovered is not None else None,
            }
            for side in merge.sides
        ],
    }


def _contribution(contribution: Contribution) -> dict[str, Any]:
    return {
        "since": [commit.hex() for commit in contribution.since],
        "count": contribution.count,
        "problem": contribution.problem,
        "paths": [_path(path) for path in contribution.paths],
    }


def _path(path: ChangedPath) -> dict[str, Any]:
    rights = path.rights
    return {
        "path": shown(path.path, 4096),
        "what": path.what,
        "people": sorted(rights.people) if rights is not None else [],
        "unprotected": rights is not None and rights.unprotected,
        "policy_file": rights is not None and rights.policy_file,
    }
