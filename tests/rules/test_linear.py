"""R17 with paths: what a person, and what anyone, may change."""

import pytest
from rules.test_authorize import answer
from rules.world import OTHER_ENTRY, Evidence, Keys, case, commit, parent, policy, ssh

from gitverify.errors import MalformedTree
from gitverify.policies.model import PathPrefix
from gitverify.rules.authority import Standing
from gitverify.rules.authorize import judge
from gitverify.rules.facts import Unproven

GAMES = PathPrefix(b"games", subtree=True)
OPEN = (PathPrefix(b"open", subtree=True),)
LIMITED = policy("alice", "bob", granted=["alice"], limited=[("bob", GAMES)], unprotected=OPEN)


def by(who, *paths, entry_changes=False, **more):
    facts = commit(who, **({"entry": OTHER_ENTRY} if entry_changes else {}), **more)
    return answer(case(facts, parent(LIMITED)), differs=paths)


@pytest.mark.parametrize(
    ("paths", "allowed"),
    [
        ([b"games/chess"], True),
        ([b"games/chess", b"open/x"], True),
        ([b"games"], False),
        ([b"games-evil/x"], False),
        ([b"Games/x"], False),
        ([b"games/chess", b"core/x"], False),
    ],
)
def test_a_limited_person(paths, allowed):
    assert by("bob", *paths) == ("R17" if allowed else ("unauthorized-path", "R17"))
    assert by("alice", *paths) == "R17"


def test_the_refusal_names_the_path_and_who():
    refusal = judge(case(commit("bob"), parent(LIMITED)), Evidence(differs=(b"games/x", b"core/x")))
    assert (refusal.path, refusal.person, refusal.key) == (b"core/x", "bob", ssh("bob"))


def test_anyone_changes_what_is_unprotected_and_nothing_else():
    assert by("", b"open/x") == "R17"
    assert by("mallory", b"open/x") == "R17"
    assert by("", b"open/x", b"core/x") == ("unsigned", "R8")
    assert by("mallory", b"open/x", b"core/x") == ("unauthorized-key", "R8")
    assert by("", b"open") == ("unsigned", "R8")


def test_nobody_vouches_for_what_nobody_signed():
    decision = judge(case(commit(""), parent(LIMITED)), Evidence(differs=(b"open/x",)))
    assert decision.vouchers == ()
    decision = judge(case(commit("bob"), parent(LIMITED)), Evidence(differs=(b"open/x",)))
    assert [voucher.person for voucher in decision.vouchers] == ["bob"]


def test_an_unsigned_refusal_names_the_path():
    refusal = judge(case(commit(""), parent(LIMITED)), Evidence(differs=(b"open/x", b"core/x")))
    assert (refusal.code, refusal.path) == ("unsigned", b"core/x")


def test_a_signature_that_names_a_listed_key_and_fails_is_refused_everywhere():
    forged = {"unproven": Unproven("bad-signature", "changed", (ssh("alice"),))}
    assert by("", b"open/x", **forged) == ("bad-signature", "R8")
    stranger = {"unproven": Unproven("bad-signature", "changed", (ssh("mallory"),))}
    assert by("", b"open/x", **stranger) == "R17"


def test_a_revoked_key_vouches_for_nothing_and_forbids_nothing():
    listed = policy("alice", specs={"alice": ()}, unprotected=OPEN)
    assert answer(case(commit("alice"), parent(listed)), differs=(b"open/x",)) == "R17"
    revoked = Keys(certified={ssh("alice")}, is_revoked=True)
    assert answer(case(commit("alice"), parent(LIMITED, material=revoked)), differs=(b"open/x",)) == "R17"


def test_the_policy_file_is_for_editors_whatever_is_granted():
    everything = policy("alice", "bob", editors=["alice"], unprotected=(PathPrefix(b"", subtree=True),))
    changed = case(commit("bob", entry=OTHER_ENTRY), parent(everything))
    assert answer(changed, differs=(b".gitverify.yaml",)) == ("policy-unauthorized", "R15")
    unsigned = case(commit("", entry=OTHER_ENTRY), parent(everything))
    assert answer(unsigned, differs=(b".gitverify.yaml",)) == ("unsigned", "R8")
    allowed = case(commit("alice", entry=OTHER_ENTRY), parent(everything))
    assert answer(allowed, differs=(b".gitverify.yaml",)) == "R17"


def test_on_the_side_the_introductions_policy_rules():
    side = {"standing": Standing.SIDE}
    assert answer(case(commit(""), parent(LIMITED), **side), differs=(b"open/x",)) == "R21"
    assert answer(case(commit("bob"), parent(LIMITED), **side), differs=(b"core/x",)) == ("unauthorized-path", "R17")
    for by in ("alice", "bob"):
        touched = case(commit(by, entry=OTHER_ENTRY), parent(LIMITED), **side)
        assert answer(touched, differs=(b"games/x",)) == ("policy-unauthorized", "R21")
        assert answer(case(commit(by), parent(LIMITED), **side), differs=(b"games/x",)) == "R21"


def test_a_decision_names_the_policy_and_the_certificates_that_it_rests_on():
    judge_ = parent(LIMITED)
    for by in ("bob", ""):
        decision = judge(case(commit(by), judge_), Evidence(differs=(b"open/x",)))
        assert decision.authority is not None
        assert all(one is other for one, other in zip(decision.authority, (LIMITED, judge_.material), strict=True))


def test_a_tree_that_breaks_r7():
    class Broken(Evidence):
        def uncovered(self, before, after, cover_):
            raise MalformedTree("an entry is named “.git”")

    refusal = judge(case(commit("bob"), parent(LIMITED)), Broken())
    assert (refusal.code, refusal.rule) == ("malformed-tree", "R7")
