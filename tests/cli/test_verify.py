"""``gitverify verify``: where its settings come from, what it reports, and the mark."""

import hashlib
import io
import json
import sys
from importlib import resources

import jsonschema
import pytest
from cli.scene import ALICE, MALLORY, Scene, policies

from gitverify.cli.output import out
from gitverify.mark import MarkStore

INTRODUCE = ("--introduction", "{introduction}")
SCHEMA = json.loads((resources.files("gitverify.report") / "report.schema.json").read_text())


def marks(scene):
    with MarkStore.open(scene.place / "xdg" / "gitverify", read_only=True) as store:
        return {key.ref: [c.hex() for c in mark.commits] for key, mark in store.all()}


def test_json_is_as_documented(scene):
    report = scene.json("verify", *INTRODUCE, "--signer", ALICE.id)
    assert report.pop("exit") == 0
    jsonschema.validate(report, SCHEMA)
    assert report.pop("seconds") >= 0
    assert report == {
        "format": "gitverify/1",
        "verdict": "authentic",
        "reason": None,
        "tip": scene.ids["third"],
        "introduction": scene.ids["introduction"],
        "signer": ALICE.id,
        "ref": "refs/heads/main",
        "dialect": "native",
        "commits": {"checked": 2, "skipped": 0},
        "mark": {"before": [], "after": [scene.ids["third"]]},
        "refusals": [],
    }


def test_a_refusal_in_json(scene):
    scene.history.commit("evil", {"x": "y"}, sign=MALLORY)
    report = scene.json("verify", *INTRODUCE)
    assert report.pop("exit") == 1
    jsonschema.validate(report, SCHEMA)
    assert (report["verdict"], report["reason"]) == ("refused", "unauthorized-key")
    (refusal,) = report["refusals"]
    assert (refusal["commit"], refusal["rule"], refusal["key"]) == (scene.ids["evil"], "R8", MALLORY.id)
    assert report["mark"] == {"before": [], "after": []}
    assert marks(scene) == {}


def test_jsonl_has_a_line_per_refusal_and_a_summary(scene):
    scene.history.commit("evil", {"x": "y"})
    scene.history.commit("more", {"x": "z"}, sign=ALICE)
    done = scene.run("verify", *INTRODUCE, "--keep-going", "--format", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["refusal", "refusal", "summary"]
    assert [line["code"] for line in lines[:2]] == ["unsigned", "parent-not-authentic"]
    summary = {k: v for k, v in lines[2].items() if k != "type"} | {
        "refusals": [{k: v for k, v in line.items() if k not in {"format", "type"}} for line in lines[:2]]
    }
    jsonschema.validate(summary, SCHEMA)
    assert done.status == 1


def test_without_keep_going_only_the_oldest_refusal(scene):
    scene.history.commit("evil", {"x": "y"})
    scene.history.commit("worse", {"x": "z"})
    assert [r["commit"] for r in scene.json("verify", *INTRODUCE)["refusals"]] == [scene.ids["evil"]]


def test_policies_of_commits_above_a_refused_one_are_not_read(scene):
    """Whoever pushes unsigned commits can't have a policy parsed for each of them."""
    scene.history.commit("evil", {"x": "y"})
    broken = policies.native({"alice": [ALICE]}, "# broken")
    scene.history.commit("child", {".gitverify.yaml": broken}, sign=ALICE)
    blob = hashlib.sha1(b"blob %d\0" % len(broken) + broken.encode()).hexdigest()
    scene.repository.objects.remove(blob)
    report = scene.json("verify", *INTRODUCE, "--keep-going")
    assert [r["code"] for r in report["refusals"]] == ["unsigned", "parent-not-authentic"]


def test_human_tells_who_and_since_when(scene):
    done = scene.run("verify", *INTRODUCE)
    assert done.status == 0
    assert done.stdout.startswith(f"authentic: {scene.ids['third'][:12]} ")
    assert "2 commits verified now, 0 known from before" in done.stdout
    assert "2024-01-01" in done.stdout
    assert "signed by 2 people" in done.stdout
    assert f"bob    {'SHA256'}" in done.stdout
    assert "first run on refs/heads/main" in done.stdout
    again = scene.run("verify", *INTRODUCE)
    assert "0 commits verified now, 2 known from before" in again.stdout
    assert "nothing is new" in again.stdout
    assert "first run" not in again.stdout


def test_a_refusal_for_people_names_all_that_matters(scene):
    scene.history.commit("evil", {"x": "y"}, sign=MALLORY)
    text = scene.run("verify", *INTRODUCE).stdout
    for part in ("not authentic", scene.ids["evil"], "unauthorized-key", MALLORY.id, ".gitverify.yaml as of", "do  "):
        assert part in text
    assert scene.ids["third"][:12] in text


def test_option_before_environment_before_configuration(scene):
    bad, worse = "1" * 40, "2" * 40
    scene.repository.configure(f"[gitverify]\n\tintroduction = {bad}\n")
    report = scene.json("verify")
    assert (report["exit"], report["reason"], report["introduction"]) == (4, "introduction-missing", bad)
    report = scene.json("verify", env={"GITVERIFY_INTRODUCTION": worse})
    assert report["introduction"] == worse
    assert scene.json("verify", *INTRODUCE, env={"GITVERIFY_INTRODUCTION": worse})["exit"] == 0


def test_per_branch_configuration(scene):
    scene.repository.configure(f'[gitverify "branch:main"]\n\tintroduction = {scene.ids["introduction"]}\n')
    assert scene.json("verify")["exit"] == 0
    scene.history.branch("other", "third")
    assert scene.json("verify", "other")["reason"] == "introduction-not-configured"


def test_every_option_from_the_configuration(scene):
    keys = "\n\t".join(
        [
            f"introduction = {scene.ids['introduction']}",
            f"signer = {ALICE.id}",
            "dialect = native",
            "policyPath = .gitverify.yaml",
            "maxAge = 1000w",
        ]
    )
    scene.repository.configure(f"[gitverify]\n\t{keys}\n")
    report = scene.json("verify")
    assert (report["exit"], report["signer"]) == (0, ALICE.id)


@pytest.mark.parametrize(
    ("key", "value"),
    [("introduction", "main"), ("signer", "alice"), ("dialect", "yaml"), ("maxAge", "soon")],
)
def test_a_value_that_means_nothing(scene, key, value):
    scene.repository.configure(f"[gitverify]\n\tintroduction = {scene.ids['introduction']}\n\t{key} = {value}\n")
    report = scene.json("verify")
    assert report["exit"] == 4
    assert f"gitverify.{key.lower()}: “{value}” is" in report["refusals"][0]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--introduction", "main"),
        ("--introduction", "{introduction}", "--signer", "alice"),
        ("--introduction", "{introduction}", "--max-age", "soon"),
        ("--introduction", "{introduction}", "--dialect", "yaml"),
        ("--introduction", "{introduction}", "--jobs", "0"),
        ("--introduction", "{introduction}", "--contains", "nothing"),
        ("--introduction", "{introduction}", "--no-such-option"),
        ("nothing", "--introduction", "{introduction}"),
        ("{third}", "--introduction", "{introduction}"),
        ("HEAD~1", "--introduction", "{introduction}"),
    ],
)
def test_usage_errors(scene, arguments):
    done = scene.run("verify", *arguments)
    assert done.status == 2
    assert marks(scene) == {}


def test_usage_errors_outside_of_a_repository(scene, tmp_path):
    done = scene.run("verify", *INTRODUCE, "--repo", str(tmp_path), repo=False)
    assert done.status == 2
    assert "not in a git repository" in str(done.error)
    assert scene.run("verify", *INTRODUCE, repo=False, env={"GIT_DIR": str(scene.path / ".git")}).status == 0


def test_a_bare_id_falls_under_the_ref_that_is_named(scene):
    assert scene.json("verify", "{second}", *INTRODUCE, "--ref", "main", "--name", "here")["ref"] == "refs/heads/main"
    assert marks(scene) == {"refs/heads/main": [scene.ids["second"]]}
    assert scene.json("verify", "{second}", *INTRODUCE, "--no-state")["ref"] is None


def test_behind_rollback_and_allow_rollback(scene):
    scene.json("verify", *INTRODUCE)
    scene.history.branch("main", "second")
    report = scene.json("verify", *INTRODUCE)
    assert (report["exit"], report["reason"]) == (1, "behind")
    scene.history.commit("other", {"x": "y"}, parents=["second"], sign=ALICE)
    report = scene.json("verify", *INTRODUCE)
    assert (report["exit"], report["reason"]) == (1, "rollback")
    assert marks(scene) == {"refs/heads/main": [scene.ids["third"]]}
    report = scene.json("verify", *INTRODUCE, "--allow-rollback")
    assert report["exit"] == 0
    assert report["mark"] == {"before": [scene.ids["third"]], "after": [scene.ids["other"]]}
    status = scene.run("status", *INTRODUCE).stdout
    assert "rollback" in status
    assert "allowed by the user" in status


def test_a_rollback_that_is_allowed_must_still_be_authentic(scene):
    scene.json("verify", *INTRODUCE)
    scene.history.commit("other", {"x": "y"}, parents=["second"])
    assert scene.json("verify", *INTRODUCE, "--allow-rollback")["reason"] == "unsigned"
    assert marks(scene) == {"refs/heads/main": [scene.ids["third"]]}


def test_a_mark_of_another_signer_is_a_floor_but_skips_nothing(scene):
    scene.json("verify", *INTRODUCE)
    report = scene.json("verify", *INTRODUCE, "--signer", ALICE.id)
    assert report["commits"] == {"checked": 2, "skipped": 0}
    scene.history.branch("main", "second")
    assert scene.json("verify", *INTRODUCE)["reason"] == "behind"


def test_only_what_is_new_is_looked_at(scene):
    scene.json("verify", *INTRODUCE)
    scene.history.commit("fourth", {"x": "y"}, sign=ALICE)
    assert scene.json("verify", *INTRODUCE)["commits"] == {"checked": 1, "skipped": 2}


def test_contains(scene):
    assert scene.json("verify", *INTRODUCE, "--contains", "{second}", "--contains", "HEAD")["exit"] == 0
    scene.history.commit("other", {"x": "y"}, parents=["second"], sign=ALICE)
    scene.history.branch("main", "third")
    for missing in ("{other}", "3" * 40):
        report = scene.json("verify", *INTRODUCE, "--contains", missing)
        assert (report["exit"], report["reason"]) == (1, "not-contained")


def test_max_age(scene):
    report = scene.json("verify", *INTRODUCE, "--max-age", "1d")
    assert (report["exit"], report["reason"]) == (1, "stale")
    assert marks(scene) == {}
    assert scene.json("verify", *INTRODUCE, "--max-age", "1000w")["exit"] == 0
    assert scene.json("verify", *INTRODUCE, "--max-age", "1d")["reason"] == "stale"
    assert scene.json("verify", *INTRODUCE, "--max-age", "1000w")["commits"]["skipped"] == 2


@pytest.mark.parametrize(("ends", "reason"), [("20240101033000Z", None), ("20240101023000Z", "stale")])
def test_the_introduction_counts_for_a_key_that_is_listed_for_its_date_alone(tmp_path, ends, reason):
    """R26: of a key with a newer commit too, but at a date at which the tip's file does not list it."""
    scene = Scene(tmp_path)
    line = f"alice@example.org {{}}{ALICE.line}\n"
    scene.history.commit("start", {policies.OPENSSH: line.format("")}, parents=[], sign=ALICE)
    scene.history.commit("later", {policies.OPENSSH: line.format(f'valid-before="{ends}" ')}, sign=ALICE)
    report = scene.json("verify", "--introduction", "{start}", "--no-state", "--max-age", "1000w")
    assert report["reason"] == reason


def test_a_stale_tip_is_said_to_be_so_for_that_many_days(scene):
    for asked, days in (("2w", "14 days"), ("36h", "1.5 days")):
        (refusal,) = scene.json("verify", *INTRODUCE, "--max-age", asked)["refusals"]
        assert (refusal["commit"], refusal["rule"]) == (scene.ids["third"], "R26")
        assert f"dated within {days}" in refusal["message"]


def test_what_to_do_about_an_object_that_is_absent_or_damaged(scene):
    path = scene.repository.objects.path(scene.ids["second"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    (refusal,) = scene.json("verify", *INTRODUCE)["refusals"]
    assert (refusal["code"], refusal["commit"]) == ("missing-object", scene.ids["second"])
    assert "git fsck --full" in refusal["hint"]
    path.unlink()
    (refusal,) = scene.json("verify", *INTRODUCE)["refusals"]
    assert (refusal["code"], refusal["commit"]) == ("missing-object", scene.ids["second"])
    assert "git fetch --unshallow" in refusal["hint"]
    path.write_bytes(whole)
    assert scene.json("verify", *INTRODUCE)["exit"] == 0


def test_newest_authentic_takes_what_lies_below(scene):
    scene.history.commit("evil", {"x": "y"})
    scene.history.commit("more", {"x": "z"}, sign=ALICE)
    report = scene.json("verify", *INTRODUCE, "--newest-authentic")
    assert (report["exit"], report["tip"], report["reason"]) == (0, scene.ids["third"], None)
    assert [r["code"] for r in report["refusals"]] == ["unsigned", "parent-not-authentic"]
    assert marks(scene) == {"refs/heads/main": [scene.ids["third"]]}
    text = scene.run("verify", *INTRODUCE, "--newest-authentic").stdout
    assert "left out (--newest-authentic)" in text
    assert scene.json("verify", *INTRODUCE)["exit"] == 1


def test_newest_authentic_respects_the_mark(scene):
    scene.json("verify", *INTRODUCE)
    scene.history.commit("evil", {"x": "y"}, parents=["second"])
    report = scene.json("verify", *INTRODUCE, "--newest-authentic")
    assert (report["exit"], report["reason"]) == (1, "unsigned")
    assert marks(scene) == {"refs/heads/main": [scene.ids["third"]]}


def test_state_inside_the_repository_is_refused(scene):
    for place in ("state", ".git/state"):
        report = scene.json("verify", *INTRODUCE, "--state", str(scene.path / place))
        assert (report["exit"], report["reason"]) == (4, "state-unsafe")


def test_a_policy_elsewhere(scene):
    both = policies.native({"alice": [ALICE]})
    scene.history.commit("root", {"policies/git.yaml": both}, parents=[], sign=ALICE)
    scene.history.commit("next", {"x": "y"}, sign=ALICE)
    where = ("--introduction", "{root}", "--policy-path", "policies/git.yaml")
    assert scene.json("verify", *where)["exit"] == 0
    scene.history.commit("gone", {"policies/git.yaml": None, "policies/other": "x"}, sign=ALICE)
    assert scene.json("verify", *where)["reason"] == "policy-missing"


def test_two_processes_give_the_same_answer(scene, monkeypatch):
    monkeypatch.setattr("gitverify.workers.WORTH_WORKERS", 0)
    monkeypatch.setattr("gitverify.pool.BATCH", 4)
    for number in range(30):
        scene.history.commit(f"c{number}", {"n": str(number)}, sign=ALICE)
    scene.history.commit("evil", {"n": "evil"})
    one = scene.json("verify", *INTRODUCE, "--jobs", "1")
    two = scene.json("verify", *INTRODUCE, "--jobs", "2")
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    assert (one["reason"], one["commits"]["checked"]) == ("unsigned", 33)


def test_hostile_text_is_escaped_everywhere(scene):
    hostile = "\x1b[2J\u202eevil\r\n::error::x".encode()
    scene.history.commit("evil", {"x": "y"}, message=hostile, author=b"\x1b]0;x\x07 <a@b>")
    for format_ in ("human", "json", "jsonl"):
        text = scene.run("verify", *INTRODUCE, "--format", format_).stdout
        assert not set(text) & set("\x1b\x07\u202e\r")
    assert "\\x1b[2J\\u202eevil" in scene.run("verify", *INTRODUCE).stdout


def test_a_terminal_that_knows_ascii_only(scene, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    out("“quoted” …")
    assert stream.buffer.getvalue() == rb"\u201cquoted\u201d \u2026" + b"\n"
