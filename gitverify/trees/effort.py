"""How much work an input may cause, counted in steps of about the same length."""

from __future__ import annotations


class OutOfEffort(Exception):
    """More steps would be needed than are allowed; does not leave this package."""


class Effort:
    """Steps that may still be taken: comparing files that were made for it takes time quadratic in their lines."""

    def __init__(self, steps: int) -> None:
        """Allow so many steps."""
        self.left = steps

    def spend(self, steps: int) -> None:
        """Count steps that are about to be taken; raise OutOfEffort where so many are not left."""
        self.left -= steps
        if self.left < 0:
            raise OutOfEffort
