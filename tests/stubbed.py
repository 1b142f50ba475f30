"""Signatures without cryptography, for hundreds of thousands of histories.

What stands in a commit's ``gpgsig`` is then not a signature but its result: a kind and a key id. The engine's examiner
is told to read that in the place of a signature; everything else that it does it still does. As certificates
are read for OpenPGP keys alone, native histories have SSH keys of the same names instead. Policy files that have
been parsed before are not parsed again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING
from unittest.mock import patch

import signing
from reference import Listing, RefCommit, RefPolicy, RefSignature

from gitverify import policybook
from gitverify.examine import Examiner
from gitverify.signatures.result import SignatureRefused, Signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from histories import Case

CODES = {"bad": "bad-signature", "weak": "weak-signature", "unknown-key": "unknown-key"}


def signature_text(commit: RefCommit, payload: bytes, dialect: str) -> str | None:
    """What stands for a signature."""
    kind, key = commit.signature.kind, commit.signature.key
    if kind == "absent":
        return None
    return f"{kind} {signing.key_id(key) if key else '-'}"


def _prepared(self: Examiner, signature: bytes | None, *, historic: bool):
    if signature is None:
        raise SignatureRefused("unsigned", "the commit has no signature")
    kind, key = signature.decode().split()
    if kind != "good":
        raise SignatureRefused(CODES.get(kind, "unsupported-signature"), kind, (key,) if key != "-" else ())
    return lambda _: Signed(key)


@contextmanager
def without_cryptography() -> Iterator[None]:
    """The engine takes ``signature_text`` for a signature meanwhile."""
    with (
        patch.object(Examiner, "_prepared", _prepared),
        patch.object(policybook, "parse", cache(policybook.parse)),
    ):
        yield


def ssh_name(key: str) -> str:
    """The name of the SSH key in an OpenPGP key's place."""
    return f"ssh-{key}" if key and signing.is_openpgp(key) else key


@cache
def _with_ssh_keys(policy: RefPolicy) -> RefPolicy:
    people = [
        replace(person, listings=tuple(Listing(ssh_name(listing.key)) for listing in person.listings))
        for person in policy.people
    ]
    return replace(policy, people=tuple(people))


def _renamed(commit: RefCommit) -> RefCommit:
    tree = {
        path: replace(entry, content=_with_ssh_keys(entry.content)) if isinstance(entry.content, RefPolicy) else entry
        for path, entry in commit.tree.items()
    }
    signature = RefSignature(commit.signature.kind, ssh_name(commit.signature.key))
    return replace(commit, tree=tree, signature=signature)


def with_ssh_keys(case: Case) -> Case:
    """The case without OpenPGP keys, if it is a native one."""
    if case.dialect != "native":
        return case
    question = replace(case.question, signer=case.question.signer and ssh_name(case.question.signer))
    history = {name: _renamed(commit) for name, commit in case.history.items()}
    return replace(case, history=history, question=question)
