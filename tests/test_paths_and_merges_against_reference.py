"""The engine and the reference answer the same about paths, merges, marks and what is newest (R15 to R27).

With real signatures and hypothesis, a few hundred histories; without, some thousand more, always the same: see
``compare.py``, which does hundreds of thousands.
"""

from __future__ import annotations

from collections import Counter

import compare
import emit
import histories
import pytest
import reference
from asking import difference, request_for
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gitverify.verify import verify

compared = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def compare_with_signatures(case, seed=0):
    found = list(compare.Comparison(case, histories.seeded(seed), Counter()).differences())
    assert not found, found


def known_of(case):
    world = reference.anchored(case.history, case.question)
    return reference.decide_all(world) if isinstance(world, reference.World) else None


@compared
@given(case=histories.cases(("native",), paths=True))
def test_same_answer_mark_and_fallback(case):
    event(" ".join(case.spoiled))
    compare_with_signatures(case)


@compared
@given(case=histories.cases(("native",), paths=True))
def test_same_first_refusal_without_keep_going(case):
    emitted = emit.emit(case.history, case.dialect)
    outcome = verify(emitted.repository, request_for(case.question, emitted, known_of(case), keep_going=False))
    report = reference.judge(case.history, case.question)
    assert outcome.verdict == report.verdict
    assert outcome.reason in report.reasons if report.reasons else outcome.reason is None


@pytest.mark.parametrize("what", sorted({*histories.SPOILED_COMMIT, *histories.SPOILED_QUESTION}))
@settings(compared, max_examples=15)
@given(data=st.data())
def test_same_answer_where_one_thing_is_wrong(what, data):
    case = data.draw(histories.cases(("native",), what=what, paths=True))
    emitted = emit.emit(case.history, case.dialect)
    outcome = verify(emitted.repository, request_for(case.question, emitted, known_of(case)))
    assert not difference(outcome, reference.judge(case.history, case.question), emitted)


@pytest.mark.parametrize("first", range(0, 2000, 250))
def test_same_answers_where_signatures_are_stubbed(first):
    found, seen = compare.compared_batch(range(first, first + 250))
    assert not found
    assert min(seen["authentic"], seen["refused"]) > 100
