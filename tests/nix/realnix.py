"""Real Nix with a store of its own: nothing outside one directory is touched, and there is no network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

needed = pytest.mark.skipif(shutil.which("nix-build") is None, reason="Nix is not installed (Debian: nix-bin)")

CONF = """build-users-group =
substituters =
sandbox = false
experimental-features = nix-command flakes
flake-registry =
warn-dirty = false
"""


class Nix:
    """Runs Nix's programs with everything below ``place``."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "etc").mkdir(parents=True)
        (place / "home").mkdir()
        (place / "etc/nix.conf").write_text(CONF)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place / "home"),
            "NIX_STORE_DIR": str(place / "store"),
            "NIX_STATE_DIR": str(place / "var"),
            "NIX_LOG_DIR": str(place / "log"),
            "NIX_CONF_DIR": str(place / "etc"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TMPDIR": str(place),
        }

    def run(self, *command, cwd=None, check=True):
        done = subprocess.run(
            command, env=self.environment, cwd=cwd or self.place, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(done.stderr)
        return done

    def evaluate(self, expression, *, check=True):
        """Return what ``nix-instantiate --eval`` prints."""
        return self.run("nix-instantiate", "--eval", "--strict", "--json", "-E", expression, check=check)

    def build(self, expression):
        return self.run("nix-build", "--no-out-link", "-E", expression, check=False)
