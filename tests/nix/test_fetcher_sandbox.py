"""fetchGitVerified in Nix's sandbox: what fetches has a network, and what verifies has nothing."""

import json
import shlex
import sys
import sysconfig
from pathlib import Path

import gitserver
import pytest
from cli.scene import ALICE, BOB
from fetching import Upstream

from gitverify.nix.expression import string
from tests.nix.nixplace import NAMES, PROGRAMS, Nix, needs_nix
from tests.nix.test_fetcher import BUILD, FETCHER, ROOT

pytestmark = needs_nix

# What a builder sees of this machine: programs, and gitverify. No /etc and so no certificates, and nobody's files.
PLACES = sorted(
    {"/bin", "/usr", "/lib", str(ROOT / "gitverify"), sys.prefix, sys.base_prefix, sysconfig.get_path("purelib")}
    | {place for place in ("/lib64", "/lib32") if Path(place).exists()}
)
SHELL = """
derivation {{
  name = "made";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-euc" {script} ];
  PATH = "/usr/bin:/bin";
  {more}
}}
"""


def shell(script, more=""):
    return SHELL.format(script=string(script), more=more)


class World:
    """An upstream behind HTTP on loopback, a Nix with a sandbox, and gitverify where its builders find it."""

    def __init__(self, place, server, program):
        self.place = place
        self.upstream = Upstream(place, server)
        self.nix = Nix(place / "nix", program)
        conf = self.nix.place / "conf/nix.conf"
        settings = f"sandbox = true\nsandbox-fallback = false\nsandbox-paths = {' '.join(PLACES)}"
        conf.write_text(conf.read_text().replace("sandbox = false", settings))
        run = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m gitverify"
        make = f"mkdir -p $out/bin; cat > $out/bin/gitverify <<'E'\n#!/bin/sh\n{run} \"$@\"\nE\nchmod 755 $out/bin/*"
        build = BUILD % f"${{{shell(make)}}}/bin:/usr/bin:/bin"
        self.fetch = f"(import {FETCHER}/stages.nix {{ build = {build}; }})"

    def asks(self, script, more=""):
        """Whether a builder's script reaches the server."""
        self.upstream.server.requests.clear()
        done = self.nix.build(shell(f"git ls-remote {self.upstream.url} || :; {script}", more))
        assert done.returncode == 0, done.stderr
        return bool(self.upstream.server.requests)

    def arguments(self, **changes):
        asked = ["--rev", self.upstream.ids["third"], "--branch", "main", *self.upstream.anchor, "--signer", ALICE.id]
        found = json.loads(self.upstream.scene_run("nix", "prefetch", self.upstream.url, *asked, "--json").stdout)
        self.upstream.server.requests.clear()
        names = ("url", "rev", "hash", "introduction", "signer", "branch")
        return {name: found[name] for name in names} | changes

    def build(self, arguments):
        return self.nix.build(f"{self.fetch} (builtins.fromJSON {string(json.dumps(arguments))})")


@pytest.fixture(params=PROGRAMS, ids=NAMES)
def world(tmp_path, request):
    with gitserver.http(tmp_path / "served") as server:
        found = World(tmp_path, server, request.param)
        done = found.nix.build(shell(f"test ! -e {tmp_path}/served; test ! -e /etc/ssl; : > $out"))
        if "unable to" in done.stderr or "not permitted" in done.stderr:
            pytest.skip(f"Nix can't make a sandbox here: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
        yield found


def test_only_what_has_a_known_hash_has_a_network(world):
    fixed = 'outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "x";'
    assert not world.asks(": > $out")
    assert world.asks("printf x > $out", fixed)


def test_it_is_fetched_and_verified(world):
    done = world.build(world.arguments())
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / "README").read_text() == "three\n"
    assert world.upstream.server.requests


def test_what_is_in_the_store_is_verified_again_without_a_network(world):
    arguments = world.arguments()
    assert world.build(arguments).returncode == 0
    world.upstream.server.requests.clear()
    done = world.build(arguments | {"policyPath": ".gitverify.yaml"})
    assert done.returncode == 0, done.stderr
    assert "source.drv" in done.stderr
    refused = world.build(arguments | {"signer": BOB.id})
    assert refused.returncode != 0
    assert "introduction-signer" in refused.stderr
    assert not world.upstream.server.requests


def test_what_is_refused_is_not_built(world):
    evil = world.upstream.bad()
    done = world.build(world.arguments() | {"rev": evil, "hash": "sha256-" + "A" * 43 + "="})
    assert done.returncode != 0
    assert "unauthorized-key" in done.stderr
