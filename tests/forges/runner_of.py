"""Runs the scripts of ``forge/`` as a forge's runner does: in a clone that it made, with the variables it sets."""

import copy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from cli.forge import FIX, MALLORY, Forge

ROOT = Path(__file__).parents[2]
ZEROS = "0" * 40

# Writes down what gitverify was asked, a word a line, and ends as it is told to.
STUB = """#!/bin/sh
printf '%s\\n' "$@" >>"$ASKED"
printf 'a report\\n'
exit "${ENDS_WITH:-0}"
"""

# Stands for the Python of action.yml's own environment, into which gitverify was installed.
PYTHON = f"""#!/bin/sh
[ "$1 $2 $3" = "-I -m gitverify" ] || exit 99
shift 3
exec {shlex.quote(sys.executable)} -I -c 'import sys
sys.path.append(sys.argv.pop(1))
from gitverify.__main__ import main
main()' {shlex.quote(str(ROOT))} "$@"
"""


class Runner:
    """A project on a forge with a pull request, and a clone of it that a runner made.

    ``base`` is the tip of main; ``head`` that of the pull request 7, signed by alice, ``unsigned`` that of 8, by
    nobody. Neither is on a branch of the project: they come from forks.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.project = Forge(place)
        self.second = self.project.commit("second", {"README": "x\n"}, sign=True)
        self.base = self.project.commit("third", {"README": "y\n"}, sign=True)
        self.project.git("push", "-q", "origin", "main")
        self.head = self.pull_request(7, sign=True)
        self.unsigned = self.pull_request(8, author=MALLORY)
        self.checkout = place / "checkout"
        self.stub, self.python = place / "stub", place / "python"
        for path, text in ((self.stub, STUB), (self.python, PYTHON)):
            path.write_text(text)
            path.chmod(0o755)
        self.asked_file = place / "asked"
        # As forges do: whatever a reference reaches may be fetched by its id.
        self.project.git("config", "uploadpack.allowReachableSHA1InWant", "true", cwd=self.project.server)

    def copied(self, place: Path) -> "Runner":
        """Return the same elsewhere: making it anew takes longer than most tests."""
        shutil.copytree(self.place, place, dirs_exist_ok=True)
        twin = copy.copy(self)
        twin.project = copy.copy(self.project)
        for each in (twin, twin.project):
            for name, value in list(vars(each).items()):
                if isinstance(value, Path):
                    setattr(each, name, place / value.relative_to(self.place))
        old, new = str(self.place), str(place)
        twin.project.environment = {k: v.replace(old, new) for k, v in self.project.environment.items()}
        config = twin.project.clone / ".git/config"
        config.write_text(config.read_text().replace(old, new))
        return twin

    @property
    def introduction(self) -> str:
        return self.project.introduction

    def pull_request(self, number: int, **how: object) -> str:
        self.project.branch(f"pull-{number}")
        head = self.project.commit(f"pull-{number}", FIX, **how)
        self.project.git("push", "-q", "origin", f"HEAD:refs/pull/{number}/head")
        self.project.git("switch", "-q", "main")
        return head

    def clone(self, *options: str) -> None:
        """Clone as actions/checkout does: over a transport, a branch or a commit, with or without depth."""
        server = self.project.server.as_uri()
        self.project.git("clone", "-q", *options, server, str(self.checkout), cwd=self.place)

    def run(self, script: str, *, stub: bool = False, **variables: str) -> SimpleNamespace:
        """Run one of the scripts; with ``stub`` not gitverify, but something that writes down what it is asked."""
        settings = {
            **self.project.environment,
            "GITVERIFY_PYTHON": str(self.stub if stub else self.python),
            "GITVERIFY_INTRODUCTION": self.introduction,
            "ASKED": str(self.asked_file),
        }
        self.asked_file.unlink(missing_ok=True)
        done = subprocess.run(
            ["sh", str(ROOT / "forge" / script)],
            cwd=self.checkout,
            env={name: value for name, value in (settings | variables).items() if value is not None},
            capture_output=True,
            text=True,
            check=False,
        )
        asked = self.asked_file.read_text().splitlines() if self.asked_file.exists() else None
        return SimpleNamespace(status=done.returncode, out=done.stdout, error=done.stderr, asked=asked)
