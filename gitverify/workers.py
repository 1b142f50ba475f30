"""Examining commits in several processes.

The primitives hold the interpreter lock, so threads would gain nothing. The parent process walks the graph and has
read each commit already; workers get the raw bytes in batches, read the root trees themselves and answer with what
:mod:`gitverify.examine` found. Nothing here decides anything.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
import signal
import threading
from collections import deque
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MissingObject
from gitverify.pool import Batch, Inline
from gitverify.rules.facts import Examined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from gitverify.pool import Examine, Sink

# Fewer commits than this are examined faster than processes start.
WORTH_WORKERS = 256


class WorkerFailed(GitverifyError):
    """A worker process died."""


class Processes:
    """Examines in ``jobs`` processes, started only when there is enough to do."""

    def __init__(self, jobs: int, prepare: Callable[[], Examine], sink: Sink) -> None:
        """``prepare`` is called in each worker (and here for a small number of commits): it opens the repository."""
        self._jobs = jobs
        self._prepare = prepare
        self._sink = sink
        self._batch = Batch()
        self._workers: list[_Worker] = []
        self._waiting: list[Batch] = []
        self._put = 0

    def put(self, commit: bytes, raw: bytes) -> None:
        """Queue a commit, wait for a free worker where all are busy."""
        if self._batch.add(commit, raw):
            self._put += len(self._batch.commits)
            self._waiting.append(self._batch)
            self._batch = Batch()
            if self._workers or self._put >= WORTH_WORKERS:
                self._dispatch()

    def finish(self) -> None:
        """Examine what is left and wait for all results."""
        if self._batch.commits:
            self._waiting.append(self._batch)
            self._batch = Batch()
        if not self._workers:
            here = Inline(self._prepare(), self._sink)
            for batch in self._waiting:
                for commit, raw in zip(batch.commits, batch.raws, strict=True):
                    here.put(commit, raw)
            here.finish()
            self._waiting = []
            return
        self._dispatch()
        while any(worker.outstanding for worker in self._workers):
            self._receive()
        self.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _dispatch(self) -> None:
        if not self._workers:
            context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
            self._workers = [_Worker(context, self._prepare) for _ in range(self._jobs)]
        for batch in self._waiting:
            while all(worker.outstanding >= 2 for worker in self._workers):  # one in work, one in store
                self._receive()
            min(self._workers, key=lambda worker: worker.outstanding).send(batch)
        self._waiting = []

    def _receive(self) -> None:
        busy = {worker.connection: worker for worker in self._workers if worker.outstanding}
        for connection in wait(list(busy)):
            for commit, examined in busy[connection].receive():  # type: ignore[index]
                self._sink(commit, examined)


class _Worker:
    """The parent's end of one process."""

    def __init__(self, context: multiprocessing.context.BaseContext, prepare: Callable[[], Examine]) -> None:
        self.connection, theirs = context.Pipe()
        self._sent: deque[list[bytes]] = deque()
        self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_serve,
            args=(theirs, self.connection, prepare),
            daemon=True,
        )
        self._process.start()
        theirs.close()

    @property
    def outstanding(self) -> int:
        """How many batches are on the way; they come back in order."""
        return len(self._sent)

    def send(self, batch: Batch) -> None:
        try:
            self.connection.send(batch.raws)
        except OSError:
            raise WorkerFailed("a worker process ended unexpectedly") from None
        self._sent.append(batch.commits)

    def receive(self) -> Iterable[tuple[bytes, Examined]]:
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerFailed("a worker process ended unexpectedly") from None
        if isinstance(answer, tuple):
            raise MissingObject(*answer)
        return zip(self._sent.popleft(), map(Examined._make, answer), strict=True)

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _serve(connection: Connection, parents_end: Connection, prepare: Callable[[], Examine]) -> None:
    """Run a worker: a thread takes batches off the pipe, so that neither side ever waits for the other to read."""
    parents_end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    batches: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(connection, batches), daemon=True).start()
    # What is made here dies young and has no cycles; looking for some costs several percent.
    gc.disable()
    examine = prepare()
    while (batch := batches.get()) is not None:
        try:
            answer: object = [tuple(examined) for examined in examine(batch)]
        except MissingObject as error:
            answer = (error.object_id, error.reason)
        try:
            connection.send(answer)
        except OSError:
            break
    os._exit(0)


def _take(connection: Connection, batches: queue.SimpleQueue[list[bytes] | None]) -> None:
    while True:
        try:
            batches.put(connection.recv())
        except (EOFError, OSError):
            batches.put(None)
            return
