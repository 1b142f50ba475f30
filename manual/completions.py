"""Completion files for bash, zsh and fish, by click's own mechanism, for ``gitverify`` and ``git gitverify``.

Run by ``make completions``: ``python -m manual.completions DIR`` writes ``DIR/bash``, ``DIR/zsh`` and ``DIR/fish``, in
the names by which the shells find them in their directories of completions.
"""

from __future__ import annotations

import sys
from pathlib import Path

from click.shell_completion import BashComplete, FishComplete, ZshComplete

from gitverify.cli.main import cli

PROGRAMS = ("gitverify", "git-gitverify")

# git's own completion calls this for “git gitverify”, and loads the file named git-gitverify to find it. The words
# from the command's name on are those of git-gitverify.
_GIT_IN_BASH = """
_git_gitverify() {
    local COMP_WORDS=(git-gitverify "${COMP_WORDS[@]:__git_cmd_idx+1}") COMP_CWORD=$((COMP_CWORD - __git_cmd_idx))
    _git_gitverify_completion git-gitverify
}
"""


# How click's file for zsh tells whether zsh has loaded it as a function. That holds the first time only: the second
# time it would complete nothing. What holds each time is whose body is running.
_LOADED = "$zsh_eval_context[-1] == loadautofunc"


class _Bash(BashComplete):
    """click asks the bash that is here for its version; the files are for another machine's."""

    @staticmethod
    def _check_version() -> None:
        pass


def files() -> dict[str, str]:
    """Return all files by their name, such as ``bash/gitverify``."""
    found = {}
    for program in PROGRAMS:
        variable = f"_{program}_COMPLETE".replace("-", "_").upper()
        extra = _GIT_IN_BASH if program.startswith("git-") else ""
        found[f"bash/{program}"] = _Bash(cli, {}, program, variable).source() + extra
        found[f"zsh/_{program}"] = _zsh(program, variable)
        found[f"fish/{program}.fish"] = FishComplete(cli, {}, program, variable).source()
    return {name: text.strip() + "\n" for name, text in found.items()}


def _zsh(program: str, variable: str) -> str:
    source = ZshComplete(cli, {}, program, variable).source()
    before, found, after = source.partition(_LOADED)
    if not found:
        raise AssertionError("click's file for zsh is another one now: look whether it completes twice")
    return f"{before}$funcstack[1] == _{program}{after}"


def write(directory: Path) -> list[Path]:
    """Write all files below a directory; return their paths."""
    written = []
    for name, text in files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    (_target,) = sys.argv[1:]
    print(f"{len(write(Path(_target)))} completion files below {_target}; where they go: README.md")
