"""Points of small order on the two curves."""

from __future__ import annotations

import pytest

from gitverify.signatures import edwards
from gitverify.signatures.edwards import ED25519_PRIME, is_small_order

PRIME = 2**448 - 2**224 - 1
D = -39081 % PRIME
NEUTRAL = (0, 1)


def add(a, b):
    """RFC 8032 §5.2: edwards448 is x^2 + y^2 = 1 + d x^2 y^2."""
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, PRIME)
    return x % PRIME, (a[1] * b[1] - a[0] * b[0]) * pow(1 - product, -1, PRIME) % PRIME


@pytest.mark.parametrize("point", [NEUTRAL, (0, PRIME - 1), (1, 0), (PRIME - 1, 0)])
def test_the_points_of_order_four_at_most(point):
    """The cofactor is 4: four times a point of small order is the neutral element, and there are four of them."""
    twice = add(point, point)
    assert add(twice, twice) == NEUTRAL
    for sign in (0, 0x80):
        assert is_small_order(point[1].to_bytes(56, "little") + bytes([sign]))
        if point[1] < 3:
            assert is_small_order((point[1] + PRIME).to_bytes(56, "little") + bytes([sign]))


def test_others():
    assert not is_small_order((2).to_bytes(57, "little"))
    assert not is_small_order((2).to_bytes(32, "little"))
    assert not is_small_order((3 + 2**255).to_bytes(32, "little"))


def test_all_points_of_small_order_on_ed25519_are_known():
    # RFC 8032 §5.1: multiply points of the whole curve by the prime order of the base point's subgroup.
    prime, order = ED25519_PRIME, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, prime) % prime

    def add(a, b):
        product = d * a[0] * b[0] * a[1] * b[1]
        x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, prime)
        return x % prime, (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, prime) % prime

    def times(point, factor):
        total = (0, 1)
        while factor:
            if factor & 1:
                total = add(total, point)
            point, factor = add(point, point), factor >> 1
        return total

    found = set()
    for y in range(2, 40):
        square = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
        x = pow(square, (prime + 3) // 8, prime)
        x = x if x * x % prime == square else x * pow(2, (prime - 1) // 4, prime) % prime
        if x * x % prime == square:
            found.add(times((x, y), order)[1])
    assert found == edwards._ED25519
