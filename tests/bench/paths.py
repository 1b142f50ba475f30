"""What path rules and merges cost, on histories of the shape of nixpkgs: ``python -m tests.bench.paths``.

The floor has the bare signature checks, and bare reads of every commit and of every tree object that lies on a changed
path. Beside it the same history under a policy without paths, and trees of other sizes: what a commit costs must not
grow with the number of files in folders that it does not touch.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import floor, generate, nixlike
from tests.bench.run import TIMES, Results
from tests.bench.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence


def target(shape: nixlike.Shape, cache: Path) -> Target:
    """Return a generated history."""
    sample = nixlike.cached(shape, cache)
    kind = "paths" if shape.paths else "no paths"
    return Target(f"{shape.files:,} files, {kind}", sample.path, sample.introduction, sample.signer)


def cold(shapes: Sequence[nixlike.Shape], cache: Path, jobs: Sequence[int], rounds: int, results: Results) -> None:
    """Verify each history from its introduction, and do its floor's work, in turns."""
    targets = [target(shape, cache) for shape in shapes]
    works = [
        floor.prepare(one.path, one.introduction, one.tip, paths=shape.paths)
        for one, shape in zip(targets, shapes, strict=True)
    ]
    best: dict[tuple[str, str, int], float] = {}
    for _ in range(rounds):
        for one, work in zip(targets, works, strict=True):
            for count in jobs:
                for kind, spent in (("cold", one.verify(count)[0]), ("floor", floor.seconds(work, count))):
                    best[kind, one.name, count] = min(best.get((kind, one.name, count), spent), spent)
    for one, work, shape in zip(targets, works, shapes, strict=True):
        for count in jobs:
            whole, least = best["cold", one.name, count], best["floor", one.name, count]
            results.add(one.name, f"cold, --jobs {count}", whole / work.commits * 1e6, "µs/commit")
            results.add(one.name, f"floor, {count} processes", least / work.commits * 1e6, "µs/commit")
            goal = "<= 2.0" if shape.paths and shape.files == nixlike.Shape.files else ""
            results.add(one.name, f"cold / floor, --jobs {count}", whole / least, TIMES, goal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[5_000, 45_000, 200_000])
    parser.add_argument("--commits", type=int, default=nixlike.Shape.commits)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=generate.default_cache())
    asked = parser.parse_args()
    shapes = [nixlike.Shape(files, asked.commits) for files in asked.files]
    if nixlike.Shape.files in asked.files:
        shapes.append(nixlike.Shape(nixlike.Shape.files, asked.commits, paths=False))
    cold(shapes, asked.cache, asked.jobs, asked.rounds, Results())


if __name__ == "__main__":
    main()
