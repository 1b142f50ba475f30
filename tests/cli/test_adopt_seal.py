"""``gitverify adopt`` on a branch that somebody merged without a signature: sealed, without a forced push."""

import pytest
from cli.forge import MALLORY, OPTIONS, parents, policy

from fixtures.lib import policies
from fixtures.lib.keys import BOB


@pytest.fixture
def squashed(fix):
    """Somebody merged the branch by squashing it, without a signature; the maintainer has pulled that."""
    fix.verify("origin/main")
    fix.squash_button("fix")
    fix.git("switch", "-q", "main")
    fix.git("merge", "-q", "--ff-only", "origin/main")
    return fix


def test_sealed(squashed):
    tip = squashed.head()
    done = squashed.run("adopt", "--yes")
    assert done.status == 0
    assert f"seal       main: {tip[:12]} “fix (#1)”\n" in done.stdout
    assert f"on top of  {squashed.introduction[:12]} “introduction”, its newest authentic commit\n" in done.stdout
    assert "sealed     main is now at" in done.stdout
    assert "next       git push origin main\n" in done.stdout
    assert parents(squashed) == [squashed.introduction, tip]
    assert squashed.git("rev-parse", "HEAD^{tree}") == squashed.git("rev-parse", f"{tip}^{{tree}}")
    assert squashed.git("show", "-s", "--format=%s") == "Seal main"
    squashed.git("push", "-q", "origin", "main")  # not forced
    report = squashed.verify("origin/main")
    assert report["verdict"] == "authentic"
    assert report["mark"] == {"before": [squashed.introduction], "after": [squashed.head()]}


def test_the_newest_authentic_before_and_after(squashed):
    before = squashed.verify("origin/main", "--newest-authentic")
    assert (before["verdict"], before["tip"]) == ("authentic", squashed.introduction)
    squashed.run("adopt", "--yes")
    squashed.git("push", "-q", "origin", "main")
    sealed = squashed.head()
    after = squashed.verify("origin/main", "--newest-authentic")
    assert (after["verdict"], after["tip"], after["refusals"]) == ("authentic", sealed, [])
    squashed.commit("Again", {"README": "x\n"}, author=MALLORY)
    squashed.git("push", "-q", "origin", "main")
    again = squashed.verify("origin/main", "--newest-authentic")
    assert (again["verdict"], again["tip"]) == ("authentic", sealed)
    assert [refusal["code"] for refusal in again["refusals"]] == ["unsigned"]
    assert squashed.run("adopt", "--yes").status == 0
    assert parents(squashed)[0] == sealed


def test_several_commits_are_sealed_at_once(squashed):
    squashed.commit("Signed on top", {"pkgs/s": "s\n"}, sign=True)
    squashed.commit("And another", {"README": "x\n"}, author=MALLORY)
    done = squashed.run("adopt", "--yes")
    assert "vouch for  3 commits that are not authentic:\n" in done.stdout
    assert parents(squashed)[0] == squashed.introduction
    assert squashed.verify()["verdict"] == "authentic"


def test_the_history_goes_on_after_a_seal(squashed):
    squashed.run("adopt", "--yes")
    squashed.git("push", "-q", "origin", "main")
    squashed.verify("origin/main")
    squashed.commit("Next", {"README": "next\n"}, sign=True)
    report = squashed.verify()
    assert (report["verdict"], report["commits"]["checked"]) == ("authentic", 1)
    assert report["mark"]["after"] == [squashed.head()]


def test_who_seals_needs_grants_on_all_of_it(squashed):
    squashed.sign_with(BOB)
    done = squashed.run("adopt", "--yes")
    assert done.status == 1
    assert "bob has no grant on 1 path" in done.stdout


def test_uncommitted_changes_are_left_alone_by_a_seal(squashed):
    (squashed.clone / "README").write_text("in the works\n")
    assert squashed.run("adopt", "--yes").status == 0
    assert squashed.git("status", "--short") == "M README"


def test_a_branch_that_is_behind(squashed):
    squashed.git("reset", "-q", "--hard", "HEAD~1")
    done = squashed.run("adopt", "--yes")
    assert done.status == 2
    assert "behind origin/main: update it first" in done.error


def test_sealed_here_and_not_pushed_yet(squashed):
    squashed.run("adopt", "--yes")
    done = squashed.run("adopt", "--yes")
    assert done.status == 0
    assert "main is authentic already; push it" in done.stdout


def test_a_branch_that_follows_its_own_copy_can_be_sealed_or_adopted_onto_another(fix):
    fix.git("branch", "-q", "--set-upstream-to=origin/fix")
    done = fix.run("adopt", answer="n\n")
    assert "seal       fix: " in done.stdout
    assert "(if it was made to be merged into origin/main, say --onto origin/main)" in done.stdout
    done = fix.run("adopt", "--yes", "--onto", "origin/main")
    assert "adopt      fix: " in done.stdout
    assert "next       git push origin fix\n" in done.stdout


def test_nothing_authentic_to_seal_on(forge):
    forge.git("switch", "-q", "--orphan", "other")
    forge.commit("Other", {"x": "x\n"}, author=MALLORY)
    done = forge.run("adopt", "--yes", "--onto", "other")
    assert done.status == 1
    assert "not-descendant" in done.stdout


def test_a_seal_does_not_lead_back_behind_a_mark(forge):
    """The server merges an abandoned draft of a policy: every commit is authentic, but the mark is not reached."""
    forge.branch("draft")
    forge.commit("Draft", {policies.NATIVE: policy(*OPTIONS) + "# draft\n"}, sign=True)
    forge.git("push", "-q", "origin", "draft")
    forge.git("switch", "-q", "main")
    forge.commit("Newer", {"new": "\n"}, sign=True)
    forge.git("push", "-q", "origin", "main")
    forge.verify("origin/main")
    forge.merge_button("draft")
    forge.git("merge", "-q", "--ff-only", "origin/main")
    tip = forge.head()
    assert forge.verify("origin/main")["reason"] == "rollback"
    done = forge.run("adopt", "--yes")
    assert done.status == 1
    assert "rollback (R23)" in done.stdout
    assert forge.head() == tip
