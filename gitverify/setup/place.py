"""Whether a first policy can be committed here, without touching anything that is not its own."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.objects.commit import parse_commit
from gitverify.policies.dialects import POLICY_FILES
from gitverify.session import UsageProblem
from gitverify.setup.draft import KEY_DIRECTORY, POLICY_FILE
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from pathlib import Path

    from gitverify.git import Git
    from gitverify.source import Repository

_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_POLICY = POLICY_FILE.encode()
_KEYS = KEY_DIRECTORY.encode().split(b"/")[:2]


@dataclass(frozen=True, slots=True)
class Place:
    """A checked-out branch that can take the commit.

    ``head``: its tip, None where it has no commit yet; ``tree``: that one's tree. ``others``: policy files of other
    dialects in it.
    """

    worktree: Path
    branch: str
    head: bytes | None
    tree: bytes | None
    others: tuple[bytes, ...] = ()


def find_place(repository: Repository, git: Git) -> Place:
    """Look at branch, index and files. Raises UsageProblem, and MalformedObject or MissingObject for what HEAD has."""
    if repository.worktree is None:
        raise UsageProblem(
            "this is a bare repository, which has no files: make the policy in a clone of it, and push it here"
        )
    branch = repository.symbolic("HEAD")
    if branch is None:
        raise UsageProblem("no branch is checked out (HEAD is detached): git switch BRANCH first")
    for name, what in _UNDER_WAY.items():
        if os.path.lexists(repository.path / name):
            raise UsageProblem(f"{what} is under way here: finish it first, or abort it")
    head = repository.reference(branch)
    tree = parse_commit(read_commit(repository, head)).tree if head is not None else None
    others = _check_tree(repository, tree) if tree is not None else ()
    _check_index(git, head)
    _check_files(repository.worktree)
    return Place(repository.worktree, branch, head, tree, others)


def _check_tree(repository: Repository, tree: bytes) -> tuple[bytes, ...]:
    """Return the other dialects' policy files in the tree."""
    trees = Trees(repository)
    names = tuple(POLICY_FILES)
    found = [name for name, entry in zip(names, trees.find(tree, names), strict=True) if entry is not None]
    if _POLICY in found:
        raise UsageProblem(
            f"{POLICY_FILE} is there already: gitverify policy show; the commit that introduces it is the introduction "
            "to hand out"
        )
    directory = trees.find(tree, (_KEYS[0],))[0]
    for name in _KEYS[1:]:
        if directory is not None and directory.is_directory:
            directory = trees.find(directory.id, (name,))[0]
    if directory is not None and not directory.is_directory:
        raise UsageProblem(f"{KEY_DIRECTORY} is no directory in this branch, so no certificates can lie there")
    return tuple(found)


def _check_index(git: Git, head: bytes | None) -> None:
    """Refuse staged changes, so that what is committed is the policy alone, and what is staged stays as it is."""
    try:
        if git.run("ls-files", "-z", "--", POLICY_FILE, in_worktree=True).output:
            raise UsageProblem(f"{POLICY_FILE} is staged already: git rm --cached {POLICY_FILE}, if it is not meant")
        if head is None:
            staged = bool(git.run("ls-files", "-z", in_worktree=True).output)
        else:
            command = ("diff-index", "--cached", "--quiet", "--ignore-submodules=none", head.hex(), "--")
            staged = git.run(*command, accept=(0, 1), in_worktree=True).status == 1
    except GitError as error:
        raise UsageProblem(f"the index can't be read: {error}") from None
    if staged:
        raise UsageProblem(
            "changes are staged here, and the policy is committed alone: commit them first, or take them out of the "
            "index (git restore --staged .); changes that are not staged don't matter"
        )


def _check_files(worktree: Path) -> None:
    """Refuse to write over anything, or through a symbolic link, which may lead anywhere."""
    if os.path.lexists(worktree / POLICY_FILE):
        raise UsageProblem(f"a file {POLICY_FILE} is there already, which git does not know: move it away, or add it")
    place = worktree
    for name in KEY_DIRECTORY.rstrip("/").split("/"):
        place /= name
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageProblem(f"{shown(str(place))} can't be looked at: {error.strerror}") from None
        if not stat.S_ISDIR(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "a file"
            raise UsageProblem(f"{shown(str(place))} is {what}, not a directory: move it away")
