"""The one adapter over the ``nix`` program: it locks inputs at commits that it is told. No verdict rests on it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FEATURES = ("--extra-experimental-features", "nix-command flakes")
_MOST_LINES = 8
_MARKS = "#?%"  # they mean something in a reference to a flake, which may then be another directory


class NixFailed(GitverifyError):
    """Nix is not there, or could not do it."""


def lock(flake: Path, overrides: Mapping[str, str]) -> None:
    """Have the inputs (by name) of the flake in a directory locked at these references. Raises NixFailed."""
    odd = next((mark for mark in _MARKS if mark in str(flake)), None)
    if odd is not None:
        raise NixFailed(f"Nix does not read a directory's name that has “{odd}” in it as it is: {shown(str(flake))}")
    command = ["flake", "lock", f"path:{flake}" if not (flake / ".git").exists() else str(flake)]
    for name, reference in overrides.items():
        command += ["--override-input", name, reference]
    done = _run(*command, cwd=flake)
    if done.returncode:
        said = [shown(line) for line in done.stderr.split(b"\n") if line.strip()]
        raise NixFailed("; ".join(["nix flake lock failed", *said[-_MOST_LINES:]]))


def unescapes() -> bool:
    """Whether this Nix undoes escapes (``%2F``) in the path of a reference to a flake. Raises NixFailed.

    Since about 2.18, which can also be asked; before, an escape was part of the name.
    """
    reads = '(builtins.parseFlakeRef "gitlab:a%252Fb/c").owner'
    return _run("eval", "--store", "dummy://", "--raw", "--expr", reads).stdout == b"a%2Fb"


def _run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    command = ["nix", *_FEATURES, *arguments]
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, check=False)  # noqa: S603  (no shell)
    except OSError as error:
        raise NixFailed(f"nix can't be run: {error.strerror}") from None
