"""The real Nix, in directories of its own: nothing outside of them is touched, and no network is asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

NIX = shutil.which("nix")

NEWER = os.environ.get("GITVERIFY_NEWER_NIX")  # the directory of its programs: .ci/newer-nix
_FOUND = {name: path for name, path in (("nix", NIX), ("newer", NEWER and f"{NEWER}/nix")) if path}
NAMES, PROGRAMS = list(_FOUND), list(_FOUND.values())

needs_nix = pytest.mark.skipif(NIX is None, reason="Nix is not installed (Debian: nix-bin)")

# A newer one beside the system's, as .ci/newer-nix puts it up: the directory with its programs.
NEWER = os.environ.get("GITVERIFY_NEWER_NIX", "")


def _version(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return tuple(int(part) for part in done.stdout.split()[-1].split(".")[:2] if part.isdigit())


def _there():
    """Return the directories with Nix's programs ("" for those on PATH), and their versions."""
    places = {"": NIX, NEWER: NEWER and shutil.which("nix", path=NEWER)}
    return {place: _version(program) for place, program in places.items() if program}


VERSIONS = _there()


def every_nix():
    """Return parameters for a fixture: each Nix that there is; skipped where there is none."""
    named = {"system": "", "newer": NEWER or None}
    missing = {
        "system": "Nix is not installed (Debian: nix-bin)",
        "newer": "there is no newer Nix: bash .ci/newer-nix DIR, then GITVERIFY_NEWER_NIX=DIR/bin",
    }
    return [
        pytest.param(place, id=name, marks=[] if place in VERSIONS else pytest.mark.skip(reason=missing[name]))
        for name, place in named.items()
    ]


def newest(*version):
    """Return the programs of a Nix that is at least this new; skip the test where there is none."""
    found = max(VERSIONS, key=VERSIONS.__getitem__, default=None)
    if found is None or VERSIONS[found] < version:
        wanted = ".".join(map(str, version))
        pytest.skip(f"there is no Nix {wanted}: bash .ci/newer-nix DIR, then GITVERIFY_NEWER_NIX=DIR/bin")
    return found

_SETTINGS = """
build-users-group =
substituters =
sandbox = false
flake-registry =
experimental-features = nix-command flakes
"""


def version(program):
    """Return which Nix it is, as numbers."""
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.findall("[0-9]+", said)[:2])


class Nix:
    """A store below a directory."""

    def __init__(self, place, program=NIX):
        self.place = place
        self.program = program
        (place / "conf").mkdir(parents=True)
        (place / "conf/nix.conf").write_text(_SETTINGS)
        self.environment = {
            "PATH": f"{Path(program or '').parent}:{os.environ['PATH']}",
            "HOME": str(place),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "NIX_STORE_DIR": str(place / "store"),
            "NIX_STATE_DIR": str(place / "var"),
            "NIX_LOG_DIR": str(place / "log"),
            "NIX_CONF_DIR": str(place / "conf"),
        }

    def __call__(self, *arguments):
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def evaluate(self, expression):
        """Return what an expression is, as JSON has it."""
        return json.loads(self("eval", "--impure", "--json", "--expr", expression))

    def run(self, *command, cwd=None, check=True):
        """Run one of Nix's programs; what it printed, and how it ended."""
        program = shutil.which(command[0], path=self.environment["PATH"]) or command[0]
        words = [program, *command[1:]]
        return subprocess.run(words, env=self.environment, cwd=cwd, capture_output=True, text=True, check=check)

    def build(self, expression):
        """Have an expression built; its path, and how that ended."""
        return self.run("nix-build", "--no-out-link", "-E", expression, check=False)
