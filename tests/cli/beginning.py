"""A project on its first day, with real git: a directory, a person, and no policy."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from click.testing import CliRunner
from keyplaces import CLEAN, key_file

from gitverify.cli.main import cli


class Beginning:
    """``path`` is the repository, ``home`` where alice keeps her keys; git signs with her SSH key unless told."""

    def __init__(self, place: Path, *options: str, key: str | None = "alice") -> None:
        self.place = place
        self.path = place / "project"
        self.home = place / "home"
        self.home.mkdir()
        self.environment = {
            "PATH": CLEAN["PATH"],
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(place / "xdg"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "1750000000 +0000",
            "GIT_COMMITTER_DATE": "1750000000 +0000",
            "COLUMNS": "100",
        }
        self.git("init", "-q", "-b", "main", *options, str(self.path), cwd=place)
        self.set(**{"user.name": "Alice Example", "user.email": "alice@example.org"})
        if key:
            self.sign_with(key)

    def set(self, **settings):
        for name, value in settings.items():
            self.git("config", name, value)

    def sign_with(self, name, **settings):
        path = key_file(self.home, name, comment=f"{name}@laptop")
        self.set(**{"gpg.format": "ssh", "user.signingKey": str(path)} | settings)

    def feed(self, text, *arguments):
        subprocess.run(["git", *arguments], cwd=self.path, env=self.environment, input=text, text=True, check=True)

    def git(self, *arguments, cwd=None, check=True):
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name, content="content\n"):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def commit(self, message, *options, **files):
        for name, content in files.items():
            self.write(name, content)
            self.git("add", name)
        self.git("commit", "-q", "--allow-empty", "-m", message, *options)
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments, answer=None, env=None, repo=True):
        """Run ``gitverify ARGUMENTS`` here; with ``answer`` somebody is there, and types it."""
        there = mock.patch("gitverify.cli.init._somebody_is_there", return_value=answer is not None)
        with mock.patch.dict(os.environ, self.environment | (env or {}), clear=True), there:
            place = [*arguments, *(["--repo", str(self.path)] if repo else [])]
            done = CliRunner().invoke(cli, place, input=answer, standalone_mode=False)
        status = done.return_value
        if done.exception is not None:
            status = getattr(done.exception, "exit_code", None)
            if status is None:
                raise done.exception
        return SimpleNamespace(status=status, stdout=done.stdout, stderr=done.stderr, error=str(done.exception or ""))

    @property
    def policy(self):
        return (self.path / ".gitverify.yaml").read_text()

    def state(self):
        """Everything that a command which fails must leave alone: branch, index, files, configuration."""
        files = {
            path.relative_to(self.path): path.is_file() and path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if ".git" not in path.relative_to(self.path).parts
        }
        return (
            self.git("rev-parse", "-q", "--verify", "HEAD", check=False),
            self.git("ls-files", "--stage"),
            (self.path / ".git" / "config").read_bytes(),
            files,
        )
