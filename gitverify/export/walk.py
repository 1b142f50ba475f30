"""Showing a commit's tree, out of the object database, to a visitor: no attribute applies, nothing is left out.

Every tree that is read is checked (R7). A submodule is an empty directory: its files are another repository's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitverify.errors import MalformedTree, OversizedObject
from gitverify.export.visitor import Unfit
from gitverify.limits import LIMITS
from gitverify.objects.tree import DIRECTORY, split_tree
from gitverify.text import shown
from gitverify.treepath import Trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitverify.export.visitor import Visitor
    from gitverify.objects.source import ObjectType

_EXECUTABLE, _SYMLINK, _GITLINK = b"100755", b"120000", b"160000"
_END = b""


class ContentSource(Protocol):
    """An object source that gives the contents of files, too."""

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """See :class:`~gitverify.objects.source.ObjectSource`."""
        ...

    def content(self, object_id: bytes, limit: int) -> bytes | None:
        """Return the content of a blob of at most so many bytes; None where the object is no blob.

        Raises as :meth:`read`.
        """
        ...


class Step(NamedTuple):
    """What comes next in a tree. ``folder`` is the path that the entry lies in: ``b""``, or with a slash at its end.

    ``mode`` is as git writes it; ``b""`` where a directory ends. The root is a directory without a name.
    """

    mode: bytes
    folder: bytes = b""
    name: bytes = b""
    id: bytes = b""

    @property
    def path(self) -> bytes:
        """Relative to the root."""
        return self.folder + self.name

    @property
    def has_content(self) -> bool:
        """Whether it is a file or a symlink."""
        return self.mode not in _WITHOUT_CONTENT


_WITHOUT_CONTENT = frozenset({DIRECTORY, _GITLINK, _END})


class Contents(Protocol):
    """Gives the steps of a tree, each with its content; ``b""`` where it has none. Raises Unfit, MissingObject."""

    def __call__(self, source: ContentSource, todo: Iterable[Step]) -> Iterator[tuple[Step, bytes]]:
        """Give them in their order."""
        ...


class Observer(Protocol):
    """Is told of progress."""

    def exported(self, size: int) -> None:
        """One more file was shown, of so many bytes."""
        ...


@dataclass(slots=True)
class Tally:
    """What was in a tree: files and symlinks, and their bytes; submodules by path, with the commit's raw id."""

    files: int = 0
    size: int = 0
    submodules: list[tuple[bytes, bytes]] = field(default_factory=list)


def show_tree(
    source: ContentSource,
    tree: bytes,
    visitor: Visitor,
    *,
    contents: Contents | None = None,
    observer: Observer | None = None,
) -> Tally:
    """Show the tree with this raw id, which is a commit's, to ``visitor``.

    ``contents`` says how files are read: one after the other where it is None. Raises Unfit, MissingObject, and what
    the visitor raises. One file at a time is in memory.
    """
    tally = Tally()
    for step, content in (contents or one_by_one)(source, steps(source, tree)):
        if step.mode == _END:
            visitor.leave()
        elif step.mode == DIRECTORY:
            visitor.enter(step.name)
        elif step.mode == _GITLINK:
            visitor.enter(step.name)
            visitor.leave()
            tally.submodules.append((step.path, step.id))
        else:
            _count(tally, step, content)
            _show(visitor, step, content)
            if observer is not None:
                observer.exported(len(content))
    return tally


def steps(source: ContentSource, tree: bytes) -> Iterator[Step]:
    """Go through a tree, in the order in which a visitor is shown it. Raises Unfit, MissingObject."""
    trees = Trees(source)
    yield Step(DIRECTORY)
    folders = [b""]
    waiting = [_entries(trees, tree, b"")]
    count = 0
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            folders.pop()
            yield Step(_END)
            continue
        mode, name, object_id = entry
        step = Step(mode, folders[-1], name, object_id)
        count += 1
        if count > LIMITS.content_entries:
            raise Unfit("output-failed", f"there are more than {LIMITS.content_entries:,} files and directories", None)
        yield step
        if mode == DIRECTORY:
            path = step.path
            if len(waiting) >= LIMITS.content_depth:
                message = f"directories lie in one another more than {LIMITS.content_depth:,} deep"
                raise Unfit("output-failed", message, path)
            waiting.append(_entries(trees, object_id, path))
            folders.append(path + b"/")


def one_by_one(source: ContentSource, todo: Iterable[Step]) -> Iterator[tuple[Step, bytes]]:
    """Give every step its content (``b""`` where there is none), read when it is its turn."""
    for step in todo:
        yield step, read(source, step) if step.has_content else b""


def read(source: ContentSource, step: Step) -> bytes:
    """Return the content of a file, or the target of a symlink. Raises Unfit, MissingObject."""
    try:
        content = source.content(step.id, content_limit(step))
    except OversizedObject as error:
        raise Unfit("malformed-tree" if step.mode == _SYMLINK else "output-failed", str(error), step.path) from None
    if content is None:
        raise Unfit("malformed-tree", f"object {step.id.hex()} stands where a file is expected", step.path)
    return checked(step, content)


def checked(step: Step, content: bytes) -> bytes:
    """Return the content of a file, or the target of a symlink, where it can be one. Raises Unfit."""
    if step.mode == _SYMLINK and (not content or b"\0" in content):
        raise Unfit("malformed-tree", f"a symlink leads to “{shown(content)}”, which can't be a path", step.path)
    return content


def content_limit(step: Step) -> int:
    """Return how many bytes the content may have."""
    return LIMITS.symlink_size if step.mode == _SYMLINK else LIMITS.content_size


def _entries(trees: Trees, tree: bytes, path: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Return mode, name and id of a tree's entries, sorted by name."""
    try:
        return iter(sorted(split_tree(trees.content(tree)), key=_name))
    except MalformedTree as error:
        raise Unfit("malformed-tree", str(error), path or None) from None


def _name(entry: tuple[bytes, bytes, bytes]) -> bytes:
    return entry[1]


def _count(tally: Tally, step: Step, content: bytes) -> None:
    tally.files += 1
    tally.size += len(content)
    if tally.size > LIMITS.content_bytes:
        raise Unfit("output-failed", f"the files have more than {LIMITS.content_bytes:,} bytes", step.path)


def _show(visitor: Visitor, step: Step, content: bytes) -> None:
    if step.mode == _SYMLINK:
        visitor.symlink(step.name, content)
        return
    visitor.file(step.name, executable=step.mode == _EXECUTABLE, size=len(content))
    if content:
        visitor.data(content)
