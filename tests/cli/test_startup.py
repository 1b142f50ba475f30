"""What a command loads before it starts: time that everybody waits for each time."""

import subprocess
import sys
from pathlib import Path

import pytest

import gitverify

ROOT = Path(__file__).parents[2]
SLOW = {"pygit2", "cffi", "cryptography", "sshpubkeys", "yaml", "sqlite3", "multiprocessing", "uvicorn", "h11"}


def run(*arguments):
    """Run the command line; return how it ended, and the top-level names of all modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "gitverify", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return done, {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_what_needs_neither_git_nor_cryptography_loads_neither(arguments):
    done, modules = run(*arguments)
    assert done.returncode == 0
    assert "gitverify" in modules
    assert not modules & SLOW


def test_the_version_is_printed():
    assert gitverify.__version__ in run("--version")[0].stdout


def test_what_needs_them_is_seen_to_load_them(tmp_path):
    done, modules = run("verify", "--repo", str(tmp_path))
    assert done.returncode == 2
    assert "pygit2" in modules
