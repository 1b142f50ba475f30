"""What a tree is shown to: something that hashes it, writes it, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from gitverify.errors import GitverifyError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Visitor(Protocol):
    """Is shown a tree: each directory's entries sorted by their bytes, what is in a directory right after it.

    The root has no name: ``b""``.
    """

    def enter(self, name: bytes) -> None:
        """See a directory begin; what follows is in it."""
        ...

    def leave(self) -> None:
        """See the directory end that was entered last and has not ended."""
        ...

    def file(self, name: bytes, *, executable: bool, size: int) -> None:
        """See a file begin, of so many bytes, which :meth:`data` shows in pieces (none for an empty one)."""
        ...

    def data(self, piece: bytes | memoryview) -> None:
        """See the next bytes of the file that was begun last. The memory may be used for other bytes afterwards."""
        ...

    def symlink(self, name: bytes, target: bytes) -> None:
        """See a symlink."""
        ...


class Both:
    """Shows a tree to several visitors at once, so that it is read once."""

    def __init__(self, visitors: Sequence[Visitor]) -> None:
        """Show it to these, in this order."""
        self._visitors = visitors

    def enter(self, name: bytes) -> None:
        """Show the beginning of a directory."""
        for visitor in self._visitors:
            visitor.enter(name)

    def leave(self) -> None:
        """Show its end."""
        for visitor in self._visitors:
            visitor.leave()

    def file(self, name: bytes, *, executable: bool, size: int) -> None:
        """Show the beginning of a file."""
        for visitor in self._visitors:
            visitor.file(name, executable=executable, size=size)

    def data(self, piece: bytes | memoryview) -> None:
        """Show bytes of it."""
        for visitor in self._visitors:
            visitor.data(piece)

    def symlink(self, name: bytes, target: bytes) -> None:
        """Show a symlink."""
        for visitor in self._visitors:
            visitor.symlink(name, target)


class Unfit(GitverifyError):
    """A tree that can't be shown to the end, or not be written where it should be.

    ``code`` is ``malformed-tree`` where the tree breaks R7, ``output-failed`` where something else stands in the way:
    a limit, the file system. ``path`` is relative to the root of the tree, None where no path is at fault.
    """

    def __init__(self, code: Literal["malformed-tree", "output-failed"], message: str, path: bytes | None) -> None:
        """Remember the code and the path."""
        super().__init__(message)
        self.code = code
        self.path = path
