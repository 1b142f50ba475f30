"""gitverify without certificates: no verdict needs any."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(path=ROOT, **environment):
    command = [sys.executable, "-c", "import gitverify.source, ssl; print(ssl.get_default_verify_paths.__module__)"]
    environment = os.environ | {"PYTHONPATH": str(path)} | environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("content", [None, "", "none\n"])
def test_where_there_are_none(tmp_path, content):
    """In Nix's sandbox, and in small containers; OpenSSL looks where these say."""
    file = tmp_path / "certificates"
    if content is not None:
        file.write_text(content)
    done = imported(SSL_CERT_FILE=str(file), SSL_CERT_DIR=str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ssl\n", "")


def test_where_there_are_some():
    assert imported().returncode == 0


def test_another_failure_is_no_matter_of_certificates(tmp_path):
    (tmp_path / "pygit2.py").write_text("raise ImportError('libgit2.so is missing')\n")
    done = imported(f"{tmp_path}:{ROOT}")
    assert done.returncode != 0
    assert "libgit2.so is missing" in done.stderr
