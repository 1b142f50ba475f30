"""Work in processes of its own: it takes neither memory nor the interpreter from what answers meanwhile.

A process does one thing and ends. What comes back is a value, or why there is none.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from gitverify.errors import GitverifyError
from gitverify.gateway.target import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_T = TypeVar("_T")


class Failed(GitverifyError):
    """It could not be done, for a reason that lies here."""


class Busy(GitverifyError):
    """There is too much to do already."""


class Jobs:
    """Does so many things at a time; of further ones so many may wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        """Start nothing yet."""
        self._turn = asyncio.Semaphore(at_once)
        self._room = at_once + waiting
        self._running: set[SpawnProcess] = set()
        # Threads of their own: what is answered meanwhile takes none of them, and they take none of its.
        self._threads = ThreadPoolExecutor(at_once)
        self._closed = False

    async def run(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function of a module in a process. Raises Refused as it does, Failed, Busy."""
        if not self._room:
            raise Busy("too much is asked for at once: try again")
        self._room -= 1
        try:
            async with self._turn:
                if self._closed:
                    raise Failed("the server is ending")
                loop = asyncio.get_running_loop()
                answer: _T = await loop.run_in_executor(self._threads, self._run, function, arguments)
                return answer
        finally:
            self._room += 1

    def close(self) -> None:
        """End what is running, and begin nothing more."""
        self._closed = True
        for process in list(self._running):
            process.terminate()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(sender, function, arguments), daemon=True)
        try:
            process.start()
            self._running.add(process)
            if self._closed:
                process.terminate()
            sender.close()
            with receiver:
                kind, *values = receiver.recv()
        except (EOFError, OSError):
            raise Failed("the process that was to do it has ended") from None
        finally:
            self._running.discard(process)
            if process.pid is not None:
                process.join()
        return value(kind, *values)


def value(kind: str, *values: Any) -> Any:
    """Return what a process has sent. Raises Refused, Failed."""
    if kind == "refused":
        raise Refused(*values)
    if kind == "failed":
        raise Failed(*values)
    return values[0]


def work(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Be such a process."""
    with suppress(ValueError):  # in a test it is a thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends it
    try:
        answer: tuple[Any, ...] = ("done", function(*arguments))
    except Refused as error:
        answer = ("refused", error.why, str(error))
    except GitverifyError as error:
        answer = ("failed", str(error))
    except OSError as error:
        answer = ("failed", error.strerror or str(error))
    except Exception as error:  # noqa: BLE001  (a tree that nobody has thought of ends no server)
        answer = ("failed", f"internal error: {type(error).__name__}: {error}")
    with sender:
        sender.send(answer)
