"""Man pages: one for each command, and one for the reason codes.

Run by ``make man``: ``python -m manual.man DIR`` writes ``DIR/man1/*.1`` and ``DIR/man7/*.7``.
click-man was tried. It sees a group's ``commands``, which a group that imports its commands when they are called does
not have; it writes click's mark for text that keeps its lines into the page, and roff's requests unescaped; and it uses
what click 9 will not have.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify import __version__
from manual import roff, tree

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).parent.parent
_MANUAL = "gitverify's manual"
_REASONS = "gitverify-reasons"
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"\*+(\w[^*]*)\*+")


def pages() -> dict[str, str]:
    """Return all pages by the name of their file, such as ``man1/gitverify-verify.1``."""
    found = {f"man1/{tree.page(context)}.1": _command(context) for context in tree.contexts()}
    return found | {f"man7/{_REASONS}.7": _reasons()}


def _command(context: click.Context) -> str:
    name = tree.page(context)
    lines = [
        _title(name, 1),
        roff.heading("NAME"),
        rf"{roff.escaped(name)} \- {roff.escaped(tree.summary(context))}",
        roff.heading("SYNOPSIS"),
        f"{roff.bold(context.command_path)} {roff.escaped(' '.join(context.command.collect_usage_pieces(context)))}",
        roff.heading("DESCRIPTION"),
        *roff.paragraphs(context.command.help or ""),
        roff.heading("OPTIONS"),
        *roff.entries(_options(context)),
    ]
    below = tree.children(context)
    if below:
        lines += [roff.heading("COMMANDS"), *roff.entries(_commands(context))]
    if context.parent is None:
        lines += [roff.heading("EXIT STATUS"), *roff.entries(exit_statuses())]
        lines += [roff.heading("FILES"), *roff.entries(_FILES)]
    return _finished(lines, context)


def _options(context: click.Context) -> list[tuple[str, str]]:
    records = [option.get_help_record(context) for option in tree.options(context)]
    return [(roff.bold(name), help_) for name, help_ in filter(None, records)]


def _commands(context: click.Context) -> list[tuple[str, str]]:
    here = tree.page(context)
    depth = len(context.command_path.split())
    below = [inner for inner in tree.contexts() if inner.command_path.startswith(context.command_path + " ")]
    return [
        (rf"{roff.bold(f'{here}-{inner.info_name}')}(1)", tree.summary(inner) + ".")
        for inner in below
        if len(inner.command_path.split()) == depth + 1
    ]


_FILES = [
    (
        roff.bold(".gitverify.yaml"),
        "The policy, in the root of the repository: who may change what. It is judged by the one in the parent.",
    ),
    (
        roff.bold("$XDG_STATE_HOME/gitverify/marks.sqlite3"),
        "What earlier runs accepted. Default: ~/.local/state/gitverify; a systemd service's STATE_DIRECTORY.",
    ),
    (roff.bold(".git/config"), "The introduction of this clone, and other settings gitverify.*; never a tracked file."),
]


def exit_statuses() -> list[tuple[str, str]]:
    """Return the README's table of exit statuses."""
    _, _, section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Exit status\n")
    rows = re.findall(r"^\| ([0-9]+) \| (.*) \|$", section, re.MULTILINE)
    return [(roff.bold(number), _plain(meaning) + ".") for number, meaning in rows]


def _reasons() -> str:
    """Write up docs/reasons.md, which the tests compare with the code."""
    text = (ROOT / "docs/reasons.md").read_text(encoding="utf-8")
    introduction, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    lines = [
        _title(_REASONS, 7),
        roff.heading("NAME"),
        rf"{roff.escaped(_REASONS)} \- every reason code, with its cause and what to do",
        roff.heading("DESCRIPTION"),
        *roff.paragraphs(_plain(introduction.partition("\n")[2])),
    ]
    for section in sections:
        name, _, body = section.partition("\n")
        lines += [roff.heading(name.upper())]
        prose = "\n".join(line for line in body.splitlines() if not line.startswith("|"))
        lines += roff.paragraphs(_plain(prose)) if prose.strip() else []
        lines += roff.entries(_rows(body))
    return _finished(lines, None)


def _rows(body: str) -> list[tuple[str, str]]:
    rows = [line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("|")]
    return [(roff.bold(_plain(code)), _plain(" ".join(cells))) for code, *cells in rows[2:]]


def _plain(text: str) -> str:
    """Return Markdown's words without its marks."""
    return _EMPHASIS.sub(r"\1", _LINK.sub(r"\1", text)).replace("`", "").replace("\\|", "|")


def _title(name: str, section: int) -> str:
    # The date is given by whoever builds a package, so that it builds the same twice.
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return roff.title(
        name, section, time.strftime("%Y-%m-%d", time.gmtime(seconds)), f"gitverify {__version__}", _MANUAL
    )


def _finished(lines: list[str], context: click.Context | None) -> str:
    others = [tree.PROGRAM] if context is None or context.parent is not None else []
    if context is not None and context.parent is not None and context.parent.parent is not None:
        others.append(tree.page(context.parent))
    references = [rf"{roff.bold(name)}(1)" for name in others]
    if context is not None:
        references.append(rf"{roff.bold(_REASONS)}(7)")
    return "\n".join([*lines, roff.heading("SEE ALSO"), ", ".join(references), ""])


def write(directory: Path) -> list[Path]:
    """Write all pages below a directory; return their paths."""
    written = []
    for name, text in pages().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    (_target,) = sys.argv[1:]
    print(f"{len(write(Path(_target)))} man pages below {_target}; to read one: man -l {_target}/man1/gitverify.1")
