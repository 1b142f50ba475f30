"""Patterns, compared with git's own reading of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.worktree.wildmatch import parse_pattern


def fits(pattern, path, *, directory=False):
    parsed = parse_pattern(pattern)
    return parsed is not None and parsed.matches(tuple(path.split(b"/")), directory=directory)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"a", b"a"),
        (b"a", b"x/a"),
        (b"/a", b"a"),
        (b"a/b", b"a/b"),
        (b"*.o", b"x/y.o"),
        (b"a*c", b"abbc"),
        (b"a*b*c", b"a-b-b-c"),
        (b"a?c", b"abc"),
        (b"a/**", b"a/b/c"),
        (b"**/c", b"c"),
        (b"**/c", b"a/b/c"),
        (b"a/**/c", b"a/c"),
        (b"a/**/c", b"a/b/b/c"),
        (b"**", b"a/b"),
        (b"[a-c]x", b"bx"),
        (b"[!a-c]x", b"dx"),
        (b"[^a-c]x", b"dx"),
        (b"[]a]x", b"]x"),
        (b"[a-]x", b"-x"),
        (b"[-a]x", b"-x"),
        (b"[\\]]x", b"]x"),
        (b"[[:digit:][:upper:]]x", b"Ax"),
        (b"[[:x]", b"["),
        (b"\\*a", b"*a"),
        (b"\\!a", b"!a"),
        (b"a\\/b", b"a/b"),
        (b"\xff*", b"\xff\xfe"),
        (b"a\nb", b"a\nb"),
        (b"a**b", b"axxb"),
    ],
)
def test_fits(pattern, path):
    assert fits(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"a", b"ab"),
        (b"a", b"A"),
        (b"/a", b"x/a"),
        (b"a/b", b"x/a/b"),
        (b"a/*", b"a/b/c"),
        (b"a/**", b"a"),
        (b"a*b", b"a/b"),
        (b"x/a?b", b"x/a/b"),
        (b"x/a[/]b", b"x/a/b"),
        (b"[a", b"[a"),
        (b"[[:nonsense:]]", b"a"),
        (b"[/]", b"/"),
        (b"[a\\", b"a"),
        (b"a\\", b"a\\"),
        (b"a/", b"a"),
        (b"a//", b"a"),
        (b"/", b"a"),
        (b"", b"a"),
        (b"**/a", b"b"),
        (b"a/**/b", b"a"),
    ],
)
def test_does_not_fit(pattern, path):
    assert not fits(pattern, path)


def test_directories_only():
    assert fits(b"a/", b"a", directory=True)
    assert fits(b"**/", b"a", directory=True)
    assert not fits(b"a/", b"a")


@given(st.binary(max_size=20), st.binary(min_size=1, max_size=10))
def test_any_bytes(pattern, name):
    fits(pattern, name.replace(b"/", b"x"))


@pytest.mark.parametrize("count", [1, 7, 40])
def test_many_asterisks_take_no_time(count):
    """Trying every way to share the name out among them would not end in a lifetime."""
    assert not fits(b"*a" * count + b"*b", b"a" * 255)
    assert not fits(b"x/" + b"**/a/" * count + b"b", b"x/" + b"a/" * 255 + b"c")
