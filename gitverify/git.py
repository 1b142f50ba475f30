"""The one adapter over the git program: for what changes a repository, or asks what only git's own settings say.

Verifying never runs it. What is run here is kept to itself: no hooks, no replaced objects or grafts, no attributes or
settings of tracked files, and nothing of the environment that would lead git to another repository, index or object
directory. Git's configuration, and who the committer is, stay the user's.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

# Of git's own variables these are kept: who commits, and where the user's configuration lies.
_KEPT = re.compile("GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)|GIT_CONFIG_.*|GIT_EXEC_PATH")
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.commitGraph=false",
    "color.ui=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
)


class GitError(GitverifyError):
    """Git could not do it. ``output`` is what it said, escaped, line by line."""

    def __init__(self, message: str, output: tuple[str, ...] = ()) -> None:
        """Remember what git said."""
        super().__init__("; ".join([message, *output]))
        self.output = output


class Done(NamedTuple):
    """How a command ended."""

    status: int
    output: bytes


class Git:
    """Runs git on one repository."""

    def __init__(self, directory: Path, worktree: Path | None, environment: Mapping[str, str]) -> None:
        """``directory``: the git directory; ``worktree``: its checkout, None in a bare repository."""
        self.directory = directory
        self.worktree = worktree
        self.environment = {
            **{k: v for k, v in environment.items() if not k.startswith("GIT_") or _KEPT.fullmatch(k)},
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ADVICE": "0",
        }

    def run(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        in_worktree: bool = False,
    ) -> Done:
        """Run a git command to its end. Raises GitError where its exit status is not one of ``accept``.

        Unless ``in_worktree``, it sees no checkout and no index, and so none of the attributes that tracked files set.
        """
        environment = self.environment
        place = self.worktree if in_worktree else None
        if place is None:
            place = self.directory
            environment = {**environment, "GIT_INDEX_FILE": str(place / "no-index")}
        command: list[str | bytes | Path] = ["git", f"--git-dir={self.directory}", f"--work-tree={place}"]
        for setting in _SETTINGS:
            command += ["-c", setting]
        try:
            done = subprocess.run(  # noqa: S603  (no shell; what is run is written in this package)
                [*command, *arguments],
                cwd=place,
                env=environment,
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise GitError(f"git can't be run: {error.strerror}") from None
        if done.returncode not in accept:
            what = arguments[0] if isinstance(arguments[0], str) else ""
            raise GitError(f"git {what} failed", _lines(done.stderr))
        return Done(done.returncode, done.stdout)

    def line(self, *arguments: str, accept: Collection[int] = (0,)) -> str | None:
        """Return the one line that a command prints; None where it prints nothing."""
        text = self.run(*arguments, accept=accept).output.decode("utf-8", "surrogateescape")
        return text.removesuffix("\n") or None

    def setting(self, name: str, *, kind: str | None = None) -> str | None:
        """Return the value of a configuration variable as git itself would take it; None where there is none.

        ``kind``: how git reads it, such as ``path``.
        """
        kinds = [f"--type={kind}"] if kind else []
        return self.line("config", *kinds, "--get", name, accept=(0, 1))

    def reaches(self, start: bytes, goal: bytes) -> bool:
        """Whether ``goal`` is ``start`` or an ancestor of it, over raw edges. Proves nothing (shallow clones)."""
        return self.run("merge-base", "--is-ancestor", goal.hex(), start.hex(), accept=(0, 1)).status == 0


def _lines(text: bytes) -> tuple[str, ...]:
    lines = [line for line in text.split(b"\n") if line.strip() and not line.startswith(b"hint:")]
    return tuple(shown(line) for line in lines[:8])
