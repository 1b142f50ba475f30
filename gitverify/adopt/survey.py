"""What the merge would change, and whether the person who is about to sign it may (R17, R20)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.adopt.plan import refuse
from gitverify.errors import MalformedTree, TooMuch
from gitverify.explain import what_happened
from gitverify.policies.rights import Register
from gitverify.report.human import number
from gitverify.report.paths import PathLine, names, path_lines
from gitverify.rules.facts import Authorized, Refusal
from gitverify.rules.hints import HINTS
from gitverify.rules.vouch import listed
from gitverify.session import UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.adopt.ask import Asking
    from gitverify.adopt.plan import Plan
    from gitverify.git import Git
    from gitverify.policies.rights import Rights

MOST_PATHS = 1000  # that are kept to be shown


@dataclass(slots=True)
class Survey:
    """The changes against the first parent. ``policy_file``: whether it is one of them."""

    count: int = 0
    paths: list[PathLine] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    policy_file: bool = False


def survey(asking: Asking, git: Git, plan: Plan) -> Survey:
    """Collect what the merge changes, with who may change it. Raises MissingObject, MalformedTree, GitError."""
    found = Survey()
    counts = _line_counts(git, asking.tree(plan.first), plan.tree)
    for path, what, rights in _changes(asking, plan):
        found.count += 1
        added, removed = counts.get(path, (0, 0))
        found.added += added
        found.removed += removed
        found.policy_file = found.policy_file or rights.policy_file
        if len(found.paths) < MOST_PATHS:
            extra = f"  +{added:,} −{removed:,}" if added or removed else ""  # noqa: RUF001  (a minus sign)
            found.paths.append(PathLine(path, what, rights, extra))
    return found


def check_signer(asking: Asking, plan: Plan, keys: tuple[str, ...]) -> Authorized | None:
    """Return the decision on the merge, were it signed by one of these keys; None where none is known.

    Raises NotAdopted where it would be refused whichever of them signs.
    """
    refusals: list[Refusal] = []
    for key in keys:
        decision = plan.judgement.imagine(plan.tree, plan.parents, key, asking.now)
        if isinstance(decision, Authorized):
            return decision
        refusals.append(decision)
    if not refusals:
        return None
    material = plan.judgement.parent(plan.first).material
    if not any(listed(key, plan.policy, material) for key in keys):
        message = f"git would sign with key {keys[0]}, and the policy of {plan.first.hex()[:12]} does not list it"
        hint = "Set user.signingKey to a key that it lists, or have a listed person do this."
        raise refuse(asking, Refusal(b"", "R8", "unauthorized-key", message, hint, key=keys[0], judged_by=plan.first))
    refusal = next((each for each in refusals if each.person is not None), refusals[0])
    raise refuse(asking, refusal, tuple(_beyond(asking, plan, refusal.person)))


def _beyond(asking: Asking, plan: Plan, person: str | None) -> Iterator[str]:
    """Say which paths the person may not change, and who may change them all."""
    if person is None:
        return
    missing: list[PathLine] = []
    count = 0
    everywhere: frozenset[str] | None = None
    for path, what, rights in _changes(asking, plan):
        everywhere = rights.people & (rights.people if everywhere is None else everywhere)
        if person not in rights.people:
            count += 1
            missing += [PathLine(path, what, rights)] if len(missing) < MOST_PATHS else []
    if not missing:
        return
    yield f"{shown(person)} has no grant on {number(count, 'path')}:"
    yield from (f"  {line}" for line in path_lines(missing, count))
    if everywhere:
        yield f"who may sign all of it: {names(everywhere)}"


def _changes(asking: Asking, plan: Plan) -> Iterator[tuple[bytes, str, Rights]]:
    judgement = plan.judgement
    register = Register(plan.policy, judgement.policy_path)
    try:
        for change in judgement.inquiry.changes(asking.tree(plan.first), plan.tree):
            yield change.path, what_happened(change), register.rights(change.path)
    except MalformedTree as error:
        raise refuse(asking, Refusal(b"", "R7", "malformed-tree", str(error), HINTS["malformed-tree"])) from None
    except TooMuch as error:
        raise UsageProblem(f"this is more than anyone could vouch for: {error}") from None


def _line_counts(git: Git, before: bytes, after: bytes) -> dict[bytes, tuple[int, int]]:
    """Return how many lines were added to and removed from each text file, as git counts them."""
    options = ("-r", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
    counts = {}
    for record in git.run("diff-tree", *options, before.hex(), after.hex()).output.split(b"\0"):
        added, _, rest = record.partition(b"\t")
        removed, _, path = rest.partition(b"\t")
        if added.isdigit() and removed.isdigit():
            counts[path] = int(added), int(removed)
    return counts
