"""R23: a policy does not authorise its own arrival."""

from rules.world import OTHER_ENTRY, Evidence, commit, parent, policy, ssh

from gitverify.rules.binding import is_binding
from gitverify.rules.facts import PolicyProblem, Unproven

LISTS = policy("alice", "bob", editors=["alice"])


def test_the_file_stays():
    assert is_binding(commit(""), parent(LISTS), Evidence())


def test_an_editor_of_the_parents_policy_changes_it():
    assert is_binding(commit("alice", entry=OTHER_ENTRY), parent(LISTS), Evidence())
    for by in ("bob", "mallory", ""):
        assert not is_binding(commit(by, entry=OTHER_ENTRY), parent(LISTS), Evidence())


def test_nothing_to_judge_with():
    problem = PolicyProblem("policy-missing", "none")
    assert not is_binding(commit("alice", entry=OTHER_ENTRY), parent(problem), Evidence())
    forged = commit("", entry=OTHER_ENTRY, unproven=Unproven("bad-signature", "changed", (ssh("alice"),)))
    assert not is_binding(forged, parent(LISTS), Evidence())
