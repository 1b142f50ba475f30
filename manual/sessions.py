"""Running the sessions of a page of the documentation: do its commands work, and say what the page shows?

A session is a block ``console``: a command stands behind ``$``, what it prints below it. All commands of a page, or of
a section, run one after the other in one bash, so that directories and variables last. A command must end with exit
status 0, or, where a comment at its end begins with ``# refused``, with another.

What a page shows is compared loosely: ids, keys and dates may be others, ``…`` stands for anything, and a command may
print more lines than are shown.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^( *)```console\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_REFUSED = re.compile(r"\s# refused[^\n]*\Z")
# Written by the shell before and after each command; no command of a page prints it.
_MARK = "--gitverify-session--"
_LOOSE = (
    (re.compile(r"SHA256:[A-Za-z0-9+/]{43}"), "SHA256:KEY"),
    (re.compile(r"AAAA[A-Za-z0-9+/=]{20,}"), "AAAA"),
    (re.compile(r"\b[0-9a-f]{7,64}\b"), "ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
)


@dataclass(frozen=True)
class Step:
    """A command of a page, and what the page shows of its output."""

    command: str
    shown: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether it is to end with another exit status than 0."""
        return _REFUSED.search(self.command) is not None


@dataclass
class Done:
    """How a step went: ``seconds`` since the epoch when it had ended."""

    step: Step
    status: int = -1
    seconds: float = 0.0
    output: list[str] = field(default_factory=list)


class Disagreement(Exception):
    """A command did something else than its page says."""


def steps(text: str) -> list[Step]:
    """Return the commands of a page, in their order."""
    return [step for _, block in _BLOCK.findall(text) for step in _session(dedent(block))]


def _session(block: str) -> Iterator[Step]:
    command: list[str] = []
    shown: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), tuple(shown))
            command, shown = [line.removeprefix("$ ")], []
        elif not shown and command and (line.startswith("> ") or command[-1].endswith("\\")):
            command.append(line.removeprefix("> "))
        elif line.strip():
            shown.append(line)
    if command:
        yield Step("\n".join(command), tuple(shown))


def run(
    of: Iterable[Step],
    environment: Mapping[str, str],
    directory: Path,
    watch: Callable[[str], None] = lambda _: None,
) -> list[Done]:
    """Run the steps in one bash; return how each went. ``watch`` sees commands and output as they come.

    Raises Disagreement where a command does not do what its page says, with the rest not run.
    """
    of = list(of)
    process = subprocess.Popen(  # noqa: S603
        ["bash", "--norc", "-c", "".join(map(_scripted, of))],  # noqa: S607
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    done: list[Done] = []
    with process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        for line in process.stdout:
            mark, _, rest = line.rstrip("\n").partition(_MARK)
            if rest == "begin":
                done.append(Done(of[len(done)]))
                watch(f"$ {done[-1].step.command}")
            elif rest:
                done[-1].status, done[-1].seconds = int(rest.split()[0]), float(rest.split()[1])
                if mark:
                    done[-1].output.append(mark)
            else:
                done[-1].output.append(mark)
                watch(f"  {mark}")
    for step in done:
        check(step)
    return done


def _scripted(step: Step) -> str:
    """Return the shell's lines for a step; the shell ends where it does not go as it should."""
    wanted = "-ne" if step.refused else "-eq"
    return (
        f"echo '{_MARK}begin'\n{{ {step.command}\n}} </dev/null 2>&1\nstatus=$?\n"
        f'echo "{_MARK}$status $EPOCHREALTIME"\n[ $status {wanted} 0 ] || exit\n'
    )


def check(done: Done) -> None:
    """Compare a step with its page. Raises Disagreement."""
    told = "\n".join([f"$ {done.step.command}", *done.output])
    if (done.status != 0) != done.step.refused:
        raise Disagreement(f"exit status {done.status}:\n{told}")
    lines = iter([loose(line) for line in done.output])
    for shown in done.step.shown:
        pattern = ".*".join(re.escape(part.strip()) for part in loose(shown).split("…"))
        if not any(re.fullmatch(pattern, line) for line in lines):
            raise Disagreement(f"this is not printed (there): {shown}\n{told}")


def loose(line: str) -> str:
    """Return a line without what may be another each time."""
    for pattern, word in _LOOSE:
        line = pattern.sub(word, line)
    return " ".join(line.split())
