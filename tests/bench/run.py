"""The benchmarks: ``make bench``, or ``python -m tests.bench.run --help``.

Times depend on the machine, so what counts are ratios of two things measured in turns in the same run, the best of
several rounds of each. The goals stand beside them; nothing fails where one is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import floor, generate, memory, peers
from tests.bench.target import ENVIRONMENT, ROOT, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

NONGUIX = "897c1a470da759236cc11798f4e0a5f7d4d59fbc", "2A393FFF68F4EF7A3D2912AF6F5120A022FBB2D5"

_WARM_ROUNDS = 15
_STARTS = 5  # that many in a round: each is short
TIMES = "times"

# What a verification of nothing new has imported when it ends.
_LIST_MODULES = """
import runpy, sys
sys.argv[:] = ["gitverify", *{arguments!r}]
try:
    runpy.run_module("gitverify", run_name="__main__")
finally:
    print(*sys.modules, file=sys.stderr)
"""


class Results:
    """The lines of the table, and the same as data."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, target: str, what: str, value: float, unit: str, goal: str = "") -> None:
        self.rows.append({"target": target, "what": what, "value": value, "unit": unit, "goal": goal})
        print(
            f"{target:<22} {what:<44} {value:>9,.{0 if value >= 1000 else 3 if unit == 's' else 2}f} {unit:<10} {goal}"
        )

    def skip(self, target: str, what: str, reason: str) -> None:
        self.rows.append({"target": target, "what": what, "skipped": reason})
        print(f"{target:<22} {what:<44} skipped: {reason}")


def cold(target: Target, jobs: list[int], rounds: int, results: Results) -> None:
    """Verify from the introduction, and do the floor's work, in turns."""
    work = floor.prepare(target.path, target.introduction, target.tip, target.keyring)
    best = {(kind, count): float("inf") for kind in ("cold", "floor") for count in jobs}
    script = _imports(target.arguments(max(jobs)))
    start = float("inf")
    for _ in range(rounds):
        start = min(start, *(_time([sys.executable, "-c", script]) for _ in range(_STARTS)))
        for count in jobs:
            spent, checked = target.verify(count)
            best["cold", count] = min(best["cold", count], spent)
            best["floor", count] = min(best["floor", count], floor.seconds(work, count))
    if checked != work.commits or work.left_out:
        print(
            f"{target.name}: {checked} commits verified, {work.commits - work.left_out} in the floor", file=sys.stderr
        )
    for count in jobs:
        whole, least = best["cold", count], best["floor", count]
        results.add(target.name, f"cold, --jobs {count}", whole, "s")
        results.add(target.name, f"floor, {count} processes", least, "s")
        results.add(target.name, f"cold, --jobs {count}", whole / work.commits * 1e6, "µs/commit")
        results.add(target.name, f"cold / floor, --jobs {count}", whole / least, TIMES, "<= 1.5")
        what = f"cold without start / floor, --jobs {count}"
        results.add(target.name, what, (whole - start) / least, TIMES, "<= 1.5")
    results.add(target.name, "start: Python and imports", start, "s")
    if {1, 2} <= set(jobs):
        results.add(target.name, "cold: two processes against one", best["cold", 1] / best["cold", 2], TIMES, ">= 1.7")
        results.add(target.name, "floor: two processes against one", best["floor", 1] / best["floor", 2], TIMES)


def warm(target: Target, jobs: int, results: Results) -> None:
    """Verify where nothing is new, against starting Python and importing the same modules."""
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch, "state")
        target.verify(jobs, state)
        script = _imports(target.arguments(jobs, state))
        best = {"nothing new": float("inf"), "Python and imports": float("inf")}
        for _ in range(_WARM_ROUNDS):
            spent, checked = target.verify(jobs, state)
            if checked:
                raise RuntimeError(f"{target.name}: {checked} commits were looked at again")
            best["nothing new"] = min(best["nothing new"], spent)
            best["Python and imports"] = min(best["Python and imports"], _time([sys.executable, "-c", script]))
    for what, spent in best.items():
        results.add(target.name, what, spent, "s", "<= 0.25" if what == "nothing new" else "")
    ratio = best["nothing new"] / best["Python and imports"]
    results.add(target.name, "nothing new / Python and imports", ratio, TIMES, "<= 1.5")


def _imports(arguments: list[str]) -> str:
    """Return a script that imports what a run of the command imports, in the same order."""
    listing = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES.format(arguments=arguments)],
        check=True,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
    )
    names = [name for name in listing.stderr.split() if "__main__" not in name]
    attempt = "import importlib\nfor name in {names!r}:\n    try:\n        importlib.import_module(name)\n{otherwise}"
    probe = attempt.format(names=names, otherwise="    except ImportError:\n        print(name)")
    absent = _output([sys.executable, "-c", probe]).split()  # a few are made by others and can't be imported
    return "".join(f"import {name}\n" for name in names if name not in absent)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT).stdout


def _time(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, env=ENVIRONMENT, cwd=ROOT)
    return time.perf_counter() - start


def peak_memory(target: Target, jobs: int, results: Results) -> None:
    """Sum the proportional set sizes of all processes of a cold run."""
    largest = memory.peak(target.command(jobs), env=ENVIRONMENT, cwd=ROOT)
    results.add(target.name, f"peak memory, --jobs {jobs}", largest / 1e6, "MB", "< 300")


def against_gpg(corpora: Path | None, cache: Path, jobs: int, results: Results) -> None:
    """Compare with git and gpg on a real history."""
    what = "git log --format=%G? with gpg"
    if corpora is None or not (corpora / "make-nonguix").exists():
        results.skip("nonguix", what, "no make-nonguix; say where with --corpora")
        return
    path = cache / "nonguix"
    if not path.exists():
        subprocess.run([corpora / "make-nonguix", path], check=True, stdout=subprocess.DEVNULL)
    target = Target("nonguix", path, *NONGUIX)
    theirs = max(peers.gpg(target) for _ in range(2))
    ours = max(_rate(target, jobs) for _ in range(5))
    _compare(target, what, theirs, ours, results, ">= 30")


def against_ssh_keygen(cache: Path, commits: int, jobs: int, results: Results) -> None:
    """Compare with git and ssh-keygen on a synthetic history."""
    target = synthetic("native", commits, cache)
    theirs = max(peers.ssh_keygen(target) for _ in range(2))
    ours = max(_rate(target, jobs) for _ in range(3))
    _compare(target, "git log --format=%G? with ssh-keygen", theirs, ours, results)


def _rate(target: Target, jobs: int) -> float:
    spent, checked = target.verify(jobs)
    return checked / spent


def _compare(target: Target, what: str, theirs: float, ours: float, results: Results, goal: str = "") -> None:
    results.add(target.name, what, theirs, "commits/s")
    results.add(target.name, "gitverify, whole history", ours, "commits/s")
    results.add(target.name, f"gitverify against {what.rpartition(' ')[2]}", ours / theirs, TIMES, goal)


def synthetic(dialect: str, commits: int, cache: Path) -> Target:
    """Return a generated history."""
    sample = generate.cached(generate.Plan(dialect, commits), cache)
    return Target(f"{dialect} {commits:,}", sample.path, sample.introduction, sample.signer)


@contextmanager
def _written(results: Results, path: Path | None) -> Iterator[None]:
    try:
        yield
    finally:
        if path is not None:
            path.write_text(json.dumps(results.rows, indent=1, ensure_ascii=False) + "\n")


def measure(target: Target, asked: argparse.Namespace, results: Results) -> None:
    """Measure all that can be measured on one history."""
    if "cold" in asked.sections:
        cold(target, asked.jobs, asked.rounds, results)
    if "warm" in asked.sections:
        warm(target, max(asked.jobs), results)
    if "memory" in asked.sections:
        peak_memory(target, max(asked.jobs), results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, nargs="+", default=[20_000, 100_000], help="sizes of the histories")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    sections = ["cold", "warm", "memory", "peers"]
    parser.add_argument("--sections", nargs="+", choices=sections, default=sections)
    parser.add_argument("--cache", type=Path, default=generate.default_cache(), help="for keys and histories")
    parser.add_argument("--corpora", type=Path, help="the directory with make-nonguix")
    parser.add_argument("--json", type=Path, help="write the results there too")
    real = parser.add_argument_group("a real history in place of the synthetic ones")
    real.add_argument("--repo", type=Path)
    real.add_argument("--introduction")
    real.add_argument("--signer")
    real.add_argument("--tip", default="HEAD")
    real.add_argument("--keyring", default="keyring")
    asked = parser.parse_args()
    if asked.repo and not asked.introduction:
        parser.error("--repo needs --introduction")
    return asked


def main() -> None:
    asked = _arguments()
    asked.cache.mkdir(parents=True, exist_ok=True)
    results = Results()
    with _written(results, asked.json):
        if asked.repo:
            target = Target(asked.repo.name, asked.repo, asked.introduction, asked.signer, asked.tip, asked.keyring)
            measure(target, asked, results)
            return
        for commits in asked.commits:
            measure(synthetic("guix", commits, asked.cache), asked, results)
        if "peers" in asked.sections:
            against_gpg(asked.corpora, asked.cache, max(asked.jobs), results)
            against_ssh_keygen(asked.cache, min(asked.commits), max(asked.jobs), results)


if __name__ == "__main__":
    main()
