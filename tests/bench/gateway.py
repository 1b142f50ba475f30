"""What ``gitverify serve`` takes: ``python -m tests.bench.gateway``.

Requests a second on loopback, of what is in the cache: over one connection and over a new one each, with and without a
tag that matches. Then a large tree: how long until it is written, how fast it comes, and the memory of all processes
meanwhile, which must not grow with the tree. The tree is that of ``tests.bench.nar``, with a policy, signed.
"""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.lib import policies
from fixtures.lib.history import with_header
from fixtures.lib.keys import ALICE
from fixtures.lib.objects import ObjectStore
from tests.bench import memory
from tests.bench.generate import default_cache
from tests.bench.nar import Shape, cached
from tests.bench.run import Results
from tests.bench.target import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEN = 1_700_000_000
_PIECE = 1 << 20


def upstream(tree: Path, place: Path) -> str:
    """Write a repository whose branch ``small`` has a policy, and ``large`` the tree, too; return the introduction."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "large", place], check=True, env=ENVIRONMENT)
    (place / "objects/info/alternates").write_text(f"{tree / 'git/objects'}\n")
    listed = subprocess.run(
        ["git", f"--git-dir={tree / 'git'}", "cat-file", "tree", "HEAD"], check=True, capture_output=True
    )
    store = ObjectStore(place / "objects")
    policy = store.write("blob", policies.native({"alice": [ALICE]}).encode())
    entry = b"100644 .gitverify.yaml\0" + bytes.fromhex(policy)
    first = _commit(store, entry, "")
    large = _commit(store, entry + listed.stdout, first)
    for branch, commit in (("small", first), ("large", large)):
        (place / "refs/heads" / branch).write_text(f"{commit}\n")
    return first


def _commit(store: ObjectStore, tree: bytes, parent: str) -> str:
    who = b"Bench <bench@example.org> %d +0000" % _WHEN
    lines = [b"tree " + store.write("tree", tree).encode(), b"author " + who, b"committer " + who]
    if parent:
        lines.insert(1, b"parent " + parent.encode())
    payload = b"\n".join(lines) + b"\n\nwork\n"
    return store.write("commit", with_header(payload, b"gpgsig", ALICE.sign(payload, _WHEN)))


@contextmanager
def server(mirror: Path, state: Path, cache: Path) -> Iterator[tuple[int, int]]:
    """Run one; gives its process and its port."""
    words = ["serve", mirror, "--listen", "127.0.0.1:0", "--state", state, "--cache", cache]
    command = [sys.executable, "-m", "gitverify", *map(str, words)]
    process = subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        process.stderr.readline()
        yield process.pid, int(process.stderr.readline().rpartition(":")[2])
    finally:
        process.terminate()
        process.communicate()


def get(port: int, path: str, connection: http.client.HTTPConnection | None = None, **headers: str) -> tuple[int, str]:
    """Fetch something; return how many bytes came, and its tag."""
    asking = connection or http.client.HTTPConnection("127.0.0.1", port)
    asking.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = asking.getresponse()
    size = 0
    while piece := answer.read(_PIECE):
        size += len(piece)
    if answer.status not in {200, 304}:
        raise RuntimeError(f"{path}: {answer.status}")
    if connection is None:
        asking.close()
    return size, answer.headers["ETag"]


def rates(port: int, requests: int, rounds: int, results: Results) -> None:
    """Ask for what is small, one request after the other."""
    _, tag = get(port, "/mirror/small.tar.gz")
    best: dict[str, float] = {}
    for _ in range(rounds):
        for what, kept, headers in (
            ("an archive, one connection", True, {}),
            ("an archive, new connections", False, {}),
            ("not modified, one connection", True, {"If_None_Match": tag}),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", port) if kept else None
            start = time.perf_counter()
            for _ in range(requests):
                get(port, "/mirror/small.tar.gz", connection, **headers)
            best[what] = max(best.get(what, 0), requests / (time.perf_counter() - start))
    for what, rate in best.items():
        results.add("cached", what, rate, "requests/s", ">= 200")


def large(pid: int, port: int, name: str, results: Results) -> None:
    """Fetch the large tree: while it is written, then out of the cache, then four times at once."""
    with memory.watched(pid) as idle:
        get(port, "/mirror/small.tar.gz")
        time.sleep(4 * memory.INTERVAL)
    results.add(name, "memory, idle", idle[0] / 1e6, "MB")
    for what, copies in (("written and sent", 1), ("from the cache", 1), ("from the cache, four at once", 4)):
        with memory.watched(pid) as largest:
            start = time.perf_counter()
            with ThreadPoolExecutor(copies) as pool:
                sizes = [size for size, _ in pool.map(lambda path: get(port, path), ["/mirror/large.tar.gz"] * copies)]
            spent = time.perf_counter() - start
        results.add(name, what, spent, "s")
        results.add(name, what, sum(sizes) / spent / 1e6, "MB/s")
        results.add(name, f"memory, {what}", largest[0] / 1e6, "MB", "< 300")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=41_000)
    parser.add_argument("--megabytes", type=int, default=1_700)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=default_cache())
    asked = parser.parse_args()
    shape = Shape(asked.files, asked.megabytes)
    asked.cache.mkdir(parents=True, exist_ok=True)
    tree = cached(shape, asked.cache)
    results = Results()
    with tempfile.TemporaryDirectory(dir=asked.cache) as scratch:
        place = Path(scratch)
        introduction = upstream(tree, place / "upstream.git")
        words = ["--url", f"file://{place / 'upstream.git'}", "--introduction", introduction]
        words += ["--branch", "small", "--branch", "large", "--state", str(place / "state")]
        update = [sys.executable, "-m", "gitverify", "mirror", "update", str(place / "mirror"), *words]
        subprocess.run(update, check=True, env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.DEVNULL)
        with server(place / "mirror", place / "state", place / "served") as (pid, port):
            rates(port, asked.requests, asked.rounds, results)
            large(pid, port, f"{shape.files:,} files, {shape.megabytes:,} MB", results)


if __name__ == "__main__":
    main()
