"""A process forked from this one, and the messages between the two.

The child goes on with everything that this process has in memory, so that nothing has to be handed over but what is
new; its answers come back over a socket as plain values.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from gitverify.errors import GitverifyError

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE = 8  # octets of a message's size, which go before it


class WorkerFailed(GitverifyError):
    """A worker process died."""


class Forked:
    """The near end of a child process, in which ``work`` runs with the far end of :attr:`socket`."""

    def __init__(self, work: Callable[[socket.socket], None]) -> None:
        """Start it. An interrupt between the fork and what the child does about it would have it run on as a copy."""
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.socket, theirs = socket.socketpair()
            self._process = os.fork()
            if not self._process:
                _be(theirs, self.socket, work)
            theirs.close()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a message. Raises WorkerFailed."""
        try:
            send(self.socket, message)
        except OSError:
            raise WorkerFailed("a worker process ended unexpectedly") from None

    def receive(self) -> Any:
        """Wait for the next message. Raises WorkerFailed."""
        try:
            return receive(self.socket)
        except (EOFError, OSError):
            raise WorkerFailed("a worker process ended unexpectedly") from None

    def end(self) -> None:
        """End the child, whatever it is doing. May be called again: an interrupt may come right after its end."""
        self.socket.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGTERM)
            os.waitpid(self._process, 0)


def _be(connection: socket.socket, parents_end: socket.socket, work: Callable[[socket.socket], None]) -> NoReturn:
    """Be the child; whatever happens, nothing of what the parent process has on its stack may go on here."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends its children
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        parents_end.close()
        work(connection)
        status = 0
    except BaseException:  # noqa: BLE001
        if os.environ.get("GITVERIFY_DEBUG"):
            traceback.print_exc()
    finally:
        os._exit(status)


def send(connection: socket.socket, message: tuple[Any, ...]) -> None:
    """Send a message of plain values. Raises OSError."""
    content = marshal.dumps(message, 2)  # version 2 looks for nothing that comes twice
    connection.sendall(len(content).to_bytes(_SIZE, "big") + content)


def receive(connection: socket.socket) -> Any:
    """Return the next message. Raises EOFError where the other side has ended, OSError."""
    size = int.from_bytes(_octets(connection, _SIZE), "big")
    return marshal.loads(_octets(connection, size))  # noqa: S302  (from a process of ours)


def _octets(connection: socket.socket, size: int) -> bytes:
    octets = connection.recv(size, socket.MSG_WAITALL)
    while len(octets) < size:  # a signal came between
        more = connection.recv(size - len(octets), socket.MSG_WAITALL)
        if not more:
            raise EOFError
        octets += more
    return octets
