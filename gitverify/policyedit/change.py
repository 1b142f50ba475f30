"""A change of the policy file in the working tree: shown, written, or committed."""

from __future__ import annotations

import difflib
import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.errors import PolicyError
from gitverify.git import Git
from gitverify.policies.dialects import POLICY_FILES
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.model import Dialect
from gitverify.policyedit.commit import check_signer, check_unchanged, signed_commit
from gitverify.policyedit.file import fingerprints_in, read_file, replace_file, write_certificate
from gitverify.policyedit.findings import check
from gitverify.policyedit.place import CommittedTree, PolicyName, named
from gitverify.session import UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gitverify.policies.edit.result import Edited
    from gitverify.session import Session


@dataclass(slots=True, kw_only=True)
class Change:
    """What is to be done. ``subject``: of the commit; ``certificate``: the OpenPGP one that goes with it.

    ``consequences``: what somebody should know who does this.
    """

    edit: Callable[[bytes], Edited]
    subject: str
    person: str = ""
    fingerprint: str = ""
    certificate: bytes | None = None
    consequences: tuple[str, ...] = ()


@dataclass(slots=True)
class PolicyFile:
    """The policy file in the working tree."""

    session: Session
    name: PolicyName
    path: Path
    worktree: Path
    git: Git
    written: list[Path] = field(default_factory=list)


def policy_file(session: Session) -> PolicyFile:
    """Return the policy file of the working tree. Raises UsageProblem where there is none, or several."""
    worktree = session.repository.worktree
    if worktree is None:
        raise UsageProblem("this is a bare repository, which has no files: do it in a clone, or name a REV")
    there = [name for name in POLICY_FILES if os.path.lexists(worktree / os.fsdecode(name))]
    name = named(session, there)
    if name is None:
        raise UsageProblem("there is no policy file here: “gitverify init” writes a first one")
    path = worktree / os.fsdecode(name.path)
    if path.parent.resolve() != worktree.resolve() / os.path.dirname(os.fsdecode(name.path)):  # noqa: PTH120
        raise UsageProblem(f"{shown(name.path)} lies behind a symlink, so it is no file of this repository")
    return PolicyFile(session, name, path, worktree, Git(session.repository.path, worktree, os.environ))


def make(file: PolicyFile, change: Change, *, dry_run: bool, commit: bool, message: str | None) -> Iterator[str]:
    """Do it, and yield what there is to say. Raises UsageProblem; then nothing was changed, if it does not say so."""
    if file.name.dialect is not Dialect.NATIVE:
        raise UsageProblem(
            f"{shown(file.name.path)} is a policy of the {file.name.dialect} dialect: edit it by hand, then ask "
            "“gitverify policy check”"
        )
    before = read_file(file.path)
    edited = _edited(file, change, before)
    head = CommittedTree(file.session.repository, file.session.revision.commit)
    warnings = list(_new_warnings(file, change, head, before, edited.data))
    if dry_run:
        yield from _diff(file, before, edited.data)
        if change.certificate is not None:
            yield f"note: the certificate of {change.fingerprint} would be written beside it"
        yield from (f"note: {note}" for note in edited.notes)
        yield from warnings
        return
    if commit and (edited.data != before or change.certificate is not None):
        check_signer(file.git, head, file.name)
        check_unchanged(head, file.name, before)
    _write(file, change, before, edited.data)
    yield from edited.notes
    if not file.written:
        yield "nothing had to be changed"
        return
    yield from change.consequences
    yield from warnings
    yield from _committed(file, message or change.subject) if commit else _next(file, message or change.subject)


def _edited(file: PolicyFile, change: Change, before: bytes) -> Edited:
    try:
        return change.edit(before)
    except EditRefused as refused:
        raise UsageProblem(f"{shown(file.name.path)}: {refused}") from None
    except PolicyError as error:
        raise UsageProblem(f"{shown(file.name.path)} has an error, correct it first: {error}") from None


def _write(file: PolicyFile, change: Change, before: bytes, after: bytes) -> None:
    """Write the certificate first: by itself it changes nothing."""
    if change.certificate is not None:
        policy = check(after, file.name.dialect, None, lambda _: lambda _: True).policy
        directory = (policy.openpgp_keys if policy is not None else None) or b".gitverify/keys"
        name = f"{change.person}-{change.fingerprint[-16:]}.asc"
        written = write_certificate(file.worktree, directory, name, change.certificate)
        file.written += [written] if written is not None else []
    if after != before:
        replace_file(file.path, before, after)
        file.written.append(file.path)


def _new_warnings(file: PolicyFile, change: Change, head: CommittedTree, before: bytes, after: bytes) -> Iterator[str]:
    """Yield what is likely wrong afterwards and was not before."""
    old, new = (
        check(
            data,
            file.name.dialect,
            head,
            lambda policy: (fingerprints_in(file.worktree, policy.openpgp_keys) | {change.fingerprint}).__contains__,
        ).findings
        for data in (before, after)
    )
    known = {finding.message for finding in old}
    return (f"warning: {finding.message}" for finding in new if finding.message not in known)


def _diff(file: PolicyFile, before: bytes, after: bytes) -> Iterator[str]:
    name = shown(file.name.path)
    old, new = (data.decode().removesuffix("\n").split("\n") for data in (before, after))
    for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""):
        yield line[:1] + shown(line[1:].removesuffix("\r"), 10_000)


def _paths(file: PolicyFile) -> list[str]:
    return [shlex.quote(shown(str(path.relative_to(file.worktree)), 1000)) for path in file.written]


def _next(file: PolicyFile, subject: str) -> Iterator[str]:
    yield f"changed {' and '.join(_paths(file))}; it counts from the commit after the one that has it"
    new = _paths(file) if file.path not in file.written else _paths(file)[:-1]
    add = f"git add {' '.join(new)} && " if new else ""
    yield f"next: {add}git commit -S -m {shlex.quote(shown(subject))} -- {' '.join(_paths(file))}"


def _committed(file: PolicyFile, message: str) -> Iterator[str]:
    made = signed_commit(file.git, message, file.written)
    yield f"committed and signed as {made}"
    yield "next: gitverify verify, then git push"
