"""Putting hooks in their place, and taking them out again: ours only, and nobody else's is touched."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Literal

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitverify.source import Repository

CLIENT = ("pre-push", "post-merge", "reference-transaction")
SERVER = ("pre-receive", "update")
NAMES = CLIENT + SERVER
WITH_INPUT = ("pre-push", "pre-receive", "reference-transaction")

_MARK = "  # gitverify hook install\n"


class NotInstalled(GitverifyError):
    """A hook can't be put there, or taken out (exit status 2); the message says what to do."""


def hooks_directory(repository: Repository, named: str | None, name: str, *, in_worktree: bool) -> Path:
    """Return where git looks for a hook; ``named``: core.hooksPath, with ``~`` expanded. Raises NotInstalled.

    A relative one begins where git runs the hook: what a push triggers in the git directory, all else in the root of
    the working tree (githooks(5)). A directory inside the working tree needs ``in_worktree``: its files may be
    tracked, and then whoever can commit decides what the hook does.
    """
    common = repository.common_directory
    directory = common / "hooks"
    if named:
        if named.startswith("%"):
            raise NotInstalled(f"core.hooksPath is {shown(named)}: write it out as a path")
        root = repository.worktree
        directory = (repository.path if name in SERVER or root is None else root) / named
    real = directory.resolve()
    trees = [repository.worktree] if repository.worktree else []
    trees += [common.parent] if common.name == ".git" else []
    in_git = any(real.is_relative_to(own.resolve()) for own in (common, repository.path))
    if not in_git and not in_worktree and any(real.is_relative_to(tree.resolve()) for tree in trees):
        raise NotInstalled(
            f"git takes hooks from {shown(str(real))} here, which lies in the working tree: whoever can commit could "
            "change the hook. Point core.hooksPath elsewhere, or say --in-worktree if nothing in it is tracked"
        )
    return real


def script(program: Sequence[str], name: str) -> str:
    """Return the hook's text. ``program``: the words that run gitverify."""
    # Git calls this hook three times for each change; only one of them can stop it, and Python takes time to start.
    when = '[ "$1" != prepared ] || ' if name == "reference-transaction" else ""
    return f'#!/bin/sh\n{when}exec {shlex.join([*program, "hook", name])} -- "$@"{_MARK}'


def chained(program: Sequence[str], name: str) -> tuple[str, ...]:
    """Return what goes to the top of a shell script that is a hook already, so that it runs both."""
    run = shlex.join([*program, "hook", name]) + ' -- "$@"'
    if name not in WITH_INPUT:
        return (f"{run} || exit 1",)
    # Both read standard input, so it is kept in a file.
    return (
        f'input=$(mktemp) && cat >"$input" && {run} <"$input" || {{ rm -f "$input"; exit 1; }}',
        'exec <"$input"; rm -f "$input"',
    )


def install(path: Path, text: str, lines: Sequence[str]) -> Literal["installed", "unchanged", "updated"]:
    """Write a hook; ``lines``: how to chain. Raises NotInstalled where there is another one."""
    there = _content(path)
    try:
        if there is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text)
            return "installed"
        if not _is_ours(there, path.name):
            where = shown(str(path), 1000)
            lead = "  " if lines else ""
            raise NotInstalled(
                "\n".join(
                    [
                        f"{where} is there already, and was left alone. To run both, add below its first line:",
                        "",
                        *(lead + line for line in lines),
                        "",
                        "(where it is a shell script; anything else has to call that and heed its exit status)",
                    ]
                )
            )
        if there == text and os.access(path, os.X_OK):
            return "unchanged"
        new = path.with_name(path.name + ".new")
        _write(new, text)
        new.replace(path)
    except OSError as error:
        raise NotInstalled(f"{shown(str(path), 1000)} can't be written: {error.strerror}") from None
    return "updated"


def uninstall(path: Path) -> bool:
    """Remove a hook that is ours; return whether there was one. Raises NotInstalled where there is another one."""
    there = _content(path)
    if there is None:
        return False
    if not _is_ours(there, path.name):
        raise NotInstalled(f"{shown(str(path), 1000)} was not written by gitverify hook install: it was left alone")
    try:
        path.unlink()
    except OSError as error:
        raise NotInstalled(f"{shown(str(path), 1000)} can't be removed: {error.strerror}") from None
    return True


def _content(path: Path) -> str | None:
    """Return what a hook says; None where there is none. What can't be read is somebody else's."""
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _is_ours(text: str, name: str) -> bool:
    form = rf'#!/bin/sh\n(\[ "\$1" != prepared \] \|\| )?exec [^\n]+ hook {name} (-- )?"\$@"{re.escape(_MARK)}'
    return re.fullmatch(form, text) is not None


def _write(path: Path, text: str) -> None:
    """Write a file that is not there; it becomes executable, and so a hook, when it is whole."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as file:  # noqa: PTH123  (a descriptor)
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(handle)
        os.fchmod(handle, 0o755)
