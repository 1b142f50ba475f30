"""Evidence: the objects that a verdict on a commit rests on, and its tree, as one file of fixed bytes.

Nix can only fetch what it knows the hash of beforehand, so the same commit must give the same bytes: on any machine,
with any git, however the clone is packed, whatever is added upstream. So it is no repository, but:

    gitverify-evidence 1 LF
    for each object, by ascending id:
        id (20 bytes)  type (1 byte: c t b)  size of the content (8 bytes, most significant first)  content

Nothing is compressed, for compressors differ; nothing is said twice. Which objects: all that a verification from the
introduction read, without anything remembered, and all trees and files of the commit. Another version of the rules may
read others: then some are missing, and the answer is *cannot decide*, never a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import GitverifyError
from gitverify.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitverify.objects.source import ObjectType

MAGIC = b"gitverify-evidence 1\n"

_KINDS: dict[bytes, ObjectType] = {b"c": "commit", b"t": "tree", b"b": "blob"}
_LETTERS = {kind: letter for letter, kind in _KINDS.items()}
_ID, _KIND, _SIZE = 20, 1, 8
_HEAD = _ID + _KIND + _SIZE


class BadEvidence(GitverifyError):
    """A file is no evidence, or not all of it."""


class Held(NamedTuple):
    """Where an object is in the file: its content begins at ``offset``."""

    kind: ObjectType
    offset: int
    size: int


def encode(objects: Iterable[tuple[bytes, ObjectType, bytes]]) -> Iterator[bytes]:
    """Yield the file's bytes, given (id, type, content) by ascending id. Raises BadEvidence."""
    yield MAGIC
    last = b""
    for object_id, kind, content in objects:
        if kind not in _LETTERS or object_id <= last:
            raise BadEvidence(f"object {object_id.hex()} has no place in evidence")
        last = object_id
        yield object_id + _LETTERS[kind] + len(content).to_bytes(_SIZE, "big")
        yield content


def index(read: Callable[[int, int], bytes], size: int) -> dict[bytes, Held]:
    """Return where each object is in a file of ``size`` bytes; ``read(offset, count)`` reads it. Raises BadEvidence.

    Contents are not looked at: whoever reads one hashes it.
    """
    if read(0, len(MAGIC)) != MAGIC:
        raise BadEvidence("this is no evidence, or of another version of gitverify: make it again")
    found: dict[bytes, Held] = {}
    at, last = len(MAGIC), b""
    while at < size:
        head = read(at, _HEAD)
        object_id, kind = head[:_ID], _KINDS.get(head[_ID : _ID + _KIND])
        length = int.from_bytes(head[_ID + _KIND :], "big")
        at += _HEAD
        if kind is None or object_id <= last or len(head) != _HEAD or length > size - at:
            raise BadEvidence(f"the evidence is broken at byte {at - _HEAD:,}")
        if len(found) >= LIMITS.evidence_objects:
            raise BadEvidence(f"the evidence has more than {LIMITS.evidence_objects:,} objects")
        found[object_id] = Held(kind, at, length)
        at, last = at + length, object_id
    return found
