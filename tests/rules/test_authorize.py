"""The decision on one commit: each refusal with the twin that is accepted."""

import pytest
from rules.world import ENTRY, OTHER_ENTRY, Evidence, case, commit, parent, policy, ssh

from gitverify.objects.tree import TreeEntry
from gitverify.policies.model import WHOLE_TREE, Dialect
from gitverify.rules.authority import Standing
from gitverify.rules.authorize import judge
from gitverify.rules.facts import Authorized, PolicyProblem, Refusal, Unproven
from gitverify.rules.hints import HINTS

BOTH = policy("alice", "bob")
THIRD_ENTRY = TreeEntry(b"100644", b"\3" * 20)


def answer(its_case, **evidence):
    decision = judge(its_case, Evidence(**evidence))
    if isinstance(decision, Authorized):
        return decision.rule
    assert decision.hint == HINTS[decision.code]
    assert decision.commit == its_case.commit.id
    return decision.code, decision.rule


def test_linear():
    assert answer(case(commit("bob"), parent(BOTH))) == "R17"
    assert answer(case(commit("bob"), parent(policy("alice")))) == ("unauthorized-key", "R8")


def test_the_vouchers_are_the_first_parents():
    decision = judge(case(commit("bob"), parent(BOTH), parent(BOTH, name=b"q", tree=b"v")), Evidence())
    assert [(v.person, v.listed, v.key) for v in decision.vouchers] == [("bob", ssh("bob"), ssh("bob"))]


@pytest.mark.parametrize(("code", "rule"), [("malformed-commit", "R6"), ("malformed-tree", "R7")])
def test_form_comes_first(code, rule):
    malformed = commit(malformed=(code, "why"))
    assert answer(case(malformed, parent(BOTH, authentic=False))) == (code, rule)


def test_every_parent_is_authentic():
    assert answer(case(commit(), parent(BOTH, authentic=False))) == ("parent-not-authentic", "R17")
    refused = case(commit(), parent(BOTH), parent(BOTH, authentic=False))
    assert answer(refused) == ("parent-not-authentic", "R18")
    assert answer(case(commit(), parent(BOTH), parent(BOTH, name=b"q", tree=b"v"))) == "R18"


def test_its_own_policy():
    gone = commit(entry=None)
    assert answer(case(gone, parent(BOTH))) == ("policy-missing", "R14")
    assert answer(case(gone, parent(BOTH, entry=None))) == ("policy-missing", "R14")
    assert answer(case(gone, parent(BOTH, entry=None), dialect=Dialect.GUIX)) == "R17"
    assert answer(case(gone, parent(BOTH), other=".guix-authorizations")) == ("dialect-changed", "R3")
    broken = PolicyProblem("policy-invalid", "line 1")
    assert answer(case(commit(), parent(BOTH), own=broken)) == ("policy-invalid", "R14")


def test_the_policy_file_is_for_editors():
    edited = policy("alice", "bob", editors=["alice"])
    assert answer(case(commit("bob", entry=OTHER_ENTRY), parent(edited))) == ("policy-unauthorized", "R15")
    assert answer(case(commit("alice", entry=OTHER_ENTRY), parent(edited))) == "R17"
    assert answer(case(commit("bob"), parent(edited))) == "R17"


def test_an_editor_without_a_grant_changes_the_policy_file_and_nothing_else():
    edited = policy("alice", "bob", granted=["alice"], editors=["bob"])
    change = case(commit("bob", entry=OTHER_ENTRY), parent(edited))
    assert answer(change, differs=(b".gitverify.yaml",)) == "R17"
    assert answer(change, differs=(b".gitverify.yaml", b"file")) == ("unauthorized-path", "R17")


def test_nothing_changed_needs_a_person_on_the_list():
    idle = policy("alice", "bob", granted=["alice"])
    assert answer(case(commit("bob", tree=b"u"), parent(idle))) == "R17"
    assert answer(case(commit("bob"), parent(idle))) == ("unauthorized-path", "R17")
    assert answer(case(commit("mallory", tree=b"u"), parent(idle))) == ("unauthorized-key", "R8")
    assert answer(case(commit("", tree=b"u"), parent(policy("alice", unprotected=(WHOLE_TREE,))))) == ("unsigned", "R8")


def test_a_refusal_names_who_and_by_which_policy():
    edited = policy("alice", "bob", editors=["alice"])
    refusal = judge(case(commit("bob", entry=OTHER_ENTRY), parent(edited)), Evidence())
    assert isinstance(refusal, Refusal)
    assert (refusal.person, refusal.key, refusal.judged_by) == ("bob", ssh("bob"), b"p" * 20)


def test_a_parent_whose_policy_cannot_be_used():
    removed = parent(PolicyProblem("policy-missing", "it was removed"))
    refusal = judge(case(commit(), removed, dialect=Dialect.GUIX), Evidence())
    assert (refusal.code, refusal.rule, refusal.judged_by) == ("policy-missing", "R22", b"p" * 20)


class TestOnTheSide:
    """R21: what does not descend from the introduction."""

    def test_the_file_is_a_parents_or_absent_with_it(self):
        for entry in (ENTRY, None):
            kept = case(commit(entry=entry), parent(BOTH, entry=entry), standing=Standing.SIDE)
            assert answer(kept) == "R21"
        touched = case(commit(entry=OTHER_ENTRY), parent(BOTH), standing=Standing.SIDE)
        assert answer(touched) == ("policy-unauthorized", "R21")
        stranger = case(commit("mallory", entry=OTHER_ENTRY), parent(BOTH), standing=Standing.SIDE)
        assert answer(stranger) == ("unauthorized-key", "R8")

    def test_a_root_is_judged_by_the_introductions_policy_and_has_no_file(self):
        assert answer(case(commit(entry=None), standing=Standing.SIDE)) == "R21"
        assert answer(case(commit("bob", entry=None), standing=Standing.SIDE)) == ("unauthorized-key", "R8")
        assert answer(case(commit(), standing=Standing.SIDE)) == ("policy-unauthorized", "R21")

    def test_in_openssh_too(self):
        side = {"standing": Standing.SIDE, "dialect": Dialect.OPENSSH}
        refused = ("policy-unauthorized", "R21")
        for entry, other in ((ENTRY, OTHER_ENTRY), (ENTRY, None), (None, ENTRY)):
            mine, theirs = parent(BOTH, entry=entry), parent(BOTH, name=b"q", entry=other)
            assert answer(case(commit(entry=entry), mine, **side)) == "R21"
            assert answer(case(commit(entry=other), mine, **side)) == refused
            for kept in (entry, other):
                assert answer(case(commit(entry=kept), mine, theirs, **side)) == "R21"
            assert answer(case(commit(entry=THIRD_ENTRY), mine, theirs, **side)) == refused
        assert answer(case(commit(entry=None), **side)) == "R21"
        assert answer(case(commit(), **side)) == refused
        assert answer(case(commit("mallory", entry=None), **side)) == ("unauthorized-key", "R8")

    def test_in_guix_a_file_may_come_and_not_go(self):
        guix = {"standing": Standing.SIDE, "dialect": Dialect.GUIX}
        assert answer(case(commit(), parent(BOTH, entry=None), **guix)) == "R21"
        assert answer(case(commit(entry=None), parent(BOTH, entry=None), **guix)) == "R21"
        assert answer(case(commit(entry=None), parent(BOTH), **guix)) == ("policy-missing", "R22")
        one_of_two = (parent(BOTH, entry=None), parent(BOTH, name=b"q"))
        assert answer(case(commit(entry=None), *one_of_two, **guix)) == ("policy-missing", "R22")
        assert answer(case(commit(), *one_of_two, **guix)) == "R21"


@pytest.mark.parametrize(
    ("unproven", "code", "key"),
    [
        (Unproven("unsigned", "no signature"), "unsigned", None),
        (Unproven("weak-signature", "SHA-1", (ssh("alice"),)), "weak-signature", ssh("alice")),
        (Unproven("unsupported-signature", "X.509"), "unsupported-signature", None),
        (Unproven("unknown-key", "no certificate", ("A" * 40,)), "unknown-key", "A" * 40),
        (Unproven("bad-signature", "changed", (ssh("alice"),)), "bad-signature", ssh("alice")),
        (Unproven("bad-signature", "changed", (ssh("mallory"), ssh("alice"))), "bad-signature", ssh("alice")),
        (Unproven("bad-signature", "changed", (ssh("mallory"),)), "unauthorized-key", ssh("mallory")),
        (Unproven("bad-signature", "changed"), "unauthorized-key", None),
    ],
)
def test_a_signature_that_proves_nothing(unproven, code, key):
    unsigned = case(commit("", unproven=unproven), parent(BOTH))
    assert answer(unsigned) == (code, "R8")
    assert judge(unsigned, Evidence()).key == key


def test_every_code_has_a_hint():
    assert all(HINTS.values())
