"""The index of evidence, made of anything."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.limits import LIMITS
from gitverify.nix import evidence
from gitverify.nix.evidence import MAGIC, BadEvidence, encode, index

OBJECTS = st.dictionaries(
    st.binary(min_size=20, max_size=20), st.tuples(st.sampled_from(["commit", "tree", "blob"]), st.binary(max_size=40))
)


def indexed(raw):
    return index(lambda at, size: raw[at : at + size], len(raw))


@given(objects=OBJECTS)
def test_what_is_written_is_found(objects):
    raw = b"".join(encode((each, *objects[each]) for each in sorted(objects)))
    found = indexed(raw)
    assert {each: (held.kind, raw[held.offset : held.offset + held.size]) for each, held in found.items()} == objects


@given(objects=OBJECTS, at=st.integers(0, 400), piece=st.binary(max_size=12), gone=st.integers(0, 12))
def test_of_anything_else_there_is_an_error_or_an_index_that_lies_within_it(objects, at, piece, gone):
    raw = b"".join(encode((each, *objects[each]) for each in sorted(objects)))
    at = min(at, len(raw))
    raw = raw[:at] + piece + raw[at + gone :]
    try:
        found = indexed(raw)
    except BadEvidence:
        return
    assert all(held.offset + held.size <= len(raw) for held in found.values())
    # There is one way to write it, so what is taken is what would be written.
    again = ((each, held.kind, raw[held.offset : held.offset + held.size]) for each, held in found.items())
    assert hashlib.sha256(b"".join(encode(again))).digest() == hashlib.sha256(raw).digest()


@given(raw=st.binary(max_size=100))
def test_bytes_are_none(raw):
    with pytest.raises(BadEvidence):
        indexed(b"x" + raw)


def test_there_is_a_limit(monkeypatch):
    raw = b"".join(encode((bytes([n]) * 20, "blob", b"") for n in range(1, 4)))
    assert len(indexed(raw)) == 3

    class Fewer:
        evidence_objects = 2

    monkeypatch.setattr(evidence, "LIMITS", Fewer)
    with pytest.raises(BadEvidence, match="more than 2 objects"):
        indexed(raw)
    assert LIMITS.evidence_objects > 2
    assert raw.startswith(MAGIC)
