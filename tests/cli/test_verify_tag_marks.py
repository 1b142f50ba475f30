"""``verify-tag`` and the marks: whom the policies accepted since list still, and which commits may be tagged at all."""

import pytest

from fixtures.lib import policies
from fixtures.lib.keys import CAROL
from tests.cli.scene import ALICE, BOB
from tests.cli.tagscene import BOTH, Tags, accepted, refused

REMOTE = """
[remote "origin"]
\turl = https://example.org/project
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
"""


@pytest.fixture
def tags(tmp_path):
    return Tags(tmp_path)


def people(*names, **more):
    return policies.native({name: BOTH[name] for name in names}, *more.pop("lines", ()), **more)


def unsigned_merges(tags):
    """Allow merges by a machine from here on."""
    both = policies.native(BOTH, policies.UNSIGNED_MERGES)
    tags.history.commit("fork", {policies.NATIVE: both}, sign=ALICE)


# --- somebody who has left ------------------------------------------------------------------------------------------


def test_below_the_mark_nothing_is_judged_twice(tags):
    tags.tag("v1", "second")
    first = tags.ask()
    assert first["commits"] == {"checked": 1, "skipped": 0}
    tags.accept()
    again = tags.ask()
    accepted(again)
    assert again["commits"] == {"checked": 0, "skipped": 2}
    assert again["mark"] == {"before": [tags.ids["third"]], "after": [tags.ids["third"]]}


def test_above_the_mark_only_what_is_new_is_judged(tags):
    tags.accept()
    tags.history.commit("fourth", {"README": "4\n"}, sign=BOB)
    tags.tag("v1", "fourth")
    report = tags.ask()
    accepted(report)
    assert report["commits"] == {"checked": 1, "skipped": 2}
    assert report["mark"]["after"] == [tags.ids["third"]]


def test_above_the_mark_an_unsigned_commit_is_refused_as_ever(tags):
    tags.accept()
    tags.history.commit("fourth", {"README": "4\n"})
    tags.tag("v1", "fourth")
    refused(tags.ask(), "unsigned", "R8")


def test_a_mark_of_other_settings_is_a_mark(tags):
    """It was made with a signer named, so what it reaches is judged again; but bob is gone."""
    tags.tag("v1", sign=BOB)
    tags.drop()
    done = tags.json("verify", "main", "--introduction", "{introduction}", "--signer", ALICE.id)
    assert done["exit"] == 0
    refused(tags.ask(), "unauthorized-key", "T6")
    tags.tag("v2")
    report = tags.ask("v2")
    accepted(report)
    assert report["commits"]["checked"] == 2


@pytest.mark.parametrize("options", [["--ref", "nobody"], ["--ref", "refs/tags/v1"]])
def test_a_branch_that_was_not_verified_where_others_were_is_a_mistake(tags, options):
    """With it nobody would ask whether the signer has left."""
    tags.tag("v1", sign=BOB)
    accepted(tags.ask("v1", *options), "bob")  # nothing was verified here at all, and the report says so
    tags.drop()
    tags.accept()
    refused(tags.ask("v1", "--ref", "main"), "unauthorized-key", "T6")
    done = tags.run("verify-tag", "v1", "--introduction", "{introduction}", *options)
    assert done.status == 2
    assert "name one that was: refs/heads/main" in str(done.error)
    accepted(tags.ask("v1", *options, "--no-state"), "bob")


def test_somebody_who_came_back(tags):
    tags.tag("v1", sign=BOB)
    tags.drop()
    tags.history.commit("back", {policies.NATIVE: people("alice", "bob")}, sign=ALICE)
    tags.accept()
    accepted(tags.ask(), "bob")


def test_somebody_who_joined_after_the_mark(tags):
    """The mark is older than the policy that lists her."""
    tags.accept()
    new = policies.native(BOTH | {"carol": [CAROL]}, policies.OPENPGP_KEYS)
    tags.history.commit("joined", {policies.NATIVE: new} | policies.certificates(CAROL), sign=ALICE)
    tags.tag("v1", "joined", sign=CAROL)
    accepted(tags.ask(), "carol")


def test_whoever_took_over_the_key_of_somebody_who_left(tags):
    """It is the key that is listed, whoever's it is called: R8."""
    tags.tag("v1", sign=BOB)
    tags.history.commit("renamed", {policies.NATIVE: policies.native({"alice": [ALICE], "rob": [BOB]})}, sign=ALICE)
    tags.accept()
    accepted(tags.ask(), "bob")


# --- which marks count ----------------------------------------------------------------------------------------------


def branch_off(tags):
    """``stable`` parts from main at ``third``, and bob is dropped on main alone."""
    tags.history.commit("backport", {"stable": "1\n"}, sign=BOB)
    tags.history.branch("stable", "backport")
    tags.drop(parents=["third"])


def test_a_draft_that_nobody_merged(tags):
    """It is authentic, and lists bob; but nobody here has accepted a branch with it."""
    branch_off(tags)
    tags.accept()
    tags.tag("v1", "backport", sign=BOB)
    refused(tags.ask(), "tag-aside", "T4")
    refused(tags.ask("v1", "--historic"), "tag-aside", "T4")
    tags.tag("v2", "backport")
    refused(tags.ask("v2"), "tag-aside", "T4")
    accepted(tags.ask("v1", "--no-state"), "bob")


def test_a_release_branch_keeps_its_own_people(tags):
    branch_off(tags)
    tags.accept()
    tags.accept("stable")
    tags.tag("v1", "backport", sign=BOB)
    accepted(tags.ask(), "bob")
    refused(tags.ask("v1", "--ref", "main"), "tag-aside", "T4")
    accepted(tags.ask("v1", "--ref", "stable"), "bob")


def test_what_both_branches_have_is_for_both_to_say(tags):
    branch_off(tags)
    tags.tag("v1", "third", sign=BOB)
    tags.accept("stable")
    accepted(tags.ask(), "bob")
    tags.accept()
    refused(tags.ask(), "unauthorized-key", "T6")
    accepted(tags.ask("v1", "--ref", "stable"), "bob")


def test_marks_of_the_branch_that_it_follows_elsewhere(tags):
    tags.repository.configure(REMOTE)
    tags.tag("v1", sign=BOB)
    tags.drop()
    tags.accept()
    refused(tags.ask(), "unauthorized-key", "T6")
    refused(tags.ask("v1", "--ref", "main"), "unauthorized-key", "T6")
    refused(tags.ask("v1", "--name", "https://example.org/project"), "unauthorized-key", "T6")
    accepted(tags.ask("v1", "--name", "another"), "bob")


def test_a_detached_head(tags):
    tags.repository.configure(REMOTE)
    tags.tag("v1", sign=BOB)
    tags.drop()
    tags.accept()
    tags.repository.write("HEAD", tags.ids["third"] + "\n")
    refused(tags.ask(), "unauthorized-key", "T6")


def test_a_mark_under_another_introduction(tags):
    tags.tag("v1", sign=BOB)
    tags.drop()
    assert tags.json("verify", "main", "--introduction", "{second}")["exit"] == 0
    accepted(tags.ask(), "bob")


def test_a_mark_that_is_not_in_this_clone(tags):
    """The server has hidden the branch on which bob was dropped."""
    tags.tag("v1", "second", sign=BOB)
    tags.accept()
    tags.history.branch("stable", "third")
    tags.accept("stable")
    tags.drop()
    tags.accept()
    tags.repository.objects.remove(tags.ids["dropped"])
    tags.history.branch("main", "third")
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert "--ref" in report["refusals"][0]["hint"]
    accepted(tags.ask("v1", "--ref", "stable"), "bob")
    accepted(tags.ask("v1", "--historic"), "bob")
    report = tags.ask("v1", "--ref", "main", "--historic")
    assert (report["exit"], report["reason"]) == (3, "missing-object")


def test_a_state_that_is_damaged(tags):
    tags.tag("v1")
    tags.accept()
    (state,) = (tags.place / "xdg").rglob("*.sqlite*")
    state.write_bytes(b"x" * 1000)
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (4, "state-corrupt")


# --- ways between a mark and a tag that are none --------------------------------------------------------------------


def adopting(tags, *, adopted):
    """An adopting merge hangs a draft of bob's, and junk on top, below main, on which bob was dropped before."""
    both = policies.native(BOTH, policies.ADOPTING_MERGES)
    tags.history.commit("fork", {policies.NATIVE: both}, sign=ALICE)
    tags.history.commit("draft", {"draft": "1\n"}, sign=BOB)
    if adopted:
        tags.history.commit("junk", {"junk": "1\n"})
    alone = policies.native({"alice": [ALICE]}, policies.ADOPTING_MERGES)
    tags.history.commit("kept", {policies.NATIVE: alone}, parents=["fork"], sign=ALICE)
    tags.history.merge("merge", "kept", "junk" if adopted else "draft", sign=ALICE)
    tags.tag("v1", "draft")
    tags.tag("v2", "kept")


def test_what_an_adopting_merge_brought_is_not_reached(tags):
    adopting(tags, adopted=True)
    tags.accept()
    refused(tags.ask("v1"), "tag-aside", "T4")
    accepted(tags.ask("v2"))


def test_what_a_merge_brought_is_reached(tags):
    adopting(tags, adopted=False)
    tags.accept()
    accepted(tags.ask("v1"))
    accepted(tags.ask("v2"))


def test_above_an_adopting_merge(tags):
    """The tagged commit reaches the mark, but not over the junk."""
    both = policies.native(BOTH, policies.ADOPTING_MERGES)
    tags.history.commit("fork", {policies.NATIVE: both}, sign=ALICE)
    tags.history.commit("draft", {"draft": "1\n"}, sign=BOB)
    tags.history.branch("draft", "draft")
    tags.accept("draft")
    tags.history.commit("junk", {"junk": "1\n"})
    tags.history.commit("kept", {"kept": "1\n"}, parents=["fork"], sign=ALICE)
    tags.history.merge("merge", "kept", "junk", sign=ALICE)
    tags.tag("v1", "merge")
    refused(tags.ask(), "tag-aside", "T4")
    tags.history.merge("honest", "kept", "draft", sign=ALICE)
    tags.tag("v2", "honest")
    accepted(tags.ask("v2"))


def test_a_policy_does_not_authorise_its_own_arrival(tags):
    """The server merges an abandoned draft, which lists bob again, with what was accepted: the edge does not bind."""
    unsigned_merges(tags)
    alone = policies.native({"alice": [ALICE]}, policies.UNSIGNED_MERGES)
    mallory = policies.native(BOTH, policies.UNSIGNED_MERGES, "tags: [bob]")
    tags.history.commit("draft", {policies.NATIVE: mallory}, sign=BOB)
    tags.history.commit("kept", {"kept": "1\n"}, parents=["fork"], sign=ALICE)
    tags.accept()
    tags.history.merge("arrival", "kept", "draft")
    tags.tag("v1", "arrival", sign=BOB)
    refused(tags.ask(), "tag-aside", "T4")
    accepted(tags.ask("v1", "--no-state"), "bob")
    tags.history.merge("signed", "kept", "draft", sign=ALICE)
    tags.tag("v2", "signed", sign=BOB)
    accepted(tags.ask("v2"), "bob")
    assert alone != mallory


# --- what unsigned merges leave: marks of several commits, and tags of commits that nobody signed --------------------


def machine(tags):
    """Two people's commits, merged by a machine: its mark is both."""
    unsigned_merges(tags)
    tags.history.commit("ours", {"ours": "1\n"}, sign=ALICE)
    tags.history.commit("theirs", {"theirs": "1\n"}, parents=["fork"], sign=BOB)
    tags.history.merge("merge", "ours", "theirs")


def test_a_merge_by_a_machine(tags):
    machine(tags)
    tags.accept()
    tags.tag("v1", "merge", sign=BOB)
    report = tags.ask()
    accepted(report, "bob")
    assert report["mark"]["after"] == sorted([tags.ids["ours"], tags.ids["theirs"]])


def test_a_merge_by_a_machine_and_an_older_branch_merged_after_it(tags):
    """No commit of the mark reaches the tagged one, and it does not reach all of them; but all in it is accepted."""
    machine(tags)
    tags.tag("v1", "merge", sign=BOB)
    tags.history.commit("late", {"late": "1\n"}, parents=["fork"], sign=ALICE)
    tags.history.merge("later", "merge", "late")
    tags.accept()
    report = tags.ask()
    accepted(report, "bob")
    assert len(report["mark"]["after"]) == 3


def test_a_merge_by_a_machine_is_not_in_a_branch_that_lacks_a_side_of_it(tags):
    machine(tags)
    tags.tag("v1", "merge", sign=BOB)
    tags.history.commit("on", {"ours": "2\n"}, parents=["ours"], sign=ALICE)
    tags.accept()
    refused(tags.ask(), "tag-aside", "T4")


def test_somebody_was_dropped_beside_a_merge_by_a_machine(tags):
    """What was merged is as old as what bob tags, and the policy that counts came from the other side."""
    machine(tags)
    tags.tag("v1", "merge", sign=BOB)
    alone = policies.native({"alice": [ALICE]}, policies.UNSIGNED_MERGES)
    tags.history.commit("dropped", {policies.NATIVE: alone}, parents=["fork"], sign=ALICE)
    tags.history.merge("later", "merge", "dropped", sign=ALICE)
    tags.accept()
    refused(tags.ask(), "unauthorized-key", "T6")


def test_a_tag_on_one_of_several_commits(tags):
    machine(tags)
    tags.accept()
    tags.tag("v1", "theirs")
    accepted(tags.ask())
    tags.history.commit("draft", {"theirs": "2\n"}, parents=["theirs"], sign=BOB)
    tags.tag("v2", "draft")
    refused(tags.ask("v2"), "tag-aside", "T4")


def test_all_commits_of_a_mark_have_one_policy(tags):
    """That is what lets any of them stand for the policy that was accepted."""
    machine(tags)
    more = policies.native(BOTH | {"carol": [CAROL]}, policies.UNSIGNED_MERGES, policies.OPENPGP_KEYS)
    tags.history.commit("joined", {policies.NATIVE: more} | policies.certificates(CAROL), parents=["ours"], sign=ALICE)
    tags.history.merge("later", "joined", "theirs")
    tags.tag("v1", "joined", sign=CAROL)
    tags.accept()
    report = tags.ask()
    accepted(report, "carol")
    assert report["mark"]["after"] == [tags.ids["joined"]]


# --- below and beside the introduction ------------------------------------------------------------------------------


def test_what_lies_below_the_introduction_is_no_release_of_it(tags):
    """The mark reaches it; but R2 asks of a tagged commit, too, to descend from the introduction."""
    tags.tag("v1", "introduction")
    tags.tag("v2", "second")
    done = tags.json("verify", "main", "--introduction", "{second}")
    assert done["exit"] == 0
    report = tags.json("verify-tag", "v1", "--introduction", "{second}")
    refused(report, "not-descendant", "R2")
    accepted(tags.json("verify-tag", "v2", "--introduction", "{second}"))


def test_a_side_branch_from_before_the_introduction_is_none_either(tags):
    tags.history.commit("aside", {"aside": "1\n"}, parents=["introduction"], sign=BOB)
    tags.history.merge("merge", "third", "aside", sign=ALICE)
    tags.tag("v1", "aside")
    tags.tag("v2", "merge")
    done = tags.json("verify", "main", "--introduction", "{second}")
    assert done["exit"] == 0
    refused(tags.json("verify-tag", "v1", "--introduction", "{second}"), "not-descendant", "R2")
    accepted(tags.json("verify-tag", "v2", "--introduction", "{second}"))


def test_a_mark_whose_commit_has_another_dialect(tags):
    """Accepted by a run that was told to; its policy is not one that this run could ask."""
    openssh = policies.openssh((ALICE, ""))
    tags.history.commit("both", {policies.OPENSSH: openssh, policies.NATIVE: people("alice")}, parents=[], sign=ALICE)
    tags.tag("v1", "both")
    tags.history.commit("gone", {policies.NATIVE: None}, sign=ALICE)
    done = tags.json("verify", "main", "--introduction", "{both}", "--dialect", "openssh")
    assert done["exit"] == 0
    report = tags.json("verify-tag", "v1", "--introduction", "{both}", "--dialect", "native")
    refused(report, "policy-missing", "R14")
    accepted(tags.json("verify-tag", "v1", "--introduction", "{both}", "--dialect", "openssh"), "alice@example.org")


def test_a_mark_of_what_would_be_refused_now(tags):
    """Under a mark that was made under other settings nothing is taken for authentic unseen."""
    tags.history.commit("signed", {policies.NATIVE: people("alice")}, parents=[], sign=ALICE)
    tags.history.commit("junk", {"README": "junk\n"})
    tags.history.commit("on", {"README": "on\n"}, sign=ALICE)
    tags.tag("v1", "junk")
    refused(tags.json("verify-tag", "v1", "--introduction", "{signed}"), "unsigned", "R8")
