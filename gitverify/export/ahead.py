"""Reading files ahead of their turn, in other processes.

Taking a file out of a pack and hashing it is most of the work of an export, and libgit2 holds the interpreter lock
meanwhile, so threads would gain nothing. Each of the other processes reads every n-th file, puts it on a *shelf*,
memory that both see, and says through a pipe where it lies. What does not fit goes through the pipe itself, and waits
there to be taken. Both hold little, so a few files are in memory, however many there are. What goes through the pipes
is gathered, in both directions: most files are small, and to wake a process costs more than to read one. What is wrong
with a file is found out here: where a process has nothing to give, it is read again.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections import deque
from contextlib import suppress
from itertools import chain, cycle, islice
from mmap import mmap
from struct import Struct
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
_SHELF = 8 << 20  # bytes
_PIPE = 1 << 20  # bytes
_REQUEST = Struct(">HI20s")  # how many answers were taken since the last one, the most bytes, the object's id
_ANSWER = Struct(">qq")  # the size, and where on the shelf it lies
_NOTHING = -1  # the size of what could not be read
_FOLLOWS = -1  # where it lies: in the pipe


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
        self._shelf = mmap(-1, _SHELF)
        asked, self._ask = os.pipe()
        self._take, given = os.pipe()
        with suppress(OSError, AttributeError):  # where pipes can't be larger, it is a little slower
            fcntl.fcntl(given, fcntl.F_SETPIPE_SZ, _PIPE)
        # An interrupt between the fork and what the reader does about it would have it run on as this process.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = os.fork()
            if not self._process:
                _be_reader(asked, given, (self._ask, self._take), _Shelf(self._shelf), open_source)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        os.close(asked)
        os.close(given)
        self._answers = os.fdopen(self._take, "rb", 1 << 16)
        self._requests = bytearray()  # that were not sent yet
        self._coming = 0  # answers to those that were
        self._taken = 0  # answers, since the process was told of it

    def ask(self, step: Step) -> None:
        self._requests += _REQUEST.pack(self._taken, content_limit(step), step.id)
        self._taken = 0
        if len(self._requests) == _GATHERED * _REQUEST.size:
            self._send()

    def _send(self) -> None:
        self._coming += len(self._requests) // _REQUEST.size
        with suppress(BrokenPipeError):  # it has ended: nothing comes, and all is read here
            os.write(self._ask, self._requests)
        self._requests.clear()

    def take(self) -> bytes | None:
        """Return the content that was asked for next; None where it could not be read."""
        if not self._coming:
            self._send()
        self._coming -= 1
        self._taken += 1
        answer = self._answers.read(_ANSWER.size)
        size, place = _ANSWER.unpack(answer) if len(answer) == _ANSWER.size else (_NOTHING, _FOLLOWS)
        if size == _NOTHING:
            return None
        content = self._shelf[place : place + size] if place != _FOLLOWS else self._answers.read(size)
        return content if len(content) == size else None

    def end(self) -> None:
        os.close(self._ask)
        self._answers.close()
        self._shelf.close()
        os.kill(self._process, signal.SIGTERM)
        os.waitpid(self._process, 0)


class _Shelf:
    """The far end of the shared memory: a ring, in which each file lies in one piece."""

    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._next = 0
        self._free = len(memory)
        self._spans: deque[int] = deque()  # how much of it each answer has that was not taken

    def taken(self, count: int) -> None:
        """Hear that so many answers were taken, the oldest."""
        for _ in range(count):
            self._free += self._spans.popleft()

    def put(self, content: bytes) -> int:
        """Return where the content of an answer lies now; ``_FOLLOWS`` where there is no room for it."""
        size = len(content)
        start = self._next if self._next + size <= len(self._memory) else 0
        span = size + (len(self._memory) - self._next if start < self._next else 0)
        if span > self._free:
            self._spans.append(0)
            return _FOLLOWS
        self._memory[start : start + size] = content
        self._next = start + size
        self._free -= span
        self._spans.append(span)
        return start


def _be_reader(
    asked: int, given: int, others: tuple[int, int], shelf: _Shelf, open_source: Callable[[], ContentSource]
) -> NoReturn:
    """Read what is asked for; whatever happens, nothing of what the other process has on its stack may go on here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends its readers
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for handle in others:
            os.close(handle)
        source = open_source()
        with os.fdopen(given, "wb", 1 << 16) as answers:
            _serve(source, asked, shelf, answers)
    finally:
        os._exit(0)


def _serve(source: ContentSource, asked: int, shelf: _Shelf, answers: BinaryIO) -> None:
    """Answer until nobody asks any more: nothing waits here while somebody may wait for it."""
    while requests := os.read(asked, _AHEAD * _REQUEST.size):
        for taken, limit, object_id in _REQUEST.iter_unpack(requests):
            shelf.taken(taken)
            content = _content(source, object_id, limit)
            place = shelf.put(content or b"")
            answers.write(_ANSWER.pack(_NOTHING if content is None else len(content), place))
            if place == _FOLLOWS:
                answers.write(content or b"")
        answers.flush()


def _content(source: ContentSource, object_id: bytes, limit: int) -> bytes | None:
    try:
        return source.content(object_id, limit)
    except GitverifyError:
        return None
