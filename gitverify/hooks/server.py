"""The server's side: what a push may do to protected references.

What the pusher says of the old value is his own claim, which git holds against the reference only at the very end. So
the old value is read here; believing it would let a pusher move the mark to a draft of his choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.hooks.judge import refused
from gitverify.hooks.lines import BadInput
from gitverify.hooks.protected import choice, protected_here, resolved
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.hooks.judge import Judge, Refused
    from gitverify.hooks.lines import Change
    from gitverify.hooks.protected import Choice, Protected

NOT_BACK = "Fetch, and push something that has what is there. If it must go back, ask who runs the server."


def receive(judge: Judge, changes: Iterable[Change]) -> None:
    """Return when the push may do all this. Raises Refused at the first that it may not, BadSetting."""
    protected = protected_here(judge.repository, judge.settings)
    tags = choice(judge.settings, "hookTags")
    for change in changes:
        _one(judge, protected, tags, change)


def _one(judge: Judge, protected: Protected, tags: Choice, change: Change) -> None:
    name = resolved(judge.repository, change.ref.decode("utf-8", "surrogateescape"))
    is_branch = protected.covers(name)
    if not is_branch and not (tags == "verify" and name.startswith("refs/tags/")):
        return
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"{shown(change.ref)} would be protected, but its name is not UTF-8: push it as another"
        ) from None
    current = judge.repository.reference(name)
    if change.new is None:
        raise not_back(name, "deleting a protected reference would take back all that was accepted of it")
    if current != change.old:
        raise not_back(
            name, f"it is at {current.hex() if current else 'nothing'} here, not where the push takes it from"
        )
    if not is_branch:
        if current is not None:
            raise not_back(name, "a tag that is there is not moved")
        _tag(judge, name, change.new)
        return
    identity = judge.settings.identify(name)
    if current is not None:
        judge.settle(name, identity, current)
    judge.judge(name, identity, change.new)


def _tag(judge: Judge, name: str, new: bytes) -> None:
    """Judge a new tag, by a mark that knows who has left since: the default branch's is moved to where that is."""
    head = judge.repository.symbolic("HEAD")
    current = judge.repository.reference(head) if head else None
    identity = judge.settings.identify(head or name)
    if head is not None and current is not None:
        judge.settle(head, identity, current)
    judge.judge_tag(name, identity, new)


def not_back(name: str, message: str) -> Refused:
    """Refuse what would lose something that was accepted (R23)."""
    return refused(name, "R23", "rollback", shown(message), NOT_BACK)
