"""``gitverify`` with a clock in it: ``python -m tests.bench.shares FILE fetch …`` writes to FILE where the time went.

As JSON, in seconds: ``transfer``, ``write`` and ``verify`` (which does not count ``write``), and ``all`` since this
module was started; the start of Python before that is not in it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from gitverify.cli.main import main
from gitverify.export.answer import Output
from gitverify.session import Session
from gitverify.transfer.quarantine import Quarantine

_START = time.perf_counter()


def _clocked(spent: dict[str, float], owner: type, method: str, what: str) -> None:
    """Have a method's time counted."""
    real: Any = getattr(owner, method)

    def instead(*words: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return real(*words, **named)
        finally:
            spent[what] = spent.get(what, 0) + time.perf_counter() - start

    setattr(owner, method, instead)


def run() -> None:
    place = Path(sys.argv.pop(1))
    spent: dict[str, float] = {}
    _clocked(spent, Quarantine, "fetch", "transfer")
    _clocked(spent, Session, "verify", "verify")
    _clocked(spent, Output, "write", "write")
    _clocked(spent, Output, "appear", "write")
    try:
        main()
    finally:
        spent["verify"] = spent.get("verify", 0) - spent.get("write", 0)
        spent["all"] = time.perf_counter() - _START
        place.write_text(json.dumps(spent))


if __name__ == "__main__":
    run()
