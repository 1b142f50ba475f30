"""Other people's words made fit for a policy file: names, and the comments of keys and lines.

What comes out can neither end a line nor begin anything that YAML knows, whatever went in.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_NAME = 64
_LONGEST_COMMENT = 80
_LONGEST_READ = 1000


def plain_comment(comment: str) -> str:
    """Return what of a key's comment can stand after the key: words of ``A-Z a-z 0-9 . _ @ + -``, accents dropped."""
    return " ".join(re.findall(r"[A-Za-z0-9@._+-]+", _ascii(comment)))[:_LONGEST_COMMENT].rstrip()


def plain_name(label: str) -> str:
    """Return a person's name made of a label: 1 to 64 of ``A-Z a-z 0-9 . _ -``; ``""`` where nothing is left."""
    words = "-".join(re.findall(r"[A-Za-z0-9._-]+", _ascii(label)))
    return re.sub(r"-{2,}", "-", words).strip("-._")[:_LONGEST_NAME].rstrip("-._")


def plain_names(labels: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name for each label, all different, and none that is taken.

    An e-mail address gives the part before the ``@``, unless another label has the same.
    """
    names: dict[str, str] = {}
    used = set(taken)
    short: dict[str, int] = {}
    labels = list(dict.fromkeys(labels))
    for label in labels:
        short[_short(label)] = short.get(_short(label), 0) + 1
    for label in labels:
        name = _short(label) if short[_short(label)] == 1 else plain_name(label)
        names[label] = _unused(name or "person", used)
        used.add(names[label])
    return names


def commented(text: str, limit: int = _LONGEST_COMMENT) -> str:
    """Return any text as what follows ``# `` on a line: one line, and only characters that the loader takes."""
    return shown(text, limit)


def _short(label: str) -> str:
    return plain_name(label.partition("@")[0]) or plain_name(label)


def _unused(name: str, used: set[str]) -> str:
    found, number = name, 1
    while found in used:
        number += 1
        end = f"-{number}"
        found = name[: _LONGEST_NAME - len(end)] + end
    return found


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text[:_LONGEST_READ]).encode("ascii", "ignore").decode()
