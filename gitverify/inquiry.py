"""What the rules ask of the repository while they judge a commit (their ``Evidence``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gitverify.ancestry import Ancestry
from gitverify.errors import GitverifyError, MalformedCommit, MalformedTree, TooMuch
from gitverify.examine import Examiner
from gitverify.limits import LIMITS
from gitverify.objects.commit import parse_head
from gitverify.policies.coverage import Extent, cover
from gitverify.policies.model import Dialect
from gitverify.rules.authority import Base, Standing
from gitverify.rules.authorize import judge_under
from gitverify.rules.facts import Authorized
from gitverify.trees.difference import changes, uncovered
from gitverify.walk import Colour, Fence, read_commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitverify.anchor import Anchor
    from gitverify.answers import Answers
    from gitverify.objects.source import ObjectSource
    from gitverify.policies.coverage import Cover
    from gitverify.policies.model import Policy
    from gitverify.request import Floor
    from gitverify.rules.authority import Case, Parent
    from gitverify.rules.facts import CommitFacts, Examined, Refusal
    from gitverify.trees.difference import Change
    from gitverify.trees.mechanical import Unsettled
    from gitverify.walk import Walk


class Judged(Protocol):
    """The judgement that is under way."""

    decisions: dict[bytes, Authorized | Refusal]

    @property
    def order(self) -> Sequence[bytes]:
        """The commits to be judged, parents first."""
        ...

    @property
    def parents_of(self) -> Mapping[bytes, tuple[bytes, ...]]:
        """Their raw parents."""
        ...

    @property
    def floor(self) -> Floor:
        """What earlier runs accepted."""
        ...

    @property
    def adopts(self) -> bool:
        """Whether there is an adopting merge among the commits judged so far, or the accepted ones."""
        ...

    def descends_raw(self, commit: bytes) -> bool:
        """Whether a commit descends from the introduction, were all edges authentic."""
        ...

    def is_authentic(self, commit: bytes) -> bool:
        """Whether a commit was found authentic, now or before, or is given."""
        ...

    def standing(self, commit: bytes) -> Standing:
        """Where a commit stands to the introduction."""
        ...

    def facts(self, commit: bytes) -> CommitFacts:
        """Return the facts on any commit."""
        ...

    def examined(self, commit: bytes) -> CommitFacts:
        """Return the facts on any commit with its signature."""
        ...

    def case(self, facts: CommitFacts, standing: Standing, *, parents: tuple[bytes, ...] | None = None) -> Case:
        """Return a commit with what surrounds it."""
        ...


class Inquiry:
    """Looks into the repository for one judgement."""

    def __init__(self, source: ObjectSource, anchor: Anchor, walk: Walk, judged: Judged) -> None:
        """Prepare; nothing is read yet."""
        self._source = source
        self._anchor = anchor
        self._judged = judged
        self._known = Known(source, anchor.facts.id, walk, judged)
        self._asked: Ancestry | None = None
        self._hidden: Ancestry | None = None
        # Each merge has its limits; these are for what many take together.
        self._merge_steps = LIMITS.merge_run_steps + len(judged.order) * LIMITS.merge_run_steps_per_commit
        self._examiners: dict[int, Examiner] = {}
        self._allowed: dict[tuple[bytes, int, int], bool] = {}
        self.answers: Answers | None = None  # that others found ahead of this process

    @property
    def _ancestry(self) -> Ancestry:
        if self._asked is None:
            self._asked = Ancestry(self._known, self._known.line())
        return self._asked

    def examine(self, commit: CommitFacts, judge: Parent) -> Examined:
        """R12: a signature that the likely certificates could not prove is tried with those that judge."""
        examined = commit.examined
        unproven = examined.unproven
        if unproven is None or unproven.code == "unsigned" or self._anchor.examination.dialect is Dialect.GUIX:
            return examined
        if any(key.startswith("SHA256:") for key in unproven.keys):  # an SSH signature brings its own key
            return examined
        material = judge.material
        examiner = self._examiners.get(id(material))
        if examiner is None:
            examiner = Examiner(self._source, self._anchor.examination, material.keyring)  # type: ignore[attr-defined]
            self._examiners[id(material)] = examiner
        return examiner([read_commit(self._source, commit.id)])[0]

    def cover(self, policy: Policy, people: frozenset[str], *, policy_file: bool) -> Cover:
        """Return which paths these people may change."""
        found = cover(policy, people, self._anchor.examination.policy_path, policy_file=policy_file)
        if self.answers is not None:
            self.answers.covers(found, policy, people, policy_file=policy_file)
        return found

    def uncovered(self, before: bytes, after: bytes, cover: Cover) -> bytes | None:
        """Return a path that differs between two root trees and is not covered; None where all are."""
        trees = self._anchor.trees
        if self.answers is None or cover.extent is not Extent.SOME:  # then nothing is read
            return uncovered(trees, before, after, cover)
        return self.answers.answer((before, after), cover, lambda: (uncovered(trees, before, after, cover), 0))[0]

    def unsettled(self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes, cover: Cover) -> bytes | None:
        """Return a path that the mechanical merge does not settle as recorded and that is not covered."""
        if self._merge_steps < 0:
            raise TooMuch("the merges of this history take too long to see what they settle")
        if self.answers is None:
            path, steps = self._merged(base, sides, recorded, cover)
        else:
            trees = base, *sides, recorded
            path, steps = self.answers.answer(trees, cover, lambda: self._merged(base, sides, recorded, cover))
        self._merge_steps -= steps
        return path

    def _merged(
        self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes, cover: Cover
    ) -> tuple[bytes | None, int]:
        """Return what :meth:`unsettled` does, and the steps that it took."""
        from gitverify.trees.mechanical import Work, unsettled  # noqa: PLC0415  (not every history has such merges)

        work = Work()
        try:
            path = unsettled(self._anchor.trees, self._blob, base, *sides, recorded, cover, work=work)
        except GitverifyError:
            self._merge_steps -= work.taken
            raise
        return path, work.taken

    def _blob(self, blob: bytes) -> bytes:
        kind, data = self._source.read(blob)
        if kind != "blob":
            raise MalformedTree(f"object {blob.hex()} stands where a file is expected, but is a {kind}")
        return data

    def unsettled_paths(self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes) -> Iterator[Unsettled]:
        """Yield all paths that the mechanical merge does not settle as recorded, and why."""
        from gitverify.trees.mechanical import unsettled_paths  # noqa: PLC0415

        return unsettled_paths(self._anchor.trees, self._blob, base, *sides, recorded)

    def changes(self, before: bytes, after: bytes) -> Iterator[Change]:
        """Yield all paths that differ between two root trees."""
        return changes(self._anchor.trees, before, after)

    def base_commits(self, ours: bytes, theirs: bytes) -> tuple[bytes, ...]:
        """Return the ids of the merge bases of two authentic commits."""
        return self._ancestry.bases(ours, theirs)

    def hidden_base_commits(self, ours: bytes, theirs: bytes) -> tuple[bytes, ...]:
        """Return what would be merge bases, too, were all edges authentic.

        Below an adopting merge there may be authentic commits that nobody merged: R20 drops the way to them.
        """
        if not self._judged.adopts:
            return ()
        if self._hidden is None:
            self._hidden = Ancestry(Everything(self._known), self._known.line())
        bases = self.base_commits(ours, theirs)
        return tuple([base for base in self._hidden.bases(ours, theirs) if base not in bases])

    def bases(self, ours: bytes, theirs: bytes) -> list[Base]:
        """Return the merge bases of two authentic commits."""
        return self._as_bases(self.base_commits(ours, theirs))

    def hidden_bases(self, ours: bytes, theirs: bytes) -> list[Base]:
        """Return what would be merge bases, too, were all edges authentic."""
        return self._as_bases(self.hidden_base_commits(ours, theirs))

    def _as_bases(self, commits: tuple[bytes, ...]) -> list[Base]:
        facts = [self._judged.facts(commit) for commit in commits]
        return [Base(base.tree, base.examined.entry) for base in facts]

    def beyond(self, other: bytes, governing: bytes) -> tuple[bytes, ...]:
        """Return the commits that only ``other`` reaches, newest first, without what is given."""
        return self._ancestry.beyond(other, governing)

    def authorised_beyond(self, other: bytes, governing: Parent) -> bytes | None:
        """R19 (e): return the oldest commit that only ``other`` reaches and the governing policy does not allow."""
        beyond = self.beyond(other, governing.id)
        return next((commit for commit in reversed(beyond) if not self._allows(governing, commit)), None)

    def _allows(self, law: Parent, commit: bytes) -> bool:
        judged = self._judged
        decision = judged.decisions.get(commit)
        if isinstance(decision, Authorized) and decision.authority is not None:
            policy, material = decision.authority
            if policy is law.policy and material is law.material:
                return True
        key = commit, id(law.policy), id(law.material)
        allowed = self._allowed.get(key)
        if allowed is None:
            parents = self._known.raw_parents(commit)
            for known in (commit, *self._known.authentic_parents(commit)):
                self._known.descends(known)  # so that it is known where they stand
            case = judged.case(judged.examined(commit), judged.standing(commit), parents=parents)
            allowed = self._allowed[key] = isinstance(judge_under(case, law, self), Authorized)
        return allowed


class Known:
    """The graph of the commits that are known to be authentic."""

    def __init__(self, source: ObjectSource, introduction: bytes, walk: Walk, judged: Judged) -> None:
        """Take the commits of the judgement, and of the earlier runs that its walk ended at."""
        self._source = source
        self._walk = walk
        self._judged = judged
        self._older: dict[bytes, tuple[tuple[bytes, ...], int]] = {}
        self.introduction = introduction
        self.ranks = {commit: rank for rank, commit in enumerate(judged.order)}
        self.skew = judged.floor.skew

    def authentic_parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return the authentic parents of an authentic commit."""
        parents = self._judged.parents_of.get(commit)
        if parents is not None:
            if len(parents) == 1:
                return parents
            return tuple([parent for parent in parents if self._judged.is_authentic(parent)])
        fences = self._judged.floor.fences
        older = self._read(commit)[0]
        if not fences:
            return older
        return tuple([parent for parent in older if fences.get((commit, parent)) is not Fence.DROPPED])

    def line(self) -> list[bytes]:
        """Return the first parents of the tip among the commits of the judgement, from the oldest to the tip."""
        parents_of = self._judged.parents_of
        found = []
        commit = self._judged.order[-1] if self._judged.order else b""
        while commit in parents_of:
            found.append(commit)
            commit = next(iter(parents_of[commit]), b"")
        return found[::-1]

    def raw_parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return all parents of a commit."""
        parents = self._judged.parents_of.get(commit)
        return parents if parents is not None else self._read(commit)[0]

    def date(self, commit: bytes) -> int:
        """Return a commit's date."""
        return self._read(commit)[1]

    def given(self, commit: bytes) -> bool:
        """Whether the commit is in the introduction's closure."""
        if commit in self.ranks:
            return False
        colour = self._walk.find(commit)
        if colour is Colour.ASIDE and not self._walk.exhausted:
            self._walk.exhaust()
            colour = self._walk.colour(commit)
        return colour is Colour.GIVEN

    def descends(self, commit: bytes) -> bool:
        """Whether the commit descends from the introduction, or is it."""
        if commit not in self.ranks:
            self._walk.find(commit)
        return self._judged.standing(commit) is Standing.MAIN

    def seems_given(self, commit: bytes) -> bool:
        """Whether the commit is in the introduction's closure, as far as has been looked."""
        return commit not in self.ranks and self._walk.colour(commit) is Colour.GIVEN

    def descends_raw(self, commit: bytes) -> bool:
        """Whether the commit descends from the introduction, were all edges authentic."""
        return self._judged.descends_raw(commit)

    def _read(self, commit: bytes) -> tuple[tuple[bytes, ...], int]:
        found = self._older.get(commit)
        if found is None:
            try:
                head = parse_head(read_commit(self._source, commit))
                found = head.parents, head.date
            except MalformedCommit:
                found = (), 0
            self._older[commit] = found
        return found


class Everything:
    """The graph with the edges that adopting merges drop, and with what is beyond."""

    def __init__(self, known: Known) -> None:
        """Take what is known of the authentic commits."""
        self._known = known
        self.introduction = known.introduction
        self.ranks = known.ranks
        self.skew = known.skew

    def authentic_parents(self, commit: bytes) -> tuple[bytes, ...]:
        """Return all parents."""
        return self._known.raw_parents(commit)

    def date(self, commit: bytes) -> int:
        """Return a commit's date."""
        return self._known.date(commit)

    def given(self, commit: bytes) -> bool:
        """Whether the commit is known to be in the introduction's closure."""
        return self._known.seems_given(commit)

    def descends(self, commit: bytes) -> bool:
        """Whether the commit descends from the introduction."""
        return self._known.descends_raw(commit)
