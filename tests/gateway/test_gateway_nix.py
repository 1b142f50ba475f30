"""Real Nix as a gateway's client: locks, updates, cold stores and channels."""

import json
import re

import pytest
from cli.scene import ALICE
from gateway.serving import Mirrored, serving
from gitrepo import GitRepository
from nix.nixplace import NAMES, NIX, PROGRAMS, Nix, needs_nix, version

from fixtures.lib.objects import EXECUTABLE, GITLINK, SYMLINK, Entry

LOCKABLE = (2, 17)

# Nix that can lock tarballs; the oldest that may be asked only has channels.
LOCKING = [program for program in PROGRAMS if version(program) >= LOCKABLE]

needs_locking = pytest.mark.skipif(
    not LOCKING,
    reason="no Nix that can lock tarballs (2.17): bash .ci/newer-nix DIR, then GITVERIFY_NEWER_NIX=DIR/bin",
)

FLAKE = '{ outputs = _: { it = "%s"; }; }\n'
ODD = {
    "run": Entry(EXECUTABLE, b"#!/bin/sh\n"),
    "link": Entry(SYMLINK, b"README"),
    "away": Entry(SYMLINK, b"/nowhere/" + b"x" * 200),
    "d/é/" + "n" * 150: "long\n",
    "sub": Entry(GITLINK, b"ab" * 20),
    ".gitattributes": "gone export-ignore\nid export-subst\n*.txt eol=crlf\n",
    "gone": "x\n",
    "id": "$Format:%H$\n",
    "a.txt": "a\nb\n",
    "empty": "",
    "large": "0123456789abcdef" * 100_000,
}


class World:
    """A gateway, and a flake of which it serves the one input."""

    def __init__(self, place, client, mirrored):
        self.client = client
        self.mirrored = mirrored
        self.path = place / "flake"
        self.path.mkdir()
        (self.path / "flake.nix").write_text(
            f'{{ inputs.app.url = "{client.url}/app/main.tar.gz";\n'
            "  outputs = { self, app }: { inherit (app) it rev narHash; }; }\n"
        )
        self.nix = Nix(place / "nix", LOCKING[0])
        self.flake = f"path:{self.path}"

    def commit(self, label, **files):
        """Have upstream go on, and the mirror with it."""
        files = {"flake.nix": FLAKE % label, **files}
        commit = self.mirrored.upstream.history.commit(label, files, sign=ALICE)
        assert self.mirrored.update().status == 0
        return commit

    def update(self, check=True):
        return self.nix.run(self.nix.program, "flake", "update", "--refresh", cwd=self.path, check=check)

    def locked(self):
        return json.loads((self.path / "flake.lock").read_text())["nodes"]["app"]["locked"]


@pytest.fixture
def world(tmp_path):
    mirrored = Mirrored(tmp_path)
    with serving(mirrored) as client:
        yield World(tmp_path, client, mirrored)


@needs_locking
def test_a_lock(world):
    first = world.commit("first", **ODD)
    world.nix("flake", "lock", world.flake)
    locked = world.locked()
    assert locked["rev"] == first
    assert locked["url"] == f"{world.client.url}/app/.rev/{first}.tar.gz"
    assert locked["revCount"] == int(world.mirrored.git("rev-list", "--count", first))
    assert locked["lastModified"] == int(world.mirrored.git("log", "-1", "--format=%ct", first))
    # What the Link says is not checked when it is locked. What Nix finds in the archive is:
    assert world.nix("eval", "--raw", f"{world.flake}#it") == "first"
    assert world.nix("eval", "--raw", f"{world.flake}#narHash") == locked["narHash"]
    world.nix("flake", "metadata", "--refresh", world.flake)


@needs_locking
def test_the_hash_is_that_of_what_nix_unpacks(world, tmp_path):
    """Each by a Nix that has nothing of it, and is told nothing about it."""
    world.commit("first", **ODD)
    world.nix("flake", "lock", world.flake)
    for number, program in enumerate(PROGRAMS):
        nix = Nix(tmp_path / f"nix{number}", program)
        for path in ("main.tar.gz", "main/nixexprs.tar.xz"):
            expression = f'builtins.fetchTarball "{world.client.url}/app/{path}"'
            out = json.loads(nix("eval", "--impure", "--json", "--expr", expression))
            assert nix("hash", "path", out).strip() == world.locked()["narHash"], path


@needs_locking
def test_a_hash_with_characters_that_are_escaped(world):
    """Unescaped, a plus sign in a query is a space to many."""
    for number in range(200):
        world.commit(f"commit {number}")
        link = world.client.get("/app/main.tar.gz", "HEAD").headers["Link"]
        if "%2B" in link and "%2F" in link:
            break
    world.nix("flake", "lock", world.flake)
    assert "+" in world.locked()["narHash"]
    assert "/" in world.locked()["narHash"].removeprefix("sha256-")
    assert world.nix("eval", "--raw", f"{world.flake}#narHash") == world.locked()["narHash"]


@needs_locking
def test_an_update_and_a_cold_store(world, tmp_path):
    first = world.commit("first")
    world.update()
    assert world.locked()["rev"] == first
    old = (world.path / "flake.lock").read_bytes()
    second = world.commit("second")
    assert world.nix("eval", "--raw", f"{world.flake}#rev") == first  # it is locked
    world.update()
    assert world.locked()["rev"] == second
    # A Nix that has never seen any of it builds from the old lock, though the branch has moved on.
    (world.path / "flake.lock").write_bytes(old)
    cold = Nix(tmp_path / "cold", world.nix.program)
    found = cold("eval", "--no-update-lock-file", "--json", world.flake + "#it")
    assert json.loads(found) == "first"


@needs_locking
def test_what_is_refused_is_shown_at_once(world, tmp_path):
    first = world.commit("first")
    world.update()
    bad = world.mirrored.upstream.bad()
    world.mirrored.update()
    done = world.update(check=False)
    shown = done.stderr
    assert done.returncode
    assert "unauthorized-key" in shown
    assert "last update" in shown
    assert world.locked()["rev"] == first
    cold = Nix(tmp_path / "cold", world.nix.program)
    done = cold.run(cold.program, "flake", "metadata", f"{world.client.url}/app/main.tar.gz", check=False)
    assert done.returncode != 0
    assert "HTTP error 403" in done.stderr
    assert "unauthorized-key" in done.stderr
    done = cold.run(cold.program, "flake", "metadata", f"{world.client.url}/app/.rev/{bad}.tar.gz", check=False)
    assert done.returncode != 0
    # What is locked still comes, to whoever has nothing.
    assert cold("eval", "--no-update-lock-file", "--raw", world.flake + "#it") == "first"


@needs_locking
def test_a_lock_that_was_tampered_with(world, tmp_path):
    """Nix itself finds that the archive is not what the lock says."""
    world.commit("first")
    world.nix("flake", "lock", world.flake)
    file = world.path / "flake.lock"
    file.write_text(re.sub(r'"narHash": "sha256-.{4}', '"narHash": "sha256-AAAA', file.read_text()))
    cold = Nix(tmp_path / "cold", world.nix.program)
    done = cold.run(cold.program, "eval", "--raw", f"{world.flake}#it", check=False)
    assert done.returncode != 0
    assert "mismatch" in done.stderr


@needs_locking
def test_the_lock_gate_lets_it_through(world):
    """Also where attributes would have git archive leave something out."""
    world.commit("first", **ODD)
    world.nix("flake", "lock", world.flake)
    upstream = world.mirrored.upstream
    GitRepository(world.path)
    words = ["flake", "check", "--repo", str(world.path), "--mirror", f"app={world.mirrored.path}"]
    words += ["--introduction", f"app={world.mirrored.ids['introduction']}", "--no-state"]
    done = upstream.scene_run(*words)
    assert done.status == 0, done.stdout + done.stderr


@needs_nix
@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
def test_a_channel(tmp_path, program):
    mirrored = Mirrored(tmp_path)
    upstream = mirrored.upstream
    with serving(mirrored) as client:
        upstream.commit("channel", **{"default.nix": '{ it = "one"; }\n'})
        mirrored.update()
        nix = Nix(tmp_path / "nix", program)

        def channel(*arguments, check=True):
            fresh = ["--option", "tarball-ttl", "0"]
            return nix.run(program.removesuffix("nix") + "nix-channel", *arguments, *fresh, check=check)

        def it():
            path = f"nixpkgs={nix.place}/.nix-defexpr/channels/app"
            return nix("eval", "--impure", "--raw", "-I", path, "--expr", "(import <nixpkgs>).it")

        channel("--add", f"{client.url}/app/main", "app")
        channel("--update")
        assert it() == "one"
        upstream.commit("next", **{"default.nix": '{ it = "two"; }\n'})
        mirrored.update()
        channel("--update")
        assert it() == "two"
        upstream.bad()
        mirrored.update()
        done = channel("--update", check=False)
        assert "unauthorized-key" in done.stderr
        assert done.returncode or "using cached version" in done.stderr
        assert it() == "two"
        fresh = Nix(tmp_path / "fresh", program)
        words = [program.removesuffix("nix") + "nix-channel"]
        fresh.run(*words, "--add", f"{client.url}/app/main", "app")
        done = fresh.run(*words, "--update", check=False)
        assert done.returncode != 0
        assert "unauthorized-key" in done.stderr


@needs_nix
def test_an_older_nix_takes_it_as_a_tarball(tmp_path):
    mirrored = Mirrored(tmp_path)
    with serving(mirrored) as client:
        nix = Nix(tmp_path / "nix", NIX)
        found = nix("eval", "--impure", "--raw", "--expr", f'builtins.fetchTarball "{client.url}/app/main.tar.gz"')
        assert nix("eval", "--impure", "--raw", "--expr", f"builtins.readFile {found}/README") == "three\n"
