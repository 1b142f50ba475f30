"""Writing a report to stdout, in the format asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gitverify.text import commandless, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.report.model import Report


def _human(report: Report) -> str:
    from gitverify.report.human import write_human  # noqa: PLC0415  (only the writer that is needed)

    return write_human(report)


def _json(report: Report) -> str:
    from gitverify.report.json import write_json  # noqa: PLC0415

    return write_json(report)


def _jsonl(report: Report) -> str:
    from gitverify.report.json import write_jsonl  # noqa: PLC0415

    return write_jsonl(report)


def _sarif(report: Report) -> str:
    from gitverify.report.sarif import write_sarif  # noqa: PLC0415

    return write_sarif(report)


def _junit(report: Report) -> str:
    from gitverify.report.junit import write_junit  # noqa: PLC0415

    return write_junit(report)


def _github(report: Report) -> str:
    from gitverify.report.github import write_github  # noqa: PLC0415

    return write_github(report)


def _gitlab(report: Report) -> str:
    from gitverify.report.gitlab import write_gitlab  # noqa: PLC0415

    return write_gitlab(report)


FORMATS: dict[str, Callable[[Report], str]] = {
    "human": _human,
    "json": _json,
    "jsonl": _jsonl,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "gitlab": _gitlab,
}


def show(report: Report, format_: str) -> int:
    """Write the report; return the verdict's exit status, which a reader that has gone does not change."""
    text = FORMATS[format_](report)
    if format_ == "github":
        _summarise(report)
    out(text, end="", commands=format_ == "github")
    return report.exit_status


def _summarise(report: Report) -> None:
    """Append to the step summary, in the file that GitHub Actions names; its loss changes no verdict."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    from gitverify.report.github import write_summary  # noqa: PLC0415

    try:
        with open(name, "a", encoding="utf-8") as file:  # noqa: PTH123  (pathlib would be loaded for this alone)
            file.write(write_summary(report))
    except OSError as error:
        sys.stderr.write(f"the step summary could not be written: {shown(str(error))}\n")


def out(text: str, end: str = "\n", *, commands: bool = False) -> None:
    """Write text to stdout; quietly stop where nobody reads it any more.

    Unless it is to give ``commands`` to the runner of GitHub Actions, which reads what its steps print, it has none.
    """
    if not commands:
        text = commandless(text)
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write((text + end).encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
