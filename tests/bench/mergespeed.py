"""The mechanical merge of trees against ``git merge-tree``, one process a merge: a developer's tool.

``python -m tests.bench.mergespeed`` compares them on synthetic trees of several sizes, in which each merge brings one
changed file to a folder of 300 entries, or of 9,000, where another one has changed since. ``--repository`` takes the
last merges of a real history instead, of those that trees settle without a look into files.

Both read the same packed objects; git gets commits without a history, so that it need not look for the merge base.
The mechanical merge is measured *alone*, with nothing remembered, and *in a run*, with what a verification remembers
of the merges before. The best of several rounds counts for each merge.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pygit2

from gitverify.policies.coverage import NOTHING
from gitverify.source import Repository
from gitverify.treepath import Trees
from gitverify.trees.mechanical import unsettled
from tests.bench.merges import Git, Ours
from tests.bench.target import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    Versions = tuple[bytes, bytes, bytes, bytes]  # ids of root trees: base, ours, theirs, recorded

SMALL, LARGE = 300, 9_000  # entries of folders
MANY = 500  # the goal is another where a folder on a changed path has that many
GOALS = {True: ">= 1", False: ">= 5, aim 10"}
MERGES, BEHIND = 30, 4  # synthetic merges, and how many commits ago each was based


class Counting:
    """Reads objects and notes the largest tree among them."""

    def __init__(self, source: Repository) -> None:
        self._source = source
        self.largest = 0

    def read(self, object_id: bytes) -> tuple[str, bytes]:
        kind, raw = self._source.read(object_id)
        if kind == "tree":
            self.largest = max(self.largest, raw.count(b"\0"))  # about one for each entry
        return kind, raw


class Race:
    """Both merges on the objects of a repository."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self._source = Repository(path, bare="trusted")
        self._scratch = pygit2.init_repository(str(scratch), bare=True)
        objects = self._source.common_directory / "objects"
        (scratch / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        self._merge_tree = ["git", "-C", str(scratch), "merge-tree", "--write-tree"]
        self._environment = ENVIRONMENT | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}

    def ours(self, merges: list[Versions], *, remember: bool) -> list[float]:
        """Return the seconds that each merge takes."""
        times = []
        trees = Trees(self._source)
        for versions in merges:
            start = time.perf_counter()
            trees = trees if remember else Trees(self._source)
            path = unsettled(trees, self._blob, *versions, NOTHING)
            times.append(time.perf_counter() - start)
            if path is not None:
                raise RuntimeError(f"the merge does not settle {path!r}")
        return times

    def git(self, merges: list[Versions]) -> list[float]:
        """Return the seconds that each takes git."""
        times = []
        for versions in merges:
            command = [*self._merge_tree, *self._commits(versions)]
            start = time.perf_counter()
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=self._environment)
            times.append(time.perf_counter() - start)
            if bytes.fromhex(done.stdout.split()[0].decode()) != versions[3]:
                raise RuntimeError("git merges otherwise")
        return times

    def _commits(self, versions: Versions) -> list[str]:
        """Make commits of both sides' trees, on one with the base's."""
        signature = pygit2.Signature("A", "a@example.org", 1, 0)
        base, ours, theirs = (pygit2.Oid(raw=tree) for tree in versions[:3])
        root = self._scratch.create_commit(None, signature, signature, "", base, [])
        return [str(self._scratch.create_commit(None, signature, signature, "", t, [root])) for t in (ours, theirs)]

    def largest(self, versions: Versions) -> int:
        """Return how many entries the largest tree has that the mechanical merge reads."""
        source = Counting(self._source)
        unsettled(Trees(source), self._blob, *versions, NOTHING)
        return source.largest

    def _blob(self, blob: bytes) -> bytes:
        return self._source.read(blob)[1]


def compare(title: str, merges: list[Versions], race: Race, rounds: int) -> None:
    """Measure and print, for merges with small folders and for those with large ones."""
    best: dict[str, list[list[float]]] = {"alone": [], "in a run": [], "git": []}
    for _ in range(rounds):
        best["alone"].append(race.ours(merges, remember=False))
        best["in a run"].append(race.ours(merges, remember=True))
        best["git"].append(race.git(merges))
    times = {what: [min(spent) for spent in zip(*rounds_of, strict=True)] for what, rounds_of in best.items()}
    large = [race.largest(versions) >= MANY for versions in merges]
    for kind, goal in GOALS.items():
        chosen = [number for number, is_large in enumerate(large) if is_large == kind]
        if not chosen:
            continue
        git = median(times["git"][number] for number in chosen)
        folders = f"a folder of {MANY} entries or more" if kind else "smaller folders"
        print(f"{title}, {folders}: {len(chosen)} merges, git {git * 1e3:.2f} ms")
        for what in ("alone", "in a run"):
            ours = median(times[what][number] for number in chosen)
            ratio = median(times["git"][number] / times[what][number] for number in chosen)
            print(f"  {what:<10} {ours * 1e3:8.3f} ms {ratio:7.1f} times as fast as git   {goal}")


def synthetic(path: Path, files: int) -> list[list[Versions]]:
    """Make a repository with trees of so many files; return its merges, by folder."""
    rng = random.Random(files)
    paths = [f"pkgs/python-modules/{rng.randrange(16**8):08x}/default.nix" for _ in range(min(LARGE, files // 2))]
    folders = [paths[:]]
    while len(paths) < files:
        group = rng.randrange(16**6)
        folder = [f"pkgs/{group % 9}/{group:06x}/{rng.randrange(16**8):08x}/default.nix" for _ in range(SMALL)]
        paths += folder
    folders.append(folder)
    stream = ["commit refs/heads/start\ncommitter C <c@example.org> 1 +0000\ndata 0\n"]
    stream += [f"M 644 inline {name}\ndata {len(name)}\n{name}\n" for name in paths]
    for number, folder in enumerate(folders):
        changed = rng.sample(folder, MERGES + BEHIND)
        for at, name in enumerate(changed):
            main, base = (f"{number}-{at - back - 1}" if at > back else "start" for back in (0, BEHIND))
            for branch, parent in ((f"{number}-{at}", main), (f"{number}-{at}-topic", base)):
                stream.append(f"commit refs/heads/{branch}\ncommitter C <c@example.org> 2 +0000\ndata 0\n")
                stream.append(f"from refs/heads/{parent}\nM 644 inline {name}\ndata 3\nnew\n")
    repository = pygit2.init_repository(str(path), bare=True)
    for words in (["fast-import", "--quiet"], ["repack", "-adq"]):
        subprocess.run(["git", "-C", str(path), *words], check=True, env=ENVIRONMENT, input="".join(stream), text=True)

    def tree(name: str) -> bytes:
        return repository.references[f"refs/heads/{name}"].peel(pygit2.Tree).id.raw

    return [
        [
            (tree(f"{n}-{at - BEHIND - 1}"), tree(f"{n}-{at - 1}"), tree(f"{n}-{at}-topic"), tree(f"{n}-{at}"))
            for at in range(BEHIND + 1, MERGES + BEHIND)
        ]
        for n in range(len(folders))
    ]


def real(path: Path, scratch: Path, count: int) -> Iterator[Versions]:
    """Yield the last merges of a history that trees alone settle, so many and the last one first."""
    git, ours = Git(path, scratch), Ours(path)
    for merge in git.merges(["HEAD"]):
        if count and merge.main and len(merge.bases) == 1:
            base, left, right, recorded = (ours.tree(name) for name in (*merge.bases, *merge.parents, merge.name))
            ours.look(merge)
            if merge.ours == "same" and not merge.work.files and git.merge_tree(merge, recorded.hex()) == "same":
                count -= 1
                yield base, left, right, recorded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 45_000, 200_000], help="files in a tree")
    parser.add_argument("--repository", type=Path, help="a real history instead")
    parser.add_argument("--merges", type=int, default=200, help="of it, that are looked at")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        if asked.repository:
            merges = [*real(asked.repository, scratch / "git", asked.merges)][::-1]
            race = Race(asked.repository, scratch / "race")
            compare("all", merges, race, asked.rounds)
            both = [versions for versions in merges if versions[0] not in versions[1:3]]
            compare("both sides changed something", both, race, asked.rounds)
            return
        for size in asked.sizes:
            folders = synthetic(scratch / str(size), size)
            race = Race(scratch / str(size), scratch / f"race-{size}")
            for merges in folders:
                compare(f"{size:,} files", merges, race, asked.rounds)


if __name__ == "__main__":
    main()
