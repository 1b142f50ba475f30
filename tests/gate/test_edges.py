"""What can be in the way of an answer, and what still gets one."""

import pytest
from gate.project import ALICE, BOB, Project, routes

from gitverify.gate.workshop import Workshop
from gitverify.source import Repository

LINES = "".join(f"{at}\n" for at in range(9))


def test_a_malformed_base_that_is_given_as_authentic(project):
    project.commit("broken", {}, mangle=lambda body: body.replace(b"author ", b"auth0r ", 1))
    project.commit("work", {"README": "4\n"}, parents=["broken"], sign=ALICE)
    report = project.check("--base-authentic", base="broken", head="work")
    assert (report["exit"], report["reason"], report["routes"]) == (1, "malformed-commit", [])
    assert report["refusals"][0]["commit"] == project.ids["broken"]


@pytest.mark.parametrize("given", [(), ("--base-authentic",)], ids=["verified", "given"])
def test_what_only_the_merge_needs_is_missing(project, given, monkeypatch):
    project.commit("lines", {"README": LINES}, sign=ALICE)
    project.commit("theirs", {"README": LINES.replace("1", "one")}, sign=ALICE)
    project.commit("ours", {"README": LINES.replace("7", "seven")}, parents=["lines"], sign=ALICE)
    base, head = (bytes.fromhex(project.ids[name]) for name in ("ours", "theirs"))
    with Workshop(Repository(project.path), {}) as workshop:
        tree = workshop.merged(base, head)
        content = dict(workshop.objects().read(tree) for _ in range(1))
    project.repository.objects.write("tree", content["tree"])
    project.repository.objects.write("blob", LINES.replace("1", "one").replace("7", "seven").encode())
    monkeypatch.setattr(Workshop, "merged", lambda *_: tree)
    assert routes(project.check(*given, base="ours", head="theirs"))["merge"] == "authentic"
    project.repository.objects.remove(project.repository.objects.write("blob", LINES.encode()))
    report = project.check(*given, base="ours", head="theirs")
    # The merge button is in use here, and whether it would do harm can't be told.
    assert (report["exit"], routes(report)["branch"], routes(report)["merge"]) == (3, "authentic", "missing-object")
    assert "fetch-depth: 0" in report["routes"][1]["refusals"][0]["hint"]
    assert project.check(*given, "--method", "merge", base="ours", head="theirs")["exit"] == 3
    assert project.check(*given, "--method", "branch", base="ours", head="theirs")["exit"] == 0


def test_a_tree_of_the_branch_is_missing(project):
    project.commit("work", {"pkgs/b": "4\n"}, sign=BOB)
    project.repository.objects.remove(project.repository.objects.tree(project.history.files["work"]))
    report = project.check()
    assert (report["exit"], report["reason"]) == (3, "missing-object")


def test_the_introduction_has_no_policy(tmp_path):
    project = Project(tmp_path)
    project.commit("none", {".gitverify.yaml": None}, parents=["base"], sign=ALICE)
    project.commit("more", {"README": "4\n"}, sign=ALICE)
    for given in ((), ("--base-authentic",)):
        report = project.check(*given, base="none", head="more", introduction="none")
        assert (report["exit"], report["reason"], report["routes"]) == (4, "introduction-policy", [])
