"""A flake with one input, a branch that is signed, and Nix, which locks it."""

from __future__ import annotations

import json

from cli.scene import Scene
from gitrepo import GitRepository

from tests.nix.nixplace import Nix, version

FLAKE = "{ inputs.dep = { %s %s }; outputs = _: { }; }"


class World:
    """``place``: where all of it is; ``program``: which Nix."""

    def __init__(self, place, program) -> None:
        (place / "scene").mkdir()
        self.scene = Scene(place / "scene")
        self.nix = Nix(place / "nix", program)
        self.repository = GitRepository(place / "flake")
        self.path = self.repository.path
        self.source = f'url = "git+file://{self.scene.path}?ref=main";'

    def flake(self, more="flake = false;"):
        (self.path / "flake.nix").write_text(FLAKE % (self.source, more))
        self.repository.git("add", "flake.nix")
        self.lock()
        self.repository.git("add", "flake.lock")
        self.repository.git("commit", "-q", "-m", "Flake")

    def lock(self):
        self.nix.run(self.nix.program, "flake", "lock", cwd=self.path)

    def update(self):
        """Have Nix lock what there is now; which argument says so is another one in newer versions."""
        how = ["update", "dep"] if version(self.nix.program) >= (2, 19) else ["lock", "--update-input", "dep"]
        self.nix.run(self.nix.program, "flake", *how, "--refresh", cwd=self.path)

    @property
    def file(self):
        return self.path / "flake.lock"

    def nodes(self):
        return json.loads(self.file.read_text())["nodes"]

    def locked(self):
        return self.nodes()["dep"]["locked"]

    def run(self, *arguments, **environment):
        """Run ``gitverify flake ARGUMENTS``, which trusts the input, and has its clone."""
        trust = ["--introduction", f"dep={self.scene.ids['introduction']}", "--mirror", f"dep={self.scene.path}"]
        mine = {name: value for name, value in self.nix.environment.items() if name != "HOME" and "GIT" not in name}
        place = ["--repo", str(self.path)]
        return self.scene.run("flake", *arguments, *place, *trust, repo=False, env=mine | environment)

    def moved(self, **environment):
        """Have gitverify move the input, and Nix, from the same lock; return both locks."""
        before = self.file.read_bytes()
        done = self.run("update", "dep", **environment)
        assert done.status == 0, done.stdout
        ours = self.file.read_bytes()
        self.file.write_bytes(before)
        self.update()
        assert ours != before
        return ours, self.file.read_bytes()
