"""``forge/github.sh``, run as GitHub's runner runs it from ``action.yml``, for each kind of event."""

import pytest
from cli.scene import ALICE, policies
from forges.runner_of import ZEROS
from report.runner import commands


def pull(runner, number, event="pull_request", **more):
    head = {7: runner.head, 8: runner.unsigned}[number]
    given = {"GITHUB_EVENT_NAME": event, "GITHUB_BASE_REF": "main", "PULL_NUMBER": str(number), "PULL_HEAD": head}
    return runner.run("github.sh", **given | {"GITVERIFY_FORMAT": "github"} | more)


def push(runner, after, **more):
    return runner.run("github.sh", **{"GITHUB_EVENT_NAME": "push", "PUSH_AFTER": after} | more)


def words(runner, base, head):
    return ["-I", "-m", "gitverify", "check", f"{base}..{head}", "--no-state"]


# --- pull requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_pull_request_by_nobody_is_refused(runner, event):
    """From a fork; the clone is of the branch it is for and has none of its commits."""
    runner.clone()
    done = pull(runner, 8, event)
    assert done.status == 1, done.out + done.error
    (command,) = commands(done.out)
    assert command.properties["title"] == f"gitverify: unsigned (R8) in {runner.unsigned[:12]}"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_pull_request_by_somebody_listed_is_accepted(runner, event):
    runner.clone()
    done = pull(runner, 7, event)
    assert done.status == 0, done.out + done.error
    assert not commands(done.out)


def test_nothing_of_a_pull_request_is_checked_out(runner):
    runner.clone()
    before = runner.project.git("status", "--porcelain", "--ignored", cwd=runner.checkout)
    assert pull(runner, 7).status == 0
    assert runner.project.git("status", "--porcelain", "--ignored", cwd=runner.checkout) == before == ""
    assert not (runner.checkout / "open/n").exists()
    assert runner.project.git("rev-parse", "HEAD", cwd=runner.checkout) == runner.base


def test_the_branch_is_judged_on_top_of_what_is_there_now(runner):
    """Not of what was there when the pull request came: alice's key may have been dropped since."""
    runner.clone()
    later = runner.project.commit("later", {"README": "z\n"}, sign=True)
    runner.project.git("push", "-q", "origin", "main")
    done = pull(runner, 7, stub=True)
    assert done.asked == [*words(runner, later, runner.head), "--format", "github"]


def test_without_fetching_the_branch_is_what_was_cloned(runner):
    runner.clone()
    runner.project.git("fetch", "-q", "origin", "refs/pull/7/head", cwd=runner.checkout)
    done = pull(runner, 7, stub=True, GITVERIFY_FETCH="false")
    assert done.asked[:6] == words(runner, runner.base, runner.head)


def test_without_fetching_what_is_missing_is_said(runner):
    runner.clone()
    done = pull(runner, 7, GITVERIFY_FETCH="false")
    assert done.status == 3
    assert "fetch-depth: 0" in done.out
    runner.project.git("fetch", "-q", "origin", "refs/pull/7/head", cwd=runner.checkout)
    done = pull(runner, 7, GITVERIFY_FETCH="false", GITHUB_BASE_REF="release")
    assert done.status == 3
    assert "the branch to merge into is not in the clone" in done.out


def test_a_pull_request_that_has_moved_on(runner):
    runner.clone()
    runner.project.git("push", "-q", "-f", "origin", f"{runner.base}:refs/pull/7/head")
    done = pull(runner, 7)
    assert done.status == 3
    assert "the pull request has moved on" in commands(done.out)[0].data


def test_methods_and_a_base_that_is_given(runner):
    runner.clone()
    done = pull(runner, 7, stub=True, GITVERIFY_METHODS=" merge\nsquash * ", GITVERIFY_BASE_AUTHENTIC="true")
    options = ["--method", "merge", "--method", "squash", "--method", "*", "--base-authentic", "--format", "github"]
    assert done.asked == [*words(runner, runner.base, runner.head), *options]


def test_a_method_that_there_is_not(runner):
    runner.clone()
    assert pull(runner, 7, GITVERIFY_METHODS="*").status == 2


def test_a_base_that_is_given_is_believed(runner):
    """And needs no history before it: this is what a shallow clone does."""
    bad = runner.project.commit("bad", {"README": "bad\n"})
    runner.project.git("push", "-q", "origin", "main")
    runner.project.branch("pull-9")
    head = runner.project.commit("pull-9", {"README": "9\n"}, sign=True)
    runner.project.git("push", "-q", "origin", "HEAD:refs/pull/9/head")
    runner.clone("--depth=1")
    given = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main", "PULL_NUMBER": "9", "PULL_HEAD": head}
    done = runner.run("github.sh", **given, GITVERIFY_BASE_AUTHENTIC="true")
    assert done.status == 0, done.out + done.error
    assert runner.project.git("rev-parse", "--is-shallow-repository", cwd=runner.checkout) == "true"
    assert bad in runner.project.git("rev-list", "--all", cwd=runner.checkout)
    assert runner.run("github.sh", **given).status == 1


# --- shallow clones ----------------------------------------------------------------------------------------------


def test_a_shallow_clone_is_deepened(runner):
    runner.clone("--depth=1")
    done = pull(runner, 7)
    assert done.status == 0, done.out + done.error
    assert "the clone is shallow: fetching the rest" in done.out


def test_a_shallow_clone_that_cannot_be_deepened(runner):
    runner.clone("--depth=1")
    runner.project.git("remote", "set-url", "origin", "file:///nowhere", cwd=runner.checkout)
    done = push(runner, runner.base)
    assert done.status == 3
    (command,) = commands(done.out)
    assert "want of network or credentials" in command.data
    assert "fetch-depth: 0" in command.data


def test_a_shallow_clone_that_is_not_to_be_deepened(runner):
    runner.clone("--depth=1")
    done = push(runner, runner.base, GITVERIFY_FETCH="false")
    assert done.status == 3
    assert "the clone is shallow, and fetching is switched off; give actions/checkout fetch-depth: 0" in done.out


# --- merge groups ------------------------------------------------------------------------------------------------


def group(runner, base, head, **more):
    given = {"GITHUB_EVENT_NAME": "merge_group", "GROUP_BASE": base, "GROUP_HEAD": head}
    return runner.run("github.sh", **given | more)


@pytest.mark.parametrize("depth", [[], ["--depth=1"]])
def test_a_merge_group_is_judged_as_it_is(runner, depth):
    runner.project.git(
        "push", "-q", "origin", f"{runner.unsigned}:refs/heads/queue-8", f"{runner.head}:refs/heads/queue-7"
    )
    runner.clone(*depth)
    done = group(runner, runner.base, runner.unsigned, GITVERIFY_METHODS="squash")
    assert done.status == 1, done.out + done.error
    assert group(runner, runner.base, runner.head, GITVERIFY_METHODS="squash").status == 0
    asked = group(runner, runner.base, runner.head, stub=True).asked
    assert asked[6:] == ["--method", "branch", "--format", "human"]


def test_a_merge_group_that_is_not_there(runner):
    runner.clone()
    assert "could not be fetched" in group(runner, runner.base, "1" * 40).out
    done = group(runner, runner.base, "1" * 40, GITVERIFY_FETCH="false")
    assert done.status == 3
    assert "(GROUP_HEAD) is not in the clone" in done.out


# --- pushes ------------------------------------------------------------------------------------------------------


def test_a_push_is_verified(runner):
    runner.clone()
    assert push(runner, runner.base).status == 0
    bad = runner.project.commit("bad", {"README": "bad\n"})
    runner.project.git("push", "-q", "origin", "main")
    done = push(runner, bad)
    assert done.status == 1, done.out + done.error
    assert "unsigned" in done.out


def test_a_new_branch_is_verified_as_any_other(runner):
    """What was there before, forty zeros, is not asked for: it proves nothing."""
    runner.clone()
    done = push(runner, runner.base, PUSH_BEFORE=ZEROS, GITHUB_REF="refs/heads/new")
    assert done.status == 0


def test_a_deletion_has_nothing_to_verify(runner):
    runner.clone()
    done = push(runner, ZEROS)
    assert done.status == 0
    assert "deleted" in done.out


def test_a_tag_is_followed_to_its_commit(runner):
    runner.project.git("tag", "-a", "-m", "one", "v1", runner.unsigned)
    runner.project.git("tag", "-a", "-m", "two", "v2", runner.base)
    runner.project.git("push", "-q", "origin", "v1", "v2")
    runner.clone()
    for tag, status in (("v1", 1), ("v2", 0)):
        given = {"GITHUB_REF": f"refs/tags/{tag}"}
        assert push(runner, runner.project.git("rev-parse", tag), **given).status == status
        assert push(runner, runner.project.git("rev-parse", f"{tag}^{{commit}}"), **given).status == status


def test_a_tag_is_asked_for_its_signature(runner):
    """Also where the runner has put the commit in its place, as actions/checkout does."""
    policy = policies.native({"alice": [ALICE]}, "tags: [alice]")
    runner.project.commit("tags", {policies.NATIVE: policy}, sign=True)
    runner.project.git("tag", "-a", "-m", "one", "v1$(id)")
    runner.project.git("tag", "-s", "-m", "two", "v2;id")
    runner.project.git("push", "-q", "origin", "main", "--tags")
    runner.clone("--no-tags")
    for tag, status in (("v1$(id)", 1), ("v2;id", 0)):
        commit = runner.project.head("main")
        runner.project.git("update-ref", f"refs/tags/{tag}", commit, cwd=runner.checkout)
        given = {"GITHUB_REF": f"refs/tags/{tag}", "GITVERIFY_TAGS": "signed"}
        done = push(runner, commit, **given)
        assert done.status == status, done.out + done.error
        assert push(runner, commit, **given, GITVERIFY_FETCH="false").status == 1, "a commit is no tag"
        assert push(runner, commit, **given | {"GITVERIFY_TAGS": "commit"}).status == 0
    given = {"GITHUB_REF": "refs/tags/v3", "GITVERIFY_TAGS": "signed"}
    assert push(runner, commit, **given).status == 3
    assert push(runner, commit, **given, GITVERIFY_FETCH="false").status == 3
    assert push(runner, commit, **given | {"GITVERIFY_TAGS": "all"}).status == 2


def test_a_tag_that_has_moved_since(runner):
    """The job has checked out what the tag named when it was pushed; there is a true tag in its place now."""
    policy = policies.native({"alice": [ALICE]}, "tags: [alice]")
    runner.project.commit("tags", {policies.NATIVE: policy}, sign=True)
    runner.project.git("tag", "-s", "-m", "one", "v1")
    runner.project.git("push", "-q", "origin", "main", "v1")
    runner.clone()
    runner.project.git("fetch", "-q", "origin", "refs/pull/8/head", cwd=runner.checkout)
    given = {"GITHUB_REF": "refs/tags/v1", "GITVERIFY_TAGS": "signed"}
    for fetch in ("true", "false"):
        done = push(runner, runner.unsigned, **given, GITVERIFY_FETCH=fetch)
        assert done.status == 3, done.out + done.error
        assert "the tag has moved" in commands(done.out)[0].data
    for good in (runner.project.head("main"), runner.project.git("rev-parse", "v1")):
        assert push(runner, good, **given).status == 0


def test_a_tag_that_looks_like_an_option(runner):
    runner.project.git("update-ref", "refs/tags/--historic", runner.base)
    runner.project.git("push", "-q", "origin", "refs/tags/--historic")
    runner.clone("--no-tags")
    given = {"GITHUB_REF": "refs/tags/--historic", "GITVERIFY_TAGS": "signed"}
    done = push(runner, runner.base, **given, GITVERIFY_FORMAT="github")
    assert done.status == 1
    assert "tag-not-annotated" in done.out


def test_what_a_push_must_contain(runner):
    runner.clone()
    assert push(runner, runner.second, GITVERIFY_CONTAINS=f"{runner.introduction} {runner.second}").status == 0
    done = push(runner, runner.second, GITVERIFY_CONTAINS=f"{runner.introduction}\n{runner.base}")
    assert done.status == 1
    assert "not-contained" in done.out


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch"])
def test_a_run_without_a_push_verifies_the_branch(runner, event):
    runner.clone()
    done = runner.run("github.sh", stub=True, GITHUB_EVENT_NAME=event, GITHUB_SHA=runner.base)
    assert done.asked == ["-I", "-m", "gitverify", "verify", runner.base, "--no-state", "--format", "human"]


# --- what is set -------------------------------------------------------------------------------------------------


def test_the_introduction_and_the_signer_are_variables(runner):
    runner.clone()
    done = push(runner, runner.base, GITVERIFY_SIGNER="SHA256:" + "A" * 43)
    assert done.status == 1
    assert "introduction-signer" in done.out
    assert push(runner, runner.base, GITVERIFY_SIGNER="").status == 0


@pytest.mark.parametrize("value", ["", None])
def test_no_introduction(runner, value):
    runner.clone()
    done = pull(runner, 7, GITVERIFY_INTRODUCTION=value)
    assert done.status == 4
    (command,) = commands(done.out)
    assert "introduction: ${{ vars.GITVERIFY_INTRODUCTION }}" in command.data


def test_the_pull_requests_tree_introduces_nothing(runner):
    """A file there with other settings is not looked at."""
    runner.clone()
    for name in (".gitconfig", ".gitverify.env", "gitverify.cfg"):
        (runner.checkout / name).write_text(f"[gitverify]\n\tintroduction = {runner.unsigned}\n")
    assert pull(runner, 8).status == 1


def test_no_module_of_the_pull_request_is_run(runner):
    runner.clone()
    for name in ("gitverify", "click", "pygit2", "json"):
        (runner.checkout / f"{name}.py").write_text("raise SystemExit(0)\n")
    assert pull(runner, 8, PYTHONPATH=str(runner.checkout)).status == 1


def test_a_sarif_file_besides(runner):
    runner.clone()
    target = runner.place / "report.sarif"
    more = {"GITVERIFY_REPORT": str(target), "GITVERIFY_REPORT_FORMAT": "sarif"}
    assert pull(runner, 8, **more).status == 1
    assert '"ruleId": "unsigned"' in target.read_text()
    done = pull(runner, 7, stub=True, **more, ENDS_WITH="3")
    assert done.status == 3
    assert target.read_text() == "a report\n"


def test_a_report_is_not_written_through_a_link(runner):
    runner.clone()
    (runner.checkout / "report.sarif").symlink_to(runner.place / "elsewhere")
    more = {"GITVERIFY_REPORT": "report.sarif", "GITVERIFY_REPORT_FORMAT": "sarif"}
    assert pull(runner, 7, **more).status == 2
    assert not (runner.place / "elsewhere").exists()


def test_nor_in_a_directory_that_is_a_link(runner):
    runner.clone()
    (runner.place / "elsewhere").mkdir()
    (runner.checkout / "reports").symlink_to(runner.place / "elsewhere")
    more = {"GITVERIFY_REPORT": "reports/report.sarif", "GITVERIFY_REPORT_FORMAT": "sarif"}
    assert pull(runner, 7, **more).status == 2
    assert not list((runner.place / "elsewhere").iterdir())
    (runner.checkout / "reports").unlink()
    (runner.checkout / "reports").mkdir()
    assert pull(runner, 7, **more).status == 0
    assert (runner.checkout / "reports" / "report.sarif").exists()


@pytest.mark.parametrize("status", [1, 3, 4, 70])
def test_the_answer_is_gitverifys(runner, status):
    runner.clone()
    assert pull(runner, 7, stub=True, ENDS_WITH=str(status)).status == status
    assert push(runner, runner.base, stub=True, ENDS_WITH=str(status)).status == status


# --- hostile input -----------------------------------------------------------------------------------------------

EVIL = [
    "$(touch${IFS}pwned)",
    "`touch${IFS}pwned`",
    ";touch${IFS}pwned",
    "a|touch${IFS}pwned",
    "-u;id",
    "a%0A##error%25",
]


@pytest.mark.parametrize("name", EVIL)
def test_a_branchs_name_is_a_name(runner, name):
    """Such names are allowed in git."""
    runner.project.git("push", "-q", "origin", f"{runner.base}:refs/heads/{name}")
    runner.clone()
    done = pull(runner, 7, GITHUB_BASE_REF=name, GITHUB_HEAD_REF=name, GITHUB_REF=f"refs/heads/{name}")
    assert done.status == 0, done.out + done.error
    assert pull(runner, 8, GITHUB_BASE_REF=name).status == 1
    assert pull(runner, 7, GITHUB_BASE_REF=name + "-not-there").status == 3
    assert pull(runner, 7, GITVERIFY_FETCH="false", GITHUB_BASE_REF=name).status == 0
    assert not list(runner.place.rglob("pwned"))


@pytest.mark.parametrize(
    "value", ["", "$(id)", "--help", "HEAD", "A" * 40, "1" * 39, "1" * 41, "1" * 40 + "\n", "main"]
)
def test_what_is_no_id_is_not_used(runner, value):
    runner.clone()
    for given in (
        {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main", "PULL_NUMBER": "7", "PULL_HEAD": value},
        {"GITHUB_EVENT_NAME": "merge_group", "GROUP_BASE": runner.base, "GROUP_HEAD": value},
        {"GITHUB_EVENT_NAME": "merge_group", "GROUP_BASE": value, "GROUP_HEAD": runner.base},
        {"GITHUB_EVENT_NAME": "push", "PUSH_AFTER": value},
        {"GITHUB_EVENT_NAME": "schedule", "GITHUB_SHA": value},
    ):
        done = runner.run("github.sh", stub=True, **given)
        assert done.status == 2
        assert done.asked is None


@pytest.mark.parametrize("number", ["", "7;id", "$(id)", "-7", "../7"])
def test_what_is_no_number_is_not_used(runner, number):
    runner.clone()
    done = pull(runner, 7, stub=True, PULL_NUMBER=number)
    assert (done.status, done.asked) == (2, None)


def test_a_pull_request_without_a_branch_to_merge_into(runner):
    runner.clone()
    assert pull(runner, 7, GITHUB_BASE_REF="").status == 2


@pytest.mark.parametrize("event", ["issue_comment", "", "workflow_run"])
def test_events_that_say_nothing_of_commits(runner, event):
    runner.clone()
    done = runner.run("github.sh", stub=True, GITHUB_EVENT_NAME=event)
    assert (done.status, done.asked) == (2, None)


def test_options_are_no_commands(runner):
    runner.clone()
    evil = {"GITVERIFY_METHODS": "$(touch pwned) ;touch pwned", "GITVERIFY_CONTAINS": "`touch pwned` *"}
    done = pull(runner, 7, stub=True, **evil)
    assert done.asked[6:10] == ["--method", "$(touch", "--method", "pwned)"]
    done = push(runner, runner.base, stub=True, **evil)
    assert done.asked[6:12] == ["--contains", "`touch", "--contains", "pwned`", "--contains", "*"]
    assert not list(runner.place.rglob("pwned"))


def test_not_in_a_repository(runner):
    runner.checkout.mkdir()
    done = push(runner, runner.base, GIT_CEILING_DIRECTORIES=str(runner.place))
    assert done.status == 2
    assert "this is no git repository" in done.out
