"""Showing text that an attacker wrote: nothing in it may move the cursor, hide, or reorder what a reader sees.

Commit subjects, names, user IDs, key comments and paths are attacker-controlled. Whatever is shown goes through
:func:`shown`, in messages as in reports.
"""

from __future__ import annotations

import re
import unicodedata

# Cc control, Cf format (all bidi controls, zero-width joiners, tags), Cs surrogates, Co private use,
# Cn unassigned, Zl and Zp line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def shown(value: bytes | str, limit: int = 200) -> str:
    """Return one line of ``value`` that is safe to print anywhere, at most about ``limit`` characters long.

    Bytes are read as UTF-8; what is none, and every control, format, bidi or unassigned character, is written
    as an escape (``\\x1b``, ``\\u202e``). A backslash is doubled, so that the escapes are unambiguous.
    """
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    return _visible(text, limit, backslash="\\\\")


def legible(sentence: str, limit: int = 4096) -> str:
    """Return a sentence, whose quoted parts went through :func:`shown` when it was made, as one safe line.

    What would still hide or break the line is escaped; the backslashes of escapes that are there stay as they are.
    """
    return _visible(sentence, limit, backslash="\\")


def _visible(text: str, limit: int, backslash: str) -> str:
    cut = len(text) > limit
    out = []
    for character in text[:limit]:
        if character == "\\":
            out.append(backslash)
        elif "\udc80" <= character <= "\udcff":
            out.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif unicodedata.category(character) in _HIDDEN:
            out.append(_escape(character))
        else:
            out.append(character)
    return "".join(out) + ("…" if cut else "")


# What makes a build server take a line of a log for a command: anywhere in it (GitHub's ##[, Azure's ##vso[, TeamCity's
# ##teamcity[), or at its beginning (GitHub).
_ANYWHERE, _HARMLESS = re.compile(r"##(?=[a-z]{0,20}\[)", re.IGNORECASE), r"#\\u0023"
_AT_THE_BEGINNING = "::"


def commandless(text: str) -> str:
    """Return text in which no line can be a command to the runner of GitHub Actions, or another, that logs it.

    The escapes are those of :func:`shown` and of JSON strings alike, so JSON means the same afterwards.
    """
    if "##" in text:
        text = _ANYWHERE.sub(_HARMLESS, text)
    if _AT_THE_BEGINNING not in text:
        return text
    return "\n".join(_harmless(line) for line in text.split("\n"))


def _harmless(line: str) -> str:
    rest = line.lstrip()
    if not rest.startswith(_AT_THE_BEGINNING):
        return line
    return line[: len(line) - len(rest)] + "\\u003a" + rest[1:]
