"""What the commands that fetch have in common: how much, how long, from where, and in how many processes."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from gitverify.cli import options
from gitverify.cli.progress import Progress
from gitverify.cli.values import DURATION, SIZE
from gitverify.git import GitError
from gitverify.limits import LIMITS
from gitverify.mirror.memory import NotAMirror
from gitverify.session import Unanswerable, UsageProblem
from gitverify.source import RepositoryError
from gitverify.transfer.arrival import Arrival, Bounds, unopened
from gitverify.transfer.store import NoStore, Store
from gitverify.transfer.url import BadSource, parse_branch, parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitverify.settings import Settings
    from gitverify.transfer.url import Source

BOUNDS = options.stacked(
    click.option(
        "--max-size",
        type=SIZE,
        metavar="SIZE",
        envvar="GITVERIFY_MAX_SIZE",
        show_envvar=True,
        help="Fetch no more than that, such as 4G (default: 16G).",
    ),
    click.option(
        "--timeout",
        type=DURATION,
        metavar="DURATION",
        envvar="GITVERIFY_TIMEOUT",
        show_envvar=True,
        help="Fetch no longer than that, such as 30m (default: 6h).",
    ),
)


def bounds(max_size: int | None, timeout: int | None) -> Bounds:
    """Return how much may come and how long it may take."""
    return Bounds(max_size or LIMITS.fetch_size, timeout or LIMITS.fetch_seconds)


def source_of(url: str) -> Source:
    """Read a URL of a command line."""
    try:
        return parse_url(url)
    except BadSource as error:
        raise UsageProblem(str(error)) from None


def branch_of(name: str) -> str:
    """Read a branch's name of a command line."""
    try:
        return parse_branch(name)
    except BadSource as error:
        raise UsageProblem(str(error)) from None


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return where repositories are kept that can be fetched again (XDG Base Directory Specification; systemd's)."""
    for variable, below in (("CACHE_DIRECTORY", ""), ("XDG_CACHE_HOME", "gitverify"), ("HOME", ".cache/gitverify")):
        place = Path(environ.get(variable, "").split(":")[0])
        if place.is_absolute():
            return place / below
    raise Unanswerable("mirror-failed", "no home directory is known to keep what is fetched in: set XDG_CACHE_HOME")


def user_settings() -> Settings:
    """Read git's configuration as it is outside of any repository: the user's and the system's. Raises Unanswerable."""
    with TemporaryDirectory() as place:
        store = Store(Path(place) / "none.git", os.environ)
        with store.locked("refs/heads/none"):
            return Arrival.settings(store.open())


@contextmanager
def at_work() -> Iterator[Progress]:
    """Give the progress line that long work needs; turn what stands in the way into an answer."""
    progress = Progress()
    gc.disable()  # as for gitverify verify
    try:
        yield progress
    except NotAMirror as error:
        raise UsageProblem(str(error)) from None
    except RepositoryError as error:
        raise unopened(error) from None
    except (NoStore, GitError) as error:
        raise Unanswerable("mirror-failed", str(error), rule="R5") from None
    finally:
        gc.freeze()
        gc.enable()
        progress.end()
