"""``.gitattributes`` files, as gitattributes(5) describes them: what does git do to a file's content on checkout?

Only files of the commit itself are asked. What ``.git/info/attributes`` or a user's own file would say is the clone's
business and not what was signed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gitverify.worktree.wildmatch import parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitverify.worktree.wildmatch import PathPattern

    # True for ``name``, False for ``-name``, None for ``!name``, bytes for ``name=value``.
    Value = bool | bytes | None
    States = tuple[tuple[bytes, Value], ...]

_BUILT_IN: dict[bytes, States] = {b"binary": ((b"diff", False), (b"merge", False), (b"text", False))}
_BLANKS = re.compile(rb"[ \t\r]+")
_BOM = b"\xef\xbb\xbf"
_LONGEST_LINE = 2048  # git ignores longer ones
_NAME = re.compile(rb"[A-Za-z0-9._][A-Za-z0-9._-]*")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*)"')
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-3][0-7]{2})")
_ESCAPES = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11}
_MACRO = b"[attr]"


class Attributes(NamedTuple):
    """One file: its lines in order, and the macros that it defines."""

    lines: tuple[tuple[PathPattern, States], ...]
    macros: Mapping[bytes, States]


NO_ATTRIBUTES = Attributes((), {})


def parse_attributes(raw: bytes) -> Attributes:
    """Return what a file's content says; lines that git would not understand are left out, as git leaves them out."""
    lines: list[tuple[PathPattern, States]] = []
    macros: dict[bytes, States] = {}
    for line in raw.removeprefix(_BOM).partition(b"\0")[0].split(b"\n"):
        text = line.strip(b" \t\r")
        if len(line) >= _LONGEST_LINE or not text or text.startswith(b"#"):
            continue
        name, states = _split(text)
        parsed = _states(states)
        if parsed is None or name.startswith(b"!"):
            continue
        macro = name.removeprefix(_MACRO)
        if macro not in {b"", name}:
            macros[macro] = parsed
            continue
        pattern = parse_pattern(name)
        if pattern is not None:
            lines.append((pattern, parsed))
    return Attributes(tuple(lines), macros)


def resolve(files: Iterable[tuple[Attributes, tuple[bytes, ...]]], *, directory: bool = False) -> dict[bytes, Value]:
    """Return the attributes of one path; ``directory``: whether it is one.

    ``files``: from the path's own directory up to the root, each with the path relative to it. The first that is
    found counts; only the root's macros do.
    """
    chain = list(files)
    macros = {**_BUILT_IN, **(chain[-1][0].macros if chain else {})}
    found: dict[bytes, Value] = {}
    for attributes, path in chain:
        for pattern, states in reversed(attributes.lines):
            if pattern.matches(path, directory=directory):
                _fill(found, states, macros)
    return found


def _fill(found: dict[bytes, Value], states: States, macros: Mapping[bytes, States]) -> None:
    """Add what is not known yet, from right to left, a macro's meaning right after its name."""
    waiting = list(states)
    while waiting:
        name, value = waiting.pop()
        if name not in found:
            found[name] = value
            if value is True:
                waiting += macros.get(name, ())


def _split(text: bytes) -> tuple[bytes, bytes]:
    """Split a line into pattern, perhaps in quotes, and attributes."""
    quoted = _QUOTED.match(text)
    if quoted is not None:
        return _ESCAPE.sub(_unescape, quoted[1]), text[quoted.end() :]
    name, *rest = _BLANKS.split(text, maxsplit=1)
    return name, b"".join(rest)


def _unescape(escape: re.Match[bytes]) -> bytes:
    what = escape[1]
    if what.isdigit():
        return bytes([int(what, 8)])
    return bytes([_ESCAPES[what]]) if what in _ESCAPES else what


def _states(text: bytes) -> States | None:
    """Read the attributes of a line; None where one of them has a name that git does not take."""
    states: list[tuple[bytes, Value]] = []
    for word in _BLANKS.split(text.strip(b" \t\r")):
        if not word:
            continue
        name, equals, value = word.partition(b"=")
        state: Value = value if equals else True
        if name[:1] in {b"-", b"!"}:
            state = False if name[:1] == b"-" else None
            name = name[1:]
        if not _NAME.fullmatch(name):
            return None
        states.append((name, state))
    return tuple(states)
