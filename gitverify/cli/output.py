"""Writing a report to stdout, in the format asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

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


FORMATS: dict[str, Callable[[Report], str]] = {"human": _human, "json": _json, "jsonl": _jsonl}


def show(report: Report, format_: str) -> int:
    """Write the report; return the verdict's exit status, which a reader that has gone does not change."""
    out(FORMATS[format_](report), end="")
    return report.exit_status


def out(text: str, end: str = "\n") -> None:
    """Write text to stdout; quietly stop where nobody reads it any more."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write((text + end).encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
