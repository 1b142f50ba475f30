"""What is shown before a person signs, and what there is to do afterwards. All of it is escaped."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from gitverify.report.human import day, number
from gitverify.report.paths import path_lines
from gitverify.session import commit_line
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.adopt.plan import Plan
    from gitverify.adopt.survey import Survey
    from gitverify.rules.facts import Authorized
    from gitverify.session import Session

_INDENT = " " * 11
_MOST_COMMITS = 20
_MOST_AUTHORS = 12
_MINUS = "\N{MINUS SIGN}"


def overview(session: Session, plan: Plan, survey: Survey, signer: Authorized | None) -> list[str]:
    """Return what the signature would vouch for: commits, authors, paths; and whose signature it would be."""
    name = shown(plan.branch.name)
    if plan.seals:
        lines = [f"seal       {name}: {_commit(session, plan.branch.tip)}"]
        lines.append(f"on top of  {_commit(session, plan.first)}, its newest authentic commit")
        default = session.repository.symbolic("refs/remotes/origin/HEAD")
        if default not in {None, session.revision.reference}:
            other = shown((default or "").removeprefix("refs/remotes/"))
            lines.append(f"{_INDENT}(if it was made to be merged into {other}, say --onto {other})")
    else:
        lines = [f"adopt      {name}: {_commit(session, plan.branch.tip)}"]
        lines.append(f"onto       {plan.target}: {_commit(session, plan.first)}, authentic")
    lines += _commits(session, plan)
    lines += _authors(session, plan)
    what = number(survey.count, "path") if survey.count else "nothing"
    counts = f", +{survey.added:,} {_MINUS}{survey.removed:,} lines" if survey.added or survey.removed else ""
    lines.append(f"changes    {what}{counts}, compared with {plan.first.hex()[:12]}")
    lines += [_INDENT + line for line in path_lines(survey.paths, survey.count)]
    lines.append(f"{_INDENT}all of it: git diff {plan.first.hex()[:12]} {plan.tree.hex()[:12]}")
    if survey.policy_file:
        lines.append(
            f"policy     the policy file is among them: {shown(plan.judgement.policy_path)} will be another one"
        )
    if signer is not None:
        voucher = signer.vouchers[0]
        lines.append(f"signer     {shown(voucher.person)}, key {voucher.key}")
    else:
        lines.append("signer     not known before it is signed; then the merge is verified, before it is used")
    return lines


def _commits(session: Session, plan: Plan) -> list[str]:
    count = len(plan.strangers)
    lines = [f"vouch for  {number(count, 'commit')} that {'is' if count == 1 else 'are'} not authentic:"]
    for commit, code in plan.strangers[:_MOST_COMMITS]:
        line = commit_line(session.repository, commit)
        by = f", {shown(_identity(line.author), 60)}, {day(line.date)}" if line is not None else ""
        lines.append(f"{_INDENT}{_commit(session, commit)}{by}: {code}")
    if count > _MOST_COMMITS:
        lines.append(f"{_INDENT}and {number(count - _MOST_COMMITS, 'more commit')}")
    if plan.others:
        lines.append(f"{_INDENT}and what {number(plan.others, 'authentic commit')} beside them changed")
    return lines


def _authors(session: Session, plan: Plan) -> list[str]:
    authors: Counter[bytes] = Counter()
    for commit, _ in plan.strangers:
        line = commit_line(session.repository, commit)
        authors[_identity(line.author) if line is not None else b"?"] += 1
    lines = [f"authors    {len(authors):,}, by the commits' own account:"]
    lines += [f"{_INDENT}{count:>5,}  {shown(author, 80)}" for author, count in authors.most_common(_MOST_AUTHORS)]
    if len(authors) > _MOST_AUTHORS:
        lines.append(f"{_INDENT}and {number(len(authors) - _MOST_AUTHORS, 'more author')}")
    return lines


def next_steps(session: Session, plan: Plan) -> list[str]:
    """Return what to do with the new commit: git commands that fast-forward, none that forces."""
    branch, reference = plan.branch, session.revision.reference or ""
    followed = session.settings.tracked(reference)
    onto = _push(followed[0], branch.name, followed[1]) if followed is not None else None
    own = branch.theirs if branch.theirs and (branch.remote, branch.theirs) != followed else branch.reference
    remote = branch.remote or (followed[0] if followed is not None else None)
    if plan.seals:
        push = onto if reference == branch.upstream else _push(remote, branch.name, own) if remote is not None else None
        return [f"next       {push or 'push it as usual; no force is needed'}"]
    if onto is None and reference.startswith("refs/heads/"):
        name = reference.removeprefix("refs/heads/")
        onto = f"git switch {_word(name)} && git merge --ff-only {_word(branch.name)}"
    lines = []
    if plan.policy.unsigned_merges and remote is not None:
        lines.append(f"next       {_push(remote, branch.name, own)}")
        lines.append(f"{_INDENT}and merge it there with a merge commit: neither squashed nor rebased")
        if onto is not None:
            lines.append(f"or         {onto}")
    else:
        lines.append(f"next       {onto or 'fast-forward the target branch to it'}")
    return lines


def _push(remote: str, name: str, theirs: str) -> str:
    there = theirs.removeprefix("refs/heads/")
    return f"git push {_word(remote)} {_word(name if name == there else f'{name}:{there}')}"


def _word(text: str) -> str:
    """Return a word for a shell; what would have to be escaped to be shown can't be copied from there anyway."""
    return shlex.quote(shown(text))


def _identity(line: bytes) -> bytes:
    return line.rpartition(b">")[0] + b">" if b">" in line else line


def _commit(session: Session, commit: bytes) -> str:
    line = commit_line(session.repository, commit)
    return commit.hex()[:12] + (f" “{shown(line.subject, 60)}”" if line is not None else "")
