"""Synthetic histories of the shape of Guix's, with real signatures: ``python -m tests.bench.generate DIR``.

A commit covers its parent's id, and with it its parent's signature, so one line of commits can't be signed by several
processes. Guix has long-lived branches beside its main one; so has this: two *lanes* leave a merge, are written each
by a process of its own, and meet in the next merge. The shape does not depend on the number of processes.

Root trees have the entries that Guix's have, of which one or two change with each commit; what lies below them is tiny
and shared, as nothing below them is read.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.lib import policies
from fixtures.lib.history import with_header
from fixtures.lib.pgpwriter import CREATED
from tests.bench import keys
from tests.bench.packwriter import PackWriter, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.pool import Pool

    from tests.bench.keys import Signer
    from tests.bench.packwriter import Record

LANE = 100  # commits in a lane; with two lanes and their merge: one merge in 201 commits (Guix: one in 223)
POLICY_CHANGES = 10  # a change of the policy file every so many merges, about as often as Guix
BYSTANDERS = 40  # keys that are listed and do not sign
EPOCH = CREATED + 86_400  # the day after the keys were made, or gpg takes no signature
STEP = 600  # seconds between commits
SUBTREES = 4096

# Guix's mix in percent; the rest of its keys are of many kinds.
MIX = {"rsa4096": 50, "rsa2048": 25, "ed25519": 18, "dsa2048": 7}

_FILES = [
    *(".dir-locals.el", ".editorconfig", ".gitattributes", ".gitignore", ".guix-channel", ".mailmap", ".patman"),
    *("AUTHORS", "CODE-OF-CONDUCT", "CODEOWNERS", "CONTRIBUTING", "COPYING", "ChangeLog", "HACKING", "Makefile.am"),
    *("NEWS", "README", "THANKS", "TODO", "bootstrap", "config-daemon.ac", "configure.ac", "d3.v3.js"),
    *("gnu.scm", "guix.scm", "manifest.scm"),
]
_DIRECTORIES = ["build-aux", "doc", "etc", "gnu", "guix", "m4", "nix", "po", "scripts", "tests"]
_BUSY = ("gnu", "gnu", "gnu", "gnu", "gnu", "gnu", "guix", "doc", "tests", "po", "etc", "NEWS", "Makefile.am")

_PEOPLE = [f"{first} {last}" for first in ("Ada", "Bela", "Chidi", "Dorothea", "Émile") for last in ("Ng", "Aaltonen")]
_WORDS = [
    *("gnu", "Update", "to", "Add", "Fix", "Remove", "package", "input", "native", "build", "test", "phase"),
    *("patch", "variable", "home", "service", "system", "module", "license", "synopsis", "description"),
    *("propagated", "argument", "output", "snippet", "source", "origin", "substitute", "bootstrap"),
]


@dataclass(frozen=True)
class Plan:
    """What to make; ``dialect`` is ``guix`` (OpenPGP) or ``native`` (SSH)."""

    dialect: str
    commits: int
    seed: int = 1

    @property
    def name(self) -> str:
        return f"{self.dialect}-{self.commits}-{self.seed}"

    @property
    def policy_file(self) -> str:
        return policies.GUIX if self.dialect == "guix" else policies.NATIVE


@dataclass(frozen=True)
class State:
    """Where a line of commits stands: its last commit (None at the start), the ids of the root entries, the time."""

    commit: bytes | None
    tree: dict[str, bytes]
    when: int


@dataclass(frozen=True)
class Sample:
    """A repository with a synthetic history."""

    path: Path
    introduction: str
    signer: str
    tip: str


class Author:
    """Writes the commits of a plan: the same whichever process does."""

    def __init__(self, plan: Plan, cache: Path) -> None:
        self.plan = plan
        kinds = keys.pgp_signers(cache) if plan.dialect == "guix" else {"ssh": keys.ssh_signers()}
        self.kinds: dict[str, list[Signer]] = kinds
        self.signers: list[Signer] = [signer for of_a_kind in kinds.values() for signer in of_a_kind]
        self.blobs = [record("blob", b"file %d\n" % number) for number in range(64)]
        blobs = self.blobs
        self.subtrees = [
            record("tree", b"100644 %d\0" % number + blobs[number % len(blobs)][0]) for number in range(SUBTREES)
        ]
        named = [(name, b"100644 ", name) for name in [*_FILES, plan.policy_file]]
        named += [(name + "/", b"40000 ", name) for name in _DIRECTORIES]
        self.layout = [(name, mode + name.encode() + b"\0") for _, mode, name in sorted(named)]

    def deck(self, chance: random.Random) -> Iterator[Signer]:
        """Yield signers for ever: the mix holds exactly in every hundred."""
        if self.plan.dialect != "guix":
            while True:
                yield chance.choice(self.signers)
        cards = [kind for kind, share in MIX.items() for _ in range(share)]
        while True:
            chance.shuffle(cards)
            for kind in cards:
                yield chance.choice(self.kinds[kind])

    def policy(self, bystanders: int) -> bytes:
        """Return the policy file with so many people beside the signers."""
        if self.plan.dialect == "guix":
            listed = [*self.signers, *(keys.bystander(number) for number in range(bystanders))]
            return policies.guix_list(*(signer.key for signer in listed)).encode()
        people = {signer.name: [signer.line] for signer in self.signers}
        people |= {f"bystander{n}": [signer.line] for n, signer in enumerate(_ssh_bystanders(bystanders))}
        return policies.native(people).encode()

    def tree(self, entries: dict[str, bytes]) -> Record:
        return record("tree", b"".join([head + entries[name] for name, head in self.layout]))

    def changed(self, entries: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
        """Give one or two entries new contents."""
        changed = dict(entries)
        for name in chance.sample(_BUSY, chance.choice((1, 1, 2))):
            changed[name] = chance.choice(self.subtrees if name in _DIRECTORIES else self.blobs)[0]
        return changed

    def commit(self, tree: bytes, parents: list[bytes], when: int, signer: Signer, chance: random.Random) -> Record:
        """Write a signed commit of a tree."""
        lines = [b"tree " + tree.hex().encode(), *(b"parent " + parent.hex().encode() for parent in parents)]
        lines += [_ident(b"author", chance, when - chance.randrange(86_400))]
        lines += [_ident(b"committer", chance, when)]
        payload = b"\n".join(lines) + b"\n\n" + _message(chance)
        return record("commit", with_header(payload, b"gpgsig", signer.sign(payload, when)))


def _ident(role: bytes, chance: random.Random, when: int) -> bytes:
    name = chance.choice(_PEOPLE)
    address = name.encode("ascii", "ignore").decode().lower().replace(" ", ".")
    return role + f" {name} <{address}@example.org> {when} +0{chance.randrange(3)}00".encode()


def _message(chance: random.Random) -> bytes:
    """Write a message of about the length that Guix's have: half of them between 170 and 250 bytes."""
    words = chance.choices(_WORDS, k=max(8, int(chance.lognormvariate(3.0, 0.45))))
    body = " ".join(words[6:])
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    change = f"Change-Id: I{chance.getrandbits(160):040x}"
    return "\n".join([f"{words[0]}: {' '.join(words[1:6])}.", "", *lines, "", change, ""]).encode()


def _ssh_bystanders(count: int) -> list[keys.SshSigner]:
    return keys.ssh_signers(8 + count)[8:]


_author: Author  # in each process of the pool


def _start(plan: Plan, cache: Path) -> None:
    global _author  # noqa: PLW0603  (the one way to give a pool's processes something that can't be pickled)
    _author = Author(plan, cache)


def _lane(number: int, state: State, size: int, step: int) -> tuple[list[Record], State]:
    """Write a lane; ``number`` decides everything that is random in it."""
    author = _author
    chance = random.Random(f"{author.plan.seed} lane {number}")
    deck = author.deck(chance)
    records = []
    for _ in range(size):
        entries = author.changed(state.tree, chance)
        when = state.when + step
        tree = author.tree(entries)
        commit = author.commit(tree[0], [state.commit], when, next(deck), chance)
        records += [tree, commit]
        state = State(commit[0], entries, when)
    return records, state


class Generator:
    """Writes the objects of one plan into a pack."""

    def __init__(self, author: Author, pack: PackWriter, pool: Pool) -> None:
        self.author = author
        self.pack = pack
        self.pool = pool
        self.chance = random.Random(f"{author.plan.seed} merges")
        self.deck = author.deck(self.chance)
        self.lanes = 0
        self.unwritten: list[Record] = []

    def introduction(self) -> tuple[State, Signer]:
        author = self.author
        for item in [*author.blobs, *author.subtrees]:
            self.pack.add(item)
        tree = {name: author.blobs[at % len(author.blobs)][0] for at, name in enumerate(_FILES)}
        tree |= {name: author.subtrees[at][0] for at, name in enumerate(_DIRECTORIES)}
        tree[author.plan.policy_file] = self.policy(BYSTANDERS)
        signer = next(self.deck)
        return self.commit(State(None, tree, EPOCH), [], signer), signer

    def policy(self, bystanders: int) -> bytes:
        return self.pack.add(record("blob", self.author.policy(bystanders)))

    def commit(self, state: State, parents: list[bytes], signer: Signer) -> State:
        tree = self.pack.add(self.author.tree(state.tree))
        written = self.author.commit(tree, parents, state.when, signer, self.chance)
        return replace(state, commit=self.pack.add(written))

    def write(self, state: State, count: int) -> State:
        """Write so many commits after a state: pairs of lanes with their merges, then one line of what is left."""
        merges = 0
        while count > 2 * LANE:
            side = replace(state, when=state.when + STEP)
            if merges % POLICY_CHANGES == POLICY_CHANGES - 1:
                listed = self.policy(BYSTANDERS + merges // POLICY_CHANGES + 1)
                state = replace(state, tree={**state.tree, self.author.plan.policy_file: listed})
            state = self.merged(
                *self.run([(state, LANE, 2 * STEP), (replace(side, when=side.when + STEP), LANE, 2 * STEP)])
            )
            merges += 1
            count -= 2 * LANE + 1
        return self.run([(state, count, STEP)])[0]

    def run(self, lanes: list[tuple[State, int, int]]) -> list[State]:
        """Have lanes written, each in a process, while this one sees to what the lanes before them wrote."""
        tasks = []
        for lane in lanes:
            tasks.append(self.pool.apply_async(_lane, (self.lanes, *lane)))
            self.lanes += 1
        self.flush()
        ends = []
        for task in tasks:
            records, end = task.get()
            self.unwritten += records
            ends.append(end)
        return ends

    def flush(self) -> None:
        """Put into the pack what is waiting for that."""
        for item in self.unwritten:
            self.pack.add(item)
        self.unwritten = []

    def merged(self, main: State, side: State) -> State:
        when = max(main.when, side.when) + STEP
        state = State(None, self.author.changed(main.tree, self.chance), when)
        return self.commit(state, [main.commit, side.commit], next(self.deck))

    def keyring(self) -> bytes:
        """Write the branch with the certificates; they need no signature."""
        listed = [*self.author.signers, *(keys.bystander(number) for number in range(BYSTANDERS))]
        files = {f"{signer.name}.key": record("blob", keys.certificate_file(signer)) for signer in listed}
        rows = [b"100644 " + name.encode() + b"\0" + self.pack.add(blob) for name, blob in sorted(files.items())]
        tree = self.pack.add(record("tree", b"".join(rows)))
        who = b"Bench <bench@example.org> %d +0000" % EPOCH
        body = b"tree %s\nauthor %s\ncommitter %s\n\nkeyring\n" % (tree.hex().encode(), who, who)
        return self.pack.add(record("commit", body))


def generate(plan: Plan, directory: Path, cache: Path) -> Sample:
    """Write a bare repository with the plan's history; its HEAD is the tip."""
    pack_directory = directory / "objects" / "pack"
    pack_directory.mkdir(parents=True)
    (directory / "refs" / "heads").mkdir(parents=True)
    pack = PackWriter(pack_directory / "writing.pack")
    author = Author(plan, cache)  # first, so that no process finds the keys half made
    with get_context("fork").Pool(os.cpu_count(), _start, (plan, cache)) as pool:
        generator = Generator(author, pack, pool)
        start, signer = generator.introduction()
        end = generator.write(start, plan.commits)
        generator.flush()
        references = {"main": end.commit}
        if plan.dialect == "guix":
            references["keyring"] = generator.keyring()
    pack.finish()
    for name, commit in references.items():
        (directory / "refs" / "heads" / name).write_text(commit.hex() + "\n")
    (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    (directory / "HEAD").write_text("ref: refs/heads/main\n")
    sample = Sample(directory, start.commit.hex(), signer.id, end.commit.hex())
    (directory / "sample").write_text(f"{sample.introduction} {sample.signer} {sample.tip}\n")
    return sample


def cached(plan: Plan, cache: Path) -> Sample:
    """Return the plan's history from the cache; write it first where it is not there."""
    directory = cache / plan.name
    if (directory / "sample").exists():
        introduction, signer, tip = (directory / "sample").read_text().split()
        return Sample(directory, introduction, signer, tip)
    start = time.monotonic()
    sample = generate(plan, directory, cache)
    print(f"{plan.name}: generated in {time.monotonic() - start:.1f} s", file=sys.stderr)
    return sample


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gitverify-bench"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the repository is to be; must not exist")
    parser.add_argument("--dialect", choices=["guix", "native"], default="guix")
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where keys are kept")
    asked = parser.parse_args()
    sample = generate(Plan(asked.dialect, asked.commits, asked.seed), asked.directory, asked.cache)
    print(f"--introduction {sample.introduction} --signer {sample.signer}")


if __name__ == "__main__":
    main()
