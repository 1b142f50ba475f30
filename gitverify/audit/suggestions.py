"""Which prefixes, left unprotected, would make the most commits authentic?

One after the other (so it is a good set, and not always the best one), the prefix is taken that lets most of the
commits pass which nothing else stops, times the share of the tip's files that stays protected: a directory with half
of all files has to let twice as many commits pass as a small one. Directories and single files compete, but only
those that are still there.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gitverify.audit.model import Suggestion
from gitverify.audit.tally import common_folder, folders_above

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitverify.audit.model import Needs

MOST = 10
LEAST = 200  # at least one in so many of all commits is gained by a prefix that is suggested


class Files:
    """How many files lie below each directory of one tree."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        """Take all leaf paths of the tree."""
        self._below: Counter[bytes] = Counter()
        for path in paths:
            self._below[path] = 1
            self._below.update(folders_above(path))

    @property
    def total(self) -> int:
        """How many there are."""
        return self._below[b""]

    def below(self, prefix: bytes) -> int:
        """Return how many a prefix covers, as a policy writes it: a directory ends in a slash."""
        return self._below[prefix]


def suggest(
    blocked: Mapping[Needs, int], files: Files, passing: tuple[int, int], protected: Iterable[bytes] = ()
) -> list[Suggestion]:
    """Return the prefixes, the one that adds most first.

    ``blocked``: how many refused commits need which paths. ``passing``: how many commits pass already, of how many.
    ``protected``: paths of which nothing is given up.
    """
    authentic, commits = passing
    chosen: list[bytes] = []
    pending = Counter(blocked)
    while len(chosen) < MOST:
        prefix, gained = _best(pending, files, [path.strip(b"/") for path in protected])
        if gained == 0 or gained * LEAST < commits:
            break
        chosen = [earlier for earlier in chosen if not _covers(prefix, earlier)] + [prefix]
        pending, _ = _without(pending, prefix)
    return _counted(_needed(chosen, blocked), blocked, files, authentic)


def _best(pending: Mapping[Needs, int], files: Files, protected: Iterable[bytes]) -> tuple[bytes, int]:
    gains: Counter[bytes] = Counter()
    for needs, count in pending.items():
        for prefix in {prefix for paths in needs for prefix in _enough(paths)}:
            gains[prefix] += count
    best, score = b"", 0.0
    for prefix, gained in sorted(gains.items()):
        below = files.below(prefix)
        its = gained * (1 - below / files.total) if below else 0.0
        if its > score and not any(_touches(prefix, path) for path in protected):
            best, score = prefix, its
    return best, gains[best] if best else 0


def _touches(prefix: bytes, path: bytes) -> bool:
    """Whether a prefix covers a path, or something below it."""
    return _covers(prefix, path) or prefix.rstrip(b"/") == path or prefix.startswith(path + b"/")


def _enough(paths: frozenset[bytes]) -> Iterable[bytes]:
    """Yield the prefixes that cover all these paths; the whole tree can't be unprotected."""
    if len(paths) == 1:
        yield from paths
    yield from (folder for folder in folders_above(common_folder(paths)) if folder)


def _covers(prefix: bytes, path: bytes) -> bool:
    return path == prefix or (prefix.endswith(b"/") and path.startswith(prefix))


def _without(pending: Mapping[Needs, int], prefix: bytes) -> tuple[Counter[Needs], int]:
    """Return what is still needed once a prefix is unprotected, and how many commits need nothing more."""
    left: Counter[Needs] = Counter()
    passed = 0
    for needs, count in pending.items():
        rest = tuple(frozenset([path for path in paths if not _covers(prefix, path)]) for paths in needs)
        if all(rest):
            left[rest] += count
        else:
            passed += count
    return left, passed


def _needed(chosen: list[bytes], blocked: Mapping[Needs, int]) -> list[bytes]:
    """Leave out the prefixes that later ones have made superfluous."""
    passing = _passing(chosen, blocked)
    for prefix in tuple(chosen):
        others = [other for other in chosen if other != prefix]
        if _passing(others, blocked) == passing:
            chosen = others
    return chosen


def _passing(chosen: Iterable[bytes], blocked: Mapping[Needs, int]) -> int:
    """Return how many commits need nothing else."""
    pending, passing = Counter(blocked), 0
    for prefix in chosen:
        pending, gained = _without(pending, prefix)
        passing += gained
    return passing


def _counted(chosen: list[bytes], blocked: Mapping[Needs, int], files: Files, authentic: int) -> list[Suggestion]:
    """Put the prefixes in order, now that it is clear which they are: each one adds the most to those before it."""
    found = []
    pending = Counter(blocked)
    while chosen:
        steps = [(*_without(pending, prefix), prefix) for prefix in chosen]
        pending, gained, prefix = max(steps, key=lambda step: (step[1], -files.below(step[2]), step[2]))
        chosen = [other for other in chosen if other != prefix]
        authentic += gained
        found.append(Suggestion(prefix, gained, authentic, files.below(prefix)))
    return found
