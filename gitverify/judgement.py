"""Judging the commits of a walk, oldest first: gathers for the rules what surrounds each commit."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MalformedTree, OversizedMaterial
from gitverify.examine import Examiner
from gitverify.foresight import Foresight
from gitverify.inquiry import Inquiry
from gitverify.objects.commit import parse_commit
from gitverify.objects.tree import EMPTY_TREE
from gitverify.order import parents_first, without_parents
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, Policy, SshKeySpec
from gitverify.policybook import other_dialects
from gitverify.rules.authority import Case, Parent, Standing
from gitverify.rules.authorize import judge
from gitverify.rules.facts import Authorized, CommitFacts, Examined, PolicyProblem, Refusal
from gitverify.treepath import components
from gitverify.walk import Colour, Fence, read_commit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gitverify.anchor import Anchor
    from gitverify.material import Material
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.pool import Pool
    from gitverify.request import Floor, Observer, Request
    from gitverify.walk import Walk

    # Policy file, root of the certificates, key, and whether a security key verified its user.
    _Likeness = tuple[TreeEntry, bytes | None, str, bool | None]

STRETCH = 256  # commits: how often the observer hears of it, and the pool is looked after

NOBODY = Policy(Dialect.GUIX, {}, (Grant((WHOLE_TREE,), frozenset()),), frozenset())


class Judgement:
    """Decides on every commit that a walk found, parents first."""

    def __init__(  # noqa: PLR0913, PLR0917  (a walk, what it was about and what it found)
        self,
        source: ObjectSource,
        request: Request,
        anchor: Anchor,
        walk: Walk,
        examined: Mapping[bytes, CommitFacts],
        floor: Floor,
        malformed: Collection[bytes],
    ) -> None:
        """Prepare; ``examined`` has the facts on the NEW commits of the walk, which went down to ``floor``.

        Those that it lacks yet the pool that :meth:`run` is given still examines.

        ``malformed``: at least those of them that were found malformed, or to have malformed trees.
        """
        self._source = source
        self._anchor = anchor
        self._tip = request.tip
        self._walk = walk
        self._floor = floor
        self._new = walk.new
        self._examined = examined
        self._historical = request.historical or NOBODY
        self._dialect = anchor.examination.dialect
        self._guix = anchor.examination.dialect is Dialect.GUIX
        self._others: dict[bytes, CommitFacts] = {anchor.facts.id: anchor.facts}
        self._again: dict[bytes, CommitFacts] = {}
        self._parents: dict[bytes, Parent] = {}
        self.refusals: list[Refusal] = []
        self.decisions: dict[bytes, Authorized | Refusal] = {}
        broken = {c for c in malformed if c in self._new and _is_malformed(examined[c].examined)}
        self.interrupted = bool(broken)
        if broken:
            self._new = without_parents(self._new, broken, request.tip)
        self._order = list(parents_first(self._new))
        self._alike: dict[_Likeness, Authorized] = {}
        self._main: set[bytes] = {anchor.facts.id}
        self._descends = self._raw_descendants()
        self.adopts = Fence.DROPPED in floor.fences.values()
        self.inquiry = Inquiry(source, anchor, walk, self)

    @property
    def order(self) -> list[bytes]:
        """The commits to be judged, parents first."""
        return self._order

    @property
    def parents_of(self) -> Mapping[bytes, tuple[bytes, ...]]:
        """The raw parents of each commit to be judged."""
        return self._new

    @property
    def floor(self) -> Floor:
        """What the walk went down to."""
        return self._floor

    @property
    def is_native(self) -> bool:
        """Whether the rules of the native dialect judge."""
        return self._dialect is Dialect.NATIVE

    @property
    def policy_path(self) -> bytes:
        """Where the policy file is."""
        return self._anchor.examination.policy_path

    @property
    def introduction(self) -> bytes:
        """The introduction."""
        return self._anchor.facts.id

    def run(self, pool: Pool | None = None, observer: Observer | None = None) -> None:
        """Decide on every commit, oldest first; then find the refusals that the tip's rests on.

        A refused commit is no end yet: a merge may adopt what it holds (R20). ``pool``: what may look ahead.
        """
        ahead = Foresight(self, self._anchor.book, pool) if pool is not None and self.is_native else None
        try:
            decisions = self.decisions
            for place, commit in enumerate(self._order):
                if not place % STRETCH:
                    if pool is not None:
                        self._await(pool, place)
                    if observer is not None:
                        observer.judged(place, len(self._order))
                if ahead is not None:
                    ahead.reached(place)
                decisions[commit] = self.decide(commit)
        finally:
            if ahead is not None:
                ahead.close()
        self.refusals = self.refusals_of(self._tip)

    def _await(self, pool: Pool, place: int) -> None:
        """Return when the commits of the stretch that begins at ``place`` have been examined."""
        examined = self._examined
        waiting = iter(self._order[place : place + STRETCH])
        lacking = next((commit for commit in waiting if commit not in examined), None)

        def there() -> bool:
            nonlocal lacking
            while lacking is not None and lacking in examined:
                lacking = next(waiting, None)
            return lacking is None

        pool.until(there)

    def supposing_authentic(self, make_inquiry: type[Inquiry]) -> Judgement:
        """Return a judgement that takes every commit for authentic, to see what will be asked.

        What it decides is worth nothing. It shares what is read with this one: use it in a process of its own.
        """
        supposed = copy(self)
        anyone = Authorized("", ())
        supposed.decisions = dict.fromkeys(self._order, anyone)
        supposed._parents, supposed._alike = {}, {}  # noqa: SLF001
        supposed._main = self._main | self._descends  # noqa: SLF001
        supposed.inquiry = make_inquiry(self._source, self._anchor, self._walk, supposed)
        return supposed

    def refusals_of(self, tip: bytes) -> list[Refusal]:
        """Return the refusals that a commit has because of its ancestors, oldest first, and its own last."""
        found: dict[bytes, Refusal] = {}
        todo = [tip]
        while todo:
            commit = todo.pop()
            decision = self.decisions.get(commit)
            if isinstance(decision, Refusal) and commit not in found:
                found[commit] = decision
                todo += self._new[commit]
        return [found[commit] for commit in self._order if commit in found] if found else []

    def is_authentic(self, commit: bytes) -> bool:
        """Whether a commit was found authentic, now or in an earlier run, or is given with the introduction."""
        decision = self.decisions.get(commit)
        if decision is None:
            colour = self._walk.colour(commit)
            return colour is not None and colour is not Colour.NEW
        return isinstance(decision, Authorized)

    def has_in_reach(self, commits: tuple[bytes, ...]) -> bool:
        """Whether the walk came by all of these commits: over raw edges the tip reaches them."""
        met = {self._tip, *self._new, *(parent for commit in self._new for parent in self._new[commit])}
        return met.issuperset(commits)

    def accepted(self) -> Iterator[CommitFacts]:
        """Yield the facts on the commits found authentic in this run, newest first."""
        for commit, decision in reversed(self.decisions.items()):
            if type(decision) is Authorized:
                yield self._examined[commit]

    def standing(self, commit: bytes) -> Standing:
        """Where a commit stands to the introduction, over authentic edges (R21).

        A commit without an authentic parent is not authentic either; it stands where raw edges put it.
        """
        if commit in self._main:
            return Standing.MAIN
        colour = self._walk.colour(commit)
        if colour is Colour.ACCEPTED or colour is Colour.LOOSE:
            return Standing.MAIN
        return Standing.SIDE if colour is Colour.NEW or colour is Colour.ASIDE else Standing.GIVEN

    def _stand(self, commit: bytes) -> Standing:
        """Find out where a commit stands whose parents have been decided on."""
        parents = [parent for parent in self._new[commit] if self.is_authentic(parent)]
        if any(self.standing(parent) is Standing.MAIN for parent in parents):
            descends = True
        else:
            descends = not parents and commit in self._descends
        if descends:
            self._main.add(commit)
        return Standing.MAIN if descends else Standing.SIDE

    def _raw_descendants(self) -> set[bytes]:
        """Return what descends from the introduction over raw edges."""
        found = {self._anchor.facts.id}
        for commit in self._order:
            for parent in self._new[commit]:
                if parent in found or self.standing(parent) is Standing.MAIN:
                    found.add(commit)
                    break
        return found

    def descends_raw(self, commit: bytes) -> bool:
        """Whether a commit is, or descends from, the introduction, were all edges authentic."""
        return commit in self._descends or self.standing(commit) is Standing.MAIN

    def decide(self, commit: bytes) -> Authorized | Refusal:
        """Decide on a commit whose parents have been decided on."""
        facts = self._examined[commit]
        likeness = self._likeness(facts)
        if likeness is None:
            return self._judge(facts)
        alike = self._alike.get(likeness)
        if alike is not None:
            self._main.add(commit)  # as its parent is
            return alike
        decision = self._judge(facts)
        if isinstance(decision, Authorized) and self._holds_for_all_alike(facts, decision):
            self._alike[likeness] = decision
        return decision

    def _likeness(self, facts: CommitFacts) -> _Likeness | None:
        """Return what a commit has in common with those that are judged as it is; None where it stands alone.

        Alike are commits with one parent, which was found authentic in this run and has the same policy file and
        certificates, and with a signature by the same key.
        """
        examined, parents = facts.examined, facts.parents
        entry, root = examined.entry, examined.key_root
        if len(parents) != 1 or not examined.key or entry is None:
            return None
        parent = parents[0]
        if parent not in self._main or type(self.decisions.get(parent)) is not Authorized:
            return None
        before = self._examined[parent].examined
        # Mostly it is the very same object, and comparing that would still compare what is in it.
        if (before.entry is not entry and before.entry != entry) or before.key_root != root:
            return None
        return entry, root, examined.key, examined.user_verified

    def _holds_for_all_alike(self, facts: CommitFacts, decision: Authorized) -> bool:
        """Whether the decision rests on nothing else: on no date, and on a grant for whatever a commit may change."""
        policy = self._policy(facts)
        if isinstance(policy, PolicyProblem) or policy.refuse_expired_keys:
            return False
        if not any(voucher.person in policy.whole_tree for voucher in decision.vouchers):
            return False
        if policy.openpgp_keys is not None and components(policy.openpgp_keys)[0] != self._anchor.examination.key_root:
            return False  # the certificates lie below a root entry that was not looked at
        return not any(
            isinstance(spec, SshKeySpec) and (spec.valid_after, spec.valid_before) != (None, None)
            for _, spec in policy.by_key.get(facts.examined.key, ())
        )

    def case(self, facts: CommitFacts, standing: Standing, *, parents: tuple[bytes, ...] | None = None) -> Case:
        """Return a commit with what surrounds it, but for what its own tree says of policies."""
        ids = self._new[facts.id] if parents is None else parents
        its = tuple([self.parent(parent) for parent in ids])
        return Case(facts, its, standing, self._dialect, None, None, self._side_judge)

    def _judge(self, facts: CommitFacts) -> Authorized | Refusal:
        standing = self._stand(facts.id)
        case = self.case(facts, standing)
        if not case.parents or case.parents[0].authentic:  # else nothing else is asked
            own, others = self.own_policy(facts)
            case = case._replace(own_policy=own, other_dialect=others)
        decision = judge(case, self.inquiry)
        if isinstance(decision, Authorized) and not all(parent.authentic for parent in case.parents):
            self.adopts = True
        own = case.own_policy
        if isinstance(own, Policy) and standing is Standing.MAIN and isinstance(decision, Authorized):
            # Nearly every commit is the next one's parent, and all that its judge asks for is at hand here.
            self._parents[facts.id] = self._judging_itself(facts, own)
        return decision

    def imagine(self, tree: bytes, parents: tuple[bytes, ...], key: str, at: int) -> Authorized | Refusal:
        """Return the decision on a commit that is not there, had it this tree, and were it signed by this key.

        ``parents`` have been decided on, and one of them descends from the introduction. ``at``: when it would be
        committed and signed (seconds since 1970).
        """
        nobody = bytes(20)
        try:
            entry = self._entry(tree)
        except MalformedTree as error:
            return Refusal(nobody, "R7", "malformed-tree", str(error))
        facts = CommitFacts(nobody, tree, parents, at, Examined(entry, key=key, made_at=at))
        own, others = self.own_policy(facts)
        case = self.case(facts, Standing.MAIN, parents=parents)
        return judge(case._replace(own_policy=own, other_dialect=others), self.inquiry)

    def own_policy(self, facts: CommitFacts) -> tuple[Policy | PolicyProblem | None, str | None]:
        """Return what a commit's own policy file says, or which other dialect's file it has instead."""
        entry = facts.examined.entry
        if entry is not None:
            return self._with_its_keys(self._anchor.book.policy(entry), facts), None
        if facts.examined.malformed is not None:
            return None, None
        found = other_dialects(self._anchor.trees, facts.tree, self._anchor.examination.dialect)
        return None, found[0] if found else None

    def _with_its_keys(self, policy: Policy | PolicyProblem, facts: CommitFacts) -> Policy | PolicyProblem:
        """Refuse a policy whose key directory is too large here, where it grew, and not those who come after it."""
        if not isinstance(policy, Policy) or policy.dialect is not Dialect.NATIVE or not policy.lists_openpgp_keys:
            return policy
        try:
            self._material(policy, facts).load()
        except OversizedMaterial as error:
            return PolicyProblem("policy-invalid", f"its key directory has {error}")
        return policy

    def _material(self, policy: Policy, facts: CommitFacts) -> Material:
        return self._anchor.materials.judging(policy, lambda name: self._root_entry(facts, name))

    @cached_property
    def _side_judge(self) -> Parent:
        """What judges a commit without parents: the introduction's policy, or the historical list (R21)."""
        anchor = self._anchor
        policy = self._historical if self._guix else anchor.policy
        material, here = anchor.materials.fixed, anchor.facts.id
        return Parent(here, EMPTY_TREE, None, True, policy, material, here, Standing.SIDE)

    def parent(self, commit: bytes) -> Parent:
        """Return a commit as the judge of its children sees it."""
        found = self._parents.get(commit)
        if found is None:
            found = self._parents[commit] = self._new_parent(commit)
        return found

    def _new_parent(self, commit: bytes) -> Parent:
        anchor = self._anchor
        facts = self.facts(commit)
        if not self.is_authentic(commit):  # nothing below it is asked for
            problem = PolicyProblem("parent-not-authentic", "the parent is not authentic")
            return Parent(commit, facts.tree, None, False, problem, anchor.materials.fixed, commit)
        entry = facts.examined.entry
        standing = self.standing(commit)
        if not self._guix and standing is not Standing.MAIN:
            material = anchor.materials.fixed
            return Parent(commit, facts.tree, entry, True, anchor.policy, material, anchor.facts.id, standing)
        return self._judging_itself(facts, self._policy(facts))

    def _judging_itself(self, facts: CommitFacts, policy: Policy | PolicyProblem) -> Parent:
        """Return an authentic commit whose own policy judges its children."""
        material = self._anchor.materials.fixed
        if isinstance(policy, Policy) and policy.lists_openpgp_keys and policy.dialect is Dialect.NATIVE:
            material = self._material(policy, facts)
        standing = self.standing(facts.id)
        return Parent(facts.id, facts.tree, facts.examined.entry, True, policy, material, facts.id, standing)

    def _policy(self, facts: CommitFacts) -> Policy | PolicyProblem:
        entry = facts.examined.entry
        if facts.examined.malformed is not None:
            return PolicyProblem(*facts.examined.malformed)
        if entry is not None:
            return self._anchor.book.policy(entry)
        if any(self.facts(parent).examined.entry for parent in facts.parents):
            return PolicyProblem("policy-missing", f"its parent {facts.id.hex()} removed the policy file")
        return self._historical

    def _root_entry(self, facts: CommitFacts, name: bytes) -> bytes | None:
        if name == self._anchor.examination.key_root and facts.id in self._examined:
            return facts.examined.key_root
        entry = self._anchor.trees.find(facts.tree, (name,))[0]
        return entry.id if entry is not None and entry.is_directory else None

    def facts(self, commit: bytes) -> CommitFacts:
        """Return the facts on any commit; those that are not judged are read here, without their signature."""
        facts = self._examined.get(commit) or self._others.get(commit)
        if facts is None:
            if commit in self._new:  # pragma: no cover - what is judged later is nobody's parent yet
                raise AssertionError("asked about a commit that may not have been examined")
            facts = self._others[commit] = self._read(commit)
        return facts

    def _read(self, commit: bytes) -> CommitFacts:
        try:
            parsed = parse_commit(read_commit(self._source, commit))
            entry = self._entry(parsed.tree)
        except MalformedCommit as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-commit", str(error))))
        except MalformedTree as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-tree", str(error))))
        return CommitFacts(commit, parsed.tree, parsed.parents, parsed.date, Examined(entry))

    def _entry(self, tree: bytes) -> TreeEntry | None:
        """Return the policy file's entry in a root tree."""
        trees = self._anchor.trees
        first, *rest = components(self.policy_path)
        return trees.walk(trees.find(tree, (first,))[0], tuple(rest))

    def examined(self, commit: bytes) -> CommitFacts:
        """Return the facts on a commit with its signature, also where an earlier run has judged it."""
        facts = self._examined.get(commit) or self._again.get(commit)
        if facts is None:
            raw = read_commit(self._source, commit)
            anchor = self._anchor
            examiner = Examiner(self._source, anchor.examination, anchor.likely_keyring(None))
            facts = self._again[commit] = self.facts(commit)._replace(examined=examiner([raw])[0])
        return facts


def _is_malformed(examined: Examined) -> bool:
    """Whether the commit itself is: then nothing that it says is believed. Of a malformed tree its parents say all."""
    return examined.malformed is not None and examined.malformed[0] == "malformed-commit"
