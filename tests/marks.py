"""Shared by the tests of the mark store: values to store, children to kill, and system calls to count."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sqlite3
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitverify.mark import Mark, MarkKey, MarkStore, StateError
from gitverify.statefile import NAME

KEY = MarkKey(b"\x11" * 20, "https://example.org/channel.git", "refs/heads/main")
OTHER_KEY = MarkKey(b"\x22" * 20, "https://example.org/channel.git", "refs/heads/main")
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: changes owners, or mounts a file system")


def mark(number: int, signers: int = 2) -> Mark:
    """Return the mark that a history of ``number`` commits leaves; more signers make it take more room."""
    return Mark(
        commits=((number + 1).to_bytes(20, "big"),),
        context=b"\x33" * 32,
        accepted=number,
        freshness={f"SHA256:{signer:043d}": 1_700_000_000 + number for signer in range(signers)},
        recorded_at=1_800_000_000 + number,
    )


def stored(directory: Path, key: MarkKey = KEY) -> Mark | None:
    with MarkStore.open(directory, read_only=True) as store:
        return store.get(key)


def move(directory: Path, new: Mark, key: MarkKey = KEY, *, rollback: bool = False) -> None:
    with MarkStore.open(directory) as store:
        store.advance(key, store.get(key), new, rollback=rollback)


def attempt(work, *arguments):
    """Return what ``work`` returns, or the :class:`StateError` that it ends in."""
    try:
        return work(*arguments)
    except StateError as error:
        return error


@contextmanager
def raw(directory: Path):
    """Give a plain SQLite connection to the file, as someone with the sqlite3 tool would have."""
    connection = sqlite3.connect(directory / NAME, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def scratch():
    """Give a directory that anyone may enter, in memory where the system has it: syncing costs nothing there."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(dir=where))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def fork(work) -> int:
    """Run ``work`` in a child that never comes back into the test; return its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock that another thread could hold
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def in_child(work, user: int | None = None) -> str:
    """Return the text that ``work`` returns in a child, which runs as ``user`` where one is given."""
    reading, writing = os.pipe()

    def child() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        try:
            answer = work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to see it
            answer = f"raised {error!r}"
        os.write(writing, answer.encode())

    pid = fork(child)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


_PTRACE_TRACEME, _PTRACE_CONT, _PTRACE_SYSCALL = 0, 7, 24


def _ptrace(request: int, pid: int = 0, data: int = 0) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    return libc.ptrace(request, pid, None, data) == 0


def signalled(work, stop: int | None, number: int = signal.SIGKILL) -> int:
    """Run ``work`` in a child and send it a signal just before or after one of its system calls.

    ``work`` is a generator function: what it does before its first ``yield`` is not counted. Each system call counts
    twice, when it is entered and when it is left. Return how many of these were counted until the child was gone;
    without ``stop``, no signal is sent.
    """

    def child() -> None:
        if not _ptrace(_PTRACE_TRACEME):
            os._exit(77)
        steps = work()
        next(steps)
        os.kill(os.getpid(), signal.SIGSTOP)
        next(steps, None)

    pid = fork(child)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status):
        pytest.skip("this system does not let a process trace its child")
    count = 0
    while os.WIFSTOPPED(status):
        if count == stop and number == signal.SIGKILL:
            os.kill(pid, number)
        else:
            _ptrace(_PTRACE_SYSCALL, pid, number if count == stop else 0)
        _, status = os.waitpid(pid, 0)
        count += 1
    return count
