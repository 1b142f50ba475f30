"""The gate in a shallow clone, made by real git from a server, as CI has it."""

import json

import pytest
from cli.forge import ALICE, BOB, FILES, Forge

from fixtures.lib import policies

DATES = iter(range(1_700_000_000, 1_800_000_000, 3600))


class Server(Forge):
    """Each commit an hour younger than the one before."""

    def commit(self, label, files, **shape):
        when = f"{next(DATES)} +0000"
        self.environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        return super().commit(label, files, **shape)


@pytest.fixture
def server(tmp_path):
    """Main: 6 commits. ``pr`` forked off two commits below its tip, and has 3."""
    forge = Server(tmp_path)
    for at in range(5):
        forge.commit(f"main {at}", {"README": FILES["README"].replace("1", f"{at}")}, sign=True)
    forge.branch("pr", "main~2")
    for at in range(3):
        forge.commit(f"pr {at}", {"pkgs/a": f"{at}\n"}, sign=True)
    forge.git("push", "-q", "origin", "pr", "main")
    return forge


def shallow(server, depth, *, introduction=True, branches=("main", "pr")):
    """Fetch as a CI job does, into a new clone in which the rest is asked."""
    server.git("-C", str(server.server), "config", "uploadpack.allowAnySHA1InWant", "true")
    there = server.place / "shallow"
    server.git("init", "-q", str(there), cwd=server.place)
    server.git("remote", "add", "origin", f"file://{server.server}", cwd=there)
    names = [f"refs/heads/{name}:refs/remotes/origin/{name}" for name in branches]
    server.git("fetch", "-q", f"--depth={depth}", "origin", *names, cwd=there)
    if introduction:
        server.git("fetch", "-q", "--depth=1", "origin", server.introduction, cwd=there)
    server.clone = there
    return server


def check(forge, *options):
    span = f"{forge.ids['main 4']}..{forge.ids['pr 2']}"
    common = ["--introduction", forge.introduction, "--base-authentic"]
    done = forge.run("check", span, *common, "--format", "json", *options)
    return {"exit": done.status} | json.loads(done.stdout)


@pytest.mark.parametrize("depth", [3, 20])
def test_enough_for_both_to_where_they_parted_and_the_introduction(server, depth):
    report = check(shallow(server, depth), "--method", "branch", "--method", "merge")
    assert report["exit"] == 0
    assert [route["verdict"] for route in report["routes"]] == ["authentic", "authentic", "refused", "refused"]
    assert report["commits"]["checked"] == 3


@pytest.mark.parametrize("depth", [1, 2])
def test_too_shallow_names_what_to_set(server, depth):
    report = check(shallow(server, depth))
    assert (report["exit"], report["reason"], report["routes"]) == (3, "missing-object", [])
    hint = report["refusals"][0]["hint"]
    assert "fetch-depth: 0" in hint
    assert "git fetch --deepen=N" in hint


def test_without_the_introduction_there_is_no_answer(server):
    report = check(shallow(server, 4, introduction=False))
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert f"git fetch --depth=1 origin {server.introduction}" in report["refusals"][0]["hint"]
    assert report["refusals"][0]["commit"] == server.introduction


def test_without_it_and_without_the_base_given(server):
    forge = shallow(server, 4, introduction=False)
    done = forge.run("check", "origin/main..origin/pr", "--introduction", forge.introduction)
    assert done.status == 3
    assert f"git fetch --depth=1 origin {server.introduction}" in done.stdout.replace("\n             ", " ")


def test_in_a_full_clone_a_missing_introduction_is_a_wrong_one(server):
    done = server.run("check", "origin/main..pr", "--base-authentic", "--introduction", "1" * 40)
    assert done.status == 4
    assert "introduction-missing" in done.stdout


def test_the_introduction_is_checked_in_a_shallow_clone_too(server):
    report = check(shallow(server, 4), "--signer", "SHA256:" + "A" * 43)
    assert (report["exit"], report["reason"]) == (1, "introduction-signer")
    assert report["routes"] == []


def test_verifying_the_base_takes_all_of_the_history(server):
    forge = shallow(server, 4)
    done = forge.run("check", "origin/main..origin/pr", "--introduction", forge.introduction)
    assert done.status == 3
    assert "fetch-depth: 0" in done.stdout


def test_base_itself_is_not_there(server):
    forge = shallow(server, 4, branches=("pr",))
    report = check(forge)
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert "fetch-depth: 0" in report["refusals"][0]["hint"]


def test_a_clone_without_blobs_answers_for_the_branch_alone(server):
    server.git("-C", str(server.server), "config", "uploadpack.allowFilter", "true")
    there = server.place / "partial"
    server.git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{server.server}", str(there),
               cwd=server.place)  # fmt: skip
    server.git("rev-list", "--objects", "--missing=print", "HEAD", cwd=there)
    server.git("cat-file", "-p", f"{server.introduction}:.gitverify.yaml", cwd=there)
    server.git("remote", "set-url", "origin", "file:///nowhere", cwd=there)
    server.clone = there
    report = check(server)
    verdicts = [route["verdict"] for route in report["routes"]]
    assert (report["exit"], verdicts[0]) == (0, "authentic")


@pytest.mark.parametrize("depth", [2, 20])
def test_a_removed_persons_branch_forked_off_where_the_clone_does_not_reach(tmp_path, depth):
    """Authentic as it is. The merge button, which the policy has in use, would bring it back; here git can't tell."""
    forge = Server(tmp_path)
    forge.branch("pr", "main")
    forge.sign_with(BOB)
    forge.commit("pr 2", {"pkgs/a": "mine\n"}, sign=True)
    forge.sign_with(ALICE)
    forge.git("switch", "-q", "main")
    dropped = policies.native({"alice": [ALICE]}, "unsigned_merges: true", "policy_editors: [alice]")
    forge.commit("drop bob", {policies.NATIVE: dropped}, sign=True)
    for at in (3, 4):
        forge.commit(f"main {at}", {"README": f"{at}\n"}, sign=True)
    forge.git("push", "-q", "origin", "pr", "main")
    report = check(shallow(forge, depth))
    expected = (3, "route-undecided") if depth == 2 else (1, "merge-revoked-side")
    assert (report["exit"], report["reason"]) == expected
    assert report["routes"][0]["verdict"] == "authentic"
