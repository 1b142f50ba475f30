"""The lock gate and real Nix: what Nix locks is let through, and what is written without it is what it writes."""

import pytest
from cli.scene import ALICE, BOB, MALLORY
from gitrepo import GitRepository

from tests.nix.flakeworld import World
from tests.nix.nixplace import NAMES, PROGRAMS, needs_nix

pytestmark = needs_nix


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
    world.scene.history.commit("later", {"README": "four\n", "more/é": "x\n"}, sign=BOB)
    ours, nixs = world.moved()
    assert ours == nixs


def test_an_input_with_inputs_of_its_own_is_locked_by_nix(world):
    """Its flake.nix changes, so only Nix knows what it has for inputs."""
    world.scene.history.commit("flake", {"flake.nix": "{ outputs = _: { }; }\n"}, sign=ALICE)
    world.flake(more="")
    inner = GitRepository(world.path.parent / "inner")
    inner.commit("x", file="x\n")
    text = f'{{ inputs.inner = {{ url = "git+file://{inner.path}?ref=main"; flake = false; }}; outputs = _: {{ }}; }}'
    rev = world.scene.history.commit("other", {"flake.nix": text}, sign=BOB)
    original = world.nodes()["dep"]["original"]
    done = world.run("update", "dep")
    assert done.status == 0, done.stdout
    nodes = world.nodes()
    assert nodes["dep"]["locked"]["rev"] == rev
    assert nodes["dep"]["original"] == original
    assert "inner" in nodes
