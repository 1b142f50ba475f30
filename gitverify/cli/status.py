"""``gitverify status``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from gitverify.anchor import load_anchor
from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.verify import answered, query
from gitverify.errors import MalformedCommit, MalformedTree
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Policy
from gitverify.report.human import day, number
from gitverify.request import Stop
from gitverify.session import Session, Unanswerable, commit_line
from gitverify.text import shown
from gitverify.treepath import components
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.anchor import Anchor


@click.command("status")
@options.REPOSITORY
@options.ANCHOR
@options.STATE_DIRECTORY
@options.BRANCH
def command(**asked: Any) -> int:
    """Show what this clone trusts: the introduction, the marks with their age, and who may do what today.

    Checks the introduction, nothing else: whether HEAD is authentic is for “gitverify verify” to say.
    """

    def run() -> int:
        session = Session(query("HEAD", no_state=True, **asked))
        try:
            anchor = load_anchor(session.repository, session.request())
        except Stop as answer:
            refusal = answer.refusals[0]
            raise Unanswerable(refusal.code, refusal.message, verdict=answer.verdict, rule=refusal.rule) from None
        _introduction(session, anchor)
        _marks(session, anchor)
        _people(session, anchor)
        return 0

    return answered(run)


def _introduction(session: Session, anchor: Anchor) -> None:
    line = commit_line(session.repository, anchor.facts.id)
    subject = f" “{shown(line.subject, 80)}”" if line is not None else ""
    out(f"introduction  {anchor.facts.id.hex()}{subject}, {day(anchor.facts.date)}")
    out(f"signer        {session.signer or 'any (none was named when it was trusted)'}")
    out(f"policy        {shown(anchor.examination.policy_path)} ({anchor.examination.dialect} dialect)")


def _marks(session: Session, anchor: Anchor) -> None:
    with session.open_store(read_only=True) as store:
        marks = store.all(anchor.facts.id)
        events = store.events()
    names = session.repository_names()
    own = [(key, mark) for key, mark in marks if key.repository in names]
    if not marks:
        out("marks         none yet: run gitverify verify")
    for key, mark in own or marks:
        days = max(0, int(time.time()) - mark.recorded_at) // 86_400
        age = "today" if not days else f"{number(days, 'day')} ago"
        for commit in mark.commits:
            line = commit_line(session.repository, commit)
            subject = f" “{shown(line.subject, 60)}”" if line is not None else " (not in this clone)"
            out(f"mark          {shown(key.ref)} of {shown(key.repository)}: {commit.hex()[:12]}{subject}")
        out(f"              {number(mark.accepted, 'commit')} accepted, moved {age}")
    for event in [event for event in events if event.key.introduction == anchor.facts.id][-3:]:
        before, after = (ids[0].hex()[:12] for ids in (event.before, event.after))
        where = shown(event.key.ref)
        out(f"rollback      {day(event.recorded_at)}: {before} to {after} on {where}, allowed by the user")


def _people(session: Session, anchor: Anchor) -> None:
    """Who may do what by the policy in HEAD's tree."""
    policy: object = None
    try:
        commit = parse_commit(read_commit(session.repository, session.revision.commit))
        first, *rest = components(anchor.examination.policy_path)
        entry = anchor.trees.walk(anchor.trees.find(commit.tree, (first,))[0], tuple(rest))
        policy = anchor.book.policy(entry) if entry is not None else None
    except (MalformedCommit, MalformedTree):
        pass
    if not isinstance(policy, Policy):
        why = f": {policy[1]}" if isinstance(policy, tuple) else ""
        out(f"people        HEAD has no policy that can be used{why}")
        return
    out(f"people        {len(policy.people)}, by the policy in HEAD (which is not verified by this command)")
    for person in policy.people.values():
        edits = person.name in policy.editors
        rights = ["everything" + ("" if edits else " but the policy file")] if person.name in policy.whole_tree else []
        if not rights:
            paths = (str(path) for grant in policy.grants if person.name in grant.people for path in grant.paths)
            rights = [shown(path) for path in paths] or ["nothing"]
        if edits and person.name not in policy.whole_tree:
            rights.append("the policy file")
        out(f"              {shown(person.name)}: may change {', '.join(rights)}")
        for spec in person.keys:
            out(f"                {spec.key}")
