"""The mechanical merge: what of a merge's tree do its two parents' trees not settle as recorded?

Path by path, relative to one merge base: where one side equals the base the other side settles the path; where both
sides are equal they settle it; where both sides changed the same file, mode and content are settled separately, the
content by a merge of lines (:mod:`~gitverify.trees.textmerge`). Anything else is unsettled. No renames, attributes
or drivers: a path never takes content that came from another path.

The same holds of whole directories, so one is read only where both sides changed something below it. What is left is
the *contribution*: the paths that are unsettled, or recorded otherwise than settled.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from gitverify.errors import MalformedTree, OversizedObject, TooMuch
from gitverify.limits import LIMITS
from gitverify.policies.coverage import Extent
from gitverify.trees import difference, textmerge
from gitverify.trees.effort import Effort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitverify.objects.tree import TreeEntry
    from gitverify.policies.coverage import Cover
    from gitverify.trees.source import TreeSource

_T = TypeVar("_T")

_BYTES_A_STEP = 16  # read and hashed in about the time of a step of comparing lines


class Why(StrEnum):
    """Why a path belongs to the contribution."""

    OTHERWISE = "recorded-otherwise"  # the sides settle it, but not as it is recorded
    BOTH = "both-changed"  # in ways that are never merged: a file's type, a symlink, removed here and edited there
    CONFLICT = "conflict"  # the same lines of a file
    BINARY = "binary"  # a file whose content is not merged by lines
    TOO_LARGE = "too-large"  # a file, or the work of merging it, is beyond the limits


class Unsettled(NamedTuple):
    """A path of the contribution, as raw bytes."""

    path: bytes
    why: Why


class Work:
    """What looking at one merge has taken; it may not take more than the limits allow."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.directories = 0  # that both sides changed
        self.names = 0  # in such directories, that were looked at
        self.tree_bytes = 0  # that were compared
        self.files = 0  # whose lines were merged
        self.bytes = 0  # of such files
        self.steps = 0  # of comparing their lines

    @property
    def taken(self) -> int:
        """What it comes to, in steps of comparing lines."""
        return self.steps + (self.bytes + self.tree_bytes) // _BYTES_A_STEP

    def check(self) -> None:
        """Raise TooMuch where there was more than the limits allow."""
        if (
            self.directories > LIMITS.merge_directories
            or self.names > LIMITS.merge_names
            or self.tree_bytes > LIMITS.merge_tree_bytes
            or self.bytes > LIMITS.merge_bytes
            or self.steps > LIMITS.merge_steps
        ):
            raise TooMuch("both sides of the merge changed so much that it takes too long to see what they settle")


def unsettled(  # noqa: PLR0913, PLR0917  (a merge has four trees)
    trees: TreeSource,
    blobs: Callable[[bytes], bytes],
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    recorded: bytes,
    cover: Cover,
    *,
    work: Work | None = None,
) -> bytes | None:
    """Return the first path of a two-parent merge's contribution that is not covered; None: all of it is covered.

    Trees are ids of root trees (``base`` None: an empty one); ``blobs`` returns the content of a file. The path ends
    in a slash where nothing below a directory is covered and the directory was not read. Raises MissingObject and
    MalformedTree for what is read, TooMuch beyond the limits.
    """
    if cover.extent is Extent.ALL:
        return None
    root: _Four[bytes | None] = _Four(base, ours, theirs, recorded)
    found = next(_Merge(trees, blobs, work or Work(), whole=False).walk(root, cover), None)
    return None if found is None else found.path


def unsettled_paths(  # noqa: PLR0913
    trees: TreeSource,
    blobs: Callable[[bytes], bytes],
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    recorded: bytes,
    *,
    work: Work | None = None,
) -> Iterator[Unsettled]:
    """Yield the whole contribution of a two-parent merge, in the order of the paths; see :func:`unsettled`."""
    root: _Four[bytes | None] = _Four(base, ours, theirs, recorded)
    return _Merge(trees, blobs, work or Work(), whole=True).walk(root, _Unlimited())


class _Unlimited:
    """Covers no path, but has every directory read."""

    extent = Extent.SOME

    def leaf(self, name: bytes) -> bool:  # noqa: ARG002
        return False

    def enter(self, name: bytes) -> Cover:  # noqa: ARG002
        return self


class _Four(NamedTuple, Generic[_T]):
    """What the four trees have in one place: ids of directories, entries of files, parts of entries."""

    base: _T
    ours: _T
    theirs: _T
    recorded: _T

    @property
    def settled(self) -> bool:
        """Whether one side equals the base, or the other side."""
        return self.theirs == self.base or self.ours in (self.base, self.theirs)

    @property
    def result(self) -> _T:
        """What is settled, where it is."""
        return self.theirs if self.ours == self.base else self.ours


class _Leaf(NamedTuple):
    name: bytes
    entries: _Four[TreeEntry | None]


class _Directory(NamedTuple):
    name: bytes
    trees: _Four[bytes | None]
    cover: Cover


class _Merge:
    """One merge, as far as it has been looked at."""

    def __init__(self, trees: TreeSource, blobs: Callable[[bytes], bytes], work: Work, *, whole: bool) -> None:
        self._trees = trees
        self._read_before = trees.size_compared - work.tree_bytes
        self._blobs = blobs
        self._work = work
        self._whole = whole

    def walk(self, root: _Four[bytes | None], cover: Cover) -> Iterator[Unsettled]:
        """Yield what is not covered: the whole of it, or what comes first at least."""
        names: list[bytes] = []
        levels: list[Iterator[_Leaf | _Directory]] = [iter([_Directory(b"", root, cover)])]
        # Where nothing is covered the first path ends the walk. So directories that are met there again have none,
        # and trees that consist of a few trees many times over are looked at once.
        met: set[_Four[bytes | None]] = set()
        while levels:
            step = next(levels[-1], None)
            if step is None:
                levels.pop()
                del names[-1:]
            elif isinstance(step, _Leaf):
                why = self._why(step.entries)
                if why is not None:
                    yield Unsettled(_path(names, step.name), why)
            elif step.trees.settled:
                for path in self._differing(step):
                    yield Unsettled(_path(names, step.name, path) or b"/", Why.OTHERWISE)
            elif step.trees not in met:
                if step.cover.extent is Extent.NONE:
                    met.add(step.trees)
                if len(levels) > LIMITS.tree_depth:
                    raise MalformedTree(f"directories are nested more than {LIMITS.tree_depth} deep")
                names.append(step.name)
                levels.append(self._steps(step))

    def _steps(self, directory: _Directory) -> Iterator[_Leaf | _Directory]:
        """Yield what may belong to the contribution at one level, in the order of the paths.

        A leaf comes before a directory with its name.
        """
        steps: list[tuple[bytes, _Leaf | _Directory]] = []
        for name, entries in self._entries(directory.trees).items():
            tree = _Four(*map(_tree, entries))
            if not (tree.settled and tree.result == tree.recorded):
                cover = directory.cover.enter(name)
                if cover.extent is not Extent.ALL:
                    steps.append((name + b"/", _Directory(name, tree, cover)))
            if None in tree:
                leaf = _Four(*map(_leaf, entries))
                if not (leaf.settled and leaf.result == leaf.recorded) and not directory.cover.leaf(name):
                    steps.append((name, _Leaf(name, leaf)))
        steps.sort()
        return (step for _, step in steps)

    def _entries(self, trees: _Four[bytes | None]) -> dict[bytes, _Four[TreeEntry | None]]:
        """Return the entries of the names that may belong to the contribution.

        A name is none of them where the recorded tree has what our side has and their side what the base has.
        """
        theirs = self._trees.changed(trees.base, trees.theirs)
        recorded = self._trees.changed(trees.ours, trees.recorded)
        same = theirs.keys() - recorded.keys()
        ours = self._trees.changed(trees.base, trees.ours) if same else {}
        self._work.directories += 1
        self._work.names += len(theirs) + len(recorded) + len(ours)
        self._work.tree_bytes = self._trees.size_compared - self._read_before
        self._work.check()
        found = {}
        for name, (mine, result) in recorded.items():
            base, other = theirs.get(name, (None, None))  # absent: whatever it is, it is the same in both
            found[name] = _Four(base, mine, other, result)
        for name in same:
            base, other = theirs[name]
            _, mine = ours.get(name, (base, base))
            found[name] = _Four(base, mine, other, mine)
        return found

    def _differing(self, directory: _Directory) -> Iterator[bytes]:
        """Yield the paths below a directory that are recorded otherwise than settled."""
        settled, recorded = directory.trees.result, directory.trees.recorded
        if self._whole:
            for change in difference.changes(self._trees, settled, recorded):
                self._work.names += 1
                self._work.check()
                yield change.path
        else:
            path = difference.uncovered(self._trees, settled, recorded, directory.cover)
            if path is not None:
                yield b"" if path == b"/" else path

    def _why(self, entries: _Four[TreeEntry | None]) -> Why | None:
        """Return why a leaf is not settled as recorded, which it is not by the entries alone; None where it is."""
        base, ours, theirs, recorded = entries
        if entries.settled:
            return Why.OTHERWISE
        if base is None or ours is None or theirs is None:
            return Why.BOTH
        if not (base.is_regular_file and ours.is_regular_file and theirs.is_regular_file):
            return Why.BOTH
        # Of three modes out of two, two are equal: they are always settled.
        if recorded is None or recorded.mode != _Four(base.mode, ours.mode, theirs.mode, b"").result:
            return Why.OTHERWISE
        contents = _Four(base.id, ours.id, theirs.id, recorded.id)
        if contents.settled:
            return None if contents.result == recorded.id else Why.OTHERWISE
        return self._why_content(contents)

    def _why_content(self, ids: _Four[bytes]) -> Why | None:
        """Return why the content of a file that both sides changed is not settled as recorded; None where it is."""
        try:
            base, ours, theirs, recorded = map(self._blobs, ids)
        except OversizedObject:
            return Why.TOO_LARGE
        self._work.files += 1
        self._work.bytes += len(base) + len(ours) + len(theirs) + len(recorded)
        self._work.check()
        if not all(map(textmerge.mergeable, (base, ours, theirs))):
            return Why.BINARY
        effort = Effort(LIMITS.merge_file_steps)
        why = None
        if not textmerge.is_clean_merge(base, ours, theirs, recorded, effort):
            why = Why.CONFLICT if textmerge.merge(base, ours, theirs, effort) is None else Why.OTHERWISE
        self._work.steps += LIMITS.merge_file_steps - effort.left
        return Why.TOO_LARGE if effort.left < 0 else why


def _path(names: list[bytes], *rest: bytes) -> bytes:
    """Join components; the first name is the root's, which is empty."""
    return b"/".join([*names, *rest])[1:]


def _leaf(entry: TreeEntry | None) -> TreeEntry | None:
    return None if entry is None or entry.is_directory else entry


def _tree(entry: TreeEntry | None) -> bytes | None:
    return entry.id if entry is not None and entry.is_directory else None
