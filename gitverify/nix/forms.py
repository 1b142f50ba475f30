"""The forms in which Nix hashes an input's tree: as it is in the commit, or as an archive of it has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.export.walk import show_tree
from gitverify.nix.archive import show_archive
from gitverify.nix.nar import nar_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.nix.lock import Node
    from gitverify.objects.commit import Commit
    from gitverify.source import Repository

FORGES = frozenset({"github", "gitlab", "sourcehut"})
RAW, ARCHIVE, EXPORT_IGNORE = "raw", "archive", "export-ignore"


def forms(node: Node) -> Iterator[str]:
    """Yield the forms in which Nix may have hashed an input of this kind; the first is today's."""
    if node.kind in FORGES or node.kind == "tarball":
        yield ARCHIVE
        if node.kind == "tarball":
            yield RAW  # what a mirror's archives have, where no attribute applies
        return
    yield EXPORT_IGNORE if (node.locked or {}).get("exportIgnore") is True else RAW
    if node.kind == "git":
        yield ARCHIVE  # what Nix 2.8 locks


def hash_of(repository: Repository, rev: bytes, commit: Commit, form: str) -> bytes:
    """Return the hash of a commit's tree in a form. Raises Undecidable, Unfit, MissingObject."""
    if form == RAW:
        return nar_hash(lambda visitor: show_tree(repository, commit.tree, visitor))
    return nar_hash(lambda visitor: show_archive(repository, rev, commit, visitor, convert=form == ARCHIVE))
