"""The fast checksum is the one that RFC 9580 defines."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.lib import pgpwriter
from gitverify.signatures.crc24 import crc24


@given(st.binary(max_size=800))
@settings(deadline=None)
def test_small_data(data):
    assert crc24(data) == pgpwriter.crc24(data)


# Around the sizes at which one more fold is needed: 599 octets are 4,792 bits, the most for one pass.
@pytest.mark.parametrize("size", [*range(20, 100), 305, 306, 307, 308, *range(590, 620), 1200, 1228, 5000, 70_001])
def test_sizes_at_the_folds(size):
    data = random.Random(size).randbytes(size)
    assert crc24(data) == pgpwriter.crc24(data)
    assert crc24(b"\xff" * size) == pgpwriter.crc24(b"\xff" * size)


def test_known_value():
    assert crc24(b"") == 0xB704CE  # RFC 9580 §6.1.1: the initial value
    assert crc24(b"123456789") == 0x21CF02  # the check value of CRC-24/OPENPGP


def test_a_flipped_bit_shows():
    data = bytes(600)
    for bit in range(0, 4800, 97):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert crc24(bytes(changed)) != crc24(data)
