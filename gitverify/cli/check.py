"""``gitverify check``."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from gitverify.cli import options
from gitverify.cli.output import show
from gitverify.cli.verify import answered, query, working
from gitverify.errors import MissingObject
from gitverify.gate.check import check, to_fetch
from gitverify.gate.ways import METHODS
from gitverify.session import UsageProblem, unanswered
from gitverify.text import shown


@click.command("check")
@click.argument("span", metavar="BASE..[HEAD]")
@click.option(
    "--method",
    "methods",
    type=click.Choice(METHODS),
    multiple=True,
    help="A way in that the exit status hangs on (repeatable); all four are shown. Default: branch, and merge where "
    "BASE's policy lets the forge merge (unsigned_merges).",
)
@click.option(
    "--base-authentic",
    is_flag=True,
    help="BASE, and all that it reaches, is authentic: this gate let it in. Then a shallow clone will do.",
)
@options.REPOSITORY
@options.ANCHOR
@options.STATE
@options.JOBS
@options.FORMAT
def command(
    span: str, methods: tuple[str, ...], base_authentic: bool, jobs: int | None, format_: str, **asked: Any
) -> int:
    """Would HEAD (default: what is checked out) be authentic on top of BASE? The gate for pull requests.

    Answers for the branch as it is, and for the three ways in which a forge brings it in: a merge commit, one commit
    (squash), each commit made anew (rebase). Whatever a forge makes is unsigned. Says of each what is refused, and who
    could make it authentic by signing what. Never moves a mark.

    BASE itself is verified first, from its mark on, where there is one. With --base-authentic it is not: say so only
    where nothing gets into BASE's branch but through this gate. HEAD's own commits are verified in any case, and the
    introduction is checked as ever; a shallow clone needs BASE..HEAD, BASE, and what leads to where they parted, and
    the introduction (git fetch --depth=1 origin INTRODUCTION).

    \b
      gitverify check origin/main..                                 what is checked out, onto main
      gitverify check origin/main..fix --method merge               the forge makes merge commits
      gitverify check "$BASE_SHA..$HEAD_SHA" --base-authentic       in CI
    """
    start = time.monotonic()

    def run() -> int:
        base, head = _parted(span)
        if base_authentic:
            asked["no_state"] = True  # then nothing hangs on a mark
        try:
            with working(query(base, **asked), jobs) as (session, make_pool, progress):
                report = check(
                    session,
                    session.resolve(head).commit,
                    methods=methods or None,
                    base_authentic=base_authentic,
                    environment=os.environ,
                    make_pool=make_pool,
                    observer=progress,
                )
        except MissingObject as error:
            report = unanswered(error)
            report.problem = to_fetch(report.problem) if report.problem is not None else None
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)


def _parted(span: str) -> tuple[str, str]:
    """Read BASE..HEAD."""
    base, dots, head = span.partition("..")
    if head.startswith("."):
        raise UsageProblem(
            f"“{shown(span)}”: write two dots, BASE..HEAD; what only HEAD has is what is looked at anyway"
        )
    if not dots or not base:
        raise UsageProblem(f"“{shown(span)}” is no range: write BASE..HEAD, such as origin/main..fix")
    return base, head or "HEAD"
