"""The errors that leave this package's functions.

Every parser and check raises one of these and nothing else: a ``ValueError`` that escapes from a parser of
untrusted bytes is a bug. Messages are text for people; whatever they quote from a repository has been escaped
by :func:`gitverify.text.shown`.
"""

from __future__ import annotations

_ABSENT = "is not in this repository"


class GitverifyError(Exception):
    """Base of all errors raised on purpose."""


class MalformedObject(GitverifyError):
    """Raw bytes are not a well-formed git object (rules R6 and R7)."""


class MalformedCommit(MalformedObject):
    """A commit object breaks R6."""


class MalformedTree(MalformedObject):
    """A tree object breaks R7."""


class MalformedTag(MalformedObject):
    """An annotated tag object is not well formed."""


class OversizedObject(MalformedObject):
    """An object is larger than anything of its kind has to be; it was not read."""

    def __init__(self, kind: str, size: int, limit: int) -> None:
        """Remember the kind (commit, tree, blob, tag)."""
        super().__init__(f"the {kind} is {size:,} bytes long; the limit is {limit:,}")
        self.kind = kind


class OversizedMaterial(GitverifyError):
    """A directory has more certificates than are read."""


class TooMuch(GitverifyError):
    """Deciding would take more work than :mod:`gitverify.limits` allows."""


class MissingObject(GitverifyError):
    """An object that is needed is not in the object database, or is damaged there (R5: cannot decide)."""

    def __init__(self, object_id: bytes, reason: str = _ABSENT) -> None:
        """Remember the raw object id and why it can't be had."""
        super().__init__(f"object {object_id.hex()} {reason}")
        self.object_id = object_id
        self.reason = reason

    @property
    def absent(self) -> bool:
        """Whether the object is not there at all; otherwise it is damaged."""
        return self.reason.endswith(_ABSENT)


class NoCheckout(GitverifyError):
    """There is no checkout to compare, or it is not clear which one; or nothing can be allowed in it so."""


class KeyRefused(GitverifyError):
    """Key material that can't be used: unreadable, of an unsupported kind, or weak.

    ``code`` is ``"unsupported"``, ``"weak"`` or ``"malformed"``.
    """

    def __init__(self, code: str, message: str) -> None:
        """Remember the kind of refusal next to the message."""
        super().__init__(message)
        self.code = code


class PolicyError(GitverifyError):
    """A policy file is refused: reason code ``policy-invalid`` or ``policy-lockout``, with a place where known.

    ``line`` and ``column`` count from 1; 0 means that no place applies.
    """

    def __init__(self, message: str, *, line: int = 0, column: int = 0, code: str = "policy-invalid") -> None:
        """Remember where the file is wrong."""
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(place + message)
        self.message = message
        self.line = line
        self.column = column
        self.code = code
