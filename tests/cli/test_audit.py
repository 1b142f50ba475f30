"""``gitverify audit``: what would be authentic, under the policies as they are or a proposed one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from cli.scene import ALICE, BOB, MALLORY, policies
from gitrepo import ENVIRONMENT

from fixtures.lib.keys import CAROL
from gitverify import limits
from gitverify.trees import mechanical

SCHEMA = json.loads((Path(__file__).parents[2] / "gitverify/report/audit.schema.json").read_text())
INTRODUCE = ("--introduction", "{introduction}")
CHANGE = {"dir/a": "a\n", "dir/b": "b\n"}


@pytest.fixture
def project(scene):
    """A history as many are: some sign, some don't, and a button merges."""
    history = scene.history
    history.commit("folder", CHANGE, sign=ALICE)
    history.commit("feature", {"dir/a": "aa\n"}, author=b"Contributor <c@example.org>")
    history.commit("meanwhile", {"top": "1\n"}, parents=["folder"], sign=MALLORY)
    history.commit("merge", {"dir/a": "aa\n"}, parents=["meanwhile", "feature"])
    history.commit("carol", {"top": "2\n"}, sign=CAROL)
    return scene


def propose(scene, *more, people=None, granted=None):
    """Write a policy outside of the repository; return the option that names it."""
    path = scene.place / "draft.yaml"
    path.write_text(policies.native(people or {"alice": [ALICE], "bob": [BOB]}, *more, granted=granted))
    return ("--policy", str(path))


def audit(scene, *arguments, **kwargs):
    done = scene.run("audit", *arguments, "--format", "json", **kwargs)
    report = json.loads(done.stdout)
    if "verdict" not in report:
        jsonschema.validate(report, SCHEMA)
    return report | {"exit": done.status}


def commits(report):
    part = report["coverage"]["commits"]
    return part["authentic"], part["total"]


def codes(report):
    return {reason["code"]: reason["commits"] for reason in report["reasons"]}


def test_a_proposed_policy_judges_every_commit_alone(project):
    found = audit(project, *propose(project))
    assert found["exit"] == 0
    assert commits(found) == (4, 8)
    assert codes(found) == {"unsigned": 2, "unauthorized-key": 1, "unknown-key": 1}
    assert found["signed"] == {"listed": 4, "unlisted": 2, "unsigned": 2, "void": 0}
    assert found["merges"]["mechanical"]["commits"] == found["merges"]["mechanical"]["unsigned"] == 1
    assert found["suggestions"]["unsigned_merges"] == 1
    assert [(person["name"], person["commits"]) for person in found["people"]] == [("alice", 3), ("bob", 1)]
    assert found["policy"] == {
        "file": str(project.place / "draft.yaml"), "people": 2, "unprotected": [], "unsigned_merges": False
    }  # fmt: skip
    assert found["introduction"] is None
    assert found["tip"] == project.ids["carol"]


def test_what_the_folders_would_unblock(project):
    found = audit(project, *propose(project))
    (folder,) = [folder for folder in found["folders"] if folder["path"] == "dir/"]
    assert (folder["commits"], folder["authentic"], folder["unblocks"], folder["files"]) == (2, 1, 1, 2)
    freed = audit(project, *propose(project, "unprotected: [dir/]", "unsigned_merges: true"))
    assert commits(freed) == (6, 8)
    assert [folder["path"] for folder in freed["folders"] if folder["unprotected"]] == ["dir/"]


def test_keys_come_as_a_policy_lists_them(project):
    keys = {key["key"]: key for key in audit(project, *propose(project))["keys"]}
    assert keys[MALLORY.id]["line"] == MALLORY.line
    assert (keys[MALLORY.id]["proven"], keys[MALLORY.id]["would_sign"]) == (True, 1)
    people = {"alice": [ALICE], "bob": [BOB], "mallory": [keys[MALLORY.id]["line"]]}
    assert commits(audit(project, *propose(project, people=people))) == (5, 8)


def test_certificates_come_from_a_keyring_or_the_tip(project):
    people = {"alice": [ALICE], "bob": [BOB], "carol": [CAROL]}
    found = audit(project, *propose(project, people=people))
    assert commits(found) == (4, 8)
    (key,) = [key for key in found["keys"] if key["key"] == CAROL.id]
    assert (key["proven"], key["listed"], key["would_sign"]) == (False, "carol", 1)
    keys = {"carol.asc": CAROL.certificate}
    project.history.commit("keys", keys, parents=[])
    project.history.branch("keys", "keys")
    project.history.branch("main", "carol")
    found = audit(project, *propose(project, people=people), "--keyring", "keys")
    assert commits(found) == (5, 8)
    assert CAROL.id not in {key["key"] for key in found["keys"]}
    certificates = {f".gitverify/keys/{name}": content for name, content in keys.items()}
    project.history.commit("with keys", certificates, parents=["carol"], sign=ALICE)
    assert commits(audit(project, *propose(project, people=people))) == (6, 9)


def test_a_limited_person(project):
    found = audit(project, *propose(project, "policy_editors: [bob]", granted=["bob"]))
    assert codes(found)["unauthorized-path"] == 2
    assert codes(found)["policy-unauthorized"] == 1


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (("--since", "{folder}"), ["feature", "meanwhile", "merge", "carol"]),
        (("--since", "{folder}", "--max-count", "2"), ["merge", "carol"]),
        (("--max-count", "1"), ["carol"]),
        (("--introduction", "{merge}"), ["carol"]),
        (("--introduction", "{introduction}", "--since", "{meanwhile}"), ["feature", "merge", "carol"]),
        (("{feature}", "--since", "{meanwhile}"), ["feature"]),
        (("--since", "{carol}"), []),
    ],
)
def test_the_range_is_what_these_do_not_reach(project, limit, left):
    found = audit(project, *propose(project, "unprotected: [none/]"), *limit)
    assert found["coverage"]["commits"]["total"] == len(left)
    examples = {reason["example"] for reason in found["reasons"]}
    assert examples <= {project.ids[label] for label in left}


def test_since_need_not_be_an_ancestor(project):
    project.history.commit("aside", {"x": "1"}, parents=["second"], sign=ALICE)
    project.history.branch("main", "carol")
    assert audit(project, *propose(project), "--since", "{aside}")["coverage"]["commits"]["total"] == 6


def test_the_policies_as_they_are(project):
    found = audit(project, *INTRODUCE)
    assert commits(found) == (3, 7)
    assert found["policy"] is None
    assert found["introduction"] == project.ids["introduction"]
    assert [person["name"] for person in found["people"]] == ["alice", "bob"]
    assert "policy-missing" not in codes(found)


def test_without_an_introduction_what_came_before_the_policy_is_missing_one(project):
    found = audit(project)
    assert commits(found) == (3, 8)
    assert codes(found)["policy-missing"] == 1
    assert any("before there was a policy" in note for note in found["notes"])


def test_where_there_is_no_policy_one_can_be_proposed(project):
    project.history.commit("none", {policies.NATIVE: None}, sign=ALICE)
    report = audit(project)
    assert (report["exit"], report["reason"]) == (4, "introduction-policy")
    assert "--policy FILE" in report["refusals"][0]["message"]
    assert audit(project, *INTRODUCE)["people"] != []


def test_the_configured_introduction_counts(project):
    project.repository.configure(f"[gitverify]\n\tintroduction = {project.ids['folder']}\n")
    assert audit(project)["coverage"]["commits"]["total"] == 4
    project.repository.configure("[gitverify]\n\tintroduction = nonsense\n")
    assert audit(project)["reason"] == "introduction-not-configured"


def test_r19e_is_asked_of_what_is_authentic_itself(scene):
    """Bob is removed while he works on a branch: a merge that brings it in is refused, and so is it in an audit."""
    history = scene.history
    alone = policies.native({"alice": [ALICE]}, "unsigned_merges: true")
    both = policies.native({"alice": [ALICE], "bob": [BOB]}, "unsigned_merges: true")
    history.commit("merging", {policies.NATIVE: both}, sign=ALICE)
    history.commit("bob's", {"x": "1\n"}, sign=BOB)
    history.commit("stranger's", {"y": "1\n"}, parents=["merging"], sign=MALLORY)
    history.commit("without bob", {policies.NATIVE: alone}, parents=["merging"], sign=ALICE)
    history.commit("merge", {"x": "1\n"}, parents=["without bob", "bob's"])
    history.commit("merge of a stranger", {"y": "1\n"}, parents=["without bob", "stranger's"])
    found = audit(scene, "{merge}", "--introduction", "{merging}")
    assert codes(found) == {"merge-revoked-side": 1}
    found = audit(scene, "{merge of a stranger}", "--introduction", "{merging}")
    assert codes(found) == {"unauthorized-key": 1}


def test_other_dialects(scene):
    signers = policies.openssh((ALICE, ""))
    scene.history.commit("start", {policies.OPENSSH: signers, policies.NATIVE: None}, sign=ALICE)
    scene.history.commit("by alice", {"x": "1"}, sign=ALICE)
    scene.history.commit("by bob", {"x": "2"}, sign=BOB)
    found = audit(scene, "--introduction", "{start}")
    assert codes(found) == {"unauthorized-key": 1}
    assert found["suggestions"]["unprotected"] == []
    found = audit(scene, *propose(scene), "--introduction", "{start}")
    assert commits(found) == (2, 2)


def test_text_and_page(project):
    done = project.run("audit", *propose(project), "--html", str(project.place / "audit.html"))
    assert done.status == 0
    assert "50.0 %          4 of         8 commits" in done.stdout
    page = (project.place / "audit.html").read_text()
    assert page.startswith("<!doctype html>")
    printed = project.run("audit", *propose(project), "--format", "html").stdout
    assert printed == page
    assert project.run("audit", *propose(project), "--html", str(project.place / "no" / "where.html")).status == 2


@pytest.mark.parametrize("text", ["version: 9\n", "people: [", "\xff"])
def test_a_policy_that_is_none_is_a_mistake_in_the_call(project, text):
    path = project.place / "broken.yaml"
    path.write_text(text, encoding="latin-1")
    done = project.run("audit", "--policy", str(path))
    assert done.status == 2
    assert "broken.yaml" in str(done.error)


def test_protected_paths_are_not_suggested(project):
    path = propose(project)
    assert [s["prefix"] for s in audit(project, *path)["suggestions"]["unprotected"]] == ["top", "dir/a"]
    assert [s["prefix"] for s in audit(project, *path, "--protect", "dir/")["suggestions"]["unprotected"]] == ["top"]


def test_what_is_missing_leaves_it_undecided(project):
    tree = subprocess.run(
        ["git", "-C", str(project.path), "rev-parse", "feature^{tree}".replace("feature", project.ids["feature"])],
        env=ENVIRONMENT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    project.repository.objects.remove(tree)
    report = audit(project, *propose(project))
    assert (report["exit"], report["verdict"], report["reason"]) == (3, "undecided", "missing-object")
    project.repository.objects.remove(project.ids["second"])
    assert audit(project, *propose(project))["exit"] == 3


def test_an_introduction_that_is_elsewhere(project):
    project.history.commit("elsewhere", {"x": "1"}, parents=["introduction"], sign=ALICE)
    project.history.branch("main", "carol")
    report = audit(project, *propose(project), "--introduction", "{elsewhere}")
    assert (report["exit"], report["reason"]) == (1, "not-descendant")


def test_malformed_commits_and_trees_are_counted(project):
    history = project.history
    history.commit("odd", {"x": "1"}, sign=ALICE, mangle=lambda body: body.replace(b"author", b"writer"))
    tree = project.repository.objects.write("tree", b"100644 .git\0" + bytes(20))
    history.commit("worse", tree=tree, parents=["carol"], sign=ALICE)
    history.commit("good", {"x": "2"}, parents=["carol"], sign=ALICE)
    history.commit("last", {"x": "2"}, parents=["good", "worse", "odd"], sign=ALICE)
    found = audit(project, *propose(project))
    assert codes(found)["malformed-tree"] == codes(found)["malformed-commit"] == 1
    assert found["signed"]["void"] == 2
    assert audit(project, "{odd}", *propose(project))["reason"] == "malformed-commit"
    assert audit(project, "{odd}", *INTRODUCE)["reason"] == "not-descendant"
    assert audit(project, "{worse}", *propose(project))["reason"] == "malformed-tree"
    assert audit(project, "{worse}")["reason"] == "malformed-tree"
    assert audit(project, "{worse}", *INTRODUCE)["exit"] == 0


def test_what_is_too_much_is_told(project, monkeypatch):
    small = limits.Limits(merge_directories=0, changed_paths=1)
    monkeypatch.setattr(mechanical, "LIMITS", small)
    monkeypatch.setattr("gitverify.trees.difference.LIMITS", small)
    found = audit(project, *propose(project))
    assert found["immeasurable"] > 0
    assert any("more than can be looked at" in note for note in found["notes"])


def test_processes_find_the_same(project):
    for number in range(300):
        project.history.commit(f"c{number}", {"n": str(number)}, sign=ALICE if number % 3 else None)
    one, two = (audit(project, *propose(project), "--jobs", jobs) for jobs in "12")
    assert one | {"seconds": 0} == two | {"seconds": 0}


def test_progress_on_a_terminal(project):
    ours, theirs = os.openpty()
    program = (
        "import gitverify.cli.progress as p; p.DELAY = p.INTERVAL = 0; from gitverify.cli.main import main; main()"
    )
    arguments = ["audit", *propose(project), "--repo", str(project.path)]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=theirs, check=True, env=ENVIRONMENT
    )
    os.close(theirs)
    seen = os.read(ours, 1 << 20).decode()
    os.close(ours)
    assert "judging: 8 of 8 commits, 100%" in seen
    assert seen.endswith("\r\x1b[K")
    assert b"\x1b" not in done.stdout
