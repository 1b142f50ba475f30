"""One value that the writers of an audit show, and what they show of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gitverify.audit.model import Merge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitverify.audit.model import Audit, Folder
    from gitverify.report.model import CommitLine

MOST_REASONS = 10
SEVERAL = 5  # commits by a key that make it worth while to ask whose it is

MERGES = {
    Merge.MECHANICAL: "clean: a machine would have made the same",
    Merge.OTHERWISE: "with a resolution, or more than a merge",
    Merge.UNSUPPORTED: "of more than two branches, or of unrelated ones",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """An audit with what surrounds it.

    ``repository`` and ``rev`` are what the user called them, ``policy`` the file with the proposed policy. ``lines``
    describes the commits that are named.
    """

    audit: Audit
    repository: str
    rev: str
    policy: str | None
    lines: Mapping[bytes, CommitLine] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def notes(self) -> list[str]:
        """What a reader has to know to read the figures right."""
        audit = self.audit
        notes = []
        if not audit.total.commits:
            notes.append("there is nothing to look at: the range is empty")
        if audit.proposed is None and any(reason.code == "policy-missing" for reason in audit.reasons):
            notes.append(
                "policy-missing: commits from before there was a policy can't be authentic. --introduction or --since "
                "leaves them out; --policy asks what a policy would make of them"
            )
        if audit.immeasurable:
            notes.append(
                f"{audit.immeasurable:,} of the commits change more than can be looked at, or have a malformed tree: "
                "what they change is not in the figures on changes, paths and folders"
            )
        return notes


class Row(NamedTuple):
    """A folder to show: ``name`` is what follows the one above it that is shown at ``depth`` less one.

    ``freed``: it is unprotected, and that one is not.
    """

    folder: Folder
    name: bytes
    depth: int
    freed: bool


def rows(folders: Sequence[Folder], most: int) -> list[Row]:
    """Choose the folders that most commits touch, and indent each below the nearest one that is shown."""
    below_root = [folder for folder in folders if folder.path]
    chosen = sorted(below_root, key=lambda folder: (-folder.counts.commits, folder.path))[:most]
    found: list[Row] = []
    above: list[Folder] = []
    for folder in sorted(chosen, key=lambda folder: folder.path):
        while above and not folder.path.startswith(above[-1].path):
            above.pop()
        name = folder.path[len(above[-1].path) if above else 0 :]
        freed = folder.unprotected and not (above and above[-1].unprotected)
        found.append(Row(folder, name, len(above), freed))
        above.append(folder)
    return found


def percent(part: float, whole: float, *, decimals: int = 1) -> str:
    """Return a share, rounded so that only all is 100 % and only nothing 0 %."""
    if not whole:
        return "-"
    share = 100 * part / whole
    step = 10**-decimals
    if 0 < share < step:
        return f"<{step:.{decimals}f} %"
    return f"{min(share, 100 - step) if part < whole else 100:.{decimals}f} %"
