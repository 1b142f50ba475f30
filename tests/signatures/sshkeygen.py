"""ssh-keygen as the oracle: what it, and git through it, says of a signature."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def accepts(text: bytes, payload: bytes, directory: Path, namespace: str = "git") -> bool:
    """Whether ssh-keygen takes the signature, by whatever key."""
    file = directory / "text.sig"
    file.write_bytes(text)
    command = ["ssh-keygen", "-q", "-Y", "check-novalidate", "-n", namespace, "-s", str(file)]
    return subprocess.run(command, input=payload, capture_output=True, check=False).returncode == 0


def git_accepts(signers: bytes, text: bytes, payload: bytes, directory: Path, *, date: int, zone: str = "UTC") -> bool:
    """Whether git would take a commit of this date (seconds since 1970) with this signature.

    It asks for the names on the first line with the key, then tries them one after another.
    """
    (directory / "signers").write_bytes(signers)
    (directory / "text.sig").write_bytes(text)
    moment = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(date))
    asked = ["-f", "signers", "-s", "text.sig", "-O", f"verify-time={moment}"]

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = ["ssh-keygen", "-Y", *arguments, *asked]
        return subprocess.run(
            command,
            cwd=directory,
            env=os.environ | {"TZ": zone},
            input=payload,
            capture_output=True,
            check=False,
        )

    found = run("find-principals")
    names = os.fsdecode(found.stdout).splitlines() if found.returncode == 0 else []
    return any(run("verify", "-n", "git", "-I", name).returncode == 0 for name in names)
