"""What ``gitverify fetch`` costs, of a large history: ``python -m tests.bench.fetch``.

Against what has to be done in any case, in the same run: a plain ``git clone --bare``, ``gitverify verify`` of that
clone, cold, and ``git archive | tar x``. Then a hundred commits arrive, and it fetches again: beside it the plain
``git fetch``, ``git archive | tar x``, and where its own time went. ``--protocols`` says from where: a directory
(``file``), git's daemon on loopback (``git``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import generate, nixlike
from tests.bench.gate import borrowing
from tests.bench.run import Results
from tests.bench.target import ROOT
from tests.bench.timed import GIT, Best, Spent, shell, timed

sys.path.insert(0, str(ROOT / "tests"))

import gitserver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.generate import Sample

_NEW = 100  # commits
_PARTS = ("transfer", "verify", "write")


class Served(NamedTuple):
    """A repository that borrows a sample's objects, and may be asked for them; two tips of its branch."""

    path: Path
    sample: Sample
    before: str
    after: str

    def at(self, tip: str) -> None:
        (self.path / "refs/heads/main").write_text(tip + "\n")


def served(sample: Sample, place: Path) -> Served:
    """Serve a sample; the branch's older tip is that of some hundred commits ago."""
    borrowing(sample, place)
    git = ["git", f"--git-dir={place}", "rev-list"]
    line = _output([*git, "--first-parent", f"--max-count={_NEW + 1}", sample.tip]).split()
    before = next(each for each in line if int(_output([*git, "--count", f"{each}..{sample.tip}"])) >= _NEW)
    return Served(place, sample, before, sample.tip)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, env=GIT, text=True).stdout


def ours(served: Served, url: str, scratch: Path, output: str) -> tuple[Spent, dict[str, float]]:
    """Fetch into a cache of its own; return also where the time went."""
    where = {"XDG_CACHE_HOME": str(scratch / "cache"), "XDG_STATE_HOME": str(scratch / "state")}
    shares = scratch / "shares"
    command = [sys.executable, "-m", "tests.bench.shares", shares, "fetch", url, "--branch", "main"]
    anchor = ["--introduction", served.sample.introduction, "--signer", served.sample.signer]
    spent = timed([*command, *anchor, "--output", scratch / output], where)
    return spent, json.loads(shares.read_text())


def archived(repository: Path, output: Path) -> Spent:
    output.mkdir()
    return shell('git --git-dir="$1" archive main | tar x -C "$2"', repository, output)


def once(served: Served, protocol: str, url: str, place: Path, best: Best, parts: dict[str, dict[str, float]]) -> None:
    """Do all of it once, in an empty directory."""

    def note(what: str, spent: Spent) -> bool:
        best.note(f"{protocol}: {what}", spent)
        return best.runs[f"{protocol}: {what}"] is spent

    served.at(served.before)
    plain = place / "plain"
    note("git clone --bare", timed(["git", "clone", "-q", "--bare", url, plain]))
    words = ["--introduction", served.sample.introduction, "--signer", served.sample.signer, "--no-state"]
    note("verify, cold", timed([sys.executable, "-m", "gitverify", "verify", "--repo", plain, *words, "main"]))
    note("git archive | tar x", archived(plain, place / "tar"))
    for what, tip in (("fetch", served.before), ("fetch again", served.after)):
        if tip == served.after:
            served.at(tip)
            refspec = "+refs/heads/main:refs/heads/main"
            note("git fetch", timed(["git", f"--git-dir={plain}", "fetch", "-q", "origin", refspec]))
        shell('sync -f "$1"', place)  # an export waits for the disk: not for what others have written here
        spent, shares = ours(served, url, place, f"out{len(what)}")
        if note(what, spent):
            parts[f"{protocol}: {what}"] = shares | {"all": spent.seconds}


def show(name: str, protocols: Sequence[str], best: Best, parts: dict[str, dict[str, float]], results: Results) -> None:
    best.show(name, results)
    for protocol in protocols:
        whole, archive = f"{protocol}: fetch", f"{protocol}: git archive | tar x"
        steps = [f"{protocol}: git clone --bare", f"{protocol}: verify, cold", archive]
        best.compare(name, f"{whole} / sum of the three", whole, steps, results, "<= 1.3")
        again = [f"{protocol}: git fetch", archive]
        best.compare(name, f"{whole} again / git fetch, archive, tar", f"{whole} again", again, results)
        for what in (whole, f"{whole} again"):
            shares = parts[what]
            rest = shares["all"] - sum(shares.get(part, 0) for part in _PARTS)
            for part, spent in [*((part, shares.get(part, 0)) for part in _PARTS), ("start, and all else", rest)]:
                results.add(name, f"{what}, share: {part}", 100 * spent / shares["all"], "%")


def urls(place: Path, protocols: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each protocol's URL, while it is served."""
    if "file" in protocols:
        yield "file", f"file://{place / 'served'}"
    if "git" in protocols:
        with gitserver.daemon(place) as url:
            yield "git", f"{url}/served"


def measure(sample: Sample, scratch: Path, protocols: Sequence[str], rounds: int, results: Results) -> None:
    count = int(_output(["git", f"--git-dir={sample.path}", "rev-list", "--count", sample.tip]))
    best, parts = Best(), dict[str, dict[str, float]]()
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        place = Path(directory)
        repository = served(sample, place / "served")
        for _ in range(rounds):
            for protocol, url in urls(place, protocols):
                (place / "run").mkdir()
                once(repository, protocol, url, place / "run", best, parts)
                shutil.rmtree(place / "run")
    show(f"{count:,} commits", protocols, best, parts, results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=nixlike.Shape.files)
    parser.add_argument("--commits", type=int, default=51_000, help="some are on branches that nobody merges")
    parser.add_argument("--plain", action="store_true", help="a policy without path rules")
    parser.add_argument("--protocols", nargs="+", choices=["file", "git"], default=["file", "git"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=generate.default_cache())
    parser.add_argument("--scratch", type=Path, help="where to clone and to write to (default: the cache)")
    asked = parser.parse_args()
    sample = nixlike.cached(nixlike.Shape(asked.files, asked.commits, not asked.plain), asked.cache)
    measure(sample, asked.scratch or asked.cache, asked.protocols, asked.rounds, Results())


if __name__ == "__main__":
    main()
