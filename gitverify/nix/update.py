"""Moving inputs of a flake to the newest commits that are authentic.

Where an input's own ``flake.nix`` and ``flake.lock`` are the same in both commits, or it is no flake, all that changes
in the lock is the input's own entry, and it is written here, just as Nix writes it. Else the input may have other
inputs now, which only Nix finds out: it is told the commit, and what it wrote is checked afterwards like any lock.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree
from gitverify.export.visitor import Unfit
from gitverify.git import Git
from gitverify.nix import program as nix
from gitverify.nix.archive import Undecidable
from gitverify.nix.forms import FORGES, forms, hash_of
from gitverify.nix.lock import parse_lock, relocked
from gitverify.nix.lockfile import NAME
from gitverify.nix.nar import sri
from gitverify.objects.commit import parse_commit
from gitverify.session import UsageProblem
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.nix.anchors import Anchor
    from gitverify.nix.inputs import Judge
    from gitverify.nix.lock import Attribute, Attributes, Lock, Node
    from gitverify.objects.commit import Commit
    from gitverify.source import Repository

_FILES = (b"flake.nix", b"flake.lock")


@dataclass(frozen=True, slots=True)
class Move:
    """An input that moves. ``locked``: what the lock is to say of it; None where only Nix can tell."""

    name: str
    node: Node
    rev: bytes
    locked: Attributes | None


def plan(
    lock: Lock, names: list[str], anchors: Mapping[str, Anchor], judge: Judge, environment: Mapping[str, str]
) -> list[Move]:
    """Find out which inputs move, and where to; ``names``: these, or all that anything is said about.

    Raises NotMoved, UsageProblem, Unanswerable, MissingObject.
    """
    moves = []
    for name in names or sorted(anchors):
        node = lock.find(tuple(name.split("/")))
        if node is None or node.locked is None:
            raise UsageProblem(f"the lock has no input “{shown(name)}”")
        if name not in anchors:
            raise UsageProblem(f"nothing is configured for “{shown(name)}”: --introduction and --mirror")
        if (node.original or {}).get("rev") is not None and not names:
            continue  # the flake asks for that very commit
        if node.kind not in FORGES | {"git"} or node.rev is None or (node.original or {}).get("rev") is not None:
            raise UsageProblem(f"“{shown(name)}” asks for no branch of a repository, so there is nothing to move it to")
        repository, rev = judge.newest(name, node, anchors[name])
        if rev != node.rev:
            alone = not any(_is_inside(lock, target) for target in node.inputs.values())
            locked = _locked(repository, node, rev, environment) if alone else None
            moves.append(Move(name, node, rev, locked))
    return moves


def _is_inside(lock: Lock, target: str | tuple[str, ...]) -> bool:
    """Whether an input of an input may be one of that one's own folders, with files that say what its inputs are."""
    return isinstance(target, str) and lock.nodes[target].kind == "path"


def _locked(repository: Repository, node: Node, rev: bytes, environment: Mapping[str, str]) -> Attributes | None:
    """Return what Nix would lock; None where the input may have other inputs than before."""
    old, new = (parse_commit(read_commit(repository, each)) for each in (node.rev or b"", rev))
    if node.is_flake and _flake(repository, node, old) != _flake(repository, node, new):
        return None
    form = _form(repository, node, old)
    if form is None:
        return None
    try:
        digest = hash_of(repository, rev, new, form)
    except (Undecidable, Unfit):
        return None
    changed: dict[str, Attribute] = {"rev": rev.hex(), "narHash": sri(digest), "lastModified": new.date}
    if "revCount" in (node.locked or {}):
        if (repository.common_directory / "shallow").exists():
            return None  # not all commits are here to be counted
        git = Git(repository.common_directory, None, environment)
        changed["revCount"] = int(git.line("rev-list", "--count", rev.hex(), "--") or 0)
    return {**(node.locked or {}), **changed}


def _flake(repository: Repository, node: Node, commit: Commit) -> list[object]:
    """Return what a commit has for the files that say which inputs a flake has."""
    trees = Trees(repository)
    folder = [part for part in str((node.locked or {}).get("dir", "")).encode().split(b"/") if part]
    tree = commit.tree
    try:
        for part in folder:
            entry = trees.find(tree, (part,))[0]
            if entry is None or not entry.is_directory:
                return []
            tree = entry.id
        return [*trees.find(tree, _FILES)]
    except MalformedTree:  # the check says so
        return []


def _form(repository: Repository, node: Node, commit: Commit) -> str | None:
    """Return the form in which the input was hashed so far; None where that can't be told."""
    for form in forms(node):
        try:
            if hash_of(repository, node.rev or b"", commit, form) == node.nar_hash:
                return form
        except (Undecidable, Unfit):
            continue
    return None


def reference(move: Move, *, escaped: bool = False) -> str:
    """Return the URL by which Nix is told to lock that commit (Nix manual, *Flake references*).

    ``escaped``: whether this Nix undoes escapes in its path; a name, of a GitLab's subgroup, may hold some (``%2F``).
    """
    locked = {**(move.node.original or {}), **(move.node.locked or {})}
    asked: tuple[str, ...] = ("ref", "dir", "host")
    query = {name: str(locked[name]) for name in asked if name in locked}
    rev = move.rev.hex()
    if move.node.kind == "git":
        if locked.get("shallow") is True:
            query["shallow"] = "1"
        return "git+" + _with(str(locked["url"]), {**query, "rev": rev})
    query.pop("ref", None)
    owner, repo = (_quoted(name, "~") if escaped else name for name in _project(move))
    return _with(f"{move.node.kind}:{owner}/{repo}/{rev}", query)


def _project(move: Move) -> tuple[str, str]:
    """Return what an input on a forge is called there."""
    locked = move.node.locked or {}
    return str(locked.get("owner", "")), str(locked.get("repo", ""))


def _with(url: str, query: Mapping[str, str]) -> str:
    pairs = "&".join(f"{name}={_quoted(value, '/')}" for name, value in sorted(query.items()))
    return f"{url}{'&' if '?' in url else '?'}{pairs}" if pairs else url


def _quoted(text: str, safe: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  (for this alone)

    return quote(text, safe=safe)


def proposed(path: Path, before: bytes, moves: list[Move]) -> bytes:
    """Return the lock with these moves; ``path`` holds ``before``, and does so still, or again.

    Raises UsageProblem where only Nix could make it and it can't.
    """
    if all(move.locked is not None for move in moves):
        return relocked(before, {move.node.key: move.locked for move in moves if move.locked is not None})
    _still(path, before)
    try:
        return _made_by_nix(path, before, moves)
    except OSError as error:
        raise UsageProblem(f"{shown(str(path))} can't be read: {error.strerror}") from None
    except nix.NixFailed as error:
        names = ", ".join(shown(move.name) for move in moves if move.locked is None)
        raise UsageProblem(f"which inputs of their own {names} have now, only Nix can find out: {error}") from None


def _still(path: Path, before: bytes) -> None:
    try:
        if path.read_bytes() == before:
            return
    except OSError as error:
        raise UsageProblem(f"{shown(str(path))} can't be read: {error.strerror}") from None
    raise UsageProblem(f"{shown(str(path))} has changed meanwhile, and is left alone: run this again")


def _made_by_nix(path: Path, before: bytes, moves: list[Move]) -> bytes:
    """Have Nix write the lock; return what it wrote, and take that back: nobody has checked it yet.

    Raises NixFailed, OSError.
    """
    if path.name != NAME:
        raise nix.NixFailed(f"Nix writes {NAME} and no other file, so {shown(path.name)} can't be moved")
    try:
        escaped = any("%" in "".join(_project(move)) for move in moves) and nix.unescapes()
        nix.lock(path.parent, {move.name: reference(move, escaped=escaped) for move in moves})
        return path.read_bytes()
    finally:
        restore(path, before)


def replace(path: Path, before: bytes, checked: bytes) -> None:
    """Have the lock file hold what was checked, if it holds what it did before. Raises UsageProblem."""
    _still(path, before)
    restore(path, checked)


def check_moved(written: bytes, moves: list[Move]) -> None:
    """Check that the inputs are where Nix was told to put them, in a sound lock. Raises UsageProblem."""
    lock = parse_lock(written)
    for move in moves:
        node = lock.find(tuple(move.name.split("/")))
        if node is None or node.rev != move.rev:
            raise UsageProblem(f"{shown(move.name)} is not at the commit that Nix was told, {move.rev.hex()}")


def restore(path: Path, content: bytes) -> None:
    """Have a file hold this, at once; its mode stays, and a symlink to it. Raises UsageProblem."""
    path = path.resolve()
    try:
        if path.read_bytes() == content:
            return
        handle, name = tempfile.mkstemp(prefix=".flake.lock-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as error:
        raise UsageProblem(f"{shown(str(path))} can't be written: {error.strerror}") from None
