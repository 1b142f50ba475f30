"""Synthetic histories of the shape of nixpkgs, to measure path rules and merges on: ``python -m tests.bench.nixlike``.

A deep tree of some 45,000 files with two folders of thousands of entries, 300 people who may change some folders each,
20 unprotected prefixes, and one commit in five a merge that a machine made: clean, without a signature. All others are
signed with Ed25519. Branches are one to three commits long and leave the main line up to thirty commits back.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.lib import policies
from fixtures.lib.history import with_header
from tests.bench import keys
from tests.bench.generate import EPOCH, Sample, _ident, _message, default_cache
from tests.bench.packwriter import PackWriter, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.keys import SshSigner

PEOPLE = 300
TRUSTED = 5  # of them may change everything
UNPROTECTED = 20
STEP = 600
BACK = 30  # how far back on the main line a branch begins, at most


@dataclass(frozen=True)
class Shape:
    """How many files there are in all; the two large folders take a share of them."""

    files: int = 45_000
    commits: int = 20_000
    paths: bool = True
    seed: int = 1

    @property
    def name(self) -> str:
        return f"nixlike-{self.files}-{self.commits}-{'paths' if self.paths else 'plain'}-{self.seed}"


@dataclass
class Folder:
    """A directory: entries by name, each a blob's id or a folder, and its tree's id once that is written."""

    entries: dict[bytes, bytes | Folder] = field(default_factory=dict)
    id: bytes | None = None

    def put(self, path: list[bytes], blob: bytes) -> Folder:
        """Return a copy in which a path holds this blob; what is not on the path is shared."""
        name, *rest = path
        entries = dict(self.entries)
        if rest:
            below = entries.get(name)
            entries[name] = (below if isinstance(below, Folder) else Folder()).put(rest, blob)
        else:
            entries[name] = blob
        return Folder(entries)

    def write(self, pack: PackWriter) -> bytes:
        """Write what is not yet written; return the tree's id."""
        if self.id is None:
            rows = []
            for name, entry in self.entries.items():
                if isinstance(entry, Folder):
                    rows.append((name + b"/", b"40000 " + name + b"\0" + entry.write(pack)))
                else:
                    rows.append((name, b"100644 " + name + b"\0" + entry))
            self.id = pack.add(record("tree", b"".join(row for _, row in sorted(rows))))
        return self.id


def folders(shape: Shape) -> Iterator[tuple[list[bytes], int]]:
    """Yield the folders that hold packages, and how many packages each has; a package is a folder with two files."""
    packages = shape.files // 2
    yield [b"pkgs", b"development", b"python-modules"], packages * 9 // 45
    yield [b"pkgs", b"tools", b"misc"], packages * 4 // 45
    shards = 400
    for number in range(shards):
        shard = b"%c%c" % (97 + number // 20, 97 + number % 20)
        yield [b"pkgs", b"by-name", shard], max(1, packages * 20 // 45 // shards)
    for area in (b"libraries", b"compilers", b"interpreters", b"ocaml-modules", b"perl-modules", b"ruby-modules"):
        yield [b"pkgs", b"development", area], max(1, packages * 7 // 45 // 6)
    for area in range(20):
        yield [b"nixos", b"modules", b"services", b"area%d" % area], max(1, packages * 5 // 45 // 20)


class Author:
    """Makes the commits of one shape."""

    def __init__(self, shape: Shape, pack: PackWriter) -> None:
        self.shape = shape
        self.pack = pack
        self.chance = random.Random(f"{shape.seed} nixlike")
        self.signers: list[SshSigner] = keys.ssh_signers(PEOPLE)
        self.blobs = [pack.add(record("blob", b"{ pkgs }: %d\n" % number)) for number in range(256)]
        self.places: list[tuple[list[bytes], list[bytes]]] = []
        for place, count in folders(shape):
            self.places.append((place, [b"package-%04d" % number for number in range(count)]))
        self.may = {signer.name: self.chance.sample(self.places, 8) for signer in self.signers[TRUSTED:]}

    def policy(self) -> bytes:
        people = {signer.name: [signer.line] for signer in self.signers}
        trusted = [signer.name for signer in self.signers[:TRUSTED]]
        if not self.shape.paths:
            return policies.native(people, "unsigned_merges: true").encode()
        text = policies.native(people, granted=trusted)
        for name, its in self.may.items():
            paths = ", ".join((b"/".join(place) + b"/").decode() for place, _ in its)
            text += f"  - {{paths: [{paths}], people: [{name}]}}\n"
        shards = [b"/".join(place).decode() + "/" for place, _ in self.places if place[1] == b"by-name"]
        text += f"unprotected: [{', '.join(shards[:UNPROTECTED])}]\nunsigned_merges: true\n"
        return text.encode()

    def start(self) -> Folder:
        root = Folder({b"README.md": self.blobs[0]})
        for place, packages in self.places:
            here = root
            for name in place:
                here = here.entries.setdefault(name, Folder())  # type: ignore[assignment]
            for package in packages:
                blob = self.chance.choice(self.blobs)
                here.entries[package] = Folder({b"default.nix": blob, b"sources.json": self.chance.choice(self.blobs)})
        root.entries[policies.NATIVE.encode()] = self.pack.add(record("blob", self.policy()))
        return root

    def change(self) -> tuple[SshSigner, list[tuple[list[bytes], bytes]]]:
        """Choose somebody, and one or two files that this person may change."""
        signer = self.chance.choice(self.signers)
        place, packages = self.chance.choice(self.may.get(signer.name, self.places))
        package = self.chance.choice(packages)
        files = self.chance.sample([b"default.nix", b"sources.json"], self.chance.choice((1, 1, 2)))
        return signer, [([*place, package, file], self.chance.choice(self.blobs)) for file in files]

    def commit(self, tree: bytes, parents: list[bytes], when: int, signer: SshSigner | None) -> bytes:
        lines = [b"tree " + tree.hex().encode(), *(b"parent " + parent.hex().encode() for parent in parents)]
        lines += [_ident(b"author", self.chance, when), _ident(b"committer", self.chance, when)]
        payload = b"\n".join(lines) + b"\n\n" + _message(self.chance)
        if signer is not None:
            payload = with_header(payload, b"gpgsig", signer.sign(payload, when))
        return self.pack.add(record("commit", payload))


def write(author: Author) -> tuple[bytes, SshSigner, bytes]:
    """Write the history; return its introduction, who signed that, and the tip."""
    chance, pack = author.chance, author.pack
    when = EPOCH
    tree = author.start()
    signer = author.signers[0]
    introduction = tip = author.commit(tree.write(pack), [], when, signer)
    line = [(tip, tree, 0)]  # commits of the main line, their trees, how many changes came before
    changes: list[tuple[list[bytes], bytes]] = []
    left = author.shape.commits
    while left > 0:
        back, before, since = chance.choice(line[-BACK:])
        mine = []
        for _ in range(min(left, chance.choice((3, 4, 4, 5)))):
            who, changed = author.change()
            for path, blob in changed:
                before = before.put(path, blob)
            mine += changed
            when += STEP
            back = author.commit(before.write(pack), [back], when, who)
            left -= 1
        taken = {tuple(path) for path, _ in changes[since:]}
        if left <= 0 or any(tuple(path) in taken for path, _ in mine):
            continue  # a branch that nobody merges
        for path, blob in mine:
            tree = tree.put(path, blob)
        when += STEP
        tip = author.commit(tree.write(pack), [tip, back], when, None)
        changes += mine
        line.append((tip, tree, len(changes)))
        left -= 1
    return introduction, signer, tip


def cached(shape: Shape, cache: Path) -> Sample:
    """Return a shape's history from the cache; where it is not there write it first, with deltas as clones have."""
    directory = cache / shape.name
    if not (directory / "sample").exists():
        start = time.monotonic()
        (directory / "objects" / "pack").mkdir(parents=True)
        (directory / "refs" / "heads").mkdir(parents=True)
        pack = PackWriter(directory / "objects" / "pack" / "writing.pack")
        introduction, signer, tip = write(Author(shape, pack))
        pack.finish()
        (directory / "refs" / "heads" / "main").write_text(tip.hex() + "\n")
        (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        (directory / "HEAD").write_text("ref: refs/heads/main\n")
        repack = ["git", "-C", str(directory), "repack", "-adfq", "--depth=50", "--window=10"]
        subprocess.run(repack, check=True)
        (directory / "sample").write_text(f"{introduction.hex()} {signer.id} {tip.hex()}\n")
        print(f"{shape.name}: generated in {time.monotonic() - start:.1f} s", file=sys.stderr)
    introduction, signer, tip = (directory / "sample").read_text().split()
    return Sample(directory, introduction, signer, tip)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=Shape.files)
    parser.add_argument("--commits", type=int, default=Shape.commits)
    parser.add_argument("--plain", action="store_true", help="everyone may change everything")
    parser.add_argument("--cache", type=Path, default=default_cache())
    asked = parser.parse_args()
    print(cached(Shape(asked.files, asked.commits, not asked.plain), asked.cache))


if __name__ == "__main__":
    main()
