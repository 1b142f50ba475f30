"""What the hooks run in: the repository that git names, its own settings, and a limit of time.

Nothing but that repository's configuration says what is trusted: no option, and of our variables only GITVERIFY_STATE.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.cli.progress import Progress
from gitverify.cli.verify import cores, pools, query
from gitverify.hooks.judge import Judge
from gitverify.hooks.protected import BadSetting
from gitverify.session import Unanswerable, open_repository
from gitverify.settings import ConfigUntrusted, Settings
from gitverify.text import shown
from gitverify.values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.source import Repository

MOST_SECONDS = 600  # unless gitverify.hookTimeout says otherwise


class TooSlow(Exception):
    """The time is up."""


@contextmanager
def judging(*, arriving: bool = False, any_age: bool = False) -> Iterator[Judge]:
    """Open the repository that git runs the hook in, for as long as the time allows.

    ``arriving``: with the objects of the push that is being received. ``any_age``: see Query. Raises Unanswerable,
    UsageProblem, BadSetting, TooSlow.
    """
    asked = query("HEAD", repo=None, any_age=any_age)
    repository = open_repository(asked, _quarantine() if arriving else ())
    settings = read_settings(repository)
    asked.state = _state(settings)
    progress = Progress()
    with _limited(_seconds(settings)):
        try:
            yield Judge(repository, settings, asked, pools(repository, cores()), progress)
        finally:
            progress.end()


def read_settings(repository: Repository) -> Settings:
    """Read git's configuration. Raises Unanswerable."""
    try:
        return Settings(repository)
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None


def _quarantine() -> list[Path]:
    """Return where git keeps a push's objects until the hooks have agreed (git-receive-pack(1))."""
    place = os.environ.get("GIT_QUARANTINE_PATH")
    if not place:
        return []
    others = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "").split(":")
    # A quoted path has a colon or a quote in it. The repository's own directory is read in any case, and what stays
    # unseen is missing, and so refused.
    return [Path(place), *(Path(other) for other in others if other and not other.startswith('"'))]


def _state(settings: Settings) -> Path | None:
    named = os.environ.get("GITVERIFY_STATE") or settings.get("gitverify.state")
    if not named:
        return None
    path = Path(os.path.expanduser(named))  # noqa: PTH111  (leaves an unknown user be, and that is not absolute)
    if not path.is_absolute():
        raise BadSetting(f"the state directory {shown(named)} has to be an absolute path: a hook runs anywhere")
    return path


def _seconds(settings: Settings) -> int:
    value = settings.get("gitverify.hooktimeout")
    if value is None:
        return MOST_SECONDS
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise BadSetting(f"git config gitverify.hookTimeout: “{shown(value, 80)}” is {error}") from None
    return max(seconds, 1)


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise TooSlow in what takes longer than so many seconds."""

    def ring(*_: object) -> None:
        raise TooSlow(f"judging took longer than {seconds} seconds (git config gitverify.hookTimeout)")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
