"""Names that some file system takes for ``.git`` (R7).

Whoever runs git in an exported tree would run what such a directory's configuration says. R7 refuses ``.git`` itself,
in any case, in every tree that is read. Source: git's ``is_hfs_dotgit`` and ``is_ntfs_dotgit`` (utf8.c, path.c).
"""

from __future__ import annotations

import re
import unicodedata

_GIT = re.compile(r"\.git|git~[0-9]+")
_PARTS = re.compile(r"[\\:]")  # what NTFS separates directories by, and a file's name from that of a stream

# What HFS+ ignores, and Unicode's other default-ignorable characters that are not of category Cf.
_IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")


def looks_like_git(name: bytes) -> bool:
    """Return whether a name of a tree's entry is taken for ``.git`` where names are looked at less closely.

    Without regard to case, with characters that do not show, with other forms of the same letters; with dots and
    spaces at the end, in the short form that Windows gives it (``git~1``), as a stream's or in a Windows path.
    """
    if name.isascii():
        if b"git" not in name.lower():
            return False
        return _is_git(name.decode("ascii").lower())
    text = _IGNORED.sub("", name.decode("utf-8", "surrogateescape"))
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    # Letters that share a capital or a small letter are the same to some, such as an i without a dot, an I with one.
    folded = unicodedata.normalize("NFKC", text).replace("\u0130", "i").casefold()
    return _is_git(folded) or _is_git(folded.upper().lower())


def _is_git(text: str) -> bool:
    return any(_GIT.fullmatch(part.rstrip(" .")) for part in _PARTS.split(text))
