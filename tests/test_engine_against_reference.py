"""The engine and the reference (``reference/``) answer the same about random small histories of every dialect.

Here everybody may change everything or nothing; ``test_paths_and_merges_against_reference.py`` has the rest.
"""

from __future__ import annotations

from dataclasses import replace

import emit
import grid
import histories
import pytest
import reference
from asking import answer_of, difference, request_for
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gitverify.verify import verify

compared = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_same(outcome, report, emitted):
    event(f"{report.verdict} {sorted(report.reasons)}")
    assert not difference(outcome, report, emitted)


@pytest.mark.parametrize("place", grid.PLACES)
@pytest.mark.parametrize("dialect", list(grid.KEYS))
def test_same_answer_about_every_kind_of_commit(dialect, place):
    question = reference.Question(
        "intro", "tip", historical=frozenset(grid.KEYS["guix"][:1]) if dialect == "guix" else frozenset()
    )
    differing = []
    verdicts = set()
    for history in grid.grid(dialect, place):
        emitted = emit.emit(history, dialect)
        outcome = verify(emitted.repository, request_for(question, emitted))
        report = reference.judge(history, question)
        verdicts.add(report.verdict)
        if answer_of(outcome, emitted) != (report.verdict, report.codes):
            differing.append((history["x"], report.codes, answer_of(outcome, emitted)))
    assert not differing, f"{len(differing)} differ, such as {differing[0]}"
    assert verdicts == {"authentic", "refused"}


@pytest.mark.parametrize("what", sorted({*histories.SPOILED_COMMIT, *histories.SPOILED_QUESTION}))
@settings(compared, max_examples=25)
@given(data=st.data())
def test_same_answer_where_one_thing_is_wrong(what, data):
    case = data.draw(histories.cases(what=what))
    emitted = emit.emit(case.history, case.dialect)
    outcome = verify(emitted.repository, request_for(case.question, emitted))
    assert_same(outcome, reference.judge(case.history, case.question), emitted)


@compared
@given(case=histories.cases())
def test_same_verdict_reason_and_refusals(case):
    emitted = emit.emit(case.history, case.dialect)
    outcome = verify(emitted.repository, request_for(case.question, emitted))
    assert_same(outcome, reference.judge(case.history, case.question), emitted)


@compared
@given(case=histories.cases())
def test_same_first_refusal_without_keep_going(case):
    emitted = emit.emit(case.history, case.dialect)
    outcome = verify(emitted.repository, request_for(case.question, emitted, keep_going=False))
    report = reference.judge(case.history, case.question)
    assert outcome.verdict == report.verdict
    assert outcome.reason in report.reasons if report.reasons else outcome.reason is None


@compared
@given(case=histories.cases(), data=st.data())
def test_what_a_mark_covers_is_skipped_with_the_same_answer(case, data):
    """A first run accepts some commit; a second one, which trusts its mark, answers as one that looks at everything."""
    emitted = emit.emit(case.history, case.dialect)
    start = replace(case.question, tip=data.draw(st.sampled_from(list(case.history))), marks=frozenset())
    start = replace(start, contains=frozenset(), max_age=None)
    first = verify(emitted.repository, request_for(start, emitted))
    if first.verdict != "authentic":
        return
    question = replace(case.question, marks=frozenset(emitted.names[commit] for commit in first.mark.commits))
    request = request_for(question, emitted, floor=replace(first.mark, trusted=True))
    outcome = verify(emitted.repository, request)
    assert_same(outcome, reference.judge(case.history, question), emitted)
