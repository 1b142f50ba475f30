"""Examining commits in several processes.

The primitives hold the interpreter lock, so threads would gain nothing. This process walks the graph and has read each
commit already; it hands batches of raw bytes to the others as long as they have too little to do, and examines the rest
itself, so that as many processes work as there are cores for. Workers read the root trees themselves and answer with
what :mod:`gitverify.examine` found. Nothing here decides anything, and who examines a commit changes nothing.

Judging is for this process alone and begins with the oldest commits, which the walk comes by last. So some of the
newest ones are held back for the others to be busy with meanwhile.
"""

from __future__ import annotations

import gc
import queue
import select
import signal
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from gitverify.ahead import Ahead
from gitverify.errors import MissingObject
from gitverify.forked import Forked, receive, send
from gitverify.objects.tree import TreeEntry
from gitverify.pool import BATCH, Batch
from gitverify.rules.facts import Examined, Unproven

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gitverify.objects.commit import CommitHead
    from gitverify.pool import Examine, Sink, Take, Work

# Fewer commits than this are examined faster than a process starts.
WORTH_WORKERS = 256

# So many batches are on the way to each worker: it must not run out of them while this process examines one.
AHEAD = 3
AHEAD_OF_JUDGING = 8  # while this process judges it looks after them less often

# Batches that are held back for each worker: judging a commit takes about a 32nd of what examining it takes.
HELD, HELD_OF = 16, 32
HELD_BYTES = 32 << 20  # of all together


class Processes:
    """Examines in ``jobs`` processes, this one included; the others start only when there is enough to do."""

    def __init__(self, jobs: int, prepare: Callable[[], Examine], sink: Sink) -> None:
        """``prepare`` is called once in each process that examines: it opens the repository."""
        self._jobs = jobs
        self._prepare = prepare
        self._sink = sink
        self._batch = Batch()
        self._workers: dict[int, _Worker] = {}  # by file descriptor
        self._poll = select.poll()
        self._waiting: list[Batch] = []
        self._held: list[Batch] = []
        self._held_bytes = 0
        self._put = 0
        self._here: Examine | None = None

    def put(self, commit: bytes, raw: bytes, head: CommitHead) -> None:
        """Queue a commit; examine a batch here where the others have enough to do."""
        if self._batch.add(commit, raw, head):
            self._put += len(self._batch.commits)
            self._waiting.append(self._batch)
            self._batch = Batch()
            if self._workers or self._put >= WORTH_WORKERS:
                self._share()

    def until(self, there: Callable[[], bool]) -> None:
        """Examine on; nothing is left to be put. Before all others the commits that were put last."""
        self._give_up_batch()
        if not self._workers:
            self._examine_waiting()
            return
        self._share()
        self._feed()
        while not there() and self._go_on():
            self._feed()

    def finish(self) -> None:
        """Examine what is left, and return when all results are here."""
        self.until(lambda: False)
        self.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers.values():
            worker.end()
        self._workers = {}

    def ahead(self, blocks: int, prepare: Callable[[], Work], take: Take) -> Ahead:
        """Start processes that work through blocks from the last to the first; all is examined by then."""
        self.finish()
        return Ahead(self._jobs - 1, blocks, prepare, take)

    def _share(self) -> None:
        """Give the workers what they can take, hold some back, and examine the rest."""
        while len(self._workers) < self._jobs - 1:
            self._start()
        for batch in self._waiting:
            self._receive(wait=False)
            idlest = self._by_outstanding()[0]
            if idlest.outstanding < AHEAD:
                idlest.put(batch)
            elif self._has_room_for(batch):
                self._held.append(batch)
                self._held_bytes += batch.size
            else:
                self._examine(batch)
        self._waiting = []

    def _has_room_for(self, batch: Batch) -> bool:
        most = len(self._workers) * (HELD + self._put // (BATCH * HELD_OF))
        return len(self._held) < most and self._held_bytes + batch.size <= HELD_BYTES

    def _feed(self) -> None:
        """Take the workers' answers, and give them what was held back, the last of it first."""
        self._receive(wait=False)
        while self._held and (idlest := self._by_outstanding()[0]).outstanding < AHEAD_OF_JUDGING:
            idlest.put(self._held.pop())

    def _go_on(self) -> bool:
        """Examine a batch that no worker has begun, or wait for one; return whether there was any left."""
        longest = self._by_outstanding()[-1]
        if self._held:
            self._examine(self._held.pop())
        elif longest.outstanding > 1:  # whoever is first
            self._examine(longest.take_back())
        elif longest.outstanding:
            self._receive(wait=True)
        else:
            return False
        return True

    def _give_up_batch(self) -> None:
        if self._batch.commits:
            self._waiting.append(self._batch)
            self._batch = Batch()

    def _examine_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for batch in waiting:
            self._examine(batch)

    def _by_outstanding(self) -> list[_Worker]:
        return sorted(self._workers.values(), key=lambda worker: worker.outstanding)

    def _start(self) -> None:
        # An interrupt before the worker is in the list would leave it behind.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            worker = _Worker(self._prepare)
            descriptor = worker.socket.fileno()
            self._workers[descriptor] = worker
            self._poll.register(descriptor, select.POLLIN)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def _examine(self, batch: Batch) -> None:
        if self._here is None:
            self._here = self._prepare()
        batch.examine(self._here, self._sink)

    def _receive(self, *, wait: bool) -> None:
        """Take the answers that have come; where none has, wait for one if asked to."""
        while ready := self._poll.poll(None if wait else 0):
            for descriptor, _ in ready:
                self._workers[descriptor].take(self._sink)
            wait = False


class _Worker(Forked):
    """The near end of one process, with the batches that are on the way to it and back."""

    def __init__(self, prepare: Callable[[], Examine]) -> None:
        self._sent: deque[Batch] = deque()
        super().__init__(lambda connection: _serve(connection, prepare))

    @property
    def outstanding(self) -> int:
        """How many batches are on the way; they come back in order."""
        return len(self._sent)

    def put(self, batch: Batch) -> None:
        self.send((batch.raws, batch.heads))
        self._sent.append(batch)

    def take_back(self) -> Batch:
        """Return the batch that was sent last. Nothing may be sent after that: its answer is left out at the end."""
        return self._sent.pop()

    def take(self, sink: Sink) -> None:
        which, different, times, missing = self.receive()
        if not self._sent:  # taken back
            return
        commits = self._sent.popleft().commits
        if missing:
            raise MissingObject(*missing)
        _unpack(commits, which, different, times, sink)


def _serve(connection: socket.socket, prepare: Callable[[], Examine]) -> None:
    """Answer batches. A thread takes them off the socket, so that neither side ever waits for the other to read."""
    batches: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(connection, batches), daemon=True).start()
    # What is made here dies young and has no cycles; looking for some costs several percent.
    gc.disable()
    examine = prepare()
    while (batch := batches.get()) is not None:
        try:
            answer = _pack(examine(*batch))
        except MissingObject as error:
            answer = (), (), (), (error.object_id, error.reason)
        try:
            send(connection, answer)
        except OSError:
            return


def _take(connection: socket.socket, batches: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            batches.put(receive(connection))
        except (EOFError, OSError):
            batches.put(None)
            return


def _pack(results: list[Examined]) -> tuple[Any, ...]:
    """Make an answer of plain values. Most results differ in the signature's time alone: the rest is said once."""
    numbers: dict[tuple[Any, ...], int] = {}
    which = [numbers.setdefault(examined[:3] + examined[4:], len(numbers)) for examined in results]
    different = [
        (entry and tuple(entry), root, key, verified, unproven and tuple(unproven), malformed)
        for entry, root, key, verified, unproven, malformed in numbers
    ]
    return which, different, [examined.made_at for examined in results], None


def _unpack(
    commits: list[bytes],
    which: list[int],
    different: list[tuple[Any, ...]],
    times: list[int],
    sink: Sink,
) -> None:
    results = [
        (entry and TreeEntry(*entry), root, key, verified, unproven and Unproven(*unproven), malformed)
        for entry, root, key, verified, unproven, malformed in different
    ]
    for commit, number, made_at in zip(commits, which, times, strict=True):
        entry, root, key, verified, unproven, malformed = results[number]
        sink(commit, Examined(entry, root, key, made_at, verified, unproven, malformed))
