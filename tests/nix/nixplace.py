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
        done = subprocess.run(command, env=self.environment, cwd=cwd, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def build(self, expression):
        """Have an expression built; its path, and how that ended."""
        return self.run("nix-build", "--no-out-link", "-E", expression, check=False)
