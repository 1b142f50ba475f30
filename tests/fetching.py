"""A signed project behind a git server on loopback, and the command line run against it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from cli.scene import ALICE, MALLORY, Scene
from gitrepo import ENVIRONMENT

ROOT = Path(__file__).parent.parent


class Upstream:
    """Three signed commits at ``url``; ``ids`` has them by label."""

    def __init__(self, place, server=None):
        self.place = place
        served = place / "served"
        served.mkdir(parents=True)
        self.scene = Scene(place / "work")
        self.history, self.ids = self.scene.history, self.scene.ids
        self.path = served / "app.git"
        self.scene.repository.git.rename(self.path)
        # What writes its files writes them where it is served.
        self.scene.repository.git = self.path
        self.scene.repository.objects.directory = self.path / "objects"
        self.server = server
        self.url = f"{server.url}/app.git" if server else f"file://{self.path}"
        self.anchor = ["--introduction", self.ids["introduction"]]
        self.path_variable = os.environ["PATH"]

    @property
    def environment(self):
        return {
            "PATH": self.path_variable,
            "HOME": str(self.place),
            "XDG_STATE_HOME": str(self.place / "state"),
            "XDG_CACHE_HOME": str(self.place / "cache"),
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_NOSYSTEM": "1",
            "COLUMNS": "100",
        }

    def commit(self, label, sign=ALICE, **files):
        """Add a commit to main."""
        return self.history.commit(label, dict(files) or {"README": f"{label}\n"}, sign=sign)

    def bad(self, label="bad"):
        """Add a commit by somebody who is not listed."""
        return self.commit(label, sign=MALLORY, evil="evil\n")

    def point(self, label, branch="main"):
        """Have a branch be at a commit that was made."""
        self.scene.repository.ref(f"refs/heads/{branch}", self.ids[label])

    def git(self, *arguments, at=None):
        command = ["git", f"--git-dir={at or self.path}", *arguments]
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.strip()

    def run(self, *arguments, **environment):
        """Run the command line in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "gitverify", *map(str, arguments)],
            env=self.environment | environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )
        return SimpleNamespace(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def scene_run(self, *arguments, **environment):
        """Run it in this process, which is faster, and seen by whoever measures what is run."""
        here = Path.cwd()
        os.chdir(self.place)
        try:
            return self.scene.run(*map(str, arguments), env=self.environment | environment, repo=False)
        finally:
            os.chdir(here)

    def fetch(self, *arguments, url=None, **environment):
        """Run ``gitverify fetch``; the report is in ``report``."""
        words = ["fetch", url or self.url, *self.anchor, *arguments, "--format", "json", "--jobs", "1"]
        done = self.scene_run(*words, **environment)
        done.report = json.loads(done.stdout) if done.stdout else None
        return done
