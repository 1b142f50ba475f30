"""Merges of a real history under the mechanical merge, and under ``git merge-tree``: a developer's tool.

``python -m tests.bench.merges REPOSITORY`` looks at every merge of two parents: does the mechanical merge settle its
tree as recorded, did that take a merge of lines, how long did it take? The same is asked of ``git merge-tree
--write-tree``, which follows renames and makes one base of several, and of libgit2, which here does neither. Every
merge on which they do not agree with the mechanical merge is listed, with what each of them says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import MergeFlag

from gitverify.errors import MissingObject
from gitverify.objects.commit import parse_head
from gitverify.policies.coverage import NOTHING
from gitverify.source import Repository
from gitverify.treepath import Trees
from gitverify.trees.mechanical import Why, Work, unsettled, unsettled_paths
from tests.bench.target import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitverify.trees.mechanical import Unsettled

MENTIONED = 4  # paths of a difference


@dataclass
class Merge:
    """A merge of two parents, by the ids of its commits; what was found out about it."""

    name: str
    parents: tuple[str, str]
    main: bool  # on the first-parent line
    bases: list[str] = field(default_factory=list)
    work: Work = field(default_factory=Work)
    seconds: float = 0
    first: bytes | None = None  # path that is not settled as recorded
    ours: str = ""  # how the result compares: "same", "other", "conflict" or "unreadable"
    git: str = ""
    libgit2: str = ""


class Git:
    """Git and libgit2 on a repository to which they do not write."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.path = path
        objects = Repository(path).common_directory / "objects"
        self._environment = ENVIRONMENT | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        pygit2.init_repository(str(scratch), bare=True)
        (scratch / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        self._repository = pygit2.Repository(str(scratch))
        pygit2.settings.enable_strict_object_creation(False)  # a tree may name an object that is not there

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(self.path), *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)

    def lines(self, *words: str) -> list[str]:
        return self.run(*words).stdout.splitlines()

    def merges(self, tips: Iterable[str]) -> Iterator[Merge]:
        """Yield the merges of two parents that these tips reach, with their merge bases."""
        main = {*self.lines("rev-list", "--merges", "--first-parent", *tips)}
        for line in self.lines("rev-list", "--merges", "--parents", *tips):
            name, *parents = line.split()
            if len(parents) == 2:
                bases = self.lines("merge-base", "--all", *parents)
                yield Merge(name, (parents[0], parents[1]), name in main, bases)

    def merge_tree(self, merge: Merge, tree: str) -> str:
        """Say how git's result compares with the recorded tree."""
        done = self.run("merge-tree", "--write-tree", "--no-messages", *merge.parents)
        if done.returncode > 1:
            return "unreadable"
        return "conflict" if done.returncode else "same" if done.stdout.split()[0] == tree else "other"

    def merge_trees(self, merge: Merge, tree: str) -> str:
        """Say how libgit2's result with one base and without renames compares with the recorded tree."""
        answer = "conflict"
        ours, theirs = (self._tree(name) for name in merge.parents)
        for base in merge.bases:
            try:
                index = self._repository.merge_trees(self._tree(base), ours, theirs, flags=MergeFlag(0))
            except KeyError:
                return "unreadable"
            if not index.conflicts:
                answer = "same" if str(index.write_tree(self._repository)) == tree else "other"
            if answer == "same":
                break
        return answer

    def _tree(self, commit: str) -> pygit2.Tree:
        return self._repository[commit].peel(pygit2.Tree)


class Ours:
    """The mechanical merge of this package."""

    def __init__(self, path: Path) -> None:
        self._repository = Repository(path)

    def tree(self, commit: str) -> bytes:
        return parse_head(self._repository.read(bytes.fromhex(commit))[1]).tree

    def blob(self, object_id: bytes) -> bytes:
        return self._repository.read(object_id)[1]

    def look(self, merge: Merge) -> None:
        """Ask whether one of the bases will do; time it with nothing remembered from other merges."""
        ours, theirs, recorded = (self.tree(name) for name in (*merge.parents, merge.name))
        bases = [self.tree(name) for name in merge.bases]
        merge.ours = "other"
        start = time.perf_counter()
        trees = Trees(self._repository)
        for base in bases:
            try:
                path = unsettled(trees, self.blob, base, ours, theirs, recorded, NOTHING, work=merge.work)
            except MissingObject:
                merge.ours = "unreadable"
                break
            if path is None:
                merge.ours = "same"
                break
        merge.seconds = time.perf_counter() - start

    def contribution(self, merge: Merge) -> list[Unsettled]:
        """Return all paths that the first base does not settle."""
        base, ours, theirs, recorded = (self.tree(name) for name in (merge.bases[0], *merge.parents, merge.name))
        return [*unsettled_paths(Trees(self._repository), self.blob, base, ours, theirs, recorded)]


def look_at(merges: list[Merge], git: Git, ours: Ours) -> Iterator[Merge]:
    """Fill in what is found out about each merge; yield those on which not all agree."""
    for merge in merges:
        ours.look(merge)
        tree = ours.tree(merge.name).hex()
        merge.git = git.merge_tree(merge, tree)
        merge.libgit2 = git.merge_trees(merge, tree)
        if len({answer == "same" for answer in (merge.ours, merge.git, merge.libgit2)}) > 1:
            yield merge


def describe(merge: Merge, ours: Ours) -> str:
    """Return a line about a merge on which not all agree."""
    bases = "one base" if len(merge.bases) == 1 else f"{len(merge.bases)} bases"
    line = f"{merge.name} {bases}; git: {merge.git}, libgit2: {merge.libgit2}, ours: {merge.ours}"
    if merge.ours == "other" and merge.bases:
        paths = ours.contribution(merge)
        line += f"; {len(paths)} paths: "
        line += ", ".join(f"{path.path.decode(errors='replace')} ({path.why})" for path in paths[:MENTIONED])
    return line


def summary(title: str, merges: list[Merge]) -> None:
    """Print the figures of some merges."""
    if not merges:
        return
    mechanical = [merge for merge in merges if merge.ours == "same"]
    print(f"{title}: {len(merges):,}")
    share("mechanical", mechanical, merges)
    share("of these, with a merge of lines", [merge for merge in mechanical if merge.work.files], merges)
    share("git merge-tree: the recorded tree", [merge for merge in merges if merge.git == "same"], merges)
    share("libgit2, one base, no renames: the recorded tree", [m for m in merges if m.libgit2 == "same"], merges)
    share("without a merge base", [merge for merge in merges if not merge.bases], merges)
    share("with several merge bases", [merge for merge in merges if len(merge.bases) > 1], merges)
    share("unreadable here", [merge for merge in merges if "unreadable" in {merge.ours, merge.git}], merges)
    for what, chosen in (("all", merges), ("without a merge of lines", [m for m in merges if not m.work.files])):
        times = sorted(merge.seconds * 1e3 for merge in chosen) or [0.0]
        last = times[len(times) * 99 // 100]
        print(f"  milliseconds, {what:<34} median {median(times):.2f}, p99 {last:.2f}, most {times[-1]:.2f}")


def share(what: str, part: list[Merge], whole: list[Merge]) -> None:
    print(f"  {what:<48} {len(part):>6,} {100 * len(part) / len(whole):6.1f} %")


def reasons(merges: list[Merge], ours: Ours) -> None:
    """Print what kept merges from being mechanical."""
    found: Counter[str] = Counter()
    for merge in merges:
        if merge.bases and merge.ours == "other":
            kinds = {path.why for path in ours.contribution(merge)}
            found[", ".join(why for why in Why if why in kinds)] += 1
    for kinds, count in found.most_common():
        print(f"  not mechanical: {kinds:<42} {count:>6,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("tips", nargs="*", default=["HEAD"], help="revisions for git rev-list")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        git, ours = Git(asked.repository, Path(scratch)), Ours(asked.repository)
        merges = [*git.merges(asked.tips)]
        for merge in look_at(merges, git, ours):
            print(describe(merge, ours), flush=True)
        summary("first-parent merges", [merge for merge in merges if merge.main])
        summary("all merges", merges)
        reasons(merges, ours)


if __name__ == "__main__":
    main()
