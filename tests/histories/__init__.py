"""Small random histories of every dialect, most of them authentic or wrong in one thing, with a question about each.

``dice`` is where choices come from; ``contents`` are the trees, ``people`` the policies; a history grows (``growth``)
by ``plain`` commits or, in the native dialect, by ``steps`` and ``plots``; ``questions`` are asked about it; then one
thing is spoiled (``spoiling``), or none, or (seldom) several.
"""

from __future__ import annotations

from histories.dice import Dice, seeded, thrown
from histories.people import START, draw_changed_policy, draw_policy
from histories.plain import draw_plain
from histories.plots import draw_rich
from histories.questions import (
    SPOILED_QUESTION,
    Case,
    draw_other_question,
    draw_question,
    with_true_marks,
    without_broken_givens,
)
from histories.spoiling import SPOILED_COMMIT, spoil_commit
from hypothesis import strategies as st

__all__ = [
    "SPOILED_COMMIT",
    "SPOILED_QUESTION",
    "START",
    "Case",
    "Dice",
    "cases",
    "draw_case",
    "draw_changed_policy",
    "draw_policy",
    "seeded",
    "thrown",
]

DIALECTS = ("native", "guix", "openssh")
MIXTURE = [""] * 7 + ["commit"] * 9 + ["question"] * 3 + ["commit commit question"]


def draw_case(
    dice: Dice,
    dialects: tuple[str, ...] = DIALECTS,
    max_commits: int = 10,
    what: str | None = None,
    *,
    paths: bool = False,
) -> Case:
    """A history of up to ``max_commits`` commits (or one or two more) with a question about it.

    ``what`` is spoiled where it is given. ``paths``: the native dialect with grants on paths, unprotected paths, and
    unsigned and adopting merges; else everybody may change everything or nothing.
    """
    whats = [what] if what else [draw_what(dice, kind) for kind in dice.pick(MIXTURE).split()]
    dialect = dice.pick(dialects)
    least = 3 if whats else 1
    size = least + dice.number(max_commits - least)
    growth = draw_rich(dice, size) if paths and dialect == "native" else draw_plain(dice, dialect, size)
    case = Case(growth.history, draw_question(growth), dialect, tuple(whats))
    for one in whats:
        spoil = draw_other_question if one in SPOILED_QUESTION else spoil_commit
        case = spoil(dice, one, case)
    return with_true_marks(without_broken_givens(case)) if whats else case


def draw_what(dice: Dice, kind: str) -> str:
    """What to spoil in a commit or in the question."""
    return dice.pick(SPOILED_COMMIT if kind == "commit" else SPOILED_QUESTION)


@st.composite
def cases(
    draw,
    dialects: tuple[str, ...] = DIALECTS,
    max_commits: int = 10,
    what: str | None = None,
    *,
    paths: bool = False,
) -> Case:
    """The same for hypothesis. What is spoiled is drawn first: it fills late draws with the simplest value."""
    return draw_case(thrown(draw), dialects, max_commits, what, paths=paths)
