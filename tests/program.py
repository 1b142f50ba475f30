"""``gitverify`` and ``git-gitverify`` as programs in a directory for PATH, run from this checkout."""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("gitverify", "git-gitverify")


def install(directory):
    """Write both programs; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    # Called by its own path, which a hook remembers.
    code = "import sys; del sys.argv[0]; from gitverify.cli.main import main; main()"
    for name in NAMES:
        python = shlex.join([sys.executable, "-c", code])
        path = directory / name
        path.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} "$0" "$@"\n')
        path.chmod(0o755)
    return directory
