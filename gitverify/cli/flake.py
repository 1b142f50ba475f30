"""``gitverify flake``: the lock gate."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.transfers import BOUNDS, at_work, bounds, cache_directory
from gitverify.cli.verify import answered, cores, pools, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.cli.progress import Progress
    from gitverify.nix.fetched import Fetching
    from gitverify.nix.inputs import Judge
    from gitverify.report.flake_model import LockReport

_INPUTS = options.stacked(
    click.option(
        "--introduction",
        "introductions",
        multiple=True,
        metavar="INPUT=COMMIT",
        help="The trusted commit of an input (repeatable; git config gitverify.input:INPUT.introduction).",
    ),
    click.option(
        "--signer",
        "signers",
        multiple=True,
        metavar="INPUT=KEY",
        help="The key that must have signed it (repeatable; git config gitverify.input:INPUT.signer).",
    ),
    click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="INPUT=DIR",
        help="A clone or mirror with the input's history (repeatable; git config gitverify.input:INPUT.mirror).",
    ),
)
_LOCK = click.option(
    "--lock",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The lock file (default: flake.lock in the root of the working tree).",
)
_JUDGING = options.stacked(
    options.STATE_DIRECTORY,
    click.option("--no-state", is_flag=True, help="Do not build on what was verified before in the mirrors."),
    options.JOBS,
    options.formats(["human", "json"]),
)


@click.group("flake")
def command() -> None:
    """Judge the inputs of a flake, as flake.lock has them, and move them.

    \b
      gitverify flake check                        may what is locked here be built?
      gitverify flake check --base origin/main     and is nothing older than on main?
      gitverify flake update                       lock the newest commits that are authentic
    """


@command.command("check")
@options.REPOSITORY
@_INPUTS
@click.option("--base", metavar="REF", help="The commit whose flake.lock was accepted before (default: HEAD).")
@click.option("--rev", metavar="REV", help="Judge the flake.lock of this commit, not of the working tree.")
@_LOCK
@click.option(
    "--fetch",
    is_flag=True,
    help="Fetch the history of inputs for which no mirror is named, from where the lock says that they are.",
)
@BOUNDS
@click.option("--require-all", is_flag=True, help="Refuse a lock with an input that no introduction is configured for.")
@_JUDGING
def check_command(format_: str, **asked: Any) -> int:
    """Is every input in flake.lock authentic, no older than before, and what its hash says?

    For each input that an introduction is configured for: its locked commit is authentic, judged in a clone or mirror
    that you name; it descends from the commit that was locked before, unless the flake asks for another branch or URL
    now; and narHash is the hash of just that commit. The other inputs are listed, and refused with --require-all.

    \b
      gitverify flake check --introduction nixpkgs=COMMIT --mirror nixpkgs=../nixpkgs
      gitverify flake check --base origin/main --require-all        in CI, for a pull request

    Introductions come from options and from git's own configuration, never from a file of the flake: whoever changes
    flake.lock could change that, too. Then build with --no-update-lock-file, or Nix may take other inputs than these.
    """
    start = time.monotonic()

    def run() -> int:
        report = _checked(asked)
        report.seconds = time.monotonic() - start
        out(_written(report, format_), end="")
        return report.exit_status

    return answered(run, format_, start)


@command.command("update")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@options.REPOSITORY
@_INPUTS
@_LOCK
@_JUDGING
def update_command(inputs: tuple[str, ...], format_: str, **asked: Any) -> int:
    """Move inputs (default: all that are configured) to the newest commit that is authentic.

    In each input's clone or mirror, which you bring up to date first, it is the branch that the flake asks for. Where
    its tip is refused, the newest authentic commit below is taken; where there is none that is newer than what is
    locked, nothing is written. Where an input may have other inputs of its own now, Nix writes the lock (nix flake lock
    --override-input); else this does. Then the lock is checked, as by check.

    \b
      git -C ../nixpkgs fetch && gitverify flake update nixpkgs
    """
    start = time.monotonic()

    def run() -> int:
        report = _updated(list(inputs), asked)
        report.seconds = time.monotonic() - start
        out(_written(report, format_), end="")
        return report.exit_status

    return answered(run, format_, start)


def _updated(inputs: list[str], asked: dict[str, Any]) -> LockReport:
    """Find where to, check what is to be locked then, and write it."""
    from gitverify.nix.anchors import anchors  # noqa: PLC0415  (not loaded for --help)
    from gitverify.nix.inputs import NotMoved  # noqa: PLC0415
    from gitverify.nix.lock import LockError, parse_lock  # noqa: PLC0415
    from gitverify.nix.lockfile import LockFile  # noqa: PLC0415
    from gitverify.nix.lockgate import check_lock  # noqa: PLC0415
    from gitverify.nix.update import check_moved, plan, proposed, replace  # noqa: PLC0415
    from gitverify.report.flake_model import LockReport  # noqa: PLC0415
    from gitverify.session import open_settings  # noqa: PLC0415

    repository, settings = open_settings(query("HEAD", repo=asked["repo"]))
    root = repository.worktree or repository.path
    said = anchors(settings, asked["introductions"], asked["signers"], asked["mirrors"], root)
    file = LockFile(repository, Path(asked["lock"]) if asked["lock"] else None)
    before = file.read()
    with _judge(asked) as judge:
        try:
            old = parse_lock(before)
            moves = plan(old, inputs, said, judge, os.environ)
        except LockError:
            return check_lock(before, None, said, judge)
        except NotMoved as stay:
            return LockReport(inputs=[stay.report])
        written = proposed(file.path, before, moves) if moves else before
        report = check_lock(written, old, said, judge)
    if report.verdict != "authentic":
        report.notes.append("the lock stays as it was")
        return report
    check_moved(written, moves)
    if moves:
        replace(file.path, before, written)
    for move in moves:
        was = move.node.rev.hex()[:12] if move.node.rev else ""
        report.notes.append(f"{move.name} moved from {was} to {move.rev.hex()[:12]}")
    if not moves:
        report.notes.append("nothing is newer than what is locked")
    return report


@contextmanager
def _judge(asked: dict[str, Any]) -> Iterator[Judge]:
    from gitverify.nix.inputs import Judge  # noqa: PLC0415  (not loaded for --help)

    jobs = asked["jobs"] or cores()
    with at_work() as progress:
        yield Judge(
            pools=lambda mirror: pools(mirror, jobs),
            observer=progress,
            now=int(time.time()),
            state=Path(asked["state"]) if asked["state"] else None,
            no_state=asked["no_state"],
            fetching=_fetching(asked, progress) if asked.get("fetch") else None,
        )


def _fetching(asked: dict[str, Any], progress: Progress) -> Fetching:
    from gitverify.nix.fetched import Fetching  # noqa: PLC0415  (not loaded for --help)

    limits = bounds(asked["max_size"], asked["timeout"])
    return Fetching(cache_directory(os.environ), os.environ, limits, progress.said)


def _checked(asked: dict[str, Any]) -> LockReport:
    """Read what there is and have it judged."""
    from gitverify.nix.anchors import anchors  # noqa: PLC0415  (not loaded for --help)
    from gitverify.nix.lock import LockError  # noqa: PLC0415
    from gitverify.nix.lockfile import LockFile  # noqa: PLC0415
    from gitverify.nix.lockgate import check_lock, unsound  # noqa: PLC0415
    from gitverify.session import UsageProblem, open_settings  # noqa: PLC0415
    from gitverify.text import shown  # noqa: PLC0415

    rev, base_name, named = asked["rev"], asked["base"], asked["lock"]
    repository, settings = open_settings(query("HEAD", repo=asked["repo"]))
    root = repository.worktree or repository.path
    said = anchors(settings, asked["introductions"], asked["signers"], asked["mirrors"], root)
    file = LockFile(repository, Path(named) if named else None, bare=rev is not None)
    try:
        raw = file.at(rev) if rev is not None else file.read()
    except LockError as error:
        return unsound(error)
    if raw is None:
        raise UsageProblem(f"{shown(rev)} has no such lock file")
    base = file.base(base_name) if base_name else file.last()
    with _judge(asked) as judge:
        report = check_lock(raw, base, said, judge, require_all=asked["require_all"])
    report.base = (base_name or "HEAD") if base is not None else None
    if base is None:
        report.notes.append("no earlier lock to compare with: that nothing went back can't be told (--base)")
    return report


def _written(report: LockReport, format_: str) -> str:
    if format_ == "json":
        from gitverify.report.flake_json import write_flake_json  # noqa: PLC0415  (only the writer that is needed)

        return write_flake_json(report)
    from gitverify.report.flake_text import write_flake_text  # noqa: PLC0415

    return write_flake_text(report)
