"""Choosing an introduction: what is about to be trusted, and what trusting it would give up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.anchor import load_anchor
from gitverify.request import Stop
from gitverify.session import Session, Unanswerable, commit_line

if TYPE_CHECKING:
    from gitverify.mark import Mark, MarkKey
    from gitverify.policies.model import Dialect
    from gitverify.report.model import CommitLine


@dataclass(frozen=True, slots=True)
class Introduced:
    """An introduction that holds: it is here, has a sound policy, and the signer asked for signed it."""

    commit: bytes
    line: CommitLine
    signing_key: str
    policy_path: bytes
    dialect: Dialect
    people: tuple[str, ...]
    given_up: tuple[tuple[MarkKey, Mark], ...]


def introduce(session: Session, commit: bytes, branch: str | None) -> Introduced:
    """Look at a commit as an introduction. Raises Unanswerable, MissingObject.

    ``given_up`` are the marks of this repository (of this branch, where one is named) under other introductions
    that have none under this one: the rollback protection that would be lost.
    """
    try:
        anchor = load_anchor(session.repository, session.request())
        signing_key = anchor.signing_key(session.repository)
    except Stop as answer:
        refusal = answer.refusals[0]
        raise Unanswerable(refusal.code, refusal.message, verdict=answer.verdict, rule=refusal.rule) from None
    line = commit_line(session.repository, commit)
    if line is None:  # pragma: no cover - the anchor was just read from it
        raise Unanswerable("introduction-missing", f"{commit.hex()} can't be read")
    return Introduced(
        commit=commit,
        line=line,
        signing_key=signing_key,
        policy_path=anchor.examination.policy_path,
        dialect=anchor.examination.dialect,
        people=tuple(sorted(anchor.policy.people)),
        given_up=_given_up(session, commit, branch),
    )


def _given_up(session: Session, commit: bytes, branch: str | None) -> tuple[tuple[MarkKey, Mark], ...]:
    names = session.repository_names()
    with session.open_store(read_only=True) as store:
        mine = [(key, mark) for key, mark in store.all() if key.repository in names]
    if branch is not None and session.identity is not None:
        mine = [(key, mark) for key, mark in mine if key.ref == session.identity.ref]
    kept = {key.ref for key, _ in mine if key.introduction == commit}
    return tuple((key, mark) for key, mark in mine if key.introduction != commit and key.ref not in kept)
