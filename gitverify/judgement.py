"""Judging the commits of a walk, oldest first: gathers for the rules what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MalformedTree, OversizedMaterial
from gitverify.examine import Examiner
from gitverify.objects.commit import parse_commit
from gitverify.objects.tree import EMPTY_TREE
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, Policy, SshKeySpec
from gitverify.policybook import other_dialects
from gitverify.rules.authority import Case, Parent, Standing
from gitverify.rules.authorize import judge
from gitverify.rules.facts import Authorized, CommitFacts, Examined, PolicyProblem, Refusal
from gitverify.treepath import components
from gitverify.walk import Colour, read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gitverify.anchor import Anchor
    from gitverify.material import Material
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.request import Request
    from gitverify.walk import Walk

    # Policy file, root of the certificates, key, and whether a security key verified its user.
    _Likeness = tuple[TreeEntry, bytes | None, str, bool | None]

NOBODY = Policy(Dialect.GUIX, {}, (Grant((WHOLE_TREE,), frozenset()),), frozenset())


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the verdict on one commit rests on; ``parents`` as its judge saw them, the policies in them."""

    facts: CommitFacts
    standing: Standing
    decision: Authorized | Refusal
    parents: tuple[Parent, ...]
    own_policy: Policy | PolicyProblem | None


class Judgement:
    """Decides on every commit that a walk found, parents first."""

    def __init__(
        self,
        source: ObjectSource,
        request: Request,
        anchor: Anchor,
        walk: Walk,
        examined: Mapping[bytes, CommitFacts],
    ) -> None:
        """Prepare; ``examined`` has the facts on every NEW commit of the walk."""
        self._source = source
        self._anchor = anchor
        self._tip = request.tip
        self._walk = walk
        self._new = walk.new
        self._examined = examined
        self._historical = request.historical or NOBODY
        self._dialect = anchor.examination.dialect
        self._guix = anchor.examination.dialect is Dialect.GUIX
        self._others: dict[bytes, CommitFacts] = {anchor.facts.id: anchor.facts}
        self._examiners: dict[int, Examiner] = {}
        self._parents: dict[bytes, Parent] = {}
        self.refusals: list[Refusal] = []
        self.decisions: dict[bytes, Authorized | Refusal] = {}
        malformed = {c for c in self._new if (examined[c].examined.malformed or ("",))[0] == "malformed-commit"}
        self.interrupted = bool(malformed)
        if malformed:
            self._new = _without_parents(self._new, malformed, request.tip)
        self._order = list(self._parents_first())
        self._alike: dict[_Likeness, Authorized] = {}
        self._main: set[bytes] = {anchor.facts.id}
        for commit in self._order:
            for parent in self._new[commit]:
                if parent in self._main or self.standing(parent) is Standing.MAIN:
                    self._main.add(commit)
                    break

    def run(self, *, keep_going: bool) -> None:
        """Decide in order, oldest first, and note the refusals. Without ``keep_going`` stop at the first."""
        for commit in self._order:
            decision = self._decide(commit)
            self.decisions[commit] = decision
            if isinstance(decision, Refusal):
                self.refusals.append(decision)
                if not keep_going:
                    break

    def is_authentic(self, commit: bytes) -> bool:
        """Whether a commit was found authentic, now or in an earlier run, or is given with the introduction."""
        decision = self.decisions.get(commit)
        if decision is None:
            return self._walk.colour(commit) in {Colour.ACCEPTED, Colour.GIVEN}
        return isinstance(decision, Authorized)

    def explain(self, commit: bytes) -> Explanation:
        """Return what the decision on a commit rests on."""
        facts = self._examined[commit]
        entry = facts.examined.entry
        return Explanation(
            facts=facts,
            standing=self.standing(commit),
            decision=self.decisions[commit],
            parents=tuple(self.parent(parent) for parent in facts.parents),
            own_policy=self._anchor.book.policy(entry) if entry is not None else None,
        )

    def newest_authentic(self, tip: bytes) -> bytes | None:
        """Return the first authentic commit on the tip's first-parent line, not below the introduction (R27)."""
        commit = tip
        while commit in self._new:
            if self.is_authentic(commit) and self.standing(commit) is Standing.MAIN:
                return commit
            parents = self._new[commit]
            if not parents:
                return None
            commit = parents[0]
        return commit if self.standing(commit) is Standing.MAIN else None

    def reaches(self, commits: Iterable[bytes]) -> bool:
        """Whether the tip is, or descends from, each of these commits, all of which descend from the introduction."""
        met = {self._tip, *self._new, *(parent for commit in self._new for parent in self._new[commit])}
        return all(commit in met and self.standing(commit) is Standing.MAIN for commit in commits)

    def accepted(self) -> Iterator[CommitFacts]:
        """Yield the facts on the commits found authentic in this run."""
        for commit, decision in self.decisions.items():
            if isinstance(decision, Authorized):
                yield self._examined[commit]

    def standing(self, commit: bytes) -> Standing:
        """Where a commit stands to the introduction (R21)."""
        if commit in self._main or self._walk.colour(commit) is Colour.ACCEPTED:
            return Standing.MAIN
        return Standing.SIDE if self._walk.colour(commit) is Colour.NEW else Standing.GIVEN

    def fences(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the edges from commits that descend from the introduction to ones that do not."""
        for commit in self.decisions:
            if commit in self._main:
                for parent in self._examined[commit].parents:
                    if parent not in self._main and self.standing(parent) is not Standing.MAIN:
                        yield commit, parent

    def _parents_first(self) -> Iterator[bytes]:
        """Yield the commits of the walk from its end, but every parent before its child whatever their dates say."""
        new = self._new
        done: set[bytes] = set()
        for start in reversed(new):
            if start not in done and done.issuperset(new[start]):
                done.add(start)
                yield start
                continue
            stack = [start]
            while stack:
                commit = stack[-1]
                waiting = [p for p in new[commit] if p in new and p not in done]
                if waiting and commit not in done:
                    stack.extend(waiting)
                    continue
                stack.pop()
                if commit not in done:
                    done.add(commit)
                    yield commit

    def _decide(self, commit: bytes) -> Authorized | Refusal:
        facts = self._examined[commit]
        likeness = self._likeness(facts)
        if likeness is None:
            return self._judge(facts)
        decision: Authorized | Refusal | None = self._alike.get(likeness)
        if decision is None:
            decision = self._judge(facts)
            if isinstance(decision, Authorized) and self._holds_for_all_alike(facts, decision):
                self._alike[likeness] = decision
        return decision

    def _likeness(self, facts: CommitFacts) -> _Likeness | None:
        """Return what a commit has in common with those that are judged as it is; None where it stands alone.

        Alike are commits with one parent, which was found authentic in this run and has the same policy file and
        certificates, and with a signature by the same key.
        """
        examined = facts.examined
        if len(facts.parents) != 1 or not examined.key or examined.entry is None:
            return None
        parent = facts.parents[0]
        before = self._examined.get(parent)
        if before is None or parent not in self._main or type(self.decisions.get(parent)) is not Authorized:
            return None
        if before.examined.entry != examined.entry or before.examined.key_root != examined.key_root:
            return None
        return examined.entry, examined.key_root, examined.key, examined.user_verified

    def _holds_for_all_alike(self, facts: CommitFacts, decision: Authorized) -> bool:
        """Whether the decision rests on nothing else: on no date, and on a grant for whatever a commit may change."""
        policy = self._policy(facts)
        if isinstance(policy, PolicyProblem) or policy.refuse_expired_keys:
            return False
        if policy.openpgp_keys is not None and components(policy.openpgp_keys)[0] != self._anchor.examination.key_root:
            return False  # the certificates lie below a root entry that was not looked at
        return any(voucher.person in policy.whole_tree for voucher in decision.vouchers) and not any(
            isinstance(spec, SshKeySpec) and (spec.valid_after, spec.valid_before) != (None, None)
            for _, spec in policy.by_key.get(facts.examined.key, ())
        )

    def _judge(self, facts: CommitFacts) -> Authorized | Refusal:
        parents = tuple([self.parent(parent) for parent in self._new[facts.id]])
        own, others = None, None
        if all(parent.authentic for parent in parents):  # else nothing else is asked
            own, others = self._own_policy(facts)
        standing = self.standing(facts.id)
        decision = judge(Case(facts, parents, standing, self._dialect, own, others, self._side_judge), self)
        if isinstance(own, Policy) and standing is Standing.MAIN and isinstance(decision, Authorized):
            # Nearly every commit is the next one's parent, and all that its judge asks for is at hand here.
            self._parents[facts.id] = self._judging_itself(facts, own)
        return decision

    def _own_policy(self, facts: CommitFacts) -> tuple[Policy | PolicyProblem | None, str | None]:
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
        return Parent(anchor.facts.id, EMPTY_TREE, None, True, policy, anchor.materials.fixed, anchor.facts.id)

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
        if not self._guix and self.standing(commit) is not Standing.MAIN:
            material = anchor.materials.fixed
            return Parent(commit, facts.tree, entry, True, anchor.policy, material, anchor.facts.id)
        return self._judging_itself(facts, self._policy(facts))

    def _judging_itself(self, facts: CommitFacts, policy: Policy | PolicyProblem) -> Parent:
        """Return an authentic commit whose own policy judges its children."""
        material = self._anchor.materials.fixed
        if isinstance(policy, Policy) and policy.lists_openpgp_keys and policy.dialect is Dialect.NATIVE:
            material = self._material(policy, facts)
        return Parent(facts.id, facts.tree, facts.examined.entry, True, policy, material, facts.id)

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
            facts = self._others[commit] = self._read(commit)
        return facts

    def _read(self, commit: bytes) -> CommitFacts:
        anchor = self._anchor
        try:
            parsed = parse_commit(read_commit(self._source, commit))
            first, *rest = components(anchor.examination.policy_path)
            entry = anchor.trees.walk(anchor.trees.find(parsed.tree, (first,))[0], tuple(rest))
        except MalformedCommit as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-commit", str(error))))
        except MalformedTree as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-tree", str(error))))
        return CommitFacts(commit, parsed.tree, parsed.parents, parsed.date, Examined(entry))

    def examine(self, commit: CommitFacts, judge: Parent) -> Examined:
        """R12: a signature that the likely certificates could not prove is tried with those that judge."""
        examined = commit.examined
        unproven = examined.unproven
        if unproven is None or unproven.code == "unsigned" or self._guix:
            return examined
        if any(key.startswith("SHA256:") for key in unproven.keys):  # an SSH signature brings its own key
            return examined
        material = judge.material
        examiner = self._examiners.get(id(material))
        if examiner is None:
            examiner = Examiner(self._source, self._anchor.examination, material.keyring)  # type: ignore[attr-defined]
            self._examiners[id(material)] = examiner
        return examiner([read_commit(self._source, commit.id)])[0]

    def only_policy_differs(self, commit: CommitFacts, parent: Parent) -> bool:
        """Whether commit and parent differ in the policy file's entry alone (R17 for an editor without a grant)."""
        trees = self._anchor.trees
        path = components(self._anchor.examination.policy_path)
        if not parent.tree:
            return False
        try:
            return _differ_only_at(trees.entries, commit.tree, parent.tree, path)
        except MalformedTree:
            return False


def _without_parents(
    new: dict[bytes, tuple[bytes, ...]], malformed: set[bytes], tip: bytes
) -> dict[bytes, tuple[bytes, ...]]:
    """Leave out what is reached through malformed commits alone: nothing that they say is believed (R6)."""
    reached = set()
    todo = [tip]
    while todo:
        commit = todo.pop()
        if commit in new and commit not in reached:
            reached.add(commit)
            todo += () if commit in malformed else new[commit]
    return {c: () if c in malformed else parents for c, parents in new.items() if c in reached}


def _differ_only_at(
    entries: Callable[[bytes], dict[bytes, TreeEntry]],
    ours: bytes,
    theirs: bytes,
    path: tuple[bytes, ...],
) -> bool:
    if ours == theirs:
        return True
    left, right = entries(ours), entries(theirs)
    name, rest = path[0], path[1:]
    if {n: e for n, e in left.items() if n != name} != {n: e for n, e in right.items() if n != name}:
        return False
    mine, other = left.get(name), right.get(name)
    if not rest:
        return True
    if mine is None or other is None or not (mine.is_directory and other.is_directory):
        return False
    return _differ_only_at(entries, mine.id, other.id, rest)
