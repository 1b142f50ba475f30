"""The same merges by git and by libgit2: many files at once, as one merge of trees."""

import os
import re
import subprocess
from pathlib import PurePosixPath

import pygit2
import pytest
from gitrepo import ENVIRONMENT
from pygit2.enums import MergeFlag

SIDES = ("base", "ours", "theirs")


def needs_merge_tree():
    found = re.search(r"(\d+)\.(\d+)", subprocess.check_output(["git", "version"], text=True))
    if not found or tuple(map(int, found.groups())) < (2, 38):
        pytest.skip("git merge-tree --write-tree needs git 2.38")


class Scratch:
    """A bare repository to merge in."""

    def __init__(self, path):
        self.path = path
        self.repository = pygit2.init_repository(str(path), bare=True)

    def git(self, *words, stdin=b""):
        command = ["git", "-C", str(self.path), *words]
        done = subprocess.run(command, env=ENVIRONMENT, input=stdin, capture_output=True, check=False)
        assert done.returncode in {0, 1}, done.stderr
        return done

    def commits(self, trees):
        """Make commits ``base``, ``ours`` and ``theirs``; a tree is path → (mode, content), or the id of a gitlink."""
        stream = []
        for name, tree in zip(SIDES, trees, strict=True):
            stream.append(b"commit refs/heads/%s\ncommitter C <c@example.org> 1 +0000\ndata 0\n" % name.encode())
            stream.append(b"" if name == "base" else b"from refs/heads/base\ndeleteall\n")
            for path, (mode, content) in tree.items():
                if mode == b"160000":
                    stream.append(b"M 160000 %s %s\n" % (content.hex().encode(), path))
                else:
                    stream.append(b"M %s inline %s\ndata %d\n%s\n" % (mode, path, len(content), content))
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(stream))

    def merge_tree(self):
        """Merge them with git; return the tree and the paths of conflicts."""
        words = ["merge-tree", "--write-tree", "--no-messages", "-z", "--name-only", "ours", "theirs"]
        done = self.git("-c", "merge.directoryRenames=false", *words)
        tree, *conflicts = done.stdout.rstrip(b"\0").split(b"\0")
        assert bool(conflicts) == bool(done.returncode)
        return self.repository[tree.decode()], {os.fsdecode(path) for path in conflicts}

    def tree(self, name):
        return self.repository.references[f"refs/heads/{name}"].peel(pygit2.Tree)

    def merge_trees(self):
        """Merge them with libgit2; return the tree, without the conflicts, and the paths of these."""
        index = self.repository.merge_trees(*map(self.tree, SIDES), flags=MergeFlag(0))
        conflicts = {entry.path for entries in index.conflicts or () for entry in entries if entry}
        # It overlooks most files that one side has where the other has a directory.
        paths = {entry.path for entry in index}
        conflicts |= {path for path in paths for parent in PurePosixPath(path).parents if str(parent) in paths}
        for path in conflicts:
            index.remove_all([path])
        return self.repository[index.write_tree(self.repository)], conflicts

    def contents(self, triples):
        """Make commits with a file for each triple of contents; return the files' names."""
        names = [f"{number:06}" for number in range(len(triples))]
        files = zip(*triples, strict=True)
        self.commits(
            {n.encode(): (b"100644", content) for n, content in zip(names, side, strict=True)} for side in files
        )
        return names

    def by_git(self, triples):
        """Return git's clean results, by the algorithm of its ort strategy; None for conflicts."""
        names = self.contents(triples)
        tree, conflicts = self.merge_tree()
        return [None if name in conflicts else tree[name].data for name in names]

    def by_libgit2(self, triples):
        """Return libgit2's clean results, by Myers's algorithm; None for conflicts."""
        names = self.contents(triples)
        tree, conflicts = self.merge_trees()
        return [None if name in conflicts else tree[name].data for name in names]

    def diffs(self, pairs, algorithm):
        """Return what git takes for changed in each pair of files: (first line, its end, new first line, its end)."""
        names = self.contents([(old, new, new) for old, new in pairs])
        words = ["--no-indent-heuristic", "--no-renames", f"--diff-algorithm={algorithm}", f"-U{10**6}"]
        done = self.git("diff-tree", "-p", "--src-prefix=", "--dst-prefix=", *words, "base", "ours")
        found = {name: [] for name in names}
        for part in done.stdout.split(b"diff --git ")[1:]:
            heading, _, lines = part.partition(b" @@\n")
            found[heading[:6].decode()] = hunks_of(lines)
        return [found[name] for name in names]


def hunks_of(lines):
    found, places, starts = [], [0, 0], None
    for line in [*lines.split(b"\n")[:-1], b" "]:
        mark = line[:1]
        if mark == b" " and starts:
            found.append((starts[0], places[0], starts[1], places[1]))
            starts = None
        elif mark in {b"-", b"+"} and not starts:
            starts = tuple(places)
        places[0] += mark in {b" ", b"-"}
        places[1] += mark in {b" ", b"+"}
    return found


def merge_file(directory, base, ours, theirs):
    """Return the result of git merge-file, which compares by Myers's algorithm; None: a conflict."""
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (directory / name).write_bytes(content)
    command = ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=directory, env=ENVIRONMENT, capture_output=True, check=False)
    return None if done.returncode else done.stdout
