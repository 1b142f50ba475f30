"""Where lock files are: in the working tree, and in commits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.errors import MalformedObject, OversizedObject
from gitverify.limits import LIMITS
from gitverify.nix.lock import LockError, parse_lock
from gitverify.objects.commit import parse_commit
from gitverify.revisions import BadRevision, resolve
from gitverify.session import UsageProblem
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.nix.lock import Lock
    from gitverify.source import Repository

NAME = "flake.lock"


class LockFile:
    """A lock file of a flake that a repository has."""

    def __init__(self, repository: Repository, path: Path | None, *, bare: bool = False) -> None:
        """``path``: the file; None for the one in the root of the working tree, which ``bare`` does without.

        Raises UsageProblem.
        """
        self._repository = repository
        root = repository.worktree
        self._parts: tuple[bytes, ...] | None = (NAME.encode(),)
        if path is not None:
            self._parts = _within(root, path)
        elif root is not None:
            path = root / NAME
        elif not bare:
            raise UsageProblem("there is no working tree here: name the commit that has the lock with --rev")
        self.path = path or Path(NAME)

    def read(self) -> bytes:
        """Return what the file in the working tree holds. Raises UsageProblem."""
        try:
            with self.path.open("rb") as file:
                return file.read(LIMITS.lock_size + 1)
        except OSError as error:
            raise UsageProblem(f"{shown(str(self.path))} can't be read: {error.strerror}") from None

    def at(self, revision: str) -> bytes | None:
        """Return what a commit has of the file; None where it has none.

        Raises LockError where it is too large to be one, UsageProblem, MissingObject.
        """
        if self._parts is None:
            raise UsageProblem(f"{shown(str(self.path))} lies outside the repository, and no commit has it")
        try:
            commit = resolve(self._repository, revision).commit
            tree = parse_commit(read_commit(self._repository, commit)).tree
            trees = Trees(self._repository)
            entry = trees.walk(trees.find(tree, self._parts[:1])[0], self._parts[1:])
        except (BadRevision, MalformedObject) as error:
            raise UsageProblem(f"{shown(revision)}: {error}") from None
        if entry is None or not entry.is_regular_file:
            return None
        try:
            return self._repository.content(entry.id, LIMITS.lock_size)
        except OversizedObject as error:
            raise LockError(str(error)) from None

    def last(self) -> Lock | None:
        """Return what the last commit has locked; None where there is none, or it can't have this file."""
        if self._parts is None or self._repository.reference("HEAD") is None:
            return None
        return self.base("HEAD")

    def base(self, revision: str) -> Lock | None:
        """Return what was locked in a commit; None where nothing was. Raises UsageProblem, MissingObject."""
        try:
            raw = self.at(revision)
            return parse_lock(raw) if raw is not None else None
        except LockError as error:
            message = f"what {shown(revision)} has for a lock is none ({error}): name another commit with --base"
            raise UsageProblem(message) from None


def _within(root: Path | None, path: Path) -> tuple[bytes, ...] | None:
    """Return the components of a path in the working tree; None for one that lies elsewhere."""
    here = path.parent.resolve() / path.name
    if root is None or not here.is_relative_to(root.resolve()):
        return None
    return tuple(os.fsencode(part) for part in here.relative_to(root.resolve()).parts)
