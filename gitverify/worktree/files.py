"""Reading one file of a checkout: opened once, never waited for, never through a symlink."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from gitverify.limits import LIMITS
from gitverify.source import is_blob, is_file_of_blob

if TYPE_CHECKING:
    from gitverify.source import Repository

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_EXECUTABLE = 0o100  # the owner's bit, as git reads it


class File(NamedTuple):
    """What was read: its ``st_mode``, and the content, None if that is larger than what is kept in memory."""

    mode: int
    same: bool
    content: bytes | None

    @property
    def executable(self) -> bool:
        """Whether git would record it as executable."""
        return bool(self.mode & _EXECUTABLE)


def read_file(name: bytes, directory: int, blob: bytes, repository: Repository) -> File:
    """Read the file ``name`` of the open ``directory``; ``same``: it has the content of the blob with this id.

    Raises OSError. What is no regular file has no content and is not the same.
    """
    handle = os.open(name, _FLAGS, dir_fd=directory)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return File(status.st_mode, same=False, content=None)
        content = _content(handle, status.st_size)
        if content is not None:
            return File(status.st_mode, is_blob(content, blob), content)
        size = repository.packed_size(blob)
        same = size in {None, os.fstat(handle).st_size} and is_file_of_blob(handle, blob)
        return File(status.st_mode, same, None)
    finally:
        os.close(handle)


def _content(handle: int, size: int) -> bytes | None:
    """Read all of a file that should have so many bytes; None for a large one."""
    if size > LIMITS.blob_size:
        return None
    content = b""
    while len(content) <= LIMITS.blob_size:
        more = os.read(handle, max(size + 1 - len(content), 1 << 16))
        if not more:
            return content
        content = content + more if content else more
    return None
