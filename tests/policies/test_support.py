"""What is parsed but not implemented yet is named, and nothing else is."""

from __future__ import annotations

import pytest

from fixtures.lib.sshwriter import Ed25519
from gitverify.policies.native import parse
from gitverify.policies.support import unsupported_features

PLAIN = f"""\
version: 1
people: {{alice: {{keys: [{Ed25519("alice").line}]}}}}
grants: [{{paths: [/], people: [alice]}}]
"""


@pytest.mark.parametrize("line", ["", "unprotected: []", "unsigned_merges: no", "adopting_merges: no", "tags: []"])
def test_nothing_is_missing(line):
    assert unsupported_features(parse(f"{PLAIN}{line}".encode())) == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("unprotected: [a/, b/]", "unprotected paths (“a/”)"),
        ("unsigned_merges: yes", "unsigned_merges: true"),
        ("adopting_merges: yes", "adopting_merges: true"),
    ],
)
def test_a_setting_is_missing(line, message):
    (found,) = unsupported_features(parse(f"{PLAIN}{line}".encode()))
    assert found.startswith(message)


def test_a_grant_on_a_path_is_missing():
    text = PLAIN.replace("[/]", "[/, lib/]") + "unsigned_merges: yes\n"
    grants, merges = unsupported_features(parse(text.encode()))
    assert grants == "grants on paths (“lib/”, line 3): only “/” can be granted so far"
    assert merges.startswith("unsigned_merges")


def test_the_first_grant_on_a_path_is_named():
    text = PLAIN.replace("}]\n", "}, {paths: [a], people: [alice]}, {paths: [b], people: [alice]}]\n")
    (found,) = unsupported_features(parse(text.encode()))
    assert "“a”" in found
