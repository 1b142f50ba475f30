"""Submodules: the commit records the id of a commit in another repository, which stands for all of its files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MalformedObject, MissingObject
from gitverify.objects.commit import parse_head
from gitverify.source import Repository, RepositoryError
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.worktree.folder import Objects

if TYPE_CHECKING:
    from pathlib import Path


class NotComparable(GitverifyError):
    """A submodule that is not at the commit recorded for it, or can't be compared with it."""


def open_submodule(directory: Path, handle: int, commit: bytes) -> tuple[Objects, bytes]:
    """Return a checked-out submodule's objects, and the id of the tree that its files must equal.

    ``handle`` is open on ``directory``. Nothing that the submodule's repository says counts, but for its objects,
    which have been hashed: the recorded id, which was signed, settles what they hold. Raises NotComparable.
    """
    try:
        repository = Repository(directory)
        worktree = repository.worktree
        if worktree is None or not os.path.samestat(worktree.stat(), os.fstat(handle)):
            raise NotComparable("modified: its .git leads to no repository of its own")
        head = repository.reference("HEAD")
        if head != commit:
            at = head.hex() if head is not None else "no commit"
            raise NotComparable(f"modified: the submodule is at {at}; the commit records {commit.hex()}")
        kind, raw = repository.read(commit)
        if kind != "commit":
            raise NotComparable(f"modified: the object {commit.hex()} that the commit records is a {kind}")
        return Objects(repository, Trees(repository), borrowed=True), parse_head(raw).tree
    except RepositoryError as error:
        raise NotComparable(f"modified: the submodule can't be opened: {error}") from None
    except (MissingObject, MalformedObject) as error:
        raise NotComparable(f"modified: the submodule can't be compared: {error}") from None
    except OSError as error:
        raise NotComparable(f"modified: the submodule can't be opened: {shown(error.strerror or '')}") from None
