"""The one adapter over the git program: for what changes or moves objects, or asks what only git's own settings say.

Verifying never runs it. What is run here is kept to itself: no hooks, no replaced objects or grafts, no attributes or
settings of tracked files, and nothing of the environment that would lead git to another repository, index or object
directory. Git's configuration, and who the committer is, stay the user's.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from gitverify.errors import GitverifyError
from gitverify.limits import LIMITS
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
_MOST_SAID = 4096  # bytes of a line, or of all that a failed command said
_PATIENCE = 5  # seconds
_GLANCE = 1  # second


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


class _Enough(Exception):
    """What git runs for has come to more than it may; does not leave this module."""


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
        with _limited(file_size):
            process = self._start(arguments, stdin=subprocess.DEVNULL, stdout=printed, apart=True)
        try:
            for line in _said(process, end, is_enough):
                if b"%" not in line:  # how far it has come
                    told = [*told[1 - _MOST_LINES :], line]
                if said is not None:
                    said(shown(line))
            process.wait(max(end - time.monotonic(), 0))
            _check(is_enough)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise _too_long(arguments, seconds) from None
        except _Enough:
            raise TooMuch(f"git {arguments[0]} wrote more than it may") from None
        finally:
            _stop_all(process)
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
                _stop(source)
                raise
            if source.stdout is not None:
                source.stdout.close()  # so that the source learns it when its reader ends
            try:
                source.communicate(stdin)
                output, _ = target.communicate()
            finally:
                _stop(source)
                _stop(target)
            for process, what, errors in ((target, consumer, second), (source, arguments, first)):
                if process.returncode:
                    errors.seek(0)
                    _failed(what, errors.read(_MOST_SAID))
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


@contextmanager
def _limited(file_size: int) -> Iterator[None]:
    """Have a process that is started here, and all that it starts, write no larger file, nor take memory without end.

    A server can list references without end, and git remembers all of them. The limits are there before the process
    is: set on it afterwards, they would not count for what it has started by then.
    """
    import resource  # noqa: PLC0415  (rarely needed)

    own = _own_memory() * resource.getpagesize()  # for this moment the limit is that of this process, too
    wanted = {resource.RLIMIT_FSIZE: file_size, resource.RLIMIT_DATA: LIMITS.fetch_memory + own}
    before = {kind: resource.getrlimit(kind) for kind in wanted}
    try:
        for kind, limit in wanted.items():
            lower = [each for each in before[kind] if each != resource.RLIM_INFINITY]
            resource.setrlimit(kind, (min([limit, *lower]), before[kind][1]))
        yield
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)


def _own_memory() -> int:
    """Return how many pages of data this process has (proc(5), statm); 0 where that can't be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  (no pathlib here)
            return int(file.read().split()[5])
    except OSError:
        return 0


def _said(process: subprocess.Popen[bytes], end: float, is_enough: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the lines that a process writes to stderr, the longest cut. Raises TimeoutError at ``end``, _Enough."""
    if process.stderr is None:
        return
    handle, begun, asked = process.stderr.fileno(), b"", time.monotonic()
    while True:
        now = time.monotonic()
        left = end - now
        if left <= 0:
            raise TimeoutError
        if now - asked > _GLANCE:
            asked = now
            _check(is_enough)
        if not select.select([handle], [], [], min(left, _GLANCE))[0]:
            if process.poll() is not None:  # what it has left running, such as a connection that is shared, holds it
                break
            continue
        piece = os.read(handle, 1 << 16)
        if not piece:
            break
        *lines, begun = re.split(b"[\r\n]+", begun + piece)
        yield from (line[:_MOST_SAID] for line in lines if line.strip())
        begun = begun[:_MOST_SAID]
    if begun.strip():
        yield begun


def _check(is_enough: Callable[[], bool]) -> None:
    if is_enough():
        raise _Enough


def _stop_all(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started apart, and has not ended, with all that it has started.

    Some of these go on without it, and write. What speaks to nobody any more has ended: it has its stderr no more.
    """
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            for _ in _said(process, time.monotonic() + _PATIENCE, lambda: False):
                pass
        with suppress(ProcessLookupError, PermissionError):  # all has ended
            os.killpg(process.pid, signal.SIGKILL)
    _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended: kindly at first, so that it takes its own processes and files with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _lines(text: bytes) -> tuple[str, ...]:
    lines = [line for line in text.split(b"\n") if line.strip() and not line.startswith(b"hint:")]
    return tuple(shown(line) for line in lines[:_MOST_LINES])
