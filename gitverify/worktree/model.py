"""What comparing a checkout with a commit gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Difference(NamedTuple):
    """Something in which the checkout is not the commit.

    ``path`` is relative to the root and ends in a slash where all of a directory is meant; ``message`` begins with
    ``modified``, ``missing``, ``added`` or ``ignored``.
    """

    path: bytes
    message: str


class Submodule(NamedTuple):
    """A submodule: its path, the raw id of the commit that is recorded for it, and whether it is checked out."""

    path: bytes
    commit: bytes
    checked_out: bool


@dataclass(slots=True)
class Comparison:
    """A checkout, compared with a commit. It equals the commit if there are no differences.

    ``files`` counts the files and symlinks that are as they should be. ``allowed`` are paths that the commit
    does not have and that were allowed; ``converted`` files have the line ends that the commit's own attributes
    ask for.
    """

    directory: Path
    files: int = 0
    submodules: list[Submodule] = field(default_factory=list)
    allowed: list[bytes] = field(default_factory=list)
    converted: list[bytes] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
