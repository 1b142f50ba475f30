"""``gitverify explain``: the paths of a commit, who may change them, and how a merge was looked at."""

import json
from pathlib import Path

import pytest
from cli.scene import ALICE, BOB, MALLORY, policies

from fixtures.lib.keys import CAROL, TOKEN

INTRODUCE = ("--introduction", "{start}")
LIMITED = "  - {paths: [pkgs/, lib/x], people: [bob]}"
OPTIONS = ["unprotected: [open/]", "unsigned_merges: true", "adopting_merges: true", "policy_editors: [alice]"]
POLICY = policies.native({"alice": [ALICE], "bob": [BOB]}, LIMITED, *OPTIONS, granted=["alice"])
FILE = "1\n2\n3\n4\n5\n"


@pytest.fixture
def history(scene):
    """Bob's branch and alice's parted at ``start``; both changed one file, in different places."""
    history = scene.history
    history.commit("start", {".gitverify.yaml": POLICY, "pkgs/a": FILE}, sign=ALICE)
    history.commit("bobs", {"pkgs/a": FILE.replace("1", "one"), "pkgs/deep/c": "c\n"}, sign=BOB)
    history.commit("alices", {"pkgs/a": FILE.replace("5", "five"), "README": "r\n"}, parents=["start"], sign=ALICE)
    return history


CLEAN = {"pkgs/a": FILE.replace("1", "one").replace("5", "five"), "pkgs/deep/c": "c\n"}


def explained(scene, label):
    done = scene.run("explain", scene.ids[label], *INTRODUCE)
    return done.stdout


def as_json(scene, label):
    return scene.json("explain", scene.ids[label], *INTRODUCE)


def test_paths_are_grouped_with_who_may_change_them(scene, history):
    history.commit("several", {"pkgs/x": "", "pkgs/a": "a", "open/o": "", "lib/x": "", "README": None}, sign=ALICE)
    text = explained(scene, "several")
    assert f"changes    5 paths, compared with {scene.ids['alices'][:12]} “alices”" in text
    assert "./: alice\n             deleted  README\n" in text
    assert "lib/: alice, bob\n             added  x\n" in text
    assert "open/: anyone, unprotected\n             added  o\n" in text
    assert "pkgs/: alice, bob\n             modified  a\n             added     x\n" in text
    assert "may change the whole tree and the policy file" in text


def test_limited_people_and_paths_beyond_their_grants(scene, history):
    history.commit("beyond", {"README": "x"}, sign=BOB)
    text = explained(scene, "beyond")
    assert "lists bob: may change pkgs/ and lib/x\n" in text
    assert "refused: unauthorized-path, rule R17" in text
    assert "path: README" in text


def test_the_policy_file_is_its_editors(scene, history):
    history.commit("policy", {".gitverify.yaml": POLICY + "# again\n"}, sign=ALICE)
    assert "./: the policy's editors, alice\n             modified  .gitverify.yaml\n" in explained(scene, "policy")


def test_an_empty_commit_changes_nothing(scene, history):
    history.commit("empty", sign=ALICE)
    assert "changes    nothing, compared with" in explained(scene, "empty")


def test_many_paths_are_cut_and_counted(scene, history):
    history.commit("many", {f"d{at // 20}/f{at}": "" for at in range(1100)}, sign=ALICE)
    text = explained(scene, "many")
    assert "changes    1,100 paths" in text
    assert "and 12 more paths\n" in text
    assert text.count(": alice\n") == 24
    assert "           and 620 more paths\n" in text
    contribution = as_json(scene, "many")["contribution"]
    assert contribution["count"] == 1100
    assert len(contribution["paths"]) == 1000


def test_many_people_are_cut(scene, history):
    people = {"alice": [ALICE], "bob": [BOB], **{f"p{at}": [] for at in range(9)}}
    history.commit("policy", {".gitverify.yaml": policies.native(people)}, sign=ALICE)
    history.commit("next", {"x": ""}, sign=ALICE)
    assert "./: alice, bob, p0, p1, p2, p3 and 5 more\n" in explained(scene, "next")


def test_many_grants_are_cut(scene, history):
    paths = ", ".join(f"d{at}/" for at in range(10))
    policy = policies.native({"alice": [ALICE], "bob": [BOB]}, f"  - {{paths: [{paths}], people: [bob]}}")
    history.commit("policy", {".gitverify.yaml": policy.replace("people: [alice, bob]", "people: [alice]")}, sign=ALICE)
    history.commit("next", {"d1/x": ""}, sign=BOB)
    assert "may change d0/, d1/, d2/, d3/, d4/, d5/, d6/, d7/ and 2 more paths\n" in explained(scene, "next")


def test_hidden_characters_of_paths_are_escaped(scene, history):
    history.commit("odd", {"d\x1b[2J/\u202ex": ""}, sign=ALICE)
    assert "d\\x1b[2J/: alice\n             added  \\u202ex\n" in explained(scene, "odd")


def test_a_clean_merge(scene, history):
    history.commit("merge", CLEAN, parents=["alices", "bobs"])
    text = explained(scene, "merge")
    ids = {label: commit[:12] for label, commit in scene.ids.items()}
    assert f"base       {ids['start']} “start”" in text
    assert (
        f"governing  the policy of {ids['alices']} “alices”:\n           all parents have the same policy file" in text
    )
    assert (
        f"brings in  1 commit that {ids['alices']} does not have:\n           its policy would have allowed it" in text
    )
    assert "merge      clean: its two sides settle every path as it is recorded" in text
    assert "authentic by rule R19, and nobody has to vouch for it" in text
    assert "voucher may" not in text


def test_what_a_merge_has_beyond_its_sides(scene, history):
    history.commit("edited", {**CLEAN, "README": "evil"}, parents=["alices", "bobs"])
    text = explained(scene, "edited")
    assert "merge      1 path is not settled by its two sides as recorded" in text
    assert "./: alice\n             recorded-otherwise  README\n" in text
    assert "refused: merge-not-mechanical, rule R19" in text


def test_a_merge_with_conflicts_and_what_its_signer_may_change(scene, history):
    history.commit("clash", {"pkgs/a": FILE.replace("5", "V"), "open/o": ""}, parents=["bobs"], sign=BOB)
    history.commit("merge", {"pkgs/a": FILE, "README": "r\n"}, parents=["clash", "alices"], sign=BOB)
    text = explained(scene, "merge")
    assert "pkgs/: alice, bob\n             conflict  a\n" in text
    assert "the voucher may not change all that differs from it: README" in text
    assert "the voucher may change all that differs from it\n" in text
    assert "authentic by rule R18, on the word of bob" in text


def test_the_side_that_changed_the_policy_governs_and_the_other_edge_is_loose(scene, history):
    history.commit("policy", {".gitverify.yaml": POLICY + "# again\n"}, sign=ALICE)
    history.commit("merge", CLEAN, parents=["policy", "bobs"])
    text = explained(scene, "merge")
    assert "of the two parents' policy files only this one changed since they parted" in text
    assert text.count("the edge to it binds (R23)") == 1
    assert text.count("the edge to it does not bind: the mark does not follow it (R23)") == 1
    parents = as_json(scene, "merge")["parents"]
    assert [parent["binding"] for parent in parents] == [True, False]
    assert [parent["policy_file_changed"] for parent in parents] == [False, True]


def test_a_side_that_the_governing_policy_does_not_allow(scene, history):
    without = policies.native({"alice": [ALICE]}, *OPTIONS)
    history.commit("policy", {".gitverify.yaml": without}, sign=ALICE)
    history.commit("merge", CLEAN, parents=["policy", "bobs"])
    text = explained(scene, "merge")
    assert f"its policy would not have allowed {scene.ids['bobs'][:12]} (R19 e)" in text
    assert "refused: merge-revoked-side, rule R19" in text
    assert as_json(scene, "merge")["merge"]["sides"][0]["not_allowed"] == scene.ids["bobs"]


def test_both_sides_changed_the_policy(scene, history):
    history.commit("mine", {".gitverify.yaml": POLICY + "# mine\n"}, sign=ALICE)
    history.commit("other", {".gitverify.yaml": POLICY + "# other\n"}, parents=["bobs"], sign=ALICE)
    history.commit("merge", CLEAN, parents=["mine", "other"], sign=ALICE)
    text = explained(scene, "merge")
    assert "governing  no policy, so every parent's has to allow everything:" in text
    assert "both parents changed the policy file since they parted\n" in text
    assert "./: the policy's editors, alice\n             policy-file  .gitverify.yaml\n" in text
    history.commit("same", {**CLEAN, ".gitverify.yaml": POLICY + "# mine\n"}, parents=["bobs"], sign=ALICE)
    history.commit("again", CLEAN, parents=["mine", "same"], sign=ALICE)
    text = explained(scene, "again")
    assert "both parents changed the policy file since they parted, to the same one" in text
    assert "binds" in text


def test_other_policy_than_the_governing_one(scene, history):
    history.commit("merge", {**CLEAN, ".gitverify.yaml": POLICY + "# new\n"}, parents=["alices", "bobs"], sign=ALICE)
    text = explained(scene, "merge")
    assert "merge      1 path is not settled" in text
    assert "policy-file  .gitverify.yaml" in text
    assert "authentic by rule R18" in text


def test_an_octopus(scene, history):
    history.commit("third branch", {"open/z": ""}, parents=["start"])
    history.commit("octopus", {**CLEAN, "open/z": ""}, parents=["alices", "bobs", "third branch"], sign=ALICE)
    text = explained(scene, "octopus")
    assert "changes    4 paths, compared with" in text
    assert "“alices” and " in text
    history.commit("policy", {".gitverify.yaml": POLICY + "# new\n"}, parents=["alices"], sign=ALICE)
    history.commit("other", CLEAN, parents=["policy", "bobs", "third branch"], sign=ALICE)
    assert "more than two parents, and not all have the same policy file" in explained(scene, "other")


def test_parents_without_a_common_history(scene, history):
    history.commit("root", {"pkgs/r": ""}, parents=[], sign=ALICE)
    history.commit("merge", {"pkgs/r": ""}, parents=["alices", "root"], sign=ALICE)
    text = explained(scene, "merge")
    assert "the parents have different policy files and share no history" in text
    assert "base  " not in text


def test_a_policy_that_came_in_from_aside(scene):
    history = scene.history
    history.commit("root", {"x": ""}, parents=[])
    history.commit("start", {".gitverify.yaml": POLICY}, parents=["root"], sign=ALICE)
    history.commit("aside", {"open/y": ""}, parents=["root"])
    history.commit("merge", {"open/y": ""}, parents=["start", "aside"], sign=ALICE)
    text = explained(scene, "merge")
    assert "of the two parents' policy files only this one changed" in text
    assert "judged by the introduction's policy" in text


def test_several_merge_bases(scene, history):
    history.commit("cross one", CLEAN, parents=["alices", "bobs"], sign=ALICE)
    crossed = {"pkgs/a": CLEAN["pkgs/a"], "README": "r\n"}
    history.commit("cross two", crossed, parents=["bobs", "alices"], sign=ALICE)
    history.commit("merge", {}, parents=["cross one", "cross two"], sign=ALICE)
    text = explained(scene, "merge")
    assert text.count("base       ") == 2
    assert "(of 2 merge bases " in text


def test_an_adopting_merge_drops_a_parent(scene, history):
    history.commit("junk", {"open/y": "", "pkgs/z": ""}, parents=["start"])
    history.commit("adopted", {"open/y": "", "pkgs/z": ""}, parents=["alices", "junk"], sign=BOB)
    text = explained(scene, "adopted")
    assert "“junk”, NOT authentic, dropped: this merge adopts what it brings (R20)" in text
    assert f"changes    2 paths, compared with {scene.ids['alices'][:12]} “alices”\n" in text
    assert "authentic by rule R20, on the word of bob" in text
    assert [parent["dropped"] for parent in as_json(scene, "adopted")["parents"]] == [False, True]


def test_a_merge_that_adopts_nothing_is_not_compared(scene, history):
    history.commit("junk", {"pkgs/z": ""}, parents=["start"])
    history.commit("merge", {"pkgs/z": ""}, parents=["junk", "alices"], sign=ALICE)
    text = explained(scene, "merge")
    assert "changes" not in text.partition("policy file:")[0]
    assert "refused: parent-not-authentic" in text
    assert as_json(scene, "merge")["contribution"] is None
    history.commit("child", {"README": "x"}, parents=["junk"], sign=ALICE)
    assert "changes    1 path, compared with" in explained(scene, "child")


def test_other_dialects_compare_with_every_parent(scene):
    signers = policies.openssh((ALICE, ""), (BOB, ""))
    scene.history.commit("start", {policies.OPENSSH: signers}, parents=[], sign=ALICE)
    scene.history.commit("one", {"x": ""}, sign=ALICE)
    scene.history.commit("two", {"y": ""}, parents=["start"], sign=BOB)
    scene.history.commit("merge", {"x": "", "y": ""}, parents=["one", "two"], sign=BOB)
    text = explained(scene, "merge")
    assert "changes    2 paths, compared with" in text
    assert "governing" not in text
    assert as_json(scene, "merge")["merge"] is None


def test_what_cannot_be_looked_at_to_the_end(scene, history):
    history.commit("merge", CLEAN, parents=["alices", "bobs"], sign=ALICE)
    (blob,) = [line.split()[2] for line in [_entry(scene, "bobs", "pkgs/a")]]
    path = scene.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.unlink()
    text = explained(scene, "merge")
    assert f"can't be told: object {blob} is not in this repository" in text
    assert as_json(scene, "merge")["contribution"]["problem"] == f"object {blob} is not in this repository"


def _entry(scene, label, path):
    import subprocess  # noqa: PLC0415

    command = ["git", "ls-tree", scene.ids[label], "--", path]
    return subprocess.run(command, cwd=scene.path, capture_output=True, text=True, check=True).stdout


def test_other_kinds_of_keys(scene, history):
    people = policies.native({"alice": [ALICE], "carol": [CAROL], "token": [TOKEN]}, policies.OPENPGP_KEYS)
    history.commit("policy", {".gitverify.yaml": people, **policies.certificates(CAROL)}, sign=ALICE)
    history.commit("pgp", {"x": ""}, sign=CAROL)
    text = explained(scene, "pgp")
    assert "signature  OpenPGP, by key " in text
    assert "made 2024-01-01 (by its own account)" in text
    assert "lists carol: may change the whole tree" in text
    history.commit("touched", {"x": "y"}, sign=TOKEN)
    assert "security key: touch only, no PIN or finger checked" in explained(scene, "touched")


def test_every_field_of_json_is_documented(scene, history):
    history.commit("merge", {**CLEAN, "README": "x"}, parents=["alices", "bobs"], sign=ALICE)
    page = (Path(__file__).parents[2] / "docs/json.md").read_text()
    section = page.partition("## explain")[2].partition("\n## ")[0]
    assert not [key for key in _keys(as_json(scene, "merge")) if f"`{key}`" not in section and key != "exit"]


def _keys(value):
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def test_the_fields_of_json(scene, history):
    history.commit("evil", {"pkgs/new": ""}, sign=MALLORY)
    value = as_json(scene, "evil")
    assert value.pop("exit") == 1
    assert value["format"] == "gitverify-explain/1"
    assert (value["verdict"], value["rule"], value["code"]) == ("refused", "R8", "unauthorized-key")
    assert value["signature"] == {"key": MALLORY.id, "names": [], "problem": None}
    assert value["contribution"]["paths"] == [
        {
            "path": "pkgs/new",
            "what": "added",
            "people": ["alice", "bob"],
            "unprotected": False,
            "policy_file": False,
        }
    ]
    history.commit("odd", {"x": "y"}, mangle=lambda body: body.replace(b"author", b"writer"))
    assert as_json(scene, "odd")["signature"]["problem"] == "malformed-commit"
    done = scene.run("explain", "{second}", "--introduction", "{third}", "--format", "json")
    assert json.loads(done.stdout)["reason"] == "not-descendant"
