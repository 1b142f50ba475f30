"""Text, lists and mappings as they are written into a policy file, in the manner of what stands beside them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.strictyaml import Mapping, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.policies.strictyaml import Located, Node

# What every YAML parser takes for this text and nothing else, in brackets and outside.
_PLAIN = re.compile(r"[A-Za-z0-9/._][A-Za-z0-9/._+=@~^()$-]*(?: [A-Za-z0-9/._+=@~^()$-]+)*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


class Written(NamedTuple):
    """An entry of a list or mapping: on one line, and as lines that are indented from where the first one begins."""

    flow: str
    block: tuple[str, ...]


def scalar(value: str, quote: str = "") -> str:
    """Return text as YAML, plain where that is safe and ``quote`` does not ask for quotation marks."""
    if quote == "'" and "'" not in value and not any(map(_is_hidden, value)):
        return f"'{value}'"
    if not quote and _PLAIN.fullmatch(value):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ" and character != " "


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if not _is_hidden(character):
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def quoting(located: Located, node: Node) -> str:
    """Return the quotation mark that every text of a list has, ``""`` where they have none or differ."""
    items = node.items if isinstance(node, Sequence) else ()
    marks = {located.text[located.span(item).start] for item in items}
    mark = marks.pop() if len(marks) == 1 else ""
    return mark if mark in {"'", '"'} else ""


def flow_list(values: Iterable[str]) -> str:
    """Return ``[a, b]``."""
    return "[" + ", ".join(map(scalar, values)) + "]"


def block_list(values: Iterable[str], indent: int) -> tuple[str, ...]:
    """Return one ``- a`` a line."""
    return tuple(" " * indent + "- " + scalar(value) for value in values)


def entry(name: str, value: Written, *, indent: int) -> Written:
    """Return a key with a list or mapping below it; one that is written on one line stands beside it."""
    if len(value.block) == 1 and value.block[0] == value.flow:
        return Written(f"{scalar(name)}: {value.flow}", (f"{scalar(name)}: {value.flow}",))
    below = tuple(" " * indent + line for line in value.block)
    return Written(f"{scalar(name)}: {value.flow}", (f"{scalar(name)}:", *below))


def one_line(flow: str) -> Written:
    """Return what is written on one line wherever it stands."""
    return Written(flow, (flow,))


def list_like(located: Located, model: Node | None, values: Iterable[str]) -> Written:
    """Return a list in brackets, or one item a line where ``model`` is written so."""
    flow = flow_list(values)
    if model is None or located.span(model).flow:
        return one_line(flow)
    return Written(flow, block_list(values, 0))


def mapping_like(located: Located, model: Node | None, values: dict[str, list[str]]) -> Written:
    """Return a mapping of lists: in braces, or in lines with the indentation and order of ``model``."""
    flow = "{" + ", ".join(f"{key}: {flow_list(value)}" for key, value in values.items()) + "}"
    if not isinstance(model, Mapping) or located.span(model).flow:
        return one_line(flow)
    lines: list[str] = []
    for key in [*(key for key in model.keys if key in values), *(key for key in values if key not in model.keys)]:
        like = model.values.get(key)
        indent = like.column - model.column if like is not None else 2
        lines += entry(key, list_like(located, like, values[key]), indent=indent).block
    return Written(flow, tuple(lines))
