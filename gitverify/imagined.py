"""Commits that nobody has made, to be judged as if they were there: without a signature, and never written anywhere."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.objects.source import ObjectSource, ObjectType


def unsigned_commit(tree: bytes, parents: Sequence[bytes], now: int) -> bytes:
    """Return the content of a commit without a signature; raw ids, ``now`` in seconds since 1970."""
    lines = [b"tree " + tree.hex().encode(), *(b"parent " + parent.hex().encode() for parent in parents)]
    lines += [b"%s gitverify <> %d +0000" % (role, now) for role in (b"author", b"committer")]
    return b"\n".join([*lines, b"", b"imagined\n"])


class Imagined:
    """An object source that has some commits more than the repository."""

    def __init__(self, source: ObjectSource, more: Callable[[], ObjectSource | None] = lambda: None) -> None:
        """``more`` opens a second place, where the made-up commits' trees may be; asked each time the first has not."""
        self._source = source
        self._more = more
        self._made: dict[bytes, bytes] = {}

    def commit(self, tree: bytes, parents: Sequence[bytes], now: int) -> bytes:
        """Make a commit up; return its id. The same commit has the same id."""
        raw = unsigned_commit(tree, parents, now)
        made = hashlib.sha1(b"commit %d\0" % len(raw) + raw, usedforsecurity=False).digest()
        self._made[made] = raw
        return made

    def over(self, source: ObjectSource) -> Imagined:
        """Return the same made-up commits over another view of the repository: that of another process."""
        other = Imagined(source, self._more)
        other._made = self._made
        return other

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return type and content of an object; see ObjectSource.read."""
        raw = self._made.get(object_id)
        if raw is not None:
            return "commit", raw
        try:
            return self._source.read(object_id)
        except MissingObject as error:
            more = self._more() if error.absent else None
            if more is None:
                raise
        return more.read(object_id)
