"""OpenSSH's patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.policies.patterns import list_matches, matches


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("git", "git", True),
        ("git", "gi", False),
        ("git", "gits", False),
        ("git", "*", True),
        ("", "*", True),
        ("", "", True),
        ("git", "", False),
        ("", "?", False),
        ("git", "g*", True),
        ("git", "*t", True),
        ("git", "g?t", True),
        ("git", "???", True),
        ("git", "????", False),
        ("git", "**g**t**", True),
        ("git", "G*", False),
        ("aXbXc", "*X*c", True),
        ("aXbXd", "*X*c", False),
        ("[a]", "[a]", True),
        ("a", "[a]", False),
        ("*", "*", True),
        ("a*b", "a*b", True),
    ],
)
def test_one_pattern(text, pattern, expected):
    assert matches(text, pattern) is expected


@given(st.text("ab", max_size=8), st.text("ab*?", max_size=8))
def test_it_is_what_a_regular_expression_says(text, pattern):
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches(text, pattern) == bool(re.fullmatch(expression, text))


def test_many_stars_take_no_time():
    assert not matches("a" * 2000, "*a" * 1000 + "b")


@pytest.mark.parametrize(
    ("text", "patterns", "expected"),
    [
        ("git", "git", True),
        ("git", "file,git", True),
        ("git", "file", False),
        ("git", "", False),
        ("git", "*,!git", False),
        ("git", "!git,*", False),
        ("git", "!file", False),
        ("git", "!file,git", True),
        ("git", "!f*,g*", True),
        ("git", ",git,", True),
        ("git", " git", False),
        ("git", "!!git,git", True),
        ("git", "*" * 1022, True),
        ("git", "*" * 1023, False),
        ("git", "git," + "*" * 1023, False),
    ],
)
def test_a_list(text, patterns, expected):
    assert list_matches(text, patterns) is expected
