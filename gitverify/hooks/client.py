"""The client's side: what is about to be pushed, what a fetch is about to store, what a merge has brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.hooks.protected import choice, protected_there
from gitverify.hooks.server import not_back
from gitverify.settings import Identity, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.hooks.judge import Judge
    from gitverify.hooks.lines import Change


def push(judge: Judge, remote: str, url: str, changes: Iterable[Change]) -> None:
    """Return when these may be pushed to protected references of a remote. Raises Refused, BadSetting.

    ``remote`` is its name, or the URL where it has none; its URL chooses the introduction and the mark.
    """
    settings = judge.settings
    repository = settings.url(remote) if remote in settings.remotes() else without_credentials(url)
    protected = protected_there(judge.repository, settings, remote)
    tags = choice(settings, "hookTags")
    for change in changes:
        name = change.ref.decode("utf-8", "surrogateescape")
        is_branch = protected.covers(name)
        if not is_branch and not (tags == "verify" and name.startswith("refs/tags/")):
            continue
        if change.new is None:
            raise not_back(name, "deleting a protected reference would take back all that was accepted of it")
        identity = Identity(repository, name)
        if is_branch:
            judge.judge(name, identity, change.new)
        else:
            judge.judge_tag(name, identity, change.new)


def transaction(judge: Judge, changes: Iterable[Change]) -> None:
    """Return when references may move here. Raises Refused, BadSetting.

    Judged are remote-tracking branches that stand for a protected branch, and, with ``gitverify.hookHeads``, local
    branches that follow one. A deletion accepts nothing, so it may be.
    """
    settings, repository = judge.settings, judge.repository
    heads = choice(settings, "hookHeads") == "verify"
    for change in changes:
        name = change.ref.decode("utf-8", "surrogateescape")
        if change.new is None or repository.symbolic(name) is not None:
            continue
        current = repository.reference(name)
        if current == change.new:
            continue
        followed = settings.tracked(name)
        if followed is not None:
            remote, theirs = followed
            if protected_there(repository, settings, remote).covers(theirs):
                identity = settings.identify(name)
                if current is not None:
                    judge.settle(name, identity, current)
                judge.judge(name, identity, change.new)
        elif heads and name.startswith("refs/heads/") and is_protected(judge, name):
            judge.judge(name, settings.identify(name), change.new)


def is_protected(judge: Judge, branch: str) -> bool:
    """Whether a local branch, by its full name, follows a protected one, or is named by a setting."""
    settings = judge.settings
    identity = settings.identify(branch)
    remote = settings.get(f"branch.{branch.removeprefix('refs/heads/')}.remote")
    if remote in settings.remotes():
        return protected_there(judge.repository, settings, remote or "").covers(identity.ref)
    named = settings.every("gitverify.protected")
    return bool(named) and protected_there(judge.repository, settings, "").covers(branch)
