"""A policy file that is about to be changed: its text, what it says, and what it shall say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitverify.errors import PolicyError
from gitverify.policies import native, shape
from gitverify.policies.edit.collections import insert, remove
from gitverify.policies.edit.result import Edited, EditRefused
from gitverify.policies.edit.splices import apply, line_of
from gitverify.policies.edit.writing import entry, flow_list, one_line, quoting, scalar
from gitverify.policies.paths import path_prefix
from gitverify.policies.strictyaml import Mapping, Sequence, Text, locate, read
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from gitverify.policies.edit.splices import Splice
    from gitverify.policies.edit.writing import Written
    from gitverify.policies.model import PathPrefix
    from gitverify.policies.strictyaml import Node


class Document:
    """A policy file, its changes so far, and ``wanted``: the values that it shall have, which every change keeps up."""

    def __init__(self, data: bytes) -> None:
        """Read the file. Raises PolicyError where it is no policy."""
        self.policy = native.parse(data)
        self.data = data
        self.located = locate(data)
        self.top = shape.mapping(self.located.document, "the policy")
        self.wanted: dict[str, Any] = plain(self.top)
        self.notes: list[str] = []
        self._splices: list[Splice] = []

    def sequence(self, *path: str | int) -> Sequence | None:
        """Return the list at a path of keys and numbers; None where its last key is missing."""
        node: Node | None = self.top
        for step in path:
            inside: Any = node.items if isinstance(node, Sequence) else getattr(node, "values", {})
            node = inside[step] if isinstance(step, int) else inside.get(step)
        return node if isinstance(node, Sequence) else None

    def texts(self, *path: str | int) -> list[str]:
        """Return the texts of a list; none where it is missing."""
        node = self.sequence(*path)
        return [item.value for item in node.items if isinstance(item, Text)] if node is not None else []

    def insert(self, node: Sequence | Mapping, *written: Written, after: int | None = None) -> None:
        """Put entries after the one with this number, or the last one."""
        self._splices += insert(self.located, node, written, after)

    def append_texts(self, node: Sequence, *values: str) -> None:
        """Put texts at the end of a list, quoted as their neighbours are."""
        quote = quoting(self.located, node)
        self.insert(node, *(one_line(scalar(value, quote)) for value in values))

    def remove(self, node: Sequence | Mapping, gone: AbstractSet[int], key: Text) -> None:
        """Take out entries; ``key``: whose value the list or mapping is."""
        self._splices += remove(self.located, node, gone, key)

    def add_setting(self, name: str, values: list[str] | str) -> None:
        """Add a key to the top level, with a list in brackets or a text."""
        written = scalar(values) if isinstance(values, str) else flow_list(values)
        self.insert(self.top, entry(name, one_line(written), indent=2))
        self.wanted[name] = values

    def done(self) -> Edited:
        """Return the file with all changes. Raises EditRefused where it would not say what it shall."""
        if not self._splices:
            return Edited(self.data, tuple(self.notes))
        line = line_of(self.located.text, min(self._splices).start)
        data = apply(self.located.text, self._splices).encode()
        try:
            native.parse(data)
            got = plain(read(data))
        except PolicyError as error:
            if error.code == "policy-lockout":
                raise _lockout(error) from None
            raise _by_hand(line, f"the file would then be wrong in line {error.line}: {error.message}") from None
        if got != self.wanted:
            raise _by_hand(line, "it would change more than was asked")
        return Edited(data, tuple(self.notes))

    def check_person(self, name: str) -> None:
        """Raise EditRefused where nobody, or no group where the name begins with ``@``, is called so."""
        group = name.startswith("@")
        known = self.policy.groups if group else self.policy.people
        if name.removeprefix("@") not in known:
            hint = shape.did_you_mean(name.removeprefix("@"), known)
            raise EditRefused(f"there is no {'group' if group else 'person'} “{shown(name, 80)}”{hint}")


def plain(node: Node) -> Any:
    """Return a node as dict, list and str."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(item) for item in node.items] if isinstance(node, Sequence) else node.value


def prefix(written: str) -> PathPrefix:
    """Return what a path covers. Raises EditRefused where it can't stand in a policy."""
    try:
        written.encode()
    except UnicodeEncodeError:
        raise EditRefused(
            f"“{shown(written)}” is not UTF-8, and can't be written in a policy: name its directory"
        ) from None
    try:
        return path_prefix(Text(written, 0, 0))
    except PolicyError as error:
        raise EditRefused(error.message) from None


def _lockout(error: PolicyError) -> EditRefused:
    return EditRefused(
        f"refused, because it would lock everybody out ({error.message}). First let another person with a key edit the "
        "policy (gitverify policy grant PERSON --editor), or list another key (gitverify policy add-key PERSON KEY)",
        lockout=True,
    )


def _by_hand(line: int, why: str) -> EditRefused:
    return EditRefused(f"this can't be changed safely here, so edit it by hand: {why}", line=line)
