"""Reading files ahead of their turn, in other processes.

Taking a file out of a pack and hashing it is most of the work of an export, and libgit2 holds the interpreter lock
meanwhile, so threads would gain nothing. Each of the other processes reads every n-th file and writes it into a pipe.
As that holds little, none is ever far ahead of what was taken; so a few files are in memory, however many there are.
What goes through the pipes is gathered, in both directions: most files are small, and to wake a process costs more than
to read one. What is wrong with a file is found out here: where a process has nothing to give, it is read again.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections import deque
from contextlib import suppress
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING, NoReturn

from gitverify.errors import GitverifyError
from gitverify.export.walk import checked, content_limit, one_by_one, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from gitverify.export.walk import ContentSource, Step

WORTH_PROCESSES = 256  # files: fewer are read faster than processes start
_AHEAD = 128  # files that are asked of a process and have not come: what names them fits into the smallest pipe
_GATHERED = 32  # files that are asked for at once
_PIPE = 1 << 20  # bytes
_LIMIT, _ID, _SIZE = 4, 20, 8  # bytes of what goes through the pipes
_REQUEST = _LIMIT + _ID
_NOTHING = (1 << 64) - 1  # the size of what could not be read


class Ahead:
    """Gives steps their content (:class:`~gitverify.export.walk.Contents`), read in so many processes."""

    def __init__(self, processes: int, open_source: Callable[[], ContentSource]) -> None:
        """``open_source`` is called once in each process: it opens the repository."""
        self._processes = processes
        self._open = open_source

    def __call__(self, source: ContentSource, todo: Iterable[Step]) -> Iterator[tuple[Step, bytes]]:
        """Give every step its content, in their order. Raises Unfit, MissingObject."""
        rest = iter(todo)
        first = list(islice(rest, WORTH_PROCESSES))
        if len(first) < WORTH_PROCESSES:
            yield from one_by_one(source, first)
            return
        readers: list[_Reader] = []
        try:
            readers += [_Reader(self._open) for _ in range(self._processes)]
            turns = cycle(readers)
            waiting: deque[tuple[Step, _Reader | None]] = deque()
            for step in chain(first, rest):
                reader = next(turns) if step.has_content else None
                if reader is not None:
                    reader.ask(step)
                waiting.append((step, reader))
                if len(waiting) >= _AHEAD * self._processes:
                    yield _taken(source, *waiting.popleft())
            while waiting:
                yield _taken(source, *waiting.popleft())
        finally:
            for reader in readers:
                reader.end()


def _taken(source: ContentSource, step: Step, reader: _Reader | None) -> tuple[Step, bytes]:
    """Take a step's content from the process that reads it; where that has none, find out why."""
    if reader is None:
        return step, b""
    content = reader.take()
    return step, read(source, step) if content is None else checked(step, content)


class _Reader:
    """The near end of one process."""

    def __init__(self, open_source: Callable[[], ContentSource]) -> None:
        asked, self._ask = os.pipe()
        self._take, given = os.pipe()
        with suppress(OSError, AttributeError):  # where pipes can't be larger, it is a little slower
            fcntl.fcntl(given, fcntl.F_SETPIPE_SZ, _PIPE)
        # An interrupt between the fork and what the reader does about it would have it run on as this process.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = os.fork()
            if not self._process:
                _be_reader(asked, given, (self._ask, self._take), open_source)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        os.close(asked)
        os.close(given)
        self._taken = os.fdopen(self._take, "rb", 1 << 16)
        self._requests = bytearray()  # that were not sent yet
        self._coming = 0  # answers to those that were

    def ask(self, step: Step) -> None:
        self._requests += content_limit(step).to_bytes(_LIMIT, "big") + step.id
        if len(self._requests) == _GATHERED * _REQUEST:
            self._send()

    def _send(self) -> None:
        self._coming += len(self._requests) // _REQUEST
        with suppress(BrokenPipeError):  # it has ended: nothing comes, and all is read here
            os.write(self._ask, self._requests)
        self._requests.clear()

    def take(self) -> bytes | None:
        """Return the content that was asked for next; None where it could not be read."""
        if not self._coming:
            self._send()
        self._coming -= 1
        size = int.from_bytes(self._taken.read(_SIZE) or b"\xff" * _SIZE, "big")
        if size == _NOTHING:
            return None
        content = self._taken.read(size)
        return content if len(content) == size else None

    def end(self) -> None:
        os.close(self._ask)
        self._taken.close()
        os.kill(self._process, signal.SIGTERM)
        os.waitpid(self._process, 0)


def _be_reader(asked: int, given: int, others: tuple[int, int], open_source: Callable[[], ContentSource]) -> NoReturn:
    """Read what is asked for; whatever happens, nothing of what the other process has on its stack may go on here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends its readers
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for handle in others:
            os.close(handle)
        source = open_source()
        with os.fdopen(given, "wb", 1 << 16) as answers:
            _serve(source, asked, answers)
    finally:
        os._exit(0)


def _serve(source: ContentSource, asked: int, answers: BinaryIO) -> None:
    """Answer until nobody asks any more: nothing waits here while somebody may wait for it."""
    while requests := os.read(asked, _AHEAD * _REQUEST):
        for start in range(0, len(requests), _REQUEST):
            limit, rest = requests[start : start + _LIMIT], requests[start + _LIMIT : start + _REQUEST]
            content = _content(source, rest, int.from_bytes(limit, "big"))
            answers.write((_NOTHING if content is None else len(content)).to_bytes(_SIZE, "big"))
            answers.write(content or b"")
        answers.flush()


def _content(source: ContentSource, object_id: bytes, limit: int) -> bytes | None:
    try:
        return source.content(object_id, limit)
    except GitverifyError:
        return None
