"""See the package: ``python -m tests.mutation MODULE… --tests PATH…``; ``--help`` for the rest."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click  # noqa: F401  (imported before the forks, because every mutant would import it)
import hypothesis
import pygit2  # noqa: F401
import yaml  # noqa: F401
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa  # noqa: F401

from .mutants import mutants
from .survivors import reasons
from .trial import Trial

_ROOT = Path(__file__).parent.parent.parent
_COPIED = ("gitverify", "tests", "fixtures", "demo", "docs", "pyproject.toml", "Makefile", "README.md", "CHANGELOG.md")


def main() -> int:
    """Return 0 where every survivor has its reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=sys.modules["tests.mutation"].__doc__)
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="a path below gitverify/")
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PATH", help="the tests that matter")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--function", help="mutants of this function only")
    parser.add_argument("--quick", action="store_true", help="do not test a survivor again in a fresh process")
    wanted = parser.parse_args()
    paths = [str(Path(path).resolve().relative_to(_ROOT)) for path in wanted.modules]
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutation")
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "main"
        copy.mkdir()
        for name in _COPIED:
            source = _ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, copy / name)
        if (_ROOT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to(_ROOT.parent / "shared")
        found = [mutant for path in paths for mutant in mutants(path, (copy / path).read_text())]
        if wanted.function:
            found = [mutant for mutant in found if mutant.function == wanted.function]
        return _report(Trial(copy, wanted.tests, paths, wanted.jobs, quick=wanted.quick), found)


def _report(trial: Trial, found: list) -> int:
    known = reasons()
    all_of = Counter(mutant.path for mutant in found)
    survived: Counter[str] = Counter()
    without = 0
    slow = 0
    began = time.monotonic()
    for outcome in trial.outcomes(found):
        mutant = outcome.mutant
        slow += outcome.why == "timeout"
        if not outcome.survived:
            continue
        survived[mutant.path] += 1
        if not any(reason.is_for(mutant) for reason in known):
            without += 1
            print(f"SURVIVED ({outcome.why}): {mutant.told()}", flush=True)
    for path, number in all_of.items():
        print(f"{path}: {number - survived[path]} of {number} killed, {survived[path]} survived")
    print(f"{without} survivors without a reason; {slow} ended by time; {time.monotonic() - began:.0f} s")
    return 1 if without else 0


if __name__ == "__main__":
    sys.exit(main())
