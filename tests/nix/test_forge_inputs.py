"""Inputs of the types github, gitlab and sourcehut, as real Nix locks them; and forges that lie to it."""

import json
import shutil

import pytest
from cli.scene import ALICE, BOB, MALLORY, Scene

from fixtures.lib.objects import EXECUTABLE, GITLINK, SYMLINK, Entry
from tests.nix.flakeworld import World
from tests.nix.forgeserver import OWN, forges
from tests.nix.nixplace import NAMES, PROGRAMS, needs_nix

pytestmark = needs_nix

BRANCH = "release/1"
ATTRIBUTES = """\
gone export-ignore
folder export-ignore
only/gone export-ignore
id export-subst
*.txt eol=crlf
"""
ODD = {
    ".gitattributes": ATTRIBUTES,
    "gone": "x\n",
    "folder/a": "x\n",
    "only/gone": "x\n",
    "id": "$Format:%H %T %P %ct$\n",
    "a.txt": "a\nb\n",
    "run": Entry(EXECUTABLE, b"#!/bin/sh\n"),
    "link": Entry(SYMLINK, b"README"),
    "sub": Entry(GITLINK, b"ab" * 20),
    "é/" + "n" * 150: "long\n",
}

FORGES = {
    "github": 'url = "github:o/r";',
    "gitlab": 'url = "gitlab:o/r";',
    "sourcehut": 'url = "sourcehut:~o/r";',
}
OTHERS = {
    "github-folder": 'url = "github:o/r?dir=a%20b";',
    "github-own": f'type = "github"; owner = "o"; repo = "r"; host = "{OWN}"; ref = "{BRANCH}";',
    "gitlab-own": f'type = "gitlab"; owner = "o"; repo = "r"; host = "{OWN}"; ref = "{BRANCH}";',
    "gitlab-subgroup": 'type = "gitlab"; owner = "g%2Fsub"; repo = "r"; ref = "main";',
    "gitlab-subgroup-in-repo": f'type = "gitlab"; owner = "g"; repo = "sub%2Fr"; host = "{OWN}";',
    "sourcehut-own": f'type = "sourcehut"; owner = "~o"; repo = "r"; host = "{OWN}"; ref = "{BRANCH}";',
}


class ForgeWorld(World):
    """A flake whose input is on a forge."""

    def __init__(self, place, program, forge, environment) -> None:
        super().__init__(place, program)
        self.forge = forge
        forge.repositories |= dict.fromkeys(("o/r", "~o/r", "g/sub/r"), self.scene.path)
        self.nix.environment |= environment

    def commit(self, label, files, sign):
        rev = self.scene.history.commit(label, files, sign=sign)
        self.scene.repository.ref(f"refs/heads/{BRANCH}", rev)
        return rev

    def checked(self, *arguments):
        done = self.run("check", "--format", "json", *arguments)
        return json.loads(done.stdout) | {"exit": done.status}


@pytest.fixture(params=PROGRAMS, ids=NAMES)
def world(request, tmp_path):
    with forges(tmp_path) as (forge, environment):
        made = ForgeWorld(tmp_path, request.param, forge, environment)
        made.commit("odd", ODD, ALICE)
        yield made


@pytest.fixture(params=FORGES.values(), ids=FORGES)
def dep(request, world):
    """The input, on each of the forges."""
    world.source = request.param
    return world


@pytest.fixture(params=[*FORGES.values(), *OTHERS.values()], ids=[*FORGES, *OTHERS])
def any_dep(request, world):
    """The input, on each of the forges and in each of the ways in which it is named."""
    world.source = request.param
    return world


# --- forges that lie --------------------------------------------------------------------------------------------------


def lies(forge, ids, how):
    match how:
        case "file":
            forge.altered = {"README": b"evil\n"}
        case "program":
            forge.altered = {"run": b"#!/bin/sh\nevil\n"}
        case "dates":
            forge.older = 3600
        case "older":
            forge.served = ids["third"]


@pytest.mark.parametrize("how", [None, "file", "program", "dates", "older"])
def test_a_forge_that_hands_out_something_else(dep, how):
    """Nix takes it, and its hash, as what the commit is."""
    lies(dep.forge, dep.scene.ids, how)
    dep.flake()
    assert dep.locked()["rev"] == dep.scene.ids["odd"]
    report = dep.checked()
    assert (report["exit"], report["reason"]) == ((1, "lock-mismatch") if how else (0, None))


@pytest.mark.parametrize(("said", "code"), [("evil", "unauthorized-key"), ("third", "not-contained"), ("next", None)])
def test_a_forge_that_says_where_a_branch_is(dep, said, code):
    """At a commit of somebody else's; at an older one; and at the next."""
    dep.flake()
    dep.commit("next", {"README": "next\n"}, BOB)
    dep.commit("evil", {"README": "evil\n"}, MALLORY)
    dep.forge.said = dep.scene.ids[said]
    dep.update()
    assert dep.locked()["rev"] == dep.scene.ids[said]
    report = dep.checked()
    assert (report["exit"], report["reason"]) == (1 if code else 0, code)


# --- forges that do not -----------------------------------------------------------------------------------------------


def test_what_nix_locks_is_let_through(any_dep):
    any_dep.flake()
    assert any_dep.forge.requests
    (answer,) = any_dep.checked("--require-all")["inputs"]
    assert (answer["verdict"], answer["form"], answer["rev"]) == ("authentic", "archive", any_dep.scene.ids["odd"])


def test_written_without_nix_the_lock_is_the_one_that_nix_writes(any_dep, tmp_path):
    any_dep.flake()
    any_dep.commit("next", {"README": "four\n", "id": "$Format:%T$\n"}, BOB)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git"))
    ours, nixs = any_dep.moved(PATH=str(tmp_path / "bin"))
    assert ours == nixs


def test_moved_by_nix_the_lock_is_the_one_that_nix_writes(any_dep, tmp_path):
    """Its flake.nix changes, so only Nix knows what it has for inputs."""
    inner = tmp_path / "inner"
    inner.mkdir()
    any_dep.forge.repositories["o/inner"] = Scene(inner).path
    flakes = ("flake.nix", "a b/flake.nix")
    any_dep.commit("flake", dict.fromkeys(flakes, "{ outputs = _: { }; }\n"), ALICE)
    any_dep.flake(more="")
    text = '{ inputs.inner = { url = "github:o/inner"; flake = false; }; outputs = _: { }; }\n'
    any_dep.commit("other", dict.fromkeys(flakes, text), BOB)
    ours, nixs = any_dep.moved()
    assert ours == nixs
    assert "inner" in any_dep.nodes()


def test_while_nix_moves_it_the_forge_lies(dep):
    """What it says of the commit that Nix is told is looked at, too, before it is in the lock."""
    dep.commit("flake", {"flake.nix": "{ outputs = _: { }; }\n"}, ALICE)
    dep.flake(more="")
    before = dep.file.read_bytes()
    dep.commit("other", {"flake.nix": "{ outputs = _: { it = 1; }; }\n"}, BOB)
    dep.forge.altered = {"README": b"evil\n"}
    done = dep.run("update", "dep", "--format", "json")
    assert (done.status, json.loads(done.stdout)["reason"]) == (1, "lock-mismatch")
    assert dep.file.read_bytes() == before
