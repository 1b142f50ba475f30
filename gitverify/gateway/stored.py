"""Compressed formats without compression: the same bytes on every machine, whatever library it has. Pure.

What a compressor makes of the same input changes between its versions, and between zlib and its replacements. Both
formats have blocks that hold their content as it is. That takes more room, and on loopback less time than compressing.
Sources: RFC 1951 (3.2.4) and RFC 1952; "The .xz File Format" 1.2.1; for LZMA2's chunks, xz's ``lzma2_decoder.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[bytes | memoryview], object]


class Packer(Protocol):
    """Puts what is written to it into a format."""

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Go on."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


class _Blocks:
    """Cuts what is written into blocks of one size, but for the last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._gathered = bytearray()
        self.check = 0
        self.length = 0

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Go on."""
        self.check = crc32(piece, self.check)
        self.length += len(piece)
        rest = memoryview(piece)
        while len(self._gathered) + len(rest) >= self._size:
            taken = self._size - len(self._gathered)
            if self._gathered:
                self._gathered += rest[:taken]
                self._block(memoryview(bytes(self._gathered)))
                self._gathered.clear()
            else:
                self._block(rest[:taken])
            rest = rest[taken:]
        self._gathered += rest

    def _last(self) -> None:
        if self._gathered:
            self._block(memoryview(bytes(self._gathered)))
            self._gathered.clear()

    def _block(self, content: memoryview) -> None:
        raise NotImplementedError


class StoredGzip(_Blocks):
    """gzip, with blocks of type 0."""

    def __init__(self, write: Write) -> None:
        """Write the header: no name, no time."""
        super().__init__(0xFFFF)
        self._out = write
        write(b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff")

    def finish(self) -> None:
        """Write what is left, and the trailer."""
        self._last()
        self._out(b"\x01\x00\x00\xff\xff" + _little(self.check) + _little(self.length & 0xFFFF_FFFF))

    def _block(self, content: memoryview) -> None:
        size = len(content)
        self._out(b"\x00" + _little(size, 2) + _little(size ^ 0xFFFF, 2))
        self._out(content)


_XZ_FLAGS = b"\x00\x01"  # checked by CRC32
_XZ_FILTER = b"\x02\x00\x21\x01\x08" + bytes(3)  # one filter: LZMA2, with a dictionary of 64 KiB


class StoredXz(_Blocks):
    """xz, in one block, with LZMA2 chunks that are not compressed."""

    def __init__(self, write: Write) -> None:
        """Write the headers of the stream and of the block."""
        super().__init__(1 << 16)
        self._out = write
        self._packed = 0
        write(b"\xfd7zXZ\x00" + _XZ_FLAGS + _checked(_XZ_FLAGS))
        write(_XZ_FILTER + _checked(_XZ_FILTER))

    def finish(self) -> None:
        """Write what is left, the index and the footer."""
        self._last()
        self._packed += 1
        self._out(b"\x00" + bytes(-self._packed % 4) + _little(self.check))
        unpadded = len(_XZ_FILTER) + 4 + self._packed + 4
        index = b"\x00\x01" + _varying(unpadded) + _varying(self.length)
        index += bytes(-len(index) % 4)
        self._out(index + _checked(index))
        tail = _little((len(index) + 4) // 4 - 1) + _XZ_FLAGS
        self._out(_checked(tail) + tail + b"YZ")

    def _block(self, content: memoryview) -> None:
        head = (b"\x02" if self._packed else b"\x01") + (len(content) - 1).to_bytes(2, "big")
        self._packed += len(head) + len(content)
        self._out(head)
        self._out(content)


def _little(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def _checked(content: bytes) -> bytes:
    return _little(crc32(content))


def _varying(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
