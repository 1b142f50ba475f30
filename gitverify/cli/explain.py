"""``gitverify explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out, show
from gitverify.cli.verify import answered, query, working
from gitverify.report.explanation import write_explanation
from gitverify.report.explanationjson import write_explanation_json
from gitverify.session import commit_line
from gitverify.verify import explain

if TYPE_CHECKING:
    from gitverify.session import Session


@click.command("explain")
@click.argument("commit")
@options.REPOSITORY
@options.ANCHOR
@options.JOBS
@click.option(
    "--format",
    "format_",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="How to report.",
)
def command(commit: str, jobs: int | None, format_: str, **asked: Any) -> int:
    """Show everything that the verdict on COMMIT rests on.

    Its signature and key, the people that each parent's policy lists for that key and what they may change; for a
    merge, where its branches parted, which policy governs and what either side brings in; the paths that it changes
    beyond what its parents settle, with who may change them; its own policy file, and the rule that decided.

    Verifies from the introduction to COMMIT first; moves no mark. The exit status is COMMIT's verdict.
    """

    def run() -> int:
        with working(query(commit, no_state=True, **asked), jobs) as (session, make_pool, progress):
            outcome, explanation = explain(
                session.repository, session.request(), make_pool=make_pool, observer=progress
            )
        report = session.report(outcome, None)
        if explanation is None:
            return show(report, format_)
        if format_ == "json":
            out(write_explanation_json(report, explanation), end="")
            return report.exit_status
        out(write_explanation(report, explanation, lambda parent: _line(session, parent)), end="")
        return report.exit_status

    return answered(run, format_)


def _line(session: Session, commit: bytes) -> bytes:
    line = commit_line(session.repository, commit)
    return line.subject if line is not None else b""
