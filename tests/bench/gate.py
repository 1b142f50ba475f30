"""The gate on a branch of 50 commits over 100,000: ``python -m tests.bench.gate``.

The goal is twice the start-up time: that of ``gitverify verify`` where nothing is new. Measured in turns, the best of
several rounds each: with a mark of the base, and with the base given as authentic; where the branch is up to date,
and where its target has gone on, so that git has to merge.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fixtures.lib.history import with_header
from fixtures.lib.objects import ObjectStore
from gitverify.objects.commit import parse_commit
from gitverify.source import Repository
from tests.bench import generate, keys
from tests.bench.run import TIMES, Results
from tests.bench.target import ENVIRONMENT, ROOT

_COMMITS = 50
_BEHIND = 5
_ENTRY = b"100644 README\0"


def branch(repository: Repository, store: ObjectStore, start: bytes, when: int) -> bytes:
    """Write signed commits on top of ``start``; each changes a file in the root. Return the last one."""
    signer = keys.ssh_signers()[0]
    tree = repository.read(parse_commit(repository.read(start)[1]).tree)[1]
    before, _, after = tree.partition(_ENTRY)
    tip = start
    for at in range(_COMMITS):
        blob = bytes.fromhex(store.write("blob", b"branch %d\n" % at))
        root = store.write("tree", before + _ENTRY + blob + after[20:])
        who = b"Bench <bench@example.org> %d +0000" % (when + at)
        lines = [b"tree " + root.encode(), b"parent " + tip.hex().encode(), b"author " + who, b"committer " + who]
        payload = b"\n".join(lines) + b"\n\nwork\n"
        tip = bytes.fromhex(store.write("commit", with_header(payload, b"gpgsig", signer.sign(payload, when + at))))
    return tip


def borrowing(sample: generate.Sample, place: Path) -> tuple[Repository, ObjectStore]:
    """Make a repository beside the sample, which may not be written to."""
    for name in ("objects/info", "objects/pack", "refs/heads"):
        (place / name).mkdir(parents=True)
    (place / "HEAD").write_text("ref: refs/heads/main\n")
    (place / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    (place / "refs/heads/main").write_text(sample.tip + "\n")
    (place / "objects/info/alternates").write_text(f"{(sample.path / 'objects').resolve()}\n")
    return Repository(place), ObjectStore(place / "objects")


def seconds(arguments: list[str], accept: tuple[int, ...] = (0,)) -> float:
    """Run ``gitverify`` in a process of its own."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "gitverify", *arguments], env=ENVIRONMENT, cwd=ROOT, capture_output=True, check=False
    )
    spent = time.perf_counter() - start
    if done.returncode not in accept:
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())
    return spent


def measure(sample: generate.Sample, rounds: int, results: Results) -> None:
    """Measure all in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch, "repository")
        repository, store = borrowing(sample, place)
        tip = bytes.fromhex(sample.tip)
        when = parse_commit(repository.read(tip)[1]).date
        below = tip
        for _ in range(_BEHIND):
            below = parse_commit(repository.read(below)[1]).parents[0]
        heads = {
            "up to date": branch(repository, store, tip, when + 60),
            "behind": branch(repository, store, below, when + 60),
        }
        common = ["--repo", str(place), "--introduction", sample.introduction, "--signer", sample.signer]
        state = ["--state", str(Path(scratch, "state")), "--ref", "main"]
        warm = ["verify", *common, *state, sample.tip]
        seconds(warm)
        runs = {"nothing new": warm}
        for what, head in heads.items():
            span = f"{sample.tip}..{head.hex()}"
            runs[f"check, {what}, with a mark"] = ["check", *common, *state, span]
            runs[f"check, {what}, base given"] = ["check", *common, "--base-authentic", span]
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(rounds):
            for what, arguments in runs.items():
                best[what] = min(best[what], seconds(arguments))
    name = sample.path.name
    for what, spent in best.items():
        results.add(name, what, spent, "s")
        if what != "nothing new":
            results.add(name, f"{what} / nothing new", spent / best["nothing new"], TIMES, "<= 2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cache", type=Path, default=generate.default_cache())
    asked = parser.parse_args()
    sample = generate.cached(generate.Plan("native", asked.commits), asked.cache)
    measure(sample, asked.rounds, Results())


if __name__ == "__main__":
    main()
