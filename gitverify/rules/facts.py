"""What the rules see of a commit, and what they answer: no bytes of git objects, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gitverify.objects.tree import TreeEntry


class Unproven(NamedTuple):
    """A signature that proves nothing: the fields of a SignatureRefused."""

    code: str
    message: str
    keys: tuple[str, ...] = ()


class Examined(NamedTuple):
    """What one commit's own bytes say, without any policy.

    ``entry`` is the policy file's tree entry, ``key_root`` the id of the root entry below which the certificates
    lie. ``key`` is the id of the key that signed the payload (R8), ``""`` where ``unproven`` says why there is
    none. ``malformed`` is a pair of code and message where R6 or R7 is broken.
    """

    entry: TreeEntry | None = None
    key_root: bytes | None = None
    key: str = ""
    made_at: int = 0
    user_verified: bool | None = None
    unproven: Unproven | None = None
    malformed: tuple[str, str] | None = None


class CommitFacts(NamedTuple):
    """A commit as the rules see it. ``date`` is the committer's (seconds since 1970): anyone can write any."""

    id: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    date: int
    examined: Examined


class PolicyProblem(NamedTuple):
    """Why a tree's policy can't be used: a reason code and a sentence."""

    code: str
    message: str


class Voucher(NamedTuple):
    """A listed person whose valid signature backs a commit.

    ``listed`` is the key id of the policy entry, ``key`` the key that signed (a subkey, perhaps).
    """

    person: str
    listed: str
    key: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a commit, or the tip, is not authentic.

    ``rule`` is the rule's name (``R17``), ``code`` the stable word, ``hint`` what a maintainer can do.
    ``judged_by`` is the commit whose policy file decided, where one did.
    """

    commit: bytes
    rule: str
    code: str
    message: str
    hint: str = ""
    path: bytes | None = None
    key: str | None = None
    person: str | None = None
    judged_by: bytes | None = None


class Authorized(NamedTuple):
    """The commit is authentic by this rule, on the word of these vouchers.

    There are none for the introduction, for a change of unprotected paths without a signature, and for a clean merge
    by a machine. ``authority`` is the policy and the key material that decided, where it was a single one: whatever
    else is judged under these two themselves has the same answer. ``governing``: of a merge that one policy governed,
    that policy's file.
    """

    rule: str
    vouchers: tuple[Voucher, ...] = ()
    authority: tuple[object, object] | None = None
    governing: tuple[TreeEntry | None] | None = None
