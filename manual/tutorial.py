"""Runs docs/tutorial.md as a newcomer would, with pip, and takes the time: ``make tutorial``.

From a copy of this checkout, because pip leaves files behind where it builds. Nothing of the user's is read or touched
but what pip itself is configured with.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from manual.sessions import Disagreement, run, steps

if TYPE_CHECKING:
    from manual.sessions import Done

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/tutorial.md"
_TAKEN_ALONG = ("PATH", "TMPDIR", "SYSTEMROOT", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY")
_NEEDED = ("pyproject.toml", "README.md", "LICENSE")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of somebody who has just come: nothing but where programs are, and how pip gets out."""
    taken = {name: os.environ[name] for name in _TAKEN_ALONG if name in os.environ}
    return taken | {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def times(done: list[Done]) -> tuple[float, float]:
    """Return the seconds from the start of ``pip install`` to the first refused command, and those of it all."""
    install = next(at for at, each in enumerate(done) if "pip install" in each.step.command)
    refused = next(each for each in done if each.step.refused)
    return refused.seconds - done[install - 1].seconds, done[-1].seconds - done[0].seconds


def main() -> int:
    """Run the page; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="gitverify-tutorial-") as place:
        checkout = Path(place) / "checkout"
        shutil.copytree(ROOT / "gitverify", checkout / "gitverify")
        for name in _NEEDED:
            shutil.copy(ROOT / name, checkout)
        # The home that the page makes comes to lie in here, too.
        here = environment(Path(place)) | {"TMPDIR": place}
        try:
            done = run(steps(PAGE.read_text(encoding="utf-8")), here, checkout, print)
        except Disagreement as error:
            print(f"\nThe page says something else: {error}", file=sys.stderr)
            return 1
    first, whole = times(done)
    print(f"\nFrom pip install to the first refused push: {first:.1f} s; all {len(done)} commands: {whole:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
