"""A signed commit of the changed policy alone, made by somebody who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.policies.model import Policy
from gitverify.policyedit.findings import is_editor
from gitverify.session import UsageProblem
from gitverify.signingkey import signing_keys
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitverify.git import Git
    from gitverify.policyedit.place import CommittedTree, PolicyName

_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


def check_signer(git: Git, head: CommittedTree, name: PolicyName) -> None:
    """Raise UsageProblem where the commit could not be authentic, or would hold more than the policy."""
    policy = head.policy(name)
    if not isinstance(policy, Policy):
        raise UsageProblem("HEAD has no policy that can be used, so nobody can sign a change of it")
    keys = signing_keys(git)
    if not keys:
        raise UsageProblem("it can't be told which key git would sign with: set user.signingKey, or commit it yourself")
    if not is_editor(policy, head, keys):
        editors = ", ".join(sorted(map(shown, policy.editors)))
        raise UsageProblem(
            f"git would sign with key {keys[0]}, which is no editor's, so the commit would be refused "
            f"(policy-unauthorized); editors are: {editors}"
        )
    if any((git.directory / each).exists() for each in _UNDER_WAY):
        raise UsageProblem("a merge or rebase is under way here: finish it first, or abort it")


def check_unchanged(head: CommittedTree, name: PolicyName, before: bytes) -> None:
    """Raise UsageProblem where the file was changed already: the commit shall hold this change and no other."""
    if head.data(name.path) != before:
        raise UsageProblem(
            f"{shown(name.path)} has changes that are not committed: commit them first, or leave --commit out"
        )


def signed_commit(git: Git, message: str, paths: Sequence[Path]) -> str:
    """Commit these files, and nothing else that is staged, signed; return the id. Raises UsageProblem."""
    names = [str(path.relative_to(git.worktree or path)) for path in paths]
    try:
        git.run("--literal-pathspecs", "add", "--force", "--", *names, in_worktree=True)
        git.run("--literal-pathspecs", "commit", "-q", "-S", "-F", "-", "--only", "--", *names,
                stdin=message.encode(), in_worktree=True)  # fmt: skip
    except GitError as error:
        raise UsageProblem(
            f"the file is changed, but git could not commit it: {'; '.join(error.output) or error}"
        ) from None
    return git.line("rev-parse", "HEAD") or ""
