"""What narHash and an export cost, of a large generated tree: ``python -m tests.bench.nar``.

From a directory against ``nix hash path``, from the object database against ``git archive`` to nowhere, and an export
against ``git archive | tar x``, which brings nothing to the disk. Each is a process of its own, its start included.
Text compresses as source code does, to half; sizes are mostly small, some large.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.generate import default_cache
from tests.bench.run import Results
from tests.bench.timed import GIT, Best, Spent, shell, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

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

_DIRECTORY, _NIX = "narHash of a directory", "nix hash path"
_ARCHIVE, _TAR = "git archive", "git archive | tar x"


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
    git = ["git", "-c", "gc.auto=0", f"--git-dir={making / 'git'}", f"--work-tree={making / 'plain'}"]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", making / "git"], check=True, env=GIT)
    # No file is like another: looking for deltas would only take time.
    for words in (["add", "-A"], ["commit", "-qm", "all"], ["repack", "-adq", "--window=0"]):
        subprocess.run([*git, *words], check=True, env=GIT)
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


def ours(what: str, place: Path, jobs: int, tree: str, *more: Path) -> Spent:
    return timed([sys.executable, "-c", _BEGIN + _OURS[what], place, str(jobs), tree, *more])


def hashes(place: Path, tree: str, jobs: Sequence[int], rounds: int, best: Best) -> None:
    """Hash from a directory and from the object database, in turns."""
    # In memory from then on: whoever came first would read from the disk, for all others.
    shell('find "$1/plain" "$1/git/objects" -type f -exec cat {} + >/dev/null', place)
    for _ in range(rounds):
        best.note(_DIRECTORY, ours("directory", place, 1, tree))
        if shutil.which("nix"):
            command = ["nix", "--extra-experimental-features", "nix-command", "hash", "path", place / "plain"]
            best.note(_NIX, timed(command))
        best.note(_ARCHIVE, shell('git --git-dir="$1/git" archive HEAD >/dev/null', place))
        for count in jobs:
            best.note(f"narHash of objects, --jobs {count}", ours("objects", place, count, tree))


def exports(place: Path, tree: str, jobs: Sequence[int], scratch: Path, best: Best) -> None:
    """Write the tree out, with each number of processes and with tar."""
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        out = Path(directory)
        (out / "tar").mkdir()
        best.note(_TAR, shell('git --git-dir="$1/git" archive HEAD | tar x -C "$2"', place, out / "tar"))
        shutil.rmtree(out / "tar")
        for count in jobs:
            best.note(f"export, --jobs {count}", ours("export", place, count, tree, out / "ours"))
            shutil.rmtree(out / "ours")


def show_hashes(name: str, best: Best, jobs: Sequence[int], results: Results) -> None:
    printed = {spent.output for spent in best.runs.values() if spent.output.startswith("sha256-")}
    if len(printed) != 1:
        raise RuntimeError(f"the hashes differ: {printed}")
    best.show(name, results)
    if _NIX in best.runs:
        best.compare(name, "directory / nix hash path", _DIRECTORY, [_NIX], results, "<= 1.5")
    else:
        results.skip(name, "directory / nix hash path", "Nix is not installed")
    results.add(name, "memory, directory", best.runs[_DIRECTORY].memory, "MB")
    for count in jobs:
        what = f"narHash of objects, --jobs {count}"
        goal = "<= 1.5" if count == max(jobs) else ""
        best.compare(name, f"objects / git archive, --jobs {count}", what, [_ARCHIVE], results, goal)
        results.add(name, f"memory with the mapped pack, objects, --jobs {count}", best.runs[what].memory, "MB")


def show_exports(name: str, best: Best, jobs: Sequence[int], results: Results) -> None:
    best.show(name, results)
    for count in jobs:
        best.compare(name, f"export / archive and tar, --jobs {count}", f"export, --jobs {count}", [_TAR], results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=41_000)
    parser.add_argument("--megabytes", type=int, default=1_700)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=2, help="of hashing; what is written out, is written once")
    parser.add_argument("--sections", nargs="+", choices=["hash", "export"], default=["hash", "export"])
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--scratch", type=Path, help="where to write to (default: the cache)")
    asked = parser.parse_args()
    shape = Shape(asked.files, asked.megabytes)
    asked.cache.mkdir(parents=True, exist_ok=True)
    place, results = cached(shape, asked.cache), Results()
    tree = timed(["git", f"--git-dir={place / 'git'}", "rev-parse", "HEAD^{tree}"]).output
    name = f"{shape.files:,} files, {shape.megabytes:,} MB"
    if "hash" in asked.sections:
        best = Best()
        hashes(place, tree, asked.jobs, asked.rounds, best)
        show_hashes(name, best, asked.jobs, results)
    if "export" in asked.sections:
        best = Best()
        exports(place, tree, asked.jobs, asked.scratch or asked.cache, best)
        show_exports(name, best, asked.jobs, results)


if __name__ == "__main__":
    main()
