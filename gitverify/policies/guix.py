"""The Guix dialect: ``.guix-authorizations`` and ``.guix-channel``, version 0 (R22).

What is legal is what ``read-authorizations`` in Guix's ``guix/git-authenticate.scm`` takes, so that verdicts are the
same. Only the first expression of a file counts; an empty list of authorizations is legal, though nobody can go on.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from typing import TYPE_CHECKING

from gitverify.errors import PolicyError
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, OpenPgpKeySpec, Person, Policy
from gitverify.policies.sexp import List, Symbol, read_first
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.sexp import Datum

_HEXADECIMAL = re.compile("[0-9A-Fa-f]*")
# char-set:graphic of Guile (letters, marks, digits, punctuation, symbols), of the characters that one byte can be.
_GRAPHIC = frozenset(c for c in map(chr, range(256)) if unicodedata.category(c)[0] in "LMNPS")
_DROPPED = dict.fromkeys(c for c in range(256) if chr(c) not in _GRAPHIC)


def parse(data: bytes) -> Policy:
    """Return the policy that a ``.guix-authorizations`` file says: everyone listed may change everything.

    People are named by their ``(name …)`` option, for reports only, and otherwise by their fingerprint. Raises
    PolicyError where Guix would not read the file.
    """
    datum = read_first(data)
    items = datum.items if isinstance(datum, List) else ()
    if not items or items[0] != Symbol("authorizations"):
        raise PolicyError("the file must hold (authorizations (version 0) (…))", line=1, column=1)
    if len(items) < 3 or not _is_version_0(items[1]):
        raise PolicyError("only version 0 is known: (authorizations (version 0) (…))", line=1, column=1)
    authorizations = items[2]
    if not isinstance(authorizations, List):
        raise PolicyError("the list of authorizations must follow the version", line=1, column=1)
    labels = _Labels()
    lines = _Lines(data)
    people = {}
    for entry in authorizations.items:
        line = lines.at(entry.start if isinstance(entry, List) else authorizations.start)
        fingerprint, label = _authorization(entry, line)
        # Guix compares octets, so an entry of another length is legal and lists nobody.
        if len(fingerprint) == 40:
            name = labels.unique(label or fingerprint)
            people[name] = Person(name, (OpenPgpKeySpec(fingerprint, subkeys=False),), line)
    everyone = frozenset(people)
    return Policy(Dialect.GUIX, people, (Grant((WHOLE_TREE,), everyone),), everyone, tags=everyone)


def parse_historical(data: bytes) -> Policy:
    """Return the policy of ``--historical-authorizations FILE``: the format is the same. Raises PolicyError."""
    return parse(data)


def keyring_reference(data: bytes) -> str | None:
    """Return the branch that a ``.guix-channel`` file names for the keyring.

    ``(channel (version 0) (keyring-reference "keyring") …)``. None where there is none, or the file can't be read.
    """
    try:
        datum = read_first(data)
    except PolicyError:
        return None
    items = datum.items if isinstance(datum, List) else ()
    if len(items) < 2 or items[0] != Symbol("channel") or not _is_version_0(items[1]):
        return None
    return _option(items[2:], "keyring-reference")


def _is_version_0(datum: Datum) -> bool:
    if not isinstance(datum, List) or len(datum.items) != 2:
        return False
    name, version = datum.items
    return name == Symbol("version") and type(version) is int and version == 0  # #f would be equal to 0 too


def _authorization(entry: Datum, line: int) -> tuple[str, str]:
    """Return the hexadecimal digits and the label of an entry: a list that begins with a string."""
    items = entry.items if isinstance(entry, List) else ()
    if not items or not isinstance(items[0], str):
        raise PolicyError("an authorization must be a list that begins with a fingerprint", line=line, column=1)
    digits = items[0].translate(_DROPPED)
    if not _HEXADECIMAL.fullmatch(digits) or len(digits) % 2:
        message = f"“{shown(items[0], 80)}” is no fingerprint: 40 hexadecimal digits, spaced as you like"
        raise PolicyError(message, line=line, column=1)
    return digits.upper(), _option(items[1:], "name") or ""


def _option(options: tuple[Datum, ...], name: str) -> str | None:
    """Return what the first ``(NAME "…")`` among options says."""
    for option in options:
        if isinstance(option, List) and option.items[:1] == (Symbol(name),):
            value = option.items[1] if len(option.items) > 1 else None
            return _utf8(value) if isinstance(value, str) else None
    return None


def _utf8(text: str) -> str:
    """Return text that was read as Latin-1 as the UTF-8 that people write."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


class _Lines:
    """Finds the line (from 1) of an offset."""

    def __init__(self, data: bytes) -> None:
        self._ends = [found.start() for found in re.finditer(b"\n", data)]

    def at(self, offset: int) -> int:
        return bisect_left(self._ends, offset) + 1


class _Labels:
    """Makes labels unique: two people may be called the same."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def unique(self, label: str) -> str:
        name = label
        while name in self._count:
            self._count[label] += 1
            name = f"{label} ({self._count[label]})"
        self._count[name] = 1
        return name
