"""``python -m gitverify``, and what the installed commands call."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

# Before all other imports: what they make stays, and looking through it time and again takes several milliseconds.
gc.set_threshold(100_000, 50, 50)

from gitverify.cli import main as command_line  # noqa: E402


def main() -> NoReturn:
    """Run the command line and leave the process.

    Python would first take apart, piece by piece, what it holds of a history; all that has to be done before the end
    is done by then: files and processes are closed, the output is written.
    """
    try:
        command_line.main()
    except SystemExit as ended:
        status = ended.code
    atexit._run_exitfuncs()  # noqa: SLF001
    command_line.flush()
    os._exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    # Where this runs as a part of something else (a profiler, a test), that goes on.
    (main if vars(sys.modules["__main__"]) is globals() else command_line.main)()
