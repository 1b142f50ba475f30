"""What the native policy file asks of its nodes, each with the error that says what is expected."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gitverify.policies.strictyaml import Mapping, Sequence, Text, fail
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.policies.strictyaml import Node

# Written either way by people who know YAML 1.1; nothing else is a boolean here.
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_MOST_CANDIDATES = 5000


def mapping(node: Node, what: str) -> Mapping:
    """Return the node as a mapping. ``what`` begins the error's sentence: *what* must be a mapping."""
    if isinstance(node, Mapping):
        return node
    raise fail(node, f"{what} must be a mapping (key: value), not {_kind(node)}")


def sequence(node: Node, what: str) -> tuple[Node, ...]:
    """Return the items of a list."""
    if isinstance(node, Sequence):
        return node.items
    raise fail(node, f"{what} must be a list ([a, b], or one “- a” a line), not {_kind(node)}")


def listed(node: Node, key: str) -> Sequence:
    """Return the list that a mapping has for a key that it is known to have."""
    found = mapping(node, "what has a list").values[key]
    if isinstance(found, Sequence):
        return found
    raise fail(found, f"{key} must be a list, not {_kind(found)}")


def text(node: Node, what: str) -> Text:
    """Return the node as text."""
    if isinstance(node, Text):
        return node
    raise fail(node, f"{what} must be text, not {_kind(node)}")


def texts(node: Node, what: str) -> tuple[Text, ...]:
    """Return the items of a list of texts."""
    return tuple(text(item, f"an entry of {what}") for item in sequence(node, what))


def boolean(node: Node, what: str) -> bool:
    """Return ``true`` or ``yes`` as True, ``false`` or ``no`` as False."""
    word = text(node, what)
    if word.value not in _BOOLEANS:
        raise fail(node, f"{what} must be true or false (or yes, or no), not “{shown(word.value, 64)}”")
    return _BOOLEANS[word.value]


def choice(node: Node, what: str, words: tuple[str, str]) -> str:
    """Return which of two words it is."""
    word = text(node, what)
    if word.value not in words:
        raise fail(node, f"{what} must be {words[0]} or {words[1]}, not “{shown(word.value, 64)}”")
    return word.value


def check_keys(node: Mapping, what: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Raise PolicyError for a key that is unknown or missing."""
    for key, place in node.keys.items():
        if key not in required and key not in optional:
            known = ", ".join(required + optional)
            hint = did_you_mean(key, required + optional) or f": known are {known}"
            raise fail(place, f"{what} has no key “{shown(key, 64)}”{hint}")
    for key in required:
        if key not in node.values:
            raise fail(node, f"{what} must have the key “{key}”")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question about the nearest known name, ``""`` where none is near."""
    import difflib  # noqa: PLC0415 - only for an error

    near = difflib.get_close_matches(name[:64], list(islice(known, _MOST_CANDIDATES)), n=1)
    return f" (did you mean “{near[0]}”?)" if near else ""


def _kind(node: Node) -> str:
    if isinstance(node, Text):
        return f"the text “{shown(node.value, 64)}”"
    return "a list" if isinstance(node, Sequence) else "a mapping"
