"""Where a repository's policy file is: in the working tree, and in the trees of commits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MalformedTree, OversizedMaterial
from gitverify.material import CertificateStore, Material, keyring_of
from gitverify.objects.commit import parse_commit
from gitverify.objects.tree import DIRECTORY, TreeEntry
from gitverify.policies.dialects import POLICY_FILES
from gitverify.policies.model import Dialect, Policy
from gitverify.policybook import PolicyBook
from gitverify.session import UsageProblem
from gitverify.text import shown
from gitverify.treepath import Trees, components
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.policies.treelint import Kind
    from gitverify.rules.facts import PolicyProblem
    from gitverify.session import Session
    from gitverify.source import Repository


@dataclass(frozen=True, slots=True)
class PolicyName:
    """The policy file's path in the tree, and its dialect."""

    path: bytes
    dialect: Dialect


def named(session: Session, among: list[bytes]) -> PolicyName | None:
    """Return which policy file counts: the one that options or settings name, or the only one ``among`` some.

    None where there is none. Raises UsageProblem where there are several.
    """
    identity = session.identity
    branch = identity.ref.removeprefix("refs/heads/") if identity is not None else None
    url = identity.repository if identity is not None else None
    path = session.query.policy_path or session.settings.option("policypath", branch, url)
    dialect = session.query.dialect or session.settings.option("dialect", branch, url)
    if dialect is not None and dialect not in set(Dialect):
        raise UsageProblem(f"git config gitverify.dialect: “{shown(dialect, 80)}” is no dialect")
    if path is not None:
        name = os.fsencode(path)
        if not components(name) or b".." in components(name):
            raise UsageProblem(f"“{shown(path)}” is no path of a policy file: write it relative to the root")
        return PolicyName(
            name, Dialect(dialect) if dialect else POLICY_FILES.get(name.rpartition(b"/")[2], Dialect.NATIVE)
        )
    found = [name for name in among if dialect is None or POLICY_FILES[name] == dialect]
    if len(found) > 1:
        several = " and ".join(map(shown, found))
        raise UsageProblem(f"there are {several}: name the one that counts with --policy-path")
    return PolicyName(found[0], POLICY_FILES[found[0]]) if found else None


class CommittedTree:
    """A commit's tree."""

    def __init__(self, repository: Repository, commit: bytes) -> None:
        """Read the commit. Raises UsageProblem, MissingObject."""
        self._repository = repository
        self._trees = Trees(repository)
        self.commit = commit
        try:
            self._root = TreeEntry(DIRECTORY, parse_commit(read_commit(repository, commit)).tree)
        except MalformedCommit as error:
            raise UsageProblem(f"{commit.hex()} is malformed: {error}") from None

    def entry(self, path: bytes) -> TreeEntry | None:
        """Return what is at a path. Raises UsageProblem where a tree is malformed."""
        try:
            return self._trees.walk(self._root, components(path))
        except MalformedTree as error:
            raise UsageProblem(f"the tree of {self.commit.hex()} is malformed: {error}") from None

    def kind(self, path: bytes) -> Kind:
        """Say what is at a path."""
        entry = self.entry(path)
        return "nothing" if entry is None else "directory" if entry.is_directory else "file"

    def policy_files(self) -> list[bytes]:
        """Return the names of the policy files in the root."""
        return [name for name in POLICY_FILES if self.entry(name) is not None]

    def policy(self, name: PolicyName) -> Policy | PolicyProblem | None:
        """Return the policy, or what is wrong with it; None where there is no such file."""
        entry = self.entry(name.path)
        return PolicyBook(self._repository, name.dialect, name.path).policy(entry) if entry is not None else None

    def data(self, path: bytes) -> bytes | None:
        """Return the content of the file at a path."""
        entry = self.entry(path)
        return self._repository.read(entry.id)[1] if entry is not None and entry.is_regular_file else None

    def material(self, policy: Policy) -> Material:
        """Return the certificates that lie beside the policy (R12). Raises UsageProblem where there are too many."""
        path = policy.openpgp_keys
        if path is None or not policy.lists_openpgp_keys:
            return Material(lambda: keyring_of(()))
        try:
            certificates = CertificateStore(self._repository, self._trees).at(self._root.id, path)
        except OversizedMaterial as error:
            raise UsageProblem(str(error)) from None
        return Material(lambda: keyring_of(certificates))
