"""fetchGitVerified in real Nix: what is built is verified, also where its evidence is in the store already."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli.scene import ALICE, BOB, MALLORY, Scene

from gitverify import __version__
from tests.nix.nixosunits import real_lib
from tests.nix.nixplace import Nix, needs_nix

pytestmark = needs_nix

ROOT = Path(__file__).parent.parent.parent
FETCHER = ROOT / "fetcher"

# Derivations without nixpkgs: a shell, and the programs that are on PATH here.
BUILD = """
{ name, command, environment, fixed ? null }:
derivation (environment // {
  inherit name;
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-euc" command ];
  PATH = "%s";
} // (if fixed == null then { } else {
  outputHash = fixed;
  outputHashAlgo = "sha256";
  outputHashMode = "recursive";
}))
"""


class World:
    """A scene, a Nix, and gitverify where Nix's builders find it."""

    def __init__(self, place: Path) -> None:
        self.scene = Scene(place / "scene")
        self.nix = Nix(place / "nix")
        programs = place / "programs"
        programs.mkdir()
        program = programs / "gitverify"
        program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m gitverify "$@"\n')
        program.chmod(0o755)
        build = BUILD % f"{programs}:{os.environ['PATH']}"
        self.fetch = f"(import {FETCHER}/stages.nix {{ build = {build}; }})"

    def arguments(self, rev="third", **changes):
        asked = ["--rev", self.scene.ids[rev], "--introduction", "{introduction}", "--signer", ALICE.id]
        done = self.scene.run("nix", "prefetch", f"file://{self.scene.path}", *asked, "--json", repo=False)
        found = json.loads(done.stdout)
        return {key: found[key] for key in ("url", "rev", "hash", "introduction", "signer")} | changes

    def call(self, arguments):
        return f"{self.fetch} (builtins.fromJSON ''{json.dumps(arguments)}'')"

    def build(self, arguments, attribute=""):
        return self.nix.build(f"({self.call(arguments)}){attribute}")


@pytest.fixture
def world(tmp_path):
    (tmp_path / "scene").mkdir()
    return World(tmp_path)


def test_what_is_built_is_the_verified_tree(world):
    done = world.build(world.arguments())
    assert done.returncode == 0, done.stderr
    out = Path(done.stdout.strip())
    assert sorted(path.name for path in out.iterdir()) == [".gitverify.yaml", "README"]
    assert (out / "README").read_text() == "three\n"
    assert out.name.endswith("-source")


def test_what_prefetch_prints_can_be_pasted(world):
    asked = ["--branch", "main", "--introduction", "{introduction}", "--signer", ALICE.id]
    done = world.scene.run("nix", "prefetch", f"file://{world.scene.path}", *asked, repo=False)
    pasted = done.stdout.partition("\n\n")[2]
    built = world.nix.build(f"let fetchGitVerified = {world.fetch}; in {pasted}")
    assert built.returncode == 0, built.stderr
    assert (Path(built.stdout.strip()) / "README").read_text() == "three\n"


def test_the_wrong_hash_is_refused_and_nix_names_the_right_one(world):
    arguments = world.arguments()
    done = world.build(arguments | {"hash": "sha256-" + "A" * 43 + "="})
    assert done.returncode != 0
    assert arguments["hash"] in done.stderr


def test_evidence_in_the_store_is_judged_again(world):
    """The right hash and the wrong introduction: Nix does not run what fetches it, and takes what it has."""
    arguments = world.arguments()
    first = world.build(arguments, ".evidence")
    assert first.returncode == 0, first.stderr
    for wrong in ({"introduction": "1" * 40}, {"signer": BOB.id}, {"rev": world.scene.ids["second"]}):
        again = world.build(arguments | wrong, ".evidence")
        assert again.stdout == first.stdout
        done = world.build(arguments | wrong)
        assert done.returncode != 0
        assert not done.stdout
    assert "introduction-signer" in world.build(arguments | {"signer": BOB.id}).stderr
    assert world.build(arguments).returncode == 0


@pytest.mark.parametrize(
    "settings", ["[protocol]\n\tversion = 0\n", "[fetch]\n\tunpackLimit = 1\n[pack]\n\tthreads = 1\n"]
)
def test_how_git_fetches_does_not_count(world, tmp_path, settings):
    arguments = world.arguments()
    (tmp_path / "gitconfig").write_text(settings)
    again = json.loads(
        world.scene.run(
            *("nix", "prefetch", arguments["url"], "--rev", arguments["rev"], "--json", "--signer", ALICE.id),
            *("--introduction", arguments["introduction"]),
            repo=False,
            env={"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        ).stdout
    )
    assert again["hash"] == arguments["hash"]


def test_a_refused_commit_gives_no_evidence(world):
    arguments = world.arguments()
    evil = world.scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    done = world.build(arguments | {"rev": evil, "hash": "sha256-" + "A" * 43 + "="})
    assert done.returncode != 0
    assert "unauthorized-key" in done.stderr


def test_other_clones_with_more_in_them_give_the_same(world, tmp_path):
    arguments = world.arguments()
    world.scene.history.commit("later", {"README": "four\n"}, sign=BOB)
    subprocess.run(["git", "clone", "-q", "--bare", "--no-local", world.scene.path, tmp_path / "other.git"], check=True)
    subprocess.run(["git", "-C", tmp_path / "other.git", "repack", "-q", "-adf"], check=True)
    done = world.build(arguments | {"url": f"file://{tmp_path}/other.git", "branch": "main"}, ".evidence")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["rev", "introduction", "keyring"])
def test_names_that_change_their_meaning_are_no_ids(world, name):
    expression = f"({world.call(world.arguments() | {name: 'main'})}).drvPath"
    done = world.nix.run("nix-instantiate", "--eval", "-E", expression, check=False)
    assert done.returncode != 0
    assert f"{name} is the whole id of a commit" in done.stderr


@pytest.mark.parametrize("name", ["signer", "dialect", "policyPath"])
def test_an_empty_text_is_not_left_out(world, name):
    """Else a signer that some expression has as an empty text would be no question any more."""
    expression = f"({world.call(world.arguments() | {name: ''})}).drvPath"
    done = world.nix.run("nix-instantiate", "--eval", "-E", expression, check=False)
    assert done.returncode != 0
    assert "one is empty here" in done.stderr


def test_a_value_is_no_shell(world, tmp_path):
    done = world.build(world.arguments(signer=f"$(touch {tmp_path}/ran); `touch {tmp_path}/ran`"))
    assert done.returncode != 0
    assert not (tmp_path / "ran").exists()


# --- with nixpkgs, as far as that goes without any -------------------------------------------------------------------

NIXPKGS = """rec {
  lib = {
    optionals = c: x: if c then x else [ ];
    optionalAttrs = c: x: if c then x else { };
    genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
    head = builtins.head;
    makeBinPath = builtins.concatStringsSep ":";
    fetchers.proxyImpureEnvVars = [ "http_proxy" ];
    licenses.mit = "MIT";
    platforms.unix = [ "unix" ];
    fileset = {
      toSource = { root, fileset }: { inherit root fileset; };
      unions = x: x;
      fileFilter = f: place: { inherit place; among = builtins.filter (name: f {
        inherit name;
        hasExt = e: builtins.match ".*\\\\.${e}" name != null;
      }) [ "a.py" "b.json" "py.typed" "c.pyc" "d.md" ]; };
    };
  };
  callPackage = file: more: let f = import file; in f (builtins.intersectAttrs (builtins.functionArgs f) self // more);
  stdenvNoCC.mkDerivation = arguments: derivation (removeAttrs arguments [ "impureEnvVars" "outputHashAlgo" ] // {
    system = builtins.currentSystem;
    builder = "/bin/sh";
  } // (if arguments ? outputHash then { outputHashAlgo = "sha256"; } else { }));
  python3Packages = {
    buildPythonApplication = arguments: arguments // { type = "package"; outPath = "/gitverify"; };
    setuptools = "setuptools";
    click = "click";
    cryptography = "cryptography";
    pygit2 = "pygit2";
    python-gnupg = "python-gnupg";
    pyyaml = "pyyaml";
    sshpubkeys = "sshpubkeys";
    h11 = "h11";
    uvicorn = "uvicorn";
  };
  cacert = "/cacert";
  gitMinimal = "/git";
  self = { inherit lib callPackage stdenvNoCC python3Packages cacert gitMinimal; };
}"""


def evaluated(world, expression, lib=None):
    """What an expression is that may use ``pkgs`` and ``flake``, the outputs of this repository's flake.

    ``lib``: a directory, nixpkgs' own.
    """
    nixpkgs = "{ inherit (pkgs) lib; legacyPackages = all; }"
    flake = f"((import {ROOT}/flake.nix).outputs {{ self = null; nixpkgs = {nixpkgs}; }})"
    systems = '[ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ]'
    all_of_them = f"pkgs.lib.genAttrs {systems} (_: pkgs)"
    pkgs = NIXPKGS if lib is None else NIXPKGS.replace("  lib = {", f"  lib = import {lib}; unused = {{", 1)
    return world.nix.evaluate(f"let pkgs = {pkgs}; all = {all_of_them}; flake = {flake}; in {expression}")


def test_with_nixpkgs_it_is_two_derivations(world):
    arguments = world.arguments()
    found = evaluated(
        world,
        f"let x = flake.lib.x86_64-linux.fetchGitVerified (builtins.fromJSON ''{json.dumps(arguments)}''); in "
        "{ inherit (x) name allowSubstitutes rev; hash = x.evidence.outputHash; fixed = x ? outputHash; "
        "inputs = map toString x.nativeBuildInputs; others = map toString x.evidence.nativeBuildInputs; "
        "mode = x.evidence.outputHashMode; }",
    )
    assert found == {
        "name": "source",
        "allowSubstitutes": False,
        "rev": world.scene.ids["third"],
        "hash": arguments["hash"],
        "fixed": False,
        "inputs": ["/gitverify"],
        "others": ["/gitverify", "/git"],
        "mode": "recursive",
    }


def test_the_package(world):
    found = evaluated(
        world,
        "let x = flake.packages.aarch64-linux.default; in { inherit (x) version dependencies; "
        "main = x.meta.mainProgram; files = (builtins.elemAt x.src.fileset 3).among; "
        "overlay = builtins.attrNames (flake.overlays.default pkgs.self null); "
        "systems = builtins.attrNames flake.packages; }",
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert found["version"] == __version__
    needed = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    assert sorted(found["dependencies"]) == sorted(re.match("[a-z0-9-]+", each)[0] for each in needed)
    assert found["main"] in project["scripts"]
    assert found["files"] == ["a.py", "b.json", "py.typed"]
    assert found["overlay"] == ["fetchGitVerified", "gitverify"]
    assert len(found["systems"]) == 4


def test_with_nixpkgs_own_lib(world):
    """What is built from is the program, and no test, page or secret that lies beside it."""
    lib, newer = real_lib(), os.environ.get("GITVERIFY_NEWER_NIX")
    if lib is None or newer is None:
        pytest.skip(
            "no nixpkgs lib (GITVERIFY_TEST_NIXPKGS), or no Nix that is new enough for it (GITVERIFY_NEWER_NIX)"
        )
    world.nix.program = f"{newer}/nix"
    arguments = world.arguments()
    found = evaluated(
        world,
        "{ source = (flake.packages.x86_64-linux.default).src.outPath; "
        "license = flake.packages.x86_64-linux.default.meta.license.spdxId; "
        f"fetched = (flake.lib.x86_64-linux.fetchGitVerified (builtins.fromJSON ''{json.dumps(arguments)}'')).name; }}",
        lib=lib,
    )
    files = {str(path.relative_to(found["source"])) for path in Path(found["source"]).rglob("*") if path.is_file()}
    assert {"LICENSE", "README.md", "pyproject.toml", "gitverify/py.typed", "gitverify/cli/main.py"} <= files
    assert {path.partition("/")[0] for path in files} == {"LICENSE", "README.md", "pyproject.toml", "gitverify"}
    assert (found["license"], found["fetched"]) == ("MIT", "source")


def test_nix_reads_the_flake(world):
    """Its description and inputs; without a network it gets no further."""
    text = (ROOT / "flake.nix").read_text()
    found = world.nix.evaluate(f"let f = {text}; in {{ inherit (f) description inputs; }}")
    assert found["inputs"] == {"nixpkgs": {"url": "github:NixOS/nixpkgs/nixos-unstable"}}
