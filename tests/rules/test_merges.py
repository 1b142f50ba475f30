"""R18 to R20: each refusal beside the twin that is accepted."""

from functools import partial

import pytest
from rules.test_authorize import answer
from rules.world import ENTRY, OTHER_ENTRY, POLICY_PATH, PRIMARY, Evidence, Keys, case, commit, parent, pgp, policy, ssh

from gitverify.errors import TooMuch
from gitverify.limits import LIMITS
from gitverify.objects.tree import TreeEntry
from gitverify.policies.model import PathPrefix
from gitverify.rules.authority import Standing
from gitverify.rules.authorize import judge, judge_under
from gitverify.rules.facts import Authorized, PolicyProblem, Unproven

THIRD_ENTRY = TreeEntry(b"100644", b"\3" * 20)
GAMES = PathPrefix(b"games", subtree=True)
OPEN = PathPrefix(b"open", subtree=True)
LIMITED = partial(policy, "alice", "bob", granted=["alice"], limited=[("bob", GAMES)], unprotected=(OPEN,))
STRICT, CLEAN = LIMITED(), LIMITED(unsigned_merges=True)


def two(ours=CLEAN, theirs=CLEAN, **entries):
    """Two parents, p (tree u) and q (tree v)."""
    return (
        parent(ours, name=b"p", tree=b"u", entry=entries.get("p", ENTRY)),
        parent(theirs, name=b"q", tree=b"v", entry=entries.get("q", ENTRY)),
    )


def merge(by="", *parents, **facts):
    return case(commit(by, **facts), *(parents or two()))


def sides(p=(b"core/q",), q=(b"core/p",)):
    """What differs from p and from q: each lacks what the other has done."""
    return {b"ut": p, b"vt": q}


class TestUnsigned:
    """R19."""

    def test_what_a_machine_does_and_nothing_else(self):
        assert answer(merge(), differs=sides()) == "R19"
        assert answer(merge(), differs=sides(), unsettled={b"b": (b"core/x",)}) == ("merge-not-mechanical", "R19")
        assert answer(merge(), differs=sides(), unsettled={b"b": (b"open/x",)}) == "R19"

    def test_the_refusal_names_the_path(self):
        evidence = Evidence(differs=sides(), unsettled={b"b": (b"open/x", b"core/x")})
        assert judge(merge(), evidence).path == b"core/x"
        bases = ((b"a", ENTRY), (b"b", ENTRY))
        evidence = Evidence(differs=sides(), bases=bases, unsettled={b"a": (b"core/x",), b"b": (b"core/y",)})
        assert judge(merge(), evidence).path == b"core/x"

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"unsettled": {b"b": (b"core/x",)}}, "merge-not-mechanical"),
            ({"bases": ()}, "merge-unsupported"),
            ({"bases": ((b"b", THIRD_ENTRY),)}, "merge-policy-conflict"),
            ({"strangers": {b"pq": b"x" * 20, b"qp": b"y" * 20}}, "merge-revoked-side"),
        ],
    )
    def test_the_refusal_names_the_key_and_whose_policy(self, facts, code):
        refusal = judge(merge("mallory"), Evidence(differs=sides(), **facts))
        assert (refusal.code, refusal.key, refusal.judged_by) == (code, ssh("mallory"), b"p" * 20)

    def test_the_refusal_says_what_is_wrong_with_the_parents(self):
        assert judge(merge(), Evidence(bases=())).message.endswith("its parents share no history")
        octopus = merge("", *two(), parent(CLEAN, name=b"r", tree=b"w"))
        assert judge(octopus, Evidence(differs=(b"open/x",))).message.endswith("its parents are 3")

    def test_the_refusal_names_what_the_first_parent_does_not_allow(self):
        evidence = Evidence(differs=sides(), strangers={b"pq": b"x" * 20, b"qp": b"y" * 20})
        message = judge(merge(), evidence).message
        assert (b"y" * 20).hex() in message
        assert "side of 717171717171, which the governing policy, that of 707070707070, does" in message

    def test_the_policy_file_is_settled_by_what_governs(self):
        changed = two(q=OTHER_ENTRY)
        for by, rule in (("", "R19"), ("bob", "R18")):
            merged = merge(by, *changed, entry=OTHER_ENTRY)
            assert answer(merged, differs=sides(), unsettled={b"b": (POLICY_PATH,)}) == rule

    @pytest.mark.parametrize(("ours", "theirs"), [(STRICT, CLEAN), (CLEAN, STRICT), (STRICT, STRICT)])
    def test_both_policies_must_want_it(self, ours, theirs):
        refused = merge("", *two(ours, theirs))
        assert answer(refused, differs=sides()) == ("unsigned", "R8")
        assert answer(merge("mallory", *two(ours, theirs)), differs=sides()) == ("unauthorized-key", "R8")

    def test_two_parents_that_share_history(self):
        assert answer(merge(), differs=sides(), bases=()) == ("merge-unsupported", "R19")
        third = parent(CLEAN, name=b"r", tree=b"w")
        octopus = merge("", *two(), third)
        assert answer(octopus, differs=(b"open/x",)) == ("merge-unsupported", "R19")
        assert answer(merge("alice", *two(), third), differs=(b"core/x",)) == "R18"

    def test_every_base_must_do(self):
        bases = ((b"a", ENTRY), (b"b", ENTRY))
        assert answer(merge(), differs=sides(), bases=bases) == "R19"
        for one in (b"a", b"b"):
            refused = answer(merge(), differs=sides(), bases=bases, unsettled={one: (b"core/x",)})
            assert refused == ("merge-not-mechanical", "R19")
            assert answer(merge("alice"), differs=sides(), bases=bases, unsettled={one: (b"core/x",)}) == "R18"

    def test_what_adopting_merges_hide_is_a_base_too(self):
        hidden = {"hidden": (b"h",), "differs": sides()}
        assert answer(merge(), **hidden) == "R19"
        outside = {b"h": (b"core/x",)}
        assert answer(merge(), **hidden, unsettled=outside) == ("merge-not-mechanical", "R19")
        assert answer(merge("alice"), **hidden, unsettled=outside) == "R18"
        assert answer(merge("bob"), **hidden, unsettled=outside) == ("unauthorized-path", "R18")
        changed = two(q=OTHER_ENTRY)  # it has no say in which policy governs
        assert answer(merge("", *changed, entry=OTHER_ENTRY), bases=((b"b", ENTRY),), **hidden) == "R19"

    def test_not_too_many_bases(self):
        many = tuple((b"%c" % letter, ENTRY) for letter in range(40, 40 + LIMITS.merge_bases + 1))
        assert answer(merge(), differs=sides(), bases=many[1:]) == "R19"
        assert answer(merge(), differs=sides(), bases=many) == ("merge-unsupported", "R18")

    def test_the_policy_of_the_side_that_changed_it(self):
        changed = two(q=OTHER_ENTRY)
        assert answer(merge("", *changed, entry=OTHER_ENTRY), differs=sides()) == "R19"
        for entry in (ENTRY, THIRD_ENTRY):
            assert answer(merge("", *changed, entry=entry), differs=sides()) == ("merge-policy-conflict", "R19")

    def test_not_where_both_changed_it(self):
        different = two(p=THIRD_ENTRY, q=OTHER_ENTRY)
        for entry in (ENTRY, OTHER_ENTRY, THIRD_ENTRY):
            assert answer(merge("", *different, entry=entry), differs=sides()) == ("merge-policy-conflict", "R19")
        same = two(p=OTHER_ENTRY, q=OTHER_ENTRY)
        assert answer(merge("", *same, entry=OTHER_ENTRY), differs=sides()) == ("merge-policy-conflict", "R19")

    def test_changed_since_any_of_the_bases(self):
        bases = ((b"a", ENTRY), (b"b", OTHER_ENTRY))
        parents = two(p=ENTRY, q=OTHER_ENTRY)
        assert answer(merge("", *parents), differs=sides(), bases=bases) == ("merge-policy-conflict", "R19")

    def test_the_governing_policy_allows_what_the_other_side_brings(self):
        changed = merge("", *two(p=OTHER_ENTRY), entry=OTHER_ENTRY)
        assert answer(changed, differs=sides(), strangers={b"pq": b"x" * 20}) == "R19"
        revoked = {b"qp": b"x" * 20}
        assert answer(changed, differs=sides(), strangers=revoked) == ("merge-revoked-side", "R19")

    def test_with_no_change_of_policy_either_parent_may_govern(self):
        for one in (b"pq", b"qp"):
            assert answer(merge(), differs=sides(), strangers={one: b"x" * 20}) == "R19"
        both = {b"pq": b"x" * 20, b"qp": b"y" * 20}
        assert answer(merge(), differs=sides(), strangers=both) == ("merge-revoked-side", "R19")

    def test_a_signature_that_fails(self):
        forged = commit("", unproven=Unproven("bad-signature", "changed", (ssh("alice"),)))
        assert answer(case(forged, *two()), differs=sides()) == ("bad-signature", "R8")

    def test_too_much_to_find_out(self):
        assert answer(merge(), bases=TooMuch("tangled")) == ("merge-unsupported", "R18")
        huge = {b"b": TooMuch("100,000 files")}
        assert answer(merge(), differs=sides(), unsettled=huge) == ("merge-not-mechanical", "R18")

        class Tangled(Evidence):
            def authorised_beyond(self, other, governing):
                raise TooMuch("tangled")

        refusal = judge(merge(), Tangled(differs=sides()))
        assert (refusal.code, refusal.rule, refusal.message) == ("merge-unsupported", "R18", "tangled")
        adopts = TestAdopting.ADOPTS
        adopting = merge("alice", *two(adopts, adopts), parent(adopts, name=b"r", tree=b"w", authentic=False))
        assert answer(adopting, bases=TooMuch("tangled")) == ("merge-unsupported", "R20")


class TestSigned:
    """R18."""

    def test_a_person_of_the_governing_policy(self):
        assert answer(merge("alice", *two(STRICT, STRICT)), differs=sides()) == "R18"
        without = policy("bob", limited=[("bob", GAMES)])
        changed = two(without, STRICT, p=OTHER_ENTRY)
        refused = merge("alice", *changed, entry=OTHER_ENTRY)
        assert answer(refused, differs=sides()) == ("unauthorized-key", "R8")

    def test_the_contribution_is_the_voucher_s(self):
        inside, outside = {b"b": (b"games/x", b"open/x")}, {b"b": (b"games/x", b"core/x")}
        assert answer(merge("bob"), differs=sides(), unsettled=inside) == "R18"
        assert answer(merge("bob"), differs=sides(), unsettled=outside) == ("unauthorized-path", "R18")
        assert answer(merge("alice"), differs=sides(), unsettled=outside) == "R18"

    def test_a_limited_person_brings_in_what_the_governing_policy_allows(self):
        revoked = {b"pq": b"x" * 20, b"qp": b"x" * 20}
        assert answer(merge("bob"), differs=sides()) == "R18"
        assert answer(merge("bob"), differs=sides(), strangers=revoked) == ("merge-revoked-side", "R19")
        assert answer(merge("alice"), differs=sides(), strangers=revoked) == "R18"
        his = sides(p=(b"games/x",))
        assert answer(merge("bob"), differs=his, strangers=revoked) == "R18"

    def test_where_machines_may_not_merge_a_limited_person_brings_in_only_his_own(self):
        strict = merge("bob", *two(STRICT, STRICT))
        assert answer(strict, differs=sides()) == ("unauthorized-path", "R18")
        assert answer(strict, differs=sides(p=(b"games/x", b"open/x"))) == "R18"
        assert answer(strict, differs=sides(q=(b"games/x",))) == "R18"

    def test_only_an_editor_brings_in_a_policy_file(self):
        brought = sides(p=(b"games/x", POLICY_PATH))
        for editors, expected in ((["alice"], ("unauthorized-path", "R18")), (["alice", "bob"], "R18")):
            newer = LIMITED(editors=editors)
            merged = merge("bob", *two(STRICT, newer, q=OTHER_ENTRY), entry=OTHER_ENTRY)
            assert answer(merged, differs=brought) == expected

    def test_without_a_base_the_contribution_is_every_difference(self):
        for theirs, expected in ((b"games/y", "R18"), (b"core/y", ("unauthorized-path", "R18"))):
            assert answer(merge("bob"), differs=sides((b"games/x",), (theirs,)), bases=()) == expected
            assert answer(merge("bob"), differs=sides((theirs,), (b"games/x",)), bases=()) == expected

    def test_the_refusal_names_the_path_who_and_whose_policy(self):
        strict = merge("bob", *two(STRICT, STRICT))
        refusal = judge(strict, Evidence(differs=sides()))
        assert (refusal.path, refusal.person, refusal.judged_by) == (b"core/q", "bob", b"p" * 20)

    def test_a_decision_names_the_policy_and_the_certificates_that_it_rests_on(self):
        for by in ("alice", ""):
            parents = two()
            decision = judge(merge(by, *parents), Evidence(differs=sides()))
            assert decision.authority is not None
            rests_on = (CLEAN, parents[0].material)
            assert all(one is other for one, other in zip(decision.authority, rests_on, strict=True))

    def test_both_changed_the_policy_to_the_same(self):
        same = two(STRICT, STRICT, p=OTHER_ENTRY, q=OTHER_ENTRY)
        merged = merge("alice", *same, entry=OTHER_ENTRY)
        assert answer(merged, differs=sides()) == "R18"
        for side in (b"pq", b"qp"):
            revoked = {side: b"x" * 20}
            assert answer(merged, differs=sides(), strangers=revoked) == ("merge-revoked-side", "R19")

    def test_only_an_editor_changes_the_policy_file(self):
        edited = LIMITED(editors=["alice"])
        changed = merge("bob", *two(edited, edited), entry=OTHER_ENTRY)
        assert answer(changed, differs=(b"games/x",)) == ("policy-unauthorized", "R15")
        assert answer(merge("alice", *two(edited, edited), entry=OTHER_ENTRY), differs=(b"games/x",)) == "R18"

    def test_without_a_governing_policy_every_parents_policy_must_allow_everything(self):
        ours, theirs = policy("alice", "bob"), policy("alice", "carol")
        parents = two(ours, theirs, p=THIRD_ENTRY, q=OTHER_ENTRY)
        for entry in (ENTRY, OTHER_ENTRY, THIRD_ENTRY):
            assert answer(merge("alice", *parents, entry=entry), differs=sides()) == "R18"
        for by in ("bob", "carol"):
            refused = merge(by, *parents, entry=OTHER_ENTRY)
            assert answer(refused, differs=sides()) == ("merge-policy-conflict", "R18")
        assert answer(merge("mallory", *parents), differs=sides()) == ("unauthorized-key", "R8")

    def test_a_refusal_names_the_policy_that_does_not_allow_it(self):
        ours = policy("alice", "bob", unsigned_merges=True)
        theirs = policy("alice", "carol", unsigned_merges=True)
        parents = two(ours, theirs, p=THIRD_ENTRY, q=OTHER_ENTRY)
        refusal = judge(merge("bob", *parents), Evidence(differs=sides()))
        assert (refusal.key, refusal.person, refusal.judged_by) == (ssh("bob"), None, b"q" * 20)
        assert "an editor of 717171717171's has" in refusal.message
        refusal = judge(merge("mallory", *parents), Evidence(differs=sides()))
        assert (refusal.code, refusal.judged_by) == ("merge-policy-conflict", b"p" * 20)

    def test_an_editor_without_grants_settles_no_conflict(self):
        limited = policy("alice", "bob", granted=["alice"], editors=["alice", "bob"], limited=[("bob", GAMES)])
        parents = two(limited, limited, p=THIRD_ENTRY, q=OTHER_ENTRY)
        merged = merge("bob", *parents, entry=OTHER_ENTRY)
        assert answer(merged, differs=sides()) == ("unauthorized-path", "R18")
        assert answer(merged, differs=sides((b"games/x",), (b"games/y",))) == "R18"

    def test_a_key_that_one_of_the_trees_revokes(self):
        listed = policy("alice", specs={"alice": pgp()})
        good, revoked = Keys(certified={PRIMARY}), Keys(certified={PRIMARY}, is_revoked=True)
        for first, second in ((good, revoked), (revoked, good)):
            parents = (
                parent(listed, name=b"p", tree=b"u", material=first),
                parent(listed, name=b"q", tree=b"v", material=second),
            )
            assert answer(merge("", *parents, key=PRIMARY), differs=sides()) == ("revoked-key", "R12")
            parents = tuple(one._replace(material=good) for one in parents)
            assert answer(merge("", *parents, key=PRIMARY), differs=sides()) == "R18"

    def test_a_certificate_that_only_one_of_the_trees_has(self):
        listed = policy("alice", specs={"alice": pgp()})
        parents = (
            parent(listed, name=b"p", tree=b"u"),
            parent(listed, name=b"q", tree=b"v", material=Keys(certified={PRIMARY})),
        )
        assert answer(merge("", *parents, key=PRIMARY), differs=sides()) == "R18"


class TestAdopting:
    """R20."""

    ADOPTS = LIMITED(adopting_merges=True)

    def parents(self, first=ADOPTS, **second):
        return (
            parent(first, name=b"p", tree=b"u"),
            parent(CLEAN, name=b"q", tree=b"v", **({"authentic": False} | second)),
        )

    def test_the_voucher_answers_for_everything_they_bring(self):
        assert answer(merge("bob", *self.parents()), differs=(b"games/x",)) == "R20"
        assert answer(merge("bob", *self.parents()), differs=(b"core/x",)) == ("unauthorized-path", "R20")
        assert answer(merge("alice", *self.parents()), differs=(b"core/x",)) == "R20"

    def test_it_is_signed(self):
        for by in ("", "mallory"):
            refused = merge(by, *self.parents())
            assert answer(refused, differs=(b"open/x",)) == ("parent-not-authentic", "R20")
        assert answer(merge("bob", *self.parents()), differs=(b"open/x",)) == "R20"

    def test_the_refusal_says_whom_nobody_adopts_and_why(self):
        forbidden = judge(merge("", *self.parents()), Evidence())
        assert "71" * 20 in forbidden.message
        assert forbidden.message.endswith("adopting it: the commit has no signature")
        assert (forbidden.key, forbidden.judged_by) == (None, b"p" * 20)
        assert judge(merge("mallory", *self.parents()), Evidence()).key == ssh("mallory")

    def test_it_rests_on_more_than_a_policy(self):
        assert judge(merge("alice", *self.parents()), Evidence()).authority is None
        three = (*two(self.ADOPTS, self.ADOPTS), parent(self.ADOPTS, name=b"r", tree=b"w", authentic=False))
        assert judge(merge("alice", *three), Evidence()).authority is None

    def test_the_first_parents_policy_must_want_it(self):
        assert answer(merge("alice", *self.parents(STRICT)), differs=()) == ("parent-not-authentic", "R18")
        unusable = self.parents(PolicyProblem("policy-missing", "it was removed"))
        assert answer(merge("alice", *unusable), differs=()) == ("parent-not-authentic", "R18")

    def test_the_first_parent_is_authentic(self):
        swapped = self.parents()[::-1]
        assert answer(merge("alice", *swapped), differs=()) == ("parent-not-authentic", "R18")
        for authentic, expected in ((False, ("parent-not-authentic", "R18")), (True, "R20")):
            first = self.parents()[0]._replace(authentic=authentic)
            assert answer(merge("alice", first, *swapped[:1]), differs=()) == expected
        single = self.parents()[1:]
        assert answer(merge("alice", *single), differs=()) == ("parent-not-authentic", "R17")

    def test_what_is_left_may_be_a_merge(self):
        adopts = self.ADOPTS
        three = (*two(adopts, adopts), parent(adopts, name=b"r", tree=b"w", authentic=False))
        assert answer(merge("alice", *three), differs=sides()) == "R20"
        assert answer(merge("", *three), differs=sides()) == ("parent-not-authentic", "R20")
        outside = {b"b": (b"core/x",)}
        assert answer(merge("bob", *three), differs=sides(), unsettled=outside) == ("unauthorized-path", "R20")

    def test_the_policy_file(self):
        edited = LIMITED(editors=["alice"], adopting_merges=True)
        changed = merge("bob", *self.parents(edited), entry=OTHER_ENTRY)
        assert answer(changed, differs=(b"games/x",)) == ("policy-unauthorized", "R15")
        assert answer(merge("alice", *self.parents(edited), entry=OTHER_ENTRY), differs=(b"games/x",)) == "R20"


class TestWhereTheyStand:
    """R21: parents that do not descend from the introduction."""

    def side(self, name=b"q", entry=ENTRY, tree=b"v"):
        return parent(CLEAN, name=name, tree=tree, entry=entry, standing=Standing.SIDE)

    def test_a_side_branch_brings_no_policy_of_its_own(self):
        main = two()[0]
        bases = ((b"b", ENTRY),)
        mine = merge("", main, self.side())
        assert answer(mine, differs=sides(), bases=bases) == "R19"
        old = merge("", main, self.side(entry=OTHER_ENTRY), entry=OTHER_ENTRY)
        assert answer(old, differs=sides(), bases=bases) == ("merge-policy-conflict", "R19")
        theirs = merge("", main._replace(entry=OTHER_ENTRY), self.side(), entry=OTHER_ENTRY)
        assert answer(theirs, differs=sides(), bases=bases) == "R19"

    def test_merges_on_the_side(self):
        both = (self.side(b"p", tree=b"u"), self.side())
        facts = commit("")
        assert answer(case(facts, *both, standing=Standing.SIDE), differs=sides()) == "R21"
        newer = (both[0], self.side(entry=OTHER_ENTRY))
        kept = commit("", entry=OTHER_ENTRY)
        assert answer(case(kept, *newer, standing=Standing.SIDE), differs=sides()) == "R21"
        older = commit("alice", entry=ENTRY)
        assert answer(case(older, *newer, standing=Standing.SIDE), differs=sides()) == ("policy-unauthorized", "R21")

    def test_two_files_and_neither_older(self):
        parents = (self.side(b"p", entry=THIRD_ENTRY, tree=b"u"), self.side(entry=OTHER_ENTRY))
        merged = case(commit("alice", entry=OTHER_ENTRY), *parents, standing=Standing.SIDE)
        assert answer(merged, differs=sides()) == ("policy-unauthorized", "R21")


class TestUnderAnotherPolicy:
    """R19 (e): what another policy would have said of a commit that is authentic by its own parents'."""

    def under(self, law, its_case, **evidence):
        decision = judge_under(its_case, parent(law, name=b"g"), Evidence(**evidence))
        return decision.rule if isinstance(decision, Authorized) else decision.code

    def test_linear(self):
        mine = case(commit("bob"), parent(policy("bob")))
        assert self.under(LIMITED(), mine, differs=(b"games/x",)) == "R17"
        assert self.under(LIMITED(), mine, differs=(b"core/x",)) == "unauthorized-path"
        assert self.under(policy("alice"), mine, differs=(b"games/x",)) == "unauthorized-key"
        changed = case(commit("bob", entry=OTHER_ENTRY), parent(policy("bob")))
        assert self.under(LIMITED(), changed, differs=(b".gitverify.yaml",)) == "policy-unauthorized"

    def test_unsigned_merges(self):
        assert self.under(CLEAN, merge("", *two(STRICT, STRICT)), differs=sides()) == "R19"
        assert self.under(STRICT, merge("", *two(CLEAN, CLEAN)), differs=sides()) == "unsigned"

    def test_the_question_is_not_asked_again(self):
        both = {b"pq": b"x" * 20, b"qp": b"y" * 20}
        assert self.under(CLEAN, merge(), differs=sides(), strangers=both) == "R19"
        assert self.under(CLEAN, merge("bob"), differs=sides(), strangers=both) == "R18"
        assert self.under(STRICT, merge("bob"), differs=sides(), strangers=both) == "unauthorized-path"

    def test_conflicting_policies(self):
        parents = two(STRICT, STRICT, p=THIRD_ENTRY, q=OTHER_ENTRY)
        assert self.under(STRICT, merge("alice", *parents), differs=sides()) == "R18"
        assert self.under(policy("bob"), merge("alice", *parents), differs=sides()) == "unauthorized-key"

    def test_adopting(self):
        adopting = merge("alice", *TestAdopting().parents())
        assert self.under(TestAdopting.ADOPTS, adopting, differs=()) == "R20"
        assert self.under(STRICT, adopting, differs=()) == "parent-not-authentic"
