"""What examines the commits of a walk: here and now, or (:mod:`gitverify.workers`) in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from gitverify.rules.facts import Examined

if TYPE_CHECKING:
    from gitverify.objects.commit import CommitHead

Examine = Callable[[Sequence[bytes], Sequence[tuple[bytes, int]]], list[Examined]]
"""Takes commits' raw contents and, for each, its tree's id and where its fixed first fields end."""

Sink = Callable[[bytes, Examined], None]

Work = Callable[[int], tuple[Any, ...] | None]
Take = Callable[[int, tuple[Any, ...]], None]

BATCH = 128
BATCH_BYTES = 1 << 20


class Batch:
    """Commits that are examined together."""

    def __init__(self) -> None:
        """Begin with none."""
        self.commits: list[bytes] = []
        self.raws: list[bytes] = []
        self.heads: list[tuple[bytes, int]] = []
        self.size = 0  # bytes

    def add(self, commit: bytes, raw: bytes, head: CommitHead) -> bool:
        """Add a commit; return whether there are enough."""
        self.commits.append(commit)
        self.raws.append(raw)
        self.heads.append((head.tree, head.end))
        self.size += len(raw)
        return len(self.commits) >= BATCH or self.size >= BATCH_BYTES

    def examine(self, examine: Examine, sink: Sink) -> None:
        """Examine them in this process."""
        for commit, examined in zip(self.commits, examine(self.raws, self.heads), strict=True):
            sink(commit, examined)


class Pool(Protocol):
    """Takes commits and gives back what was found, in any order."""

    def put(self, commit: bytes, raw: bytes, head: CommitHead) -> None:
        """Take a commit's id, its raw content, and what the walk has read of it."""
        ...

    def until(self, there: Callable[[], bool]) -> None:
        """Have commits go on being examined, at least until ``there`` says that the one that is waited for has been.

        The last ones that were put come first. Nothing may be put after that. Raises MissingObject.
        """
        ...

    def finish(self) -> None:
        """Return when every commit that was put has been examined. Raises MissingObject."""
        ...

    def close(self) -> None:
        """Let go of all processes at once."""
        ...

    def ahead(self, blocks: int, prepare: Callable[[], Work], take: Take) -> Ahead | None:
        """Have other processes work through blocks from the last to the first; None where there are none."""
        ...


class Ahead(Protocol):
    """Other processes that are at it (:mod:`gitverify.ahead`)."""

    def reached(self, block: int) -> None:
        """Say that this process begins a block."""
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

    def put(self, commit: bytes, raw: bytes, head: CommitHead) -> None:
        """Examine it with others."""
        if self._batch.add(commit, raw, head):
            self.finish()

    def until(self, there: Callable[[], bool]) -> None:  # noqa: ARG002
        """Examine what is left."""
        self.finish()

    def finish(self) -> None:
        """Examine what is left."""
        batch, self._batch = self._batch, Batch()
        batch.examine(self._examine, self._sink)

    def close(self) -> None:
        """Do nothing."""

    def ahead(self, blocks: int, prepare: Callable[[], Work], take: Take) -> None:
        """Return None: there is no other process."""
