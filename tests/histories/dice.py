"""Where the choices come from: hypothesis, which shrinks them, or a generator of numbers, which is fast."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """``choose`` returns a number from 0 to below what it is given; the lower the simpler."""

    choose: Callable[[int], int]

    def number(self, count: int) -> int:
        """From 0 to below ``count``."""
        return self.choose(count) if count > 1 else 0

    def pick(self, choices: Sequence[T]) -> T:
        """One of them; the first is the simplest."""
        return choices[self.number(len(choices))]

    def one_in(self, count: int) -> bool:
        """True once in so many times."""
        return self.number(count) == count - 1

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Up to ``most`` of them, each once."""
        left = list(choices)
        return [left.pop(self.number(len(left))) for _ in range(min(self.number(most + 1), len(left)))]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """All of them in any order."""
        left = list(choices)
        return [left.pop(self.number(len(left))) for _ in choices]


def seeded(seed: int) -> Dice:
    """Dice that fall the same way for the same seed."""
    return Dice(random.Random(seed).randrange)


def thrown(draw: Callable[..., int]) -> Dice:
    """Dice that hypothesis throws; ``draw`` is what it hands to a composite strategy."""
    return Dice(lambda count: draw(st.integers(0, count - 1)))
