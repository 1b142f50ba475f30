"""Keys that a forge shows of its users, as saved: ``github.com/USER.keys``, or the answer of a forge's API.

Plain lines are one person's keys, whose name the file has. JSON is a list of ``{"login" or "user": …, "keys": […]}``,
or of one person's keys; a key is a line, or an object that has it as ``"key"``.
"""

from __future__ import annotations

from typing import Any

from gitverify.setup.imports.keytext import json_of, take, text_of
from gitverify.setup.imports.model import Findings, ImportRefused
from gitverify.text import shown

_EXPECTED = 'a list of {"login": NAME, "keys": [{"key": "ssh-…"}]}, or lines as USER.keys has them'


def read(data: bytes, name: str) -> Findings:
    """Return the keys; ``name`` is that of the person where the list has none. Raises ImportRefused."""
    text = text_of(data)
    found = Findings()
    if text.lstrip()[:1] in {"[", "{"}:
        _users(found, json_of(text), name)
    else:
        for line in text.split("\n"):
            if line.strip() and not line.lstrip().startswith("#"):
                take(found, name, line)
    found.notes.append(
        "a forge says which keys an account has, not who holds them: ask each person before you publish the "
        "introduction"
    )
    return found


def _users(found: Findings, top: Any, name: str) -> None:
    users = top if isinstance(top, list) else [top]
    for user in users:
        if isinstance(user, str) or (isinstance(user, dict) and "key" in user):
            _key(found, name, user)
        elif isinstance(user, dict) and isinstance(user.get("keys"), list):
            label = user.get("login", user.get("user"))
            if not isinstance(label, str):
                raise ImportRefused(f'an entry has no "login" or "user": expected is {_EXPECTED}')
            for key in user["keys"]:
                _key(found, label, key)
            if not user["keys"]:
                found.leave_out(f"“{shown(label, 80)}”", "no keys")
        else:
            raise ImportRefused(f"expected is {_EXPECTED}")


def _key(found: Findings, label: str, key: Any) -> None:
    line = key.get("key") if isinstance(key, dict) else key
    if isinstance(line, str):
        take(found, label, line)
    else:
        found.leave_out(f"a key of “{shown(label, 80)}”", "it is no text")
