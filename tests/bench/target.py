"""A history to measure on, and the command that verifies it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Nothing that the user has set may change what is measured: PYTHONDONTWRITEBYTECODE, for one, has Python compile the
# whole program at every start.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITVERIFY_", "PYTHON"))},
    "PYTHONPATH": str(ROOT),
}


@dataclass(frozen=True)
class Target:
    """A repository, where its history starts and who signed that commit."""

    name: str
    path: Path
    introduction: str
    signer: str | None
    tip: str = "HEAD"
    keyring: str = "keyring"

    def arguments(self, jobs: int, state: Path | None = None) -> list[str]:
        """Return what stands after ``gitverify``; without a state directory, there is no mark."""
        words = ["verify", "--repo", str(self.path), "--introduction", self.introduction]
        words += ["--signer", self.signer] if self.signer else []
        words += ["--keyring", self.keyring] if self.keyring != "keyring" else []
        words += ["--state", str(state), "--ref", "bench"] if state else ["--no-state"]
        return [*words, "--jobs", str(jobs), "--format", "json", self.tip]

    def command(self, jobs: int, state: Path | None = None) -> list[str]:
        return [sys.executable, "-m", "gitverify", *self.arguments(jobs, state)]

    def verify(self, jobs: int, state: Path | None = None) -> tuple[float, int]:
        """Verify in a process of its own; return the seconds it took and how many commits it checked."""
        start = time.perf_counter()
        done = subprocess.run(self.command(jobs, state), check=False, stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=ROOT)
        spent = time.perf_counter() - start
        report = json.loads(done.stdout or "{}")
        if report.get("verdict") != "authentic":
            raise RuntimeError(f"{self.name}: {report.get('refusals') or done.returncode}")
        return spent, report["commits"]["checked"]
