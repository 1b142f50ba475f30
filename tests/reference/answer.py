"""The whole question: the anchor, then the commits, then the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.floor import floor_problems, r23_problem
from reference.intersection import decide_by_intersection
from reference.known import (
    Decision,
    Known,
    closure,
    found_from,
    is_authentic,
    is_given,
    is_main,
    parents_of,
)
from reference.model import History, Question, RefCommit, RefReport, World
from reference.native import decide_native
from reference.paths import own_entry
from reference.policies import r3_policy_file, r14_file_problem

if TYPE_CHECKING:
    from collections.abc import Iterable


# --- the anchor -----------------------------------------------------------------------------------------------


def error(code: str) -> RefReport:
    """The question can't be put."""
    return RefReport("error", frozenset({code}))


def refused(code: str, **codes: str) -> RefReport:
    """The tip is refused for this reason."""
    return RefReport("refused", frozenset({code}), codes)


def anchored(history: History, question: Question) -> World | RefReport:
    """R1, R3 and R14: the introduction is there, with a sound policy, and signed by exactly the key that was given.

    *Reading*: trusted as the introduction may be, its policy can't be read from what R6 and R7 refuse; the signer is
    asked for last, because the policy says where certificates are.
    """
    introduction = question.introduction
    if introduction not in history:
        return error("introduction-missing")
    commit = history[introduction]
    if commit.malformed:
        return refused(commit.malformed, **{introduction: commit.malformed})
    found = r3_policy_file(commit.tree, question.dialect)
    if found is None:
        return error("introduction-policy")
    world = World(history, introduction, *found, question.historical)
    if r14_file_problem(world.dialect, own_entry(world, commit)):
        return error("introduction-policy")
    if question.signer is not None and (commit.signature.kind, commit.signature.key) != ("good", question.signer):
        return refused("introduction-signer")
    return world


# --- the commits ----------------------------------------------------------------------------------------------


def decide(known: Known, commit: RefCommit) -> Decision:
    """Decide on a commit whose parents are decided."""
    if commit.malformed:
        return Decision(commit.malformed)
    if known.world.dialect == "native":
        return decide_native(known, commit)
    if not all(is_authentic(known, parent) for parent in commit.parents):
        return Decision("parent-not-authentic")
    return decide_by_intersection(known, commit)


def decide_all(world: World) -> Known:
    """Decide on every commit but the given ones, parents first."""
    known = Known(world)
    for name, commit in world.history.items():
        if not is_given(known, name):
            known.decisions[name] = decide(known, commit)
    return known


def reported(known: Known, tip: str) -> dict[str, str]:
    """The refused commits that the tip reaches through refused commits alone, with their codes."""
    history = known.world.history

    def refused_ones(names: Iterable[str]) -> list[str]:
        return [name for name in names if not is_authentic(known, name)]

    found = found_from(refused_ones([tip]), lambda name: refused_ones(parents_of(history, name)))
    return {name: known.decisions[name].code for name in history if name in found}


def first_codes(history: History, codes: dict[str, str]) -> frozenset[str]:
    """The codes of the refused commits that reach no other refused commit: one of them is the oldest."""
    return frozenset(code for name, code in codes.items() if closure(history, name) & set(codes) == {name})


# --- the answer -----------------------------------------------------------------------------------------------


def r2_problem(known: Known, tip: str) -> str | None:
    """R2: the tip descends from the introduction, by commits that can be read (behind others, nobody knows)."""
    world = known.world
    below = closure(world.history, tip)
    unread = [name for name in below if world.history[name].malformed == "malformed-commit"]
    if world.introduction not in below and all(is_given(known, name) for name in unread):
        return "not-descendant"
    return "not-descendant" if is_authentic(known, tip) and not is_main(known, tip) else None


def answer(known: Known, question: Question) -> RefReport:
    """Answer about a tip, once every commit is decided."""
    problem = r2_problem(known, question.tip)
    if problem:
        return refused(problem)
    codes = reported(known, question.tip)
    reasons = first_codes(known.world.history, codes) if codes else floor_problems(known, question)
    return RefReport("refused" if reasons else "authentic", reasons, codes)


def judge(history: History, question: Question) -> RefReport:
    """Answer whether the tip is authentic."""
    world = anchored(history, question)
    return world if isinstance(world, RefReport) else answer(decide_all(world), question)


def newest_authentic(known: Known, question: Question) -> str | None:
    """R27: the newest commit on the tip's first-parent line that is authentic and satisfies the mark."""
    name: str | None = question.tip
    while name is not None:
        if is_main(known, name) and r23_problem(known, name, question.marks) is None:
            return name
        name = next(iter(parents_of(known.world.history, name)), None)
    return None
