"""R22 and R22b: in the Guix and the OpenSSH dialect every parent's policy must allow all of a commit."""

import pytest
from rules.test_authorize import answer
from rules.world import OTHER_ENTRY, Evidence, case, commit, parent, policy, ssh

from gitverify.policies.model import Dialect
from gitverify.rules.authorize import judge

DIALECTS = pytest.mark.parametrize("dialect", [Dialect.GUIX, Dialect.OPENSSH])
BOTH = policy("alice", "bob")
EDITED = policy("alice", "bob", editors=["alice"])
GRANTED = policy("alice", "bob", granted=["alice"], editors=["alice", "bob"])


def theirs(its_policy):
    return parent(its_policy, name=b"q", tree=b"v")


@DIALECTS
def test_somebody_vouches_under_every_parents_policy(dialect):
    for by, expected in (("alice", "R18"), ("bob", ("unauthorized-key", "R8")), ("", ("unsigned", "R8"))):
        parents = parent(BOTH), theirs(policy("alice"))
        for its in (parents, parents[::-1]):
            assert answer(case(commit(by), *its, dialect=dialect)) == expected
    assert answer(case(commit("bob"), parent(BOTH), dialect=dialect)) == "R17"


@DIALECTS
def test_an_editor_of_every_parents_policy_changes_the_file(dialect):
    for parents, rule in (((parent(EDITED),), "R17"), ((parent(BOTH), theirs(EDITED)), "R18")):
        for its in (parents, parents[::-1]):
            changed = case(commit("bob", entry=OTHER_ENTRY), *its, dialect=dialect)
            assert answer(changed) == ("policy-unauthorized", "R15")
            assert answer(case(commit("alice", entry=OTHER_ENTRY), *its, dialect=dialect)) == rule
            assert answer(case(commit("bob"), *its, dialect=dialect)) == rule


@DIALECTS
def test_a_grant_on_the_whole_tree_under_every_parents_policy(dialect):
    for parents, rule in (((parent(GRANTED),), "R17"), ((parent(BOTH), theirs(GRANTED)), "R18")):
        for its in (parents, parents[::-1]):
            assert answer(case(commit("bob"), *its, dialect=dialect)) == ("unauthorized-path", "R17")
            assert answer(case(commit("alice"), *its, dialect=dialect)) == rule


@DIALECTS
@pytest.mark.parametrize(("its_policy", "entry"), [(EDITED, OTHER_ENTRY), (GRANTED, None)])
def test_a_refusal_names_who_and_whose_policy(dialect, its_policy, entry):
    facts = commit("bob", **({"entry": entry} if entry else {}))
    refusal = judge(case(facts, parent(BOTH), theirs(its_policy), dialect=dialect), Evidence())
    assert (refusal.person, refusal.key, refusal.judged_by) == ("bob", ssh("bob"), b"q" * 20)


@DIALECTS
def test_a_decision_by_one_policy_names_it(dialect):
    judge_ = parent(BOTH)
    decision = judge(case(commit("bob"), judge_, dialect=dialect), Evidence())
    assert [voucher.person for voucher in decision.vouchers] == ["bob"]
    assert all(one is other for one, other in zip(decision.authority, (BOTH, judge_.material), strict=True))
    decision = judge(case(commit("bob"), judge_, theirs(BOTH), dialect=dialect), Evidence())
    assert [voucher.person for voucher in decision.vouchers] == ["bob"]
    assert decision.authority is None
