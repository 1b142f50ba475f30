"""A project on a forge, with real git: a bare repository, a maintainer's clone, and what other people push."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from click.testing import CliRunner

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB, KEYS
from gitverify.cli.main import cli

LIMITED = "  - {paths: [pkgs/], people: [bob]}"
OPTIONS = ("unprotected: [open/]", "unsigned_merges: true", "adopting_merges: true", "policy_editors: [alice]")
FILES = {"README": "1\n2\n3\n4\n5\n", "pkgs/a": "a\n", "open/o": "o\n"}
FIX = {"pkgs/a": "better\n", "open/n": "n\n"}
MALLORY = ("Mallory Example", "mallory@example.org")


def policy(*options, people=None):
    return policies.native(people or {"alice": [ALICE], "bob": [BOB]}, LIMITED, *options, granted=["alice"])


def parents(forge, commit="HEAD"):
    return forge.git("show", "-s", "--format=%P", commit).split()


class Forge:
    """``clone`` is a checkout of ``main`` by somebody whom git lets sign with alice's SSH key."""

    def __init__(self, place: Path, *, options=OPTIONS) -> None:
        self.place = place
        self.server = place / "server.git"
        self.clone = place / "clone"
        (place / "home").mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place / "home"),
            "XDG_STATE_HOME": str(place / "xdg"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "COLUMNS": "100",
        }
        self.git("init", "-q", "--bare", "-b", "main", str(self.server), cwd=place)
        self.git("clone", "-q", str(self.server), str(self.clone), cwd=place)
        self.git("switch", "-q", "--orphan", "main")
        self.set(**{"user.name": "Alice Example", "user.email": "alice@example.org"})
        self.sign_with(ALICE)
        self.ids = {}
        self.introduction = self.commit("introduction", FILES | {policies.NATIVE: policy(*options)}, sign=True)
        self.git("push", "-q", "-u", "origin", "main")
        self.git("remote", "set-head", "origin", "main")
        self.set(**{"gitverify.introduction": self.introduction})

    def set(self, **settings):
        for name, value in settings.items():
            self.git("config", name, value)

    def sign_with(self, key):
        path = self.place / key.name
        shutil.copy(KEYS / "ssh" / key.name, path)
        path.chmod(0o600)
        path.with_suffix(".pub").write_text(key.line + "\n")
        self.set(**{"gpg.format": "ssh", "user.signingKey": str(path)})

    def git(self, *arguments, cwd=None, check=True, stdin="", **extra):
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.clone,
            env=self.environment | extra,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, label, files, *, sign=False, author=None):
        """Commit on what is checked out; ``files`` with None are removed."""
        for name, content in files.items():
            path = self.clone / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "-A")
        who = {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1]} if author else {}
        self.git("commit", "-q", "--allow-empty", *(["-S"] if sign else []), "-m", label, **who)
        self.ids[label] = self.git("rev-parse", "HEAD")
        return self.ids[label]

    def write(self, kind, content):
        """Write an object with these bytes, whatever they are."""
        path = self.place / "object"
        path.write_bytes(content)
        return self.git("hash-object", "-t", kind, "-w", "--literally", str(path))

    def branch(self, name, start="main"):
        self.git("switch", "-q", "--no-track", "-c", name, start)

    def head(self, name="HEAD"):
        return self.git("rev-parse", name)

    def objects(self):
        """Count them: what was not signed was not written."""
        return self.git("count-objects")

    def merge_button(self, name, *, onto="main"):
        """Merge a pushed branch as a forge does: a merge commit by a machine, without a signature."""
        with self._forge_checkout(onto) as there:
            self.git("-c", "user.name=Forge", "-c", "user.email=f@example.org", "merge", "-q", "--no-ff", "--no-edit",
                     f"origin/{name}", cwd=there)  # fmt: skip
            self.git("push", "-q", "origin", onto, cwd=there)
        self.git("fetch", "-q")
        return self.head(f"origin/{onto}")

    def squash_button(self, name, *, onto="main"):
        """Merge a pushed branch as one commit without a signature."""
        with self._forge_checkout(onto) as there:
            self.git("merge", "-q", "--squash", f"origin/{name}", cwd=there)
            who = ("-c", "user.name=Forge", "-c", "user.email=f@example.org")
            self.git(*who, "commit", "-q", "-m", f"{name} (#1)", cwd=there)
            self.git("push", "-q", "origin", onto, cwd=there)
        self.git("fetch", "-q")
        return self.head(f"origin/{onto}")

    @contextlib.contextmanager
    def _forge_checkout(self, onto):
        there = self.place / "forge"
        self.git("clone", "-q", "-b", onto, str(self.server), str(there), cwd=self.place)
        try:
            yield there
        finally:
            shutil.rmtree(there)

    def run(self, *arguments, answer=None, env=None):
        """Run ``gitverify ARGUMENTS`` in the clone; with ``answer`` somebody is there, and types it."""
        there = mock.patch("gitverify.cli.adopt._somebody_is_there", return_value=answer is not None)
        with mock.patch.dict(os.environ, self.environment | (env or {}), clear=True), there:
            place = [*arguments, "--repo", str(self.clone)]
            done = CliRunner().invoke(cli, place, input=answer, standalone_mode=False)
        status = done.return_value
        if done.exception is not None:
            status = getattr(done.exception, "exit_code", None)
            if status is None:
                raise done.exception
        return SimpleNamespace(status=status, stdout=done.stdout, error=str(done.exception or ""))

    def verify(self, *arguments):
        done = self.run("verify", *arguments, "--format", "json")
        return json.loads(done.stdout)
