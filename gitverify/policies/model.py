"""What every policy dialect is parsed into.

Text where the file format is text (names, key ids), bytes where git has bytes (paths).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitverify.policies.coverage import Coverage


class Dialect(StrEnum):
    """The policy dialects (R3); the value is what ``--dialect`` takes."""

    NATIVE = "native"
    GUIX = "guix"
    OPENSSH = "openssh"


@dataclass(frozen=True, slots=True)
class SshKeySpec:
    """An SSH key that a policy lists; ``key`` is its ``SHA256:…`` id, ``blob`` the canonical public blob.

    ``valid_after`` and ``valid_before`` (seconds since 1970, OpenSSH dialect only) are judged at the committer
    date; ``namespaces`` is False where the entry's ``namespaces=`` option leaves git out.
    """

    key: str
    blob: bytes
    comment: str = ""
    valid_after: int | None = None
    valid_before: int | None = None
    for_git: bool = True


@dataclass(frozen=True, slots=True)
class OpenPgpKeySpec:
    """An OpenPGP key that a policy lists by full fingerprint (upper-case hexadecimal, 40 or 64 digits; R11).

    ``subkeys``: signing subkeys of the certificate with this primary key match too (native dialect only).
    """

    key: str
    subkeys: bool


KeySpec = SshKeySpec | OpenPgpKeySpec


@dataclass(frozen=True, slots=True)
class Person:
    """A listed person; in the Guix and OpenSSH dialects a name is only a label."""

    name: str
    keys: tuple[KeySpec, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class PathPrefix:
    """One path of a policy: raw bytes without a trailing slash; ``b""`` with ``subtree`` is the whole tree.

    ``subtree``: everything below this directory (R16); otherwise just this one entry.
    """

    path: bytes
    subtree: bool

    def __str__(self) -> str:
        """As it is written in the file."""
        text = self.path.decode("utf-8", "backslashreplace")
        return text + "/" if self.subtree else text


WHOLE_TREE = PathPrefix(b"", subtree=True)


@dataclass(frozen=True, slots=True)
class Grant:
    """These people may change these paths."""

    paths: tuple[PathPrefix, ...]
    people: frozenset[str]
    line: int = 0


@dataclass(frozen=True)
class Policy:
    """A policy, checked: every name that is used is defined and someone is able to change it (R14)."""

    dialect: Dialect
    people: dict[str, Person]
    grants: tuple[Grant, ...]
    editors: frozenset[str]
    unprotected: tuple[PathPrefix, ...] = ()
    unsigned_merges: bool = False
    adopting_merges: bool = False
    refuse_expired_keys: bool = False
    require_user_verification: bool = False
    tags: frozenset[str] = frozenset()
    openpgp_keys: bytes | None = None
    groups: dict[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def whole_tree(self) -> frozenset[str]:
        """The people granted the whole tree."""
        # Each distinct set once: many grants may share a large one.
        return frozenset[str]().union(*{grant.people for grant in self.grants if WHOLE_TREE in grant.paths})

    @property
    def compares_trees(self) -> bool:
        """Whether what a commit may change hangs on paths, so that trees are compared."""
        others = any(path != WHOLE_TREE for grant in self.grants for path in grant.paths)
        return others or bool(self.unprotected) or self.unsigned_merges or self.adopting_merges

    @cached_property
    def lists_openpgp_keys(self) -> bool:
        """Whether any key is an OpenPGP one, so that certificates matter."""
        return any(isinstance(spec, OpenPgpKeySpec) for person in self.people.values() for spec in person.keys)

    @cached_property
    def by_key(self) -> dict[str, tuple[tuple[Person, KeySpec], ...]]:
        """Who lists a key id, with the entry that does; several only outside the native dialect."""
        found: dict[str, list[tuple[Person, KeySpec]]] = {}
        for person in self.people.values():
            for spec in person.keys:
                found.setdefault(spec.key, []).append((person, spec))
        return {key: tuple(entries) for key, entries in found.items()}

    @cached_property
    def coverage(self) -> dict[bytes, Coverage]:
        """What :mod:`gitverify.policies.coverage` has made of this policy so far, by the policy file's path."""
        return {}
