"""Loose object files, looked at before libgit2 reads them.

Libgit2 1.9 never returns from a loose object whose compressed data ends early. So each file is first inflated here,
to see that it is whole; that its content belongs to its id is still libgit2's to check, with collision detection.
Objects in packs, which are nearly all, cost nothing of this: packs are asked first.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject
from gitverify.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ALTERNATE_DEPTH = 5  # as in git
_HEADER = re.compile(rb"(?:commit|tree|blob|tag) (0|[1-9][0-9]{0,17})\0")
_CHUNK = 1 << 20


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

    def check(self, object_id: bytes) -> None:
        """Return where the object's file, in every directory that has one, is whole or absent.

        Raises MissingObject where one is not.
        """
        name = object_id.hex()
        for directory in self._directories:
            try:
                with open(f"{directory}/{name[:2]}/{name[2:]}", "rb") as file:  # noqa: PTH123  (asked often)
                    flaw = _flaw(iter(lambda: file.read(_CHUNK), b""))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                flaw = error.strerror or "it can't be read"
            if flaw:
                raise MissingObject(object_id, f"is damaged in this repository ({flaw})")


def _flaw(chunks: Iterable[bytes]) -> str:
    """Say what is wrong with a loose object's compressed bytes; nothing is kept of them."""
    inflater = zlib.decompressobj()
    start = b""
    size = length = 0
    header = None
    try:
        for chunk in chunks:
            data = inflater.decompress(chunk, _CHUNK)
            while data:
                if header is None:
                    start = (start + data)[:64]
                    header = _HEADER.match(start)
                    if header is None and len(start) >= 32:
                        return "it has no header"
                    size = header.end() + int(header[1]) if header is not None else 0
                    if size > LIMITS.loose_object_size:
                        return f"it is larger than {LIMITS.loose_object_size} bytes"
                length += len(data)
                if header is not None and length > size:
                    return "it is longer than it says"
                data = inflater.decompress(inflater.unconsumed_tail, _CHUNK) if inflater.unconsumed_tail else b""
            if inflater.eof:
                break
    except zlib.error as error:
        return f"it can't be inflated: {error}"
    if not inflater.eof or header is None or length != size:
        return "it ends early"
    return "more data follows it" if inflater.unused_data else ""
