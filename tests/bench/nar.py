"""What narHash and an export cost, of a large generated tree: ``python -m tests.bench.nar``.

From a directory against ``nix hash path``, from the object database against ``git archive`` into a counter of bytes,
and an export against ``git archive | tar x``, which brings nothing to the disk. Each is a process of its own, its start
included. Text compresses as source code does, to less than half; sizes are mostly small, some large.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.generate import default_cache
from tests.bench.run import TIMES, Results
from tests.bench.target import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

_GIT = ENVIRONMENT | {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000"))
    },
}

_BEGIN = """
import sys
from functools import partial
from pathlib import Path
from gitverify.nix.nar import nar_hash, sri
place, jobs = Path(sys.argv[1]), int(sys.argv[2])
"""
_READ = """
from gitverify.export.ahead import Ahead
from gitverify.export.walk import show_tree
from gitverify.source import Repository
contents = Ahead(jobs, lambda: Repository(place / "git")) if jobs > 1 else None
"""
_OURS = {
    "directory": """
from gitverify.nix.directory import show_path
print(sri(nar_hash(partial(show_path, place / "plain"))))
""",
    "objects": _READ
    + """
tree = bytes.fromhex(sys.argv[3])
print(sri(nar_hash(partial(show_tree, Repository(place / "git"), tree, contents=contents))))
""",
    "export": _READ
    + """
from gitverify.export.place import Place
with Place(Path(sys.argv[4])) as output:
    with output.writer(1_700_000_000) as writer:
        show_tree(Repository(place / "git"), bytes.fromhex(sys.argv[3]), writer, contents=contents)
    output.appear()
""",
}


class Shape(NamedTuple):
    files: int
    megabytes: int


def cached(shape: Shape, cache: Path) -> Path:
    """Return a directory with a tree, ``plain``, and a repository that has it packed, ``git``; made once."""
    place = cache / f"tree-{shape.files}-{shape.megabytes}"
    if place.exists():
        return place
    making = cache / f"{place.name}.{os.getpid()}"
    write(shape, making / "plain")
    git = ["git", f"--git-dir={making / 'git'}", f"--work-tree={making / 'plain'}"]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", making / "git"], check=True, env=_GIT)
    for words in (["add", "-A"], ["commit", "-qm", "all"], ["repack", "-adq"]):
        subprocess.run([*git, *words], check=True, env=_GIT)
    making.rename(place)
    return place


def write(shape: Shape, plain: Path) -> None:
    """Write the files, twenty to a directory and of sizes that vary by a factor of a thousand."""
    chance = random.Random(1)
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz_", k=chance.randint(2, 12))) for _ in range(5000)]
    text = b" ".join(chance.choices(words, k=500_000))
    sizes = [min(chance.lognormvariate(0, 1.5), 200) for _ in range(shape.files)]
    factor = shape.megabytes * 1e6 / sum(sizes)
    for number, size in enumerate(sizes):
        folder = plain / f"d{number // 2000}" / f"d{number // 20 % 100}"
        folder.mkdir(parents=True, exist_ok=True)
        content = bytearray(b"%d\n" % number)
        while len(content) < size * factor:
            at = chance.randrange(len(text) - 5000)
            content += text[at : at + chance.randint(500, 5000)]
        (folder / f"f{number}").write_bytes(content[: int(size * factor)])


class Spent(NamedTuple):
    """Seconds, the largest resident set of a process (MB), and what it wrote."""

    seconds: float
    memory: float
    output: str


def timed(command: Sequence[str | Path]) -> Spent:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=_GIT, cwd=ROOT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {process.returncode}")
    return Spent(time.perf_counter() - start, usage.ru_maxrss / 1024, output.strip())


def ours(what: str, place: Path, jobs: int, tree: str, *more: Path) -> Spent:
    return timed([sys.executable, "-c", _BEGIN + _OURS[what], place, str(jobs), tree, *more])


def shell(script: str, *words: Path) -> Spent:
    return timed(["sh", "-ec", script, "sh", *words])


def measure(shape: Shape, place: Path, jobs: Sequence[int], rounds: int, results: Results) -> None:
    """Do everything in turns; keep the best of each."""
    tree = timed(["git", f"--git-dir={place / 'git'}", "rev-parse", "HEAD^{tree}"]).output
    best: dict[str, Spent] = {}

    def note(what: str, spent: Spent) -> None:
        best[what] = min(best.get(what, spent), spent)

    for _ in range(rounds):
        note("narHash of a directory", ours("directory", place, 1, tree))
        if shutil.which("nix"):
            command = ["nix", "--extra-experimental-features", "nix-command", "hash", "path", place / "plain"]
            note("nix hash path", timed(command))
        note("git archive", shell('git --git-dir="$1/git" archive HEAD | wc -c', place))
        for count in jobs:
            note(f"narHash of objects, --jobs {count}", ours("objects", place, count, tree))
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            out = Path(scratch)
            (out / "tar").mkdir()
            note(
                "git archive | tar x", shell('git --git-dir="$1/git" archive HEAD | tar x -C "$2"', place, out / "tar")
            )
            for count in jobs:
                note(f"export, --jobs {count}", ours("export", place, count, tree, out / f"out{count}"))
    show(f"{shape.files:,} files, {shape.megabytes:,} MB", best, jobs, results)


def show(name: str, best: dict[str, Spent], jobs: Sequence[int], results: Results) -> None:
    hashes = {spent.output for spent in best.values() if spent.output.startswith("sha256-")}
    if len(hashes) != 1:
        raise RuntimeError(f"the hashes differ: {hashes}")
    for what, spent in best.items():
        results.add(name, what, spent.seconds, "s")
    directory = best["narHash of a directory"]
    if "nix hash path" in best:
        results.add(
            name, "directory / nix hash path", directory.seconds / best["nix hash path"].seconds, TIMES, "<= 1.5"
        )
    else:
        results.skip(name, "directory / nix hash path", "Nix is not installed")
    results.add(name, "memory, directory", directory.memory, "MB")
    for count in jobs:
        spent = best[f"narHash of objects, --jobs {count}"]
        goal = "<= 1.5" if count == max(jobs) else ""
        results.add(
            name, f"objects / git archive, --jobs {count}", spent.seconds / best["git archive"].seconds, TIMES, goal
        )
        results.add(name, f"memory, objects, --jobs {count}", spent.memory, "MB")
        both = best[f"export, --jobs {count}"].seconds / best["git archive | tar x"].seconds
        results.add(name, f"export / archive and tar, --jobs {count}", both, TIMES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=41_000)
    parser.add_argument("--megabytes", type=int, default=1_700)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=default_cache())
    asked = parser.parse_args()
    shape = Shape(asked.files, asked.megabytes)
    asked.cache.mkdir(parents=True, exist_ok=True)
    measure(shape, cached(shape, asked.cache), asked.jobs, asked.rounds, Results())


if __name__ == "__main__":
    main()
