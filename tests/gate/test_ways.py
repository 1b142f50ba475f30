"""The commits and trees that a forge would make, against what git makes; and what there is where it makes none."""

import os
import stat
import subprocess

import pytest
from gate.project import ALICE, BOB, MALLORY, NATIVE, policy, remedies, routes

from gitverify.gate.workshop import Workshop
from gitverify.source import Repository

GIT = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
BOTH = pytest.mark.parametrize("given", [(), ("--base-authentic",)], ids=["verified", "given"])


def git(project, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=project.path, env=GIT | WHO, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def everything(project):
    """Return all files of the repository with their contents."""
    return {path: path.read_bytes() for path in sorted(project.path.rglob("*")) if path.is_file()}


@pytest.fixture
def behind(project):
    """Main has gone on; the branch has an open file and a signed one, which both sides edited in different places."""
    lines = "".join(f"{at}\n" for at in range(9))
    project.commit("lines", {"README": lines}, sign=ALICE)
    project.commit("open", {"open/n": "n\n"}, parents=["lines"])
    project.commit("signed", {"README": lines.replace("1", "one")}, sign=ALICE)
    project.commit("gone on", {"README": lines.replace("7", "seven")}, parents=["lines"], sign=ALICE)
    return project


@BOTH
def test_a_content_merge_is_judged_as_git_makes_it(behind, given):
    before = None
    behind.history.branch("pr", "signed")
    behind.history.branch("main", "gone on")
    before = everything(behind)
    report = behind.check(*given, "--method", "merge", base="gone on", head="signed")
    assert everything(behind) == before
    assert (report["exit"], routes(report)["merge"]) == (0, "authentic")
    assert routes(report)["squash"] == routes(report)["rebase"] == "unsigned"


@BOTH
def test_what_is_open_can_be_rebased_though_the_target_went_on(behind, given):
    report = behind.check(*given, "--method", "rebase", "--method", "squash", base="gone on", head="open")
    assert (report["exit"], routes(report)) == (0, dict.fromkeys(("branch", "merge", "squash", "rebase"), "authentic"))


def test_a_later_pick_is_what_is_refused(behind):
    report = behind.check("--method", "rebase", base="gone on", head="signed")
    rebase = report["routes"][-1]
    assert [each["commit"] for each in rebase["refusals"]] == [behind.ids["signed"]]
    assert "as the forge would make it anew" in rebase["refusals"][0]["message"]


@BOTH
def test_conflicts_leave_the_forges_ways_undecided(project, given):
    project.commit("ours", {"README": "ours\n"}, sign=ALICE)
    project.commit("theirs", {"README": "theirs\n"}, parents=["base"], sign=ALICE)
    report = project.check(*given, base="ours", head="theirs")
    assert (report["exit"], report["verdict"]) == (0, "authentic")
    assert routes(report) == {"branch": "authentic"} | dict.fromkeys(("merge", "squash", "rebase"), "route-undecided")
    assert "conflicts in README" in report["routes"][1]["refusals"][0]["message"]
    report = project.check(*given, "--method", "merge", base="ours", head="theirs")
    assert (report["exit"], report["reason"]) == (3, "route-undecided")
    assert "cannot decide  (required)" in project.text("--method", "merge", base="ours", head="theirs").stdout


def test_refused_counts_for_more_than_undecided(project):
    project.commit("ours", {"README": "ours\n"}, sign=ALICE)
    project.commit("theirs", {"README": "theirs\n"}, parents=["base"])
    report = project.check("--method", "branch", "--method", "squash", base="ours", head="theirs")
    assert (report["exit"], report["reason"]) == (1, "unsigned")


def test_a_conflict_in_a_later_pick(project):
    project.commit("ours", {"open/o": "ours\n"}, sign=ALICE)
    project.commit("fine", {"open/n": "\n"}, parents=["base"])
    project.commit("clash", {"open/o": "theirs\n"})
    report = project.check("--method", "rebase", base="ours", head="clash")
    assert (report["exit"], report["reason"]) == (3, "route-undecided")


def test_git_is_too_old(behind, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2\nexit 129\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    report = behind.check(base="gone on", head="signed")
    assert (report["exit"], routes(report)["branch"], routes(report)["merge"]) == (3, "authentic", "route-undecided")
    assert behind.check("--method", "branch", base="gone on", head="signed")["exit"] == 0
    assert "git 2.38 or newer" in report["routes"][1]["refusals"][0]["hint"]


def test_git_is_not_asked_where_the_branch_is_up_to_date(project, monkeypatch):
    monkeypatch.setattr(Workshop, "_run", None)
    project.commit("one", {"open/n": "1\n"})
    project.commit("two", {"open/n": "2\n"})
    project.commit("empty", {}, sign=ALICE)
    report = project.check()
    assert routes(report) == {"branch": "authentic", "merge": "authentic", "squash": "authentic", "rebase": "unsigned"}
    assert [each["commit"] for each in report["routes"][-1]["refusals"]] == [project.ids["empty"]]


@BOTH
def test_a_branch_that_has_merged_its_target(behind, given):
    lines = "".join(f"{at}\n" for at in range(9)).replace("1", "one").replace("7", "seven")
    behind.merge("update", "signed", "gone on", both={"README": lines})
    report = behind.check(*given, base="gone on", head="update")
    assert (report["exit"], routes(report)["branch"], routes(report)["merge"]) == (0, "authentic", "authentic")
    assert routes(report)["rebase"] == "unsigned"
    behind.merge("evil", "signed", "gone on", both={"README": lines}, changes={"README": "evil\n"})
    report = behind.check(*given, base="gone on", head="evil")
    assert (report["exit"], report["reason"]) == (1, "merge-not-mechanical")
    assert any("alice (granted" in each or "alice can sign" in each for each in remedies(report, "branch"))


def test_what_the_target_has_already_is_left_out_of_a_rebase(project):
    project.commit("same", {"README": "same\n"}, sign=ALICE)
    project.commit("again", {"README": "same\n"}, parents=["base"], sign=ALICE)
    project.commit("open", {"open/n": "\n"})
    report = project.check("--method", "rebase", base="same", head="open")
    assert (report["exit"], routes(report)["rebase"]) == (0, "authentic")


def test_machines_may_not_merge(tmp_path):
    from gate.project import Project  # noqa: PLC0415

    project = Project(tmp_path, "policy_editors: [alice]")
    project.commit("work", {"README": "3\n"}, sign=ALICE)
    report = project.check("--method", "merge")
    assert (report["exit"], routes(report)["merge"]) == (1, "unsigned")
    said = remedies(report, "merge")
    assert any("alice or bob can merge it with a signed merge commit" in each for each in said)
    assert any("an editor of the policy (alice) can let machines merge: unsigned_merges: true" in each for each in said)


def test_a_stranger_can_be_vouched_for(tmp_path):
    from gate.project import Project  # noqa: PLC0415

    project = Project(tmp_path, "adopting_merges: true", "policy_editors: [alice]")
    project.commit("work", {"README": "3\n"}, sign=MALLORY)
    report = project.check("--method", "merge")
    assert routes(report)["merge"] == "unauthorized-key"
    assert any("alice can vouch for the branch as it is: gitverify adopt" in each for each in remedies(report, "merge"))


def test_without_that_the_branch_comes_first(project):
    project.commit("work", {"README": "3\n"}, sign=MALLORY)
    assert remedies(project.check(), "merge") == ["the branch has to be authentic first"]


def test_a_malformed_head(project):
    project.commit("broken", {"README": "3\n"}, mangle=lambda body: body.replace(b"author ", b"auth0r ", 1))
    report = project.check()
    assert (report["exit"], report["reason"]) == (1, "malformed-commit")
    assert routes(report)["merge"] in {"malformed-commit", "route-undecided"}


@pytest.mark.parametrize("seed", range(6))
def test_trees_are_those_of_git(tmp_path, project, seed):
    """A squash and a rebase, by the real git, come to the trees that were judged."""
    body = [f"line {at}\n" for at in range(12)]
    project.commit("start", {"open/a": "".join(body), "open/b": "b\n"})
    for at in range(3):
        body[(seed + at * 5) % 12] = f"theirs {at}\n"
        project.commit(f"t{at}", {"open/a": "".join(body), f"open/t{at}": "\n"})
    body = [f"line {at}\n" for at in range(12)]
    body[(seed + 8) % 12 if seed % 2 else 11] = "ours\n"
    project.commit("ours", {"open/a": "".join(body), "open/b": None, "open/c": "b\n"}, parents=["start"])
    base, head = (bytes.fromhex(project.ids[name]) for name in ("ours", "t2"))
    done = subprocess.run(
        ["git", "merge-tree", "--write-tree", base.hex(), head.hex()],
        cwd=project.path, env=GIT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = project.check(base="ours", head="t2")
    with Workshop(Repository(project.path), GIT) as workshop:
        if done.returncode:
            assert routes(report)["squash"] == "route-undecided"
        else:
            assert workshop.merged(base, head).hex() == done.stdout.strip()
            assert routes(report) == dict.fromkeys(("branch", "merge", "squash", "rebase"), "authentic")


def test_bob_can_sign_a_squash_of_what_he_is_granted(project):
    project.commit("one", {"pkgs/a": "1\n"}, sign=BOB)
    project.commit("two", {"pkgs/a": "2\n"}, sign=BOB)
    said = remedies(project.check(), "squash")
    assert said[0].startswith("alice or bob can squash it with a signature")
    assert "git merge --squash" in said[0]


def test_many_people_are_named_by_the_first(tmp_path):
    from gate.project import Project  # noqa: PLC0415

    project = Project(tmp_path)
    from signing import ssh_line  # noqa: PLC0415

    people = {"alice": [ALICE], **{f"p{at}": [ssh_line(f"ssh{at}")] for at in range(9)}}
    project.commit("many", {NATIVE: policy("policy_editors: [alice]", people=people, limited={})}, sign=ALICE)
    project.commit("work", {"README": "x\n"})
    first = remedies(project.check(base="many"), "branch")[0]
    assert first.startswith("alice, p0, p1, p2, p3, p4 or 4 more (granted /) can sign commit ")
