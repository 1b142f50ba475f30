"""What is judged: commits, policies, trees and signatures as abstract values; and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

DIALECT_FILES = {
    "native": (b".gitverify.yaml",),
    "guix": (b".guix-authorizations",),
    "openssh": (b".allowed_signers", b".gitsigners"),
}
REGULAR_MODES = ("100644", "100755")
DAY = 86_400


@dataclass(frozen=True)
class Listing:
    """One key of a person; the window and ``for_git`` (``namespaces=``) are of the OpenSSH dialect alone."""

    key: str
    after: int | None = None
    before: int | None = None
    for_git: bool = True


@dataclass(frozen=True)
class RefPerson:
    """A listed person; ``granted`` (``/``), ``paths`` (further grants) and ``editor`` are the native dialect's."""

    name: str
    listings: tuple[Listing, ...]
    granted: bool = True
    editor: bool = True
    paths: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class RefPolicy:
    """What a policy file that can be read says.

    ``default_editors``: the file has no ``policy_editors``. ``note``: a comment, so that two files can differ and
    say the same.
    """

    people: tuple[RefPerson, ...]
    default_editors: bool = False
    unprotected: tuple[bytes, ...] = ()
    unsigned_merges: bool = False
    adopting_merges: bool = False
    note: int = 0


@dataclass(frozen=True)
class Entry:
    """What a tree holds at a path: a mode, and bytes or (a policy file that can be read) a policy."""

    content: bytes | RefPolicy
    mode: str = "100644"


Tree = dict[bytes, Entry]  # every file, symlink and gitlink by its whole path


@dataclass(frozen=True)
class RefSignature:
    """The result of checking a signature, and the key it names.

    ``kind``: ``absent``, ``good``, ``bad`` (names ``key`` and fails), ``weak``, ``unsupported``, or
    ``unknown-key`` (no material for ``key``).
    """

    kind: str = "absent"
    key: str = ""


@dataclass(frozen=True)
class RefCommit:
    """A commit; ``malformed`` is empty, ``malformed-commit`` (R6) or ``malformed-tree`` (R7)."""

    name: str
    parents: tuple[str, ...] = ()
    tree: Tree = field(default_factory=dict)
    signature: RefSignature = RefSignature()
    date: int = 0
    malformed: str = ""


History = dict[str, RefCommit]  # parents come before their children


@dataclass(frozen=True)
class Question:
    """What is asked: ``marks`` (R23), ``contains`` (R23b), ``max_age`` (R26) and ``historical`` (R21: keys)."""

    introduction: str
    tip: str
    dialect: str | None = None
    signer: str | None = None
    marks: frozenset[str] = frozenset()
    contains: frozenset[str] = frozenset()
    max_age: int | None = None
    now: int = 0
    historical: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RefReport:
    """The answer.

    ``verdict``: ``authentic``, ``refused`` or ``error``. ``codes``: why each refused commit that the tip reaches
    through refused commits alone is refused. ``reasons``: the codes that may stand as the first: those of commits
    which reach no other of these.
    """

    verdict: str
    reasons: frozenset[str] = frozenset()
    codes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """What every judgement shares; ``path`` is the policy file's, ``historical`` the keys of R21's list."""

    history: History
    introduction: str
    dialect: str
    path: bytes
    historical: frozenset[str] = frozenset()
