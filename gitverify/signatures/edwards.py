"""Points that are no keys: on a twisted Edwards curve a few have an order so small that anyone can sign "with" them.

RFC 8032 has a verifier take them, and OpenSSL does: with the neutral element as key and as R, and zero as S, the
equation holds for every message.
"""

from __future__ import annotations

ED25519_PRIME = 2**255 - 19  # RFC 8032 §5.1
_ED448_PRIME = 2**448 - 2**224 - 1  # RFC 8032 §5.2

# The y coordinates of the eight points of small order of the one curve, and of the four of the other.
_ED25519 = frozenset(
    {
        0,
        1,
        ED25519_PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
_ED448 = frozenset({0, 1, _ED448_PRIME - 1})


def is_small_order(point: bytes) -> bool:
    """Whether an encoded point of Ed25519 (32 octets) or Ed448 (57 octets) has a small order."""
    value = int.from_bytes(point, "little")
    if len(point) == 32:
        return value % 2**255 % ED25519_PRIME in _ED25519
    return value % 2**448 % _ED448_PRIME in _ED448
