"""The floor under a cold verification: the calls that nothing can do without, and nothing else.

For every commit that is judged: reading it and its root tree from the object database, and the bare call of
``cryptography`` that checks its signature. Keys are loaded and all arguments made ready before the clock starts; the
calls are shared out evenly to as many processes as the verification has.

``python -m tests.bench.floor REPOSITORY INTRODUCTION`` prints it in microseconds a commit.
"""

from __future__ import annotations

import argparse
import gc
import re
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pygit2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from fixtures.lib import sshwriter
from tests.bench.pgpreader import Keys

if TYPE_CHECKING:
    from pathlib import Path

Call = tuple[Callable[..., None], tuple[Any, ...]]

_ROW = re.compile(rb"([0-9]+ [^\0]+)\0(.{20})", re.DOTALL)
_SIGNATURE = re.compile(rb"^gpgsig ([^\n]*(?:\n [^\n]*)*)\n", re.MULTILINE)


@dataclass
class Work:
    """What the floor does: object ids to read, in order, and calls to make."""

    path: str
    reads: list[list[pygit2.Oid]]
    calls: list[Call]
    left_out: int = 0

    @property
    def commits(self) -> int:
        return len(self.reads)


def prepare(path: Path, introduction: str, tip: str = "HEAD", keyring: str = "keyring", *, paths: bool = False) -> Work:
    """Read a history that is known to be good. ``left_out``: signatures of kinds that the floor does not know.

    With ``paths``, every tree object that lies on a path that a commit changes is read, too: each once, as the next
    commit's old side is this one's new one. What has no signature there needs none.
    """
    _settings()
    odb = pygit2.Repository(str(path)).odb
    keys = _keys(path, keyring)
    ids = _git(path, "rev-list", tip, f"^{introduction}").split()
    work = Work(str(path), [], [])
    trees: set[bytes] = set()
    ssh: dict[bytes, Any] = {}
    for name in ids:
        commit = pygit2.Oid(hex=name)
        raw = odb.read(commit)[1]
        tree = pygit2.Oid(hex=raw[5:45].decode())
        if paths:
            parent = odb.read(pygit2.Oid(hex=raw[53:93].decode()))[1]
            work.reads.append([commit, *_on_changed_paths(odb, pygit2.Oid(hex=parent[5:45].decode()), tree, trees)])
        else:
            work.reads.append([commit] if tree.raw in trees else [commit, tree])
            trees.add(tree.raw)
        try:
            work.calls.append(_call(raw, keys, ssh))
        except (KeyError, TypeError, ValueError):
            work.left_out += not paths
    return work


def _on_changed_paths(odb: Any, before: pygit2.Oid, after: pygit2.Oid, seen: set[bytes]) -> list[pygit2.Oid]:
    """Return the tree objects above what differs between two trees, without those that were read before."""
    found = []
    todo = [(before, after)]
    while todo:
        sides = todo.pop()
        rows = []
        for tree in sides:
            if tree.raw not in seen:
                seen.add(tree.raw)
                found.append(tree)
            rows.append(dict(_ROW.findall(odb.read(tree)[1])))
        names = {name for name in rows[0].keys() | rows[1].keys() if rows[0].get(name) != rows[1].get(name)}
        todo += [
            (pygit2.Oid(raw=rows[0][name]), pygit2.Oid(raw=rows[1][name]))
            for name in names
            if name.startswith(b"40000 ") and name in rows[0] and name in rows[1]
        ]
    return found


def seconds(work: Work, jobs: int) -> float:
    """Do the work in so many processes; return how long it took from when all were ready."""
    gc.collect()
    gc.freeze()
    context = get_context("fork")
    ready = context.Barrier(jobs)
    times = context.Array("d", 2 * jobs)
    workers = [context.Process(target=_part, args=(work, at, jobs, ready, times)) for at in range(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError("a signature of this history does not verify")
    return max(times[jobs:]) - min(times[:jobs])


def _part(work: Work, at: int, jobs: int, ready: Any, times: Any) -> None:
    """Do every ``jobs``-th piece of the work; note when it begins and ends."""
    _settings()
    read = pygit2.Repository(work.path).odb.read
    reads, calls = work.reads[at::jobs], work.calls[at::jobs]
    # Referring to an object copies its page after a fork: that is done before the clock starts.
    touched = [list(ids) for ids in reads], [list(arguments) for _, arguments in calls]
    ready.wait()
    times[at] = time.perf_counter()  # of one clock for all processes
    for ids in reads:
        for object_id in ids:
            read(object_id)
    for verify, arguments in calls:
        verify(*arguments)
    times[jobs + at] = time.perf_counter()
    del touched


def _settings() -> None:
    """As the engine has it: every object hashed against its id, none kept."""
    pygit2.settings.enable_strict_hash_verification(True)
    pygit2.settings.enable_caching(False)


def _git(path: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(path), *arguments], check=True, capture_output=True, text=True).stdout


def _keys(path: Path, keyring: str) -> Keys:
    keys = Keys()
    odb = pygit2.Repository(str(path)).odb
    listing = subprocess.run(["git", "-C", str(path), "ls-tree", keyring], check=False, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        _, kind, name, file = line.split(maxsplit=3)
        if kind == "blob" and file.endswith(".key"):
            keys.add(odb.read(pygit2.Oid(hex=name))[1])
    return keys


def _call(raw: bytes, keys: Keys, ssh: dict[bytes, Any]) -> Call:
    found = _SIGNATURE.search(raw, 0, raw.find(b"\n\n") + 1)
    if found is None:
        raise KeyError("unsigned")
    payload = raw[: found.start()] + raw[found.end() :]
    signature = found[1].replace(b"\n ", b"\n")
    return _ssh_call(signature, payload, ssh) if b"SSH SIGNATURE" in signature else keys.call(signature, payload)


def _ssh_call(signature: bytes, payload: bytes, loaded: dict[bytes, Any]) -> Call:
    data = b64decode(b"".join(signature.split(b"\n")[1:-1]))
    public, _, _, digest, signed = _strings(data[10:])
    algorithm, raw, *_ = _strings(signed)
    if public not in loaded:
        name = _strings(public)[0]
        loaded[public] = load_ssh_public_key(name + b" " + b64encode(public))
    key = loaded[public]
    message = sshwriter.to_be_signed(payload, digest=digest)
    if algorithm == b"ssh-ed25519":
        return key.verify, (raw, message)
    digests = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
    return key.verify, (raw, message, padding.PKCS1v15(), digests[algorithm])


def _strings(data: bytes) -> list[bytes]:
    found = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        found.append(data[4:end])
        data = data[end:]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("introduction")
    parser.add_argument("--tip", default="HEAD")
    parser.add_argument("--keyring", default="keyring")
    asked = parser.parse_args()
    work = prepare(asked.repository, asked.introduction, asked.tip, asked.keyring)
    print(f"{work.commits} commits, {work.left_out} signatures left out")
    for jobs in (1, 2):
        spent = min(seconds(work, jobs) for _ in range(3))
        print(f"{jobs} processes: {spent:.3f} s, {spent / work.commits * 1e6:.1f} µs a commit")


if __name__ == "__main__":
    main()
