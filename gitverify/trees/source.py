"""What comparing asks of a repository's trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.objects.tree import TreeEntry


class TreeSource(Protocol):
    """Reads tree objects by their raw ids, and checks every one that it reads (R7).

    Its methods raise :class:`~gitverify.errors.MissingObject` where a tree is not there (R5), and
    :class:`~gitverify.errors.MalformedTree` where one breaks R7 or the id is no tree's.
    """

    @property
    def size_compared(self) -> int:
        """How many bytes of trees were compared so far.

        Whether they had to be read for it does not count: what is remembered hangs on what was asked before, and on
        how many processes there are, and a limit on the work may not.
        """
        ...

    def entries(self, tree: bytes) -> Mapping[bytes, TreeEntry]:
        """Return name → entry of a tree, in the order of the tree."""
        ...

    def changed(
        self, before: bytes | None, after: bytes | None
    ) -> Mapping[bytes, tuple[TreeEntry | None, TreeEntry | None]]:
        """Return the names whose entry differs between two trees (None: no tree), with both entries.

        One level only: what is below a directory is not looked at. In no order that is promised.
        """
        ...
