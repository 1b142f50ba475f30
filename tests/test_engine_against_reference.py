"""The engine and the reference (``reference.py``) answer the same about random small histories of every dialect."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import emit
import grid
import histories
import pytest
import reference
import signing
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

ABOUT_THE_TIP = {"rollback", "behind", "not-contained", "stale", "not-descendant", "introduction-signer"}
NOWHERE = bytes(19) + b"\x01"

compared = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def engine():
    """What is compared: the pure function, its request, and the types that the request is made of."""
    verify = pytest.importorskip("gitverify.verify")
    request = pytest.importorskip("gitverify.request")
    model = pytest.importorskip("gitverify.policies.model")
    guix = pytest.importorskip("gitverify.policies.guix")
    pytest.importorskip("gitverify.policies.openssh")
    return SimpleNamespace(
        verify=verify.verify, Request=request.Request, Floor=request.Floor, Dialect=model.Dialect, guix=guix
    )


def historical_policy(engine, keys):
    people = tuple(reference.RefPerson(key, (reference.Listing(key),)) for key in sorted(keys))
    return engine.guix.parse(emit.policy_text("guix", reference.RefPolicy(people))) if people else None


def request_for(engine, question, emitted, **changes):
    """The question in the engine's words."""

    def ids(names):
        return tuple(emitted.ids.get(name, NOWHERE) for name in sorted(names))

    keyring = emitted.repository.read(emitted.keyring)[1]
    values = {
        "tip": emitted.ids[question.tip],
        "introduction": emitted.ids.get(question.introduction, NOWHERE),
        "dialect": None if question.dialect is None else engine.Dialect(question.dialect),
        "signer": None if question.signer is None else signing.key_id(question.signer),
        "keyring": bytes.fromhex(keyring[len("tree ") : len("tree ") + 40].decode()),
        "historical": historical_policy(engine, question.historical),
        "floor": engine.Floor(commits=ids(question.marks)),
        "contains": ids(question.contains),
        "max_age": question.max_age,
        "now": question.now,
        "keep_going": True,
    }
    return engine.Request(**(values | changes))


def answer_of(outcome, emitted):
    """Verdict, and the codes of the commits refused; what is about the tip or the anchor is not about a commit."""
    names = emitted.names
    codes = {names[refusal.commit]: refusal.code for refusal in outcome.refusals if refusal.code not in ABOUT_THE_TIP}
    return outcome.verdict, codes if outcome.verdict == "refused" else {}


def assert_same(outcome, report, emitted):
    event(f"{report.verdict} {sorted(report.reasons)}")
    assert answer_of(outcome, emitted) == (report.verdict, report.codes)
    assert outcome.reason in report.reasons if report.reasons else outcome.reason is None


@pytest.mark.parametrize("place", grid.PLACES)
@pytest.mark.parametrize("dialect", list(grid.KEYS))
def test_same_answer_about_every_kind_of_commit(engine, dialect, place):
    question = reference.Question(
        "intro", "tip", historical=frozenset(grid.KEYS["guix"][:1]) if dialect == "guix" else frozenset()
    )
    differing = []
    verdicts = set()
    for history in grid.grid(dialect, place):
        emitted = emit.emit(history, dialect)
        outcome = engine.verify(emitted.repository, request_for(engine, question, emitted))
        report = reference.judge(history, question)
        verdicts.add(report.verdict)
        if answer_of(outcome, emitted) != (report.verdict, report.codes):
            differing.append((history["x"], report.codes, answer_of(outcome, emitted)))
    assert not differing, f"{len(differing)} differ, such as {differing[0]}"
    assert verdicts == {"authentic", "refused"}


@pytest.mark.parametrize("what", sorted({*histories.SPOILED_COMMIT, *histories.SPOILED_QUESTION}))
@settings(compared, max_examples=25)
@given(data=st.data())
def test_same_answer_where_one_thing_is_wrong(engine, what, data):
    case = data.draw(histories.cases(what=what))
    emitted = emit.emit(case.history, case.dialect)
    outcome = engine.verify(emitted.repository, request_for(engine, case.question, emitted))
    assert_same(outcome, reference.judge(case.history, case.question), emitted)


@compared
@given(case=histories.cases())
def test_same_verdict_reason_and_refusals(engine, case):
    emitted = emit.emit(case.history, case.dialect)
    outcome = engine.verify(emitted.repository, request_for(engine, case.question, emitted))
    assert_same(outcome, reference.judge(case.history, case.question), emitted)


@compared
@given(case=histories.cases())
def test_same_first_refusal_without_keep_going(engine, case):
    emitted = emit.emit(case.history, case.dialect)
    request = request_for(engine, case.question, emitted, keep_going=False)
    outcome = engine.verify(emitted.repository, request)
    report = reference.judge(case.history, case.question)
    assert outcome.verdict == report.verdict
    assert outcome.reason in report.reasons if report.reasons else outcome.reason is None


@compared
@given(case=histories.cases(), data=st.data())
def test_what_a_mark_covers_is_skipped_with_the_same_answer(engine, case, data):
    """A first run accepts some commit; a second one, which trusts its mark, answers as one that looks at everything."""
    emitted = emit.emit(case.history, case.dialect)
    start = replace(case.question, tip=data.draw(st.sampled_from(list(case.history))), marks=frozenset())
    start = replace(start, contains=frozenset(), max_age=None)
    first = engine.verify(emitted.repository, request_for(engine, start, emitted))
    if first.verdict != "authentic":
        return
    question = replace(case.question, marks=frozenset({start.tip}))
    request = request_for(engine, question, emitted, floor=replace(first.mark, trusted=True))
    outcome = engine.verify(emitted.repository, request)
    assert_same(outcome, reference.judge(case.history, question), emitted)
