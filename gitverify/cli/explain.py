"""``gitverify explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out, show
from gitverify.cli.verify import answered, query, working
from gitverify.report.explanation import write_explanation
from gitverify.session import commit_line
from gitverify.verify import explain

if TYPE_CHECKING:
    from gitverify.session import Session


@click.command("explain")
@click.argument("commit")
@options.REPOSITORY
@options.ANCHOR
@options.JOBS
def command(commit: str, jobs: int | None, **asked: Any) -> int:
    """Show everything that the verdict on COMMIT rests on.

    Its signature and key, the people that each parent's policy lists for that key and what they may change, its own
    policy file, and the rule that decided. Verifies from the introduction to COMMIT first; moves no mark. The exit
    status is COMMIT's verdict.
    """

    def run() -> int:
        with working(query(commit, no_state=True, **asked), jobs) as (session, make_pool, progress):
            outcome, explanation = explain(
                session.repository, session.request(), make_pool=make_pool, observer=progress
            )
        report = session.report(outcome, None)
        if explanation is None:
            return show(report, "human")
        out(write_explanation(report, explanation, lambda parent: _line(session, parent)), end="")
        return report.exit_status

    return answered(run)


def _line(session: Session, commit: bytes) -> bytes:
    line = commit_line(session.repository, commit)
    return line.subject if line is not None else b""
