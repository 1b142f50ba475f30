"""A graph of names, each with those below it: does it lead back to itself, and how many ways are there through it?"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def on_circle(below: Mapping[str, Sequence[str]]) -> str | None:
    """Return a name that leads back to itself, the first of its circle; None where none does."""
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return min(names)
    return None


def count_ways(start: str, below: Mapping[str, Sequence[str]]) -> int:
    """Return how many ways begin at a name, that to itself included; there is no circle."""
    ways: dict[str, int] = {}
    for name in TopologicalSorter(below).static_order():
        ways[name] = 1 + sum(ways[to] for to in below[name])
    return ways[start]
