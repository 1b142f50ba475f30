"""Trees as plain values, for tests: shown to a visitor, written to disk, put into an object database.

A directory is a dict by name (bytes), a file is bytes, an executable one :class:`Executable`, a symlink :class:`Link`.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from hypothesis import strategies as st

NIX_HASH = shutil.which("nix-hash")


class Executable(bytes):
    """The content of an executable file."""


class Link(bytes):
    """The target of a symlink."""


def show(tree, visitor, name=b""):
    if isinstance(tree, dict):
        visitor.enter(name)
        for entry in sorted(tree):
            show(tree[entry], visitor, entry)
        visitor.leave()
    elif isinstance(tree, Link):
        visitor.symlink(name, bytes(tree))
    else:
        visitor.file(name, executable=isinstance(tree, Executable), size=len(tree))
        visitor.data(bytes(tree))


def write(tree, path):
    if isinstance(tree, dict):
        path.mkdir()
        for name, entry in tree.items():
            write(entry, path / os.fsdecode(name))
    elif isinstance(tree, Link):
        path.symlink_to(os.fsdecode(bytes(tree)))
    else:
        path.write_bytes(tree)
        path.chmod(0o755 if isinstance(tree, Executable) else 0o644)


def read(path):
    """Return what lies on disk as such a value."""
    if path.is_symlink():
        return Link(os.fsencode(os.readlink(path)))  # noqa: PTH115  (pathlib would tidy it up)
    if path.is_dir():
        return {os.fsencode(entry.name): read(entry) for entry in path.iterdir()}
    content = path.read_bytes()
    return Executable(content) if path.stat().st_mode & 0o100 else content


def put(tree, add):
    """Put a tree into an object database, by its ``add(kind, body)``; return its id. Empty directories: gitlinks."""
    rows = []
    for name, entry in tree.items():
        if entry == {}:
            rows.append((name, b"160000", name, b"\1" * 20))
        elif isinstance(entry, dict):
            rows.append((name + b"/", b"40000", name, put(entry, add)))
        else:
            mode = {Link: b"120000", Executable: b"100755"}.get(type(entry), b"100644")
            rows.append((name, mode, name, add("blob", bytes(entry))))
    return add("tree", b"".join(mode + b" " + name + b"\0" + object_id for _, mode, name, object_id in sorted(rows)))


def nix_hash(path, *options):
    """Ask the real Nix."""
    command = [NIX_HASH, "--type", "sha256", *options, path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: name not in {b".", b".."} and not {0, 47} & {*name})
CONTENTS = st.one_of(st.binary(max_size=40), st.integers(0, 9000).map(lambda size: bytes(range(251)) * (size // 251)))
LEAVES = st.one_of(
    CONTENTS,
    CONTENTS.map(Executable),
    st.binary(min_size=1, max_size=40).filter(lambda target: 0 not in target).map(Link),
)
DIRECTORIES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=6),
    lambda below: st.dictionaries(NAMES, LEAVES | below, max_size=6),
    max_leaves=12,
)
