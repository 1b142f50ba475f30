"""OpenPGP packet framing and integers (RFC 9580 §3.2 and §4.2), in the old and the new packet format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = 2
SECRET_KEY = 5
PUBLIC_KEY = 6
MARKER = 10
TRUST = 12
USER_ID = 13
PUBLIC_SUBKEY = 14
PADDING = 21
FIRST_PRIVATE = 40  # RFC 9580 §4.3: packets of this number or above are ignored where they are unknown


class MalformedPacket(GitverifyError):
    """Octets are not a well-formed OpenPGP packet. Callers turn it into their own refusal."""


# One packet: its type (RFC 9580 §5), its content, and the offset of the first octet after it. A plain tuple, because
# there is one for every signature of a history and every packet of a keyring.
Packet = tuple[int, bytes, int]


def read_packet(data: bytes, start: int = 0) -> Packet:
    """Read the packet that begins at offset ``start``.

    Partial lengths and lengths of an old-format packet that runs to the end are refused: only packets of message data
    may have them (RFC 9580 §4.2.1.4), and there are none in a signature or a certificate. A length that could have
    been written shorter is accepted.

    Raises MalformedPacket where that is no packet, or where it is cut off.
    """
    try:
        first = data[start]
        octet = data[start + 1]
        if first & 0xC0 == 0x80:
            tag = first >> 2 & 15
            width = 1 << (first & 3)
            if width == 8:
                raise MalformedPacket("a packet of indeterminate length")
            content = start + 1 + width
            size = int.from_bytes(data[start + 1 : content], "big")
        elif first & 0xC0 == 0xC0:
            tag = first & 63
            if octet < 192:
                content, size = start + 2, octet
            elif octet < 224:
                content, size = start + 3, (octet - 192 << 8) + data[start + 2] + 192
            elif octet == 255:
                content, size = start + 6, int.from_bytes(data[start + 2 : start + 6], "big")
            else:
                raise MalformedPacket("a packet of partial length")
        else:
            raise MalformedPacket("octets that are no packet")
    except IndexError:
        raise MalformedPacket("a packet's header is cut off") from None
    end = content + size
    if end > len(data):
        raise MalformedPacket("a packet is cut off")
    if not tag:
        raise MalformedPacket("a packet of the reserved type 0")
    return tag, data[content:end], end


def packets(data: bytes) -> Iterator[Packet]:
    """Yield the packets that ``data`` consists of. Raises MalformedPacket at the first that is none."""
    position = 0
    while position < len(data):
        packet = read_packet(data, position)
        position = packet[2]
        yield packet


def read_integers(data: bytes, count: int, *, strict: bool) -> list[bytes]:
    """Read the multiprecision integers that ``data`` consists of, ``count`` of them, as big-endian octets.

    The octets are returned as written. ``strict`` (what RFC 9580 §3.2 asks for in version 6 packets): the bit count
    must be that of the number. Otherwise only the octet count that follows from it matters, as for gpg and Guix:
    there have been writers that count the bits of a leading zero octet too.

    Raises MalformedPacket where the integers are cut off, or are followed by more.
    """
    integers = []
    position = 0
    try:
        for _ in range(count):
            bits = data[position] << 8 | data[position + 1]
            start = position + 2
            position = start + (bits + 7 >> 3)
            integer = data[start:position]
            if strict and int.from_bytes(integer, "big").bit_length() != bits:
                raise MalformedPacket("an integer's bit count is wrong")
            integers.append(integer)
    except IndexError:
        raise MalformedPacket("integers that are cut off") from None
    if position != len(data):
        raise MalformedPacket("integers that are cut off" if position > len(data) else "octets after the last integer")
    return integers
