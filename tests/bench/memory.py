"""How much memory a command and its children take: the proportional set size, mapped packs left out."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL = 0.05

# A mapping's first line in proc(5) smaps: addresses, permissions, offset, device, inode, and the file if there is one.
_MAPPING = re.compile(rb"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$|^Pss: +(\d+) kB", re.MULTILINE)


def peak(command: list[str], **options: object) -> int:
    """Run a command to its end; return the largest sum seen, in bytes. Looks every 50 ms."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    largest = 0
    while process.poll() is None:
        largest = max(largest, taken(process.pid))
        time.sleep(INTERVAL)
    if process.returncode:
        raise RuntimeError(f"{command} ended with status {process.returncode}")
    return largest


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """Look at a process that goes on; the list has the largest sum seen, in bytes."""
    largest, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(INTERVAL):
            largest[0] = max(largest[0], taken(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield largest
    finally:
        ended.set()
        thread.join()


def taken(pid: int) -> int:
    """Return how much a process and all that it has started take at this moment, in bytes."""
    return sum(map(_proportional, _family(pid)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    children = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():  # each has its own
            children += (thread / "children").read_text().split()
    except OSError:
        pass
    for child in children:
        yield from _family(int(child))


def _proportional(pid: int) -> int:
    try:
        listing = Path(f"/proc/{pid}/smaps").read_bytes()
    except OSError:  # it has ended
        return 0
    total = 0
    counted = True
    for name, kilobytes in _MAPPING.findall(listing):
        if kilobytes:
            total += int(kilobytes) * counted
        else:
            counted = not name.endswith((b".pack", b".idx"))
    return total * 1024
