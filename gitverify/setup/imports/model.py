"""What comes out of a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.policies.model import KeySpec

_MOST_NOTES = 50


class ImportRefused(GitverifyError):
    """The list can't be read, or can't become a policy; says what to do."""


class Entry(NamedTuple):
    """One key, and what its list calls the person: anybody's words."""

    label: str
    key: KeySpec


@dataclass(slots=True)
class Findings:
    """What a reader collects: entries in the list's order, and notes for the user (a sentence each, safe to show)."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str, why: object) -> None:
        """Note a key that is not listed."""
        self.notes.append(f"left out {what}: {why}")


@dataclass(frozen=True, slots=True)
class Imported:
    """People, in the list's order, by what it calls them, each with at least one key; and notes (safe to show)."""

    people: dict[str, tuple[KeySpec, ...]]
    notes: tuple[str, ...] = ()


def people_of(findings: Findings) -> Imported:
    """Gather entries into people. Raises ImportRefused where a key is two people's, or nobody is left."""
    owners: dict[str, str] = {}
    people: dict[str, list[KeySpec]] = {}
    for label, key in findings.entries:
        owner = owners.setdefault(key.key, label)
        if owner != label:
            raise ImportRefused(
                f"{key.key} is listed for two people, “{shown(owner, 80)}” and “{shown(label, 80)}”: a key belongs to "
                "one person, so take it out of the list for one of them, or make the two one"
            )
        keys = people.setdefault(label, [])
        if key.key not in {each.key for each in keys}:
            keys.append(key)
    if not people:
        raise ImportRefused("; ".join(["the list has no key that can be listed", *findings.notes[:5]]))
    return Imported({label: tuple(keys) for label, keys in people.items()}, tuple(bounded(findings.notes)))


def bounded(notes: Iterable[str]) -> list[str]:
    """Return the first notes, and how many there are beyond."""
    notes = list(dict.fromkeys(notes))
    more = len(notes) - _MOST_NOTES
    return notes if more <= 0 else [*notes[:_MOST_NOTES], f"{more:,} more notes like these"]
