"""Testing mutants: each in a process of its own, forked where everything that is not mutated is imported already.

The tests are collected once, run once without a mutant to see which functions each of them calls, and forked from
there: a mutant's process changes one function's code and runs the tests that call that function, the quick ones first.
What survives that, and what is only run on import, is tested again in a process that imports the changed module.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from .swap import Finder, NoSwap, swap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from .mutants import Mutant

_NO_SWAP = 99
_KILLED_BY_TIME = -1000
_MEMORY = 4 << 30


class Called(NamedTuple):
    """A test: how long it took, in seconds, and the first lines of the functions that it called, by module."""

    seconds: float
    functions: dict[str, list[int]]


class Outcome(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant
    survived: bool
    why: str


class Trial:
    """The tests that matter, for the mutants of some modules."""

    def __init__(self, copy: Path, tests: Sequence[str], modules: Sequence[str], jobs: int, *, quick: bool) -> None:
        """``copy``: of the tree, where modules and tests are looked for."""
        self._quick = quick
        self._copy = copy
        self._tests = tests
        self._modules = modules
        self._jobs = jobs
        self._called: dict[str, Called] = {}

    def outcomes(self, mutants: Sequence[Mutant]) -> Iterator[Outcome]:
        """Test each of them."""
        self._called = {name: Called(*called) for name, called in self._learn().items()}
        again: list[Mutant] = []
        in_place = [mutant for mutant in mutants if mutant.first_line]
        again += [mutant for mutant in mutants if not mutant.first_line]
        for mutant, code in self._each(in_place, self._in_place(in_place)):
            if code == _NO_SWAP or (code == 0 and not self._quick):
                again.append(mutant)
            else:
                yield self._outcome(mutant, code)
        for mutant, code in self._each(again, self._run(range(len(again)), lambda at: self._on_import(again[at]))):
            yield self._outcome(mutant, code)

    def _outcome(self, mutant: Mutant, code: int) -> Outcome:
        why = "timeout" if code in {_KILLED_BY_TIME, -signal.SIGVTALRM} else f"{len(self._that_call(mutant))} tests"
        return Outcome(mutant, survived=code == 0, why=why)

    def _each(self, mutants: Sequence[Mutant], codes: Iterable[tuple[int, int]]) -> Iterator[tuple[Mutant, int]]:
        return ((mutants[at], code) for at, code in codes)

    def _that_call(self, mutant: Mutant) -> list[str]:
        """Return the tests that call what is mutated, the quickest first.

        What is run on import: those that call anything of the module, or all where that has nothing to call.
        """
        of_module, of_function = [], []
        everything = [(called.seconds, name) for name, called in self._called.items()]
        for name, called in self._called.items():
            lines = called.functions.get(mutant.path)
            if lines:
                of_module.append((called.seconds, name))
                if mutant.first_line in lines:
                    of_function.append((called.seconds, name))
        return [name for _, name in sorted(of_function or of_module or everything)]

    def seconds(self, name: str) -> float:
        """Return how long a test took without a mutant."""
        return self._called[name].seconds if name in self._called else 0

    def _seconds(self, names: Iterable[str]) -> float:
        """Return how long these may take before they count as hung; see also :class:`_Timed`."""
        return 60 + 10 * sum(self._called[name].seconds for name in names)

    def _learn(self) -> dict[str, list]:
        """Run all tests without a mutant."""
        with tempfile.NamedTemporaryFile() as file:
            list(self._run([0], lambda _: (lambda: self._pytest(_Learner(self, file.name), self._tests), 3600)))
            text = Path(file.name).read_text()
        if not text:
            raise SystemExit("the tests could not be collected without a mutant")
        learned = json.loads(text)
        for name in learned.pop("failed"):
            print(f"not used, because it fails without a mutant: {name}")
        return learned["called"]

    def _in_place(self, mutants: Sequence[Mutant]) -> Iterator[tuple[int, int]]:
        """Yield the exit codes of mutants that are swapped into what is imported."""
        with tempfile.NamedTemporaryFile() as file:
            session = _Forker(self, mutants, file.name)
            child = _fork(lambda: self._pytest(session, self._files(self._called)), None)
            seen = 0
            while True:
                ended, _ = os.waitpid(child, os.WNOHANG)
                lines = Path(file.name).read_text().splitlines()
                for line in lines[seen:]:
                    at, code = line.split()
                    yield int(at), int(code)
                seen = len(lines)
                if ended:
                    break
                time.sleep(0.2)
        if seen != len(mutants):
            raise SystemExit("the tests could not be run")

    def in_session(self, mutants: Sequence[Mutant], items: list, tell: Callable[[int, int], None]) -> bool:
        """Fork for each mutant, and return whether this is such a process, which is to run ``items``."""
        by_name = {item.nodeid: item for item in items}

        def child_of(at: int) -> tuple[Callable[[], int] | None, float]:
            names = [name for name in self._that_call(mutants[at]) if name in by_name]
            return (None, self._seconds(names)) if names else ((lambda: 0), 1)

        for at, code in self._run(range(len(mutants)), child_of):
            if code is None:
                mutant = mutants[at]
                try:
                    swap(self._copy, mutant)
                except NoSwap:
                    os._exit(_NO_SWAP)
                items[:] = [by_name[name] for name in self._that_call(mutant) if name in by_name]
                return True
            tell(at, code)
        return False

    def _on_import(self, mutant: Mutant) -> tuple[Callable[[], int], float]:
        names = self._that_call(mutant)

        def run() -> int:
            Finder(self._copy, mutant).install()
            return self._pytest(_Chosen(self, names), self._files(names))

        return (run if names else (lambda: 0)), self._seconds(names)

    def _files(self, names: Iterable[str]) -> list[str]:
        return sorted({name.split("::")[0] for name in names})

    def _pytest(self, plugin: object, tests: Sequence[str]) -> int:
        """Run pytest in this process, which has not imported what is tested."""
        os.chdir(self._copy)
        sys.path[:0] = [str(self._copy)]
        for name in [name for name in sys.modules if name.split(".")[0] in {"tests", "gitverify"}]:
            del sys.modules[name]
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--capture=no", "--rootdir=."]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        if isinstance(plugin, _Learner):
            options.remove("-x")
        return int(pytest.main([*options, *tests], plugins=[plugin]))

    def _run(self, todo: Iterable[int], child_of: Callable) -> Iterator[tuple[int, int | None]]:
        """Run a process for each, some at once; yield exit codes, and None in a process that goes on by itself."""
        running: dict[int, tuple[int, float, str]] = {}
        waiting = iter(todo)
        at: int | None = next(waiting, None)
        while running or at is not None:
            if at is not None and len(running) < self._jobs:
                what, seconds = child_of(at)
                scratch = tempfile.mkdtemp(prefix="mutant-")
                child = _fork(what, scratch)
                if child == 0:
                    yield at, None
                    return
                running[child] = at, time.monotonic() + seconds, scratch
                at = next(waiting, None)
                continue
            for child, (which, deadline, scratch) in list(running.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if not ended and time.monotonic() < deadline:
                    continue
                _end(child)
                code = os.waitstatus_to_exitcode(status) if ended else _KILLED_BY_TIME
                if not ended:
                    os.waitpid(child, 0)
                shutil.rmtree(scratch, ignore_errors=True)
                del running[child]
                yield which, code
            time.sleep(0.005)


def _end(child: int) -> None:
    """End what a child has left running."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def _fork(what: Callable[[], int] | None, scratch: str | None) -> int:
    """Fork; the child leaves by itself, or returns here with 0 where there is nothing for it to do yet."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    if scratch is not None:  # one of many
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ["TMPDIR"] = tempfile.tempdir = scratch
    quiet = os.open(os.environ.get("MUTATION_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    if what is None:
        return 0
    code = 3
    try:
        code = what()
    except BaseException:  # noqa: BLE001  (nothing may go on in the child)
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


class _Learner:
    """Notes which functions of the modules each test calls."""

    def __init__(self, trial: Trial, file: str) -> None:
        self._paths = {str(trial._copy / path): path for path in trial._modules}
        self._file = file
        self._called: dict[str, Called] = {}
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        calls: set[tuple[str, int]] = set()
        paths = self._paths

        def note(frame: FrameType, event: str, _argument: object) -> None:
            if event == "call" and frame.f_code.co_filename in paths:
                calls.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        began = time.monotonic()
        sys.setprofile(note)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            functions: dict[str, list[int]] = {}
            for path, line in calls:
                functions.setdefault(paths[path], []).append(line)
            self._called[item.nodeid] = Called(time.monotonic() - began, functions)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        failed = sorted(self._failed & self._called.keys())
        left = {name: called for name, called in self._called.items() if name not in self._failed}
        Path(self._file).write_text(json.dumps({"failed": failed, "called": left}))


class _Timed:
    """Ends the process in a test that takes much more of the processor than it did without a mutant."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 5 + 3 * self._trial.seconds(item.nodeid))


class _Forker(_Timed):
    """Forks a collected session once for each mutant."""

    def __init__(self, trial: Trial, mutants: Sequence[Mutant], file: str) -> None:
        super().__init__(trial)
        self._mutants = mutants
        self._file = file

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        with Path(self._file).open("a", buffering=1) as file:
            is_child = self._trial.in_session(self._mutants, session.items, lambda at, code: print(at, code, file=file))
        return None if is_child else True


class _Chosen(_Timed):
    """Runs these tests only, in this order."""

    def __init__(self, trial: Trial, names: Sequence[str]) -> None:
        super().__init__(trial)
        self._names = names

    def pytest_collection_modifyitems(self, items: list) -> None:
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[name] for name in self._names if name in by_name]
