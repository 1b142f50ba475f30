"""After a merge: git does not ask this hook, so all it can do is say how to get back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.hooks.client import is_protected
from gitverify.hooks.judge import Refused

if TYPE_CHECKING:
    from gitverify.hooks.judge import Judge


def verify_merged(judge: Judge) -> None:
    """Verify the branch that is checked out, if it is protected, and move its mark. Raises Refused, BadSetting."""
    branch = judge.repository.symbolic("HEAD")
    tip = judge.repository.reference(branch) if branch else None
    if branch is None or tip is None or not is_protected(judge, branch):
        return
    identity = judge.settings.identify(branch)
    try:
        judge.accept(branch, identity, tip)
    except Refused as error:
        back = judge.newest_authentic(branch, identity, tip) or judge.repository.reference("ORIG_HEAD")
        if back is not None:
            error.advice = f"git reset --keep {back.hex()}"
        raise
