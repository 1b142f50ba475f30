"""What examines the commits of a walk: here and now, or (:mod:`gitverify.workers`) in several processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gitverify.rules.facts import Examined

Examine = Callable[[bytes], Examined]
Sink = Callable[[bytes, Examined], None]


class Pool(Protocol):
    """Takes commits and gives back what was found, in any order."""

    def put(self, commit: bytes, raw: bytes) -> None:
        """Take a commit's id and raw content."""
        ...

    def finish(self) -> None:
        """Return when every commit that was put has been examined. Raises MissingObject."""
        ...

    def close(self) -> None:
        """Let go of all processes at once."""
        ...


class Inline:
    """Examines at once, in this process."""

    def __init__(self, examine: Examine, sink: Sink) -> None:
        """Give each result to ``sink``."""
        self._examine = examine
        self._sink = sink

    def put(self, commit: bytes, raw: bytes) -> None:
        """Examine it."""
        self._sink(commit, self._examine(raw))

    def finish(self) -> None:
        """Do nothing: all is done."""

    def close(self) -> None:
        """Do nothing."""
