"""``gitverify verify``."""

from __future__ import annotations

import gc
import os
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import show
from gitverify.cli.progress import Progress
from gitverify.errors import MissingObject, NoCheckout
from gitverify.revisions import annotated_tag
from gitverify.session import Query, Session, Unanswerable, UsageProblem, unanswered
from gitverify.source import Repository
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitverify.examine import Examiner
    from gitverify.objects.source import ObjectSource
    from gitverify.pool import Sink
    from gitverify.verify import MakePool


@click.command("verify")
@click.argument("rev", default="HEAD", metavar="[REV]")
@options.REPOSITORY
@options.QUESTION
@click.option(
    "--worktree",
    is_flag=True,
    help="Refuse a checkout that is not, byte for byte, the verified commit: nothing modified, missing or added.",
)
@click.option(
    "--allow-ignored",
    multiple=True,
    metavar="PATTERN",
    help="With --worktree: files that the commit's .gitignore ignores may be there where this fits (repeatable).",
)
@options.OUTPUT
@options.JOBS
@options.FORMAT
def command(rev: str, jobs: int | None, format_: str, **asked: Any) -> int:
    """Is REV (default: HEAD) authentic?

    Walks from REV back to the introduction and checks every commit: signed, by someone the policy file in its parent
    lists. Remembers the newest accepted commit, so that an older history is refused from then on.

    \b
      gitverify verify                                     what is checked out
      gitverify verify origin/main                         what was fetched, before it is merged
      gitverify verify --worktree                          and the files here are just that
      gitverify verify origin/main --output ../source      what was verified, and nothing else, to build from
      gitverify verify --max-age 14d --format json         for a script
    """
    start = time.monotonic()

    def run() -> int:
        with working(query(rev, **asked), jobs) as (session, make_pool, progress):
            report = session.verify(make_pool, progress)
            report.notes += _about_tag(session, rev)
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)


def _about_tag(session: Session, rev: str) -> list[str]:
    """R4: a tag is followed to its commit; say so where somebody might take it for more."""
    name = annotated_tag(session.repository, rev)
    if name is None:
        return []
    looked = f"{shown(name)} is a tag, and was followed to its commit; whether the tag itself is authentic was not"
    return [f"{looked} looked at: gitverify verify-tag {shown(name)}"]


def answered(run: Callable[[], int], format_: str = "human", start: float | None = None) -> int:
    """Call ``run``; answer in the format asked for where the question could not be put."""
    try:
        return run()
    except (UsageProblem, NoCheckout) as error:
        raise click.UsageError(str(error)) from None
    except (Unanswerable, MissingObject) as error:
        report = unanswered(error)
        report.seconds = time.monotonic() - start if start is not None else 0.0
        return show(report, format_)


def query(rev: str, **asked: Any) -> Query:
    """Make a query of the options."""
    if asked.get("allow_ignored") and not asked["worktree"]:
        raise click.UsageError("--allow-ignored says what --worktree lets pass: it goes with that option")
    repo, state = asked.pop("repo"), asked.pop("state", None)
    historical, output = asked.pop("historical_authorizations", None), asked.pop("output", None)
    return Query(
        repo=Path(repo) if repo else None,
        git_dir=_named("GIT_DIR"),
        git_work_tree=_named("GIT_WORK_TREE"),
        rev=rev,
        state=Path(state) if state else None,
        historical_authorizations=Path(historical) if historical else None,
        output=Path(output) if output is not None else None,  # an empty one has no name: refused, not left out
        now=int(time.time()),
        **asked,
    )


def _named(variable: str) -> Path | None:
    """Return the path that an environment variable holds."""
    return Path(os.environ[variable]) if os.environ.get(variable) else None


@contextmanager
def working(asked: Query, jobs: int | None) -> Iterator[tuple[Session, MakePool | None, Progress]]:
    """Open a session with the processes and the progress line that long work needs."""
    session = Session(asked)
    progress = Progress()
    jobs = jobs or cores()
    if session.output is not None and jobs > 1 and hasattr(os, "fork"):
        from gitverify.export.ahead import Ahead  # noqa: PLC0415  (only where something is written)

        session.output.contents = Ahead(jobs, partial(reopened, session.repository))
    gc.disable()  # a history's facts are kept to the end and have no cycles: looking for some takes several percent
    try:
        yield session, pools(session.repository, jobs), progress
    finally:
        gc.freeze()  # nor is what is left of them looked through
        gc.enable()
        progress.end()


def pools(repository: Repository, jobs: int) -> MakePool | None:
    """Make pools of processes that open the repository themselves."""
    if jobs == 1 or not hasattr(os, "fork"):
        return None

    def make(prepare: Callable[[ObjectSource], Examiner], sink: Sink) -> Any:
        from gitverify.workers import Processes  # noqa: PLC0415  (not loaded where nothing is to be examined)

        return Processes(jobs, lambda: prepare(reopened(repository)), sink)

    return make


def reopened(repository: Repository) -> Repository:
    """Open a repository again, in another process."""
    return Repository(repository.path, bare="trusted", arriving=repository.arriving)


def cores() -> int:
    """Return how many processes can work at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - macOS
