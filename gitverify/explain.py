"""What the decision on one commit rests on, taken apart for people: the rules are asked again, nothing is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedTree, MissingObject, TooMuch
from gitverify.policies.model import Policy
from gitverify.policies.rights import Register, Rights
from gitverify.rules.authorize import parents_that_count
from gitverify.rules.facts import Authorized
from gitverify.rules.governing import changed_since, find_governing
from gitverify.rules.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitverify.judgement import Judgement
    from gitverify.marking import Marking
    from gitverify.rules.authority import Base, Parent, Standing
    from gitverify.rules.facts import CommitFacts, PolicyProblem, Refusal
    from gitverify.rules.governing import Governing
    from gitverify.trees.difference import Change

MOST_PATHS = 1000  # that are kept; the others are counted
POLICY_FILE = "policy-file"  # why the policy file's path is part of a contribution: it is not the governing one


class ChangedPath(NamedTuple):
    """A path of a contribution.

    ``what``: why the mechanical merge leaves it open (:class:`~gitverify.trees.mechanical.Why`, or that it is the
    policy file), or ``added``, ``deleted`` or ``modified``. ``rights`` is None where no policy says who may change it.
    """

    path: bytes
    what: str
    rights: Rights | None


@dataclass(slots=True)
class Contribution:
    """What a commit changes beyond what its parents settle (section 5 of the rules).

    ``since``: the commits that it is compared with: the parent, a merge base, or every parent. ``problem``: why it was
    not found out, or not to the end.
    """

    since: tuple[bytes, ...]
    paths: list[ChangedPath] = field(default_factory=list)
    count: int = 0
    problem: str | None = None


class Side(NamedTuple):
    """What a merge brings in beyond the parent that takes the governing one's place (R18, R19 (e)).

    ``uncovered``: a path that differs from that parent and that the voucher (without one: just anyone) may not change,
    None where there is none. ``commits``: how many commits only the other parent reaches; ``stranger``: the oldest of
    them that the governing policy does not allow.
    """

    parent: bytes
    other: bytes
    uncovered: bytes | None
    commits: int
    stranger: bytes | None


@dataclass(slots=True)
class Merge:
    """How a merge of the native dialect was looked at.

    ``governing``: the parents whose policy governs, () for none. ``voucher``: whether somebody vouches for it.
    """

    bases: tuple[bytes, ...]
    governing: tuple[bytes, ...]
    why: str
    voucher: bool
    sides: tuple[Side, ...] = ()


@dataclass(slots=True)
class Explanation:
    """What the decision rests on.

    ``parents`` as the judge saw them, the policies in them; ``dropped`` those that an adopting merge drops (R20),
    ``binding`` those that a binding edge leads to (R23).
    """

    facts: CommitFacts
    standing: Standing
    decision: Authorized | Refusal
    parents: tuple[Parent, ...]
    own_policy: Policy | PolicyProblem | None
    dropped: frozenset[bytes] = frozenset()
    binding: frozenset[bytes] = frozenset()
    merge: Merge | None = None
    contribution: Contribution | None = None


def explain(judgement: Judgement, marking: Marking, commit: bytes) -> Explanation:
    """Explain the decision on a commit of this judgement. Raises MissingObject."""
    facts = judgement.facts(commit)
    decision = judgement.decisions[commit]
    case = judgement.case(facts, judgement.standing(commit))
    explained = Explanation(facts, case.standing, decision, case.parents, judgement.own_policy(facts)[0])
    if isinstance(decision, Authorized):
        explained.binding = frozenset(marking.binding_parents(commit))
    if facts.examined.malformed is not None:
        return explained
    try:
        kept = parents_that_count(case)
    except Refused:
        kept = case.parents if len(case.parents) == 1 else ()
    explained.dropped = frozenset(parent.id for parent in case.parents if kept and parent not in kept)
    if kept:
        _Changes(judgement, explained, kept).describe()
    return explained


class _Changes:
    """Describes what a commit changes, with the parents that it is judged by."""

    def __init__(self, judgement: Judgement, explained: Explanation, kept: tuple[Parent, ...]) -> None:
        self._judgement = judgement
        self._inquiry = judgement.inquiry
        self._explained = explained
        self._facts = explained.facts
        self._kept = kept

    def describe(self) -> None:
        contribution = self._explained.contribution = Contribution(tuple(parent.id for parent in self._kept))
        try:
            if len(self._kept) > 1 and self._judgement.is_native:
                self._describe_merge(contribution)
            else:
                self._collect(contribution, self._differences(), self._kept)
        except (MalformedTree, TooMuch, MissingObject) as error:
            contribution.problem = str(error)

    def _describe_merge(self, contribution: Contribution) -> None:
        ids: tuple[bytes, ...] = ()
        bases: Sequence[Base] = ()
        if len(self._kept) == 2:
            sides = self._kept[0].id, self._kept[1].id
            ids, bases = self._inquiry.base_commits(*sides), self._inquiry.bases(*sides)
        governing = find_governing(self._kept, self._explained.standing, bases)
        why = _why(governing, self._kept, bases)
        places = tuple(parent.id for parent in governing.parents) if governing else ()
        merge = Merge(ids, places, why, bool(self._names()))
        self._explained.merge = merge
        lenders = governing.parents[:1] if governing else self._kept
        if not bases:
            self._collect(contribution, self._differences(), lenders)
        else:
            sides = self._kept[0].id, self._kept[1].id
            ids = (*ids, *self._inquiry.hidden_base_commits(*sides))
            bases = [*bases, *self._inquiry.hidden_bases(*sides)]
            at = self._base_to_show(bases, lenders[0])
            contribution.since = (ids[at],)
            self._collect(contribution, self._unsettled(bases[at], governing), lenders)
        if governing is not None and len(self._kept) == 2:
            merge.sides = tuple(self._sides(governing))

    def _names(self) -> frozenset[str]:
        """Return who vouches, as far as the decision says."""
        decision = self._explained.decision
        if isinstance(decision, Authorized):
            return frozenset(voucher.person for voucher in decision.vouchers)
        return frozenset([decision.person] if decision.person is not None else [])

    def _base_to_show(self, bases: Sequence[Base], lender: Parent) -> int:
        """Return the place of a merge base relative to which the contribution is not covered, or of the first one."""
        if len(bases) > 1 and isinstance(lender.policy, Policy):
            cover = self._inquiry.cover(lender.policy, self._names(), policy_file=True)
            sides = self._kept[0].tree, self._kept[1].tree
            for at, base in enumerate(bases):
                if self._inquiry.unsettled(base.tree, sides, self._facts.tree, cover) is not None:
                    return at
        return 0

    def _unsettled(self, base: Base, governing: Governing | None) -> Iterator[tuple[bytes, str]]:
        """Yield what the mechanical merge leaves open; the policy file is judged apart."""
        path = self._judgement.policy_path
        if governing is None or self._facts.examined.entry != governing.entry:
            yield path, POLICY_FILE
        sides = self._kept[0].tree, self._kept[1].tree
        for found in self._inquiry.unsettled_paths(base.tree, sides, self._facts.tree):
            if found.path != path:
                yield found.path, str(found.why)

    def _differences(self) -> Iterator[tuple[bytes, str]]:
        """Yield the paths that differ from any of the parents, each once."""
        met: set[bytes] = set()
        for parent in self._kept:
            for change in self._inquiry.changes(parent.tree, self._facts.tree):
                if len(self._kept) == 1 or change.path not in met:
                    yield change.path, what_happened(change)
                    met.update([change.path] if len(self._kept) > 1 else [])

    def _collect(
        self, contribution: Contribution, paths: Iterable[tuple[bytes, str]], lenders: Sequence[Parent]
    ) -> None:
        registers = [
            Register(lender.policy, self._judgement.policy_path)
            for lender in lenders
            if isinstance(lender.policy, Policy)
        ]
        remaining = iter(paths)
        for path, what in islice(remaining, MOST_PATHS):
            contribution.count += 1
            contribution.paths.append(ChangedPath(path, what, _common([r.rights(path) for r in registers])))
        for _ in remaining:
            contribution.count += 1

    def _sides(self, governing: Governing) -> Iterator[Side]:
        """Yield what R18 and R19 (e) ask of each parent that may take the governing one's place."""
        for parent in self._kept if governing.both_changed else governing.parents:
            other = self._kept[1] if parent.id == self._kept[0].id else self._kept[0]
            if isinstance(parent.policy, Policy):
                yield self._side(parent, parent.policy, other)

    def _side(self, parent: Parent, policy: Policy, other: Parent) -> Side:
        names = self._names()
        edits = self._facts.examined.entry == parent.entry or bool(names & policy.editors)
        cover = self._inquiry.cover(policy, names, policy_file=edits)
        return Side(
            parent.id,
            other.id,
            self._inquiry.uncovered(parent.tree, self._facts.tree, cover),
            len(self._inquiry.beyond(other.id, parent.id)),
            self._inquiry.authorised_beyond(other.id, parent),
        )


def what_happened(change: Change) -> str:
    """Say in a word what a difference did to its path."""
    if change.before is None:
        return "added"
    return "deleted" if change.after is None else "modified"


def _common(rights: Sequence[Rights]) -> Rights | None:
    """Return who may change a path by all of several policies: people of the same name, for people to read."""
    if not rights:
        return None
    people = frozenset.intersection(*(each.people for each in rights))
    return Rights(people, all(each.unprotected for each in rights), rights[0].policy_file)


def _why(governing: Governing | None, parents: Sequence[Parent], bases: Sequence[Base]) -> str:
    """Say why a merge is governed as it is."""
    if governing is None:
        return _why_not(parents, bases)
    if governing.both_changed:
        return "both parents changed the policy file since they parted, to the same one"
    if all(parent.entry == governing.entry for parent in parents):
        return "all parents have the same policy file"
    return "of the two parents' policy files only this one changed since they parted"


def _why_not(parents: Sequence[Parent], bases: Sequence[Base]) -> str:
    if len(parents) != 2:
        return "more than two parents, and not all have the same policy file"
    if not bases:
        return "the parents have different policy files and share no history"
    if len(changed_since(parents, bases)) == 1:
        return "the policy file changed on a branch that does not descend from the introduction"
    return "both parents changed the policy file since they parted"
