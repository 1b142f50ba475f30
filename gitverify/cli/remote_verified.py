"""``git-remote-verified``: what git runs for the URL ``verified::https://…``.

It brings a mirror of that URL up to date, then has ``git upload-pack`` serve it in this process's place. Of git's own
variables, which git hands down from whatever it is doing, only those that say how to connect and where the user's
configuration lies count here.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gitverify.errors import GitverifyError
from gitverify.text import legible

if TYPE_CHECKING:
    from gitverify.cli.mirror import MirrorJob
    from gitverify.cli.progress import Progress
    from gitverify.mirror.memory import Memory
    from gitverify.mirror.update import Result
    from gitverify.remote.choice import Choice
    from gitverify.settings import Settings
    from gitverify.transfer.store import Store

_KEPT = re.compile(
    "GIT_(ASKPASS|PROXY_COMMAND|SSH(_.*)?|SSL_CA(INFO|PATH)|SSL_(CERT|KEY)|CONFIG_(NOSYSTEM|GLOBAL|SYSTEM))"
)
_FAILED, _INTERRUPTED, _INTERNAL_ERROR = 1, 130, 70


def main() -> NoReturn:
    """Do what git asks; never return."""
    try:
        status = _run(sys.argv[1:])
    except GitverifyError as error:
        _say([f"gitverify: {error}"])
        status = _FAILED
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:  # git has gone
        status = _FAILED
    except Exception as error:  # (the last resort: one clear sentence, no traceback)
        if os.environ.get("GITVERIFY_DEBUG"):
            raise
        _say([f"gitverify: internal error: {type(error).__name__}: {error}; nothing is served"])
        status = _INTERNAL_ERROR
    os._exit(status)


def _run(arguments: list[str]) -> int:
    from gitverify.git import Git  # noqa: PLC0415
    from gitverify.remote.outcome import told  # noqa: PLC0415
    from gitverify.remote.protocol import requested  # noqa: PLC0415

    if len(arguments) != 2:
        _say(["git runs this program for URLs such as verified::https://example.org/app.git: git clone verified::URL"])
        return 2
    if not requested(lambda: os.read(0, 1), _reply):
        return 0
    asked_in = os.environ.get("GIT_DIR")
    for name in [name for name in os.environ if name.startswith("GIT_") and not _KEPT.fullmatch(name)]:
        del os.environ[name]
    mirror, choice, results = _updated(arguments[1], Path(asked_in) if asked_in else None)
    lines, serves = told(arguments[1], results, strict=choice.strict)
    _say(lines)
    if not serves:
        return _FAILED
    _reply(b"\n")
    return Git(mirror, None, os.environ).become("upload-pack", str(mirror))


def _updated(url: str, asked_in: Path | None) -> tuple[Path, Choice, list[Result]]:
    """Bring the mirror of a URL up to date; ``asked_in``: the repository that git works in, whose settings count."""
    from gitverify.cli.mirror import MirrorJob  # noqa: PLC0415
    from gitverify.cli.transfers import at_work, cache_directory, source_of  # noqa: PLC0415
    from gitverify.limits import LIMITS  # noqa: PLC0415
    from gitverify.mirror import memory  # noqa: PLC0415
    from gitverify.remote.choice import choose  # noqa: PLC0415
    from gitverify.transfer.store import Store  # noqa: PLC0415

    source = source_of(url)
    home = cache_directory(os.environ) / "remotes"
    with at_work() as progress:
        asking = Store(home / "asking.git", os.environ)
        with asking.locked("refs/heads/none") as quarantine:
            choice = choose(source.url, _settings(asking, asked_in), os.environ)
        mirror = home / f"{choice.digest(source.url)}.git"
        known = memory.read(mirror / "gitverify")
        branches = choice.branches
        if known is None and not branches:
            # It is asked once: a server could lead to another branch later, and an older one. And it is asked while
            # nothing is locked: it may never answer, and other remotes are other servers'.
            branches = (quarantine.default_branch(source, choice.timeout or LIMITS.fetch_seconds),)
        job = MirrorJob(
            mirror,
            None,
            url=source.url,
            branches=branches,
            introduction=choice.introduction,
            signer=choice.signer,
            keyring=choice.keyring,
            policy_path=choice.policy_path,
            dialect=choice.dialect,
            max_age=choice.max_age,
            max_size=choice.max_size,
            timeout=choice.timeout,
            state=os.environ.get("GITVERIFY_STATE") or None,
        )
        return mirror, choice, _results(job, known, progress)


def _results(job: MirrorJob, known: Memory | None, progress: Progress) -> list[Result]:
    """Update; where that can't even begin, or end, because a disk is full say, all stays as it was."""
    from gitverify.git import GitError  # noqa: PLC0415
    from gitverify.remote.outcome import unmoved  # noqa: PLC0415
    from gitverify.session import Unanswerable  # noqa: PLC0415
    from gitverify.transfer.store import NoStore  # noqa: PLC0415

    try:
        return job.update(progress)
    except (NoStore, GitError, Unanswerable) as error:
        if known is None:
            raise
        return unmoved(job.store, known, error)


def _settings(asking: Store, asked_in: Path | None) -> Settings:
    """Read git's configuration: that of the repository that git works in, or the user's and the system's."""
    from gitverify.session import Unanswerable  # noqa: PLC0415
    from gitverify.settings import ConfigUntrusted, Settings  # noqa: PLC0415
    from gitverify.source import Repository, RepositoryError  # noqa: PLC0415
    from gitverify.transfer.arrival import unopened  # noqa: PLC0415

    try:
        if asked_in is not None:
            try:
                return Settings(Repository(asked_in, bare="trusted"))
            except RepositoryError as error:
                if error.code != "not-a-repository":  # git may be about to make one
                    raise
        return Settings(asking.open())
    except RepositoryError as error:
        raise unopened(error) from None
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None


def _reply(text: bytes) -> None:
    os.write(1, text)


def _say(lines: list[str]) -> None:
    for line in lines:
        sys.stderr.write(legible(line) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
