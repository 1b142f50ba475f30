"""Where something stands in a native policy file: line and column of what a warning is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.policies.strictyaml import Mapping, Sequence, Text

if TYPE_CHECKING:
    from gitverify.policies.strictyaml import Node


def place(document: Node, at: tuple[str | int, ...]) -> tuple[int, int]:
    """Return line and column (from 1) of what is at a path of keys, numbers of items and texts of items.

    Where the path leads further than the document, the place is that of its last part that is there.
    """
    node: Node = document
    found: Node = document
    for step in at:
        if isinstance(node, Mapping) and step in node.values:
            found, node = node.keys[str(step)], node.values[str(step)]
        elif isinstance(node, Sequence):
            items = (
                item
                for number, item in enumerate(node.items)
                if number == step or (isinstance(item, Text) and item.value == step)
            )
            found = node = next(items, found)
    return found.line, found.column
