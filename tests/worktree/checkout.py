"""A checkout made by git, and its comparison with a commit of its repository."""

import os
import re

from gitrepo import GitRepository

from gitverify.objects.commit import parse_head
from gitverify.settings import Settings
from gitverify.source import Repository
from gitverify.worktree.compare import compare
from gitverify.worktree.wildmatch import parse_pattern


class Checkout(GitRepository):
    """Some files of all kinds, committed and checked out."""

    def __init__(self, path, **files):
        super().__init__(path)
        (path / "lib" / "deep").mkdir(parents=True)
        for name in ("README", "lib/a", "lib/deep/b"):
            (path / name).write_text(f"this is {name}\n")
        (path / "run").write_text("#!/bin/sh\n")
        (path / "run").chmod(0o755)
        (path / "link").symlink_to("lib/a")
        self.put(files)
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "-m", "all")

    def put(self, files):
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def again(self):
        """Check everything out afresh, as a clone would be."""
        for name in self.raw("ls-files", "-z").split(b"\0")[:-1]:
            (self.path / os.fsdecode(name)).unlink(missing_ok=True)
        self.git("checkout", "-q", "-f", "HEAD", "--", ".")

    def compare(self, *allowed, rev="HEAD", path=None):
        repository = Repository(path or self.path)
        tree = parse_head(repository.read(bytes.fromhex(self.git("rev-parse", rev)))[1]).tree
        patterns = [parse_pattern(text.encode()) for text in allowed]
        return compare(repository, repository.worktree, tree, patterns, Settings(repository).get)

    def differences(self, *allowed, **kwargs):
        """Path to message."""
        return {os.fsdecode(path): said for path, said in self.compare(*allowed, **kwargs).differences}


def kinds(differences):
    """Path to the first word of the message."""
    return {path: re.match(r"\w+", message)[0] for path, message in differences.items()}
