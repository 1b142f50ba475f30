"""``gitverify check``: how it is asked, and what it leaves alone."""

import json
from pathlib import Path

import jsonschema
import pytest

from fixtures.lib.keys import ALICE, BOB

SCHEMA = json.loads((Path(__file__).parents[2] / "gitverify/report/report.schema.json").read_text())


@pytest.fixture
def asked(scene):
    """The scene, with ``main`` at its third commit and a signed commit on ``pr``."""
    scene.history.commit("work", {"README": "four\n"}, sign=BOB)
    scene.history.branch("pr", "work")
    scene.history.branch("main", "third")
    return scene


def marks(scene):
    return {path: path.read_bytes() for path in (scene.place / "xdg").rglob("*") if path.is_file()}


ANCHOR = ("--introduction", "{introduction}")


def test_the_main_path(asked):
    done = asked.run("check", "main..pr", *ANCHOR)
    assert done.status == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"authentic: {asked.ids['work']} “work”"
    assert lines[1] == f"  on top of {asked.ids['third'][:12]} “third”"
    assert "  1 commit verified, since the introduction" in lines[2]
    assert "  branch   authentic  (required)" in lines
    assert "  merge    not authentic" in lines


def test_no_mark_is_made_or_moved(asked):
    assert asked.run("check", "main..pr", *ANCHOR).status == 0
    assert not marks(asked)
    assert asked.run("verify", "main", *ANCHOR).status == 0
    before = marks(asked)
    for more in ((), ("--base-authentic",), ("--method", "merge")):
        asked.run("check", "main..pr", *ANCHOR, *more)
    assert before
    assert marks(asked) == before


def test_a_mark_saves_looking_again(asked):
    asked.run("verify", "main", *ANCHOR)
    report = asked.json("check", "main..pr", *ANCHOR)
    assert report["commits"] == {"checked": 1, "skipped": 2}
    assert report["mark"] == {"before": [], "after": []}


@pytest.mark.parametrize("method", ["branch", "merge", "squash", "rebase"])
def test_the_report_keeps_its_schema(asked, method):
    report = asked.json("check", "main..pr", *ANCHOR, "--method", method)
    status = report.pop("exit")
    jsonschema.validate(report, SCHEMA)
    assert status == (0 if method == "branch" else 1)
    assert report["base"] == asked.ids["third"]
    assert [route["name"] for route in report["routes"] if route["required"]] == [method]
    assert report["tip"] == asked.ids["work"]


def test_all_required_ways_must_be_authentic(asked):
    assert asked.run("check", "main..pr", *ANCHOR, "--method", "branch", "--method", "merge").status == 1


def test_jsonl_ends_with_the_summary(asked):
    done = asked.run("check", "main..pr", *ANCHOR, "--method", "merge", "--format", "jsonl")
    *refusals, summary = map(json.loads, done.stdout.splitlines())
    assert [each["type"] for each in refusals] == ["refusal"]
    assert summary["routes"][0]["verdict"] == "authentic"


def test_head_may_be_left_out(asked):
    asked.history.branch("main", "work")
    asked.history.branch("target", "third")
    report = asked.json("check", "target..", *ANCHOR, "--no-state")
    assert (report["exit"], report["tip"]) == (0, asked.ids["work"])


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ("main...pr", "write two dots, BASE..HEAD"),
        ("main", "is no range: write BASE..HEAD"),
        ("..pr", "is no range"),
        ("main..nothing", "names no commit"),
        ("nothing..pr", "names no commit"),
        ("main..p\x1br", "\\x1b"),
    ],
)
def test_what_is_no_range(asked, span, said):
    done = asked.run("check", span, *ANCHOR)
    assert done.status == 2
    assert said in str(done.error)
    assert "\x1b" not in str(done.error)


def test_an_unknown_method(asked):
    assert asked.run("check", "main..pr", *ANCHOR, "--method", "octopus").status == 2


def test_a_base_without_a_branch_needs_to_say_whose_mark_it_falls_under(asked):
    done = asked.run("check", "{third}..{work}", *ANCHOR)
    assert done.status == 2
    assert "--ref" in str(done.error)
    assert asked.run("check", "{third}..{work}", *ANCHOR, "--ref", "main").status == 0
    assert asked.run("check", "{third}..{work}", *ANCHOR, "--no-state").status == 0
    assert asked.run("check", "{third}..{work}", *ANCHOR, "--base-authentic").status == 0


def test_not_in_a_repository(asked, tmp_path):
    done = asked.run("check", "main..pr", "--repo", str(tmp_path), *ANCHOR, repo=False)
    assert done.status == 2


def test_no_introduction(asked):
    done = asked.run("check", "main..pr")
    assert done.status == 4
    assert "introduction-not-configured" in done.stdout


def test_a_wrong_signer_is_refused_whatever_is_given(asked):
    wrong = ("--signer", "SHA256:" + "A" * 43)
    for more in ((), ("--base-authentic",)):
        report = asked.json("check", "main..pr", *ANCHOR, *wrong, *more)
        assert (report["exit"], report["reason"], report["routes"]) == (1, "introduction-signer", [])
    assert asked.run("check", "main..pr", *ANCHOR, "--signer", ALICE.id).status == 0


@pytest.mark.parametrize("more", [(), ("--base-authentic",)])
def test_an_empty_range(asked, more):
    for span in ("main..main", "pr..main"):
        report = asked.json("check", span, *ANCHOR, *more)
        assert (report["exit"], report["commits"]["checked"]) == (0, 0)
        assert {route["verdict"] for route in report["routes"]} == {"authentic"}
        assert "nothing to bring in" in asked.run("check", span, *ANCHOR, *more).stdout


def test_a_configured_age_is_no_question_here(asked):
    asked.repository.write("config", asked.repository.git.joinpath("config").read_text() + "[gitverify]\nmaxAge = 1d\n")
    assert asked.run("verify", "main", *ANCHOR).status == 1
    assert asked.run("check", "main..pr", *ANCHOR).status == 0


def test_help_has_examples(asked):
    done = asked.run("check", "--help", repo=False)
    assert done.status == 0
    assert "gitverify check origin/main.." in done.stdout
    assert "--base-authentic" in done.stdout
