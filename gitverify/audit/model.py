"""What an audit is asked and what it finds: values, all text in them as bytes where somebody else wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gitverify.policies.model import Policy
    from gitverify.request import Request

# Sets of paths of which one has to be unprotected, all of it, for a commit to be authentic; none: that is no help.
Needs = tuple[frozenset[bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. ``request`` names the tip, dialect, policy path and keyring.

    ``policy``: the proposed policy that takes the place of every commit's; None: the policies as they are.
    ``introduction``: where it is given, only what it does not reach is looked at, and R21 applies to what does not
    descend from it. ``since``: the same without R21. ``most``: so many commits, the newest ones. ``protected``: paths
    that no suggestion touches.
    """

    request: Request
    policy: Policy | None = None
    introduction: bytes | None = None
    since: bytes | None = None
    most: int | None = None
    protected: tuple[bytes, ...] = ()


class Signing(StrEnum):
    """Whose signature a commit has, as the policy that judges it sees it (R8)."""

    LISTED = "listed"  # somebody's whom the policy lists
    UNLISTED = "unlisted"  # another key's, or that of an OpenPGP key whose certificate is missing: it has but a name
    UNSIGNED = "unsigned"
    VOID = "void"  # one that counts for nothing: failing, weak, unsupported, or by a revoked or expired key


class Merge(StrEnum):
    """What kind of merge a commit with several parents is (section 6 of the rules)."""

    MECHANICAL = "mechanical"  # its parents settle its tree as recorded
    OTHERWISE = "otherwise"  # somebody resolved a conflict, or changed something more
    UNSUPPORTED = "unsupported"  # more than two parents, or no history that they share


class Judged(NamedTuple):
    """One commit, judged on its own.

    ``code`` and ``rule`` say why it would be refused; None: it would be authentic. ``author``: the line's name and
    address, which prove nothing. ``key``: that made the signature (``proven``), or that a signature names. ``paths``:
    the contribution (section 5 of the rules), none where it is ``immeasurable``: beyond the limits, or in a malformed
    tree. ``mergeable``: it would be authentic if unsigned merges were allowed.
    """

    commit: bytes
    author: bytes
    date: int
    code: str | None
    rule: str
    signing: Signing
    merge: Merge | None = None
    person: str | None = None
    key: str | None = None
    proven: bool = False
    paths: tuple[bytes, ...] = ()
    needs: Needs = ()
    mergeable: bool = False
    immeasurable: bool = False


@dataclass(slots=True)
class Counts:
    """Commits by whose signature they have; ``authentic`` of them would be authentic."""

    commits: int = 0
    authentic: int = 0
    listed: int = 0
    unlisted: int = 0
    unsigned: int = 0
    void: int = 0

    def add(self, judged: Judged) -> None:
        """Count one."""
        self.commits += 1
        self.authentic += judged.code is None
        signing = judged.signing
        if signing is Signing.LISTED:
            self.listed += 1
        elif signing is Signing.UNLISTED:
            self.unlisted += 1
        elif signing is Signing.UNSIGNED:
            self.unsigned += 1
        else:
            self.void += 1


class Part(NamedTuple):
    """So many of so many."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        """Between 0 and 1; 1 of nothing."""
        return self.part / self.whole if self.whole else 1.0


@dataclass(slots=True)
class Folder:
    """A directory, and the commits whose contribution lies in it in part at least.

    ``path`` ends in a slash; it is empty for the root. ``unblocks``: how many more commits would be authentic if
    this directory alone were unprotected too. ``weight``: the commits' sum where each counts as one, split evenly over
    its paths; ``authentic_weight`` of it is of authentic ones. ``files``: how many there are at the tip.
    """

    path: bytes
    counts: Counts = field(default_factory=Counts)
    unblocks: int = 0
    weight: float = 0.0
    authentic_weight: float = 0.0
    files: int = 0
    unprotected: bool = False


@dataclass(slots=True)
class KeyUse:
    """A key's commits; ``last`` is the newest one's date by its own account (seconds since 1970)."""

    key: str
    commits: int = 0
    last: int = 0

    def add(self, date: int) -> None:
        """Count one."""
        self.commits += 1
        self.last = max(self.last, date)


@dataclass(slots=True)
class Person:
    """Somebody whom a policy lists; ``keys`` are those that were used, the one with most commits first."""

    name: str
    commits: int = 0
    authentic: int = 0
    keys: list[KeyUse] = field(default_factory=list)


@dataclass(slots=True)
class Stranger:
    """A key that nobody vouches with. ``proven``: its signatures were checked (an OpenPGP key's with its certificate).

    ``author``: whom most of its commits name as their author. ``would_sign``: how many commits are refused for want
    of it. ``example`` is the newest commit, ``line`` the public key as a policy lists it, where that is known, and
    ``forge`` whose key it is where anybody with an account can have it sign. ``listed``: whom the policy lists it for;
    then its certificate is missing.
    """

    use: KeyUse
    proven: bool
    author: bytes
    would_sign: int
    example: bytes
    line: str | None = None
    forge: str | None = None
    listed: str | None = None


@dataclass(slots=True)
class Author:
    """Whom commits name as their author: anybody can write anything there."""

    identity: bytes
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class Reason:
    """Why commits would be refused; ``example`` is the newest of them."""

    code: str
    rule: str
    commits: int
    example: bytes


@dataclass(slots=True)
class Suggestion:
    """A prefix that could be left unprotected, as a policy writes it.

    ``gained``: how many more commits are authentic with it and those before it, ``authentic`` how many then are.
    ``files``: what is given up, in files at the tip.
    """

    prefix: bytes
    gained: int
    authentic: int
    files: int


@dataclass(slots=True, kw_only=True)
class Audit:
    """The answer.

    ``changes`` counts the paths of all contributions together, ``paths`` each path once: authentic is one whose every
    change was. ``folders`` come in the order of their paths, everything else with the most commits first.
    ``immeasurable`` commits change more than can be looked at. ``mergeable``: how many more would be authentic if
    unsigned merges were allowed.
    """

    tip: bytes
    newest: int
    oldest: int
    proposed: Policy | None
    policy_path: bytes
    introduction: bytes | None
    total: Counts
    changes: Part
    paths: Part
    folders: list[Folder]
    people: list[Person]
    strangers: list[Stranger]
    authors: list[Author]
    reasons: list[Reason]
    merges: dict[Merge, Counts]
    mergeable: int
    suggestions: list[Suggestion]
    files: int
    immeasurable: int
