"""Large pull requests: all of it in JSON, a screenful for people."""

import pytest
from gate.project import ALICE, MALLORY, routes

MANY = 1200  # enough for more than one process to examine them


@pytest.fixture
def many(project):
    for at in range(MANY):
        project.commit(f"c{at}", {"pkgs/a": f"{at}\n"}, sign=MALLORY if at % 2 else None)
    return project


def test_thousands_of_refused_commits(many):
    report = many.check("--jobs", "2")
    assert (report["exit"], report["commits"]["checked"]) == (1, MANY)
    branch = report["routes"][0]
    assert len(branch["refusals"]) == len(report["refusals"]) == MANY
    assert branch["refusals"][0]["commit"] == many.ids["c0"]
    assert [each["code"] for each in branch["refusals"][1:3]] == ["parent-not-authentic"] * 2
    done = many.text("--jobs", "2")
    assert len(done.stdout.splitlines()) < 100


def test_many_commits_that_are_refused_themselves(project):
    """Each brings in an unsigned root of its own, so that each has a refusal to tell."""
    for at in range(30):
        project.commit(f"side{at}", {"README": f"{at}\n"}, parents=["base"])
    labels = [f"side{at}" for at in range(30)]
    project.commit("all", {"README": "two\n"}, parents=["base", *labels[:10]], sign=ALICE)
    project.commit("more", {"README": "two\n"}, parents=["all", *labels[10:]], sign=ALICE)
    report = project.check()
    assert len([each for each in report["refusals"] if each["code"] == "unsigned"]) == 30
    text = project.text().stdout
    assert "and 25 more refusals: --format json has them all" in text
    assert "and so on for 25 more commits" in text
    assert "refusals as above" in text


def test_thousands_of_authentic_commits(project):
    for at in range(MANY):
        project.commit(f"c{at}", {"open/o": f"{at}\n"})
    report = project.check("--method", "rebase", "--jobs", "2")
    assert (report["exit"], set(routes(report).values())) == (0, {"authentic"})
    assert report["commits"]["checked"] == MANY


def test_ten_megabytes(project):
    files = {f"pkgs/{at}": bytes([at]) * (1 << 20) for at in range(10)}
    project.commit("large", files, sign=ALICE)
    project.commit("gone on", {"README": "5\n"}, parents=["base"], sign=ALICE)
    report = project.check("--method", "merge", base="gone on", head="large")
    assert (report["exit"], routes(report)["merge"]) == (0, "authentic")
    project.commit("unsigned", files, parents=["base"])
    assert project.check(base="gone on", head="unsigned")["exit"] == 1
