"""R18, R19 and R20: merges of the native dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import TooMuch
from gitverify.limits import LIMITS
from gitverify.policies.coverage import Extent
from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized
from gitverify.rules.governing import Governing, find_governing
from gitverify.rules.linear import no_editor, no_grant, not_adoptable, touched_on_the_side
from gitverify.rules.refused import Refused, judging_policy, refused, unsigned, vouched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.policies.coverage import Cover
    from gitverify.rules.authority import Base, Case, Parent
    from gitverify.rules.evidence import Evidence
    from gitverify.rules.refused import Vouched


def judge_merge(case: Case, parents: tuple[Parent, ...], evidence: Evidence, law: Parent | None = None) -> Authorized:
    """Decide on a commit with several parents that are authentic; raise Refused.

    ``parents`` are the authentic ones, where R20 has dropped others. ``law`` takes the place of every parent's policy
    where R19 (e) asks what another policy would have said; then the question of (e) itself is not asked again,
    because it is being asked of every commit that it is about.
    """
    return _Merge(case, parents, evidence, law).judge()


class _Merge:
    def __init__(self, case: Case, parents: tuple[Parent, ...], evidence: Evidence, law: Parent | None) -> None:
        self._case = case
        self._commit = case.commit
        self._parents = parents
        self._evidence = evidence
        self._law = law
        self._adopting = len(parents) < len(case.parents)
        self._rule = "R20" if self._adopting else "R18"

    def judge(self) -> Authorized:
        try:
            self._bases: Sequence[Base] = ()
            if len(self._parents) == 2:
                self._bases = self._evidence.bases(self._parents[0].id, self._parents[1].id)
        except TooMuch as error:
            raise refused(self._commit, self._rule, "merge-unsupported", str(error)) from None
        governing = find_governing(self._parents, self._case.standing, self._bases)
        if governing is None:
            return self._by_intersection()
        found = self._vouched(governing.parents)
        if found.people:
            self._check_signed(governing, found)
        else:
            self._check_unsigned(governing, found)
        if self._case.standing is Standing.SIDE and self._commit.examined.entry != governing.entry:
            raise touched_on_the_side(self._case)
        authority = None if self._adopting else (found.policy, found.parent.material)
        return Authorized(self._authorized_by(found), found.people, authority, (governing.entry,))

    def _authorized_by(self, found: Vouched) -> str:
        if self._case.standing is Standing.SIDE:
            return "R21"
        return self._rule if found.people else "R19"

    def _vouched(self, judges: Sequence[Parent]) -> Vouched:
        """Find who vouches; where several trees have the governing file, no one's certificates may revoke the key."""
        judges = (self._law,) if self._law is not None else judges
        found = [vouched(self._commit, judge, self._evidence) for judge in judges]
        for under in found:
            if under.problem is not None and under.problem.code == "revoked-key":
                return under
        return next((under for under in found if under.people), found[0])

    def _check_signed(self, governing: Governing, found: Vouched) -> None:
        """R18."""
        if self._commit.examined.entry != governing.entry and not found.is_editor:
            raise no_editor(self._case, found)
        path = self._contribution(self._evidence.cover(found.policy, found.names, policy_file=True))
        if path is not None:
            raise no_grant(self._case, found, self._rule, path)
        if self._law is None:
            self._check_sides(governing, found)
        if not found.policy.unsigned_merges and not any(self._covers(found, parent) for parent in self._parents):
            path = self._difference(found, self._parents[0])
            person = found.people[0].person
            message = f"{person} has no grant on all that the merge brings in, whichever parent it is compared with"
            raise refused(self._commit, self._rule, "unauthorized-path", message, path=path, **found.about())

    def _check_sides(self, governing: Governing, found: Vouched) -> None:
        """R18: the voucher answers for what the other side brings, or the governing policy would have allowed it."""
        if governing.both_changed:
            for one, other in (self._parents, self._parents[::-1]):
                self._check_beyond(other, (one,), found)
        elif not any(self._covers(found, parent) for parent in governing.parents):
            self._check_other_sides(governing, found)

    def _check_other_sides(self, governing: Governing, found: Vouched) -> None:
        """R19 (e), with any parent that may govern in the governing parent's place."""
        if len(self._parents) != 2:  # pragma: no cover - then the contribution is every difference
            raise AssertionError("a merge of many parents whose difference is not covered")
        problems = []
        for parent in governing.parents:
            other = self._parents[1] if parent is self._parents[0] else self._parents[0]
            try:
                self._check_beyond(other, (parent,), found)
            except Refused as no:
                problems.append(no)
            else:
                return
        raise problems[0]

    def _check_beyond(self, other: Parent, governing: Sequence[Parent], found: Vouched) -> None:
        for parent in governing:
            stranger = self._evidence.authorised_beyond(other.id, parent)
            if stranger is not None:
                message = (
                    f"it brings in {stranger.hex()} from the side of {other.id.hex()[:12]}, which the governing "
                    f"policy, that of {parent.id.hex()[:12]}, does not allow"
                )
                raise refused(self._commit, "R19", "merge-revoked-side", message, **found.about())

    def _check_unsigned(self, governing: Governing, found: Vouched) -> None:
        """R19."""
        self._check_machines_may_merge(found)
        if governing.both_changed:
            raise self._conflict("both parents changed the policy file since they parted", found)
        if self._commit.examined.entry != governing.entry:
            raise self._conflict("its policy file is not the governing one", found)
        path = self._contribution(self._evidence.cover(found.policy, frozenset(), policy_file=True))
        if path is not None:
            message = "nobody vouches for this merge, and a merge without conflicts gives something else"
            raise refused(self._commit, "R19", "merge-not-mechanical", message, path=path, **found.about())
        if self._law is None:
            self._check_other_sides(governing, found)

    def _check_machines_may_merge(self, found: Vouched) -> None:
        """R19: both parents' policies allow it, and (a) there are two that share history."""
        if self._adopting:
            raise not_adoptable(self._case, found)
        lenders = (self._law,) if self._law is not None else self._parents
        if not all(judging_policy(self._commit, parent).unsigned_merges for parent in lenders):
            raise unsigned(self._commit, found)
        if len(self._parents) != 2 or not self._bases:
            what = "share no history" if len(self._parents) == 2 else f"are {len(self._parents)}"
            message = f"nobody vouches for this merge, and its parents {what}"
            raise refused(self._commit, "R19", "merge-unsupported", message, **found.about())

    def _conflict(self, why: str, found: Vouched) -> Exception:
        message = f"{why}, so that an editor of the policy has to sign the merge"
        return refused(self._commit, "R19", "merge-policy-conflict", message, **found.about())

    def _by_intersection(self) -> Authorized:
        """Decide where nothing governs: every parent's policy must allow everything, the policy file included."""
        lenders = (self._law,) if self._law is not None else self._parents
        found = [vouched(self._commit, parent, self._evidence) for parent in lenders]
        if not any(under.people for under in found):
            self._check_machines_may_merge(found[0])
            raise self._conflict("its parents have different policy files, and none of them governs", found[0])
        for under in found:
            if not under.is_editor:
                whose = under.parent.judge.hex()[:12]
                message = f"its parents have different policy files; an editor of {whose}'s has to sign the merge, too"
                raise refused(self._commit, "R18", "merge-policy-conflict", message, **under.about())
        if self._case.standing is Standing.SIDE:
            raise touched_on_the_side(self._case)
        for under in found:
            for parent in self._parents:
                path = self._difference(under, parent)
                if path is not None:
                    raise no_grant(self._case, under, self._rule, path)
        return Authorized(self._rule, found[0].people)

    def _contribution(self, cover: Cover) -> bytes | None:
        """Return a path of the contribution that is not covered. With several merge bases every one of them must do.

        If any one would do, a server could take back what a signed commit took back: it merges once more what was
        merged before, and that merge with today's branch. Relative to the base that never had the change, the side
        that has it again settles the path. What adopting merges hide counts as a base here as well: a part of what
        was adopted, merged once more, brings nothing back that was taken back since.
        """
        sides = self._parents
        tree = self._commit.tree
        if not self._bases:
            paths = (self._evidence.uncovered(parent.tree, tree, cover) for parent in sides)
            return next((path for path in paths if path is not None), None)
        if cover.extent is Extent.ALL:
            return None
        bases = [*self._bases, *self._evidence.hidden_bases(sides[0].id, sides[1].id)]
        if len(bases) > LIMITS.merge_bases:
            message = f"its parents have {len(bases)} merge bases; the limit is {LIMITS.merge_bases}"
            raise refused(self._commit, self._rule, "merge-unsupported", message)
        for base in bases:
            try:
                path = self._evidence.unsettled(base.tree, (sides[0].tree, sides[1].tree), tree, cover)
            except TooMuch as error:
                raise refused(self._commit, self._rule, "merge-not-mechanical", str(error)) from None
            if path is not None:
                return path
        return None

    def _difference(self, found: Vouched, parent: Parent) -> bytes | None:
        """Return a path that differs from the parent and that the people may not change."""
        same_file = self._commit.examined.entry == parent.entry
        cover = self._evidence.cover(found.policy, found.names, policy_file=same_file or found.is_editor)
        return self._evidence.uncovered(parent.tree, self._commit.tree, cover)

    def _covers(self, found: Vouched, parent: Parent) -> bool:
        return self._difference(found, parent) is None
