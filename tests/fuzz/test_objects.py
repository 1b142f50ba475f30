"""No bytes make the object parsers raise anything but their own errors."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.errors import MalformedObject
from gitverify.objects.commit import parse_commit, parse_head
from gitverify.objects.tag import parse_tag
from gitverify.objects.tree import parse_tree
from gitverify.objects.treechanges import check, compare

COMMIT = (
    b"tree 0123456789012345678901234567890123456789\nparent abcdefabcdefabcdefabcdefabcdefabcdefabcd\n"
    b"author A <a@b> 1 +0000\ncommitter A <a@b> 2 +0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n"
    b" -----END SSH SIGNATURE-----\nmergetag x\n y\n\nmessage\n"
)
TREE = b"100644 a\0" + bytes(20) + b"40000 b\0" + bytes(range(20)) + b"160000 c\0" + bytes(20)
TAG = b"object 0123456789012345678901234567890123456789\ntype commit\ntag v\ntagger T <t@u> 1 +0000\n\nm\n"


def mutated(seed):
    """Byte strings near a valid one: pieces cut, repeated and overwritten."""
    position = st.integers(0, len(seed))
    return st.builds(
        lambda at, to, new: seed[: min(at, to)] + new + seed[max(at, to) :], position, position, st.binary(max_size=30)
    )


@given(st.one_of(st.binary(), mutated(COMMIT)))
def test_commit(raw):
    with suppress(MalformedObject):
        commit = parse_commit(raw)
        head = parse_head(raw)
        assert (head.tree, head.parents) == (commit.tree, commit.parents)
        assert len(commit.payload) <= len(raw)


@given(st.one_of(st.binary(), mutated(TREE)))
def test_tree(raw):
    with suppress(MalformedObject):
        entries = parse_tree(raw)
        again = b"".join(e.mode + b" " + name + b"\0" + e.id for name, e in entries.items())
        assert again == raw


@given(st.one_of(st.just(TREE), st.just(b""), mutated(TREE)), st.one_of(st.binary(), mutated(TREE), mutated(TREE * 9)))
def test_comparing_trees(old, new):
    """A tree is refused, with the same words, or passes as it does alone."""
    checked = check(b"" if refusal(parse_tree, old) else old)
    assert refusal(compare, checked, new) == refusal(parse_tree, new)


def refusal(function, *arguments):
    try:
        function(*arguments)
    except MalformedObject as error:
        return str(error)
    return None


@given(st.one_of(st.binary(), mutated(TAG)))
def test_tag(raw):
    with suppress(MalformedObject):
        tag = parse_tag(raw)
        assert raw.startswith(tag.payload)


HOSTILE = {
    "entries": lambda size: b"".join(b"100644 %07d\0" % n + bytes(20) for n in range(size // 35)),
    "modes": lambda size: b"100644 " * (size // 7),
    "one name": lambda size: b"100644 " + b"x" * size + b"\0" + bytes(20),
    "fields": lambda size: COMMIT.partition(b"gpgsig")[0] + b"x y\n" * (size // 4) + b"\n",
    "folded": lambda size: COMMIT.partition(b"gpgsig")[0] + b"gpgsig a\n" + b" \n" * (size // 2) + b"\n",
    "parents": lambda size: COMMIT[:46] + COMMIT[46:94] * (size // 48) + COMMIT[94:],
    "signatures": lambda size: TAG + b"-----BEGIN PGP SIGNATURE-----\n" * (size // 30),
}


@pytest.mark.parametrize("parse", [parse_commit, parse_tree, parse_tag])
@pytest.mark.parametrize("kind", HOSTILE)
def test_memory_stays_a_small_multiple_of_the_input(parse, kind):
    raw = HOSTILE[kind](1_000_000)
    tracemalloc.start()
    try:
        with suppress(MalformedObject):
            parse(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(raw)
