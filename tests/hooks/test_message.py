"""What a pusher sees: ten lines of 72 columns, whatever a commit says of itself."""

import dataclasses
import re

import pytest

from gitverify.cli.hook import _say
from gitverify.hooks.judge import Refused, refused
from gitverify.hooks.message import FOR_PUSHERS, problem_lines, refusal_lines
from gitverify.report.model import CommitLine, Report
from gitverify.request import Outcome
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS

COMMIT = bytes(range(20))
ENDING = "Nothing of this push was accepted."
HOSTILE = b"\x1b]0;title\x07\x1b[2J \xe2\x80\xae reversed \r\n remote: all is well \xff" * 20


def seen(code, *, message="why " * 100, verdict="refused", reference="refs/heads/main", **more):
    refusal = Refusal(COMMIT, "R8", code, message, HINTS.get(code, ""), **more)
    outcome = Outcome(verdict, COMMIT, COMMIT, reason=code, refusals=(refusal,))
    report = Report(outcome=outcome, lines={COMMIT: CommitLine(HOSTILE, b"A <" + HOSTILE + b"> 1 +0000", 1 << 60)})
    lines = refusal_lines(Refused(reference, report), ENDING)
    assert len(lines) <= 10
    assert all(len(line) <= 72 for line in lines)
    assert not re.search("[\x00-\x1f\x7f\u202e\r]", "".join(lines))
    assert lines[-1] == ENDING
    return lines


@pytest.mark.parametrize("code", HINTS)
def test_every_code(code):
    lines = seen(code, path=HOSTILE, reference="refs/heads/" + HOSTILE.decode("utf-8", "surrogateescape"))
    assert any(line.startswith("  why     why why") for line in lines)
    assert any(line.startswith("  do      ") for line in lines)


def test_what_tells_a_pusher_more():
    words = " ".join(" ".join(seen("rollback", message="short")).split())
    assert FOR_PUSHERS["rollback"] in words
    assert "--allow-rollback" not in words
    assert set(FOR_PUSHERS) <= set(HINTS) | {"introduction-not-configured"}


def test_a_hint_of_its_own_and_a_command_that_mends():
    error = refused("refs/heads/main", "R23", "rollback", "deleted", "Do not.")
    assert refusal_lines(error, ENDING) == [
        "gitverify: refused refs/heads/main",
        "  rollback (R23)",
        "  why     deleted",
        "  do      Do not.",
        ENDING,
    ]
    error.advice = "git reset --keep " + "1" * 40
    assert f"  do      {error.advice}" in refusal_lines(error, ENDING)


def test_without_a_hint():
    report = Report(problem=Refusal(b"", "R1", "config-untrusted", "it is"), problem_verdict="error")
    lines = refusal_lines(Refused("refs/heads/main", report), ENDING)
    assert lines[0] == "gitverify: cannot judge refs/heads/main"
    assert not any(line.startswith("  do") for line in lines)
    report = dataclasses.replace(report, problem_verdict="undecided")
    assert refusal_lines(Refused("x", report), ENDING)[0] == "gitverify: cannot judge x"


def test_the_key_where_there_is_no_path():
    assert "  key     SHA256:x" in seen("unauthorized-key", key="SHA256:x")


def test_a_problem():
    lines = problem_lines("it is so. " * 200, ENDING)
    assert len(lines) == 9
    assert lines[0].startswith("gitverify: it is so.")
    assert lines[-1] == ENDING


def test_nothing_that_a_hook_says_is_a_command_to_a_build_server(capsys):
    _say([*problem_lines(f"{'x ' * 40}::add-mask::y ##vso[task.complete]z", ENDING), "  ::error::"])
    said = capsys.readouterr().err
    assert "add-mask" in said
    assert "##vso[" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]
