"""Annotated tags are parsed strictly (R4)."""

import pytest

from gitverify.errors import MalformedTag
from gitverify.limits import LIMITS
from gitverify.objects.tag import parse_tag

HEAD = b"object " + b"a" * 40 + b"\ntype commit\ntag v1\ntagger T <t@u> 1700000000 +0000\n"
SIGNATURE = b"-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n"


def test_a_plain_tag():
    tag = parse_tag(HEAD + b"\nrelease\n")
    assert tag.target == bytes.fromhex("aa" * 20)
    assert (tag.target_type, tag.name, tag.tagger) == ("commit", b"v1", b"T <t@u> 1700000000 +0000")
    assert (tag.signature, tag.payload, tag.message) == (None, HEAD + b"\nrelease\n", b"release\n")


def test_a_signature_ends_the_payload():
    tag = parse_tag(HEAD + b"\nrelease\n" + SIGNATURE)
    assert (tag.signature, tag.payload, tag.message) == (SIGNATURE, HEAD + b"\nrelease\n", b"release\n")


def test_the_last_signature_counts_as_in_git():
    tag = parse_tag(HEAD + b"\n" + SIGNATURE + b"more\n" + SIGNATURE)
    assert tag.signature == SIGNATURE
    assert tag.payload.endswith(b"more\n")


def test_old_tags_have_no_tagger_and_empty_ones_no_message():
    tag = parse_tag(HEAD.rpartition(b"tagger")[0])
    assert (tag.tagger, tag.message) == (None, b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        HEAD.replace(b"a" * 40, b"A" * 40) + b"\n",
        HEAD.replace(b"commit", b"branch") + b"\n",
        HEAD.replace(b"tag v1\n", b"") + b"\n",
        HEAD.replace(b"v1", b"v\0") + b"\n",
        HEAD + b"extra field\n\n",
        HEAD + b"gpgsig x\n\n",
    ],
)
def test_other_headers_are_refused(raw):
    with pytest.raises(MalformedTag):
        parse_tag(raw)


def test_a_large_tag_is_refused():
    with pytest.raises(MalformedTag, match="limit"):
        parse_tag(HEAD + b"\n" + b"x" * LIMITS.tag_size)
