"""Which references are judged: the default branch, and what ``gitverify.protected`` names.

A contributor without a key pushes a feature branch for somebody to adopt, so not every branch can be asked to be
authentic: by default it is the one that people get when they clone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from gitverify.errors import GitverifyError
from gitverify.settings import full_reference
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.settings import Settings
    from gitverify.source import Repository

Choice = Literal["ignore", "verify"]

_EVERY_BRANCH = "refs/heads/*"
_DEPTH = 5  # of symbolic references, as in git


class BadSetting(GitverifyError):
    """A value of git's configuration for hooks can't be used (exit status 4)."""


class Protected:
    """Full names of references, in which ``*`` stands for anything."""

    def __init__(self, patterns: Iterable[str], *, ignore_case: bool = False) -> None:
        """Take short names for branches. ``ignore_case``: names are files where it does not count."""
        self.patterns = tuple(dict.fromkeys(full_reference(pattern) for pattern in patterns))
        parts = [".*".join(map(re.escape, pattern.split("*"))) for pattern in self.patterns]
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        self._pattern = re.compile("|".join(parts), flags) if parts else None

    def covers(self, reference: str) -> bool:
        """Whether a reference, by its full name, is judged."""
        return self._pattern is not None and self._pattern.fullmatch(reference) is not None


def protected_here(repository: Repository, settings: Settings) -> Protected:
    """Return what a server protects: its HEAD's branch, and what its configuration names. Raises BadSetting.

    With what symbolic references among these lead to, by whatever name it is pushed. Where HEAD's branch is not there
    and nothing else is named, every branch is protected: the one that people use may have another name.
    """
    head = repository.symbolic("HEAD")
    named = settings.every("gitverify.protected")
    if head is None and not named:
        raise BadSetting(
            "HEAD names no branch here, so there is no default branch to protect; say which branches are: "
            "git config --add gitverify.protected refs/heads/main"
        )
    if head is not None and not named and repository.reference(head) is None:
        named = [_EVERY_BRANCH]
    patterns = [*([head] if head else []), *named]
    ignore_case = settings.get("core.ignorecase") == "true"
    found = Protected(patterns, ignore_case=ignore_case)
    symbolic = [pattern for pattern in found.patterns if "*" not in pattern]
    if len(symbolic) < len(found.patterns):
        symbolic += filter(found.covers, repository.symbolic_references())
    return Protected([*patterns, *(resolved(repository, each) for each in symbolic)], ignore_case=ignore_case)


def protected_there(repository: Repository, settings: Settings, remote: str) -> Protected:
    """Return what a client takes to be protected in a remote: its default branch, and what is configured here.

    Where neither is known every branch is: better too much is asked than nothing.
    """
    prefix = f"refs/remotes/{remote}/"
    head = repository.symbolic(f"{prefix}HEAD") or ""
    named = settings.every("gitverify.protected")
    followed = settings.tracked(head) if head.startswith(prefix) else None
    if followed is not None:
        named = [followed[1], *named]
    return Protected(named or [_EVERY_BRANCH])


def resolved(repository: Repository, reference: str) -> str:
    """Return what a symbolic reference leads to: git moves that one in its place. Raises BadSetting at a loop."""
    for _ in range(_DEPTH):
        target = repository.symbolic(reference)
        if target is None:
            return reference
        reference = target
    raise BadSetting(f"{shown(reference)} is a symbolic reference to a symbolic reference to …")


def choice(settings: Settings, name: str) -> Choice:
    """Return what a ``gitverify.NAME`` of two values says: ignore (the default) or verify. Raises BadSetting."""
    value = settings.get(f"gitverify.{name.lower()}")
    if value is None or value == "ignore":
        return "ignore"
    if value == "verify":
        return "verify"
    raise BadSetting(f"git config gitverify.{name}: “{shown(value, 80)}” is neither ignore nor verify")
