"""``gitverify verify-tag``."""

from __future__ import annotations

import time
from typing import Any

import click

from gitverify.cli import options
from gitverify.cli.output import show
from gitverify.cli.progress import Progress
from gitverify.cli.verify import answered, cores, pools, query
from gitverify.tagging.find import open_tag
from gitverify.tagging.judge import verify_tag


@click.command("verify-tag")
@click.argument("tag")
@click.option("--as", "called", metavar="NAME", help="The name that the tag must have, where TAG is an object id.")
@click.option("--historic", is_flag=True, help="Take the word of somebody whom the policy has dropped since, too.")
@options.REPOSITORY
@options.ANCHOR
@options.STATE
@options.JOBS
@options.FORMAT
def command(tag: str, called: str | None, historic: bool, jobs: int | None, format_: str, **asked: Any) -> int:
    """Is the annotated tag TAG authentic?

    It has the name that you gave, what it tags is an authentic commit, and somebody signed it whom the policy of that
    commit lists for tags. Where branches of this repository have been verified before, the commit has to belong to one
    of them, and the policy accepted there since must list the signer still. Moves no mark.

    \b
      gitverify verify-tag v1.2                      before a release is built
      gitverify verify-tag v1.2 --ref release-1.x    judged by that branch's mark alone
      gitverify verify-tag v0.1 --historic           by somebody who has left since
    """
    start = time.monotonic()

    def run() -> int:
        session, wanted = open_tag(query(tag, **asked), called)
        progress = Progress()
        try:
            make_pool = pools(session.repository, jobs or cores())
            report = verify_tag(session, wanted, make_pool, progress, historic=historic)
        finally:
            progress.end()
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)
