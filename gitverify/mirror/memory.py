"""What a mirror knows of itself: where it comes from, what it is judged by, and what came of the last runs.

``DIR/gitverify/mirror.json``, in the part of the mirror that git does not look at. The settings are those of the first
run: whatever is configured elsewhere later, a mirror never holds what was judged from another introduction.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from gitverify.errors import GitverifyError
from gitverify.policies.model import Dialect
from gitverify.text import shown
from gitverify.transfer.store import replace_file
from gitverify.transfer.url import BadSource, parse_branch
from gitverify.values import parse_commit_id

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "gitverify-mirror/1"
_NAME = "mirror.json"


class NotAMirror(GitverifyError):
    """A directory is no mirror yet, or what it knows of itself can't be read."""


@dataclass(slots=True, kw_only=True)
class Run:
    """What came of the last run: a verdict, its reason code, and when (seconds since 1970); when it was last good."""

    verdict: str
    reason: str | None = None
    at: int = 0
    authentic_at: int | None = None


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a mirror keeps. ``introduction``: in hexadecimal; ``branches``: short names; ``runs`` by branch."""

    url: str
    introduction: str
    branches: list[str]
    signer: str | None = None
    name: str | None = None
    keyring: str | None = None
    policy_path: str | None = None
    dialect: str | None = None
    runs: dict[str, Run] = field(default_factory=dict)


# What the verdicts of a mirror rest on: it does not change.
FIXED = ("url", "introduction", "signer", "name", "keyring", "policy_path", "dialect")


def write(home: Path, memory: Memory) -> None:
    """Keep it, durably. Raises OSError."""
    replace_file(home / _NAME, json.dumps({"format": _FORMAT, **asdict(memory)}, indent=2) + "\n")


def read(home: Path) -> Memory | None:
    """Return what a mirror keeps; None where there is none yet. Raises NotAMirror."""
    path = home / _NAME
    try:
        kept = json.loads(path.read_text("utf-8"))
        return _memory(kept)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, BadSource):
        message = (
            f"{shown(str(path))} can't be read, or is of another version of gitverify: make a new mirror elsewhere"
        )
        raise NotAMirror(message) from None


def _memory(kept: dict[str, Any]) -> Memory:
    if kept.pop("format") != _FORMAT or set(kept) != {each.name for each in fields(Memory)}:
        raise ValueError
    kept["runs"] = {branch: Run(**run) for branch, run in kept["runs"].items()}
    memory = Memory(**kept)
    others = [getattr(memory, name) for name in FIXED if name not in {"url", "introduction"}]
    texts = [memory.url, memory.introduction, *(text for text in others if text is not None)]
    parse_commit_id(memory.introduction)
    if not all(isinstance(text, str) for text in texts) or memory.dialect not in {None, *Dialect}:
        raise ValueError
    branches = memory.branches
    if not branches or not isinstance(branches, list) or [parse_branch(name) for name in branches] != branches:
        raise ValueError
    for run in memory.runs.values():
        _check_run(run)
    return memory


def _check_run(run: Run) -> None:
    words = isinstance(run.verdict, str) and isinstance(run.reason, str | None)
    if not words or not isinstance(run.at, int) or not isinstance(run.authentic_at, int | None):
        raise ValueError
