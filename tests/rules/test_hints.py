"""What to do about an object that can't be had depends on why."""

import re

import pytest

from gitverify.errors import MissingObject
from gitverify.rules.hints import HINTS, missing_object

COMMIT = b"\1" * 20


def test_an_absent_object_is_to_be_fetched():
    refusal = missing_object(MissingObject(COMMIT))
    assert (refusal.commit, refusal.rule, refusal.code) == (COMMIT, "R5", "missing-object")
    assert "git fetch --unshallow" in refusal.hint
    assert "fsck" not in refusal.hint


@pytest.mark.parametrize(
    "reason", ["is damaged in this repository (it ends early)", "can't be read (Permission denied)"]
)
def test_fetching_does_not_mend_a_damaged_object(reason):
    refusal = missing_object(MissingObject(COMMIT, reason))
    assert (refusal.rule, refusal.code) == ("R5", "missing-object")
    assert reason in refusal.message
    assert "git fsck --full" in refusal.hint
    assert "--unshallow" not in refusal.hint


def test_every_hint_belongs_to_a_code_and_says_something():
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in HINTS)
    assert all(HINTS.values())
