"""``explain``: what a commit changes beyond what its parents settle, and how a merge was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.report.human import number
from gitverify.report.paths import PathLine, path_lines
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.explain import Contribution, Explanation, Merge, Side

    Subject = Callable[[bytes], bytes]

_INDENT = " " * 11


def merge_lines(explanation: Explanation, subject: Subject) -> list[str]:
    """Return lines on a merge: where the branches parted, which policy governs and why, what the sides bring in."""
    merge, contribution = explanation.merge, explanation.contribution
    if merge is None or contribution is None:
        return []
    lines = [f"base       {_commit(base, subject)}" for base in merge.bases]
    if merge.governing:
        lines.append(f"governing  the policy of {_commit(merge.governing[0], subject)}:")
        lines.append(f"{_INDENT}{merge.why}")
    else:
        lines.append("governing  no policy, so every parent's has to allow everything:")
        lines.append(f"{_INDENT}{merge.why}")
    for side in merge.sides:
        lines += _side(side, voucher=merge.voucher)
    return lines + ([f"merge      {_settled(merge, contribution)}"] if merge.bases else [])


def _side(side: Side, *, voucher: bool) -> list[str]:
    lines = [f"brings in  {number(side.commits, 'commit')} that {side.parent.hex()[:12]} does not have:"]
    if side.stranger is None:
        lines.append(f"{_INDENT}its policy would have allowed {'it' if side.commits == 1 else 'all of them'} (R19 e)")
    else:
        lines.append(f"{_INDENT}its policy would not have allowed {side.stranger.hex()[:12]} (R19 e)")
    if voucher and side.uncovered is None:
        lines.append(f"{_INDENT}the voucher may change all that differs from it")
    elif voucher:
        lines.append(f"{_INDENT}the voucher may not change all that differs from it: {shown(side.uncovered or b'')}")
    return lines


def _settled(merge: Merge, contribution: Contribution) -> str:
    if contribution.problem is not None:
        return f"can't be told: {contribution.problem}"
    several = f" (of {len(merge.bases)} merge bases {contribution.since[0].hex()[:12]} counts)"
    which = several if len(merge.bases) > 1 else ""
    if not contribution.count:
        return f"clean: its two sides settle every path as it is recorded{which}"
    paths = number(contribution.count, "path is", "paths are")
    return f"{paths} not settled by its two sides as recorded{which}"


def contribution_lines(explanation: Explanation, subject: Subject) -> list[str]:
    """Return lines on the contribution: its paths, grouped, with who may change them."""
    contribution = explanation.contribution
    if contribution is None:
        return []
    lines = []
    if explanation.merge is None or not explanation.merge.bases:
        since = " and ".join(_commit(commit, subject) for commit in contribution.since)
        what = number(contribution.count, "path") if contribution.count else "nothing"
        lines.append(f"changes    {what}, compared with {since}")
    paths = [PathLine(path.path, path.what, path.rights) for path in contribution.paths]
    lines += [_INDENT + line for line in path_lines(paths, contribution.count)]
    if contribution.problem is not None:
        lines.append(f"{_INDENT}not looked at to the end: {contribution.problem}")
    return lines


def _commit(commit: bytes, subject: Subject) -> str:
    return f"{commit.hex()[:12]} “{shown(subject(commit), 60)}”"
