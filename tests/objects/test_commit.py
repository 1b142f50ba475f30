"""R6: commit objects are parsed strictly, and the signed payload is what git says it is."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.errors import MalformedCommit
from gitverify.limits import LIMITS
from gitverify.objects.commit import parse_commit, parse_head

TREE = b"tree " + b"a" * 40 + b"\n"
PARENT = b"parent " + b"b" * 40 + b"\n"
PEOPLE = b"author A <a@b> 1700000000 +0100\ncommitter C <c@d> 1700000001 -0330\n"
SIGNATURE = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n line\n -----END PGP SIGNATURE-----\n"


def test_a_plain_commit():
    commit = parse_commit(TREE + PARENT + PEOPLE + b"\nsubject\n\nbody\n")
    assert commit.tree == bytes.fromhex("aa" * 20)
    assert commit.parents == (bytes.fromhex("bb" * 20),)
    assert commit.author == b"A <a@b> 1700000000 +0100"
    assert commit.date == 1700000001
    assert commit.signature is None
    assert commit.payload == TREE + PARENT + PEOPLE + b"\nsubject\n\nbody\n"
    assert commit.message == b"subject\n\nbody\n"
    assert commit.subject == b"subject"


def test_the_signature_is_unfolded_and_taken_out_of_the_payload():
    commit = parse_commit(TREE + PEOPLE + SIGNATURE + b"encoding latin1\n\nm")
    assert commit.signature == b"-----BEGIN PGP SIGNATURE-----\n\nline\n-----END PGP SIGNATURE-----\n"
    assert commit.payload == TREE + PEOPLE + b"encoding latin1\n\nm"
    assert commit.parents == ()


def test_both_signature_fields_leave_the_payload_as_in_git():
    other = SIGNATURE.replace(b"gpgsig", b"gpgsig-sha256")
    commit = parse_commit(TREE + PEOPLE + other + SIGNATURE + b"\nm")
    assert commit.payload == TREE + PEOPLE + b"\nm"
    assert commit.signature is not None
    assert parse_commit(TREE + PEOPLE + other + b"\nm").signature is None


def test_a_field_that_only_begins_like_a_signature_stays_covered():
    assert b"gpgsigx" in parse_commit(TREE + PEOPLE + b"gpgsigx y\n" + SIGNATURE + b"\nm").payload


def test_a_signature_in_the_message_is_none():
    assert parse_commit(TREE + PEOPLE + b"\n" + SIGNATURE).signature is None


def test_a_mergetag_may_repeat_and_its_signature_is_not_the_commits():
    tag = b"mergetag object " + b"c" * 40 + b"\n type commit\n gpgsig x\n"
    commit = parse_commit(TREE + PARENT + PARENT + PEOPLE + tag + tag + b"\nm")
    assert commit.signature is None
    assert commit.payload.count(b"mergetag") == 2


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_commit_without_a_message(end):
    commit = parse_commit(TREE + PEOPLE + end)
    assert commit.message == end[1:]
    assert commit.subject == b""


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "does not start with"),
        (PARENT + TREE + PEOPLE, "does not start with"),
        (TREE.upper() + PEOPLE, "does not start with"),
        (b"tree " + b"A" * 40 + b"\n" + PEOPLE, "lower-case"),
        (TREE + b"parent " + b"B" * 40 + b"\n" + PEOPLE, "lower-case"),
        (TREE[:-2] + b"\n" + PEOPLE, "40"),
        (TREE + PEOPLE.replace(b"author", b"Author"), "does not start with"),
        (TREE + TREE + PEOPLE, "does not start with"),
        (TREE + PEOPLE.partition(b"\n")[0] + b"\n\n", "does not start with"),
        (TREE + PEOPLE + PARENT + b"\n", "“parent” field out of place"),
        (TREE + PEOPLE + TREE + b"\n", "“tree” field out of place"),
        (TREE + PEOPLE + PEOPLE + b"\n", "“author” field out of place"),
        (TREE + PEOPLE + b"committer x\n\n", "“committer” field out of place"),
        (TREE + PEOPLE + SIGNATURE + SIGNATURE + b"\n", "two “gpgsig” fields"),
        (TREE + PEOPLE + b"encoding a\nencoding b\n\n", "two “encoding” fields"),
        (TREE + PEOPLE + b"gpgsig-sha256 a\ngpgsig-sha256 b\n\n", "two “gpgsig-sha256” fields"),
        (TREE + PEOPLE + b"no-value\n\n", "is no field"),
        (TREE + PEOPLE + b" continued\n\n", "does not start with"),
        (TREE + PEOPLE + b"x y", "has no end"),
        (TREE + PEOPLE + b"x \0\n\nm", "NUL"),
        (TREE + PEOPLE.replace(b"A <", b"A\0<") + b"\nm", "NUL"),
        ((TREE + PEOPLE + b"\nm").replace(b"\n", b"\r\n"), "CR LF"),
    ],
)
def test_what_breaks_r6_is_refused(raw, reason):
    with pytest.raises(MalformedCommit, match=reason):
        parse_commit(raw)


def test_a_nul_in_the_message_is_no_business_of_the_header():
    assert parse_commit(TREE + PEOPLE + b"\na\0b").message == b"a\0b"


def test_limits():
    padding = b"x" * LIMITS.commit_size
    fits = TREE + PEOPLE + b"\n" + padding[: LIMITS.commit_size - len(TREE + PEOPLE) - 1]
    assert len(fits) == LIMITS.commit_size
    parse_commit(fits)
    with pytest.raises(MalformedCommit, match="bytes long"):
        parse_commit(fits + b"x")
    parse_commit(TREE + PARENT * LIMITS.commit_parents + PEOPLE + b"\n")
    with pytest.raises(MalformedCommit, match="257 parents"):
        parse_commit(TREE + PARENT * (LIMITS.commit_parents + 1) + PEOPLE + b"\n")
    lines = LIMITS.commit_header_lines - 3
    parse_commit(TREE + PEOPLE + b"x y\n" * lines + b"\nm")
    with pytest.raises(MalformedCommit, match="lines"):
        parse_commit(TREE + PEOPLE + b"x y\n" * (lines + 1) + b"\nm")


@pytest.mark.parametrize(
    ("committer", "date"),
    [
        (b"C <c@d> 1700000001 +0000", 1700000001),
        (b"C <c> 1 +0000> 5 +0000", 5),
        (b"C <c@d>5 +0000", 5),
        (b"C c@d 5 +0000", 0),
        (b"C <c@d> -5 +0000", 0),
        (b"C <c@d> " + b"9" * 18 + b" +0000", 10**18 - 1),
        (b"C <c@d> " + b"9" * 19 + b" +0000", 0),
        (b"C <c@d> ", 0),
    ],
)
def test_the_date_is_read_as_git_reads_it_and_never_trusted(committer, date):
    assert parse_head(TREE + b"author a\ncommitter " + committer + b"\n\n").date == date


@given(
    parents=st.lists(st.binary(min_size=20, max_size=20), max_size=4),
    people=st.lists(st.binary().filter(lambda b: not set(b) & {0, 10}), min_size=2, max_size=2),
    fields=st.lists(
        st.tuples(st.sampled_from([b"gpgsig", b"encoding", b"mergetag", b"HG:extra"]), st.binary(max_size=40))
    ),
    message=st.binary(max_size=80),
)
def test_head_and_whole_agree_and_the_payload_is_the_rest(parents, people, fields, message):
    def folded(value):
        return value.replace(b"\0", b"").replace(b"\n", b"\n ")

    raw = TREE + b"".join(b"parent " + p.hex().encode() + b"\n" for p in parents)
    raw += b"author " + people[0] + b"\ncommitter " + people[1] + b"\n"
    lines = [name + b" " + folded(value) + b"\n" for name, value in fields]
    raw += b"".join(lines) + b"\n" + message
    names = [name for name, _ in fields]
    if names.count(b"gpgsig") > 1 or names.count(b"encoding") > 1:
        with pytest.raises(MalformedCommit):
            parse_commit(raw)
        return
    head, commit = parse_head(raw), parse_commit(raw)
    assert (head.tree, head.parents, head.date) == (commit.tree, commit.parents, commit.date)
    assert head.parents == tuple(parents)
    signed = [line for line in lines if line.startswith(b"gpgsig ")]
    assert commit.payload == (raw.replace(signed[0], b"", 1) if signed else raw)
    assert commit.message == message


def test_git_agrees_on_the_payload(tmp_path):
    """What git hands to the verifying program is our payload."""
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    tree = subprocess.run([*git, "mktree"], input=b"", capture_output=True, check=True).stdout.strip()
    other = b"gpgsig-sha256 -----BEGIN PGP SIGNATURE-----\n \n zzzz\n -----END PGP SIGNATURE-----\n"
    raw = b"tree " + tree + b"\n" + PEOPLE + other + SIGNATURE + b"\nsubject\n"
    added = subprocess.run(
        [*git, "hash-object", "-t", "commit", "-w", "--stdin"], input=raw, capture_output=True, check=True
    )
    spy = tmp_path / "spy"
    spy.write_text(
        f'#!/bin/sh\nfor f; do last=$f; done\ncp "$4" {tmp_path}/signature\ncat > {tmp_path}/payload\nexit 1\n'
    )
    spy.chmod(0o755)
    subprocess.run(
        [*git, "-c", f"gpg.program={spy}", "verify-commit", added.stdout.strip()], check=False, capture_output=True
    )
    commit = parse_commit(raw)
    assert (tmp_path / "payload").read_bytes() == commit.payload
    assert (tmp_path / "signature").read_bytes() == commit.signature
