"""The lock gate and real Nix: what Nix locks is let through, and what is written without it is what it writes."""

import json

import pytest
from cli.scene import ALICE, BOB, MALLORY, Scene
from gitrepo import GitRepository

from tests.nix.nixplace import NAMES, PROGRAMS, Nix, needs_nix, version

pytestmark = needs_nix

FLAKE = '{ inputs.dep = { url = "%s"; %s }; outputs = _: { }; }'


class World:
    """A flake with one input, a branch that is signed, and Nix."""

    def __init__(self, place, program) -> None:
        (place / "scene").mkdir()
        self.scene = Scene(place / "scene")
        self.nix = Nix(place / "nix", program)
        self.repository = GitRepository(place / "flake")
        self.path = self.repository.path
        self.url = f"git+file://{self.scene.path}"

    def flake(self, more="flake = false;", query="?ref=main"):
        (self.path / "flake.nix").write_text(FLAKE % (self.url + query, more))
        self.repository.git("add", "flake.nix")
        self.lock()
        self.repository.git("add", "flake.lock")
        self.repository.git("commit", "-q", "-m", "Flake")

    def lock(self):
        self.nix.run(self.nix.program, "flake", "lock", cwd=self.path)

    def update(self):
        """Have Nix lock what there is now; which argument says so is another one in newer versions."""
        how = ["update", "dep"] if version(self.nix.program) >= (2, 19) else ["lock", "--update-input", "dep"]
        self.nix.run(self.nix.program, "flake", *how, cwd=self.path)

    @property
    def file(self):
        return self.path / "flake.lock"

    def locked(self):
        return json.loads(self.file.read_text())["nodes"]["dep"]["locked"]

    def run(self, *arguments, **kwargs):
        trust = ["--introduction", f"dep={self.scene.ids['introduction']}", "--mirror", f"dep={self.scene.path}"]
        environment = {
            name: value for name, value in self.nix.environment.items() if name.startswith("NIX") or name == "PATH"
        }
        place = ["--repo", str(self.path)]
        return self.scene.run("flake", *arguments, *place, *trust, repo=False, env=environment, **kwargs)


@pytest.fixture(params=PROGRAMS, ids=NAMES)
def world(request, tmp_path):
    return World(tmp_path, request.param)


def test_what_nix_locks_is_let_through(world):
    world.flake()
    done = world.run("check")
    assert done.status == 0, done.stdout
    world.scene.history.commit("later", {"README": "four\n"}, sign=BOB)
    world.update()
    assert world.locked()["rev"] == world.scene.ids["later"]
    assert world.run("check").status == 0


def test_with_attributes_too(world):
    files = {".gitattributes": "gone export-ignore\nid export-subst\n", "gone": "x\n", "id": "$Format:%H$\n"}
    world.scene.history.commit("attributes", files, sign=ALICE)
    world.flake()
    done = world.run("check")
    assert done.status == 0, done.stdout


def test_what_nix_locks_of_somebody_elses_is_refused(world):
    world.flake()
    world.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    world.update()
    assert world.locked()["rev"] == world.scene.ids["evil"]
    done = world.run("check")
    assert done.status == 1
    assert "unauthorized-key" in done.stdout


def test_written_without_nix_the_lock_is_the_one_that_nix_writes(world):
    world.flake()
    before = world.file.read_bytes()
    world.scene.history.commit("later", {"README": "four\n", "more/é": "x\n"}, sign=BOB)
    done = world.run("update")
    assert done.status == 0, done.stdout
    ours = world.file.read_bytes()
    world.file.write_bytes(before)
    world.update()
    assert ours == world.file.read_bytes()
    assert ours != before


def test_an_input_with_inputs_of_its_own_is_locked_by_nix(world):
    """Its flake.nix changes, so only Nix knows what it has for inputs."""
    world.scene.history.commit("flake", {"flake.nix": "{ outputs = _: { }; }\n"}, sign=ALICE)
    world.flake("")
    inner = GitRepository(world.path.parent / "inner")
    inner.commit("x", file="x\n")
    text = f'{{ inputs.inner = {{ url = "git+file://{inner.path}?ref=main"; flake = false; }}; outputs = _: {{ }}; }}'
    rev = world.scene.history.commit("other", {"flake.nix": text}, sign=BOB)
    original = json.loads(world.file.read_text())["nodes"]["dep"]["original"]
    done = world.run("update", "dep")
    assert done.status == 0, done.stdout
    nodes = json.loads(world.file.read_text())["nodes"]
    assert nodes["dep"]["locked"]["rev"] == rev
    assert nodes["dep"]["original"] == original
    assert "inner" in nodes
