"""Nix archives, and their hash (*narHash*), made while a tree is gone through; nothing of it is kept.

Source: the Nix manual, "Nix Archive (NAR) Format"; Dolstra, "The Purely Functional Software Deployment Model", figure
5.2. An archive has names, contents, targets of symlinks and one executable bit, and no times, owners or other modes.

Whoever goes through a tree calls the methods of :class:`Archive` in the order in which Nix does: a directory's entries
are sorted by their bytes. (Git sorts a directory as if its name ended in a slash, which is another order.)
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

_BASE32 = "0123456789abcdfghijklmnpqrsvwxyz"  # without e, o, t, u
_DIGEST_BITS = 256
_GATHERED = 1 << 12  # bytes: less is put together, not to be written piece by piece


class NotAnArchive(GitverifyError):
    """What was shown is no tree: entries out of order, a file of another size than was said, or no end."""


class Archive:
    """Writes the archive of what it is shown (a :class:`~gitverify.export.visitor.Visitor`) in pieces.

    Every method but :meth:`finish` and :meth:`data` begins or ends one entry. The root has no name: ``b""``. All of
    them raise NotAnArchive where what they are shown makes no tree.
    """

    def __init__(self, write: Callable[[bytes | bytearray | memoryview], object]) -> None:
        """Give the bytes, piece by piece, to ``write``."""
        self._write = write
        self._gathered = bytearray(_string(b"nix-archive-1"))
        self._last: list[bytes] = []  # of each directory that is open: the name of the entry that was begun last
        self._missing = 0  # bytes of the file that was begun last
        self._padding = 0
        self._ended = False

    def enter(self, name: bytes) -> None:
        """Begin a directory; what follows is in it."""
        self._begin(name)
        self._put(_DIRECTORY)
        self._last.append(b"")

    def leave(self) -> None:
        """End the directory that was begun last and has not ended."""
        self._complete()
        if not self._last:
            raise NotAnArchive("a directory ends that never began")
        self._last.pop()
        self._end()

    def file(self, name: bytes, *, executable: bool, size: int) -> None:
        """Begin a file of so many bytes; :meth:`data` gives them."""
        self._begin(name)
        self._put((_EXECUTABLE if executable else _REGULAR) + _number(size))
        self._missing = size
        self._padding = -size % 8
        if not size:
            self._end()

    def data(self, piece: bytes | memoryview) -> None:
        """Go on with the content of the file that was begun last."""
        if not piece:
            return
        self._missing -= len(piece)
        if self._missing < 0:
            raise NotAnArchive(f"a file is longer than was said, by {-self._missing:,}")
        self._put(piece)
        if not self._missing:
            self._put(bytes(self._padding))
            self._end()

    def symlink(self, name: bytes, target: bytes) -> None:
        """Have a symlink."""
        self._begin(name)
        self._put(_SYMLINK + _string(target))
        self._end()

    def finish(self) -> None:
        """Write what is left. Returns when all of a tree was shown."""
        self._complete()
        if not self._ended:
            raise NotAnArchive("the tree is not complete")
        self._flush()

    def _begin(self, name: bytes) -> None:
        self._complete()
        if self._ended or bool(self._last) != bool(name):
            raise NotAnArchive(f"“{shown(name)}” is no name here: the root has none, and everything below has one")
        if self._last:
            if name <= self._last[-1] or name in {b".", b".."} or b"/" in name or b"\0" in name:
                raise NotAnArchive(f"“{shown(name)}” can't be the name of the entry after “{shown(self._last[-1])}”")
            self._last[-1] = name
            self._put(_ENTRY + _string(name) + _NODE)
        self._put(_OPEN)

    def _end(self) -> None:
        if self._last:
            self._put(_CLOSE + _CLOSE)  # the node, and the entry around it
        else:
            self._put(_CLOSE)
            self._ended = True

    def _complete(self) -> None:
        """See to it that the file that was begun last has all its bytes."""
        if self._missing:
            raise NotAnArchive(f"a file is shorter than was said, by {self._missing:,}")

    def _put(self, piece: bytes | memoryview) -> None:
        if len(piece) >= _GATHERED:
            self._flush()
            self._write(piece)
            return
        self._gathered += piece
        if len(self._gathered) >= _GATHERED:
            self._flush()

    def _flush(self) -> None:
        if self._gathered:
            self._write(self._gathered)
            self._gathered = bytearray()


class Hashing(Archive):
    """Hashes the archive of what it is shown."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._digest = hashlib.sha256()
        super().__init__(self._digest.update)

    def digest(self) -> bytes:
        """Return the SHA-256 (32 bytes), once all of a tree was shown. Raises NotAnArchive."""
        self.finish()
        return self._digest.digest()


def nar_hash(show: Callable[[Archive], object]) -> bytes:
    """Return the SHA-256 (32 bytes) of the archive of the tree that ``show`` shows. Raises NotAnArchive."""
    hashing = Hashing()
    show(hashing)
    return hashing.digest()


def sri(digest: bytes) -> str:
    """Return a SHA-256 as Subresource Integrity has it, and ``nix hash path``: ``sha256-…``."""
    return "sha256-" + b64encode(digest).decode()


def read_sri(text: str) -> bytes:
    """Return the SHA-256 (32 bytes) that :func:`sri` has written so. Raises ValueError."""
    digest = b64decode(text.removeprefix("sha256-"), validate=True)
    if len(digest) * 8 != _DIGEST_BITS or sri(digest) != text:
        raise ValueError("not a SHA-256 in the form of Subresource Integrity")
    return digest


def base32(digest: bytes) -> str:
    """Return a SHA-256 in Nix's own base 32, as ``nix-hash --base32`` does: 52 characters, the last bits first."""
    number = int.from_bytes(digest, "little")
    return "".join(_BASE32[number >> place & 31] for place in range(_DIGEST_BITS // 5 * 5, -1, -5))


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _string(value: bytes) -> bytes:
    return _number(len(value)) + value + bytes(-len(value) % 8)


_OPEN, _CLOSE = _string(b"("), _string(b")")
_ENTRY = _string(b"entry") + _OPEN + _string(b"name")
_NODE = _string(b"node")
_DIRECTORY = _string(b"type") + _string(b"directory")
_REGULAR = _string(b"type") + _string(b"regular") + _string(b"contents")
_EXECUTABLE = _string(b"type") + _string(b"regular") + _string(b"executable") + _string(b"") + _string(b"contents")
_SYMLINK = _string(b"type") + _string(b"symlink") + _string(b"target")
