"""Opening the directories of a checkout one from the other: a symlink on the way is an error, never followed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Directories:
    """The handles of the directory that was opened last, and of those above it."""

    def __init__(self, root: Path) -> None:
        """Open nothing yet."""
        self._root = root
        self._path: tuple[bytes, ...] = ()
        self._handles: list[int] = []

    def open(self, path: tuple[bytes, ...]) -> int:
        """Return a handle of a directory, by its components from the root. Raises OSError.

        It stays open until one that lies elsewhere than below is asked for.
        """
        if not self._handles:
            self._handles.append(os.open(self._root, _FLAGS))
        same = 0
        for old, new in zip(self._path, path, strict=False):
            if old != new:
                break
            same += 1
        self._close(same + 1)
        for name in path[same:]:
            self._handles.append(os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=self._handles[-1]))
            self._path += (name,)
        return self._handles[-1]

    def _close(self, rest: int) -> None:
        """Close all but so many handles."""
        while len(self._handles) > rest:
            os.close(self._handles.pop())
        self._path = self._path[: max(rest - 1, 0)]

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close everything."""
        self._close(0)
