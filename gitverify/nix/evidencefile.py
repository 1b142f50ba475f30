"""Evidence on disk: gathered from a repository, and read as an object source, offline.

The file is ``objects`` in a directory, which appears whole or not at all.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.anchor import detect_dialect
from gitverify.errors import MalformedCommit, MissingObject, OversizedObject
from gitverify.export.visitor import Unfit
from gitverify.export.walk import show_tree, steps
from gitverify.limits import LIMITS
from gitverify.nix.evidence import BadEvidence, encode, index
from gitverify.objects.commit import parse_commit
from gitverify.objects.sizes import check_size
from gitverify.objects.tree import DIRECTORY
from gitverify.policies.model import Dialect
from gitverify.session import Unanswerable, UsageProblem
from gitverify.source import Rehashed
from gitverify.text import shown
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from gitverify.export.place import Place
    from gitverify.export.walk import ContentSource, Tally
    from gitverify.nix.evidence import Held
    from gitverify.objects.source import ObjectSource, ObjectType
    from gitverify.request import Request

NAME = "objects"


class Recorder:
    """A source that remembers what it was asked for and had, each id with the object's type."""

    def __init__(self, source: ObjectSource) -> None:
        """Read from ``source``."""
        self._source = source
        self.had: dict[bytes, ObjectType] = {}

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return type and content of an object; see ObjectSource.read."""
        found = self._source.read(object_id)
        self.had[object_id] = found[0]
        return found


class EvidenceFile:
    """Evidence as an object source; every object that is read is hashed."""

    def __init__(self, directory: Path) -> None:
        """Open it, and see where each object is. Raises BadEvidence."""
        place = directory / NAME
        try:
            self._handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise BadEvidence(f"{shown(str(place))} can't be read: {error.strerror}") from None
        try:
            # A pipe or a directory has no bytes at a place, and so is none.
            self._held = index(self._pread, os.fstat(self._handle).st_size)
        except OSError as error:
            self.close()
            raise BadEvidence(f"{shown(str(place))} can't be read: {error.strerror}") from None
        except BaseException:
            self.close()
            raise
        self._objects = Rehashed(self._unhashed)

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return type and content of an object; see ObjectSource.read."""
        held = self._find(object_id)
        check_size(held.kind, held.size)
        return self._objects.read(object_id)

    def content(self, object_id: bytes, limit: int) -> bytes | None:
        """Return the content of a blob; see ContentSource."""
        held = self._find(object_id)
        check_size(held.kind, held.size, limit)
        kind, content = self._objects.read(object_id)  # what the file says of it is believed once it is hashed
        return content if kind == "blob" else None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close it."""
        self.close()

    def _find(self, object_id: bytes) -> Held:
        held = self._held.get(object_id)
        if held is None:
            raise MissingObject(object_id)
        return held

    def _unhashed(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        held = self._held[object_id]
        return held.kind, self._pread(held.offset, held.size)

    def _pread(self, offset: int, size: int) -> bytes:
        pieces = []
        while size:
            piece = os.pread(self._handle, size, offset)
            if not piece:
                break
            pieces.append(piece)
            offset, size = offset + len(piece), size - len(piece)
        return b"".join(pieces)


def with_keyring(source: ObjectSource, request: Request, keyring: bytes | None) -> Request:
    """Complete a question with a keyring, which is named by a commit's raw id: a branch would be another tomorrow.

    Raises UsageProblem, Unanswerable, MissingObject.
    """
    try:
        if keyring is not None:
            return replace(request, keyring=parse_commit(read_commit(source, keyring)).tree)
    except MalformedCommit as error:
        raise Unanswerable("keyring-missing", f"the keyring {error}", rule="R12") from None
    if detect_dialect(source, request) is Dialect.GUIX:
        raise UsageProblem("a Guix channel's certificates are on a branch of their own: name its commit with --keyring")
    return request


def gather(source: ContentSource, recorder: Recorder, tip: bytes) -> dict[bytes, ObjectType]:
    """Return what a verification of a commit has read, and its whole tree: ids with types.

    Raises MissingObject, Unfit.
    """
    tree = parse_commit(read_commit(recorder, tip)).tree
    recorder.read(tree)
    for step in steps(source, tree):
        if step.mode == DIRECTORY and step.id:
            recorder.had[step.id] = "tree"
        elif step.has_content:
            recorder.had[step.id] = "blob"
    return recorder.had


def write_evidence(source: ContentSource, objects: Mapping[bytes, ObjectType], place: Place) -> None:
    """Have a directory with the evidence appear. Raises Unfit, MissingObject."""
    with place.writer(0) as writer:
        writer.enter(b"")
        writer.file(NAME.encode(), executable=False, size=0)
        for piece in encode(_contents(source, objects)):
            writer.data(piece)
        writer.leave()
    place.appear()


def _contents(source: ContentSource, objects: Mapping[bytes, ObjectType]) -> Iterator[tuple[bytes, ObjectType, bytes]]:
    for object_id in sorted(objects):
        kind = objects[object_id]
        try:
            content = source.content(object_id, LIMITS.content_size) if kind == "blob" else source.read(object_id)[1]
        except OversizedObject as error:
            raise Unfit("output-failed", f"object {object_id.hex()}: {error}", None) from None
        if content is None:
            raise Unfit("malformed-tree", f"object {object_id.hex()} stands where a file is expected", None)
        yield object_id, kind, content


def write_tree(source: ContentSource, tip: bytes, place: Place) -> Tally:
    """Have the tree of a commit appear that was found authentic. Raises Unfit, MissingObject."""
    head = parse_commit(read_commit(source, tip))
    with place.writer(head.date) as writer:
        tally = show_tree(source, head.tree, writer)
    place.appear()
    return tally
