"""A directory of a checkout, with the tree that it must equal and what the commit says about the paths in it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedObject, MissingObject
from gitverify.worktree.attributes import NO_ATTRIBUTES, Attributes, parse_attributes, resolve
from gitverify.worktree.ignore import IgnoreRule, decide, parse_ignore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.objects.tree import TreeEntry
    from gitverify.source import Repository
    from gitverify.treepath import Trees
    from gitverify.worktree.attributes import Value

Path = tuple[bytes, ...]


class Objects(NamedTuple):
    """A repository's objects: the worktree's own, or (``borrowed``) a submodule's."""

    repository: Repository
    trees: Trees
    borrowed: bool = False


class Folder:
    """A directory, by its path (components) from the checkout's root.

    ``tree`` is the id of the tree that it must equal; None: the commit has no such directory. ``ignored``: the commit
    ignores all of it; ``named``: so does the user, with ``--allow-ignored``. ``parent`` is None for the root of a
    checkout, of a submodule's too: what is above does not count there.
    """

    def __init__(self, objects: Objects, path: Path, tree: bytes | None, parent: Folder | None = None) -> None:
        """Read nothing yet."""
        self.objects = objects
        self.path = path
        self.tree = tree
        self.parent = parent
        self.ignored = False
        self.named = False

    @cached_property
    def entries(self) -> dict[bytes, TreeEntry]:
        """The tree's entries. Raises MissingObject, MalformedTree."""
        return self.objects.trees.entries(self.tree) if self.tree is not None else {}

    def ignores(self, path: Path, *, directory: bool) -> bool:
        """Return if the commit's ``.gitignore`` files have git leave out this path, which lies in this directory."""
        if self.ignored:
            return True
        for folder in self._upwards():
            verdict = decide(folder._ignore_rules, path[len(folder.path) :], directory=directory)  # noqa: SLF001
            if verdict is not None:
                return verdict
        return False

    def attributes(self, path: Path) -> dict[bytes, Value]:
        """Return what the commit's ``.gitattributes`` files say of a file in this directory."""
        return resolve((folder._attributes, path[len(folder.path) :]) for folder in self._upwards())  # noqa: SLF001

    def blob(self, object_id: bytes) -> bytes | None:
        """Return a blob's content; None where it is not here, damaged, or too large to look at."""
        try:
            return self.objects.repository.read(object_id)[1]
        except (MissingObject, MalformedObject):
            return None

    def _upwards(self) -> Iterator[Folder]:
        folder: Folder | None = self
        while folder is not None:
            yield folder
            folder = folder.parent

    @cached_property
    def _ignore_rules(self) -> tuple[IgnoreRule, ...]:
        raw = self._own_file(b".gitignore")
        return parse_ignore(raw) if raw else ()

    @cached_property
    def _attributes(self) -> Attributes:
        raw = self._own_file(b".gitattributes")
        return parse_attributes(raw) if raw else NO_ATTRIBUTES

    def _own_file(self, name: bytes) -> bytes | None:
        """Return the content that the commit has for a file of this directory; git follows no symlink here."""
        entry = self.entries.get(name)
        return self.blob(entry.id) if entry is not None and entry.is_regular_file else None
