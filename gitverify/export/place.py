"""A directory that appears whole or not at all.

Everything is written below a *holder*, a new directory beside the one that is to appear, which nobody else can enter.
When all is written and on the disk, it is renamed out of the holder: at once, over nothing or an empty directory, and
never through a symlink. What was renamed can't have been exchanged before: only its owner gets into the holder.

A run that was killed leaves its holder behind. Each holder is locked by whoever fills it, so that a later run finds out
that nobody does any more, and removes it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.export.visitor import Unfit
from gitverify.export.writer import Writer, names_in
from gitverify.text import shown

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_TREE = b"gitverify-export"  # all that ever is in a holder
_HOLDER = re.compile(rb"\.gitverify-export-[0-9a-f]{16}")
_ATTEMPTS = 100


class NoPlace(GitverifyError):
    """A directory can't appear there."""


class Place:
    """Where a directory is to appear. Raises NoPlace where it can't, and Unfit once something is written."""

    def __init__(self, directory: Path) -> None:
        """Take a place whose parent directory exists, and where nothing is but, perhaps, an empty directory."""
        self._named = shown(str(directory))
        self._name = os.fsencode(directory.name)
        self._holder: _Holder | None = None
        if self._name in {b"", b".."}:
            raise NoPlace(f"“{self._named}” has no name of its own: name a directory that is to be made")
        try:
            self._parent = os.open(directory.parent, _DIRECTORY)
        except OSError as error:
            raise NoPlace(f"{shown(str(directory.parent))} can't be opened: {error.strerror}") from None
        try:
            self._check_free()
        except BaseException:
            self.close()
            raise

    def writer(self, date: int) -> Writer:
        """Begin to write, from the beginning if something was written; ``date`` is everything's time. Raises Unfit."""
        self.discard()
        try:
            _remove_abandoned(self._parent)
            self._holder = _Holder.make(self._parent)
        except OSError as error:
            raise self._unfit(error) from None
        return Writer(self._holder.handle, _TREE, date)

    def appear(self) -> None:
        """Have what was written appear, when all of it is on the disk. Raises Unfit."""
        if self._holder is None:
            raise AssertionError("nothing was written")
        try:
            _sync(self._holder.handle)
            os.rename(_TREE, self._name, src_dir_fd=self._holder.handle, dst_dir_fd=self._parent)
            os.fsync(self._parent)
        except OSError as error:
            raise self._unfit(error) from None
        self.discard()

    def discard(self) -> None:
        """Remove what was written and has not appeared."""
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.remove()

    def close(self) -> None:
        """Let go of the place; what has not appeared is removed."""
        self.discard()
        os.close(self._parent)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Let go of the place."""
        self.close()

    def _check_free(self) -> None:
        try:
            status = os.stat(self._name, dir_fd=self._parent, follow_symlinks=False)
        except FileNotFoundError:
            status = None
        except OSError as error:
            raise NoPlace(f"{self._named} can't be looked at: {error.strerror}") from None
        if status is not None and not stat.S_ISDIR(status.st_mode):
            what = "a symlink" if stat.S_ISLNK(status.st_mode) else "a file"
            raise NoPlace(f"{self._named} is {what}: name a directory that is to be made")
        if status is not None and not self._is_empty():
            raise NoPlace(f"{self._named} is there already, and not empty: remove it or name another directory")
        if not os.access(b".", os.W_OK | os.X_OK, dir_fd=self._parent, effective_ids=True):
            raise NoPlace(f"no directory can be made beside {self._named}: permission denied")

    def _is_empty(self) -> bool:
        try:
            handle = os.open(self._name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=self._parent)
        except OSError as error:
            raise NoPlace(f"{self._named} can't be looked at: {error.strerror}") from None
        try:
            return not names_in(handle)
        finally:
            os.close(handle)

    def _unfit(self, error: OSError) -> Unfit:
        said = error.strerror or str(error)
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            said = "by now there is something else"
        return Unfit("output-failed", f"{self._named} can't be written: {said}", None)


class _Holder:
    """A directory that nobody else can enter, which whoever fills it has locked."""

    def __init__(self, parent: int, name: str, handle: int) -> None:
        self._parent = parent
        self._name = name
        self.handle = handle

    @classmethod
    def make(cls, parent: int) -> _Holder:
        """Make one. Raises OSError."""
        for _ in range(_ATTEMPTS):
            name = f".gitverify-export-{secrets.token_hex(8)}"
            os.mkdir(name, 0o700, dir_fd=parent)
            try:
                holder = cls.open(parent, name)
            except PermissionError:  # a umask that takes from the owner, too
                holder = None
            if holder is None:
                with suppress(OSError):
                    os.rmdir(name, dir_fd=parent)
            else:
                if holder._lock() is not False and os.fstat(holder.handle).st_nlink:  # noqa: SLF001  (its own)
                    return holder
                os.close(holder.handle)  # a run that cleans up took it for abandoned before it was locked
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    @classmethod
    def open(cls, parent: int, name: str) -> _Holder | None:
        """Open one; None where something else has that name. Raises OSError."""
        handle = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        status = os.fstat(handle)
        closed = stat.S_IMODE(status.st_mode) & 0o777 == 0o700
        if closed and status.st_uid == os.geteuid() and names_in(handle) <= {_TREE}:
            return cls(parent, name, handle)
        os.close(handle)
        return None

    def _lock(self) -> bool | None:
        """Return whether nobody else has it locked; None where the file system has no locks."""
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True

    def remove_if_abandoned(self) -> None:
        """Remove it where nobody fills it any more; let go of it."""
        if self._lock():
            self.remove()
        else:
            os.close(self.handle)

    def remove(self) -> None:
        """Remove it with all that is in it, as far as that can be done.

        By its handle: by its name something else would be removed, if somebody had put that in its place.
        """
        shutil.rmtree(_TREE, ignore_errors=True, dir_fd=self.handle)
        os.close(self.handle)
        with suppress(OSError):
            os.rmdir(self._name, dir_fd=self._parent)


def _remove_abandoned(parent: int) -> None:
    """Remove what runs left behind that were killed."""
    for name in names_in(parent):
        if _HOLDER.fullmatch(name):
            with suppress(OSError):
                holder = _Holder.open(parent, os.fsdecode(name))
                if holder is not None:
                    holder.remove_if_abandoned()


def _sync(handle: int) -> None:
    """Return when all that was written to the file system of an open file is on the disk. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):  # pragma: no cover - macOS
        os.sync()
    elif library.syncfs(handle) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
