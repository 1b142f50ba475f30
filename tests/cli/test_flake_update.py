"""gitverify flake update: to the newest commit that is authentic, and no further; or nothing is written."""

import json
import shutil
import subprocess

import pytest
from cli.scene import ALICE, BOB, MALLORY
from cli.test_flake import Flake
from gitrepo import ENVIRONMENT

from gitverify.nix import lockgate, program
from gitverify.nix import update as update_module
from gitverify.nix.lock import parse_lock
from gitverify.nix.update import Move, reference


@pytest.fixture
def flake(scene, tmp_path):
    made = Flake(scene, tmp_path)
    made.lock(dep={**made.node("second"), "flake": False})
    made.commit()
    return made


def update(flake, *arguments, trust=True, **kwargs):
    place = ["--repo", str(flake.repository.path)]
    given = flake.trust if trust else []
    return flake.scene.run("flake", "update", *arguments, *place, *given, repo=False, **kwargs)


def file(flake):
    return flake.repository.path / "flake.lock"


def locked(flake, name="dep"):
    return json.loads(file(flake).read_text())["nodes"][name]["locked"]


def test_it_moves_to_the_tip(flake):
    file(flake).chmod(0o640)
    done = update(flake)
    assert done.status == 0
    assert "dep moved from " in done.stdout
    assert locked(flake) == flake.node("third")["locked"]
    assert flake.json()["exit"] == 0
    assert file(flake).stat().st_mode & 0o777 == 0o640
    assert [path.name for path in flake.repository.path.iterdir() if path.name != ".git"] == ["flake.lock"]


def test_it_is_written_as_nix_writes_it(flake):
    flake.lock(dep={**flake.node("second", url="https://example.org/é"), "flake": False}, other=flake.node("second"))
    assert update(flake, "dep").status == 0
    text = file(flake).read_text()
    assert text.startswith(
        '{\n  "nodes": {\n    "dep": {\n      "flake": false,\n      "locked": {\n        "lastModified": '
    )
    assert "https://example.org/é" in text
    assert text.endswith("\n}\n")
    assert locked(flake, "other") == flake.node("second")["locked"]


def test_of_a_refused_tip_the_newest_authentic_commit_below_is_taken(flake):
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    assert update(flake).status == 0
    assert locked(flake)["rev"] == flake.scene.ids["third"]


def test_where_nothing_is_newer_nothing_is_written(flake):
    flake.lock(dep={**flake.node("third"), "flake": False})
    before = file(flake).read_bytes()
    flake.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    done = update(flake)
    assert done.status == 0
    assert "nothing is newer" in done.stdout
    assert file(flake).read_bytes() == before


def test_a_mirror_that_went_back_is_refused(flake):
    flake.lock(dep={**flake.node("third"), "flake": False})
    before = file(flake).read_bytes()
    flake.scene.repository.ref("refs/heads/main", flake.scene.ids["second"])
    done = update(flake, "--format", "json")
    assert done.status == 1
    assert json.loads(done.stdout)["reason"] == "not-contained"
    assert file(flake).read_bytes() == before


def test_a_mirror_that_went_back_behind_its_mark_is_refused(flake):
    assert flake.scene.run("verify", "--introduction", "{introduction}").status == 0
    flake.scene.repository.ref("refs/heads/main", flake.scene.ids["second"])
    done = update(flake, "--format", "json")
    assert (done.status, json.loads(done.stdout)["reason"]) == (1, "behind")
    assert update(flake, "--no-state").status == 0


def test_a_mirror_of_gitverifys_has_marks_of_its_own(flake, tmp_path):
    mirror, url = tmp_path / "mirror", f"file://{flake.scene.path}"
    words = ["mirror", "update", str(mirror), "--url", url, "--branch", "main", "--jobs", "1"]
    assert flake.scene.run(*words, "--introduction", "{introduction}", repo=False).status == 0
    named = ["--mirror", f"dep={mirror}"]
    subprocess.run(
        ["git", f"--git-dir={mirror}", "update-ref", "refs/heads/main", flake.scene.ids["second"]], check=True
    )
    done = update(flake, *named, "--format", "json", trust=False)
    assert (done.status, json.loads(done.stdout)["reason"]) == (1, "behind")
    assert flake.scene.run(*words, repo=False).status == 0
    assert update(flake, *named, trust=False).status == 0
    assert locked(flake)["rev"] == flake.scene.ids["third"]


def test_the_branch_that_the_flake_asks_for_in_a_clone(flake, tmp_path):
    """Its own branch of that name is what somebody works on; the remote's is what was fetched."""
    subprocess.run(["git", "clone", "-q", flake.scene.path, tmp_path / "clone"], env=ENVIRONMENT, check=True)
    subprocess.run(["git", "reset", "-q", "--hard", "HEAD~1"], cwd=tmp_path / "clone", env=ENVIRONMENT, check=True)
    trust = ["--introduction", f"dep={flake.scene.ids['introduction']}", "--mirror", f"dep={tmp_path / 'clone'}"]
    assert update(flake, *trust, trust=False).status == 0
    assert locked(flake)["rev"] == flake.scene.ids["third"]


def test_without_a_branch_it_is_the_mirrors_default(flake):
    original = {"type": "git", "url": "https://example.org/dep"}
    flake.lock(dep={**flake.node("second", original=original), "flake": False})
    flake.scene.repository.ref("refs/heads/other", flake.scene.ids["third"])
    flake.scene.repository.write("HEAD", "ref: refs/heads/other\n")
    flake.scene.repository.ref("refs/heads/main", flake.scene.ids["second"])
    assert update(flake).status == 0
    assert locked(flake)["rev"] == flake.scene.ids["third"]


def test_a_count_of_commits_is_kept_up(flake):
    flake.lock(dep={**flake.node("second", revCount=2), "flake": False})
    assert update(flake).status == 0
    assert locked(flake)["revCount"] == 3


@pytest.mark.parametrize(
    ("original", "said"),
    [
        ({"ref": "nobody"}, "does not have the branch nobody"),
        ({"rev": "1" * 40}, "asks for no branch"),
        ({"type": "tarball"}, None),
    ],
)
def test_what_does_not_move(flake, original, said):
    node = flake.node("second")
    node["original"].update(original)
    if said is None:
        node["locked"]["type"] = "tarball"
    flake.lock(dep=node)
    before = file(flake).read_bytes()
    done = update(flake, "dep")
    assert done.status == 2
    assert (said or "asks for no branch") in str(done.error)
    assert file(flake).read_bytes() == before


def test_an_input_that_asks_for_one_commit_stays_out_of_all(flake):
    node = flake.node("second")
    node["original"]["rev"] = node["locked"]["rev"]
    flake.lock(dep=node)
    done = update(flake)
    assert done.status == 0
    assert "nothing is newer" in done.stdout


@pytest.mark.parametrize("name", ["nobody", "other"])
def test_names_of_no_use(flake, name):
    flake.lock(dep=flake.node("second"), other=flake.node("second"))
    assert update(flake, name).status == 2


def test_a_broken_lock(flake):
    flake.write("{")
    done = update(flake, "--format", "json")
    assert (done.status, json.loads(done.stdout)["reason"]) == (1, "lock-invalid")


# --- where only Nix can tell -----------------------------------------------------------------------------------------


@pytest.fixture
def changing(flake):
    """An input that is a flake, and whose flake.nix changes."""
    flake.scene.history.commit("flake", {"flake.nix": "1\n"}, sign=ALICE)
    flake.lock(dep=flake.node("flake"))
    flake.scene.history.commit("other", {"flake.nix": "2\n"}, sign=BOB)
    return flake


def test_a_flake_that_stays_the_same_needs_no_nix(changing, monkeypatch):
    monkeypatch.setattr(program, "lock", None)
    changing.scene.history.commit("same", {"flake.nix": "1\n", "README": "x\n"}, sign=BOB)
    assert update(changing).status == 0
    assert locked(changing)["rev"] == changing.scene.ids["same"]


@pytest.mark.parametrize("why", ["dir", "inside", "shallow", "form"])
def test_what_only_nix_can_tell(flake, monkeypatch, why):
    asked = []
    monkeypatch.setattr(program, "lock", lambda _, overrides: asked.append(overrides))
    more = {
        "dir": {"dir": "nobody"},
        "inside": {},
        "shallow": {"revCount": 2},
        "form": {"narHash": flake.node("third")["locked"]["narHash"]},
    }[why]
    node = {**flake.node("second", **more), "flake": why == "inside"}
    nodes = {"root": {"inputs": {"dep": "dep"}}, "dep": node}
    if why == "inside":
        node["inputs"] = {"sub": "sub"}
        nodes["sub"] = {"locked": {"type": "path", "path": "./sub"}, "original": {"type": "path", "path": "./sub"}}
    if why == "dir":
        node["original"]["dir"] = "nobody"
    if why == "shallow":
        (flake.scene.path / ".git/shallow").write_text("")
    flake.write(json.dumps({"nodes": nodes, "root": "root", "version": 7}))
    update(flake)
    assert bool(asked) == (why != "dir")


@pytest.mark.parametrize(("folder", "nix"), [("sub", False), ("README", False), ("other", True), ("none", False)])
def test_a_flake_in_a_folder_is_what_that_folder_has(flake, monkeypatch, folder, nix):
    asked = []
    monkeypatch.setattr(program, "lock", lambda _, overrides: asked.append(overrides))
    flake.scene.history.commit("flake", {"flake.nix": "1", "sub/flake.nix": "1", "other/flake.nix": "1"}, sign=ALICE)
    node = flake.node("flake", dir=folder)
    node["original"]["dir"] = folder
    flake.lock(dep=node)
    flake.scene.history.commit("next", {"flake.nix": "2", "other/flake.nix": "2"}, sign=ALICE)
    assert update(flake).status == (2 if nix else 0)
    assert bool(asked) == nix
    assert (locked(flake)["rev"] == flake.scene.ids["next"]) == (not nix)


def test_a_hash_that_can_not_be_computed_is_nixs_to_find(flake, monkeypatch):
    asked = []
    monkeypatch.setattr(program, "lock", lambda _, overrides: asked.append(overrides))
    node = {**flake.node("second", type="github", owner="o", repo="r"), "flake": False}
    flake.lock(dep=node)
    flake.scene.history.commit("next", {".gitattributes": "id ident\n", "id": "$Id$\n"}, sign=ALICE)
    update(flake)
    assert asked == [{"dep": f"github:o/r/{flake.scene.ids['next']}"}]
    flake.lock(dep={**flake.node("next", type="github", owner="o", repo="r"), "flake": False})
    flake.scene.history.commit("more", {"more": "x"}, sign=ALICE)
    update(flake)
    assert len(asked) == 2


def test_a_lock_that_is_a_symlink_stays_one(flake, tmp_path):
    (tmp_path / "elsewhere").write_bytes(file(flake).read_bytes())
    file(flake).unlink()
    file(flake).symlink_to(tmp_path / "elsewhere")
    assert update(flake).status == 0
    assert file(flake).is_symlink()
    assert locked(flake)["rev"] == flake.scene.ids["third"]


def test_a_lock_that_can_not_be_written_is_said(flake, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = file(flake).read_bytes()
    monkeypatch.setattr("os.fsync", full)
    done = update(flake, "--no-state")
    assert done.status == 2
    assert "can't be written: No space left" in str(done.error)
    assert file(flake).read_bytes() == before
    assert [path.name for path in flake.repository.path.iterdir() if path.name != ".git"] == ["flake.lock"]


def test_without_nix_it_is_said(changing, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git"))
    before = file(changing).read_bytes()
    done = update(changing, env={"PATH": str(tmp_path / "bin")})
    assert done.status == 2
    assert "only Nix can find out: nix can't be run" in str(done.error)
    assert file(changing).read_bytes() == before


def test_what_nix_says_when_it_fails(changing, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nix").write_text("#!/bin/sh\necho broken > flake.lock; echo 'error: \033[31mno' >&2; exit 1\n")
    (tmp_path / "bin/nix").chmod(0o755)
    before = file(changing).read_bytes()
    done = update(changing, env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})
    assert done.status == 2
    assert "error: \\x1b[31mno" in str(done.error)
    assert file(changing).read_bytes() == before


def test_a_lock_that_nix_wrote_otherwise_is_taken_back(changing, tmp_path):
    """Whatever it wrote is checked; here it locked what somebody else has made."""
    changing.scene.history.commit("evil", {"README": "evil\n"}, parents=["other"], sign=MALLORY)
    before = file(changing).read_bytes()
    changing.lock(dep=changing.node("evil"))
    (tmp_path / "evil").write_bytes(file(changing).read_bytes())
    file(changing).write_bytes(before)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nix").write_text(f"#!/bin/sh\ncp {tmp_path / 'evil'} flake.lock\n")
    (tmp_path / "bin/nix").chmod(0o755)
    done = update(changing, "--format", "json", env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})
    report = json.loads(done.stdout)
    assert (done.status, report["reason"]) == (1, "unauthorized-key")
    assert "the lock stays as it was" in report["notes"]
    assert file(changing).read_bytes() == before


def stand_in(tmp_path, script):
    """A nix that does this."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nix").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin/nix").chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}


def test_nix_writes_no_lock_of_another_name(changing, tmp_path):
    """It would write flake.lock, and the other file is the one that is checked, and taken back."""
    other = changing.repository.path / "other.lock"
    file(changing).rename(other)
    env = stand_in(tmp_path, "echo unchecked > flake.lock")
    done = update(changing, "--lock", str(other), env=env)
    assert done.status == 2
    assert "Nix writes flake.lock and no other file" in str(done.error)
    assert not file(changing).exists()


def test_without_nix_a_lock_of_another_name_is_moved(flake):
    other = flake.repository.path / "other.lock"
    file(flake).rename(other)
    assert update(flake, "--lock", str(other)).status == 0
    assert json.loads(other.read_text())["nodes"]["dep"]["locked"] == flake.node("third")["locked"]


@pytest.mark.parametrize("name", ["a#b", "a?dir=b", "a%62"])
def test_a_directory_that_nix_takes_for_another(changing, tmp_path, name):
    """Up to the mark it is the directory, and there may be another flake in that."""
    place = tmp_path / name
    changing.repository.path.rename(place)
    changing.repository.path = place
    env = stand_in(tmp_path, "touch ran")
    done = update(changing, env=env)
    assert done.status == 2
    assert "a directory's name that has" in str(done.error)
    assert not (place / "ran").exists()


def test_nix_leaves_the_lock_as_it_was(changing, tmp_path):
    """What is there is authentic, and yet nothing has moved."""
    before = file(changing).read_bytes()
    done = update(changing, env=stand_in(tmp_path, "true"))
    assert done.status == 2
    assert "is not at the commit that Nix was told" in str(done.error)
    assert file(changing).read_bytes() == before


@pytest.mark.parametrize("by_nix", [False, True])
def test_while_it_is_checked_the_lock_is_the_old_one(changing, tmp_path, monkeypatch, by_nix):
    """Whatever stops it then leaves nothing behind that nobody has checked."""
    if not by_nix:
        changing.scene.history.commit("same", {"flake.nix": "1\n", "README": "x\n"}, sign=BOB)
    before, check_lock, seen = file(changing).read_bytes(), lockgate.check_lock, []

    def looks(written, *rest):
        seen.append((file(changing).read_bytes(), written))
        return check_lock(written, *rest)

    monkeypatch.setattr(lockgate, "check_lock", looks)
    changing.lock(dep=changing.node("other"))
    (tmp_path / "new").write_bytes(file(changing).read_bytes())
    file(changing).write_bytes(before)
    assert update(changing, env=stand_in(tmp_path, f"cp {tmp_path / 'new'} flake.lock")).status == 0
    assert seen == [(before, file(changing).read_bytes())]
    assert file(changing).read_bytes() != before


def test_a_lock_that_changes_meanwhile_is_not_written_over(flake, monkeypatch):
    relocked = update_module.relocked

    def slowly(*arguments):
        flake.write("{}")
        return relocked(*arguments)

    monkeypatch.setattr(update_module, "relocked", slowly)
    done = update(flake)
    assert done.status == 2
    assert "has changed meanwhile" in str(done.error)
    assert file(flake).read_text() == "{}"


@pytest.mark.parametrize(("answer", "owner"), [("echo error >&2; exit 1", "o%2Fp"), ("printf a%%2Fb", "o%252Fp")])
def test_nix_is_asked_whether_it_undoes_escapes(changing, tmp_path, answer, owner):
    """Of a project in a GitLab's subgroup; a version that can't be asked does not."""
    place = {"type": "gitlab", "owner": "o%2Fp", "repo": "r"}
    changing.lock(dep=changing.node("flake", original=place, **place))
    env = stand_in(tmp_path, f'case " $* " in *" eval "*) {answer} ;; *) echo "$@" >{tmp_path}/told ;; esac')
    assert update(changing, env=env).status == 2  # it has not moved
    assert (tmp_path / "told").read_text().split()[-1] == f"gitlab:{owner}/r/{changing.scene.ids['other']}"


HOW_NIX_IS_TOLD = [
    ({"type": "github", "owner": "o", "repo": "r"}, "github:o/r/REV"),
    ({"type": "gitlab", "owner": "o%2Fp", "repo": "r", "host": "h", "ref": "x"}, "gitlab:o%2Fp/r/REV?host=h"),
    ({"type": "sourcehut", "owner": "~o", "repo": "r", "dir": "a b"}, "sourcehut:~o/r/REV?dir=a%20b"),
    ({"type": "git", "url": "https://h/r", "ref": "a&b"}, "git+https://h/r?ref=a%26b&rev=REV"),
    ({"type": "git", "url": "ssh://h/r?x=1", "shallow": True}, "git+ssh://h/r?x=1&rev=REV&shallow=1"),
]


@pytest.mark.parametrize(("node", "expected"), HOW_NIX_IS_TOLD)
@pytest.mark.parametrize("escaped", [False, True])
def test_how_nix_is_told(node, expected, escaped):
    """Some versions undo escapes in the path, so that there are two of what is an escape for the forge."""
    lock = {"a": {"locked": node, "original": {"type": node["type"]}}, "root": {"inputs": {"a": "a"}}}
    found = parse_lock(json.dumps({"version": 7, "root": "root", "nodes": lock}).encode()).nodes["a"]
    expected = expected.replace("o%2Fp", "o%252Fp") if escaped else expected
    assert reference(Move("a", found, b"\1" * 20, None), escaped=escaped) == expected.replace("REV", "01" * 20)
