"""``forge/gitlab.sh``, run as GitLab's runner runs it from ``forge/gitlab.yml``."""

import json

import pytest
from forges.runner_of import ZEROS


def merge_request(runner, head, **more):
    given = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_SHA": head,
        "CI_COMMIT_BEFORE_SHA": ZEROS,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_PROJECT_PATH": "group/project",
        "CI_MERGE_REQUEST_PROJECT_PATH": "group/project",
    }
    return runner.run("gitlab.sh", **given | more)


def push(runner, commit, **more):
    given = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": commit, "CI_COMMIT_BRANCH": "main"}
    return runner.run("gitlab.sh", **given | more)


def words(base, head):
    return ["-I", "-m", "gitverify", "check", f"{base}..{head}", "--no-state"]


def test_a_merge_request_is_judged(runner):
    runner.clone()
    report = runner.checkout / "report.json"
    done = merge_request(runner, runner.unsigned, GITVERIFY_REPORT="report.json")
    assert done.status == 1, done.out + done.error
    assert "not authentic" in done.out
    assert [entry["check_name"] for entry in json.loads(report.read_text())] == ["unsigned"]
    assert merge_request(runner, runner.head, GITVERIFY_REPORT="report.json").status == 0
    assert json.loads(report.read_text()) == []


def test_a_pipeline_for_merged_results_judges_the_branch(runner):
    """Not the commit that GitLab made of both, and not on top of a branch as it was."""
    runner.clone()
    made, later = runner.second, runner.project.commit("later", {"README": "z\n"}, sign=True)
    runner.project.git("push", "-q", "origin", "main")
    more = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": runner.head, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": runner.base}
    done = merge_request(runner, made, stub=True, **more, GITVERIFY_METHODS="merge squash")
    options = ["--method", "merge", "--method", "squash", "--format", "human"]
    assert done.asked == [*words(later, runner.head), *options]


def test_a_pipeline_in_the_fork_decides_nothing(runner):
    runner.clone()
    done = merge_request(runner, runner.head, stub=True, CI_PROJECT_PATH="somebody/project")
    assert (done.status, done.asked) == (3, None)
    assert "runs in the fork" in done.error


def test_a_child_of_a_merge_requests_pipeline_judges_the_same(runner):
    """Not the branch by itself, which may have parted from its target before somebody was dropped."""
    runner.clone()
    done = merge_request(runner, runner.head, stub=True, CI_PIPELINE_SOURCE="parent_pipeline", CI_MERGE_REQUEST_IID="7")
    assert done.asked[:6] == words(runner.base, runner.head)


def test_a_push_is_verified(runner):
    runner.clone()
    assert push(runner, runner.base).status == 0
    assert push(runner, runner.base, CI_COMMIT_BEFORE_SHA=ZEROS).status == 0
    done = push(runner, runner.unsigned)
    assert done.status == 1, done.out + done.error


@pytest.mark.parametrize("source", ["schedule", "web", "api", "trigger", "parent_pipeline"])
def test_other_pipelines_verify_their_commit(runner, source):
    runner.clone()
    done = push(runner, runner.base, stub=True, CI_PIPELINE_SOURCE=source)
    assert done.asked[:6] == ["-I", "-m", "gitverify", "verify", runner.base, "--no-state"]


def test_a_tag_is_followed_to_its_commit(runner):
    runner.clone()
    assert push(runner, runner.base, CI_COMMIT_TAG="v1;id").status == 0


def test_a_deletion_has_nothing_to_verify(runner):
    runner.clone()
    done = push(runner, ZEROS)
    assert (done.status, done.asked) == (0, None)


def test_a_shallow_clone(runner):
    runner.clone("--depth=1")
    done = push(runner, runner.base, GITVERIFY_FETCH="false")
    assert done.status == 3
    assert 'set GIT_DEPTH: "0"' in done.error
    assert merge_request(runner, runner.head).status == 0


def test_a_target_that_cannot_be_fetched(runner):
    runner.clone()
    done = merge_request(runner, runner.base, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="not-there")
    assert done.status == 3
    assert "the branch to merge into could not be fetched" in done.error


def test_no_introduction(runner):
    runner.clone()
    done = push(runner, runner.base, GITVERIFY_INTRODUCTION="")
    assert done.status == 4
    assert "variable GITVERIFY_INTRODUCTION of the project" in done.error


@pytest.mark.parametrize("name", ["$(touch${IFS}pwned)", ";touch${IFS}pwned", "`touch${IFS}pwned`"])
def test_a_branchs_name_is_a_name(runner, name):
    runner.project.git("push", "-q", "origin", f"{runner.base}:refs/heads/{name}")
    runner.clone()
    done = merge_request(runner, runner.unsigned, CI_MERGE_REQUEST_TARGET_BRANCH_NAME=name, CI_COMMIT_REF_NAME=name)
    assert done.status == 1, done.out + done.error
    assert not list(runner.place.rglob("pwned"))


@pytest.mark.parametrize("value", ["", "main", "$(id)", "--help"])
def test_what_is_no_id_is_not_used(runner, value):
    runner.clone()
    assert (push(runner, value, stub=True).asked, push(runner, value).status) == (None, 2)
    more = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": value or "x"}
    assert merge_request(runner, runner.head, stub=True, **more).status == 2


def test_a_merge_request_without_a_branch_to_merge_into(runner):
    runner.clone()
    assert merge_request(runner, runner.head, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="").status == 2
