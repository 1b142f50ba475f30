"""A project with hooks, real git on both sides: what a forge has, a maintainer's clone, and hooks that run us."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from cli.forge import FILES, OPTIONS, Forge
from click.testing import CliRunner

from fixtures.lib.keys import ALICE, BOB
from gitverify.cli.main import cli

__all__ = ["ALICE", "BOB", "FILES", "OPTIONS", "ROOT", "Place"]

ROOT = Path(__file__).parents[2]
GITVERIFY = [sys.executable, "-P", "-m", "gitverify"]
ZERO = "0" * 40


class Place(Forge):
    """``server`` trusts the introduction, as ``clone`` does; no hook is installed anywhere yet."""

    def __init__(self, place, **options):
        super().__init__(place, **options)
        self.environment["PYTHONPATH"] = str(ROOT)
        self.on_server("gitverify.introduction", self.introduction)

    def on_server(self, name, value, *more):
        self.git("config", *more, name, value, cwd=self.server)

    def install(self, name, *options, repo=None):
        """Install a hook by the command; on the server unless it is a client's."""
        here = self.clone if name in {"pre-push", "post-merge", "reference-transaction"} else self.server
        return self.call("hook", "install", name, *options, repo=repo or here)

    def call(self, *arguments, repo=None, stdin=b"", env=None):
        """Run ``gitverify ARGUMENTS`` in this process."""
        where = ["--repo", str(repo)] if repo else []
        with mock.patch.dict(os.environ, self.environment | (env or {}), clear=True):
            done = CliRunner().invoke(cli, [*arguments, *where], input=stdin, standalone_mode=False)
        status = done.return_value
        if done.exception is not None:
            status = getattr(done.exception, "exit_code", None)
            if status is None:
                raise done.exception
        return SimpleNamespace(status=status, stdout=done.stdout, stderr=done.stderr, error=str(done.exception or ""))

    def hook(self, name, *arguments, stdin=b"", env=None, where=None):
        """Call a hook as git does, in this process."""
        where = where or self.server
        return self.call("hook", name, *arguments, stdin=stdin, env={"GIT_DIR": str(where)} | (env or {}))

    def really(self, *arguments, cwd=None, env=None, **options):
        """Run a program to its end, whatever it says."""
        done = subprocess.run(
            [str(each) for each in arguments],
            cwd=cwd or self.clone,
            env=self.environment | (env or {}),
            capture_output=True,
            check=False,
            **{"stdin": subprocess.DEVNULL} | options,
        )
        return SimpleNamespace(
            status=done.returncode,
            stdout=done.stdout.decode("utf-8", "replace"),
            stderr=done.stderr.decode("utf-8", "replace"),
        )

    def push(self, *arguments, remote="origin", **options):
        return self.really("git", "push", remote, *arguments, **options)

    def at(self, ref="refs/heads/main"):
        """Return where a reference of the server is; empty where there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", ref, cwd=self.server)


def said(done, prefix="remote: "):
    """Return the lines that a hook on the server said."""
    lines = [line.removeprefix(prefix).rstrip() for line in done.stderr.splitlines() if line.startswith(prefix)]
    return [line for line in lines if line and not line.startswith("error: hook declined")]  # which is git's own
