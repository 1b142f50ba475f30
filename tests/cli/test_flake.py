"""gitverify flake check: what a change of flake.lock could bring in, and what is let through."""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from cli.scene import ALICE, BOB, MALLORY, Scene
from gitrepo import GitRepository

from gitverify.errors import MalformedCommit
from gitverify.export.visitor import Unfit
from gitverify.export.walk import show_tree
from gitverify.nix.archive import show_archive
from gitverify.nix.fetched import url_of
from gitverify.nix.lock import Node
from gitverify.nix.nar import nar_hash, sri
from gitverify.objects.commit import parse_commit
from gitverify.source import Repository

REPORTS = Path(__file__).parents[2] / "gitverify/report"
SCHEMA = json.loads((REPORTS / "flake.schema.json").read_text())
OTHER = json.loads((REPORTS / "report.schema.json").read_text())  # where there is nothing to judge


class Flake:
    """A flake in a repository of its own, with one input: the scene's repository."""

    def __init__(self, scene: Scene, place: Path) -> None:
        self.scene = scene
        self.repository = GitRepository(place / "flake")
        self.trust = ["--introduction", f"dep={scene.ids['introduction']}", "--mirror", f"dep={scene.path}"]

    def node(self, label="third", *, original=None, **locked):
        source, rev = Repository(self.scene.path), self.scene.ids[label]
        commit = parse_commit(source.read(bytes.fromhex(rev))[1])
        kind = {"type": "git", "url": "https://example.org/dep"}
        nar = sri(nar_hash(partial(show_tree, source, commit.tree)))
        return {
            "locked": {**kind, "rev": rev, "narHash": nar, "lastModified": commit.date, **locked},
            "original": original or {**kind, "ref": "main"},
        }

    def lock(self, **nodes):
        """Write a lock with these nodes, the root's inputs."""
        root = {"inputs": {name: name for name in nodes}}
        self.write(json.dumps({"nodes": {"root": root, **nodes}, "root": "root", "version": 7}))

    def write(self, text):
        (self.repository.path / "flake.lock").write_text(text)

    def commit(self):
        self.repository.git("add", "flake.lock")
        self.repository.git("commit", "-q", "-m", "Lock")

    def check(self, *arguments, trust=True, **kwargs) -> SimpleNamespace:
        place = ["--repo", str(self.repository.path)]
        given = self.trust if trust else []
        return self.scene.run("flake", "check", *place, *given, *arguments, repo=False, **kwargs)

    def json(self, *arguments, **kwargs):
        done = self.check(*arguments, "--format", "json", **kwargs)
        report = json.loads(done.stdout)
        jsonschema.validate(report, OTHER if report["format"] == "gitverify/1" else SCHEMA)
        return report | {"exit": done.status}


@pytest.fixture
def flake(scene, tmp_path):
    return Flake(scene, tmp_path)


def refusal(report, name="dep"):
    (found,) = [each for each in report["inputs"] if each["name"] == name]
    return found["reason"]


# --- the commit that is locked ---------------------------------------------------------------------------------------


def test_an_authentic_commit_is_let_through(flake):
    flake.lock(dep=flake.node())
    done = flake.check()
    assert done.status == 0
    assert done.stdout.startswith("authentic: 1 of 1 input judged\n")
    assert "2 commits verified since the introduction" in done.stdout
    assert "hash as of its raw tree" in done.stdout


def test_a_commit_by_somebody_else_is_refused(flake):
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    flake.lock(dep=flake.node("evil"))
    report = flake.json()
    assert (report["exit"], report["verdict"], report["reason"]) == (1, "refused", "unauthorized-key")
    assert refusal(report) == "unauthorized-key"
    assert "not authentic" in flake.check().stdout


def test_a_commit_that_the_mirror_lacks_is_not_decided(flake):
    node = flake.node(rev="1" * 40)
    flake.lock(dep=node)
    report = flake.json()
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert "is not in " in report["inputs"][0]["refusals"][0]["message"]


def test_another_introduction_is_not_enough(flake):
    flake.lock(dep=flake.node("second"))
    assert (
        flake.json(
            "--introduction", f"dep={flake.scene.ids['third']}", "--mirror", f"dep={flake.scene.path}", trust=False
        )["reason"]
        == "not-descendant"
    )


def test_the_introductions_signer(flake):
    flake.lock(dep=flake.node())
    assert flake.json("--signer", f"dep={ALICE.id}")["exit"] == 0
    assert flake.json("--signer", f"dep={BOB.id}")["reason"] == "introduction-signer"


# --- what was locked before ------------------------------------------------------------------------------------------


@pytest.fixture
def locked(flake):
    """The flake, with the second commit locked and committed."""
    flake.lock(dep=flake.node("second"))
    flake.commit()
    return flake


def test_a_newer_commit_is_let_through(locked):
    locked.lock(dep=locked.node("third"))
    report = locked.json()
    assert report["exit"] == 0
    assert report["base"] == "HEAD"
    assert report["inputs"][0]["previous"] == locked.scene.ids["second"]
    assert "descends from " in locked.check().stdout


def test_an_older_commit_is_refused(locked):
    locked.lock(dep=locked.node("introduction"))
    report = locked.json()
    assert (report["exit"], report["reason"]) == (1, "not-contained")
    assert "which was locked before" in report["inputs"][0]["refusals"][0]["message"]


def test_the_mark_does_not_get_in_the_way_of_an_older_one(flake):
    """What was verified in the mirror is built on; that it is further on than the lock is no rollback."""
    assert flake.scene.run("verify", "--introduction", "{introduction}").status == 0
    for label in ("introduction", "second", "third"):
        flake.lock(dep=flake.node(label))
        assert flake.json()["exit"] == 0
        assert flake.json("--no-state")["exit"] == 0
    assert flake.json()["inputs"][0]["checked"] == 0
    assert flake.json("--no-state")["inputs"][0]["checked"] == 2


def test_in_another_branch_the_lock_may_be_older_if_the_flake_asks_for_another(locked):
    locked.lock(
        dep=locked.node("introduction", original={"type": "git", "url": "https://example.org/dep", "ref": "old"})
    )
    report = locked.json()
    assert report["exit"] == 0
    assert "ref=old" in report["inputs"][0]["notes"][0]
    assert report["inputs"][0]["previous"] is None


@pytest.mark.parametrize(("moves", "status"), [((), 1), (("dep",), 0), (("mid",), 0)])
def test_what_an_input_of_an_input_asks_for_is_not_for_the_lock_alone_to_say(flake, moves, status):
    """Nix reads nothing but the lock of an input that stays where it was, so no flake.nix is asked."""

    def lock(inner, moved=(), **original):
        nodes = {
            "root": {"inputs": {"dep": "dep"}},
            "dep": {**flake.node("third" if "dep" in moved else "second"), "inputs": {"mid": "mid"}},
            "mid": {**flake.node("third" if "mid" in moved else "second"), "inputs": {"inner": "inner"}},
            "inner": flake.node(inner, original={"type": "git", "url": "https://example.org/dep", **original}),
        }
        flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))

    lock("third")
    flake.commit()
    trust = [each.replace("dep=", "dep/mid/inner=") for each in flake.trust]
    lock("introduction", moves, ref="old")
    report = flake.json(*trust, trust=False)
    assert report["exit"] == status
    (inner,) = [each for each in report["inputs"] if each["name"] == "dep/mid/inner"]
    assert "ref=old" in inner["notes"][0]
    assert (inner["previous"] is None) == (status == 0)
    if status:
        assert inner["reason"] == "not-contained"
        assert "move the input that brings this one" in inner["refusals"][0]["hint"]


def test_an_input_of_an_input_may_ask_for_something_else_and_go_on(flake):
    def lock(inner, **original):
        node = flake.node(inner, original={"type": "git", "url": "https://example.org/dep", **original})
        dep = {**flake.node("second"), "inputs": {"inner": "inner"}}
        root = {"inputs": {"dep": "dep"}}
        flake.write(json.dumps({"nodes": {"root": root, "dep": dep, "inner": node}, "root": "root", "version": 7}))

    lock("second")
    flake.commit()
    lock("third", ref="new")
    trust = [each.replace("dep=", "dep/inner=") for each in flake.trust]
    report = flake.json(*trust, trust=False)
    assert (report["exit"], report["inputs"][1]["previous"]) == (0, flake.scene.ids["second"])


def test_base_is_what_was_locked_there(locked):
    locked.lock(dep=locked.node("third"))
    locked.commit()
    locked.lock(dep=locked.node("second"))
    assert locked.json()["reason"] == "not-contained"
    assert locked.json("--base", "HEAD~1")["exit"] == 0
    assert locked.check("--base", "nonsense").status == 2
    locked.commit()
    assert locked.json("--rev", "HEAD", "--base", "HEAD~1")["reason"] == "not-contained"
    assert locked.json("--rev", "HEAD~1", "--base", "HEAD~2")["exit"] == 0


def test_a_base_without_a_lock_is_said(flake):
    flake.repository.commit("no lock")
    flake.lock(dep=flake.node())
    report = flake.json()
    assert report["exit"] == 0
    assert "no earlier lock" in report["notes"][0]
    assert flake.check("--rev", "HEAD").status == 2


def test_a_base_with_a_broken_lock_is_no_base(flake):
    flake.write("{")
    flake.commit()
    flake.lock(dep=flake.node())
    done = flake.check()
    assert done.status == 2
    assert "name another commit with --base" in str(done.error)


def test_a_lock_elsewhere(locked, tmp_path):
    other = tmp_path / "other.lock"
    other.write_bytes((locked.repository.path / "flake.lock").read_bytes())
    assert locked.json("--lock", str(other))["base"] is None
    assert locked.check("--lock", str(other), "--base", "HEAD").status == 2
    assert locked.check("--lock", str(tmp_path / "none")).status == 2
    assert locked.json("--lock", str(locked.repository.path / "flake.lock"))["base"] == "HEAD"


def test_a_bare_repository_has_a_lock_in_its_commits(locked, tmp_path):
    subprocess.run(["git", "clone", "-q", "--bare", locked.repository.path, tmp_path / "bare.git"], check=True)
    run = partial(locked.scene.run, "flake", "check", "--repo", str(tmp_path / "bare.git"), *locked.trust, repo=False)
    assert run().status == 2
    assert run("--rev", "main").status == 0


# --- what the lock says of it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"narHash": sri(bytes(32))}, 1, "lock-mismatch"),
        ({"lastModified": 1}, 1, "lock-mismatch"),
        ({"dir": "sub"}, 1, "lock-invalid"),
        ({"submodules": True}, 3, "input-unsupported"),
        ({"lfs": True}, 3, "input-unsupported"),
        ({"somethingNew": 1}, 3, "input-unsupported"),
        ({"type": "hg"}, 3, "input-unsupported"),
        ({"type": "indirect"}, 3, "input-unsupported"),
        ({"submodules": False, "shallow": True, "revCount": 3}, 0, None),
        ({"revCount": 2}, 1, "lock-mismatch"),
        ({"revCount": "3"}, 1, "lock-mismatch"),
        ({"revCount": True}, 1, "lock-mismatch"),
        ({"type": "github"}, 0, None),
        ({"type": "gitlab"}, 0, None),
        ({"type": "sourcehut"}, 0, None),
        ({"type": "tarball"}, 0, None),
        ({"type": "path", "path": "/dep"}, 0, None),
        ({"type": "path"}, 3, "input-unsupported"),
        ({"type": "path", "path": "./evil"}, 3, "input-unsupported"),
        ({"type": "path", "path": 1}, 3, "input-unsupported"),
    ],
)
def test_what_the_lock_says(flake, change, status, code):
    flake.lock(dep=flake.node(**change))
    report = flake.json()
    assert (report["exit"], report["reason"]) == (status, code)


@pytest.mark.parametrize("kind", [{}, {"type": "path", "path": "/dep"}])
def test_a_folder_of_another_input_is_not_what_the_lock_says(flake, kind):
    """Nix takes the folder, whatever commit and hash stand beside it: an authentic one's would make it look so."""
    flake.lock(dep=flake.node(**kind) | {"parent": ["other"]}, other=flake.node())
    report = flake.json()
    assert (report["exit"], report["reason"]) == (3, "input-unsupported")
    assert "a folder of another input" in report["inputs"][0]["refusals"][0]["message"]


@pytest.mark.parametrize("missing", ["rev", "narHash"])
def test_an_input_without_a_commit_or_hash_is_not_decided(flake, missing):
    node = flake.node()
    del node["locked"][missing]
    flake.lock(dep=node)
    assert flake.json()["reason"] == "input-unsupported"


def test_another_folder_of_an_indirect_input_is_the_registrys(flake):
    flake.lock(dep=flake.node(original={"type": "indirect", "id": "dep"}, dir="sub"))
    assert flake.json()["exit"] == 0


def archived(flake, label, **options):
    source, rev = Repository(flake.scene.path), bytes.fromhex(flake.scene.ids[label])
    commit = parse_commit(source.read(rev)[1])
    return sri(nar_hash(lambda visitor: show_archive(source, rev, commit, visitor, **options)))


def test_each_kind_of_input_has_its_own_form(flake):
    files = {".gitattributes": "README export-ignore\nid export-subst\n", "id": "$Format:%H$\n"}
    flake.scene.history.commit("attributes", files, sign=ALICE)
    archive, ignored = archived(flake, "attributes"), archived(flake, "attributes", convert=False)
    raw = flake.node("attributes")["locked"]["narHash"]
    assert len({archive, ignored, raw}) == 3
    for change, form in (
        ({"type": "github", "narHash": archive}, "archive"),
        ({"type": "github", "narHash": raw}, None),
        ({"type": "gitlab", "narHash": archive}, "archive"),
        ({"type": "gitlab", "narHash": raw}, None),
        ({"type": "sourcehut", "narHash": archive}, "archive"),
        ({"type": "sourcehut", "narHash": ignored}, None),
        ({"type": "tarball", "narHash": archive}, "archive"),
        ({"type": "tarball", "narHash": raw}, "raw"),
        ({"type": "tarball", "narHash": ignored}, None),
        ({"type": "git", "narHash": raw}, "raw"),
        ({"type": "git", "narHash": archive}, "archive"),
        ({"type": "git", "narHash": ignored}, None),
        ({"type": "git", "narHash": ignored, "exportIgnore": True}, "export-ignore"),
        ({"type": "path", "path": "/dep", "narHash": raw}, "raw"),
        ({"type": "path", "path": "/dep", "narHash": archive}, None),
    ):
        flake.lock(dep=flake.node("attributes", **change))
        report = flake.json()
        assert report["inputs"][0]["form"] == form
        assert report["reason"] == (None if form else "lock-mismatch")


def test_a_form_that_hangs_on_the_server_is_not_decided(flake):
    files = {".gitattributes": "id export-subst\n", "id": "$Format:%d$\n"}
    flake.scene.history.commit("attributes", files, sign=ALICE)
    flake.lock(dep=flake.node("attributes", type="github"))
    report = flake.json()
    assert (report["exit"], report["reason"]) == (3, "input-unsupported")
    assert "“%d”" in report["inputs"][0]["refusals"][0]["message"]


def test_commits_are_counted_to_the_end(flake):
    """The number is of all that there are, also below the introduction, and by every parent."""
    flake.scene.history.commit("side", {"side": "x\n"}, parents=["second"], sign=ALICE)
    flake.scene.history.commit("merge", {"side": "x\n"}, parents=["third", "side"], sign=ALICE)
    for count, reason in ((5, None), (6, "lock-mismatch"), (4, "lock-mismatch")):
        flake.lock(dep=flake.node("merge", revCount=count))
        assert flake.json()["reason"] == reason
    late = ["--introduction", f"dep={flake.scene.ids['third']}", "--mirror", f"dep={flake.scene.path}"]
    flake.lock(dep=flake.node("third", revCount=3))
    assert flake.json(*late, trust=False)["exit"] == 0
    flake.scene.repository.objects.remove(flake.scene.ids["introduction"])
    report = flake.json(*late, trust=False)
    assert (report["exit"], report["reason"]) == (3, "missing-object")


def test_what_is_malformed_below_the_introduction_is_not_counted(flake, monkeypatch):
    def fails(*_):
        raise MalformedCommit("no")

    monkeypatch.setattr("gitverify.nix.history.History.count", fails)
    flake.lock(dep=flake.node(revCount=3))
    assert flake.json()["reason"] == "input-unsupported"


# --- which inputs -------------------------------------------------------------------------------------------------


def test_inputs_that_nothing_vouches_for_are_listed(flake):
    flake.lock(dep=flake.node(), other=flake.node())
    report = flake.json()
    assert report["exit"] == 0
    assert [each["verdict"] for each in report["inputs"]] == ["authentic", None]
    assert "other: not asked: git " in flake.check().stdout
    report = flake.json("--require-all")
    assert (report["exit"], report["reason"], refusal(report, "other")) == (1, *["input-not-configured"] * 2)


@pytest.mark.parametrize(
    ("change", "own"),
    [
        ({}, True),
        ({"parent": None}, False),
        ({"parent": ["dep"]}, False),
        ({"path": "/sub"}, False),
        ({"path": "../sub"}, False),
        ({"path": "./a/../../sub"}, False),
        ({"narHash": sri(bytes(32))}, False),
        ({"type": "git"}, False),
    ],
)
def test_a_folder_of_the_flake_itself_is_verified_with_the_flake(flake, change, own):
    """As Nix 2.26 locks it."""
    parent = change.get("parent", [])
    locked = {"type": "path", "path": "./sub"} | {name: value for name, value in change.items() if name != "parent"}
    sub = {"locked": locked, "original": {"type": "path", "path": "./sub"}}
    flake.lock(dep=flake.node(), sub=sub | ({} if parent is None else {"parent": parent}))
    report = flake.json("--require-all")
    assert [each["verdict"] for each in report["inputs"]] == ["authentic", None if own else "refused"]
    assert report["exit"] == (0 if own else 1)


def test_inputs_of_inputs_have_names_of_their_own(flake):
    inner = flake.node("second")
    nodes = {"root": {"inputs": {"dep": "dep"}}, "dep": {**flake.node(), "inputs": {"inner": "inner"}}, "inner": inner}
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    trust = [each.replace("dep=", "dep/inner=") for each in flake.trust]
    report = flake.json(*trust)
    assert [each["verdict"] for each in report["inputs"]] == ["authentic", "authentic"]
    assert report["inputs"][1]["name"] == "dep/inner"


def test_a_node_of_that_name_elsewhere_in_the_lock_does_not_count(flake):
    """Keys of nodes are the lock's own; what the flake's input is, is what the root says."""
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    nodes = {"root": {"inputs": {"dep": "x"}}, "dep": flake.node(), "x": flake.node("evil")}
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    report = flake.json()
    assert report["reason"] == "unauthorized-key"
    assert "“dep”" in report["notes"][0]


def test_an_input_that_follows_another_is_that(flake):
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    nodes = {"root": {"inputs": {"dep": ["x"], "x": "x"}}, "x": flake.node("evil")}
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    assert flake.json()["reason"] == "unauthorized-key"


def test_two_names_for_one_node_are_both_asked(flake):
    nodes = {"root": {"inputs": {"dep": "x", "x": "x"}}, "x": flake.node("second")}
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    report = flake.json("--introduction", f"x={flake.scene.ids['third']}", "--mirror", f"x={flake.scene.path}")
    assert [each["verdict"] for each in report["inputs"]] == ["authentic", "refused"]


def test_an_input_that_is_configured_and_gone_is_refused(flake):
    flake.lock(renamed=flake.node())
    report = flake.json()
    assert (report["exit"], report["reason"]) == (1, "input-missing")
    assert "“dep”" in report["refusals"][0]["message"]


@pytest.mark.parametrize("name", ["dep", "dep/inner"])
def test_an_input_that_is_configured_and_follows_the_flake_itself_is_refused(flake, name):
    """Nix takes it from there, and nobody would have been asked for it."""
    outer = name.partition("/")[0]
    nodes = {"root": {"inputs": {outer: []}}}
    if name != outer:
        nodes = {"root": {"inputs": {outer: outer}}, outer: {**flake.node(), "inputs": {"inner": []}}}
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    flake.trust = [each.replace("dep=", f"{name}=") for each in flake.trust]
    report = flake.json()
    assert (report["exit"], report["reason"]) == (1, "input-missing")
    assert f"“{name}”" in report["refusals"][0]["message"]


def test_nothing_configured_is_no_pass(flake):
    flake.lock(dep=flake.node())
    report = flake.json(trust=False)
    assert (report["exit"], report["reason"]) == (4, "introduction-not-configured")
    assert flake.json("--require-all", trust=False)["exit"] == 1
    flake.lock()
    assert flake.json(trust=False)["exit"] == 0


def test_a_lock_that_is_none(flake):
    flake.write('{"version": 7, "version": 7}')
    report = flake.json()
    assert (report["exit"], report["reason"]) == (1, "lock-invalid")
    assert "lock-invalid (L1)" in flake.check().stdout


def test_a_lock_in_a_commit_that_is_too_large(flake):
    flake.write(" " * (9 << 20))
    flake.commit()
    report = flake.json("--rev", "HEAD")
    assert (report["exit"], report["reason"]) == (1, "lock-invalid")
    flake.lock(dep=flake.node())
    done = flake.check()
    assert done.status == 2
    assert "name another commit with --base" in str(done.error)


def test_no_lock(flake):
    assert flake.check().status == 2


# --- what the user says ----------------------------------------------------------------------------------------------


def test_from_gits_configuration(flake):
    flake.lock(dep=flake.node())
    for key, value in (("introduction", flake.scene.ids["introduction"]), ("mirror", flake.scene.path)):
        flake.repository.git("config", f"gitverify.input:dep.{key}", str(value))
    assert flake.json(trust=False)["exit"] == 0
    flake.repository.git("config", "gitverify.input:dep.introduction", "main")
    assert flake.json(trust=False)["reason"] == "introduction-not-configured"
    assert flake.json()["exit"] == 0  # an option goes first


def test_a_mirrors_path_in_the_configuration_begins_at_the_flake(flake, tmp_path, monkeypatch):
    flake.lock(dep=flake.node())
    flake.repository.git("config", "gitverify.input:dep.mirror", f"../{flake.scene.path.name}")
    monkeypatch.chdir("/")
    only = ["--introduction", f"dep={flake.scene.ids['introduction']}"]
    assert flake.json(*only, trust=False)["exit"] == 0
    flake.repository.git("config", "gitverify.input:dep.mirror", f"~/{flake.scene.path.name}")
    assert flake.json(*only, trust=False)["exit"] == 0


@pytest.mark.parametrize(("code", "status"), [("malformed-tree", 1), ("output-failed", 3)])
def test_a_tree_that_can_not_be_hashed(flake, monkeypatch, code, status):
    def fails(*_):
        raise Unfit(code, "no", None)

    monkeypatch.setattr("gitverify.nix.inputs.hash_of", fails)
    flake.lock(dep=flake.node())
    report = flake.json()
    assert report["exit"] == status
    assert report["reason"] == ("malformed-tree" if status == 1 else "input-unsupported")


def test_a_setting_in_the_flakes_own_files_is_refused(flake):
    flake.lock(dep=flake.node())
    (flake.repository.path / "config").write_text(f'[gitverify "input:dep"]\nintroduction = {"1" * 40}\n')
    flake.repository.git("config", "include.path", "../config")
    assert flake.json()["reason"] == "config-untrusted"


def test_the_mirrors_own_introduction(flake):
    flake.lock(dep=flake.node())
    only = ["--mirror", f"dep={flake.scene.path}"]
    assert flake.json(*only, trust=False)["reason"] == "introduction-not-configured"
    assert flake.scene.run("trust", "{introduction}").status == 0
    assert flake.json(*only, trust=False)["exit"] == 0


@pytest.fixture
def mirrored(flake, tmp_path):
    """The flake with a mirror of its input that gitverify keeps; ``trust`` names it, and no introduction."""
    url = f"file://{flake.scene.path}"
    words = ["mirror", "update", str(tmp_path / "mirror"), "--url", url, "--branch", "main", "--jobs", "1"]
    flake.update = partial(flake.scene.run, *words, repo=False)
    assert flake.update("--introduction", flake.scene.ids["introduction"]).status == 0
    flake.trust = ["--mirror", f"dep={tmp_path / 'mirror'}"]
    flake.lock(dep=flake.node())
    return flake


def test_what_a_mirror_remembers_is_what_it_is_judged_by(mirrored):
    report = mirrored.json()
    assert report["exit"] == 0
    assert report["inputs"][0]["introduction"] == mirrored.scene.ids["introduction"]
    assert report["inputs"][0]["checked"] == 0  # its own mark says so
    assert mirrored.json("--no-state")["inputs"][0]["checked"] == 2
    assert mirrored.json("--signer", f"dep={BOB.id}")["reason"] == "introduction-signer"


def test_what_the_user_says_goes_before_what_a_mirror_remembers(mirrored):
    assert mirrored.json("--introduction", f"dep={mirrored.scene.ids['second']}")["inputs"][0]["checked"] == 1
    mirrored.lock(dep=mirrored.node("second"))
    assert mirrored.json()["exit"] == 0
    assert mirrored.json("--introduction", f"dep={mirrored.scene.ids['third']}")["reason"] == "not-descendant"


def test_a_mirror_with_a_damaged_memory(mirrored, tmp_path):
    (tmp_path / "mirror/gitverify/mirror.json").write_text("{}")
    report = mirrored.json()
    assert (report["exit"], report["reason"]) == (4, "mirror-missing")


def test_a_mirror_in_the_working_tree_is_none(mirrored, tmp_path):
    """Git lets a bare repository be committed, with all that it is to be judged by."""
    inside = mirrored.repository.path / "dep.git"
    shutil.copytree(tmp_path / "mirror", inside)
    assert mirrored.json("--mirror", f"dep={inside}", trust=False)["reason"] == "mirror-missing"


def test_no_mirror(flake, tmp_path):
    flake.lock(dep=flake.node())
    only = ["--introduction", f"dep={flake.scene.ids['introduction']}"]
    assert flake.json(*only, trust=False)["reason"] == "mirror-missing"
    (tmp_path / "empty").mkdir()
    report = flake.json(*only, "--mirror", f"dep={tmp_path / 'empty'}", trust=False)
    assert (report["exit"], report["reason"]) == (4, "mirror-missing")


def test_a_mirror_whose_settings_are_its_own_files(flake):
    flake.lock(dep=flake.node())
    (flake.scene.path / "config").write_text("[gitverify]\nkeyring = x\n")
    flake.scene.repository.configure("[include]\npath = ../config\n")
    assert flake.json()["reason"] == "config-untrusted"


def test_a_mirror_in_another_format(flake, tmp_path):
    flake.lock(dep=flake.node())
    GitRepository(tmp_path / "sha256", "--object-format=sha256")
    report = flake.json("--introduction", f"dep={'1' * 40}", "--mirror", f"dep={tmp_path / 'sha256'}", trust=False)
    assert (report["exit"], report["reason"]) == (3, "unsupported-repository")


# --- histories that are fetched --------------------------------------------------------------------------------------


def fetched(flake, *arguments):
    only = ["--introduction", f"dep={flake.scene.ids['introduction']}", "--fetch"]
    return flake.json(*only, *arguments, trust=False)


def test_without_a_mirror_the_history_can_be_fetched(flake):
    flake.lock(dep=flake.node(url=f"file://{flake.scene.path}"))
    report = fetched(flake)
    assert report["exit"] == 0
    assert report["inputs"][0]["checked"] == 2
    shutil.rmtree(flake.scene.path)
    assert fetched(flake)["exit"] == 0  # it is kept


def test_what_was_fetched_is_judged(flake):
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    flake.lock(dep=flake.node("evil", url=f"file://{flake.scene.path}"))
    assert fetched(flake)["reason"] == "unauthorized-key"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "file:///nowhere"}, 3, "fetch-failed"),
        ({"url": "ext::sh -c touch% ran"}, 4, "mirror-missing"),
        ({"url": "--upload-pack=touch"}, 4, "mirror-missing"),
        ({"type": "tarball"}, 4, "mirror-missing"),
        ({"type": "github", "owner": "a b", "repo": "c"}, 4, "mirror-missing"),
    ],
)
def test_what_can_not_be_fetched(flake, change, status, code):
    flake.lock(dep=flake.node(**change))
    report = fetched(flake)
    assert (report["exit"], report["reason"]) == (status, code)


@pytest.mark.parametrize(
    ("locked", "url"),
    [
        ({"type": "github", "owner": "o", "repo": "r"}, "https://github.com/o/r.git"),
        ({"type": "github", "owner": "o", "repo": "r", "host": "h"}, "https://h/o/r.git"),
        ({"type": "gitlab", "owner": "o%2Fp", "repo": "r"}, "https://gitlab.com/o/p/r.git"),
        ({"type": "gitlab", "owner": "o", "repo": "p%2Fr"}, "https://gitlab.com/o/p/r.git"),
        ({"type": "sourcehut", "owner": "~o", "repo": "r"}, "https://git.sr.ht/~o/r"),
        ({"type": "git", "url": "ssh://h/r"}, "ssh://h/r"),
        ({"type": "git", "url": "verified::https://h/r"}, "https://h/r"),
        ({"type": "path", "path": "/r"}, None),
    ],
)
def test_where_an_inputs_history_is(locked, url):
    assert url_of(Node("n", locked=locked)) == url


@pytest.mark.parametrize(
    "options",
    [
        ["--introduction", "dep"],
        ["--introduction", "dep=main"],
        ["--introduction", f"={'1' * 40}"],
        ["--signer", "dep=x"],
        ["--mirror", "dep="],
        ["--mirror", "dep=/a", "--mirror", "dep=/b"],
    ],
)
def test_options_that_say_nothing(flake, options):
    flake.lock(dep=flake.node())
    assert flake.check(*options, trust=False).status == 2


def test_a_signer_alone_is_no_introduction(flake):
    """Whoever names one wants the input judged."""
    flake.lock(dep=flake.node())
    report = flake.json("--signer", f"dep={ALICE.id}", trust=False)
    assert (report["exit"], report["reason"]) == (4, "introduction-not-configured")
    assert "--introduction dep=COMMIT" in report["inputs"][0]["refusals"][0]["message"]


def test_a_setting_that_there_is_not_is_no_introduction(flake):
    flake.lock(dep=flake.node())
    flake.repository.git("config", "gitverify.input:dep.introducion", flake.scene.ids["introduction"])
    report = flake.json(trust=False)
    assert (report["exit"], report["reason"]) == (4, "introduction-not-configured")


def test_what_the_lock_quotes_is_shown_escaped(flake):
    flake.lock(dep=flake.node(original={"type": "git", "url": "\x1b[31m\u202e"}))
    flake.commit()
    flake.lock(dep=flake.node(original={"type": "git", "url": "::error::\n##[x]"}))
    done = flake.check()
    assert done.status == 0
    assert not {"\x1b", "\u202e"} & set(done.stdout)
    assert "##[" not in done.stdout
    flake.lock(dep=flake.node(type="\x1b"))
    assert "\x1b" not in flake.check().stdout
