"""The commit: made and signed by git, verified by the engine, and only then what the branch points to.

Until then there are only objects that nothing points to; from then on, everything or nothing.
"""

from __future__ import annotations

import os
import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.anchor import load_anchor
from gitverify.git import GitError
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Dialect
from gitverify.request import Request, Stop
from gitverify.rules.vouch import listed
from gitverify.session import UsageProblem
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.verify import verify
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitverify.git import Git
    from gitverify.setup.place import Place
    from gitverify.source import Repository

_ID = re.compile(rb"[0-9a-f]{40}\n")
_NOBODY = "0" * 40
_DIRECTORY = b"40000"
_KINDS = {_DIRECTORY: b"tree", b"160000": b"commit"}
MESSAGE = """\
Say who may change this repository

From this commit on, “gitverify verify” asks of every commit that somebody
whom .gitverify.yaml lists has signed it. It is the introduction: publish its
id, and the id of the key that signed it, where the git server has no say.
"""


@dataclass(frozen=True, slots=True)
class Made:
    """The commit (raw id), and the key that signed it, as ``--signer`` takes it."""

    commit: bytes
    signer: str
    blobs: Mapping[str, bytes]


def signed_commit(repository: Repository, git: Git, place: Place, files: Mapping[str, bytes], now: int) -> Made:
    """Have git make and sign a commit of these files on top of the branch, and verify it as an introduction.

    Proves: it holds as its own introduction, and a person of its policy signed it, so that the next commit by that
    key will be authentic. Nothing points to it yet. Raises UsageProblem.
    """
    blobs, tree = _tree(repository, git, place, files)
    parents = ["-p", place.head.hex()] if place.head is not None else []
    try:
        done = git.run("commit-tree", "-S", *parents, "-F", "-", tree, stdin=MESSAGE.encode())
    except GitError as error:
        said = "; ".join(error.output) or str(error)
        raise UsageProblem(f"git could not make a signed commit, so nothing was changed: {said}") from None
    if not _ID.fullmatch(done.output):
        raise UsageProblem("git did not say which commit it made")
    commit = unhexlify(done.output.strip())
    made = parse_commit(read_commit(repository, commit))
    expected = (unhexlify(tree), (place.head,) if place.head is not None else ())
    if (made.tree, made.parents) != expected:
        raise UsageProblem(f"git made another commit than it was asked for, {commit.hex()}; nothing points to it")
    return Made(commit, _signer(repository, commit, now), blobs)


def _signer(repository: Repository, commit: bytes, now: int) -> str:
    """Verify the commit as an introduction; return the key that signed it. Raises UsageProblem."""
    request = Request(tip=commit, introduction=commit, dialect=Dialect.NATIVE, now=now)
    try:
        anchor = load_anchor(repository, request)
        key = anchor.signing_key(repository)
    except Stop as answer:
        raise UsageProblem(f"the commit would be no introduction: {answer.refusals[0].message}") from None
    if not key:
        raise UsageProblem("the signature that git made can't be verified; nothing was changed")
    if not listed(key, anchor.policy, anchor.materials.fixed):
        raise UsageProblem(
            f"git signed with the key {key}, which is not the one that its configuration names: set user.signingKey "
            "to the key that is meant; nothing was changed"
        )
    request = Request(tip=commit, introduction=commit, signer=key, dialect=Dialect.NATIVE, now=now)
    outcome = verify(repository, request)
    if outcome.verdict != "authentic":
        raise UsageProblem(f"the commit would not be authentic: {outcome.refusals[0].message}; nothing was changed")
    return key


def _tree(repository: Repository, git: Git, place: Place, files: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
    """Return the blobs by path, and the tree that has them beside what the branch has."""
    blobs = {}
    for path, content in files.items():
        name = git.run("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin", stdin=content).output.strip()
        blobs[path] = unhexlify(name)
    added = {tuple(path.encode().split(b"/")): blob for path, blob in blobs.items()}
    return blobs, _with(Trees(repository), git, place.tree, added).hex()


def _with(trees: Trees, git: Git, tree: bytes | None, added: Mapping[tuple[bytes, ...], bytes]) -> bytes:
    """Return a tree with files added; those of the same name give way."""
    entries = {name: (each.mode, each.id) for name, each in trees.entries(tree).items()} if tree is not None else {}
    below: dict[bytes, dict[tuple[bytes, ...], bytes]] = {}
    for path, blob in added.items():
        if len(path) == 1:
            entries[path[0]] = (b"100644", blob)
        else:
            below.setdefault(path[0], {})[path[1:]] = blob
    for name, its in below.items():
        known = entries.get(name)
        entries[name] = (_DIRECTORY, _with(trees, git, known[1] if known else None, its))
    lines = [
        b"%s %s %s\t%s\0" % (mode, _KINDS.get(mode, b"blob"), its_id.hex().encode(), name)
        for name, (mode, its_id) in entries.items()
    ]
    # What a partial clone lacks may stay away.
    return unhexlify(git.run("mktree", "-z", "--missing", stdin=b"".join(lines)).output.strip())


def put_in_place(git: Git, place: Place, files: Mapping[str, bytes], made: Made) -> None:
    """Write the files, add them to the index, and move the branch; all of it, or nothing. Raises UsageProblem."""
    written: list[Path] = []
    try:
        _write(place.worktree, files, written)
        _add_and_move(git, place, made)
    except (OSError, GitError) as error:
        for path in reversed(written):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
        said = shown(f"{error.filename}: {error.strerror}") if isinstance(error, OSError) else str(error)
        raise UsageProblem(f"the files could not be put in place, so nothing was changed: {said}") from None
    # What git remembers of the files' times; without it “git status” would look at them once more.
    git.run("update-index", "-q", "--refresh", accept=range(256), in_worktree=True)


def _add_and_move(git: Git, place: Place, made: Made) -> None:
    known = set(git.run("ls-files", "-z", "--", *made.blobs, in_worktree=True).output.split(b"\0"))
    added = [part for path, blob in made.blobs.items() for part in ("--cacheinfo", f"100644,{blob.hex()},{path}")]
    git.run("update-index", "--add", *added, in_worktree=True)
    before = place.head.hex() if place.head is not None else _NOBODY
    try:
        git.run("update-ref", "-m", "gitverify init", place.branch, made.commit.hex(), before)
    except GitError:
        new = [path for path in made.blobs if path.encode() not in known]
        git.run("update-index", "--force-remove", "--", *new, in_worktree=True)
        raise


def _write(worktree: Path, files: Mapping[str, bytes], written: list[Path]) -> None:
    """Write files that are not there yet; what was made is added to ``written``. Raises OSError."""
    for name, content in files.items():
        path = worktree / name
        for directory in reversed(path.relative_to(worktree).parents[:-1]):
            if not os.path.lexists(worktree / directory):
                (worktree / directory).mkdir()
                written.append(worktree / directory)
        if _is_there(path, content):
            continue
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        written.append(path)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def _is_there(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content
