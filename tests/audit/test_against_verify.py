"""Where everything before a commit is authentic, judged on its own it is what ``verify`` says of it."""

from __future__ import annotations

import emit
import histories
import pytest
from asked import judged
from asking import request_for
from hypothesis import HealthCheck, event, given, settings

from gitverify.audit.model import Question
from gitverify.request import Stop
from gitverify.rules.facts import Authorized
from gitverify.verify import judge_closely

compared = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def compare(case):
    emitted = emit.emit(case.history, case.dialect)
    request = request_for(case.question, emitted)
    _, judgement, _ = judge_closely(emitted.repository, request)
    if judgement is None or judgement.interrupted:
        return
    _, found = judged(emitted.repository, Question(request=request, introduction=request.introduction))
    sound = set()
    seen = set()
    for commit in judgement.order:
        if commit not in found:  # given with the introduction, which wrong dates have hidden from the walk
            sound.add(commit)
            continue
        decision = judgement.decisions[commit]
        if all(parent in sound or parent not in judgement.decisions for parent in judgement.parents_of[commit]):
            code = None if isinstance(decision, Authorized) else decision.code
            seen.add(code)
            assert (found[commit].code, found[commit].rule) == (code, decision.rule), emitted.names[commit]
            if code is None:
                sound.add(commit)
    event(" ".join(sorted(map(str, seen))))


def reached(judgement, start):
    """The commit and its ancestors, as far as they were judged."""
    todo, found = [start], set()
    while todo:
        commit = todo.pop()
        if commit not in found:
            found.add(commit)
            todo += judgement.facts(commit).parents
    return found


@compared
@given(case=histories.cases(("native",), paths=True))
def test_native_histories_with_paths_and_merges(case):
    compare(case)


@compared
@given(case=histories.cases())
def test_histories_of_every_dialect(case):
    compare(case)


@settings(compared, max_examples=30)
@given(case=histories.cases(("native",), paths=True))
def test_every_commit_after_the_introduction_is_looked_at(case):
    emitted = emit.emit(case.history, case.dialect)
    request = request_for(case.question, emitted)
    _, judgement, _ = judge_closely(emitted.repository, request)
    if judgement is None or judgement.interrupted:
        return
    found, each = judged(emitted.repository, Question(request=request, introduction=request.introduction))
    assert set(each) == set(judgement.decisions) - reached(judgement, request.introduction)
    assert found.total.commits == len(each)


def test_what_does_not_descend_from_the_introduction_can_not_be_asked_about():
    case = histories.draw_case(histories.seeded(1), ("native",), paths=True)
    emitted = emit.emit(case.history, case.dialect)
    request = request_for(case.question, emitted)
    with pytest.raises(Stop) as stopped:
        judged(emitted.repository, Question(request=request, introduction=bytes(20)))
    assert stopped.value.refusals[0].code == "not-descendant"
