"""The CRC-24 of ASCII armor (RFC 9580 §6.1.1), fast enough to be computed for every signature of a history.

A CRC is the remainder of the message, read as a polynomial over GF(2), by a generator. Octet by octet that takes
longer in Python than checking an RSA signature. Here the message is one big integer, and most of it goes away in a
few shifts: where ``x^k`` leaves the same remainder as a sum of low powers, everything from bit ``k`` up can be folded
down onto the low bits. The few octets that are left are looked up, each in the table for its place. Tests compare the
result with the octet-by-octet definition.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import getitem, xor

_GENERATOR = 0x1864CFB
_START = 0xB704CE

# For each (k, a, b, c): x^k = (1 + x^a) (1 + x^b) + x^c modulo the generator. They were found by search. As squaring
# is linear over GF(2), doubling all four numbers gives another such relation.
_RELATIONS = ((2455, 35, 52, 36), (1285, 41, 56, 31), (694, 1, 54, 16), (423, 14, 17, 56), (261, 8, 34, 19))
# After these, 261 bits are left. Smaller relations of this form were not found, but one with a factor more:
# x^126 = (1 + x^7) (1 + x^9) (1 + x^17) + x^7.
_LAST, _LAST_MASK = 126, (1 << 126) - 1
_FOLDED_OCTETS = 21  # for the 168 bits that are left after that: 135 above bit 126, times x^33
_FOLDS = tuple((*relation, (1 << relation[0]) - 1) for relation in _RELATIONS)
_USUAL_BITS = 2 * 2455 - 87  # what one pass over the folds is enough for; RSA-4096 signatures have some 4,600


def crc24(data: bytes) -> int:
    """Return the 24-bit checksum of ``data``, as an armor's last line has it (there in base64, after ``=``)."""
    size = 8 * len(data)
    value = int.from_bytes(data, "big") << 24 ^ _START << size
    if size > _USUAL_BITS - 24:
        value = _fold_large(value)
    for k, a, b, c, mask in _FOLDS:
        high = value >> k
        if high:
            product = high ^ high << a
            value = value & mask ^ product ^ product << b ^ high << c
    high = value >> _LAST
    product = high ^ high << 7
    product ^= product << 9
    value = value & _LAST_MASK ^ product ^ product << 17 ^ high << 7
    return reduce(xor, map(getitem, _tables(), value.to_bytes(_FOLDED_OCTETS, "big")))


def _fold_large(value: int) -> int:
    """Fold a long message down to a usual size, halving it each time: linear in its length."""
    k, a, b, c = _RELATIONS[0]
    for times in range((value.bit_length() // k).bit_length(), -1, -1):
        while high := value >> (k << times):
            product = high ^ high << (a << times)
            value = value & (1 << (k << times)) - 1 ^ product ^ product << (b << times) ^ high << (c << times)
    return value


@cache
def _tables() -> tuple[list[int], ...]:
    """Return, for each place among the last octets, the remainder that each octet leaves there."""
    carry = [_times_octet(octet << 16) for octet in range(256)]
    places = [list(range(256))]  # the last octet is below the generator: it is its own remainder
    while len(places) < _FOLDED_OCTETS:
        places.insert(0, [(rest << 8) & 0xFFFFFF ^ carry[rest >> 16] for rest in places[0]])
    return tuple(places)


def _times_octet(remainder: int) -> int:
    """Multiply by x^8, modulo the generator."""
    for _ in range(8):
        remainder <<= 1
        if remainder >> 24:
            remainder ^= _GENERATOR
    return remainder
