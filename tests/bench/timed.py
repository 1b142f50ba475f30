"""Commands timed from outside: wall time, processor time with that of their children, memory, and what they print."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.run import TIMES
from tests.bench.target import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.run import Results

# git as it is for nobody in particular, who commits at no time in particular.
GIT = ENVIRONMENT | {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000"))
    },
}


class Spent(NamedTuple):
    """Seconds, seconds of processors, the largest resident set of a process (MB), and what was written."""

    seconds: float
    cpu: float
    memory: float
    output: str


def timed(command: Sequence[str | Path], more: Mapping[str, str] | None = None) -> Spent:
    """Run a command to its end; ``more`` of the environment. The processors' time is that of all that it waited for."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=GIT | (more or {}), cwd=ROOT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    spent = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{command[:3]} failed: {process.returncode}: {output[-2000:]}")
    return Spent(spent, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.strip())


def shell(script: str, *words: str | Path) -> Spent:
    """Run a shell script; it sees the words as ``$1`` and so on."""
    return timed(["sh", "-ec", script, "sh", *words])


class Best:
    """Of each thing that is done in turns, several times: the run that took the least time."""

    def __init__(self) -> None:
        self.runs: dict[str, Spent] = {}

    def note(self, what: str, spent: Spent) -> Spent:
        self.runs[what] = min(self.runs.get(what, spent), spent)
        return spent

    def seconds(self, what: str) -> float:
        return self.runs[what].seconds

    def cpu(self, what: str) -> float:
        return self.runs[what].cpu

    def show(self, name: str, results: Results) -> None:
        for what, spent in self.runs.items():
            results.add(name, what, spent.seconds, "s")
            results.add(name, f"{what}, processors", spent.cpu, "s")

    def compare(self, name: str, what: str, one: str, others: Sequence[str], results: Results, goal: str = "") -> None:
        """Show how often the time of all others goes into that of one: on the clock, and of the processors."""
        results.add(name, what, self.seconds(one) / sum(self.seconds(each) for each in others), TIMES, goal)
        ratio = self.cpu(one) / sum(self.cpu(each) for each in others)
        results.add(name, f"{what}, processors", ratio, TIMES)
