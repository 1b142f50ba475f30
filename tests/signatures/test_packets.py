"""Packet framing and multiprecision integers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.lib.pgpwriter import mpi, packet
from gitverify.signatures.packets import MalformedPacket, packets, read_integers, read_packet

SIZES = [0, 1, 191, 192, 193, 8383, 8384, 65535, 65536, 70_000]


@pytest.mark.parametrize("size", SIZES)
def test_new_format(size):
    data = packet(60, bytes(size))
    assert read_packet(data) == (60, bytes(size), len(data))


@pytest.mark.parametrize("size", SIZES)
def test_old_format(size):
    data = packet(13, bytes(size), old=True)
    assert read_packet(data) == (13, bytes(size), len(data))


@pytest.mark.parametrize("shape", [{"width": 5}, {"old": True, "width": 2}, {"old": True, "width": 4}])
def test_lengths_may_be_longer_than_needed(shape):
    data = packet(2, b"abc", **shape)
    assert read_packet(b"xx" + data, 2) == (2, b"abc", len(data) + 2)


@given(st.lists(st.tuples(st.integers(1, 15), st.binary(max_size=300), st.booleans())))
@settings(deadline=None)
def test_a_row_of_packets(wanted):
    data = b"".join(packet(tag, body, old=old) for tag, body, old in wanted)
    assert [(tag, body) for tag, body, _ in packets(data)] == [(tag, body) for tag, body, _ in wanted]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (b"\xc2", "cut off"),
        (b"\x88", "cut off"),
        (b"\xc2\xc0", "cut off"),
        (b"\xc2\x03ab", "cut off"),
        (b"\x99\x00", "cut off"),
        (b"\x99\x00\x03ab", "cut off"),
        (b"\xc2\xff\0\0\0", "cut off"),
        (b"\xc2\xff\xff\xff\xff\xff", "cut off"),
        (b"\x02\x01a", "no packet"),
        (b"\x42\x01a", "no packet"),
        (b"\x8bsome", "indeterminate length"),
        (b"\xc2\xe0a\x00", "partial length"),
        (b"\xc2\xfea\x00", "partial length"),
        (b"\xc0\x01a", "reserved type"),
        (b"\x80\x01a", "reserved type"),
    ],
)
def test_refused(data, message):
    with pytest.raises(MalformedPacket, match=message):
        read_packet(data)


def test_what_follows_the_last_packet_must_be_one():
    found = packets(packet(2, b"a") + b"garbage")
    assert next(found)[:2] == (2, b"a")
    with pytest.raises(MalformedPacket):
        next(found)


@given(st.lists(st.integers(0, 1 << 200), max_size=4))
@settings(deadline=None)
def test_integers(numbers):
    data = b"".join(map(mpi, numbers))
    for strict in (False, True):
        found = read_integers(data, len(numbers), strict=strict)
        assert [int.from_bytes(octets, "big") for octets in found] == numbers


@pytest.mark.parametrize("bits", [248, 252, 256])
def test_a_wrong_bit_count_matters_in_version_6_only(bits):
    data = mpi(1 << 250, 251)
    claimed = bits.to_bytes(2, "big") + data[2:]
    assert read_integers(data, 1, strict=True) == [data[2:]]
    if bits > 248:
        assert read_integers(claimed, 1, strict=False) == [data[2:]]
    with pytest.raises(MalformedPacket):
        read_integers(claimed, 1, strict=True)


@pytest.mark.parametrize(
    ("data", "count", "message"),
    [
        (b"", 1, "cut off"),
        (b"\0", 1, "cut off"),
        (mpi(300)[:-1], 1, "cut off"),
        (mpi(300), 2, "cut off"),
        (mpi(300) + b"x", 1, "octets after"),
        (mpi(300) * 2, 1, "octets after"),
    ],
)
def test_integers_refused(data, count, message):
    with pytest.raises(MalformedPacket, match=message):
        read_integers(data, count, strict=False)
