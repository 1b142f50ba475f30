"""What examines the commits of a walk: here and now, or (:mod:`gitverify.workers`) in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gitverify.rules.facts import Examined

Examine = Callable[[Sequence[bytes]], list[Examined]]
Sink = Callable[[bytes, Examined], None]

BATCH = 128
BATCH_BYTES = 4 << 20


class Batch:
    """Commits that are examined together."""

    def __init__(self) -> None:
        """Begin with none."""
        self.commits: list[bytes] = []
        self.raws: list[bytes] = []
        self._bytes = 0

    def add(self, commit: bytes, raw: bytes) -> bool:
        """Add a commit; return whether there are enough."""
        self.commits.append(commit)
        self.raws.append(raw)
        self._bytes += len(raw)
        return len(self.commits) >= BATCH or self._bytes >= BATCH_BYTES


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
    """Examines in this process."""

    def __init__(self, examine: Examine, sink: Sink) -> None:
        """Give each result to ``sink``."""
        self._examine = examine
        self._sink = sink
        self._batch = Batch()

    def put(self, commit: bytes, raw: bytes) -> None:
        """Examine it with others."""
        if self._batch.add(commit, raw):
            self.finish()

    def finish(self) -> None:
        """Examine what is left."""
        batch, self._batch = self._batch, Batch()
        for commit, examined in zip(batch.commits, self._examine(batch.raws), strict=True):
            self._sink(commit, examined)

    def close(self) -> None:
        """Do nothing."""
