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


def test_text_after_the_signature_is_part_of_it_and_will_not_pass_as_one():
    tag = parse_tag(HEAD + b"\nrelease\n" + SIGNATURE + b"and more\n")
    assert (tag.signature, tag.message) == (SIGNATURE + b"and more\n", b"release\n")


@pytest.mark.parametrize("kind", [b"PGP SIGNATURE", b"PGP MESSAGE", b"SSH SIGNATURE", b"SIGNED MESSAGE"])
def test_a_line_that_begins_any_signature_ends_the_message(kind):
    begin = b"-----BEGIN " + kind + b"-----"
    tag = parse_tag(HEAD + b"\n" + SIGNATURE + begin + b" whatever")
    assert (tag.signature, tag.message) == (begin + b" whatever", SIGNATURE)


@pytest.mark.parametrize("before", [b"> ", b" ", b"\r", b"-"])
def test_only_at_the_start_of_a_line(before):
    assert parse_tag(HEAD + b"\n" + before + SIGNATURE).signature is None


def test_the_second_signature_in_the_header_is_not_covered_by_the_first():
    field = b"gpgsig-sha256 -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n"
    tag = parse_tag(HEAD + field + b"\nrelease\n" + SIGNATURE)
    assert (tag.signature, tag.payload, tag.message) == (SIGNATURE, HEAD + b"\nrelease\n", b"release\n")
    assert parse_tag(HEAD + field + b"\nrelease\n").signature is None


@pytest.mark.parametrize(
    ("tagger", "date"),
    [
        (b"tagger T <t@u> 1700000000 +0000\n", 1_700_000_000),
        (b"tagger T <t@u> soon\n", 0),
        (b"tagger \n", 0),
        (b"", 0),
    ],
)
def test_the_date_is_what_the_tagger_wrote(tagger, date):
    assert parse_tag(HEAD.rpartition(b"tagger")[0] + tagger + b"\nx\n").date == date


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
        HEAD + b"gpgsig-sha256 x\ngpgsig-sha256 x\n\n",
        HEAD + b"gpgsig-sha256 x\0\n\n",
        HEAD + b"gpgsig-sha256\n\n",
        HEAD + HEAD + b"\n",
        HEAD + b"tag v2\n\n",
        HEAD + b"object " + b"b" * 40 + b"\n\n",
        HEAD + b"tagger T <t@u> 1700000000 +0000\n\n",
        HEAD.replace(b"\n", b"\r\n") + b"\n",
        HEAD[:-1],
    ],
)
def test_other_headers_are_refused(raw):
    with pytest.raises(MalformedTag):
        parse_tag(raw)


def test_a_large_tag_is_refused():
    with pytest.raises(MalformedTag, match="limit"):
        parse_tag(HEAD + b"\n" + b"x" * LIMITS.tag_size)
