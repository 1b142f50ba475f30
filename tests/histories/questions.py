"""What is asked about a history, and the whole of both: a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import reference
from histories.people import START, STEP
from reference import DAY, History, Known, Question

if TYPE_CHECKING:
    from histories.dice import Dice
    from histories.growth import Growth


@dataclass(frozen=True)
class Case:
    """A history, what is asked about it, and what was spoiled (nothing, of most)."""

    history: History
    question: Question
    dialect: str
    spoiled: tuple[str, ...] = ()


def marks_of(known: Known, names: list[str]) -> dict[str, frozenset[str]]:
    """The marks that a run could have left: of the tips among these that would be accepted."""
    accepted = [name for name in names if reference.is_main(known, name)]
    return {name: reference.r23_mark(known, name) for name in accepted}


def draw_question(growth: Growth) -> Question:
    """Ask about the newest commit of the line, or seldom about any, with options that the newest satisfies."""
    dice, world, known = growth.dice, growth.world, growth.known
    newest = growth.line[-1]
    reached = reference.binding_reach(known, newest)
    before = [name for name in growth.line if name in reached]
    signature = growth.history[world.introduction].signature
    fresh = reference.r26_problem(known, newest, 1000 * DAY, START) is None
    marked = dice.some(before[::-1], 2)
    return Question(
        world.introduction,
        dice.pick(list(growth.history)[::-1]) if growth.paths and dice.one_in(4) else newest,
        dialect=dice.pick([None, world.dialect]),
        signer=signature.key if signature.kind == "good" and dice.one_in(2) else None,
        marks=frozenset().union(*marks_of(known, marked).values()),
        contains=frozenset(dice.some(sorted(reached), 2)),
        max_age=1000 * DAY if fresh and dice.one_in(2) else None,
        now=START + 12 * STEP,
        historical=world.historical,
    )


def with_true_marks(case: Case) -> Case:
    """Keep the marks that a run could have left, from the same introduction, now that something was spoiled."""
    if not case.question.marks:
        return case
    world = reference.anchored(case.history, replace(case.question, signer=None))
    marks: frozenset[str] = frozenset()
    if isinstance(world, reference.World):
        marks = frozenset().union(*marks_of(reference.decide_all(world), list(case.history)).values())
    return replace(case, question=replace(case.question, marks=case.question.marks & marks))


def without_broken_givens(case: Case) -> Case:
    """Mend what the introduction reaches: how much of it is read to judge others is nobody's business."""
    question, history = case.question, case.history
    if question.introduction not in history:
        return case
    given = reference.closure(history, question.introduction) - {question.introduction}
    return replace(case, history={n: replace(c, malformed="") if n in given else c for n, c in history.items()})


def draw_other_question(dice: Dice, what: str, case: Case) -> Case:
    """Ask for something else: another tip, introduction, signer or dialect, or a floor that may not be reached."""
    names = list(case.history)
    some = dice.pick(names)
    world = reference.anchored(case.history, replace(case.question, signer=None))
    line, marks = [case.question.introduction], frozenset({some})
    if isinstance(world, reference.World):
        known = reference.decide_all(world)
        line = [name for name in names if reference.is_main(known, name)]
        marks = reference.r23_mark(known, dice.pick(line))
    keys = sorted({commit.signature.key for commit in case.history.values()} - {""})
    change = {
        "tip": {"tip": some},
        "introduction": {"introduction": some},
        "signer": {"signer": dice.pick([*keys, "ssh9" if case.dialect != "guix" else "pgp9"])},
        "dialect": {"dialect": dice.pick(list(reference.DIALECT_FILES))},
        "mark": {"marks": marks, "tip": dice.pick(line)},
        "marks": {"marks": frozenset({some, dice.pick(names)})},
        "contains": {"contains": frozenset({some})},
        "max_age": {"max_age": dice.number(12) * STEP},
    }[what]
    return replace(case, question=replace(case.question, **change))


SPOILED_QUESTION = ["tip", "introduction", "signer", "dialect", "mark", "mark", "marks", "contains", "max_age"]
