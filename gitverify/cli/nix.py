"""``gitverify nix``: what the fetcher ``fetchGitVerified`` is made of."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out, show
from gitverify.cli.progress import Progress
from gitverify.cli.transfers import BOUNDS, at_work, bounds, branch_of, cache_directory, source_of
from gitverify.cli.values import COMMIT_ID
from gitverify.cli.verify import answered
from gitverify.errors import MissingObject
from gitverify.report.model import Report
from gitverify.session import NO_INTRODUCTION, Query, Unanswerable, UsageProblem, commit_line, open_repository
from gitverify.transfer.arrival import fetch_failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitverify.export.place import Place
    from gitverify.export.walk import ContentSource
    from gitverify.request import Outcome, Request
    from gitverify.source import Repository
    from gitverify.transfer.arrival import Arrival

_ASKED = options.stacked(
    options.INTRODUCTION,
    click.option(
        "--keyring",
        type=COMMIT_ID,
        metavar="COMMIT",
        help="A commit whose tree has OpenPGP certificates; a Guix channel needs one.",
    ),
    click.option("--policy-path", metavar="PATH", help="The policy file, where it is not in its usual place."),
    click.option(
        "--dialect",
        type=click.Choice(["native", "guix", "openssh"]),
        help="What kind of policy it is (default: what the introduction's tree has).",
    ),
)
_REV = click.option("--rev", type=COMMIT_ID, metavar="COMMIT", required=True, help="The commit, by its whole id.")
_FROM = click.option(
    "--from", "place", metavar="DIR", help="Take the history from this clone or mirror; nothing is fetched."
)
_BRANCH = click.option(
    "--branch", metavar="BRANCH", help="A branch that has it, for servers that give no commit by its id."
)
_OUTPUT = click.option("--output", type=click.Path(file_okay=False), metavar="DIR", required=True)

_OTHER_EVIDENCE = (
    "what was read is evidence, and no clone: it was made for another commit, introduction or version of gitverify, or "
    "is damaged; make it again (gitverify nix prefetch)"
)


@click.group("nix")
def command() -> None:
    """Have Nix build from verified commits: hashes and evidence for fetchGitVerified.

    \b
      gitverify nix prefetch https://example.org/app.git --introduction COMMIT --signer KEY
    """


@command.command("prefetch")
@click.argument("url", metavar="URL")
@click.option("--rev", type=COMMIT_ID, metavar="COMMIT", help="Take this commit (default: what the branch is at).")
@_BRANCH
@_FROM
@_ASKED
@BOUNDS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prefetch_command(url: str, as_json: bool, **asked: Any) -> int:
    """Fetch, verify, and print rev, hash and a ready-to-paste fetchGitVerified expression.

    The hash is that of the evidence, which is the same on every machine. Without --rev and --branch it is the server's
    default branch that is taken.

    \b
      gitverify nix prefetch https://example.org/app.git --branch main --introduction COMMIT --signer KEY
      gitverify nix prefetch https://example.org/app.git --rev COMMIT --from ../app --introduction COMMIT --json
    """

    def run() -> int:
        with _history(url, asked) as (repository, rev, progress), tempfile.TemporaryDirectory() as temporary:
            request = _request(rev, asked)
            place = Path(temporary) / "evidence"
            report = _made(repository, request, asked["keyring"], place, progress)
            if report.verdict != "authentic":
                return show(report, "json" if as_json else "human")
            out(_told(url, request, asked, place, as_json=as_json))
        return 0

    return answered(run, "json" if as_json else "human")


@command.command("evidence")
@click.option("--url", metavar="URL", help="Fetch the history from there.")
@_FROM
@_REV
@_BRANCH
@_ASKED
@BOUNDS
@_OUTPUT
@options.FORMAT
def evidence_command(url: str | None, output: str, format_: str, **asked: Any) -> int:
    """Write the evidence for a commit to DIR: the objects that its verdict rests on, and its files.

    Its bytes hang on the commit, the introduction and the options alone: not on the clone, or on what came later.

    \b
      gitverify nix evidence --from ../app --rev COMMIT --introduction COMMIT --signer KEY --output evidence
    """
    start = time.monotonic()

    def run() -> int:
        if (url is None) == (asked["place"] is None):
            raise UsageProblem("say where the history is: either --from DIR or --url URL")
        with _history(url, asked) as (repository, rev, progress):
            report = _made(repository, _request(rev, asked), asked["keyring"], Path(output), progress)
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)


@command.command("verify-evidence")
@click.argument("evidence", metavar="EVIDENCE", type=click.Path(file_okay=False))
@_REV
@_ASKED
@_OUTPUT
@options.FORMAT
def verify_evidence_command(evidence: str, output: str, format_: str, **asked: Any) -> int:
    """Verify a commit by the evidence in the directory EVIDENCE, offline, and write its files to DIR.

    \b
      gitverify nix verify-evidence evidence --rev COMMIT --introduction COMMIT --signer KEY --output app
    """
    start = time.monotonic()

    def run() -> int:
        from gitverify.nix.evidence import BadEvidence  # noqa: PLC0415  (not loaded for --help)
        from gitverify.nix.evidencefile import EvidenceFile, with_keyring, write_tree  # noqa: PLC0415
        from gitverify.verify import verify  # noqa: PLC0415

        try:
            source = EvidenceFile(Path(evidence))
        except BadEvidence as error:
            raise UsageProblem(str(error)) from None
        with source, _working() as progress:
            request = with_keyring(source, _request(asked["rev"], asked), asked["keyring"])
            outcome = verify(source, request, observer=progress)
            report = _report(source, request, outcome)
            if outcome.verdict == "authentic":
                _appeared(outcome, Path(output), lambda place: write_tree(source, request.tip, place))
            if outcome.reason in {"missing-object", "introduction-missing"}:
                report.notes.append(_OTHER_EVIDENCE)
        report.seconds = time.monotonic() - start
        return show(report, format_)

    return answered(run, format_, start)


def _request(rev: bytes, asked: dict[str, Any]) -> Request:
    """Make the question of what was said alone: no settings of a clone, which another machine does not have."""
    from gitverify.policies.model import Dialect  # noqa: PLC0415
    from gitverify.request import Request  # noqa: PLC0415

    if asked["introduction"] is None:
        message = f"{NO_INTRODUCTION.partition(':')[0]}: name it with --introduction"
        raise Unanswerable("introduction-not-configured", message)
    return Request(
        tip=rev,
        introduction=asked["introduction"],
        signer=asked["signer"],
        dialect=Dialect(asked["dialect"]) if asked["dialect"] else None,
        policy_path=os.fsencode(asked["policy_path"]) if asked["policy_path"] else None,
    )


def _made(source: Repository, request: Request, keyring: bytes | None, output: Path, progress: Progress) -> Report:
    """Verify, and write the evidence."""
    from gitverify.nix.evidencefile import Recorder, gather, with_keyring, write_evidence  # noqa: PLC0415
    from gitverify.verify import verify  # noqa: PLC0415

    recorder = Recorder(source)
    outcome = verify(recorder, with_keyring(recorder, request, keyring), observer=progress)
    report = _report(source, request, outcome)
    if outcome.verdict == "authentic":
        _appeared(outcome, output, lambda place: write_evidence(source, gather(source, recorder, request.tip), place))
    return report


def _report(source: ContentSource, request: Request, outcome: Outcome) -> Report:
    report = Report(outcome=outcome, signer=request.signer)
    for commit in {outcome.tip, *(refusal.commit for refusal in outcome.refusals[:1])}:
        line = commit_line(source, commit)
        if line is not None:
            report.lines[commit] = line
    return report


def _appeared(outcome: Outcome, directory: Path, write: Callable[[Place], object]) -> None:
    """Have a directory appear; change the outcome where it can't."""
    from gitverify.export.place import NoPlace, Place  # noqa: PLC0415
    from gitverify.export.visitor import Unfit  # noqa: PLC0415
    from gitverify.rules.facts import Refusal  # noqa: PLC0415
    from gitverify.rules.hints import HINTS, missing_object  # noqa: PLC0415

    try:
        with Place(directory) as place:
            write(place)
    except NoPlace as error:
        raise UsageProblem(f"--output: {error}") from None
    except MissingObject as error:
        outcome.change("undecided", (missing_object(error),))
    except Unfit as error:
        refusal = Refusal(outcome.tip, "R7", error.code, str(error), HINTS[error.code], error.path)
        outcome.change("refused" if error.code == "malformed-tree" else "error", (refusal,))


@contextmanager
def _working() -> Iterator[Progress]:
    progress = Progress()
    gc.disable()  # as for gitverify verify
    try:
        yield progress
    finally:
        gc.enable()
        progress.end()


@contextmanager
def _history(url: str | None, asked: dict[str, Any]) -> Iterator[tuple[Repository, bytes, Progress]]:
    """Give a repository that has the commit, and the commit's raw id: a clone, or what is fetched."""
    if asked["place"] is not None:
        from gitverify.revisions import BadRevision, resolve  # noqa: PLC0415

        repository = open_repository(Query(repo=Path(asked["place"])))
        try:
            rev = asked["rev"] or resolve(repository, asked["branch"] or "HEAD").commit
        except BadRevision as error:
            raise UsageProblem(str(error)) from None
        with _working() as progress:
            yield repository, rev, progress
        return
    from gitverify.transfer.arrival import Arrival  # noqa: PLC0415
    from gitverify.transfer.store import Store  # noqa: PLC0415

    source = source_of(url or "")
    store = Store.of(source.url, cache_directory(os.environ), os.environ)
    limits = bounds(asked["max_size"], asked["timeout"])
    with at_work() as progress, store.locked("refs/heads/none") as quarantine:
        arrival = Arrival(store, quarantine, source, limits, progress.said)
        rev, reference = _fetched(arrival, asked["rev"], asked["branch"], limits.seconds)
        if asked["rev"] is None:
            _check_floor(arrival, asked, rev, reference, progress)
        if asked["keyring"] is not None and not arrival.has(asked["keyring"]):
            arrival.fetch(asked["keyring"].hex())
        yield arrival.repository(), rev, progress


def _check_floor(arrival: Arrival, asked: dict[str, Any], rev: bytes, reference: str, progress: Progress) -> None:
    """R23: return if what a branch is at has all that was accepted of it before, by whatever command.

    No mark moves, and the evidence does not hang on any. Raises Unanswerable, with the refusal.
    """
    from gitverify.verify import verify  # noqa: PLC0415  (not loaded for --help)

    keyring = asked["keyring"].hex() if asked["keyring"] is not None else None
    words = {name: asked[name] for name in ("introduction", "signer", "policy_path", "dialect")}
    session = arrival.session(Query(**words, keyring=keyring, any_age=True), rev, reference)
    request = session.request()
    floor = session.remembered(request)
    if not floor.commits:
        return
    outcome = verify(session.repository, replace(request, floor=floor), observer=progress)
    if outcome.reason in {"behind", "rollback"}:
        message = f"{outcome.refusals[0].message}; if you want it all the same, name it with --rev {rev.hex()}"
        raise Unanswerable(outcome.reason, message, verdict="refused", rule="R23")


def _fetched(arrival: Arrival, rev: bytes | None, branch: str | None, seconds: float) -> tuple[bytes, str]:
    """Fetch a commit, or what a branch is at; return its raw id, and the branch's full name if that was asked."""
    from gitverify.transfer.quarantine import FetchFailed  # noqa: PLC0415

    if rev is not None and arrival.has(rev):
        return rev, ""
    if rev is not None and branch is None:
        arrival.fetch(rev.hex())
        return rev, ""
    try:
        asked = f"refs/heads/{branch_of(branch)}" if branch else None
        name = asked or arrival.quarantine.default_branch(arrival.source, seconds)
    except FetchFailed as error:
        raise fetch_failed(str(error)) from None
    arrival.fetch(name)
    return rev or arrival.tip(name), name


def _told(url: str, request: Request, asked: dict[str, Any], place: Path, *, as_json: bool) -> str:
    """Say what was found, for people or for programs."""
    from gitverify.nix.directory import show_path  # noqa: PLC0415
    from gitverify.nix.expression import call  # noqa: PLC0415
    from gitverify.nix.nar import nar_hash, sri  # noqa: PLC0415

    arguments = {
        "url": url,
        "rev": request.tip.hex(),
        "hash": sri(nar_hash(lambda visitor: show_path(place, visitor))),
        "introduction": request.introduction.hex(),
        "signer": request.signer,
        "keyring": asked["keyring"].hex() if asked["keyring"] else None,
        "dialect": asked["dialect"],
        "policyPath": asked["policy_path"],
        "branch": asked["branch"] if asked["place"] is None else None,
    }
    expression = call(arguments)
    if as_json:
        return json.dumps({"format": "gitverify-prefetch/1", **arguments, "expression": expression}, indent=2)
    return f"rev   {arguments['rev']}\nhash  {arguments['hash']}\n\n{expression}"
