"""What a user of a verified remote is told, and whether anything may be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.mirror.update import Result
from gitverify.session import Unanswerable, unanswered
from gitverify.source import RepositoryError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.errors import GitverifyError
    from gitverify.mirror.memory import Memory
    from gitverify.transfer.store import Store

_RULE = "*" * 78


def told(url: str, results: Sequence[Result], *, strict: bool) -> tuple[list[str], bool]:
    """Return the lines to show, none where all is well, and whether the mirror is to be served."""
    refused = [result for result in results if result.report.exit_status]
    if not refused:
        return [], True
    serves = not strict and any(result.after is not None for result in results)
    lines = [_RULE, f"gitverify: NOT VERIFIED: {shown(url)}"]
    for result in refused:
        lines += _branch(result)
    if strict:
        lines.append("Nothing is served (GITVERIFY_STRICT, gitverify.strict).")
    elif not serves:
        lines.append("Nothing was verified before, so there is nothing to serve.")
    else:
        lines.append("What follows is the state that was verified last, NOT what the server has now.")
    return [*lines, _RULE], serves


def unmoved(store: Store, memory: Memory, error: GitverifyError) -> list[Result]:
    """Return what a mirror has where it could not be brought up to date. Raises the error where it has nothing."""
    answer = error if isinstance(error, Unanswerable) else Unanswerable("mirror-failed", str(error), rule="R5")
    try:
        repository = store.open()
    except RepositoryError:
        raise answer from None
    tips = {branch: repository.reference(f"refs/heads/{branch}") for branch in memory.branches}
    return [Result(branch, tip, tip, unanswered(answer)) for branch, tip in tips.items()]


def _branch(result: Result) -> list[str]:
    stays = f"stays at {result.after.hex()}" if result.after is not None else "was never verified, and is not there"
    lines = [f"  {shown(result.branch)} {stays}"]
    for refusal in result.report.refusals[:1]:
        commit = f"{refusal.commit.hex()}: " if refusal.commit else ""
        lines += [f"    {refusal.code} ({refusal.rule}): {commit}{refusal.message}", f"    {refusal.hint}"]
    return lines
