"""Loose object files, looked at before libgit2 reads them.

Libgit2 1.9 never returns from a loose object whose compressed data ends early. So each file is first inflated here,
to see that it is whole; that its content belongs to its id is still libgit2's to check, with collision detection.
Objects in packs, which are nearly all, cost nothing of this: packs are asked first.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject
from gitverify.objects.sizes import check_size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

_ALTERNATE_DEPTH = 5  # as in git
_HEADER = re.compile(rb"(commit|tree|blob|tag) (0|[1-9][0-9]{0,17})\0")
_CHUNK = 1 << 20
_HEADER_SIZE = 32


def object_directories(directory: Path) -> list[Path]:
    """Return an object directory and its alternates (``info/alternates``, gitrepository-layout(5)), each once."""
    found = [directory]
    todo = [(directory, 0)]
    while todo:
        here, depth = todo.pop(0)
        for line in _lines(here / "info" / "alternates"):
            other = (here / line).resolve()
            if depth < _ALTERNATE_DEPTH and other.is_dir() and other not in found:
                found.append(other)
                todo.append((other, depth + 1))
    return found


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [line for line in text.split("\n") if line and not line.startswith("#") and "\0" not in line]


class LooseFiles:
    """The loose files of some object directories."""

    def __init__(self, directories: Iterable[Path]) -> None:
        """Look in these directories."""
        self._directories = [str(directory) for directory in directories]

    def check(self, object_id: bytes, blob_size: int | None = None) -> None:
        """Return where the object's file, in every directory that has one, is whole or absent.

        ``blob_size``: see :func:`~gitverify.objects.sizes.check_size`. Raises MissingObject where one is not,
        OversizedObject where it is too large to be read.
        """
        name = object_id.hex()
        for directory in self._directories:
            try:
                _inspect(f"{directory}/{name[:2]}/{name[2:]}", blob_size)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise MissingObject(object_id, f"can't be read ({error.strerror})") from None
            except _Flaw as flaw:
                raise MissingObject(object_id, f"is damaged in this repository ({flaw})") from None


class _Flaw(Exception):
    """What is wrong with a file; does not leave this module."""


def _inspect(path: str, blob_size: int | None) -> None:
    """Inflate a loose object's file; nothing of it is kept."""
    # Not blocking: a pipe in an object's place would wait for a writer.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _Flaw("it is no regular file")
        try:
            _inflate(file, blob_size)
        except zlib.error as error:
            raise _Flaw(f"it can't be inflated: {error}") from None


def _inflate(file: BinaryIO, blob_size: int | None) -> None:
    inflater = zlib.decompressobj()
    start = inflater.decompress(file.read(_CHUNK), _HEADER_SIZE)
    header = _HEADER.match(start)
    if header is None:
        raise _Flaw("it has no header")
    check_size(header[1].decode(), int(header[2]), blob_size)
    missing = header.end() + int(header[2]) - len(start)
    while not inflater.eof:
        more = inflater.unconsumed_tail or file.read(_CHUNK)
        if not more:
            raise _Flaw("it ends early")
        missing -= len(inflater.decompress(more, _CHUNK))
        if missing < 0:
            raise _Flaw("it is longer than it says")
    if missing:
        raise _Flaw("it is shorter than it says")
    if inflater.unused_data or file.read(1):
        raise _Flaw("more data follows it")
