"""``gitverify trust``: what is shown before it is believed, and what is not given up."""

import subprocess

from cli.scene import ALICE, BOB, policies
from gitrepo import ENVIRONMENT


def stored(scene, name):
    done = subprocess.run(
        ["git", "config", name], cwd=scene.path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def test_stores_the_introduction_and_shows_it(scene):
    done = scene.run("trust", "{introduction}", "--signer", ALICE.id)
    assert done.status == 0
    for part in (scene.ids["introduction"], ALICE.id, ".gitverify.yaml (native)", "alice", "bob", "2024-01-01"):
        assert part in done.stdout
    assert stored(scene, "gitverify.introduction") == scene.ids["introduction"]
    assert stored(scene, "gitverify.signer") == ALICE.id
    assert scene.json("verify")["exit"] == 0


def test_takes_a_name_and_stores_the_id(scene):
    assert scene.run("trust", "HEAD~2").status == 0
    assert stored(scene, "gitverify.introduction") == scene.ids["introduction"]
    assert stored(scene, "gitverify.signer") == ALICE.id


def test_an_earlier_introductions_options_go(scene):
    scene.run(
        "trust", "{introduction}", "--signer", ALICE.id, "--policy-path", ".gitverify.yaml", "--dialect", "native"
    )
    assert stored(scene, "gitverify.dialect") == "native"
    assert stored(scene, "gitverify.policyPath") == ".gitverify.yaml"
    assert scene.json("verify")["exit"] == 0
    assert scene.run("trust", "{second}", "--force").status == 0
    assert [stored(scene, f"gitverify.{key}") for key in ("signer", "dialect", "policyPath")] == [BOB.id, "", ""]
    assert scene.json("verify")["exit"] == 0
    scene.history.commit("unsigned", {"x": "y"}, parents=["second"])
    scene.history.branch("main", "third")
    assert "nobody whose signature" in scene.run("trust", "{unsigned}", "--force").stdout
    assert stored(scene, "gitverify.signer") == ""


def test_for_one_branch(scene):
    assert scene.run("trust", "{introduction}", "--branch", "main", "--signer", ALICE.id).status == 0
    assert stored(scene, "gitverify.branch:main.introduction") == scene.ids["introduction"]
    assert stored(scene, "gitverify.introduction") == ""
    assert scene.json("verify")["exit"] == 0


def test_the_wrong_signer_is_not_stored(scene):
    done = scene.run("trust", "{introduction}", "--signer", BOB.id)
    assert done.status == 1
    assert "introduction-signer" in done.stdout
    assert stored(scene, "gitverify.introduction") == ""


def test_a_commit_without_a_policy_is_not_stored(scene):
    scene.history.commit("bare", {"README": "x"}, parents=[], sign=ALICE)
    done = scene.run("trust", "{bare}")
    assert done.status == 4
    assert "introduction-policy" in done.stdout


def test_a_commit_that_is_not_here(scene):
    assert scene.run("trust", "4" * 40).status == 3
    assert scene.run("trust", "nothing").status == 2


def test_marks_are_not_given_up_unasked(scene):
    scene.run("trust", "{introduction}", "--signer", ALICE.id)
    assert scene.json("verify")["exit"] == 0
    other = policies.native({"bob": [BOB]})
    scene.history.commit("fork", {".gitverify.yaml": other}, parents=[], sign=BOB)
    scene.history.branch("main", "third")
    done = scene.run("trust", "{fork}")
    assert done.status == 2
    assert "--force" in str(done.error)
    assert stored(scene, "gitverify.introduction") == scene.ids["introduction"]
    assert scene.run("trust", "{introduction}").status == 0
    assert scene.run("trust", "{fork}", "--branch", "elsewhere").status == 0
    assert scene.run("trust", "{fork}", "--force").status == 0
    assert stored(scene, "gitverify.introduction") == scene.ids["fork"]


def test_more_certificates_than_are_read(scene):
    files = {f".gitverify/keys/{number}": "" for number in range(4097)}
    many = scene.history.commit("many", files, sign=ALICE)
    done = scene.run("trust", many)
    assert done.status == 4
    assert "introduction-policy (R14)" in done.stdout
    assert "4,097 files of certificates" in done.stdout
