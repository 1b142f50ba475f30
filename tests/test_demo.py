"""The demo runs, shows what it should, and touches nothing of the user's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "demo" / "demo.py"


def hostile(tmp_path):
    """An environment in which everything of the user's would get in the way, and a directory for what is left."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    settings = "[user]\n\tname = Someone Else\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = /nonexistent\n"
    (home / ".gitconfig").write_text(settings + "[core]\n\thooksPath = /nonexistent\n\tautocrlf = true\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_DIR": "/nonexistent",
        "GIT_AUTHOR_NAME": "Someone Else",
        "GITVERIFY_INTRODUCTION": "0" * 40,
        "GITVERIFY_FORMAT": "json",
        "XDG_STATE_HOME": str(home / "state"),
        "LC_ALL": "C.UTF-8",
    }


def demo(environment):
    return subprocess.run(
        [sys.executable, DEMO], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_each_tampering_is_refused(tmp_path):
    environment = hostile(tmp_path)
    before = (tmp_path / "home" / ".gitconfig").read_text()
    done = demo(environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    refused = re.findall(r"^ +([a-z-]+) \(R[0-9]+\)$", done.stdout, re.MULTILINE)
    assert refused == ["unsigned", "unauthorized-key", "bad-signature", "behind", "unauthorized-key"]
    assert re.findall(r"\[exit status (\d)\]", done.stdout) == list("0011111" + "0")
    assert "\x1b" not in done.stdout
    place = re.search(r"\S+/gitverify-demo-\w+", done.stdout)[0]
    lines = done.stdout.replace(place, "/tmp/gitverify-demo-12345678").splitlines()
    assert max(map(len, lines)) <= 100
    assert not list((tmp_path / "tmp").iterdir())
    assert [path.name for path in (tmp_path / "home").iterdir()] == [".gitconfig"]
    assert (tmp_path / "home" / ".gitconfig").read_text() == before


def test_an_unexpected_exit_status_ends_it(tmp_path):
    """A gitverify that accepts everything."""
    environment = hostile(tmp_path)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho authentic: 4 commits verified now, nothing is new\n")
    python.chmod(0o755)
    code = f"import sys, runpy; sys.executable = {str(python)!r}; runpy.run_path({str(DEMO)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ended with exit status 0, not 1" in done.stderr
    assert not list((tmp_path / "tmp").iterdir())
