"""A pack written object by object, in the process that has them: hundreds of thousands, without a process each."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING

from fixtures.lib.packs import entry_header

if TYPE_CHECKING:
    from pathlib import Path

Record = tuple[bytes, bytes]
"""An object's raw id, and the bytes that stand for it in a pack."""


def record(kind: str, body: bytes) -> Record:
    """Hash and compress an object."""
    name = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(body)) + body, usedforsecurity=False).digest()
    # Setting up takes longer than compressing; a smaller window needs less of it, and the objects are small.
    compressor = zlib.compressobj(1, zlib.DEFLATED, 12, 5)
    return name, entry_header(kind, len(body)) + compressor.compress(body) + compressor.flush()


class PackWriter:
    """Writes a pack of version 2; an object that is there already is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._file.write(b"PACK" + struct.pack(">II", 2, 0))
        self._seen: set[bytes] = set()

    def add(self, item: Record) -> bytes:
        name, data = item
        if name not in self._seen:
            self._seen.add(name)
            self._file.write(data)
        return name

    def finish(self) -> None:
        """Write what is known only now, the number of objects and the checksum, and have git make the index."""
        self._file.seek(8)
        self._file.write(struct.pack(">I", len(self._seen)))
        self._file.seek(0)
        checksum = hashlib.file_digest(self._file, lambda: hashlib.sha1(usedforsecurity=False))
        self._file.write(checksum.digest())
        self._file.close()
        named = self._path.with_name(f"pack-{checksum.hexdigest()}.pack")
        self._path.rename(named)
        subprocess.run(["git", "index-pack", str(named)], check=True, stdout=subprocess.DEVNULL)
