"""SSH keys as lists in JSON and plain text have them."""

from __future__ import annotations

import json
from typing import Any

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.policies.model import SshKeySpec
from gitverify.setup.imports.model import Entry, Findings, ImportRefused
from gitverify.signatures.sshkeys import key_comment, parse_key_line
from gitverify.text import shown


def text_of(data: bytes) -> str:
    """Return the file as text. Raises ImportRefused where it is none, or too large."""
    if len(data) > LIMITS.policy_size:
        raise ImportRefused(f"the file has {len(data):,} bytes, more than {LIMITS.policy_size:,}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportRefused("the file is no text in UTF-8") from None


def json_of(text: str) -> Any:
    """Return JSON's value. Raises ImportRefused, also where an object has a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise ImportRefused("the JSON is nested too deeply") from None
    except ValueError as error:
        raise ImportRefused(f"the file is no JSON: {shown(str(error))}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ImportRefused(f"the JSON has the key “{shown(key, 80)}” twice in one object")
        found[key] = value
    return found


def take(found: Findings, label: str, line: str) -> None:
    """Add a key line to the findings, or a note why not."""
    try:
        key = parse_key_line(line)
    except KeyRefused as refused:
        found.leave_out(f"a key of “{shown(label, 80)}”", refused)
        return
    found.entries.append(Entry(label, SshKeySpec(key.fingerprint, key.blob, key_comment(line))))
