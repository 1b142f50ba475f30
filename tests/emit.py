"""Turns an abstract history (see ``reference/model.py``) into real git objects: raw bytes, truly signed.

:class:`Repository` answers ``read`` as an object source does, out of a dictionary, so that thousands of histories
cost no disk; ``write_to`` makes a bare repository that git itself can read.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import signing
from reference import DIALECT_FILES, Entry, History, Listing, RefCommit, RefPolicy

from gitverify.errors import MissingObject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Sign = Callable[[RefCommit, bytes, str], str | None]

# A file of these bytes is a broken policy in every dialect. (OpenSSH's skips most of what it can't read, but not an
# option that it does not know.)
BROKEN = f"{{[ unknown-option {signing.ssh_line('ssh0')}\n".encode()


@dataclass
class Repository:
    """Objects by raw id."""

    objects: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)

    def read(self, object_id: bytes) -> tuple[str, bytes]:
        if object_id not in self.objects:
            raise MissingObject(object_id)
        return self.objects[object_id]

    def add(self, kind: str, body: bytes) -> bytes:
        framed = f"{kind} {len(body)}\0".encode() + body
        object_id = hashlib.sha1(framed, usedforsecurity=False).digest()
        self.objects[object_id] = (kind, body)
        return object_id

    def write_to(self, directory: Path, references: dict[str, bytes]) -> None:
        """Make a bare repository of loose objects; ``references`` are full names and raw ids."""
        for folder in ("objects", "refs"):
            (directory / folder).mkdir(parents=True)
        (directory / "HEAD").write_text("ref: refs/heads/main\n")
        (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        for object_id, (kind, body) in self.objects.items():
            path = directory / "objects" / object_id.hex()[:2] / object_id.hex()[2:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 1))
        for name, object_id in references.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(object_id.hex() + "\n")


@dataclass(frozen=True)
class Emitted:
    """A history as objects: ``ids`` by the commits' names, and the tip of a branch with the OpenPGP keys."""

    repository: Repository
    ids: dict[str, bytes]
    keyring: bytes

    @property
    def names(self) -> dict[bytes, str]:
        """The commits' names by their raw ids."""
        return {object_id: name for name, object_id in self.ids.items()}


# --- policy files ---------------------------------------------------------------------------------------------


def _native_key(name: str) -> str:
    return f"openpgp: {signing.key_id(name)}" if signing.is_openpgp(name) else signing.ssh_line(name)


def _native_list(words: list[str]) -> str:
    return "[" + ", ".join(words) + "]"


def _native_grants(policy: RefPolicy) -> list[str]:
    """One grant for each path, in the order of the paths."""
    granted: dict[str, list[str]] = {}
    for person in policy.people:
        for path in ([b"/"] if person.granted else []) + list(person.paths):
            granted.setdefault(path.decode(), []).append(person.name)
    if not granted:
        return ["grants: []"]
    rows = [f"  - {{paths: [{path}], people: {_native_list(names)}}}" for path, names in sorted(granted.items())]
    return ["grants:", *rows]


def native_text(policy: RefPolicy) -> str:
    lines = ["version: 1", "people:"]
    for person in policy.people:
        lines += [f"  {person.name}:", "    keys:" if person.listings else "    keys: []"]
        lines += [f"      - {_native_key(listing.key)}" for listing in person.listings]
    lines += _native_grants(policy)
    if not policy.default_editors:
        lines.append(f"policy_editors: {_native_list([person.name for person in policy.people if person.editor])}")
    if policy.unprotected:
        lines.append(f"unprotected: {_native_list([path.decode() for path in policy.unprotected])}")
    for switch in ("unsigned_merges", "adopting_merges"):
        if getattr(policy, switch):
            lines.append(f"{switch}: true")
    return "\n".join([*lines, f"# note {policy.note}", ""])


def guix_text(policy: RefPolicy) -> str:
    lines = ["(authorizations", " (version 0)", " ("]
    for person in policy.people:
        for listing in person.listings:
            digits = signing.key_id(listing.key)
            spaced = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
            lines.append(f'  ("{spaced}" (name "{person.name}"))')
    return "\n".join([*lines, " ))", f";; note {policy.note}", ""])


def _window(listing: Listing) -> str:
    options = ['namespaces="git"' if listing.for_git else 'namespaces="file"']
    for option, bound in (("valid-after", listing.after), ("valid-before", listing.before)):
        if bound is not None:
            options.append(f'{option}="{datetime.fromtimestamp(bound, UTC):%Y%m%d%H%M%SZ}"')
    return ",".join(options)


def openssh_text(policy: RefPolicy) -> str:
    lines = [
        f"{person.name}@example.org {_window(listing)} {signing.ssh_line(listing.key)}"
        for person in policy.people
        for listing in person.listings
    ]
    return "\n".join([f"# note {policy.note}", *lines, ""])


_WRITERS = {"native": native_text, "guix": guix_text, "openssh": openssh_text}


@cache
def policy_text(dialect: str, policy: RefPolicy) -> bytes:
    return _WRITERS[dialect](policy).encode()


# --- trees ----------------------------------------------------------------------------------------------------


def _content(path: bytes, content: bytes | RefPolicy) -> bytes:
    if isinstance(content, bytes):
        return content
    [dialect] = [name for name, files in DIALECT_FILES.items() if path in files]
    return policy_text(dialect, content)


def _leaf(repository: Repository, path: bytes, entry: Entry) -> bytes:
    content = _content(path, entry.content)
    if entry.mode == "160000":
        return hashlib.sha1(content, usedforsecurity=False).digest()
    return repository.add("blob", content)


def _tree_body(repository: Repository, entries: dict[bytes, Entry]) -> bytes:
    rows = []
    for name in {path.split(b"/")[0] for path in entries}:
        if name in entries:
            rows.append((name, entries[name].mode, name, _leaf(repository, name, entries[name])))
        else:
            below = {p.removeprefix(name + b"/"): e for p, e in entries.items() if p.startswith(name + b"/")}
            rows.append((name + b"/", "40000", name, repository.add("tree", _tree_body(repository, below))))
    return b"".join(mode.encode() + b" " + name + b"\0" + object_id for _, mode, name, object_id in sorted(rows))


def _malformed_tree_body(repository: Repository, commit: RefCommit) -> bytes:
    body = _tree_body(repository, commit.tree)
    blob = repository.add("blob", b"")
    extra = [b"100644 .git\0", b"100644 \0", b"100600 zz\0"][len(commit.name) % 3]
    return body + extra + blob


# --- commits --------------------------------------------------------------------------------------------------


def _signature(commit: RefCommit, payload: bytes, dialect: str) -> str | None:
    kind, key = commit.signature.kind, commit.signature.key
    if kind == "absent":
        return None
    if kind == "unsupported":
        return signing.X509_SIGNATURE
    if kind == "weak" and signing.is_openpgp(key):
        return signing.sign(key, payload, "md5" if dialect == "guix" else "sha1")
    if kind == "weak":
        return signing.weak_ssh_signature(payload)
    return signing.sign(key, payload + b"tampered" if kind == "bad" else payload)


def _commit_body(commit: RefCommit, tree: bytes, parents: list[bytes], dialect: str, sign: Sign | None = None) -> bytes:
    header = [f"tree {tree.hex()}", *(f"parent {parent.hex()}" for parent in parents)]
    header.append(f"author A. Uthor <author@example.org> {commit.date} +0000")
    header.append(f"committer C. Ommitter <committer@example.org> {commit.date} +0000")
    if commit.malformed == "malformed-commit":
        header += ["encoding UTF-8", "encoding UTF-8"]
    message = f"\n\n{commit.name}\n"
    signature = (sign or _signature)(commit, ("\n".join(header) + message).encode(), dialect)
    if signature is not None:
        header.append("gpgsig " + signature.rstrip("\n").replace("\n", "\n "))
    return ("\n".join(header) + message).encode()


def _keyring(repository: Repository, keys: list[str]) -> bytes:
    files = {f"{key}.key".encode(): Entry(signing.certificate(key)) for key in keys}
    tree = repository.add("tree", _tree_body(repository, files))
    return repository.add("commit", _commit_body(RefCommit("keyring"), tree, [], "native"))


def _keys_used(history: History) -> set[str]:
    signed = {commit.signature.key for commit in history.values()}
    policies = [e.content for c in history.values() for e in c.tree.values() if isinstance(e.content, RefPolicy)]
    return signed | {listing.key for policy in policies for person in policy.people for listing in person.listings}


def emit(history: History, dialect: str, sign: Sign | None = None) -> Emitted:
    """Write every commit of the history, and a keyring of the OpenPGP keys that it uses (but for ghosts).

    ``sign`` makes the text of a commit's signature, from its payload; without it, a real one is made.
    """
    repository = Repository()
    ids: dict[str, bytes] = {}
    for name, commit in history.items():
        broken = commit.malformed == "malformed-tree"
        body = _malformed_tree_body(repository, commit) if broken else _tree_body(repository, commit.tree)
        tree = repository.add("tree", body)
        parents = [ids[parent] for parent in commit.parents]
        ids[name] = repository.add("commit", _commit_body(commit, tree, parents, dialect, sign))
    keys = sorted(key for key in _keys_used(history) if key.startswith("pgp"))
    return Emitted(repository, ids, _keyring(repository, keys))
