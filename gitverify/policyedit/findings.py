"""What is wrong with a policy file, or likely so, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitverify.errors import PolicyError
from gitverify.policies.dialects import parse
from gitverify.policies.lint import Warning, warnings  # noqa: A004 - what it is
from gitverify.policies.model import Dialect, Policy
from gitverify.policies.places import place
from gitverify.policies.strictyaml import Mapping, read
from gitverify.policies.treelint import tree_warnings
from gitverify.rules.vouch import listed
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitverify.policies.strictyaml import Node
    from gitverify.policyedit.place import CommittedTree, PolicyName


@dataclass(frozen=True, slots=True)
class Finding:
    """``line`` and ``column`` count from 1, 0 where no place is meant. ``code``: an error's reason code, else None."""

    severity: Literal["error", "warning"]
    line: int
    column: int
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy file that was looked at; ``policy`` is None where it is broken."""

    dialect: Dialect
    policy: Policy | None
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Literal["ok", "warnings", "errors"]:
        """The worst that was found."""
        kinds = {finding.severity for finding in self.findings}
        return "errors" if "error" in kinds else "warnings" if kinds else "ok"


def check(
    data: bytes, dialect: Dialect, tree: CommittedTree | None, known: Callable[[Policy], Callable[[str], bool]]
) -> Checked:
    """Look at a policy file's bytes. ``tree`` is what its paths are looked up in; ``known``: see ``tree_warnings``."""
    try:
        policy = parse(dialect, data)
    except PolicyError as error:
        return Checked(dialect, None, (Finding("error", error.line, error.column, error.message, error.code),))
    found = warnings(policy)
    if dialect is Dialect.NATIVE and tree is not None:
        found += tree_warnings(policy, tree.kind, known(policy))
    return Checked(dialect, policy, tuple(_placed(data, dialect, found)))


def _placed(data: bytes, dialect: Dialect, found: Sequence[Warning]) -> Iterator[Finding]:
    """Give warnings their line and column, in the order of the file."""
    placed = [(warning.line, int(warning.line > 0), warning.message) for warning in found]
    if dialect is Dialect.NATIVE:
        document = read(data)
        placed = [(*_place(document, warning), warning.message) for warning in found]
    for line, column, message in sorted(placed):
        yield Finding("warning", line, column, message)


def _place(document: Node, warning: Warning) -> tuple[int, int]:
    at = warning.at or ("policy_editors",)
    return place(document, at) if isinstance(document, Mapping) and at[0] in document.values else (0, 0)


def changes(new: Policy, name: PolicyName, head: CommittedTree, signers: Sequence[str]) -> Iterator[Finding]:
    """Yield what stands against committing this policy on top of a commit; ``signers``: keys git may sign with."""
    old = head.policy(name)
    others = [shown(other) for other in head.policy_files() if other != name.path]
    if old is None and others:
        yield _whole(
            f"the commit before has {' and '.join(others)}: where that is the policy, this file is not looked at (R3)"
        )
    if not isinstance(old, Policy):
        return
    if not _editor_keys(old) & _editor_keys(new):
        yield _whole("nobody who may change the policy today may do so afterwards, with a key that is listed today")
    if signers and not is_editor(old, head, signers):
        yield _whole(
            f"git would sign here with key {signers[0]}, which is no editor's by the policy in the commit before: a "
            "commit of this change by you would be refused (policy-unauthorized)"
        )


def is_editor(policy: Policy, tree: CommittedTree, signers: Sequence[str]) -> bool:
    """Whether one of these keys is that of somebody who may change the policy (R15)."""
    material = tree.material(policy)
    return any(person.name in policy.editors for key in signers for person, _ in listed(key, policy, material))


def _editor_keys(policy: Policy) -> set[str]:
    return {key.key for name in policy.editors for key in policy.people[name].keys}


def _whole(message: str) -> Finding:
    return Finding("warning", 0, 0, message)
