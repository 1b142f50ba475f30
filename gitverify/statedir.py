"""The directory that holds the marks: where it is, and whether it may be trusted (R24).

A mark is worth as much as the place it lies in. Whoever can replace it can hand the user an old branch again, so the
directory and the file belong to the user who runs us, and nobody else can read or write them. The directory is what
carries the argument: inside one with mode 0700 and the right owner nobody but that user and root can put, swap or
remove a file, which is why a look at the file by name (SQLite can only open by name) is not a race with anyone.

The directories above it are asked for less: nobody may swap the state directory unless its user allowed it, so a
parent that *everybody* can write is refused unless its sticky bit protects the entry. Their owner and group are not
looked at: in containers and user namespaces they are routinely foreign or unmapped, and a group-writable home is
what a umask of 002 makes; whoever owns a directory above ours can take our files away in any case, and root can too.
"""

# This runs at every start, where a Path costs more than the system call it makes.
# ruff: noqa: PTH100, PTH101, PTH102, PTH116, PTH117, PTH120

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FOREIGN_BITS = stat.S_IRWXG | stat.S_IRWXO


class StateError(GitverifyError):
    """The state can't be used (exit status 4).

    ``code`` is ``"state-unsafe"`` (mode, owner, place, not writable, busy) or ``"state-corrupt"`` (damaged, or not
    what we wrote). The message names the file and what to do.
    """

    def __init__(self, code: Literal["state-corrupt", "state-unsafe"], message: str) -> None:
        """Remember the reason code next to the message."""
        super().__init__(message)
        self.code = code


def unsafe(path: str, reason: str) -> StateError:
    """Return a ``state-unsafe`` error about ``path``."""
    return StateError("state-unsafe", f"{shown_path(path)} {reason}")


def corrupt(path: str, reason: str) -> StateError:
    """Return a ``state-corrupt`` error about ``path``, with the two ways out that a person has."""
    return StateError(
        "state-corrupt",
        f"{shown_path(path)} {reason}; restore it from a backup, or move it away to start without the marks it held",
    )


def shown_path(path: str) -> str:
    """Return ``path`` as it may be shown."""
    return shown(os.fsencode(path), 1000)


def default_state_directory(environ: Mapping[str, str]) -> Path:
    """Return where marks are kept unless the caller names a directory; nothing is looked at or created.

    The first of: the first directory in ``$STATE_DIRECTORY`` (what systemd sets for ``StateDirectory=``; list
    separated by colons), ``$XDG_STATE_HOME/gitverify``, ``$HOME/.local/state/gitverify``. An empty value counts as
    unset, and so does a relative ``$XDG_STATE_HOME`` (XDG Base Directory Specification, "Environment variables").

    Raises :class:`StateError` (``state-unsafe``) where ``$STATE_DIRECTORY`` is relative: it would name a place inside
    whatever directory we run in. The same where no home directory is known.
    """
    from_systemd = environ.get("STATE_DIRECTORY", "")
    if from_systemd:
        first = from_systemd.split(":", 1)[0]
        if not os.path.isabs(first):
            raise unsafe(from_systemd, "in $STATE_DIRECTORY does not start with an absolute path")
        return Path(first)
    xdg = environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg, "gitverify")
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        raise StateError("state-unsafe", "no home directory is known to keep marks in; name a directory with --state")
    return Path(home, ".local", "state", "gitverify")


def require_outside(directory: Path, places: Iterable[Path]) -> None:
    """Return if ``directory`` lies in none of ``places`` (worktree and git directory of the repository judged, R24).

    Symbolic links are followed. Raises :class:`StateError` (``state-unsafe``): whoever writes the repository could
    otherwise ship a mark of his own.
    """
    real = Path(os.path.realpath(directory))
    for place in places:
        if real.is_relative_to(os.path.realpath(place)):
            raise unsafe(str(real), f"lies inside the repository being judged ({shown_path(str(place))})")


def require_directory(directory: Path, *, writable: bool) -> str | None:
    """Return the real path of the state directory once it has been found safe.

    On return it is a directory with mode 0700 or stricter that belongs to the effective user, and no directory above
    it lets everybody rename it. With ``writable``, it has been created where it was missing (durably, with missing
    parents, mode 0700 whatever the umask says), and this process may create files in it. Without, nothing is written,
    and ``None`` says that there is none.

    Raises :class:`StateError` (``state-unsafe``) with the command that repairs it, where there is one.
    """
    named = os.path.abspath(directory)  # Path.absolute() leaves ".." in, and then the parents are not the real ones
    try:
        if writable:
            _create(named)
        real = os.path.realpath(named)
        status = os.stat(real)
    except FileNotFoundError as error:
        if not writable:
            return None
        raise unsafe(named, "cannot be created: it is a symbolic link to nothing") from error
    except OSError as error:
        raise unsafe(named, f"cannot be used: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise unsafe(named, "is not a directory")
    require_private(real, status, 0o700)
    _require_safe_parents({named, real})
    if writable:
        require_access(real, os.R_OK | os.W_OK | os.X_OK)
    return real


def require_private(path: str, status: os.stat_result, mode: int) -> None:
    """Return if the effective user owns ``path`` and nobody else has any permission (``mode`` is what to advise)."""
    user = os.geteuid()
    if status.st_uid != user:
        raise unsafe(path, f"belongs to user id {status.st_uid}, but this process runs as user id {user}")
    if status.st_mode & _FOREIGN_BITS:
        has = f"has mode {stat.S_IMODE(status.st_mode):04o}, so others can get at it"
        raise unsafe(path, f"{has}; run: chmod {mode:o} {shlex.quote(shown_path(path))}")


def require_access(path: str, mode: int) -> None:
    """Return if the effective user may use ``path`` as ``mode`` says; on a read-only file system nobody may write."""
    if not os.access(path, mode, effective_ids=os.access in os.supports_effective_ids):
        raise unsafe(path, "is not writable, and the mark could not be moved; name another directory with --state")


def sync_directory(path: str) -> None:
    """Make the entries of a directory durable; raise :class:`OSError` where that fails.

    A directory that we may write but not read can't be opened, and some file systems can't sync one (EINVAL): there
    is no other way to ask, so both count as done.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def _create(directory: str) -> None:
    """Create ``directory`` and its missing parents, each synced into the one above it."""
    missing = []
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for path in reversed(missing):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue  # another process was faster
        os.chmod(path, 0o700)
        sync_directory(os.path.dirname(path))


def _require_safe_parents(directories: set[str]) -> None:
    """Check what lies above the directory, by the name it was given and by its real one."""
    seen: set[str] = set()
    for directory in directories:
        path = directory
        while (parent := os.path.dirname(path)) != path and parent not in seen:
            seen.add(parent)
            path = parent
            try:
                mode = os.stat(parent).st_mode
            except OSError as error:
                raise unsafe(parent, f"cannot be looked at: {error.strerror}") from error
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                quoted = shlex.quote(shown_path(parent))
                raise unsafe(parent, f"lets everybody replace the state directory in it; run: chmod o-w {quoted}")
