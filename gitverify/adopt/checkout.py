"""Where the branch is checked out, its files follow it: all of them, or nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.session import UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.adopt.branch import Branch
    from gitverify.git import Git

_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}
_REBASED = ("rebase-merge/head-name", "rebase-apply/head-name")


class Checkout:
    """The checkout of a branch whose files are about to change from one tree to another."""

    def __init__(self, git: Git, branch: Branch, before: bytes, after: bytes) -> None:
        """Take the trees of the branch's tip as it is and as it will be. Nothing is looked at yet."""
        self._git = git
        self._branch = branch
        self._before = before
        self._after = after
        here, there = git.worktree, branch.checkout
        self._here = here is not None and there is not None and here.resolve() == there.resolve()

    @property
    def _changes(self) -> bool:
        return self._before != self._after

    def check(self) -> None:
        """Raise UsageProblem where the branch's files could not follow it without losing anything."""
        name = shown(self._branch.name)
        for place in _REBASED:
            head = self._git.directory / place
            if head.is_file() and head.read_text(errors="replace").strip() == self._branch.reference:
                raise UsageProblem(f"{name} is being rebased: finish that first (git rebase --continue, or --abort)")
        if self._branch.checkout is None:
            return
        if self._here:
            for file, what in _UNDER_WAY.items():
                if (self._git.directory / file).exists():
                    raise UsageProblem(f"{what} is under way here: finish it first, or abort it")
        if not self._changes:
            return
        if not self._here:
            where = shown(str(self._branch.checkout))
            raise UsageProblem(f"{name} is checked out in {where}, whose files would have to change: do it there")
        self._git.run("update-index", "-q", "--refresh", accept=range(256), in_worktree=True)
        try:
            self._follow("--dry-run")
        except GitError as error:
            said = "; ".join(error.output)
            raise UsageProblem(
                f"files here differ from {name} where it would change, commit or stash them first: {said}"
            ) from None

    def move(self, new: bytes, message: str) -> None:
        """Move the branch to the new commit, and the files with it. Raises UsageProblem; then nothing has moved."""
        branch = self._branch
        try:
            self._move(branch.tip, new, message)
        except GitError as error:
            raise UsageProblem(f"{shown(branch.name)} has moved meanwhile, so it was left alone: {error}") from None
        if not (self._here and self._changes):
            return
        try:
            self._follow()
        except GitError as error:
            self._move(new, branch.tip, f"{message}: taken back")
            raise UsageProblem(f"the files here could not be changed, so the branch was left alone: {error}") from None

    def _move(self, old: bytes, new: bytes, message: str) -> None:
        self._git.run("update-ref", "-m", message, self._branch.reference, new.hex(), old.hex())

    def _follow(self, *options: str) -> None:
        """Change index and files from one tree to the other; git refuses where that would lose a change."""
        trees = self._before.hex(), self._after.hex()
        self._git.run("read-tree", *options, "-m", "-u", *trees, in_worktree=True)
