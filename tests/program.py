"""``gitverify`` and ``git-gitverify`` as programs in a directory for PATH, run from this checkout."""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("gitverify", "git-gitverify")


def install(directory):
    """Write both programs; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        code = f"import sys; sys.argv[0] = {name!r}; from gitverify.cli.main import main; main()"
        python = shlex.join([sys.executable, "-c", code])
        path = directory / name
        path.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} "$@"\n')
        path.chmod(0o755)
    return directory
