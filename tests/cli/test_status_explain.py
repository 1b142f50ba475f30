"""``gitverify status`` and ``gitverify explain``."""

from cli.scene import ALICE, BOB, MALLORY, policies

INTRODUCE = ("--introduction", "{introduction}")


def test_status_before_and_after_a_run(scene):
    text = scene.run("status", *INTRODUCE).stdout
    assert "none yet" in text
    assert "alice: may change everything" in text
    assert BOB.id in text
    scene.json("verify", *INTRODUCE)
    text = scene.run("status", *INTRODUCE, "--signer", ALICE.id).stdout
    assert f"refs/heads/main of {scene.path}/.git: {scene.ids['third'][:12]} “third”" in text
    assert "2 commits accepted, moved today" in text
    assert ALICE.id in text


def test_status_creates_no_state(scene):
    scene.run("status", *INTRODUCE)
    assert not (scene.place / "xdg").exists()


def test_status_without_an_introduction(scene):
    done = scene.run("status")
    assert done.status == 4
    assert "gitverify trust COMMIT" in done.stdout


def test_status_where_head_has_no_usable_policy(scene):
    scene.history.commit("broken", {".gitverify.yaml": "version: 9\n"}, sign=ALICE)
    assert "HEAD has no policy that can be used" in scene.run("status", *INTRODUCE).stdout
    assert scene.run("status", "--introduction", "{broken}").status == 4


def test_status_tells_editors_from_the_rest(scene):
    policy = policies.native({"alice": [ALICE], "bob": [BOB]}, "policy_editors: [bob]", granted=["alice"])
    scene.history.commit("policy", {".gitverify.yaml": policy}, sign=ALICE)
    text = scene.run("status", *INTRODUCE).stdout
    assert "bob: may change nothing, the policy file" in text


def test_explain_an_authentic_commit(scene):
    done = scene.run("explain", "{second}", *INTRODUCE)
    assert done.status == 0
    for part in (
        "“second”",
        f"SSH, by key {BOB.id}: this key signed these bytes",
        f"parent     {scene.ids['introduction'][:12]}",
        "policy file: the same as here",
        "lists bob: may change the whole tree and the policy file",
        "own policy sound: 2 people, 2 of them may change it",
        "authentic by rule R17, on the word of bob",
    ):
        assert part in done.stdout


def test_explain_a_refused_commit(scene):
    scene.history.commit("evil", {"x": "y"}, sign=MALLORY)
    done = scene.run("explain", "{evil}", *INTRODUCE)
    assert done.status == 1
    assert f"lists nobody with key {MALLORY.id}" in done.stdout
    assert "refused: unauthorized-key, rule R8" in done.stdout
    assert "what to do" in done.stdout


def test_explain_what_is_wrong_with_form_and_policy(scene):
    scene.history.commit("broken", {".gitverify.yaml": "version: 9\n"}, sign=ALICE)
    assert "own policy policy-invalid" in scene.run("explain", "{broken}", *INTRODUCE).stdout
    scene.history.commit("child", {".gitverify.yaml": policies.native({"alice": [ALICE]})}, sign=ALICE)
    done = scene.run("explain", "{child}", *INTRODUCE)
    assert "NOT authentic" in done.stdout
    assert "parent-not-authentic" in done.stdout
    scene.history.commit("gone", {".gitverify.yaml": None}, parents=["third"], sign=ALICE)
    assert "own policy none in its tree" in scene.run("explain", "{gone}", *INTRODUCE).stdout
    scene.history.commit("odd", {"x": "y"}, parents=["third"], mangle=lambda body: body.replace(b"author", b"writer"))
    assert scene.run("explain", "{odd}", *INTRODUCE).status == 1


def test_explain_an_unsigned_commit_and_a_policy_change(scene):
    scene.history.commit("none", {"x": "y"})
    assert "proves nothing: unsigned" in scene.run("explain", "{none}", *INTRODUCE).stdout
    alone = policies.native({"alice": [ALICE]})
    scene.history.commit("policy", {".gitverify.yaml": alone}, parents=["third"], sign=ALICE)
    assert "this commit changes it" in scene.run("explain", "{policy}", *INTRODUCE).stdout


def test_explain_a_side_branch(scene):
    both = policies.native({"alice": [ALICE], "bob": [BOB]})
    scene.history.commit("root", {"README": "0\n"}, parents=[])
    scene.history.commit("start", {".gitverify.yaml": both}, parents=["root"], sign=ALICE)
    scene.history.commit("side", {"x": "y"}, parents=["root"], sign=BOB)
    scene.history.commit("merge", {"x": "y"}, parents=["start", "side"], sign=ALICE)
    text = scene.run("explain", "{merge}", "--introduction", "{start}").stdout
    assert "judged by the introduction's policy" in text
    assert "authentic by rule R18" in text


def test_explain_what_never_came_to_be_judged(scene):
    done = scene.run("explain", "{introduction}", "--introduction", "{second}")
    assert done.status == 1
    assert "not-descendant" in done.stdout
    assert scene.run("explain", "{introduction}", *INTRODUCE).status == 0
