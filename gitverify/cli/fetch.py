"""``gitverify fetch``."""

from __future__ import annotations

import os
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import show
from gitverify.cli.transfers import BOUNDS, at_work, bounds, branch_of, cache_directory, source_of
from gitverify.cli.verify import answered, cores, pools, query, reopened
from gitverify.errors import MissingObject
from gitverify.session import Unanswerable, UsageProblem, unanswered
from gitverify.settings import full_reference

if TYPE_CHECKING:
    from pathlib import Path

    from gitverify.cli.progress import Progress
    from gitverify.export.walk import Contents
    from gitverify.nix.nar import Hashing
    from gitverify.report.model import Report
    from gitverify.session import Query, Session
    from gitverify.transfer.arrival import Arrival, Bounds
    from gitverify.transfer.url import Source


@click.command("fetch")
@click.argument("url", metavar="URL")
@click.option("--branch", metavar="BRANCH", help="Take what this branch is at.")
@click.option("--rev", metavar="COMMIT", help="Take this commit, by its whole id; --ref says whose mark counts.")
@options.OUTPUT
@click.option("--narhash", is_flag=True, help="Print what Nix calls the hash of these files.")
@options.QUESTION
@BOUNDS
@options.JOBS
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@options.FORMAT
def command(url: str, jobs: int | None, as_json: bool, format_: str, **asked: Any) -> int:
    """Fetch from URL, verify, and write out the files of the verified commit.

    No clone is needed, and none is made that anything could be built from by mistake. What is fetched is kept apart,
    under ~/.cache/gitverify, so that the next time only what is new is fetched.

    \b
      gitverify fetch https://example.org/app.git --branch main --introduction COMMIT --signer KEY --output app
      gitverify fetch https://example.org/app.git --rev COMMIT --ref main --output app --narhash --json
    """
    start = time.monotonic()
    format_ = "json" if as_json else format_

    def run() -> int:
        limits = bounds(asked.pop("max_size"), asked.pop("timeout"))
        job = _Job(url, jobs or cores(), limits, **asked)
        with at_work() as progress:
            report = job.run(progress)
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)


class _Job:
    """One fetch, as it was asked for."""

    def __init__(self, url: str, jobs: int, limits: Bounds, **asked: Any) -> None:
        self._source: Source = source_of(url)
        self._jobs = jobs
        self._limits = limits
        self._narhash = asked.pop("narhash")
        branch, self._rev = asked.pop("branch"), asked.pop("rev")
        if (branch is None) == (self._rev is None):
            raise UsageProblem("say what to fetch: either --branch BRANCH or --rev COMMIT")
        if asked["output"] is None and not self._narhash:
            raise UsageProblem("say what to do with it: --output DIR writes the files, --narhash prints their hash")
        self._query: Query = query("", repo=None, **asked)
        self._reference = self._whose(branch)
        self._branch = f"refs/heads/{branch_of(branch)}" if branch is not None else None
        if self._rev is not None and not re.fullmatch("[0-9a-f]{40}", self._rev):
            raise UsageProblem("--rev takes the whole id of a commit, 40 digits: --branch takes the name of a branch")

    def _whose(self, branch: str | None) -> str | None:
        """R23: whose mark it is."""
        if self._query.ref is not None:
            return full_reference(self._query.ref)
        if branch is not None:
            return f"refs/heads/{branch_of(branch)}"
        if self._query.no_state:
            return None
        raise UsageProblem(
            "a commit's id does not say whose mark it falls under: name the branch with --ref, or say --no-state to "
            "do without protection against rollbacks"
        )

    def run(self, progress: Progress) -> Report:
        """Fetch, judge, write."""
        from gitverify.transfer.arrival import Arrival  # noqa: PLC0415  (only once there is something to do)
        from gitverify.transfer.store import Store  # noqa: PLC0415

        self._check_place()
        store = Store.of(self._source.url, cache_directory(os.environ), os.environ)
        with store.locked("refs/heads/none") as quarantine:
            arrival = Arrival(store, quarantine, self._source, self._limits, progress.said)
            tip = self._fetched(arrival)
            try:
                session = arrival.session(self._query, tip, self._reference)
                report = self._answered(session, progress)
            except MissingObject as error:
                if error.absent and error.object_id == tip:
                    raise  # the server has no such commit
                report = unanswered(error)
            if report.reason == "missing-object":
                quarantine.empty()  # something is damaged: the next run fetches all of it again
        return report

    def _answered(self, session: Session, progress: Progress) -> Report:
        from gitverify.nix.nar import sri  # noqa: PLC0415  (only once there is something to do)

        contents = self._contents(session)
        if self._query.output is not None:
            session.output = _output(session, self._query.output)
            session.output.contents = contents
        hashes: list[Hashing] = []
        if session.output is not None and self._narhash:
            session.output.beside = partial(_hashing, hashes)
        report = session.verify(pools(session.repository, self._jobs), progress)
        report.ref = report.ref or None
        if self._narhash and report.verdict == "authentic" and report.outcome is not None:
            report.nar_hash = sri(hashes[-1].digest() if hashes else _nar_hash(session, report.outcome.tip, contents))
        return report

    def _contents(self, session: Session) -> Contents | None:
        if self._jobs == 1 or not hasattr(os, "fork"):
            return None
        from gitverify.export.ahead import Ahead  # noqa: PLC0415

        return Ahead(self._jobs, partial(reopened, session.repository))

    def _fetched(self, arrival: Arrival) -> bytes:
        """Fetch what was asked for; return its raw id."""
        if self._branch is not None:
            arrival.fetch(self._branch)
            return arrival.tip(self._branch)
        if arrival.has(bytes.fromhex(self._rev)):
            return bytes.fromhex(self._rev)
        try:
            arrival.fetch(self._rev)
        except Unanswerable:  # a server may give by id what a branch is at, and nothing else
            if self._reference is None:
                raise
            arrival.fetch(self._reference)
        return bytes.fromhex(self._rev)

    def _check_place(self) -> None:
        """Find out before anything is fetched whether the directory can appear."""
        from gitverify.export.place import NoPlace, Place  # noqa: PLC0415

        if self._query.output is not None:
            try:
                Place(self._query.output).close()
            except NoPlace as error:
                raise UsageProblem(f"--output: {error}") from None


def _output(session: Session, directory: Path) -> Any:
    from gitverify.export.answer import Output  # noqa: PLC0415
    from gitverify.export.place import NoPlace  # noqa: PLC0415

    try:
        return Output(session.repository, directory)
    except NoPlace as error:
        raise UsageProblem(f"--output: {error}") from None


def _hashing(hashes: list[Hashing]) -> Hashing:
    from gitverify.nix.nar import Hashing  # noqa: PLC0415

    hashes.append(Hashing())
    return hashes[-1]


def _nar_hash(session: Session, commit: bytes, contents: Contents | None) -> bytes:
    from gitverify.export.visitor import Unfit  # noqa: PLC0415
    from gitverify.export.walk import show_tree  # noqa: PLC0415
    from gitverify.nix.nar import nar_hash  # noqa: PLC0415
    from gitverify.objects.commit import parse_head  # noqa: PLC0415

    tree = parse_head(session.repository.read(commit)[1]).tree
    try:
        return nar_hash(lambda visitor: show_tree(session.repository, tree, visitor, contents=contents))
    except Unfit as error:
        raise Unanswerable(error.code, str(error), rule="R7") from None
