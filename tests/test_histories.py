"""The random histories are worth comparing: a good share is authentic, and every kind of refusal comes up."""

from __future__ import annotations

from collections import Counter

import histories
import pytest
import reference

# The codes that spoiling one thing leads to.
LEADS_TO = {
    "absent": {"unsigned"},
    "bad": {"bad-signature"},
    "bad stranger": {"unauthorized-key"},
    "weak": {"weak-signature"},
    "unsupported": {"unsupported-signature"},
    "ghost": {"unknown-key"},
    "stranger": {"unauthorized-key"},
    "insider": {"unauthorized-key"},
    "limited": {"policy-unauthorized", "unauthorized-path"},
    "missing": {"policy-missing"},
    "other dialect": {"dialect-changed"},
    "directory": {"policy-invalid"},
    "broken": {"policy-invalid"},
    "symlink": {"policy-invalid"},
    "executable": {"authentic"},
    "key listed twice": {"policy-invalid"},
    "lockout": {"policy-lockout"},
    "keyless": {"policy-lockout"},
    "root unprotected": {"policy-invalid"},
    "changed": {"policy-unauthorized"},
    "tree": {"unauthorized-path"},
    "one side": {"authentic"},
    "date": {"authentic"},
    "malformed-commit": {"malformed-commit"},
    "malformed-tree": {"malformed-tree"},
    "fewer": {"authentic"},
    "more": {"authentic"},
    "swapped": {"authentic"},
    "tip": {"not-descendant"},
    "introduction": {"introduction-policy", "not-descendant"},
    "signer": {"introduction-signer"},
    "dialect": {"introduction-policy"},
    "mark": {"rollback", "behind"},
    "marks": {"rollback"},
    "contains": {"not-contained"},
    "max_age": {"stale"},
}
MERGES = {"merge-not-mechanical", "merge-policy-conflict", "merge-revoked-side", "merge-unsupported"}
CODES = set().union(*LEADS_TO.values(), MERGES, {"parent-not-authentic"}) - {"authentic"}


def side_commits(case):
    """The judged commits that do not descend from the introduction."""
    reached = reference.closure(case.history, case.question.tip)
    given_ones = reference.closure(case.history, case.question.introduction)
    introduction = case.question.introduction
    return [name for name in reached - given_ones if introduction not in reference.closure(case.history, name)]


def sample(count, *arguments, **options):
    """The same cases every time, each with the report on it."""
    for seed in range(count):
        case = histories.draw_case(histories.seeded(seed), *arguments, **options)
        yield case, reference.judge(case.history, case.question)


def test_every_way_to_spoil_a_history_is_known():
    assert set(LEADS_TO) == {*histories.SPOILED_COMMIT, *histories.SPOILED_QUESTION}


@pytest.mark.parametrize("what", LEADS_TO)
@pytest.mark.parametrize("paths", [False, True])
def test_spoiling_one_thing_leads_to_its_refusal(what, paths):
    seen = set()
    for case, report in sample(400, ("native",), what=what, paths=paths):
        assert case.spoiled == (what,)
        seen.update([report.verdict, *report.codes.values(), *report.reasons])
        if seen >= LEADS_TO[what]:
            break
    assert seen >= LEADS_TO[what]


def test_a_good_share_is_authentic_and_refusals_have_one_cause():
    seen = Counter()
    shapes = Counter()
    for case, report in sample(600):
        seen[report.verdict] += 1
        causes = [code for code in report.codes.values() if code != "parent-not-authentic"]
        seen["several causes"] += len(causes) > 1
        if report.verdict == "authentic":
            parents = [len(commit.parents) for commit in case.history.values()]
            shapes.update(f"{count} parents" for count in set(parents))
            shapes[case.dialect] += 1
            shapes["side"] += bool(side_commits(case))
    assert seen["authentic"] > 0.3 * 600
    assert seen["refused"] > 0.2 * 600
    assert seen["several causes"] < 0.1 * seen["refused"]
    assert {"native", "guix", "openssh", "2 parents", "3 parents", "side"} <= set(+shapes)


def shapes_of(case, known):
    """What there is to see in a history."""
    history = known.world.history
    for name, decision in known.decisions.items():
        parents = history[name].parents
        yield f"{decision.rule}{' vouched' if decision.vouched else ''}" if decision.code is None else decision.code
        yield f"{len(parents)} parents"
        if len(set(parents)) < len(parents):
            yield "a parent twice"
        left = reference.known.authentic_parents(known, name)
        if len(left) == 2:
            yield f"{min(len(reference.known.merge_bases(known, *left)), 2)} merge bases"
        if len(left) > 1 and reference.governing.governing(known, left) is None:
            yield "nobody governs"
        if not decision.code and any(not reference.floor.r23_is_binding(known, name, parent) for parent in left):
            yield "an edge that does not bind"
    yield from (f"mark of {len(reference.r23_mark(known, tip))}" for tip in history if reference.is_main(known, tip))


SHAPES = {
    *("R17", "R17 vouched", "R18 vouched", "R19", "R20 vouched", "R21", "R21 vouched"),
    *("0 parents", "1 parents", "2 parents", "3 parents", "a parent twice"),
    *("0 merge bases", "1 merge bases", "2 merge bases"),
    *("nobody governs", "an edge that does not bind", "mark of 1", "mark of 2"),
}


def test_every_rule_and_every_code_comes_up_where_there_are_paths():
    seen, verdicts = Counter(), Counter()
    for case, report in sample(1200, ("native",), paths=True):
        verdicts[report.verdict] += 1
        seen.update(report.reasons)
        world = reference.anchored(case.history, case.question)
        if isinstance(world, reference.World):
            seen.update(set(shapes_of(case, reference.decide_all(world))))
    print(*(f"{count:6} {what}" for what, count in seen.most_common()), sep="\n")
    assert set(seen) >= SHAPES | CODES
    assert min(verdicts["authentic"], verdicts["refused"]) > 0.25 * 1200
    assert all(seen[shape] > 10 for shape in SHAPES - {"a parent twice"})
