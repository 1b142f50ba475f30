"""The one adapter over the git program: for what changes or moves objects, or asks what only git's own settings say.

Verifying never runs it. What is run here is kept to itself: no hooks, no replaced objects or grafts, no attributes or
settings of tracked files, and nothing of the environment that would lead git to another repository, index or object
directory. Git's configuration, and who the committer is, stay the user's.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from gitverify.children import MOST_SAID, Enough, check, limited, said_by, stop, stop_all
from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    _Stream = int | IO[bytes] | None

# Of git's own variables these are kept: who commits, and where the user's configuration lies.
_KEPT = re.compile("GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)|GIT_CONFIG_.*|GIT_EXEC_PATH")
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.commitGraph=false",
    "color.ui=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
)
_MOST_LINES = 8


class GitError(GitverifyError):
    """Git could not do it. ``output`` is what it said, escaped, line by line."""

    def __init__(self, message: str, output: tuple[str, ...] = ()) -> None:
        """Remember what git said."""
        super().__init__("; ".join([message, *output]))
        self.output = output


class TooLong(GitError):
    """Git was stopped: it took longer than it may."""


class TooMuch(GitError):
    """Git was stopped: it wrote more than it may."""


class Done(NamedTuple):
    """How a command ended."""

    status: int
    output: bytes


class Git:
    """Runs git on one repository."""

    def __init__(
        self,
        directory: Path,
        worktree: Path | None,
        environment: Mapping[str, str],
        *,
        settings: Sequence[str] = (),
        named: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """``directory``: the git directory; ``worktree``: its checkout, None in a bare repository.

        ``settings``: further ``name=value`` that count more than any file; ``named``: the same, with the environment
        variable that has the value, for names with a ``=``. ``variables``: of the environment, set as given.
        """
        self.directory = directory
        self.worktree = worktree
        self._settings = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
        self._settings += [f"--config-env={name}={variable}" for name, variable in (named or {}).items()]
        self.environment = {
            **{k: v for k, v in environment.items() if not k.startswith("GIT_") or _KEPT.fullmatch(k)},
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ADVICE": "0",
            **(variables or {}),
        }

    def run(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        in_worktree: bool = False,
    ) -> Done:
        """Run a git command to its end. Raises GitError where its exit status is not one of ``accept``.

        Unless ``in_worktree``, it sees no checkout and no index, and so none of the attributes that tracked files set.
        """
        place = (self.worktree if in_worktree else None) or self.directory
        environment = self.environment if place != self.directory else self._without_index
        try:
            done = subprocess.run(  # noqa: S603  (no shell; what is run is written in this package)
                self._command(arguments, place),
                cwd=place,
                env=environment,
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise GitError(f"git can't be run: {error.strerror}") from None
        if done.returncode not in accept:
            _failed(arguments, done.stderr)
        return Done(done.returncode, done.stdout)

    def watch(
        self,
        *arguments: str,
        seconds: float,
        file_size: int,
        said: Callable[[str], None] | None = None,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """Run a command that talks to others, and may never come to an end by itself; return what it prints.

        It is stopped after so many seconds, and by the system when it writes a file, or prints, more than ``file_size``
        bytes. As it may write many files, ``is_enough`` is asked every second, and at the end, whether to stop it, too.
        What it says, progress too, goes line by line to ``said``: escaped, because servers have git say things.
        Raises GitError, TooLong, TooMuch.
        """
        with tempfile.TemporaryFile() as printed:
            self._watch(arguments, printed, seconds, file_size, said, is_enough)
            printed.seek(0)
            return printed.read()

    def _watch(
        self,
        arguments: Sequence[str],
        printed: IO[bytes],
        seconds: float,
        file_size: int,
        said: Callable[[str], None] | None,
        is_enough: Callable[[], bool],
    ) -> None:
        end = time.monotonic() + seconds
        told: list[bytes] = []
        with limited(file_size):
            process = self._start(arguments, stdin=subprocess.DEVNULL, stdout=printed, apart=True)
        try:
            for line in said_by(process, end, is_enough):
                if b"%" not in line:  # how far it has come
                    told = [*told[1 - _MOST_LINES :], line]
                if said is not None:
                    said(shown(line))
            process.wait(max(end - time.monotonic(), 0))
            check(is_enough)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise _too_long(arguments, seconds) from None
        except Enough:
            raise TooMuch(f"git {arguments[0]} wrote more than it may") from None
        finally:
            stop_all(process)
        if process.returncode:
            _failed(arguments, b"\n".join(told))

    def pipe(self, *arguments: str, stdin: bytes, into: Git, consumer: Sequence[str]) -> bytes:
        """Run a command whose output another one reads, of another repository; return what that one prints.

        Raises GitError where either fails.
        """
        with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
            source = self._start(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=first)
            try:
                target = into._start(consumer, stdin=source.stdout, stdout=subprocess.PIPE, stderr=second)
            except GitError:
                stop(source)
                raise
            if source.stdout is not None:
                source.stdout.close()  # so that the source learns it when its reader ends
            try:
                source.communicate(stdin)
                output, _ = target.communicate()
            finally:
                stop(source)
                stop(target)
            for process, what, errors in ((target, consumer, second), (source, arguments, first)):
                if process.returncode:
                    errors.seek(0)
                    _failed(what, errors.read(MOST_SAID))
        return bytes(output)

    def become(self, *arguments: str) -> NoReturn:
        """Have git take this process's place, and its input and output. Raises GitError."""
        # Git warns of a file for grafts, even an empty one, and that would reach whoever is on the other side.
        environment = {name: value for name, value in self.environment.items() if name != "GIT_GRAFT_FILE"}
        try:
            os.execvpe("git", ["git", *self._settings, *arguments], environment)  # noqa: S606, S607  (no shell; git is on PATH)
        except OSError as error:
            raise GitError(f"git can't be run: {error.strerror}") from None

    @property
    def _without_index(self) -> dict[str, str]:
        return {**self.environment, "GIT_INDEX_FILE": str(self.directory / "no-index")}

    def _command(self, arguments: Sequence[str | bytes], place: Path) -> list[str | bytes]:
        return ["git", f"--git-dir={self.directory}", f"--work-tree={place}", *self._settings, *arguments]

    def _start(
        self,
        arguments: Sequence[str],
        stdin: _Stream,
        stdout: _Stream,
        stderr: _Stream = subprocess.PIPE,
        *,
        apart: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a command; ``apart``: in a session of its own, away from the terminal, to be ended with its own."""
        try:
            return subprocess.Popen(  # noqa: S603  (as in run)
                self._command(arguments, self.directory),
                cwd=self.directory,
                env=self._without_index,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=apart,
            )
        except OSError as error:
            raise GitError(f"git can't be run: {error.strerror}") from None

    def line(self, *arguments: str, accept: Collection[int] = (0,)) -> str | None:
        """Return the one line that a command prints; None where it prints nothing."""
        text = self.run(*arguments, accept=accept).output.decode("utf-8", "surrogateescape")
        return text.removesuffix("\n") or None

    def setting(self, name: str, *, kind: str | None = None) -> str | None:
        """Return the value of a configuration variable as git itself would take it; None where there is none.

        ``kind``: how git reads it, such as ``path``.
        """
        kinds = [f"--type={kind}"] if kind else []
        return self.line("config", *kinds, "--get", name, accept=(0, 1))

    def reaches(self, start: bytes, goal: bytes) -> bool:
        """Whether ``goal`` is ``start`` or an ancestor of it, over raw edges. Proves nothing (shallow clones)."""
        return self.run("merge-base", "--is-ancestor", goal.hex(), start.hex(), accept=(0, 1)).status == 0


def _failed(arguments: Sequence[str | bytes], said: bytes) -> NoReturn:
    what = arguments[0] if isinstance(arguments[0], str) else ""
    raise GitError(f"git {what} failed", _lines(said))


def _too_long(arguments: Sequence[str | bytes], seconds: float) -> TooLong:
    what = arguments[0] if isinstance(arguments[0], str) else ""
    return TooLong(f"git {what} took longer than {seconds:,.0f} seconds")


def _lines(text: bytes) -> tuple[str, ...]:
    lines = [line for line in text.split(b"\n") if line.strip() and not line.startswith(b"hint:")]
    return tuple(shown(line) for line in lines[:_MOST_LINES])
