"""Writing text so that man's roff reads it as text."""

from __future__ import annotations

import re
from inspect import cleandoc

# What roff takes for something else than the character on the keyboard: an escape, a hyphen, an accent.
_SPECIAL = {"\\": r"\e", "-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq"}


def escaped(text: str) -> str:
    """Return text that roff shows as it is, on every device; it may span lines."""
    lines = ["".join(_character(character) for character in line) for line in text.splitlines()]
    return "\n".join(r"\&" + line if line.startswith(".") else line for line in lines)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    return character if character.isascii() else rf"\[u{ord(character):04X}]"


def bold(text: str) -> str:
    """Return text in bold."""
    return rf"\fB{escaped(text)}\fP"


def heading(title: str) -> str:
    """Return the request for a section."""
    return f".SH {escaped(title)}"


def paragraphs(text: str) -> list[str]:
    r"""Return the lines for a docstring or help text; a paragraph that begins with click's \b keeps its lines."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", cleandoc(text)):
        if paragraph.startswith("\b"):
            lines += [".PP", ".nf", escaped(paragraph.removeprefix("\b").strip("\n")), ".fi"]
        else:
            lines += [".PP", escaped(" ".join(paragraph.split()))]
    return lines


def entries(pairs: list[tuple[str, str]]) -> list[str]:
    """Return the lines for a list of terms, each already written for roff, with what they mean."""
    return [line for term, meaning in pairs for line in (".TP", term, escaped(" ".join(meaning.split())))]


def title(name: str, section: int, date: str, source: str, manual: str) -> str:
    """Return the first lines of a page; it has ragged lines and no hyphens, as names are not to be broken."""
    fields = " ".join(f'"{escaped(field)}"' for field in (date, source, manual))
    return f".TH {escaped(name.upper())} {section} {fields}\n.ad l\n.nh"
