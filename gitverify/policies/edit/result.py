"""What comes out of a change: the new file, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from gitverify.errors import GitverifyError


class EditRefused(GitverifyError):
    """The change makes no sense for this policy, would lock everybody out, or can't be made safely in this text.

    ``line`` counts from 1; 0 where no one line is meant. ``lockout``: nobody could change the policy afterwards.
    """

    def __init__(self, message: str, *, line: int = 0, lockout: bool = False) -> None:
        """Remember where somebody has to look."""
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line
        self.lockout = lockout


@dataclass(frozen=True, slots=True)
class Edited:
    """A policy file after a change. ``notes`` say what was done, or why nothing had to be, for people to read."""

    data: bytes
    notes: tuple[str, ...] = ()
