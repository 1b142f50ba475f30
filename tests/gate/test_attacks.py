"""What a pull request may try, each with a twin that differs in one thing and is let in."""

import json
from pathlib import Path

import jsonschema
import pytest
from gate.project import ALICE, BOB, CAROL, MALLORY, NATIVE, Project, policy, remedies, routes

from fixtures.lib.history import STEP

SCHEMA = json.loads((Path(__file__).parents[2] / "gitverify/report/report.schema.json").read_text())
BOTH = pytest.mark.parametrize("given", [(), ("--base-authentic",)], ids=["verified", "given"])
ALLOWED = ("unsigned_merges: true", "adopting_merges: true", "policy_editors: [alice]")


@BOTH
def test_the_policy_is_removed_unsigned(project, given):
    project.commit("remove", {NATIVE: None})
    report = project.check(*given)
    assert (report["exit"], report["reason"]) == (1, "policy-missing")
    assert set(routes(report).values()) == {"policy-missing"}


@BOTH
@pytest.mark.parametrize("signer", [None, BOB, MALLORY], ids=["nobody", "limited", "stranger"])
def test_the_policy_is_changed_by_nobody_who_may(project, given, signer):
    more = {"alice": [ALICE], "bob": [BOB], "mallory": [MALLORY]}
    project.commit("self-grant", {NATIVE: policy(people=more)}, sign=signer)
    project.commit("use it", {"README": "mine\n"}, sign=MALLORY)
    report = project.check(*given)
    assert report["exit"] == 1
    assert "authentic" not in routes(report).values()
    assert any("alice" in each and "editor" in each for each in remedies(report, "branch"))
    assert not any("bob" in each or "mallory" in each for each in remedies(report, "branch"))


@BOTH
def test_the_policy_is_changed_by_an_editor_and_a_forge_loses_the_signature(project, given):
    project.commit("add carol", {NATIVE: policy(people={"alice": [ALICE], "carol": [CAROL]}, limited={})}, sign=ALICE)
    report = project.check(*given)
    assert routes(report) == {
        "branch": "authentic",
        "merge": "authentic",  # a mechanical merge with the editor's commit below it
        "squash": "unsigned",
        "rebase": "unsigned",
    }
    assert report["exit"] == 0
    assert project.check(*given, "--method", "squash")["exit"] == 1
    assert project.check(*given, "--method", "branch", "--method", "rebase")["exit"] == 1


@BOTH
def test_a_removed_person_on_top_of_the_removal(project, given):
    project.commit("drop bob", {NATIVE: policy(people={"alice": [ALICE]}, limited={})}, sign=ALICE)
    project.commit("still here", {"pkgs/a": "b\n"}, sign=BOB)
    report = project.check(*given, base="drop bob")
    assert (report["exit"], report["reason"]) == (1, "unauthorized-key")
    assert report["refusals"][0]["commit"] == project.ids["still here"]
    assert any(each.startswith("alice (granted /) can sign commit") for each in remedies(report, "branch"))
    assert project.check(*given, base="base", head="still here")["exit"] == 1


@BOTH
def test_a_removed_persons_old_branch_is_authentic_and_can_t_be_merged(project, given):
    project.commit("old work", {"pkgs/a": "b\n"}, sign=BOB)
    project.commit("drop bob", {NATIVE: policy(people={"alice": [ALICE]}, limited={})}, parents=["base"], sign=ALICE)
    report = project.check(*given, "--method", "merge", base="drop bob", head="old work")
    assert routes(report) == {
        "branch": "authentic",
        "merge": "merge-revoked-side",
        "squash": "unsigned",
        "rebase": "unsigned",
    }
    assert report["exit"] == 1
    assert any("alice can merge it with a signed merge commit" in each for each in remedies(report, "merge"))
    assert project.check(*given, "--method", "branch", base="drop bob", head="old work")["exit"] == 0
    # Where the merge button is in use it is what counts, too, unless something else is said.
    assert project.check(*given, base="drop bob", head="old work")["exit"] == 1
    assert "BASE has commits that HEAD lacks" in remedies(report, "branch")[0]


@BOTH
def test_an_old_branch_of_somebody_who_is_still_listed_can_be_merged(project, given):
    project.commit("old work", {"pkgs/a": "b\n"}, sign=BOB)
    project.commit("add carol", {NATIVE: policy(people={"alice": [ALICE], "bob": [BOB], "carol": [CAROL]})},
                   parents=["base"], sign=ALICE)  # fmt: skip
    report = project.check(*given, "--method", "merge", base="add carol", head="old work")
    assert (report["exit"], routes(report)["merge"]) == (0, "authentic")


@BOTH
@pytest.mark.parametrize("path", ["open/n", "README"])
def test_unprotected_and_protected_in_one(project, given, path):
    project.commit("open", {"open/m": "\n"})
    project.commit("more", {path: "\n"}, sign=ALICE)
    report = project.check(*given, "--method", "squash")
    wanted = "authentic" if path == "open/n" else "unsigned"
    assert routes(report) == {"branch": "authentic", "merge": "authentic", "squash": wanted, "rebase": wanted}
    squash = next(route for route in report["routes"] if route["name"] == "squash")
    assert squash["required"]
    assert all(refusal["commit"] is None for refusal in squash["refusals"])
    rebase = next(route for route in report["routes"] if route["name"] == "rebase")
    assert [each["commit"] for each in rebase["refusals"]] == ([] if path == "open/n" else [project.ids["more"]])


@BOTH
@pytest.mark.parametrize(("path", "code"), [("pkgs/b", "authentic"), ("README", "unauthorized-path")])
def test_a_person_limited_to_a_folder(project, given, path, code):
    project.commit("work", {path: "b\n"}, sign=BOB)
    report = project.check(*given)
    assert routes(report)["branch"] == code
    if code != "authentic":
        short = project.ids["work"][:12]
        assert remedies(report, "branch")[0] == f"alice (granted /) can sign commit {short}"


def test_who_can_sign_what_is_named_with_the_grant(project):
    project.commit("work", {"pkgs/b": "b\n"})
    report = project.check()
    short = project.ids["work"][:12]
    assert remedies(report, "branch")[0] == f"alice or bob (granted /, pkgs/) can sign commit {short}"


def test_nobody_alone_may_sign_it(tmp_path):
    project = Project(tmp_path)
    limited = {"bob": ["pkgs/"], "carol": ["docs/"]}
    people = {"alice": [ALICE], "bob": [BOB], "carol": [CAROL]}
    text = policy("policy_editors: [alice]", people=people, limited=limited).replace("paths: [/]", "paths: [root/]")
    project.commit("split up", {NATIVE: text}, sign=ALICE)
    project.commit("both", {"pkgs/b": "\n", "docs/c": "\n"}, sign=BOB)
    report = project.check(base="split up")
    assert report["exit"] == 1
    assert "nobody alone may sign all that commit" in remedies(report, "branch")[0]


HOSTILE = b"::error::\x1b[31m\xe2\x80\xae\r##[group] title\n"


@pytest.mark.parametrize("signer", [None, ALICE], ids=["refused", "authentic"])
def test_a_title_with_control_characters(project, signer):
    project.commit("hostile", {"README": "x\n"}, sign=signer, message=HOSTILE, author=b"\x1b]0;x\x07 <a@b>")
    done = project.text()
    assert done.status == (0 if signer else 1)
    assert "\\x1b[31m\\u202e" in done.stdout
    for part in ("\x1b", "\r", "\u202e", "\x07"):
        assert part not in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith("::")]


def test_a_path_with_control_characters(project):
    project.commit("hostile", {"x\x1b[31m\n::error::": "x\n"})
    out = project.text().stdout
    assert "x\\x1b[31m\\x0a::error::" in out
    assert "\x1b" not in out


def test_base_is_a_history_rolled_back(project):
    project.commit("news", {"README": "3\n"}, sign=ALICE)
    project.history.branch("main", "news")
    assert project.run("verify", "main", "--introduction", project.ids["introduction"]).status == 0
    project.commit("on the old one", {"README": "4\n"}, parents=["base"], sign=ALICE)
    report = project.check(state=True)
    assert (report["exit"], report["reason"], report["routes"]) == (1, "behind", [])
    assert report["base"] == project.ids["base"]
    assert project.check(state=True, base="news")["exit"] == 0


def test_head_is_the_base_of_a_history_rolled_back(project):
    project.commit("news", {"README": "3\n"}, sign=ALICE)
    report = project.check(base="news", head="base")
    assert report["exit"] == 0
    assert set(routes(report).values()) == {"authentic"}
    assert "nothing to bring in" in remedies(report, "branch")[0]


def test_a_base_that_is_refused(project):
    project.commit("squashed", {"README": "3\n"})
    project.commit("work", {"README": "4\n"}, sign=ALICE)
    report = project.check(base="squashed", head="work")
    assert (report["exit"], report["reason"], report["routes"]) == (1, "unsigned", [])
    assert report["tip"] == report["base"] == project.ids["squashed"]
    assert "this is about BASE itself" in project.text(base="squashed", head="work").stdout
    jsonschema.validate({key: value for key, value in report.items() if key != "exit"}, SCHEMA)
    # Given as authentic it is not looked at: that is what is said with it.
    assert project.check("--base-authentic", base="squashed", head="work")["exit"] == 0


def test_an_unrelated_base_given_as_authentic_lets_nothing_in_unverified(project):
    people = {"mallory": [MALLORY]}
    project.commit("other root", {"README": "x\n", NATIVE: policy("unsigned_merges: true", people=people, limited={})},
                   parents=[], sign=MALLORY)  # fmt: skip
    project.commit("unsigned", {"README": "y\n"})
    report = project.check("--base-authentic", base="other root")
    assert report["exit"] == 1
    assert "authentic" not in routes(report).values()
    report = project.check("--base-authentic", base="base", head="unsigned")
    assert (report["exit"], set(routes(report).values())) == (1, {"not-descendant"})
    assert project.check(base="other root")["reason"] == "not-descendant"


@BOTH
def test_no_common_history(project, given):
    project.commit("orphan", {"README": "x\n", NATIVE: policy()}, parents=[], sign=ALICE)
    report = project.check(*given)
    assert (report["exit"], report["reason"]) == (1, "not-descendant")
    assert set(routes(report).values()) == {"not-descendant"}


@BOTH
def test_a_fork_from_a_commit_that_is_dated_later_than_the_introduction(tmp_path, given):
    """It is the introduction's parent whatever the dates are: not refused as unrelated."""
    project = Project(tmp_path)
    project.commit("skewed", {"pkgs/s": "\n"}, sign=ALICE)
    project.history.clock -= 1_000_000
    project.commit("introduced", {"pkgs/i": "\n"}, sign=ALICE)
    project.history.clock += 1_000_000
    project.commit("later", {"README": "9\n"}, sign=ALICE)
    project.commit("aside", {"open/s": "\n"}, parents=["skewed"])
    report = project.check(*given, "--method", "merge", base="later", head="aside", introduction="introduced")
    if given:
        assert report["exit"] in {0, 3}
    else:
        assert (report["exit"], routes(report)["merge"]) == (0, "authentic")


def test_a_side_branch_that_base_merged_by_a_wrong_clock_is_no_ground_to_stand_on(tmp_path):
    """Where BASE is dated earlier than what it merges, that seems to be new, and is found to be given later."""
    project = Project(tmp_path)
    project.commit("old", {NATIVE: policy(people={"alice": [ALICE], "mallory": [MALLORY]}, limited={})}, sign=ALICE)
    then = project.history.clock
    project.commit("aside", {"pkgs/s": "\n"}, sign=CAROL)
    project.commit("introduced", {NATIVE: LISTED}, parents=["old"], sign=ALICE)
    for steps in (-3, -2, -1, 0, 1, 2):
        project.history.clock = then + steps * STEP
        merged = f"merged {steps}"
        project.merge(merged, "introduced", "aside", sign=CAROL)
        project.history.clock = then + 9 * STEP
        project.commit(f"after {steps}", {"pkgs/m": "\n"}, parents=["aside"], sign=MALLORY)
        asked = {"base": merged, "head": f"after {steps}", "introduction": "introduced"}
        assert project.check(**asked)["reason"] == "unauthorized-key"
        report = project.check("--base-authentic", **asked)
        assert report["reason"] == "route-undecided", steps
        project.commit(f"on top {steps}", {"pkgs/m": "\n"}, parents=[merged], sign=CAROL)
        report = project.check("--base-authentic", base=merged, introduction="introduced")
        assert routes(report)["branch"] == "authentic", steps


@BOTH
def test_what_a_side_branch_adopted_is_no_ground_to_stand_on(tmp_path, given):
    """Whether it may adopt is for the introduction's policy to say, which judges it (R21): not for its own file."""
    project = Project(tmp_path)
    project.commit("old", {"pkgs/o": "\n"}, sign=ALICE)
    may = {"people": {"alice": [ALICE], "carol": [CAROL]}, "limited": {}}
    project.commit("introduced", {NATIVE: policy(*ALLOWED, **may)}, sign=ALICE)
    own = policy(*ALLOWED, people={"alice": [ALICE], "mallory": [MALLORY]}, limited={})
    project.commit("stranger", {NATIVE: own, "pkgs/x": "\n"}, sign=MALLORY)
    project.commit("aside", {"pkgs/s": "\n"}, parents=["old"], sign=CAROL)
    project.merge("adopted", "aside", "stranger", sign=CAROL, changes={"pkgs/x": "\n", NATIVE: policy()})
    later = policy(**may)
    project.commit("not any more", {NATIVE: later}, parents=["introduced"], sign=ALICE)
    brought = {"pkgs/x": "\n", "pkgs/s": "\n", NATIVE: later}
    project.merge("base of all", "not any more", "adopted", sign=ALICE, changes=brought)
    project.commit("by mallory", {"pkgs/m": "\n"}, parents=["stranger"], sign=MALLORY)
    asked = {"base": "base of all", "introduction": "introduced"}
    assert project.check(head="base of all", **asked)["exit"] == 0
    report = project.check(*given, head="by mallory", **asked)
    assert report["exit"] in {1, 3}
    assert "authentic" not in routes(report).values()
    project.commit("by carol", {"pkgs/m": "\n"}, parents=["base of all"], sign=CAROL)
    report = project.check(*given, head="by carol", **asked)
    assert report["exit"] == 0


def test_a_base_older_than_the_introduction(tmp_path):
    project = Project(tmp_path)
    project.commit("work", {"README": "x\n"}, sign=ALICE, parents=["introduction"])
    report = project.check("--base-authentic", base="introduction", introduction="base")
    assert (report["exit"], report["reason"]) == (1, "not-descendant")
    assert project.check(base="introduction", introduction="base")["exit"] == 1


def stranger(tmp_path, *, sign_merge=ALICE, signed=False, more=ALLOWED):
    """BASE has adopted (or merged) a branch whose policy lists mallory, without taking that policy."""
    project = Project(tmp_path, *more)
    both = {"alice": [ALICE], "bob": [BOB], "mallory": [MALLORY]}
    project.commit("with mallory", {NATIVE: policy(*more, people=both), "x": "\n"}, sign=ALICE if signed else None)
    project.commit("merged", {"x": "\n"}, parents=["base", "with mallory"], sign=sign_merge)
    project.commit("after", {"README": "5\n"}, sign=ALICE)
    project.commit("by mallory", {"pkgs/m": "\n"}, parents=["with mallory"], sign=MALLORY)
    return project


@BOTH
def test_a_branch_that_was_adopted_is_no_ground_to_stand_on(tmp_path, given):
    project = stranger(tmp_path)
    assert project.check(base="after", head="after")["exit"] == 0
    report = project.check(*given, base="after", head="by mallory")
    assert report["exit"] == 1
    assert {each["commit"] for each in report["refusals"]} >= {project.ids["with mallory"]}
    assert "authentic" not in routes(report).values()


@BOTH
def test_a_branch_that_was_merged_is(tmp_path, given):
    project = Project(tmp_path, *ALLOWED)
    project.commit("feature", {"pkgs/f": "\n"}, sign=BOB)
    project.commit("meanwhile", {"README": "5\n"}, parents=["base"], sign=ALICE)
    project.merge("merged", "meanwhile", "feature", sign=ALICE)
    project.commit("after", {"README": "6\n"}, sign=ALICE)
    project.commit("goes on", {"pkgs/f": "f\n"}, parents=["feature"], sign=BOB)
    report = project.check(*given, "--method", "merge", base="after", head="goes on")
    assert (report["exit"], routes(report)["branch"], routes(report)["merge"]) == (0, "authentic", "authentic")


def older(tmp_path):
    """Mallory was listed before the introduction; BASE has merged a branch that forked off then."""
    project = Project(tmp_path)
    project.commit("introduced", {NATIVE: policy(people={"alice": [ALICE], "carol": [CAROL]}, limited={})}, sign=ALICE)
    project.commit("aside", {"pkgs/s": "\n"}, parents=["base"], sign=ALICE)
    project.merge("with side", "introduced", "aside", sign=ALICE)
    project.commit("later", {"README": "9\n"}, sign=ALICE)
    return project


@BOTH
@pytest.mark.parametrize("start", ["base", "aside"])
def test_a_fork_from_before_the_introduction_is_judged_by_the_introductions_policy(tmp_path, given, start):
    project = older(tmp_path)
    project.commit("by bob", {"pkgs/b": "\n"}, parents=[start], sign=BOB)
    report = project.check(*given, base="later", head="by bob", introduction="introduced")
    assert report["exit"] in {1, 3}
    assert "authentic" not in routes(report).values()
    project.commit("by carol", {"pkgs/b": "\n"}, parents=[start], sign=CAROL)
    report = project.check("--method", "merge", base="later", head="by carol", introduction="introduced")
    assert (report["exit"], routes(report)["branch"]) == (0, "not-descendant")


def test_a_base_whose_first_parents_lead_past_the_introduction(tmp_path):
    """The premise does not hold; an ancestor of the introduction is recognised all the same."""
    project = older(tmp_path)
    project.merge("swapped", "base", "introduced", sign=ALICE)
    project.commit("by bob", {"pkgs/b": "\n"}, parents=["base"], sign=BOB)
    report = project.check("--base-authentic", base="swapped", head="by bob", introduction="introduced")
    assert (report["exit"], report["reason"]) == (3, "route-undecided")
    project.commit("on top", {"pkgs/b": "\n"}, parents=["swapped"], sign=ALICE)
    assert project.check("--base-authentic", base="swapped", introduction="introduced")["exit"] == 0


LISTED = policy(people={"alice": [ALICE], "carol": [CAROL]}, limited={})


def crossed(tmp_path, ours, theirs):
    """Mallory was listed before the introduction; carol merges a branch that forked off then, in this order."""
    project = Project(tmp_path)
    project.commit("old", {NATIVE: policy(people={"alice": [ALICE], "mallory": [MALLORY]}, limited={})}, sign=ALICE)
    project.commit("introduced", {NATIVE: LISTED}, sign=ALICE)
    project.commit("later", {"README": "9\n"}, sign=ALICE)
    project.commit("aside", {"pkgs/s": "\n"}, parents=["old"], sign=CAROL)
    project.merge("merged", ours, theirs, sign=CAROL, changes={NATIVE: LISTED})
    return project


@pytest.mark.parametrize("parents", [("aside", "later"), ("later", "aside")], ids=["astray", "right"])
def test_a_branch_that_would_lead_the_next_base_astray(tmp_path, parents):
    """Authentic, but as BASE its first parents lead past the introduction: mallory's old rights would come back."""
    project = crossed(tmp_path, *parents)
    asked = {"base": "later", "head": "merged", "introduction": "introduced"}
    assert project.check(**asked)["exit"] == 0
    report = project.check("--base-authentic", **asked)
    if parents[0] == "later":
        assert (report["exit"], routes(report)["branch"]) == (0, "authentic")
    else:
        assert (report["exit"], report["reason"]) == (3, "route-undecided")
        assert "the other way round" in report["refusals"][0]["hint"]
        assert routes(report)["merge"] == "authentic"  # which has BASE as its first parent
    project.commit("by mallory", {"pkgs/m": "\n"}, parents=["aside"], sign=MALLORY)
    asked = {"base": "merged", "head": "by mallory", "introduction": "introduced"}
    assert project.check(**asked)["reason"] == "unauthorized-key"
    if parents[0] == "later":
        assert project.check("--base-authentic", **asked)["reason"] == "route-undecided"


def test_where_base_alone_does_not_tell_what_governs_there_is_no_answer(tmp_path):
    project = older(tmp_path)
    project.commit("by carol", {"pkgs/b": "\n"}, parents=["aside"], sign=CAROL)
    report = project.check("--base-authentic", base="later", head="by carol", introduction="introduced")
    assert (report["exit"], report["reason"]) == (3, "route-undecided")
    assert report["refusals"][0]["commit"] == project.ids["aside"]


def test_a_merge_that_brings_a_draft_of_a_policy(tmp_path):
    """R23: an editor's abandoned draft, merged by a machine on the branch, would move everyone's clock back."""
    project = Project(tmp_path)
    people = {"alice": [ALICE], "bob": [BOB], "mallory": [MALLORY]}
    project.commit("draft", {NATIVE: policy(people=people)}, sign=ALICE)
    project.commit("went on", {"README": "5\n"}, parents=["base"], sign=ALICE)
    project.merge("machine", "went on", "draft")
    report = project.check(base="went on", head="machine")
    assert (report["exit"], report["reason"]) == (1, "rollback")
    assert routes(report)["branch"] == "rollback"
    project.merge("editor", "went on", "draft", sign=ALICE)
    assert project.check(base="went on", head="editor")["exit"] == 0


def test_what_comes_after_is_told_by_the_policy_of_base(project):
    """Not by one that the branch brings: a stranger who lists himself is not asked to sign."""
    both = {"alice": [ALICE], "bob": [BOB], "mallory": [MALLORY]}
    project.commit("self-grant", {NATIVE: policy(people=both)})
    project.commit("stranger", {"README": "m\n"}, sign=MALLORY)
    project.commit("fine", {"README": "a\n"}, sign=ALICE)
    for at in range(7):
        project.commit(f"u{at}", {"README": f"{at}\n"})
    said = remedies(project.check(), "branch")
    after = [each for each in said if each.startswith("after that, by the policy of BASE")]
    start = "after that, by the policy of BASE, these are refused for themselves, too: "
    unsigned = ", ".join(project.ids[f"u{at}"][:12] for at in range(5))
    assert after == [
        f"{start}{project.ids['stranger'][:12]} (unauthorized-key)",
        f"{start}{unsigned} and 2 more (unsigned)",
    ]
    assert not [each for each in said if "mallory" in each]


def test_an_unsigned_adopting_merge_on_the_branch_is_to_be_signed(tmp_path):
    project = Project(tmp_path, *ALLOWED)
    project.commit("stranger", {"README": "m\n"}, sign=MALLORY)
    project.commit("went on", {"pkgs/b": "b\n"}, parents=["base"], sign=ALICE)
    project.merge("adopts", "went on", "stranger")
    report = project.check(base="went on", head="adopts")
    assert routes(report)["branch"] == "unauthorized-key"
    assert [each["rule"] for each in report["refusals"]][-1] == "R20"
    assert any(each == f"alice can sign commit {project.ids['adopts'][:12]}" for each in remedies(report, "branch"))
    project.merge("adopted", "went on", "stranger", sign=ALICE)
    assert project.check(base="went on", head="adopted")["exit"] == 0
