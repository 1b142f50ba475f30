"""``.gitignore`` files, as gitignore(5) describes them: which paths does git leave out?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gitverify.worktree.wildmatch import parse_pattern

if TYPE_CHECKING:
    from gitverify.worktree.wildmatch import PathPattern

_BOM = b"\xef\xbb\xbf"


class IgnoreRule(NamedTuple):
    """One line: what it matches is ignored, or (``!``) not ignored after all."""

    pattern: PathPattern
    ignored: bool


def parse_ignore(raw: bytes) -> tuple[IgnoreRule, ...]:
    """Return the rules of a file's content, in order; lines that can match nothing are left out."""
    rules = []
    for line in raw.removeprefix(_BOM).split(b"\n"):
        rule = _parse_line(line.removesuffix(b"\r").partition(b"\0")[0])
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def decide(rules: tuple[IgnoreRule, ...], path: tuple[bytes, ...], *, directory: bool) -> bool | None:
    """Return what the last rule that fits says of a path relative to the file's directory; None if none fits."""
    for rule in reversed(rules):
        if rule.pattern.matches(path, directory=directory):
            return rule.ignored
    return None


def _parse_line(line: bytes) -> IgnoreRule | None:
    if line.startswith(b"#"):
        return None
    line = _without_trailing_spaces(line)
    ignored = not line.startswith(b"!")
    text = line if ignored else line[1:]
    pattern = parse_pattern(text) if text else None
    return IgnoreRule(pattern, ignored) if pattern is not None else None


def _without_trailing_spaces(line: bytes) -> bytes:
    """Cut off spaces at the end; one after a backslash stays."""
    bare = line.rstrip(b" ")
    backslashes = re.search(rb"\\*\Z", bare)
    escaped = backslashes is not None and len(backslashes[0]) % 2 == 1
    return line[: len(bare) + 1] if escaped else bare
