"""What ``git archive`` makes of a commit: the form in which Nix sees ``github:`` inputs and other tarballs.

Forges serve tarballs that ``git archive`` wrote, and it does what the tree's own ``.gitattributes`` files ask for
(git-archive(1), *Attributes*; gitattributes(5)): leave out (``export-ignore``), fill in (``export-subst``), and what it
would do on a checkout. Where what it writes hangs on more than the commit, there is no answer: Undecidable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MalformedTree
from gitverify.export.visitor import Unfit
from gitverify.export.walk import Step, read, steps
from gitverify.objects.tree import DIRECTORY
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.worktree.attributes import NO_ATTRIBUTES, parse_attributes, resolve
from gitverify.worktree.lineends import checked_out, line_ends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.export.visitor import Visitor
    from gitverify.export.walk import ContentSource
    from gitverify.objects.commit import Commit
    from gitverify.worktree.attributes import Attributes, Value

_FILE, _IGNORE = b".gitattributes", b"export-ignore"
_EXECUTABLE, _SYMLINK, _GITLINK, _END = b"100755", b"120000", b"160000", b""
_FORMAT = re.compile(rb"\$Format:([^$]*)\$")
_PLACEHOLDER = re.compile(rb"%(at|ct|an|ae|cn|ce|[HTPn%]|.?)", re.DOTALL)
_PERSON = re.compile(rb"([^<>]*[^<> ]) <([^<> ]*)> ([0-9]{1,18})(?: [+-][0-9]{4})?")
_IDENT = re.compile(rb"\$Id[:$]")


class Undecidable(GitverifyError):
    """What the archive holds can't be told from the commit alone."""


@dataclass(slots=True)
class _Folder:
    """A directory that is open. ``seen``: whether the visitor has seen it begin: one without files never does."""

    name: bytes
    attributes: Attributes
    seen: bool = False


def show_archive(
    source: ContentSource, commit_id: bytes, commit: Commit, visitor: Visitor, *, convert: bool = True
) -> None:
    """Show a visitor what ``git archive COMMIT`` writes. Raises Undecidable, Unfit, MissingObject.

    Without ``convert`` files are left out, and what is left is as it is in the tree.
    """
    trees = Trees(source)
    folders: list[_Folder] = []
    left_out = 0  # directories, one in the other, that lie in one that is left out
    for step in steps(source, commit.tree):
        if left_out:
            left_out += (step.mode == DIRECTORY) - (step.mode == _END)
        elif step.mode == _END:
            if folders.pop().seen:
                visitor.leave()
        elif step.mode == DIRECTORY:
            if folders and _attributes(folders, step).get(_IGNORE) is True:
                left_out = 1
                continue
            folders.append(_Folder(step.name, _read_attributes(source, trees, step.id or commit.tree, step.path)))
            if not step.name:
                _enter(folders, visitor)
        else:
            _enter(folders, visitor)  # also where it has no other file than this one, and this one is left out
            attributes = _attributes(folders, step)
            if attributes.get(_IGNORE) is True:
                continue
            content = read(source, step) if step.has_content else b""
            if convert and step.mode not in {_SYMLINK, _GITLINK}:
                content = _converted(step, content, attributes, commit_id, commit)
            _show(visitor, step, content)


def _enter(folders: list[_Folder], visitor: Visitor) -> None:
    """Have the visitor see those directories begin that it has not seen yet."""
    for folder in folders:
        if not folder.seen:
            visitor.enter(folder.name)
            folder.seen = True


def _show(visitor: Visitor, step: Step, content: bytes) -> None:
    if step.mode == _GITLINK:
        visitor.enter(step.name)
        visitor.leave()
    elif step.mode == _SYMLINK:
        visitor.symlink(step.name, content)
    else:
        visitor.file(step.name, executable=step.mode == _EXECUTABLE, size=len(content))
        if content:
            visitor.data(content)


def _read_attributes(source: ContentSource, trees: Trees, tree: bytes, path: bytes) -> Attributes:
    """Read a directory's ``.gitattributes``."""
    try:
        entry = trees.find(tree, (_FILE,))[0]
    except MalformedTree as error:
        raise Unfit("malformed-tree", str(error), path or None) from None
    if entry is None or entry.is_directory:
        return NO_ATTRIBUTES
    if not entry.is_regular_file:
        raise Undecidable(f"a .gitattributes in “{shown(path)}” is no file: what git makes of that is not known here")
    return parse_attributes(read(source, Step(entry.mode, path + b"/", _FILE, entry.id)))


def _attributes(folders: list[_Folder], step: Step) -> Mapping[bytes, Value]:
    """Return what the files say about an entry of the directory that was opened last."""
    files = []
    path: tuple[bytes, ...] = (step.name,)
    for folder in reversed(folders):
        files.append((folder.attributes, path))
        path = (folder.name, *path)
    return resolve(files, directory=step.mode in {DIRECTORY, _GITLINK})


def _converted(
    step: Step, content: bytes, attributes: Mapping[bytes, Value], commit_id: bytes, commit: Commit
) -> bytes:
    """Return what a file holds in the archive."""
    if attributes.get(b"working-tree-encoding") not in {None, False}:
        raise Undecidable(f"{shown(step.path)} is to be written in another encoding (working-tree-encoding)")
    if attributes.get(b"ident") is True and _IDENT.search(content):
        raise Undecidable(f"{shown(step.path)} is to have its id written into it (ident)")
    content = checked_out(content, line_ends(attributes))
    if attributes.get(b"export-subst") is not True:
        return content
    return _FORMAT.sub(lambda found: _filled_in(step, found[1], commit_id, commit), content)


def _filled_in(step: Step, text: bytes, commit_id: bytes, commit: Commit) -> bytes:
    """Fill in the placeholders of git-log(1) that hang on the commit alone, and on nobody's settings."""

    def value(found: re.Match[bytes]) -> bytes:
        what = found[1]
        simple = {b"n": b"\n", b"%": b"%", b"H": commit_id.hex().encode(), b"T": commit.tree.hex().encode()}
        if what in simple:
            return simple[what]
        if what == b"P":
            return b" ".join(parent.hex().encode() for parent in commit.parents)
        person = _PERSON.fullmatch({b"a": commit.author, b"c": commit.committer}.get(what[:1], b""))
        plain = person is not None and person[0].isascii()
        if person is None or len(what) == 1 or not plain:
            name = shown(found[0], 20)
            raise Undecidable(
                f"{shown(step.path)} is to have “{name}” filled in (export-subst), which differs by clone"
            )
        return person[{b"n": 1, b"e": 2, b"t": 3}[what[1:]]]

    return _PLACEHOLDER.sub(value, text)
