"""What the rules ask for while they judge, and only when they need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.policies.coverage import Cover
    from gitverify.policies.model import Policy
    from gitverify.rules.authority import Base, Parent
    from gitverify.rules.facts import CommitFacts, Examined


class Evidence(Protocol):
    """The adapter that looks into the repository.

    What is asked about trees raises MalformedTree where a tree breaks R7, and MissingObject (R5).
    """

    def examine(self, commit: CommitFacts, judge: Parent) -> Examined:
        """Return the signature's result under the judge's key material (R12)."""
        ...

    def cover(self, policy: Policy, people: frozenset[str], *, policy_file: bool) -> Cover:
        """Return which paths these people may change, or with nobody anyone (R15, R16).

        ``policy_file``: whether the policy file counts as one of them.
        """
        ...

    def uncovered(self, before: bytes, after: bytes, cover: Cover) -> bytes | None:
        """Return a path that differs between two root trees and is not covered; None where all are."""
        ...

    def unsettled(self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes, cover: Cover) -> bytes | None:
        """Return a path that the mechanical merge does not settle as recorded and that is not covered (section 6).

        Raises TooMuch where that would take too long to find out.
        """
        ...

    def bases(self, ours: bytes, theirs: bytes) -> Sequence[Base]:
        """Return the merge bases of two authentic commits, over authentic edges.

        Raises TooMuch where the history is too tangled.
        """
        ...

    def hidden_bases(self, ours: bytes, theirs: bytes) -> Sequence[Base]:
        """Return what would be merge bases, too, were the edges authentic that adopting merges drop (R20).

        Raises TooMuch.
        """
        ...

    def authorised_beyond(self, other: bytes, governing: Parent) -> bytes | None:
        """R19 (e): return a commit that ``other`` reaches, ``governing`` does not, and whose policy does not allow it.

        None where its policy would have allowed every one of them.
        """
        ...
