"""Reading many signatures over documents, of which most are like one that was read before.

Those that one program makes with one key differ in when they were made and in the algorithm's values alone. So what was
read of one is taken over for the next one that has the same octets everywhere else; that is a third of the time which
reading takes, and one signature in a history of 100,000 is read once, not 100,000 times. Tests compare the results.
"""

from __future__ import annotations

from typing import NamedTuple

from gitverify.signatures.openpgp import OpenPgpSignature, parse_signature
from gitverify.signatures.packets import read_packet
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.subpackets import CREATED, Subpackets

_REMEMBERED = 1024
_TIME = 4  # octets of a creation time
_HASHED_AT = 6  # in a packet of version 4: after version, type, algorithms and the area's size (RFC 9580 §5.2.3)
_TRAILER_ENDS = 6  # octets of the trailer after the hashed area (§5.2.4)
_LONG_SIZE = 192  # from here on a subpacket's size takes more than one octet (§5.2.3.7)
_CREATED = b"\x05\x02"  # before the time: the size of a subpacket of it, and its type (RFC 9580 §5.2.3.11)


class _Known(NamedTuple):
    """A signature that was read: the octets before and after its creation time, up to its values, and what they say."""

    before: bytes
    after: bytes
    time: int
    after_time: int
    values: int
    hashed: bytes
    ending: bytes
    signature: OpenPgpSignature
    subpackets: Subpackets


_SIGNATURE = OpenPgpSignature._make
_SUBPACKETS = Subpackets._make


class SimilarSignatures:
    """Reads signatures, and remembers those that have been read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[int, bytes], _Known] = {}

    def parse(self, data: bytes) -> OpenPgpSignature:
        """Do what :func:`parse_signature` does, with the same result. Raises SignatureRefused."""
        size = len(data)
        # What GnuPG writes has its issuer here, whether the time comes before it or after it. It is a guess at what may
        # be alike, and no more.
        place = (size, data[15:27] if data[:1] == b"\x89" else data[14:26])
        known = self._known.get(place)
        if known is not None:
            before, after, at, then, values, hashed, ending, like, subpackets = known
            if data.startswith(before) and data.startswith(after, then):
                time = data[at:then]
                created = int.from_bytes(time, "big")
                return _SIGNATURE(
                    (
                        *like[:4],
                        created,
                        *like[5:8],
                        hashed + time + ending,
                        data[values:],
                        _SUBPACKETS((created, *subpackets[1:4], {**subpackets[4], CREATED: time}, *subpackets[5:])),
                        "",
                    )
                )
        signature = parse_signature(data)
        known = _known(data, signature)
        if known is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[place] = known
        return signature


def _known(data: bytes, signature: OpenPgpSignature) -> _Known | None:
    """Return what there is to know of a signature; None where its creation time is not as most programs write it.

    Another time in its place must make another time of what is read, and nothing else: it could be there twice.
    """
    if signature.version != 4:
        return None
    place = _place_of_time(signature.trailer)
    if place is None:
        return None
    _, body, end = read_packet(data)
    at = end - len(body) + place
    other = bytes(octet ^ 0xFF for octet in data[at : at + _TIME])
    try:
        changed = parse_signature(data[:at] + other + data[at + _TIME :])
    except SignatureRefused:
        return None
    hashed, ending = signature.trailer[:place], signature.trailer[place + _TIME :]
    expected = signature._replace(
        created=int.from_bytes(other, "big"),
        trailer=hashed + other + ending,
        subpackets=signature.subpackets._replace(
            created=int.from_bytes(other, "big"), signed={**signature.subpackets.signed, CREATED: other}
        ),
    )
    if changed != expected:  # pragma: no cover - the content of a subpacket says nothing of anything else
        return None
    then, values = at + _TIME, len(data) - len(signature.values)
    after = data[then : values - 2]  # there are two octets of the digest, too, which nothing is read from
    return _Known(data[:at], after, at, then, values, hashed, ending, signature, signature.subpackets)


def _place_of_time(trailer: bytes) -> int | None:
    """Return where in a packet of version 4 its creation time begins; None where it is written in an unusual way.

    Subpacket by subpacket, because octets that look like it may stand inside another one: who changes those changes
    what they say, and may change where others begin. The trailer begins as the packet does, and its hashed area is
    sound.
    """
    at, end = _HASHED_AT, len(trailer) - _TRAILER_ENDS
    while at < end and trailer[at] < _LONG_SIZE:
        if trailer.startswith(_CREATED, at):
            return at + len(_CREATED)
        at += 1 + trailer[at]
    return None
