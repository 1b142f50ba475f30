"""Showing what lies on disk to a visitor, as Nix reads it: no symlink is followed, times and owners do not count."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Literal

from gitverify.errors import GitverifyError
from gitverify.limits import LIMITS
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitverify.export.visitor import Visitor

    Kind = Literal["directory", "file", "symlink", "other"]

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_EXECUTABLE = 0o100  # the owner's bit, as Nix reads it
_PIECE = 1 << 20


class Unreadable(GitverifyError):
    """Something on disk can't be read, is neither directory nor file nor symlink, or changes meanwhile."""


def show_path(path: Path, visitor: Visitor) -> None:
    """Show what lies at ``path``: a directory with all that is in it, a file, or a symlink. Raises Unreadable."""
    reader = _Reader(visitor)
    try:
        reader.show(os.fsencode(path))
    except OSError as error:
        place = b"/".join([os.fsencode(path), *reader.path])
        raise Unreadable(f"{shown(place)} can't be read: {error.strerror or error}") from None
    finally:
        reader.close()


class _Reader:
    """Goes through directories; of each that it is in, the handle is open."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._handles: list[int] = []
        self._waiting: list[Iterator[tuple[bytes, Kind]]] = []
        self._piece = memoryview(bytearray(_PIECE))
        self.path: list[bytes] = []

    def show(self, root: bytes) -> None:
        self._show(root, b"", _kind(os.lstat(root).st_mode))
        while self._waiting:
            name, kind = next(self._waiting[-1], (b"", None))
            if kind is None:
                self._visitor.leave()
                self._waiting.pop()
                os.close(self._handles.pop())
                del self.path[-1:]
                continue
            self.path.append(name)
            self._show(name, name, kind)
            if kind != "directory":
                self.path.pop()

    def close(self) -> None:
        while self._handles:
            os.close(self._handles.pop())

    def _show(self, place: bytes, name: bytes, kind: Kind) -> None:
        """Show an entry; where it is a directory, its own come next. The root's place is a path, and has no name."""
        above = self._handles[-1] if self._handles else None
        if kind == "directory":
            if len(self._handles) >= LIMITS.content_depth:
                raise OSError(0, f"directories lie in one another more than {LIMITS.content_depth:,} deep")
            self._handles.append(os.open(place, _FLAGS | os.O_DIRECTORY, dir_fd=above))
            self._visitor.enter(name)
            self._waiting.append(iter(_entries(self._handles[-1])))
        elif kind == "file":
            handle = os.open(place, _FLAGS, dir_fd=above)
            try:
                self._file(handle, name)
            finally:
                os.close(handle)
        elif kind == "symlink":
            self._visitor.symlink(name, os.readlink(place, dir_fd=above))
        else:
            raise OSError(0, "it is neither a directory nor a file nor a symlink")

    def _file(self, handle: int, name: bytes) -> None:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _changed()
        missing = status.st_size
        self._visitor.file(name, executable=bool(status.st_mode & _EXECUTABLE), size=missing)
        while missing:
            count = os.readv(handle, [self._piece[: min(missing, _PIECE)]])
            if not count:
                raise _changed()
            self._visitor.data(self._piece[:count])
            missing -= count
        after = os.fstat(handle)  # may be the same although it changed; where it is not, it did
        if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            raise _changed()


def _changed() -> OSError:
    return OSError(0, "it changed while it was read")


def _entries(handle: int) -> list[tuple[bytes, Kind]]:
    """Return the entries of a directory, sorted by name."""
    with os.scandir(handle) as found:
        return sorted((os.fsencode(entry.name), _kind_of(entry)) for entry in found)


def _kind_of(entry: os.DirEntry[str]) -> Kind:
    """Return what an entry is, without asking for its status where the directory says it."""
    if entry.is_symlink():
        return "symlink"
    if entry.is_file(follow_symlinks=False):
        return "file"
    return "directory" if entry.is_dir(follow_symlinks=False) else "other"


def _kind(mode: int) -> Kind:
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISREG(mode):
        return "file"
    return "symlink" if stat.S_ISLNK(mode) else "other"
