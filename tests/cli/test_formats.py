"""``--format`` sarif, junit, github and gitlab on the command line, and the step summary."""

import json

import pytest
from report import junitrules, runner

from tests import schemas

INTRODUCE = ("--introduction", "{introduction}")


def verify(scene, format_, **env):
    return scene.run("verify", *INTRODUCE, "--no-state", "--format", format_, env=env)


def test_an_authentic_branch(scene):
    summary = scene.place / "summary.md"
    done = {
        name: verify(scene, name, GITHUB_STEP_SUMMARY=str(summary)) for name in ("sarif", "junit", "gitlab", "github")
    }
    assert {each.status for each in done.values()} == {0}
    log = json.loads(done["sarif"].stdout)
    schemas.validate(log, schemas.SARIF)
    assert log["runs"][0]["results"] == []
    assert junitrules.read(done["junit"].stdout).get("failures") == "0"
    assert json.loads(done["gitlab"].stdout) == []
    third = scene.ids["third"]
    assert done["github"].stdout == f"gitverify: authentic: {third} “third”\n"
    assert summary.read_text() == f"### gitverify: authentic\n\n<code>authentic&#58; {third} “third”</code>\n\n"


def test_a_refused_branch(scene):
    evil = scene.history.commit("evil", {"a b": "c"})
    done = {name: verify(scene, name) for name in ("sarif", "junit", "gitlab", "github")}
    assert {each.status for each in done.values()} == {1}
    log = json.loads(done["sarif"].stdout)
    schemas.validate(log, schemas.SARIF)
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "unsigned"
    assert result["properties"]["commit"] == evil
    (failure,) = junitrules.read(done["junit"].stdout).iter("failure")
    assert failure.get("type") == "unsigned"
    (entry,) = json.loads(done["gitlab"].stdout)
    assert entry["check_name"] == "unsigned"
    (command,) = runner.commands(done["github"].stdout)
    assert command.properties["title"] == f"gitverify: unsigned (R8) in {evil[:12]}"


@pytest.mark.parametrize("format_", ["sarif", "junit", "gitlab", "github"])
def test_a_question_that_cannot_be_put(scene, format_):
    done = scene.run("verify", "--no-state", "--format", format_)
    assert done.status == 4
    assert "introduction-not-configured" in done.stdout


def test_a_summary_is_added_to_what_is_there(scene):
    summary = scene.place / "summary.md"
    summary.write_text("before\n")
    verify(scene, "github", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text().startswith("before\n### gitverify: authentic\n")


@pytest.mark.parametrize("format_", ["human", "json", "sarif"])
def test_only_githubs_format_writes_a_summary(scene, format_):
    summary = scene.place / "summary.md"
    assert verify(scene, format_, GITHUB_STEP_SUMMARY=str(summary)).status == 0
    assert not summary.exists()


def test_a_summary_that_cannot_be_written_changes_no_verdict(scene):
    done = verify(scene, "github", GITHUB_STEP_SUMMARY=str(scene.place / "none" / "summary.md"))
    assert done.status == 0
    assert "the step summary could not be written: " in done.stderr
    assert done.stdout.startswith("gitverify: authentic")


def test_what_people_read_gives_the_runner_no_command(scene):
    """The log of a step is read for commands whatever the format: here a line that is broken before ``::``."""
    path = f"{'x' * 60} ::stop-commands::y ##[add-mask]e"
    scene.history.commit("evil", {path: "c"}, message=b"##[error]forged\n", sign=None)
    for format_ in ("human", "json", "jsonl", "sarif", "junit", "gitlab"):
        done = verify(scene, format_)
        assert done.status == 1
        assert not runner.commands(done.stdout + done.stderr), format_
