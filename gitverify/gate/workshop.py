"""The trees that a forge would make of a branch: git makes them, in a place of its own, and the engine judges them.

The place is a directory with a repository that borrows the objects of the one that is asked about. So nothing is
written there, no setting of it counts, and git fetches nothing. What git makes of two commits proves nothing; it is
what the forge's git is expected to make of them, and it is judged like anyone's tree.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from binascii import unhexlify
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from gitverify.errors import GitverifyError, MalformedCommit, MissingObject
from gitverify.git import Git, GitError
from gitverify.objects.commit import parse_head
from gitverify.source import Repository
from gitverify.text import shown
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONFLICTS = 1
_MOST_NAMES = 10
# What a forge has, whatever the user has set: renames are followed, and no attributes choose another way to merge.
_MERGING = ("merge.renames=true", "merge.directoryRenames=conflict", f"core.attributesFile={os.devnull}")


class NotMade(GitverifyError):
    """Git makes no tree of this: there are conflicts, or this git can't do it. ``hint``: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        """Remember what to do."""
        super().__init__(message)
        self.hint = hint


class Conflicts(NotMade):
    """There are conflicts, so no forge makes it either."""


class Workshop:
    """Merges commits of a repository; the directory is made when it is first needed, and removed at the end."""

    def __init__(self, repository: Repository, environment: Mapping[str, str]) -> None:
        """Take the repository that lends its objects; ``environment`` is the process's."""
        self._repository = repository
        self._environment = environment
        self._place: TemporaryDirectory[str] | None = None
        self._opened: tuple[int, Repository] | None = None

    def __enter__(self) -> Self:
        """Begin; nothing is made yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the directory."""
        if self._place is not None:
            self._place.cleanup()

    def objects(self) -> Repository | None:
        """Return what was made, to be read; None where nothing was. Each process opens it for itself."""
        if self._place is None:
            return None
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), Repository(Path(self._place.name), bare="trusted")
        return self._opened[1]

    def merged(self, ours: bytes, theirs: bytes) -> bytes:
        """Return the tree that git merges two commits to without conflict. Raises NotMade."""
        options = ("--write-tree", "-z", "--name-only", "--no-messages")
        done = self._run("merge-tree", *options, ours.hex(), theirs.hex(), accept=(0, _CONFLICTS))
        tree, *names = done[1].rstrip(b"\0").split(b"\0")
        if done[0] == _CONFLICTS:
            paths = ", ".join(shown(path) for path in names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
            hint = "Merge the target branch into this one, or rebase this one, and settle the conflicts there."
            raise Conflicts(f"there are conflicts in {paths}", hint)
        return unhexlify(tree.strip())

    def picked(self, commit: bytes, standing_for_parent: bytes) -> bytes:
        """Return the tree of a commit with one parent, picked onto a commit with this content. Raises NotMade.

        ``standing_for_parent`` is a commit that descends from the same parent, so that the parent is the merge base.
        """
        return self.merged(self._write(standing_for_parent), commit)

    def in_rebase_order(self, base: bytes, head: bytes) -> tuple[bytes, ...]:
        """Return the commits that a rebase makes anew, oldest first: no merges. Raises NotMade."""
        options = ("--reverse", "--topo-order", "--no-merges")
        _, output = self._run("rev-list", *options, head.hex(), f"^{base.hex()}")
        return tuple(unhexlify(line) for line in output.split())

    def _run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> tuple[int, bytes]:
        git = Git(self._directory, None, self._environment)
        settings = [word for setting in _MERGING for word in ("-c", setting)]
        try:
            return git.run(*settings, *arguments, accept=accept)
        except GitError as error:
            said = "; ".join(error.output) or str(error)
            hint = "This takes git 2.38 or newer, and in the clone both branches, down to where they parted."
            raise NotMade(f"git can't make it here: {said}", hint) from None

    @property
    def _directory(self) -> Path:
        """Make the repository that borrows, where there is none yet."""
        if self._place is None:
            self._place = TemporaryDirectory(prefix="gitverify-")
            place = Path(self._place.name)
            for name in ("objects/info", "refs/heads"):
                (place / name).mkdir(parents=True)
            (place / "HEAD").write_text("ref: refs/heads/none\n")
            (place / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            lenders = (self._repository.common_directory / "objects", *self._repository.arriving)
            (place / "objects/info/alternates").write_bytes(b"".join(os.fsencode(at) + b"\n" for at in lenders))
            (place / "shallow").write_bytes(b"".join(commit + b"\n" for commit in self._cut_off()))
        return Path(self._place.name)

    def _cut_off(self) -> Iterator[bytes]:
        """Yield the commits (hexadecimal) at which a shallow clone ends for git, and really does.

        Fetched with a depth, a commit may be said to have no parents although another branch brought them.
        """
        shallow = self._repository.common_directory / "shallow"
        for commit in shallow.read_bytes().split() if shallow.is_file() else ():
            try:
                for parent in parse_head(read_commit(self._repository, unhexlify(commit))).parents:
                    read_commit(self._repository, parent)
            except (MissingObject, MalformedCommit):
                yield commit

    def _write(self, commit: bytes) -> bytes:
        """Write a commit's content as a loose object; return its id."""
        content = b"commit %d\0" % len(commit) + commit
        made = hashlib.sha1(content, usedforsecurity=False)
        path = self._directory / "objects" / made.hexdigest()[:2] / made.hexdigest()[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(content, 1))
        return made.digest()
