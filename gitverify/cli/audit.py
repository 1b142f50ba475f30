"""``gitverify audit``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.verify import answered, query, working
from gitverify.errors import PolicyError
from gitverify.report.audit_model import MOST_REASONS, AuditReport
from gitverify.request import Stop
from gitverify.session import NO_INTRODUCTION, Unanswerable, UsageProblem, commit_line
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.audit.model import Audit, Question
    from gitverify.policies.model import Policy
    from gitverify.session import Session


def _human(report: AuditReport) -> str:
    from gitverify.report.audit_text import write_audit_text  # noqa: PLC0415  (only the writer that is needed)

    return write_audit_text(report)


def _json(report: AuditReport) -> str:
    from gitverify.report.audit_json import write_audit_json  # noqa: PLC0415

    return write_audit_json(report)


def _html(report: AuditReport) -> str:
    from gitverify.report.audit_html import write_audit_html  # noqa: PLC0415

    return write_audit_html(report)


_FORMATS: dict[str, Callable[[AuditReport], str]] = {"human": _human, "json": _json, "html": _html}


@click.command("audit")
@click.argument("rev", default="HEAD", metavar="[REV]")
@options.REPOSITORY
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Ask what this policy (native format) would make of the history, in the place of every commit's own.",
)
@options.INTRODUCTION
@options.SOURCES
@click.option("--since", metavar="COMMIT", help="Look only at what this commit does not reach.")
@click.option("--max-count", type=click.IntRange(1), metavar="N", help="Look only at the N newest commits.")
@click.option(
    "--protect",
    multiple=True,
    metavar="PATH",
    help="Suggest no prefix that would leave this file, or something below this directory, unprotected (repeatable).",
)
@options.JOBS
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(_FORMATS)),
    default="human",
    show_default=True,
    help="How to report.",
)
@click.option("--html", type=click.Path(dir_okay=False), metavar="FILE", help="Write the page to this file as well.")
def command(rev: str, jobs: int | None, format_: str, html: str | None, **asked: Any) -> int:
    """Show what of REV's history (default: HEAD) would be authentic, and what stops the rest.

    For planning: by folder, person, key and reason, under the policies as they are or, with --policy, under one that
    is only proposed. Each commit is judged on its own, as if its parents were authentic. The exit status says whether
    the audit could be made, nothing about the history.

    \b
      gitverify audit --policy draft.yaml                        could we begin with this?
      gitverify audit --policy draft.yaml --max-count 1000       as we work today
      gitverify audit --policy draft.yaml --html audit.html      the same with a map
    """
    start = time.monotonic()

    def run() -> int:
        from gitverify.audit.run import audit  # noqa: PLC0415  (the rest of the command line does without)

        policy = _read_policy(asked["policy"])
        limits = {name: asked.pop(name) for name in ("since", "max_count", "protect")}
        name = asked.pop("policy")
        with working(query(rev, no_state=True, **asked), jobs) as (session, make_pool, progress):
            question = _question(session, policy, **limits)
            try:
                found = audit(session.repository, question, make_pool=make_pool, watcher=progress)
            except Stop as answer:
                raise _unanswerable(answer, question) from None
        report = _report(session, found, rev, name, time.monotonic() - start)
        if html is not None:
            _write(Path(html), _html(report))
        out(_FORMATS[format_](report), end="")
        return 0

    return answered(run, "json" if format_ == "json" else "human", start)


def _unanswerable(answer: Stop, question: Question) -> Unanswerable:
    refusal = answer.refusals[0]
    message = refusal.message
    if refusal.code == "introduction-policy" and question.introduction is None:
        message += "; --policy FILE asks what a proposed one would make of it"
    return Unanswerable(refusal.code, message, verdict=answer.verdict, rule=refusal.rule)


def _read_policy(name: str | None) -> Policy | None:
    from gitverify.policies.native import parse  # noqa: PLC0415  (loads PyYAML)

    try:
        return parse(Path(name).read_bytes()) if name is not None else None
    except (OSError, PolicyError) as error:
        raise UsageProblem(f"--policy {shown(name or '')}: {error}") from None


def _question(
    session: Session, policy: Policy | None, *, since: str | None, max_count: int | None, protect: tuple[str, ...]
) -> Question:
    from gitverify.audit.model import Question  # noqa: PLC0415

    asked = session.query
    introduction = _introduction(session)
    if policy is not None:
        asked.dialect = "native"
    asked.introduction = introduction or session.revision.commit
    request = session.request()
    return Question(
        request=request,
        policy=policy,
        introduction=introduction,
        since=session.resolve(since).commit if since is not None else None,
        most=max_count,
        protected=tuple(os.fsencode(path) for path in protect),
    )


def _introduction(session: Session) -> bytes | None:
    """Return the introduction; an audit can do without one."""
    try:
        return session.introduction
    except Unanswerable as error:
        if str(error) == NO_INTRODUCTION:
            return None
        raise


def _report(session: Session, found: Audit, rev: str, policy: str | None, seconds: float) -> AuditReport:
    lines = {}
    for commit in (found.tip, *(reason.example for reason in found.reasons[:MOST_REASONS])):
        line = commit_line(session.repository, commit)
        if line is not None:
            lines[commit] = line
    repository = session.repository.worktree or session.repository.path
    return AuditReport(
        audit=found, repository=str(repository).rstrip("/"), rev=rev, policy=policy, lines=lines, seconds=seconds
    )


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"--html {shown(str(path))}: {error.strerror}") from None
