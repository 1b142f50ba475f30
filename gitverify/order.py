"""In which order the commits of a walk are judged, and which of them at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Parents = Mapping[bytes, tuple[bytes, ...]]


def parents_first(new: Parents) -> Iterator[bytes]:
    """Yield the commits of a walk from its end, but every parent before its child whatever their dates say.

    ``new``: their parents, in the order of the walk; what is no key of it is left out.
    """
    done: set[bytes] = set()
    for start in reversed([*new]):
        if start not in done and done.issuperset(new[start]):
            done.add(start)
            yield start
            continue
        stack = [start]
        while stack:
            commit = stack[-1]
            waiting = [p for p in new[commit] if p in new and p not in done]
            if waiting and commit not in done:
                stack.extend(waiting)
                continue
            stack.pop()
            if commit not in done:
                done.add(commit)
                yield commit


def without_parents(new: Parents, malformed: Collection[bytes], tip: bytes) -> dict[bytes, tuple[bytes, ...]]:
    """Leave out what is reached through malformed commits alone: nothing that they say is believed (R6)."""
    reached = set()
    todo = [tip]
    while todo:
        commit = todo.pop()
        if commit in new and commit not in reached:
            reached.add(commit)
            todo += () if commit in malformed else new[commit]
    return {c: () if c in malformed else parents for c, parents in new.items() if c in reached}
