"""Child processes that begin at the last of many numbered blocks, while this process begins at the first.

They meet somewhere in between: nothing has to be known of how long a block takes, and no process waits for another.
What comes back spares this process work and decides nothing; where a child ends early, less is spared. A child goes
through a few neighbouring blocks upwards before it turns to those below: much of what one block reads, the next does.
"""

from __future__ import annotations

import gc
import select
import signal
from collections import deque
from typing import TYPE_CHECKING

from gitverify.forked import Forked, WorkerFailed, send

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gitverify.pool import Take, Work


STRETCH = 16  # blocks


class Ahead:
    """The children of this process that work ahead of it."""

    def __init__(self, children: int, blocks: int, prepare: Callable[[], Work], take: Take) -> None:
        """Start them. Each calls ``prepare`` once, then what that returns for each of its blocks.

        Its answers (plain values, which marshal takes; None ends the child) are given to ``take`` here.
        """
        self._take = take
        self._poll = select.poll()
        self._children: dict[int, _Child] = {}  # by file descriptor
        for number in range(children):
            if its := _share(blocks, children, number):
                self._start(its, prepare)

    def reached(self, block: int) -> None:
        """Take the answers that have come; end the children that have nothing to do beyond this block."""
        while self._children and (ready := self._poll.poll(0)):
            for descriptor, _ in ready:
                self._receive(descriptor)
        for descriptor in [its for its, child in self._children.items() if child.next_block <= block]:
            self._end(descriptor)

    def close(self) -> None:
        """End all children."""
        for descriptor in list(self._children):
            self._end(descriptor)

    def _start(self, blocks: list[int], prepare: Callable[[], Work]) -> None:
        # An interrupt before the child is in the list would leave it behind.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            child = _Child(blocks, prepare)
            self._children[child.socket.fileno()] = child
            self._poll.register(child.socket, select.POLLIN)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def _receive(self, descriptor: int) -> None:
        child = self._children[descriptor]
        try:
            block, answer = child.receive()
        except WorkerFailed:  # it has come to its end, or met what this process has to meet for itself
            self._end(descriptor)
        else:
            child.done(block)
            self._take(block, answer)

    def _end(self, descriptor: int) -> None:
        child = self._children.pop(descriptor)
        self._poll.unregister(descriptor)
        child.end()


class _Child(Forked):
    """The near end of one child."""

    def __init__(self, blocks: list[int], prepare: Callable[[], Work]) -> None:
        self._blocks = deque(blocks)
        super().__init__(lambda connection: _serve(connection, blocks, prepare))

    @property
    def next_block(self) -> int:
        """What it is working on now; before the first of all where there is no more."""
        return self._blocks[0] if self._blocks else -1

    def done(self, block: int) -> None:
        """Note that it answered for a block."""
        while self._blocks and self._blocks.popleft() != block:
            pass


def _share(blocks: int, children: int, number: int) -> list[int]:
    """Return the blocks of one child in the order in which it takes them: every n-th stretch, beginning at the last."""
    stretches = [range(start, min(start + STRETCH, blocks)) for start in range(0, blocks, STRETCH)]
    return [block for stretch in stretches[::-1][number::children] for block in stretch]


def _serve(connection: socket.socket, blocks: list[int], prepare: Callable[[], Work]) -> None:
    gc.disable()  # as in any process that examines commits
    work = prepare()
    for block in blocks:
        answer = work(block)
        if answer is None:
            return
        send(connection, (block, answer))
