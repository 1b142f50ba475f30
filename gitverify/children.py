"""Processes that run for us: kept within limits, listened to while they run, and ended with all that they started."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gitverify.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_SAID = 4096  # bytes of a line, or of all that a failed command said
_PATIENCE = 5  # seconds
_GLANCE = 1  # second


class Enough(Exception):
    """What a process runs for has come to more than it may; for its caller to tell."""


@contextmanager
def limited(file_size: int) -> Iterator[None]:
    """Have a process that is started here, and all that it starts, write no larger file, nor take memory without end.

    A server can list references without end, and git remembers all of them. The limits are there before the process
    is: set on it afterwards, they would not count for what it has started by then.
    """
    import resource  # noqa: PLC0415  (rarely needed)

    own = _own_memory() * resource.getpagesize()  # for this moment the limit is that of this process, too
    wanted = {resource.RLIMIT_FSIZE: file_size, resource.RLIMIT_DATA: LIMITS.fetch_memory + own}
    before = {kind: resource.getrlimit(kind) for kind in wanted}
    try:
        for kind, limit in wanted.items():
            lower = [each for each in before[kind] if each != resource.RLIM_INFINITY]
            resource.setrlimit(kind, (min([limit, *lower]), before[kind][1]))
        yield
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)


def _own_memory() -> int:
    """Return how many pages of data this process has (proc(5), statm); 0 where that can't be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  (no pathlib here)
            return int(file.read().split()[5])
    except OSError:
        return 0


def said_by(process: subprocess.Popen[bytes], end: float, is_enough: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the lines that a process writes to stderr, the longest cut. Raises TimeoutError at ``end``, Enough."""
    if process.stderr is None:
        return
    handle, begun, asked = process.stderr.fileno(), b"", time.monotonic()
    while True:
        now = time.monotonic()
        left = end - now
        if left <= 0:
            raise TimeoutError
        if now - asked > _GLANCE:
            asked = now
            check(is_enough)
        if not select.select([handle], [], [], min(left, _GLANCE))[0]:
            if process.poll() is not None:  # what it has left running, such as a connection that is shared, holds it
                break
            continue
        piece = os.read(handle, 1 << 16)
        if not piece:
            break
        *lines, begun = re.split(b"[\r\n]+", begun + piece)
        yield from (line[:MOST_SAID] for line in lines if line.strip())
        begun = begun[:MOST_SAID]
    if begun.strip():
        yield begun


def check(is_enough: Callable[[], bool]) -> None:
    """Raise Enough where it is."""
    if is_enough():
        raise Enough


def stop_all(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started apart, and has not ended, with all that it has started.

    Some of these go on without it, and write. What speaks to nobody any more has ended: it has its stderr no more.
    """
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            for _ in said_by(process, time.monotonic() + _PATIENCE, lambda: False):
                pass
        with suppress(ProcessLookupError, PermissionError):  # all has ended
            os.killpg(process.pid, signal.SIGKILL)
    stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended: kindly at first, so that it takes its own processes and files with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
