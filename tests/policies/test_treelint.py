"""What is likely wrong given a tree, and where in the file warnings stand."""

from __future__ import annotations

import pytest
from signing import ssh_line

from gitverify.policies import native
from gitverify.policies.places import place
from gitverify.policies.strictyaml import read
from gitverify.policies.treelint import tree_warnings

TREE = {b"a": "directory", b"a/f": "file"}
PGP = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"
TEXT = f"""\
version: 1
people:
  alice: {{keys: [{ssh_line("ssh0")}, {{openpgp: {PGP}}}]}}
grants:
  - {{paths: [/], people: [alice]}}
  - {{paths: [a/, a/f], people: [alice]}}
unprotected: [a/]
"""


def found(text, known=True):
    policy = native.parse(text.encode())
    warnings = tree_warnings(policy, lambda path: TREE.get(path, "nothing"), lambda _: known)
    document = read(text.encode())
    return [(*place(document, each.at), each.message) for each in warnings]


def test_nothing_to_say():
    assert found(TEXT) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("[a/, a/f]", "[a/, b/]", (6, 18, "“b/” matches nothing in this tree")),
        ("[a/, a/f]", "[a/, b]", (6, 18, "“b” matches nothing in this tree")),
        ("[a/, a/f]", "[a]", (6, 14, "“a” is a directory: without its slash (“a/”) nothing below it is meant")),
        ("[a/, a/f]", "[a/f/]", (6, 14, "“a/f/” is no directory: write “a/f” for the file itself")),
        ("unprotected: [a/]", "unprotected: [open/]", (7, 15, "“open/” matches nothing in this tree")),
    ],
)
def test_paths(before, after, expected):
    assert found(TEXT.replace(before, after)) == [expected]


def test_a_key_without_a_certificate():
    ((line, column, message),) = found(TEXT, known=False)
    assert (line, column) == (3, 3)
    assert message.startswith(f"there is no certificate for the key {PGP} of alice in .gitverify/keys/: what it signs")


def test_a_place_that_is_not_there_is_that_of_what_is():
    document = read(TEXT.encode())
    assert place(document, ("nothing",)) == (1, 1)
    assert place(document, ("grants", 7, "paths")) == (4, 1)
    assert place(document, ("grants", 1, "people", "bob")) == (6, 24)
    assert place(document, ("version", "1")) == (1, 1)
