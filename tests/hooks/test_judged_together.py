"""Many references judged in one run, of random small histories: each as if it were judged alone."""

from collections import Counter
from dataclasses import replace

import emit
import pytest
from asking import request_for
from histories import draw_case, seeded

from gitverify.hooks.judge import Judge
from gitverify.request import Floor
from gitverify.verify import verify

SEEDS = 25


@pytest.mark.parametrize("block", range(4))
def test_what_was_judged_before_in_the_same_push_changes_no_answer(block):
    seen = Counter()
    for seed in range(block * SEEDS, (block + 1) * SEEDS):
        dice = seeded(seed)
        case = draw_case(dice, ("native",), 10, paths=True)
        emitted = emit.emit(case.history, case.dialect)
        asked = request_for(case.question, emitted)
        asked = replace(asked, floor=Floor(), contains=(), max_age=None, newest_authentic=False, now=2_000_000_000)
        left, floors = list(emitted.ids.values()), [Floor()]
        judge = Judge(emitted.repository, None, None)
        while left:
            tip, floor = dice.pick(left), dice.pick(floors)  # in any order, each with a mark of its own, or none
            left.remove(tip)
            outcome = judge._answer(b"the same settings", replace(asked, tip=tip, floor=floor))
            alone = verify(emitted.repository, replace(asked, tip=tip, floor=replace(floor, trusted=False)))
            assert (outcome.verdict, outcome.reason) == (alone.verdict, alone.reason), (seed, tip.hex())
            seen[outcome.verdict, bool(floor.commits)] += 1
            if outcome.mark is not None:
                floors.append(outcome.mark)
    assert all(seen[verdict, marked] for verdict in ("authentic", "refused") for marked in (True, False)), seen
