"""A tree as a tar archive: a function of the tree and a date, and of nothing else. Pure.

Everything lies in one folder, ``source``, which whoever unpacks it takes away again (Nix, ``nix-channel``). GNU's
format: names are bytes there, of any length. Source: GNU tar's manual, "Basic Tar Format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.export.names import looks_like_git
from gitverify.export.visitor import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = b"source"
_BLOCK = 512
_FIELD = 100  # bytes for a name, or a link's target
_LATEST = (1 << 32) - 1
_FILE, _SYMLINK, _DIRECTORY, _LONG_NAME, _LONG_TARGET = b"0", b"2", b"5", b"L", b"K"


def archive_time(date: int) -> int:
    """Return the time that everything in the archive of a commit with this date (seconds since 1970) has."""
    return min(max(date, 0), _LATEST)


class Tar:
    """A :class:`~gitverify.export.visitor.Visitor` that writes what it is shown."""

    def __init__(self, write: Callable[[bytes | memoryview], object], date: int) -> None:
        """``date``: the commit's."""
        self._write = write
        self._time = archive_time(date)
        self._path: list[bytes] = []
        self._missing = 0  # bytes of the file that was begun last
        self._padding = 0

    def enter(self, name: bytes) -> None:
        """Begin a directory."""
        self._path.append(self._named(name))
        self._head(_DIRECTORY, b"/".join([*self._path, b""]), 0o755)

    def leave(self) -> None:
        """End it."""
        self._path.pop()

    def file(self, name: bytes, *, executable: bool, size: int) -> None:
        """Begin a file of so many bytes."""
        self._head(_FILE, b"/".join([*self._path, self._named(name)]), 0o755 if executable else 0o644, size=size)
        self._missing, self._padding = size, -size % _BLOCK

    def data(self, piece: bytes | memoryview) -> None:
        """Go on with its content."""
        self._write(piece)
        self._missing -= len(piece)
        if not self._missing and self._padding:
            self._write(bytes(self._padding))

    def symlink(self, name: bytes, target: bytes) -> None:
        """Have a symlink."""
        self._head(_SYMLINK, b"/".join([*self._path, self._named(name)]), 0o777, target=target)

    def finish(self) -> None:
        """Write the end."""
        self._write(bytes(2 * _BLOCK))

    def _named(self, name: bytes) -> bytes:
        if not self._path:
            return _ROOT
        if looks_like_git(name):
            path = b"/".join([*self._path[1:], name])
            raise Unfit("malformed-tree", "a name in it is taken for .git on some file systems", path)
        return name

    def _head(self, kind: bytes, name: bytes, mode: int, *, size: int = 0, target: bytes = b"") -> None:
        for long, text in ((_LONG_TARGET, target), (_LONG_NAME, name)):
            if len(text) > _FIELD:
                self._write(_header(long, b"././@LongLink", 0, len(text) + 1, 0, b""))
                self._write(text + bytes(1 + -(len(text) + 1) % _BLOCK))
        self._write(_header(kind, name[:_FIELD], mode, size, self._time, target[:_FIELD]))


def _header(kind: bytes, name: bytes, mode: int, size: int, time: int, target: bytes) -> bytes:
    def field(content: bytes, width: int) -> bytes:
        return content.ljust(width, b"\0")

    def number(value: int, width: int) -> bytes:
        return b"%0*o\0" % (width - 1, value)

    before = field(name, _FIELD) + number(mode, 8) + number(0, 8) + number(0, 8) + number(size, 12) + number(time, 12)
    after = kind + field(target, _FIELD) + b"ustar  \0" + field(b"root", 32) + field(b"root", 32) + bytes(183)
    total = sum(before) + sum(after) + 8 * ord(" ")
    return before + b"%06o\0 " % total + after
