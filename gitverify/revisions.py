"""What a revision argument names: a commit, and the reference whose mark it falls under (R4, R23).

``~`` and ``^`` follow raw parents: libgit2's own would follow grafts.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MalformedCommit, MalformedTag, MissingObject, OversizedObject
from gitverify.limits import LIMITS
from gitverify.objects.commit import parse_head
from gitverify.objects.tag import parse_tag
from gitverify.text import shown
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.source import Repository

_SUFFIX = re.compile(r"(.*?)((?:~[0-9]{0,9}|\^[0-9]{0,9}|\^\{(?:commit)?\})*)", re.DOTALL)
_STEP = re.compile(r"\^\{(?:commit)?\}|([~^])([0-9]*)")
# git's order of preference for a short name (gitrevisions(7)). Its last place, refs/remotes/NAME/HEAD, is for names of
# remotes alone: a server could else delete its branch main and offer an old state as main/HEAD, with a mark of its own.
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")


class BadRevision(GitverifyError):
    """A revision names no commit here (exit status 2)."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit (raw id), and the full name of the branch reference that named it, None where none did."""

    commit: bytes
    reference: str | None


def resolve(repository: Repository, text: str) -> Revision:
    """Resolve a revision argument. Raises BadRevision, MissingObject."""
    if len(text) > LIMITS.revision_length:
        raise BadRevision(f"a revision of {len(text):,} characters; the limit is {LIMITS.revision_length:,}")
    found = _SUFFIX.fullmatch(text)
    base, steps = (found[1], found[2]) if found else (text, "")
    object_id, reference = _base(repository, "HEAD" if base in {"", "@"} else base)
    commit = peel(repository, object_id, text)
    moved = False
    for step in _STEP.finditer(steps):
        commit = _step(repository, commit, step[1], step[2], text)
        moved = moved or step[1] is not None
    branch = reference is not None and reference.startswith(("refs/heads/", "refs/remotes/")) and not moved
    return Revision(commit, reference if branch else None)


def annotated_tag(repository: Repository, text: str) -> str | None:
    """Return the name of the annotated tag that a revision argument is, and nothing else; None where it is none."""
    places = [full for full in _places(repository, text) if full.startswith("refs/tags/")]
    try:
        for full in places:
            object_id = repository.reference(full)
            if object_id is not None and repository.read(object_id)[0] == "tag":
                return full.removeprefix("refs/tags/")
    except (MissingObject, OversizedObject):
        return None
    return None


def resolve_commit(repository: Repository, text: str) -> bytes:
    """Resolve an argument whose reference does not matter; see :func:`resolve`."""
    return resolve(repository, text).commit


def _base(repository: Repository, name: str) -> tuple[bytes, str | None]:
    if re.fullmatch("[0-9a-fA-F]{40}", name):
        return unhexlify(name), None
    for full in _places(repository, name):
        object_id = repository.reference(full)
        if object_id is not None and (full.startswith("refs/") or full.isupper()):
            return object_id, _branch(repository, full)
    if name == "HEAD":
        target = repository.symbolic("HEAD")
        raise BadRevision(f"HEAD points to {shown(target or '?')}, which has no commit yet")
    if re.fullmatch("[0-9a-fA-F]{4,39}", name):
        ids = repository.expand(name)
        if len(ids) > 1:
            raise BadRevision(f"“{name}” is short for several objects; write more digits")
        if ids:
            return ids[0], None
    object_id = repository.revparse(name) if re.search(r"[@:{]", name) else None
    if object_id is None:
        raise BadRevision(f"“{shown(name)}” names no commit in this repository")
    return object_id, None


def _places(repository: Repository, name: str) -> list[str]:
    heads = [f"refs/remotes/{name}/HEAD"] if name in repository.remotes() else []
    return [place.format(name) for place in _PLACES] + heads


def _branch(repository: Repository, full: str) -> str:
    """Return the reference whose mark a name falls under.

    HEAD, and a remote's HEAD, stand for the branch that they point to, and for none where they point to a commit. Any
    other symbolic reference stands for itself: pointed elsewhere, it would otherwise take its name to another mark.
    """
    remote = full.removeprefix("refs/remotes/").removesuffix("/HEAD")
    stands_for_another = full == "HEAD" or (full == f"refs/remotes/{remote}/HEAD" and remote in repository.remotes())
    return repository.symbolic(full) or "HEAD" if stands_for_another else full


def peel(repository: Repository, object_id: bytes, text: str) -> bytes:
    """Follow annotated tags to a commit (R4). Raises BadRevision where there is none at the end."""
    for _ in range(LIMITS.tag_depth):
        try:
            kind, raw = repository.read(object_id)
        except OversizedObject as error:
            if error.kind == "commit":  # it can be named, and will be refused
                return object_id
            raise BadRevision(f"“{shown(text)}” can't be read: {error}") from None
        if kind == "commit":
            return object_id
        if kind != "tag":
            raise BadRevision(f"“{shown(text)}” is a {kind}, not a commit")
        try:
            object_id = parse_tag(raw).target
        except MalformedTag as error:
            raise BadRevision(f"“{shown(text)}” is a malformed tag: {error}") from None
    raise BadRevision(f"“{shown(text)}” is a tag of a tag of a tag …, more than {LIMITS.tag_depth} deep")


def _step(repository: Repository, commit: bytes, kind: str | None, digits: str | None, text: str) -> bytes:
    """Take one ``~N`` or ``^N``."""
    if kind is None:
        return commit
    number = int(digits) if digits else 1
    if kind == "^":
        return commit if number == 0 else _parent(repository, commit, number, text)
    for _ in range(number):
        commit = _parent(repository, commit, 1, text)
    return commit


def _parent(repository: Repository, commit: bytes, number: int, text: str) -> bytes:
    try:
        parents = parse_head(read_commit(repository, commit)).parents
    except MalformedCommit as error:
        raise BadRevision(f"“{shown(text)}”: {commit.hex()} is malformed: {error}") from None
    if number > len(parents):
        raise BadRevision(f"“{shown(text)}”: {commit.hex()} has no parent number {number}")
    return parents[number - 1]
