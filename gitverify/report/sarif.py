"""SARIF 2.1.0 (OASIS): what code scanning of GitHub and others, and editors, read.

A rule for each reason code, a result for each finding. A file's place is its path in the repository, percent-encoded
as RFC 3986 asks; what is wrong with no file in particular is at the policy file. Where no verdict could be reached a
result is *open*, and the run was not successful. Output is ASCII, with nothing of a commit as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_from_bytes, urlsplit

from gitverify import __version__
from gitverify.report.findings import Finding, details, findings, headline, policy_path
from gitverify.rules.hints import HINTS
from gitverify.text import legible, shown

if TYPE_CHECKING:
    from gitverify.report.model import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "gitverify/v1"

_KINDS = {"failure": ("fail", "error"), "error": ("open", "none"), "note": ("informational", "none")}
_SCP_LIKE = re.compile(r"(?:[^@/]*@)?([\w.-]+):(?!/)(.+)")


def write_sarif(report: Report) -> str:
    """Return the report as a SARIF log with one run, with a line end."""
    found = findings(report)
    codes = list(dict.fromkeys([*HINTS, *(finding.refusal.code for finding in found)]))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "gitverify",
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "invocations": [_invocation(report, found)],
        **_provenance(report),
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository's tree."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(report, finding, codes.index(finding.refusal.code)) for finding in found],
        "properties": _properties(report),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def uri(path: bytes) -> str:
    """Return a path of a tree as a relative URI reference; any bytes can be told from it."""
    return quote_from_bytes(path.lstrip(b"/"), safe="/")


def repository_uri(name: str | None) -> str | None:
    """Return where the repository is, as a URI without whatever might be a password; None where it is no URL."""
    if name is None:
        return None
    scp_like = _SCP_LIKE.fullmatch(name)
    try:
        parts = urlsplit(f"ssh://{scp_like[1]}/{scp_like[2]}" if scp_like and "://" not in name else name)
        if parts.scheme not in {"http", "https", "ssh", "git"} or not re.fullmatch(
            r"[\w.-]+", parts.hostname or "", re.ASCII
        ):
            return None
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:  # a port or an address that is none
        return None
    path = quote(parts.path.encode("utf-8", "surrogateescape"), safe="/%~")
    return f"{parts.scheme}://{parts.hostname}{port}{path}"


def _rule(code: str) -> dict[str, Any]:
    hint = HINTS.get(code, "The message says what to do.")
    return {
        "id": code,
        "shortDescription": {"text": code.replace("-", " ")},
        "fullDescription": {"text": hint},
        "help": {"text": f"{hint} docs/reasons.md of gitverify has the whole of it."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(report: Report, finding: Finding, index: int) -> dict[str, Any]:
    refusal = finding.refusal
    kind, level = _KINDS[finding.severity]
    text = "\n".join(f"{label}: {what}" for label, what in details(report, finding))
    path = uri(refusal.path or b"") or uri(policy_path(report))
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1}}
    }
    if refusal.commit:
        location["logicalLocations"] = [{"name": refusal.commit.hex(), "kind": "commit"}]
    properties = {"rule": refusal.rule, "commit": refusal.commit.hex() or None, "routes": list(finding.routes)}
    return {
        "ruleId": refusal.code,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "locations": [location],
        # The second is the one name that GitHub looks at; without it all that is wrong at one file would be one alert.
        "partialFingerprints": {
            FINGERPRINT: finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint[:16]}:1",
        },
        "properties": properties,
    }


def _invocation(report: Report, found: list[Finding]) -> dict[str, Any]:
    """Describe how the run ended: one without a verdict was not successful."""
    said = [
        {
            "level": "error",
            "message": {"text": legible(finding.refusal.message)},
            "descriptor": {"id": finding.refusal.code},
        }
        for finding in found
        if finding.severity == "error"
    ]
    about = "toolConfigurationNotifications" if report.verdict == "error" else "toolExecutionNotifications"
    return {
        "executionSuccessful": report.verdict in {"authentic", "refused"},
        "exitCode": report.exit_status,
        "exitCodeDescription": report.verdict,
        **({about: said} if said else {}),
    }


def _provenance(report: Report) -> dict[str, Any]:
    where = repository_uri(report.repository)
    if where is None or report.outcome is None:
        return {}
    details_of: dict[str, Any] = {"repositoryUri": where, "revisionId": report.outcome.tip.hex()}
    if report.ref is not None:
        details_of["branch"] = shown(report.ref)
    return {"versionControlProvenance": [{**details_of, "mappedTo": {"uriBaseId": "%SRCROOT%"}}]}


def _properties(report: Report) -> dict[str, Any]:
    outcome = report.outcome
    return {
        "summary": headline(report),
        "verdict": report.verdict,
        "reason": report.reason,
        "tip": outcome.tip.hex() if outcome is not None else None,
        "introduction": outcome.introduction.hex() if outcome is not None else None,
        **({"tag": shown(report.tag.name)} if report.tag is not None else {}),
        **({"base": report.base.hex()} if report.base is not None else {}),
        **(
            {
                "routes": [
                    {
                        "name": route.name,
                        "verdict": route.verdict,
                        "required": route.required,
                        "codes": list(dict.fromkeys(refusal.code for refusal in route.refusals)),
                        "remedies": [legible(remedy) for remedy in route.remedies],
                    }
                    for route in report.routes
                ]
            }
            if report.routes
            else {}
        ),
    }
