"""Reports of mirrors: what came of an update, and what there is; as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from gitverify.report.human import write_human
from gitverify.report.json import write_json
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitverify.report.model import CommitLine, Report

_FORMAT = "gitverify-mirror/1"
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


class UpdateLine(Protocol):
    """What came of one branch: see gitverify.mirror.update.Result."""

    branch: str
    before: bytes | None
    after: bytes | None
    report: Report


class RunLine(Protocol):
    """The last run: see gitverify.mirror.memory.Run."""

    verdict: str
    reason: str | None
    at: int
    authentic_at: int | None


class BranchLine(Protocol):
    """One branch: see gitverify.mirror.status.Branch."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def commit(self) -> bytes | None: ...  # noqa: D102
    @property
    def line(self) -> CommitLine | None: ...  # noqa: D102
    @property
    def mark(self) -> tuple[bytes, ...]: ...  # noqa: D102
    @property
    def run(self) -> RunLine | None: ...  # noqa: D102


class Kept(Protocol):
    """What a mirror remembers: see gitverify.mirror.memory.Memory."""

    url: str
    introduction: str
    signer: str | None


class StatusLines(Protocol):
    """A mirror: see gitverify.mirror.status.Status."""

    @property
    def directory(self) -> Path: ...  # noqa: D102
    @property
    def memory(self) -> Kept: ...  # noqa: D102
    @property
    def branches(self) -> Sequence[BranchLine]: ...  # noqa: D102


def update_text(directory: Path, results: Sequence[UpdateLine]) -> str:
    """Say of each branch where it is now, and why it is not further."""
    return "".join(_update(directory, result) for result in results)


def _update(directory: Path, result: UpdateLine) -> str:
    named = f"{shown(result.branch)} of {shown(str(directory))}"
    if result.report.exit_status and result.after is None:
        first = f"{named}: nothing was taken over, and there is nothing yet"
    elif result.report.exit_status and result.after is not None:
        first = f"{named}: nothing was taken over; it stays at {result.after.hex()}"
    elif result.after == result.before and result.after is not None:
        first = f"{named}: is at {result.after.hex()}, as before"
    else:
        first = f"{named}: is now at {result.after.hex() if result.after else ''}"
        first += f", from {result.before.hex()[:12]}" if result.before is not None else ""
    return f"{first}\n{write_human(result.report)}"


def update_json(directory: Path, results: Sequence[UpdateLine]) -> str:
    """Return the same as one JSON object; ``report`` is what ``gitverify verify --format json`` prints."""
    branches = [
        {
            "branch": shown(result.branch, 2000),
            "before": result.before.hex() if result.before is not None else None,
            "after": result.after.hex() if result.after is not None else None,
            "verdict": result.report.verdict,
            "reason": result.report.reason,
            "report": json.loads(write_json(result.report)),
        }
        for result in results
    ]
    return _object(directory, branches)


def status_text(status: StatusLines, now: int) -> str:
    """Show a mirror; ``now`` in seconds since 1970."""
    memory = status.memory
    lines = [f"mirror        {shown(str(status.directory))}", f"of            {shown(memory.url)}"]
    signed = f", signed by {shown(memory.signer)}" if memory.signer else ""
    lines.append(f"introduction  {shown(memory.introduction)}{signed}")
    for branch in status.branches:
        lines.append(f"branch        {shown(branch.name)}")
        if branch.commit is None:
            lines.append("  verified    nothing yet")
        else:
            subject = f" “{shown(branch.line.subject, 80)}”" if branch.line else ""
            lines.append(f"  verified    {branch.commit.hex()}{subject}")
        if branch.line is not None:
            lines.append(f"  committed   {_ago(now - branch.line.date)}")
        marks = ", ".join(commit.hex()[:12] for commit in branch.mark) or "none here"
        lines.append(f"  mark        {marks}")
        lines.append(f"  last run    {_run(branch.run, now)}")
    return "\n".join(lines) + "\n"


def _run(run: RunLine | None, now: int) -> str:
    if run is None:
        return "none yet"
    if run.verdict == "authentic":
        return f"authentic, {_ago(now - run.at)}"
    good = f"last authentic {_ago(now - run.authentic_at)}" if run.authentic_at is not None else "never authentic"
    return f"{shown(run.verdict)} ({shown(run.reason or '')}), {_ago(now - run.at)}; {good}"


def _ago(seconds: int) -> str:
    if seconds < 0:
        return "in the future, by the clock here"
    for size, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:,} {name} ago"
    return f"{seconds} seconds ago"


def status_json(status: StatusLines, now: int) -> str:
    """Return the same as one JSON object; times in seconds since 1970, ages in seconds."""
    branches = [
        {
            "branch": shown(branch.name, 2000),
            "commit": branch.commit.hex() if branch.commit is not None else None,
            "age": now - branch.line.date if branch.line is not None else None,
            "mark": [commit.hex() for commit in branch.mark],
            "verdict": branch.run.verdict if branch.run else None,
            "reason": branch.run.reason if branch.run else None,
            "run": branch.run.at if branch.run else None,
            "authentic": branch.run.authentic_at if branch.run else None,
        }
        for branch in status.branches
    ]
    memory = status.memory
    return _object(
        status.directory,
        branches,
        url=shown(memory.url, 2000),
        introduction=shown(memory.introduction),
        signer=shown(memory.signer) if memory.signer else None,
    )


def _object(directory: Path, branches: list[dict[str, Any]], **more: str | None) -> str:
    found = {"format": _FORMAT, "directory": shown(str(directory), 4096), **more, "branches": branches}
    return json.dumps(found, indent=2) + "\n"
