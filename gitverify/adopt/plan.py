"""What is to be made: the first parent, the tree, and all that the signature will vouch for. Nothing is written yet.

Where the target branch is authentic, its tip becomes the first parent (*adopt*). Where it is not, and is part of the
branch, somebody has put something on it that is not authentic: then the newest authentic commit below takes that place,
and the tree stays what it is (*seal*). Either way the branch's old tip is the second parent, so nothing is rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.adopt.ask import NotAdopted, NothingToAdopt
from gitverify.adopt.merge import merged_tree
from gitverify.errors import MalformedCommit
from gitverify.policies.model import Dialect, Policy
from gitverify.report.model import Report
from gitverify.rules.facts import Refusal
from gitverify.session import UsageProblem, commit_line
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.adopt.ask import Asking
    from gitverify.adopt.branch import Branch
    from gitverify.git import Git
    from gitverify.judgement import Judgement
    from gitverify.request import Outcome

_ALLOW = "adopting_merges: true"


@dataclass(frozen=True, slots=True)
class Plan:
    """A merge that can be made.

    ``target`` is the name of the branch that it goes onto, safe to show; ``first`` is the first parent, and ``policy``
    the one that judges. ``strangers``: the commits that the merge vouches for, newest first, with the reason code of
    each; ``others``: how many authentic ones it brings in beside them.
    """

    branch: Branch
    target: str
    seals: bool
    first: bytes
    tree: bytes
    policy: Policy
    judgement: Judgement = field(repr=False)
    strangers: tuple[tuple[bytes, str], ...]
    others: int

    @property
    def parents(self) -> tuple[bytes, bytes]:
        """The parents of the merge."""
        return self.first, self.branch.tip


def make_plan(asking: Asking, git: Git, branch: Branch) -> Plan:
    """Find out what to make. Raises NotAdopted, NothingToAdopt, UsageProblem, GitError, MissingObject."""
    session = asking.session
    tip, target = branch.tip, session.revision.commit
    try:
        before = asking.tree(tip)
    except MalformedCommit as error:
        raise UsageProblem(f"{shown(branch.name)} ends in a malformed commit ({error}): leave that one out") from None
    name = _short(session.revision.reference or session.query.rev)
    found = asking.verify(target)
    seals = found.verdict != "authentic"
    first = _below(asking, git, branch, found, name) if seals else target
    if not seals and git.reaches(target, tip):
        raise NothingToAdopt(f"{shown(branch.name)} has nothing that {name} does not have, and that is authentic")
    judgement = asking.judge(before, (first, tip))
    if judgement.is_authentic(tip):
        if seals:  # the tip's commits are authentic, and yet it was refused: it goes back behind a mark
            raise asking.refused(found)
        raise NothingToAdopt(f"every commit of {shown(branch.name)} is authentic, so it can be merged as it is")
    policy = _policy(asking, judgement, first)
    tree = before if seals or git.reaches(tip, target) else merged_tree(git, target, tip, name)
    strangers, others = _brought_in(judgement, first, tip)
    return Plan(branch, name, seals, first, tree, policy, judgement, strangers, others)


def _below(asking: Asking, git: Git, branch: Branch, found: Outcome, name: str) -> bytes:
    """Return the newest authentic commit of a branch that is not authentic itself (R27)."""
    tip, target = branch.tip, asking.session.revision.commit
    if found.verdict != "refused":
        raise asking.refused(found)
    if target == tip:
        own = found
    elif git.reaches(tip, target):
        own = asking.verify(tip)
    elif git.reaches(target, tip):
        raise UsageProblem(f"{shown(branch.name)} is behind {name}: update it first (git merge --ff-only {name})")
    else:
        hint = f"{name} itself is not authentic: seal it first (git switch to it, then gitverify adopt)"
        raise asking.refused(found, hint)
    if own.verdict == "authentic":
        raise NothingToAdopt(f"{shown(branch.name)} is authentic already; push it")
    if own.fallback is None:
        raise asking.refused(found)
    return own.fallback


def _policy(asking: Asking, judgement: Judgement, first: bytes) -> Policy:
    """Return the policy of the first parent, which has to allow adopting (R20)."""
    policy = judgement.parent(first).policy
    if not isinstance(policy, Policy):  # pragma: no cover - an authentic commit has one
        raise UsageProblem("the first parent has no policy")
    if policy.dialect is not Dialect.NATIVE:
        raise UsageProblem(f"histories of the {policy.dialect} dialect have no adopting merges (docs/dialects.md)")
    if not policy.adopting_merges:
        path = shown(judgement.policy_path)
        message = f"the policy of {first.hex()[:12]} does not allow adopting merges"
        hint = f"One of its editors ({_people(policy.editors)}) adds the line “{_ALLOW}” to {path}, in a commit before."
        raise refuse(asking, Refusal(b"", "R20", "parent-not-authentic", message, hint, judged_by=first))
    return policy


def refuse(asking: Asking, refusal: Refusal, details: tuple[str, ...] = ()) -> NotAdopted:
    """Make the answer that a merge would not be authentic."""
    report = Report(problem=refusal, problem_verdict="refused")
    if refusal.judged_by is not None:
        line = commit_line(asking.session.repository, refusal.judged_by)
        report.lines.update({refusal.judged_by: line} if line is not None else {})
    return NotAdopted(report, details)


def _brought_in(judgement: Judgement, first: bytes, tip: bytes) -> tuple[tuple[tuple[bytes, str], ...], int]:
    """Return what the tip reaches and the first parent does not: what is not authentic, and how much is."""
    beyond = _reached(judgement, tip) - _reached(judgement, first)
    strangers, others = [], 0
    for commit in reversed(judgement.order):
        if commit in beyond:
            decision = judgement.decisions[commit]
            if isinstance(decision, Refusal):
                strangers.append((commit, decision.code))
            else:
                others += 1
    return tuple(strangers), others


def _reached(judgement: Judgement, start: bytes) -> set[bytes]:
    parents_of = judgement.parents_of
    found: set[bytes] = set()
    todo = [start]
    while todo:
        commit = todo.pop()
        if commit in parents_of and commit not in found:
            found.add(commit)
            todo += parents_of[commit]
    return found


def _short(reference: str) -> str:
    """Return a reference's name as people write it, safe to show."""
    return shown(reference.removeprefix("refs/heads/").removeprefix("refs/remotes/"))


def _people(names: frozenset[str]) -> str:
    return ", ".join(shown(name) for name in sorted(names)[:6]) + (" …" if len(names) > 6 else "")
