"""A small native history on disk, and the command line run over it in this process."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from click.testing import CliRunner

from fixtures.lib import policies
from fixtures.lib.history import History
from fixtures.lib.keys import ALICE, BOB, MALLORY
from fixtures.lib.repository import Repository
from gitverify.cli.main import cli

__all__ = ["ALICE", "BOB", "MALLORY", "Scene", "policies"]


class Scene:
    """Three commits by alice and bob on ``main``; ``ids`` has them by label."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.repository = Repository(place / "repo")
        self.history = History(self.repository)
        self.ids = self.history.ids
        both = policies.native({"alice": [ALICE], "bob": [BOB]})
        self.history.commit("introduction", {"README": "one\n", policies.NATIVE: both}, sign=ALICE)
        self.history.commit("second", {"README": "two\n"}, sign=BOB)
        self.history.commit("third", {"README": "three\n"}, sign=ALICE)

    @property
    def path(self) -> Path:
        return self.repository.path

    def run(self, *arguments: str, env: dict[str, str] | None = None, repo: bool = True) -> SimpleNamespace:
        """Run ``gitverify ARGUMENTS`` with ``{label}`` filled in; nothing of this machine's settings shows."""
        place = ["--repo", str(self.path)] if repo else []
        filled = [argument.format(**self.ids) for argument in arguments]
        clean = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "XDG_STATE_HOME": str(self.place / "xdg"),
            "COLUMNS": "100",
        }
        with mock.patch.dict(os.environ, clean | (env or {}), clear=True):
            done = CliRunner().invoke(cli, [*filled, *place], standalone_mode=False)
        status = done.return_value
        if done.exception is not None:
            status = getattr(done.exception, "exit_code", None)
            if status is None:
                raise done.exception
        return SimpleNamespace(status=status, stdout=done.stdout, stderr=done.stderr, error=done.exception)

    def json(self, *arguments: str, **kwargs: object) -> dict:
        done = self.run(*arguments, "--format", "json", **kwargs)
        report = json.loads(done.stdout)
        report["exit"] = done.status
        return report
