"""The branch that is adopted, and the branch that it is adopted onto."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.session import Session, UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.git import Git

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Branch:
    """A local branch.

    ``reference`` is its full name. ``upstream`` is the full name of the reference that it follows, where that is here.
    ``checkout``: the worktree that has it checked out. ``remote`` and ``theirs``: where it is pushed to, and under
    which full name there; ``remote`` may be a URL.
    """

    reference: str
    tip: bytes
    upstream: str | None
    checkout: Path | None
    remote: str | None
    theirs: str | None

    @property
    def name(self) -> str:
        """The short name."""
        return self.reference.removeprefix(_HEADS)


def find_branch(session: Session, git: Git, text: str) -> Branch:
    """Return the local branch that a revision names. Raises UsageProblem where it names none, GitError."""
    revision = session.revision
    reference = revision.reference
    if reference is None or not reference.startswith(_HEADS):
        raise UsageProblem(
            f"“{shown(text)}” names no local branch, and adopting puts a commit on one: make it one first, with "
            "git switch --create NAME"
        )
    if session.repository.symbolic(reference) is not None:
        raise UsageProblem(f"{shown(reference)} is a symbolic reference: name the branch itself")
    form = "%(upstream)%00%(worktreepath)"
    found = (git.line("for-each-ref", f"--format={form}", "--", reference) or "\0").split("\0")
    upstream = found[0] if found[0] and session.repository.reference(found[0]) is not None else None
    name = reference.removeprefix(_HEADS)
    get = session.settings.get
    followed = get(f"branch.{name}.remote")
    remote = get(f"branch.{name}.pushremote") or get("remote.pushdefault") or followed
    theirs = get(f"branch.{name}.merge") if remote == followed else None
    checkout = Path(found[1]) if found[1] else None
    return Branch(reference, revision.commit, upstream, checkout, remote if remote != "." else None, theirs)


def default_target(session: Session, branch: Branch) -> str:
    """Return the full name of the branch to adopt onto, where none was named. Raises UsageProblem."""
    if branch.upstream is not None:
        return branch.upstream
    default = session.repository.symbolic("refs/remotes/origin/HEAD")
    if default is not None and session.repository.reference(default) is not None:
        return default
    raise UsageProblem(
        f"{shown(branch.name)} follows no branch, and origin has no default branch here: name the branch to adopt onto "
        f"with --onto (to seal {shown(branch.name)} itself: --onto {shown(branch.name)})",
    )
