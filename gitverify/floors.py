"""A mark as a verification takes it, and what a verification accepted as a mark (R23, R25)."""

from __future__ import annotations

from gitverify.markdata import Mark
from gitverify.request import Floor
from gitverify.walk import Fence


def floor_of(mark: Mark | None, context: bytes) -> Floor:
    """Return what a mark gives to build on; under another context than its own it is a floor and no more."""
    if mark is None:
        return Floor()
    return Floor(
        commits=mark.commits,
        trusted=mark.context == context,
        fences={(child, parent): Fence[kind.upper()] for child, parent, kind in mark.fences},
        aside=frozenset(mark.aside),
        skew=mark.skew,
        accepted=mark.accepted,
        freshness=mark.freshness,
    )


def mark_of(floor: Floor, context: bytes, now: int) -> Mark:
    """Return the mark to store; ``now`` in seconds since 1970."""
    return Mark(
        commits=tuple(sorted(floor.commits)),
        context=context,
        accepted=floor.accepted,
        freshness=dict(floor.freshness),
        recorded_at=now,
        fences=tuple(sorted((*edge, fence.name.lower()) for edge, fence in floor.fences.items())),
        aside=tuple(sorted(floor.aside)),
        skew=floor.skew,
    )
