"""Runs that are killed: before each change that they make on the disk, and before each program that they start.

No phase has to be named, and none is forgotten: the first run is killed before its first change, the next one before
its second, until one comes to its end. What tells them apart is Python's own audit (sys.addaudithook), to which git
subprocesses and everything that is written are reported, but for what SQLite writes (tests/test_mark_faults.py).
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

from gitverify.cli.progress import Progress
from gitverify.mark import MarkStore

_CHANGES = {
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "sqlite3.connect",
    "subprocess.Popen",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Killer:
    """Kills this process when it is about to do something for the time that was chosen."""

    def __init__(self, chosen, report):
        self.left = chosen
        self.report = report

    def __call__(self, event, arguments):
        if event == "subprocess.Popen":
            self.count(f"git {command(arguments[1])}")
        elif event == "os.mkdir" and Path(os.fsdecode(arguments[0])).is_dir():
            pass  # it is there already
        elif event in _CHANGES or (event == "open" and _writes(*arguments)):
            self.count(f"{event} {Path(os.fsdecode(arguments[0])).name}")

    def count(self, what):
        if self.left == 0:
            os.write(self.report, what.encode("utf-8", "replace"))
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def _writes(path, _, flags):
    """Whether a file is opened that others could find, and not to be read."""
    nameless = isinstance(path, int) or os.fsdecode(path) in {os.devnull, tempfile.gettempdir()}
    return not nameless and bool(flags & _WRITING)


def command(words):
    """Which of its commands git is to run."""
    rest = iter(words[1:])
    for word in rest:
        if word == "-c":
            next(rest)
        elif not word.startswith("-"):
            return word
    raise AssertionError(words)


def killed(run, number):
    """Run in a process of its own, and kill that before its ``number``-th change; what it was, None at the end."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        status = 70
        try:
            os.close(read)
            killer = _Killer(number, write)
            told(killer, "verifying", Progress, "examined")
            told(killer, "the mark", MarkStore, "advance")
            sys.addaudithook(killer)
            status = run()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        what = file.read().decode() or None
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == (0 if what is None else -signal.SIGKILL), (number, what, status)
    return what


def told(killer, what, owner, method):
    """Have a method's calls count as changes, too."""
    real = getattr(owner, method)

    def calling(*arguments, **kwargs):
        killer.count(what)
        return real(*arguments, **kwargs)

    setattr(owner, method, calling)


def everywhere(run, prepare, check):
    """Kill ``run`` at every point. Before each ``prepare``, then ``check``, which is told what it was killed before.

    Returns what all runs were killed before.
    """
    points = []
    while True:
        prepare()
        what = killed(run, len(points))
        if what is None:
            return points
        points.append(what)
        check(what)
        assert len(points) < 500
