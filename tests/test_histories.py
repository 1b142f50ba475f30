"""The random histories are worth comparing: a good share is authentic, and every kind of refusal comes up."""

from __future__ import annotations

from collections import Counter

import histories
import pytest
import reference
from hypothesis import HealthCheck, given, settings

repeatable = settings(derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck)

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
    "path-grant": {"policy-unsupported"},
    "unprotected": {"policy-unsupported"},
    "unsigned_merges": {"policy-unsupported"},
    "adopting_merges": {"policy-unsupported"},
    "changed": {"policy-unauthorized"},
    "tree": {"unauthorized-path"},
    "date": {"authentic"},
    "malformed-commit": {"malformed-commit"},
    "malformed-tree": {"malformed-tree"},
    "fewer": {"authentic"},
    "more": {"authentic"},
    "tip": {"not-descendant"},
    "introduction": {"introduction-policy", "not-descendant"},
    "signer": {"introduction-signer"},
    "dialect": {"introduction-policy"},
    "mark": {"rollback", "behind"},
    "marks": {"rollback"},
    "contains": {"not-contained"},
    "max_age": {"stale"},
}


def side_commits(case):
    """The judged commits that do not descend from the introduction."""
    reached = reference.closure(case.history, case.question.tip)
    given_ones = reference.closure(case.history, case.question.introduction)
    introduction = case.question.introduction
    return [name for name in reached - given_ones if introduction not in reference.closure(case.history, name)]


def test_every_way_to_spoil_a_history_is_known():
    assert set(LEADS_TO) == {*histories.SPOILED_COMMIT, *histories.SPOILED_QUESTION}


@pytest.mark.parametrize("what", LEADS_TO)
def test_spoiling_one_thing_leads_to_its_refusal(what):
    seen = set()

    @settings(repeatable, max_examples=60)
    @given(histories.cases(dialects=("native",), what=what))
    def look(case):
        report = reference.judge(case.history, case.question)
        seen.update([report.verdict, *report.reasons])

    look()
    assert seen >= LEADS_TO[what]


def test_a_good_share_is_authentic_and_refusals_have_one_cause():
    seen = Counter()
    shapes = Counter()

    @settings(repeatable, max_examples=600)
    @given(histories.cases())
    def look(case):
        report = reference.judge(case.history, case.question)
        seen[report.verdict] += 1
        causes = [code for code in report.codes.values() if code != "parent-not-authentic"]
        seen["several causes"] += len(causes) > 1
        if report.verdict == "authentic":
            parents = [len(commit.parents) for commit in case.history.values()]
            shapes.update(f"{count} parents" for count in set(parents))
            shapes[case.dialect] += 1
            shapes["side"] += bool(side_commits(case))

    look()
    total = seen["authentic"] + seen["refused"] + seen["error"]
    assert seen["authentic"] > 0.3 * total
    assert seen["refused"] > 0.2 * total
    assert seen["several causes"] < 0.1 * seen["refused"]
    assert {"native", "guix", "openssh", "2 parents", "3 parents", "side"} <= set(+shapes)
