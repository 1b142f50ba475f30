"""Which policy judges a commit whose parents are all taken as authentic: a proposed one, or those of its parents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from gitverify.judgement import NOBODY
from gitverify.objects.tree import EMPTY_TREE
from gitverify.policies.model import Dialect, Policy
from gitverify.policybook import other_dialects
from gitverify.rules.authority import Case, Parent, Standing
from gitverify.rules.authorize import judge, judge_under
from gitverify.rules.facts import PolicyProblem, Refusal
from gitverify.rules.hints import HINTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from gitverify.anchor import Anchor
    from gitverify.audit.lookup import Lookup
    from gitverify.material import Material
    from gitverify.rules.facts import Authorized, CommitFacts


class Lenders(Protocol):
    """Puts a commit before the rules."""

    def case(self, facts: CommitFacts, lookup: Lookup) -> Case:
        """Return the commit with what surrounds it."""
        ...

    def decide(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide on it."""
        ...

    def decide_with_unsigned_merges(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide as if every policy allowed unsigned merges."""
        ...


class _Lenient:
    """Policies with unsigned merges allowed, each made once: what is worked out about a policy is kept with it."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Policy, Policy]] = {}

    def __call__(self, parent: Parent) -> Parent:
        policy = parent.policy
        if isinstance(policy, PolicyProblem):
            return parent
        made = self._made.get(id(policy))
        if made is None:
            made = self._made[id(policy)] = policy, replace(policy, unsigned_merges=True)
        return parent._replace(policy=made[1])


class Proposed:
    """One policy, taken as every commit's: no file is needed in any tree, and nobody needs to introduce it.

    The files that there are at the policy's path are still no other files: who changes one has to be an editor.
    Because all parents have the same policy, R19 (e) asks nothing that was not asked of each commit itself.
    """

    def __init__(self, policy: Policy, material: Material, tip: bytes) -> None:
        """``material``: the certificates that go with the policy."""
        self._law = Parent(tip, EMPTY_TREE, None, True, policy, material, tip)
        self._lenient = _Lenient()(self._law)

    def case(self, facts: CommitFacts, lookup: Lookup) -> Case:
        """Return the commit with what surrounds it."""
        parents = [lookup.facts(parent) for parent in facts.parents]
        law = self._law
        its = tuple([law._replace(id=p.id, tree=p.tree, entry=p.examined.entry) for p in parents])
        return Case(facts, its, Standing.MAIN, Dialect.NATIVE, law.policy, None, law)

    def decide(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide by the policy."""
        malformed = case.commit.examined.malformed
        if malformed is not None:
            rule = "R7" if malformed[0] == "malformed-tree" else "R6"
            return Refusal(case.commit.id, rule, *malformed, HINTS[malformed[0]])
        return judge_under(case, self._law, lookup)

    def decide_with_unsigned_merges(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide by the policy with that switch on."""
        return judge_under(case, self._lenient, lookup)


class Recorded:
    """The policies as they are: each parent's own file, or for a side branch the introduction's (R21)."""

    def __init__(self, anchor: Anchor, main: Collection[bytes] | None, historical: Policy | None) -> None:
        """Take what descends from the introduction (``main``); None where there is none: then everything does."""
        self._anchor = anchor
        self._main = main
        self._historical = historical or NOBODY
        self._guix = anchor.examination.dialect is Dialect.GUIX
        self._lenient = _Lenient()

    def _standing(self, commit: bytes) -> Standing:
        return Standing.MAIN if self._main is None or commit in self._main else Standing.SIDE

    def case(self, facts: CommitFacts, lookup: Lookup) -> Case:
        """Return the commit with what surrounds it."""
        anchor = self._anchor
        entry = facts.examined.entry
        own: Policy | PolicyProblem | None = None
        others: str | None = None
        if entry is not None:
            own = anchor.book.policy(entry)
        elif facts.examined.malformed is None:
            others = next(iter(other_dialects(anchor.trees, facts.tree, anchor.examination.dialect)), None)
        parents = tuple([self._parent(lookup.facts(parent), lookup) for parent in facts.parents])
        dialect = anchor.examination.dialect
        return Case(facts, parents, self._standing(facts.id), dialect, own, others, self._side_judge())

    def _side_judge(self) -> Parent:
        """Return what judges a commit without parents."""
        policy: Policy | PolicyProblem = self._anchor.policy
        if self._guix:
            policy = self._historical
        elif self._main is None:
            policy = PolicyProblem("policy-missing", "it has no parent, so there is no policy that could judge it")
        here = self._anchor.facts.id
        return Parent(here, EMPTY_TREE, None, True, policy, self._anchor.materials.fixed, here, Standing.SIDE)

    def _parent(self, facts: CommitFacts, lookup: Lookup) -> Parent:
        anchor, standing = self._anchor, self._standing(facts.id)
        entry, fixed = facts.examined.entry, self._anchor.materials.fixed
        if not self._guix and standing is not Standing.MAIN:
            return Parent(facts.id, facts.tree, entry, True, anchor.policy, fixed, anchor.facts.id, standing)
        policy = self._policy(facts, lookup)
        material = fixed
        if isinstance(policy, Policy) and policy.dialect is Dialect.NATIVE and policy.lists_openpgp_keys:
            material = anchor.materials.judging(policy, lambda name: self._root_entry(facts, name))
        return Parent(facts.id, facts.tree, entry, True, policy, material, facts.id, standing)

    def _policy(self, facts: CommitFacts, lookup: Lookup) -> Policy | PolicyProblem:
        examined = facts.examined
        if examined.malformed is not None:
            return PolicyProblem(*examined.malformed)
        if examined.entry is not None:
            return self._anchor.book.policy(examined.entry)
        if self._guix and not any(lookup.facts(parent).examined.entry for parent in facts.parents):
            return self._historical
        return PolicyProblem("policy-missing", f"its parent {facts.id.hex()} has no policy file")

    def _root_entry(self, facts: CommitFacts, name: bytes) -> bytes | None:
        entry = self._anchor.trees.find(facts.tree, (name,))[0]
        return entry.id if entry is not None and entry.is_directory else None

    def decide(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide by the policies of the parents."""
        return judge(case, lookup)

    def decide_with_unsigned_merges(self, case: Case, lookup: Lookup) -> Authorized | Refusal:
        """Decide by the same policies with that switch on."""
        parents = tuple([self._lenient(parent) for parent in case.parents])
        return judge(case._replace(parents=parents), lookup)
