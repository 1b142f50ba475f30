"""What people write as values."""

import pytest

from gitverify.values import parse_commit_id, parse_duration, parse_key, parse_size


def test_a_commit_id_is_whole():
    assert parse_commit_id("aB" * 20) == bytes.fromhex("ab" * 20)
    assert len(parse_commit_id("ab" * 32)) == 32
    for text in ("ab" * 19, "main", "HEAD", "ab" * 20 + "\n", "zz" * 20, ""):
        with pytest.raises(ValueError, match="not a whole commit id"):
            parse_commit_id(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ab" * 20, "AB" * 20),
        ("0xab" + "ab" * 19, "AB" * 20),
        ("2A39 3FFF 68F4 EF7A 3D29  12AF 6F51 20A0 22FB B2D5", "2A393FFF68F4EF7A3D2912AF6F5120A022FBB2D5"),
        ("ab" * 32, "AB" * 32),
        ("SHA256:" + "a" * 43, "SHA256:" + "a" * 43),
        ("SHA256:" + "a" * 43 + "=", "SHA256:" + "a" * 43),
    ],
)
def test_keys(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "alice", "ABCD1234", "SHA256:short", "MD5:" + "a" * 43, "ssh-ed25519 AAAA"])
def test_what_is_no_key(text):
    with pytest.raises(ValueError, match="not a key"):
        parse_key(text)


def test_durations():
    assert [parse_duration(t) for t in ("5s", "2m", "3h", " 14d ", "1w")] == [5, 120, 10800, 1209600, 604800]
    for text in ("", "14", "d", "-1d", "1y", "1.5d"):
        with pytest.raises(ValueError, match="not a duration"):
            parse_duration(text)


def test_sizes():
    assert [parse_size(text) for text in ("1K", " 2M ", "4G", "1T")] == [1024, 2 << 20, 4 << 30, 1 << 40]
    for text in ("", "4", "0G", "G", "-1G", "4g", "1.5G"):
        with pytest.raises(ValueError, match="not a size"):
            parse_size(text)
