"""R23: a policy does not authorise its own arrival."""

from rules.world import ENTRY, OTHER_ENTRY, Evidence, commit, parent, policy, ssh

from gitverify.rules.binding import is_binding
from gitverify.rules.facts import Authorized, PolicyProblem, Unproven

LINEAR = Authorized("R17")


def binds(facts, its_parent, evidence, decision=LINEAR):
    return is_binding(facts, decision, its_parent, evidence)


LISTS = policy("alice", "bob", editors=["alice"])


def test_the_file_stays():
    assert binds(commit(""), parent(LISTS), Evidence())


def test_an_editor_of_the_parents_policy_changes_it():
    assert binds(commit("alice", entry=OTHER_ENTRY), parent(LISTS), Evidence())
    for by in ("bob", "mallory", ""):
        assert not binds(commit(by, entry=OTHER_ENTRY), parent(LISTS), Evidence())


def test_nothing_to_judge_with():
    problem = PolicyProblem("policy-missing", "none")
    assert not binds(commit("alice", entry=OTHER_ENTRY), parent(problem), Evidence())
    forged = commit("", entry=OTHER_ENTRY, unproven=Unproven("bad-signature", "changed", (ssh("alice"),)))
    assert not binds(forged, parent(LISTS), Evidence())


def test_the_file_stays_but_another_policy_governed():
    merge = Authorized("R18", (), None, (OTHER_ENTRY,))
    for by in ("bob", "mallory", ""):
        assert not binds(commit(by), parent(LISTS), Evidence(), merge)
        assert binds(commit(by), parent(LISTS), Evidence(), merge._replace(governing=(ENTRY,)))
    assert binds(commit("alice"), parent(LISTS), Evidence(), merge)
