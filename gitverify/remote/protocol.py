"""What git asks of a remote helper. Source: gitremote-helpers(7), "Capabilities" and "Commands".

Only ``connect`` is offered: git then speaks to ``git upload-pack`` itself, on a repository that holds nothing that was
not verified. With ``fetch`` git would have the objects before anybody could refuse them, and find them the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

UPLOAD_PACK = "git-upload-pack"
_MOST = 4096  # bytes of a line


class BadRequest(GitverifyError):
    """Git asks for something that is not offered."""


def requested(read: Callable[[], bytes], write: Callable[[bytes], object]) -> bool:
    """Talk with git until it asks for objects; False where it asks for nothing.

    ``read`` gives one byte, or none at the end: what comes after a line may be for ``git upload-pack``. Raises
    BadRequest.
    """
    while True:
        line = _line(read)
        if line == b"capabilities":
            write(b"connect\n\n")
        elif line in {None, b""}:
            return False
        elif line == f"connect {UPLOAD_PACK}".encode():
            return True
        elif line == b"connect git-receive-pack":
            raise BadRequest("a verified remote is for reading: push to the URL without “verified::”")
        else:
            raise BadRequest(f"git asks for “{shown(line or b'')}”, which a verified remote does not do")


def _line(read: Callable[[], bytes]) -> bytes | None:
    line = b""
    while (byte := read()) != b"\n":
        if not byte or len(line) >= _MOST:
            return None
        line += byte
    return line
