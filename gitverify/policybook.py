"""Policy files read from trees, each blob parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import MissingObject, OversizedObject, PolicyError
from gitverify.policies.dialects import POLICY_FILES, parse
from gitverify.policies.model import Policy
from gitverify.rules.facts import PolicyProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.policies.model import Dialect
    from gitverify.treepath import Trees


class PolicyBook:
    """Reads the policies of one dialect.

    ``size``: how many bytes of them it has read; ``compares_trees``: whether any of them has trees compared.
    """

    def __init__(self, source: ObjectSource, dialect: Dialect, path: bytes) -> None:
        """Read from ``source``; ``path`` is the policy file's, for messages."""
        self._source = source
        self._dialect = dialect
        self.path = path
        self._read: dict[TreeEntry, Policy | PolicyProblem] = {}
        self._files: dict[int, TreeEntry] = {}  # by the identity of what was read, which stays here
        self.size = 0
        self.compares_trees = False

    def policy(self, entry: TreeEntry) -> Policy | PolicyProblem:
        """Return what an entry's file says, or what is wrong with it (R14). Raises MissingObject."""
        found = self._read.get(entry)
        if found is None:
            found = self._read[entry] = self._parse(entry)
            if isinstance(found, Policy):
                self._files[id(found)] = entry
                self.compares_trees |= found.compares_trees
        return found

    def file_of(self, policy: Policy) -> TreeEntry | None:
        """Return the entry that a policy was read from; None where it was not read here."""
        return self._files.get(id(policy))

    def _parse(self, entry: TreeEntry) -> Policy | PolicyProblem:
        name = shown(self.path)
        if not entry.is_regular_file:
            what = {b"120000": "a symlink", b"40000": "a directory", b"160000": "a submodule"}[entry.mode]
            return PolicyProblem("policy-invalid", f"{name} is {what}, not a regular file")
        try:
            kind, data = self._source.read(entry.id)
        except OversizedObject as error:
            return PolicyProblem("policy-invalid", f"{name}: {error}")
        except MissingObject as error:
            raise MissingObject(entry.id, f"(the policy file {name}) {error.reason}") from None
        self.size += len(data)
        if kind != "blob":
            return PolicyProblem("policy-invalid", f"{name} is recorded as a file, but its object is a {kind}")
        try:
            return parse(self._dialect, data)
        except PolicyError as error:
            return PolicyProblem(error.code, f"{name}: {error}")


def other_dialects(trees: Trees, tree: bytes, dialect: Dialect) -> tuple[str, ...]:
    """Return the names of policy files of other dialects in a root tree."""
    names = tuple(name for name, its in POLICY_FILES.items() if its is not dialect)
    return tuple(shown(n) for n, entry in zip(names, trees.find(tree, names), strict=True) if entry is not None)
