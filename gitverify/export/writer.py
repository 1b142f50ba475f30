"""Writing a tree below an open directory: everything is made anew, under a handle, and no symlink is ever followed.

A directory is opened by its name in the handle of the one above it, so whatever is put in the place of a directory on
the way leads nowhere else. What exists already is never opened, replaced or written through. That also finds names that
are the same to the file system: the second one exists.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from gitverify.export.names import looks_like_git
from gitverify.export.visitor import Unfit
from gitverify.text import shown

if TYPE_CHECKING:
    from typing import Self

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OWN_EXECUTABLE = 0o100
_NONE = -1
_LATEST = (1 << 32) - 1  # seconds since 1970: what file systems of today can record


class Writer:
    """A :class:`~gitverify.export.visitor.Visitor` that writes what it is shown, as ``tree`` in an open directory.

    Files and directories get the modes that the user's umask leaves, executable where the tree says so. The time of
    everything is ``date`` (seconds since 1970). Every method raises Unfit where something can't be written as it is
    in the tree.
    """

    def __init__(self, directory: int, tree: bytes, date: int) -> None:
        """Write nothing yet. ``directory`` stays open."""
        self._tree = tree
        self._time = (min(max(date, 0), _LATEST),) * 2
        self._handles = [directory]
        self._names: list[set[bytes]] = []  # of each directory that is open: what was made in it
        self._path: list[bytes] = []
        self._recorded: set[bool] = set()
        self._file = _NONE

    def enter(self, name: bytes) -> None:
        """Make a directory."""
        place, above = self._new(name)
        try:
            os.mkdir(place, dir_fd=above)
            self._handles.append(os.open(place, _DIRECTORY, dir_fd=above))
        except OSError as error:
            self._failed(error)
        self._names.append(set())

    def leave(self) -> None:
        """Be done with a directory."""
        self._end_file()
        try:
            kept = names_in(self._handles[-1])
            os.utime(self._handles[-1], self._time)
            os.close(self._handles.pop())
        except OSError as error:
            self._failed(error)
        lost = self._names.pop() - kept
        if lost:
            self._path.append(min(lost))
            raise self._unfit("the file system gives it another name")
        self._path[-1:] = []

    def file(self, name: bytes, *, executable: bool, size: int) -> None:  # noqa: ARG002  (a visitor may want to know)
        """Make a file."""
        place, above = self._new(name)
        try:
            self._file = os.open(place, _FILE, 0o777 if executable else 0o666, dir_fd=above)
            # All of it is in one file system, which records that or not: one file of each kind tells.
            if executable not in self._recorded and bool(os.fstat(self._file).st_mode & _OWN_EXECUTABLE) != executable:
                raise self._unfit("which files are executable is not recorded here")
        except OSError as error:
            self._failed(error)
        self._recorded.add(executable)

    def data(self, piece: bytes | memoryview) -> None:
        """Write to the file that was made last."""
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self._failed(error)

    def symlink(self, name: bytes, target: bytes) -> None:
        """Make a symlink."""
        place, above = self._new(name)
        try:
            os.symlink(target, place, dir_fd=above)
            os.utime(place, self._time, dir_fd=above, follow_symlinks=False)
            kept = os.readlink(place, dir_fd=above)
        except OSError as error:
            self._failed(error)
        if kept != target:
            raise self._unfit("the file system has the symlink lead elsewhere")
        self._path.pop()

    def close(self) -> None:
        """Let go of everything that is open, done or not."""
        if self._file != _NONE:
            os.close(self._file)
            self._file = _NONE
        while len(self._handles) > 1:
            os.close(self._handles.pop())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close everything."""
        self.close()

    def _new(self, name: bytes) -> tuple[bytes, int]:
        """Return under which name to make an entry, and the handle of the directory to make it in."""
        self._end_file()
        if not self._names:
            return self._tree, self._handles[-1]
        self._path.append(name)
        if looks_like_git(name):
            raise Unfit("malformed-tree", f"“{shown(name)}” is taken for .git on some file systems", self._whole_path())
        self._names[-1].add(name)
        return name, self._handles[-1]

    def _end_file(self) -> None:
        if self._file == _NONE:
            return
        try:
            os.utime(self._file, self._time)
            handle, self._file = self._file, _NONE
            os.close(handle)
        except OSError as error:
            self._failed(error)
        self._path.pop()

    def _failed(self, error: OSError) -> NoReturn:
        if isinstance(error, FileExistsError):
            raise self._unfit("the file system takes its name for that of another file beside it") from None
        raise self._unfit(error.strerror or str(error)) from None

    def _unfit(self, message: str) -> Unfit:
        path = self._whole_path()
        return Unfit("output-failed", f"{shown(path or b'the tree')} can't be written: {message}", path)

    def _whole_path(self) -> bytes | None:
        return b"/".join(self._path) or None


def names_in(directory: int) -> set[bytes]:
    """Return what is in an open directory. Raises OSError."""
    return set(map(os.fsencode, os.listdir(directory)))
