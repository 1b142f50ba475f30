"""What is different about a file, in words; and whether the commit itself asks for it."""

from __future__ import annotations

import stat
import unicodedata
from typing import TYPE_CHECKING

from gitverify.text import shown
from gitverify.worktree.lineends import LineEnds, checked_out, line_ends, same_but_for_line_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitverify.worktree.attributes import Value

    # A variable of git's configuration. They explain a difference and excuse none.
    Setting = Callable[[str], str | None]

OTHER_CONTENT = "modified: other content than in the commit"

_KINDS = {b"40000": "a directory", b"100644": "a file", b"100755": "a file", b"120000": "a symlink"}
_FOUND = {
    stat.S_IFDIR: "a directory",
    stat.S_IFREG: "a file",
    stat.S_IFLNK: "a symlink",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind(mode: int) -> str:
    """Return what a file of this ``st_mode`` is, with its article."""
    return _FOUND.get(stat.S_IFMT(mode), "something else")


def other_kind(mode: bytes, found: int) -> str:
    """Say that something of another kind (an ``st_mode``) is where the commit has an entry of this mode."""
    return f"modified: {kind(found)} is where the commit has {_KINDS.get(mode, 'a submodule')}"


def conversion(attributes: Mapping[bytes, Value]) -> str | None:
    """Say why a file can't be compared that its attributes have git change on checkout; None where they don't."""
    filtered, encoding = attributes.get(b"filter"), attributes.get(b"working-tree-encoding")
    if isinstance(filtered, bytes):
        return (
            f"modified: .gitattributes puts it through the filter “{shown(filtered)}”, a program that is not run "
            "here: what it makes is not what was signed"
        )
    if isinstance(encoding, bytes) and encoding:
        return f"modified: .gitattributes asks for the encoding {shown(encoding)}, in which the bytes are others"
    if attributes.get(b"ident") is True:
        return "modified: .gitattributes has git write into it (ident), so the bytes are others"
    return None


def content(found: bytes, blob: bytes | None, attributes: Mapping[bytes, Value], setting: Setting) -> str | None:
    """Say in what a file's content differs from the blob; None where it is what the attributes make of the blob."""
    converted = conversion(attributes)
    if converted is not None or blob is None:
        return converted or OTHER_CONTENT
    ends = line_ends(attributes)
    if found == checked_out(blob, ends):
        return None
    if not same_but_for_line_ends(found, blob):
        return OTHER_CONTENT
    said = "modified: only the line ends are others than in the commit"
    if ends in {LineEnds.CRLF, LineEnds.CRLF_IF_TEXT}:
        return f"{said}, and not as its .gitattributes asks either"
    for name in ("core.autocrlf", "core.eol"):
        value = setting(name)
        if value is not None:
            return f"{said}; this clone has {name} = {shown(value, 20)}"
    return said


def symlink(found: bytes) -> str:
    """Say where a symlink leads."""
    return f"modified: it leads to “{shown(found)}”, elsewhere than in the commit"


def text_of_a_symlink(setting: Setting) -> str:
    """Say that there is a file with a symlink's target in it."""
    because = "; this clone has core.symlinks = false" if _is_off(setting, "core.symlinks") else ""
    return f"modified: the target is written in a file where the commit has a symlink{because}"


def executable(found: bool, setting: Setting) -> str:
    """Say that a file is executable, or is not."""
    because = "; this clone has core.fileMode = false" if _is_off(setting, "core.filemode") else ""
    return f"modified: it is {'' if found else 'not '}executable, other than in the commit{because}"


def missing(mode: bytes, alike: bytes | None, setting: Setting) -> str:
    """Say that an entry of this mode is not there; ``alike`` is there, with a name that could be taken for its."""
    message = "missing, with all that is below it" if mode == b"40000" else "missing"
    if alike is not None:
        return f"{message}; “{shown(alike)}” is there, which is another name"
    if setting("core.sparsecheckout") == "true":
        return f"{message}; this is a sparse checkout"
    return message


def added(mode: int, *, ignored: bool, named: bool) -> str:
    """Say that the commit doesn't have this; ``named``: by ``--allow-ignored``."""
    what = kind(mode)
    if ignored:
        return f"ignored: {what} that the commit doesn't have, and has git ignore"
    but = "; --allow-ignored allows what the commit has git ignore, and it doesn't this" if named else ""
    return f"added: {what} that the commit doesn't have{but}"


def folded(name: bytes) -> str:
    """Return a name as file systems fold it that keep no case, or no form of Unicode."""
    return unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")).casefold()


def _is_off(setting: Setting, name: str) -> bool:
    return (setting(name) or "").lower() in {"false", "no", "off", "0"}
