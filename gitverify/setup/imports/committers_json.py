"""git-verify's ``committers.json``: ``{"protectedPrefixes": […], "committers": {NAME: {"email", "publicKey"}}}``.

``publicKey`` is the base64 of an SSH public blob, whose first field is the type; a whole key line is read as well.
"""

from __future__ import annotations

import binascii
import re
from typing import Any

from gitverify.setup.imports.keytext import json_of, take, text_of
from gitverify.setup.imports.model import Findings, ImportRefused
from gitverify.text import shown

_MOST_SHOWN = 5
_TYPE = re.compile(rb"[a-z0-9@.-]{1,64}")


def read(data: bytes) -> Findings:
    """Return the committers. Raises ImportRefused."""
    top = json_of(text_of(data))
    committers = top.get("committers") if isinstance(top, dict) else None
    if not isinstance(committers, dict):
        raise ImportRefused('the file must be an object with "committers": {NAME: {"publicKey": "AAAA…"}}')
    found = Findings()
    for label, committer in committers.items():
        key = committer.get("publicKey") if isinstance(committer, dict) else None
        if isinstance(key, str):
            take(found, label, _line(key))
        else:
            found.leave_out(f"“{shown(label, 80)}”", 'there is no "publicKey"')
    _note_prefixes(found, top.get("protectedPrefixes"))
    return found


def _line(key: str) -> str:
    """Return the key as a line: the blob says of which type it is."""
    key = key.strip()
    try:
        blob = binascii.a2b_base64(key, strict_mode=True)
    except ValueError:
        return key
    name = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    return f"{name.decode()} {key}" if _TYPE.fullmatch(name) else key


def _note_prefixes(found: Findings, prefixes: Any) -> None:
    """Note what the file leaves open to anyone: our policies name that, not what is protected.

    All other paths can't be listed, so everything becomes protected: nobody gains by it.
    """
    if prefixes in (None, []) or (isinstance(prefixes, list) and {"", "/"} & {str(prefix) for prefix in prefixes}):
        return
    listed = prefixes if isinstance(prefixes, list) else [prefixes]
    shown_ = ", ".join(f"“{shown(str(prefix), 60)}”" for prefix in listed[:_MOST_SHOWN])
    more = "" if len(listed) <= _MOST_SHOWN else f" and {len(listed) - _MOST_SHOWN:,} more"
    found.notes.append(
        f"the list protects {shown_}{more} alone; this policy protects everything: name what anyone may change, "
        "unsigned, under “unprotected”"
    )
