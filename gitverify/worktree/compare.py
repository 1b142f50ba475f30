"""Compares a checkout with a tree, byte for byte (R28).

Nothing is believed but file system and tree: not the index with its flags and cached times, not the clone's lists of
what to ignore. Directories are opened one from the other, so that no symlink is ever followed; only what looks like
a regular file is opened, once, and never waited for.

A file equals a blob if it hashes to the blob's id, with the collision-detecting SHA-1 that the objects themselves are
checked with: it proves what comparing with the object would, at half the cost and for files of any size.

What is compared is each file as it was when it was read. Against somebody who writes to the checkout at the same
time, or afterwards, there is no help here.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, MissingObject
from gitverify.source import is_blob
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.worktree import explain
from gitverify.worktree.directories import Directories
from gitverify.worktree.files import read_file
from gitverify.worktree.folder import Folder, Objects
from gitverify.worktree.model import Comparison, Difference, Submodule
from gitverify.worktree.submodules import NotComparable, open_submodule

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping, Sequence

    from gitverify.objects.tree import TreeEntry
    from gitverify.source import Repository
    from gitverify.worktree.explain import Setting
    from gitverify.worktree.files import File
    from gitverify.worktree.folder import Path
    from gitverify.worktree.wildmatch import PathPattern

    Listing = dict[bytes, os.DirEntry[str]]

_SYMLINK, _GITLINK = b"120000", b"160000"
_EXECUTABLE = b"100755"
_RESULT = re.compile(rb"result(-.*)?", re.DOTALL)
_STORE_PATH = re.compile(rb"/(nix|gnu)/store/[0-9a-z]{32}-[0-9A-Za-z+._?=-]{1,211}")


def compare(
    repository: Repository, directory: pathlib.Path, tree: bytes, allowed: Sequence[PathPattern], setting: Setting
) -> Comparison:
    """Compare a repository's checkout in ``directory`` with the tree of this id.

    ``allowed``: what may be there although the commit ignores it. Raises MissingObject where a tree is not in the
    repository, and MalformedTree, which names the directory, where one breaks R7.
    """
    comparing = _Comparing(Comparison(directory), allowed, setting)
    comparing.run(Folder(Objects(repository, Trees(repository)), (), tree))
    return comparing.result


class _Comparing:
    """One comparison: a list of directories that wait for their turn."""

    def __init__(self, result: Comparison, allowed: Sequence[PathPattern], setting: Setting) -> None:
        self.result = result
        self._allowed = allowed
        self._setting = setting
        self._waiting: list[Folder] = []
        self._directories = Directories(result.directory)

    def run(self, root: Folder) -> None:
        """Compare everything."""
        self._waiting.append(root)
        with self._directories:
            while self._waiting:
                self._folder(self._waiting.pop())
        self.result.differences.sort()
        self.result.submodules.sort()
        self.result.allowed.sort()
        self.result.converted.sort()

    def _differs(self, path: Path, message: str, *, directory: bool = False) -> None:
        self.result.differences.append(Difference(_joined(path, directory=directory), message))

    def _folder(self, folder: Folder) -> None:
        """Compare one directory; those in it wait."""
        try:
            handle = self._directories.open(folder.path)
            with os.scandir(handle) as found:
                there = {os.fsencode(entry.name): entry for entry in found}
            entries = folder.entries
        except OSError as error:
            self._differs(folder.path, f"modified: it can't be listed: {error.strerror}", directory=True)
            return
        except (MissingObject, MalformedTree) as error:
            if folder.objects.borrowed:
                self._differs(folder.path, f"modified: the submodule can't be compared: {error}", directory=True)
                return
            if isinstance(error, MissingObject):
                raise
            raise MalformedTree(f"in the directory “{shown(b'/'.join(folder.path))}” {error}") from None
        if folder.parent is None:
            there.pop(b".git", None)
        if folder.tree is None and not there:
            self._differs(folder.path, "added: an empty directory that the commit doesn't have", directory=True)
        self._tracked(folder, handle, there, entries)
        for name in there.keys() - entries.keys():
            self._added(folder, handle, (*folder.path, name), there[name])

    def _tracked(self, folder: Folder, handle: int, there: Listing, entries: Mapping[bytes, TreeEntry]) -> None:
        """Look for everything that the commit has in a directory."""
        folded: dict[str, bytes] | None = None
        for name, entry in entries.items():
            path = (*folder.path, name)
            found = there.get(name)
            try:
                if entry.mode == _GITLINK:
                    self._submodule(path, entry.id, found)
                elif found is not None:
                    self._present(folder, path, entry, handle, found)
                else:
                    if folded is None:
                        folded = {explain.folded(other): other for other in there.keys() - entries.keys()}
                    message = explain.missing(entry.mode, folded.get(explain.folded(name)), self._setting)
                    self._differs(path, message, directory=entry.is_directory)
            except OSError as error:
                self._differs(path, f"modified: it can't be read: {error.strerror}")

    def _present(self, folder: Folder, path: Path, entry: TreeEntry, handle: int, found: os.DirEntry[str]) -> None:
        """Compare what is there with an entry that is no submodule."""
        link = entry.mode == _SYMLINK
        if entry.is_directory and found.is_dir(follow_symlinks=False):
            self._waiting.append(Folder(folder.objects, path, entry.id, folder))
        elif not entry.is_directory and found.is_file(follow_symlinks=False):
            file = read_file(path[-1], handle, entry.id, folder.objects.repository)
            if link and file.same:
                self._differs(path, explain.text_of_a_symlink(self._setting))
            elif link or not stat.S_ISREG(file.mode):
                self._differs(path, explain.other_kind(entry.mode, file.mode))
            else:
                self._file(folder, path, entry, file)
        elif link and found.is_symlink():
            target = os.readlink(path[-1], dir_fd=handle)
            if is_blob(target, entry.id):
                self.result.files += 1
            else:
                self._differs(path, explain.symlink(target))
        else:
            self._differs(path, explain.other_kind(entry.mode, found.stat(follow_symlinks=False).st_mode))

    def _file(self, folder: Folder, path: Path, entry: TreeEntry, file: File) -> None:
        """Compare content and mode of a file."""
        message = None
        if not file.same:
            message = explain.OTHER_CONTENT
            if file.content is not None:
                blob, attributes = folder.blob(entry.id), folder.attributes(path)
                message = explain.content(file.content, blob, attributes, self._setting)
        if message is None and file.executable != (entry.mode == _EXECUTABLE):
            message = explain.executable(file.executable, self._setting)
        if message is not None:
            self._differs(path, message)
            return
        self.result.files += 1
        if not file.same:
            self.result.converted.append(b"/".join(path))

    def _submodule(self, path: Path, commit: bytes, found: os.DirEntry[str] | None) -> None:
        """Compare a submodule: not checked out is fine, checked out it must be what is recorded."""
        joined = b"/".join(path)
        there: list[str] = []
        if found is not None:
            if not found.is_dir(follow_symlinks=False):
                self._differs(path, explain.other_kind(_GITLINK, found.stat(follow_symlinks=False).st_mode))
                return
            handle = self._directories.open(path)
            there = os.listdir(handle)  # noqa: PTH208  (pathlib takes no handle)
        self.result.submodules.append(Submodule(joined, commit, bool(there)))
        if not there:
            return
        if ".git" not in there:
            self._differs(path, "added: files are where the commit has a submodule", directory=True)
            return
        try:
            objects, tree = open_submodule(self.result.directory / os.fsdecode(joined), handle, commit)
        except NotComparable as error:
            self._differs(path, str(error), directory=True)
        else:
            self._waiting.append(Folder(objects, path, tree))

    def _added(self, folder: Folder, handle: int, path: Path, found: os.DirEntry[str]) -> None:
        """Judge what the commit doesn't have."""
        try:
            directory = found.is_dir(follow_symlinks=False)
            result = len(path) == 1 and _is_result(path[0], found, handle)
            mode = found.stat(follow_symlinks=False).st_mode
        except OSError as error:
            self._differs(path, f"added: it can't be read: {error.strerror}")
            return
        ignored = folder.ignores(path, directory=directory)
        named = folder.named or any(pattern.matches(path, directory=directory) for pattern in self._allowed)
        if result or (ignored and named):
            self.result.allowed.append(_joined(path, directory=directory))
        elif directory and self._allowed:
            below = Folder(folder.objects, path, None, folder)
            below.ignored, below.named = ignored, named
            self._waiting.append(below)
        else:
            self._differs(path, explain.added(mode, ignored=ignored, named=named), directory=directory)


def _joined(path: Path, *, directory: bool) -> bytes:
    return (b"/".join(path) or b".") + (b"/" if directory else b"")


def _is_result(name: bytes, found: os.DirEntry[str], handle: int) -> bool:
    """Return if this is what ``nix build`` and the like leave in a checkout's root: a symlink to a store path."""
    if not _RESULT.fullmatch(name) or not found.is_symlink():
        return False
    return _STORE_PATH.fullmatch(os.readlink(name, dir_fd=handle)) is not None
