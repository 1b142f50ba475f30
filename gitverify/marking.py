"""What an accepted history is remembered by: the new mark, its fences, and whether it reaches the old one (R23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.request import MAX_FUTURE, Floor
from gitverify.rules.authority import Standing
from gitverify.rules.binding import is_binding
from gitverify.rules.facts import Authorized
from gitverify.walk import Colour, Fence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitverify.inquiry import Inquiry
    from gitverify.judgement import Judgement
    from gitverify.rules.facts import CommitFacts
    from gitverify.walk import Walk


class Marking:
    """Reads marks off a judgement that has run."""

    def __init__(self, judgement: Judgement, walk: Walk, inquiry: Inquiry) -> None:
        """Take the commits that were judged; nothing is computed yet."""
        self._judgement = judgement
        self._walk = walk
        self._inquiry = inquiry

    def binding_parents(self, commit: bytes) -> Iterator[bytes]:
        """Yield the parents of an authentic commit of this run that binding edges lead to."""
        judgement = self._judgement
        decision = judgement.decisions[commit]
        if isinstance(decision, Authorized):
            for parent in judgement.parents_of[commit]:
                if judgement.is_authentic(parent) and is_binding(
                    judgement.facts(commit), decision, judgement.parent(parent), self._inquiry
                ):
                    yield parent

    def reaching(self, commits: Iterable[bytes]) -> dict[bytes, int]:
        """Return, for the authentic commits of this run, which of ``commits`` they reach over binding edges.

        One bit for each, in their order; commits that reach none are left out.
        """
        bits: dict[bytes, int] = {}
        for at, commit in enumerate(commits):
            bits[commit] = bits.get(commit, 0) | 1 << at
        found = dict(bits)
        decisions = self._judgement.decisions
        for commit in self._judgement.order:
            if not isinstance(decisions[commit], Authorized):
                found.pop(commit, None)
                continue
            mask = found.get(commit, 0)
            if any(found.get(parent, 0) & ~mask for parent in self._judgement.parents_of[commit]):
                for parent in self.binding_parents(commit):
                    mask |= found.get(parent, 0)
                if mask:
                    found[commit] = mask
        return found

    def missing(self, tip: bytes, commits: tuple[bytes, ...]) -> list[bytes]:
        """Return those of the commits that the tip does not reach over binding edges."""
        if not commits:
            return []
        mask = self.reaching(commits).get(tip, 0)
        return [commit for at, commit in enumerate(commits) if not mask >> at & 1]

    def newest_authentic(self, tip: bytes, floor: tuple[bytes, ...]) -> bytes | None:
        """Return the first commit on the tip's first-parent line that is authentic and reaches all of the floor (R27).

        None where there is none, down to the introduction.
        """
        judgement = self._judgement
        everything = (1 << len(floor)) - 1
        reaching = self.reaching(floor) if floor else {}
        commit = tip
        while True:
            authentic = judgement.is_authentic(commit) and judgement.standing(commit) is Standing.MAIN
            if authentic and reaching.get(commit, 0) == everything:
                return commit
            parents = judgement.parents_of.get(commit)
            if not parents:
                return None
            commit = parents[0]

    def mark(self, tip: bytes, floor: Floor, now: int) -> Floor | None:
        """Return what the next run may build on.

        None where that can't be told without a look at what an earlier run accepted.
        """
        commits = self._newest_vouched(tip, floor)
        if commits is None:
            return None
        judgement = self._judgement
        return Floor(
            commits=tuple(sorted(commits)),
            trusted=True,
            fences={**floor.fences, **dict(self._fences())},
            aside=frozenset(commit for commit in commits if judgement.standing(commit) is Standing.SIDE),
            accepted=floor.accepted + len(judgement.decisions),
            freshness=self._freshness(tip, floor, now),
            skew=self._skew(floor.skew) if judgement.is_native else 0,
        )

    def _newest_vouched(self, tip: bytes, floor: Floor) -> set[bytes] | None:
        """R23: the newest vouched commits that the tip reaches over binding edges."""
        judgement = self._judgement
        decision = judgement.decisions.get(tip)
        if isinstance(decision, Authorized) and decision.vouchers:
            return {tip}
        newest: set[bytes] = set()
        reached, below = {tip}, set()
        left = {tip}  # of what is reached and not below: what was not looked at
        for commit in reversed(judgement.order):
            if not left:
                break  # then all that follows is below
            if commit not in reached:
                continue
            left.discard(commit)
            decision = judgement.decisions[commit]
            covers = commit in below
            if isinstance(decision, Authorized) and decision.vouchers and not covers:
                newest.add(commit)
                covers = True
            for parent in self.binding_parents(commit):
                reached.add(parent)
                if covers:
                    below.add(parent)
                    left.discard(parent)
                elif parent not in below:
                    left.add(parent)
        for commit in reached - below - judgement.decisions.keys():
            if commit in floor.commits or commit == judgement.introduction:
                newest.add(commit)
            elif self._walk.colour(commit) in {Colour.ASIDE, Colour.LOOSE}:
                return None
        return newest

    def _fences(self) -> Iterator[tuple[tuple[bytes, bytes], Fence]]:
        """Yield the edges of the accepted commits that are set apart; only merges have such."""
        judgement = self._judgement
        for commit, decision in judgement.decisions.items():
            parents = judgement.parents_of[commit]
            if len(parents) < 2 or not isinstance(decision, Authorized):
                continue
            descends = judgement.standing(commit) is Standing.MAIN
            binding = None
            for parent in parents:
                if not judgement.is_authentic(parent):
                    yield (commit, parent), Fence.DROPPED
                elif descends and judgement.standing(parent) is not Standing.MAIN:
                    yield (commit, parent), Fence.SIDE
                elif descends:
                    binding = set(self.binding_parents(commit)) if binding is None else binding
                    if parent not in binding:
                        yield (commit, parent), Fence.LOOSE

    def _freshness(self, tip: bytes, floor: Floor, now: int) -> dict[str, int]:
        """R26: the newest date of each key's accepted commits, but for those that lie in the future."""
        newest = dict(floor.freshness)
        latest = now + MAX_FUTURE
        counts = self._counting(tip)
        for facts in self._judgement.accepted():  # newest first: then few are newer than what there is
            key, date = facts.examined.key, facts.date
            if newest.get(key, -1) < date <= latest and counts(facts):
                newest[key] = date
        return newest

    def dated(self, tip: bytes) -> Iterator[CommitFacts]:
        """Yield the signed commits, newest first, that the tip reaches over authentic edges; their dates count (R26).

        Those to the side do not: only real edges, followed to the end, tell them from what was given.
        """
        return filter(self._counting(tip), self._judgement.accepted())

    def _counting(self, tip: bytes) -> Callable[[CommitFacts], bool]:
        """Return what tells whether an accepted commit's date counts."""
        judgement = self._judgement
        reached = self._reached(tip) if judgement.adopts else None

        def counts(facts: CommitFacts) -> bool:
            signed = bool(facts.examined.key) and judgement.standing(facts.id) is Standing.MAIN
            return signed and (reached is None or facts.id in reached)

        return counts

    def _reached(self, tip: bytes) -> set[bytes]:
        """Return what the tip reaches over authentic edges; adopting merges leave authentic commits out, too."""
        judgement = self._judgement
        reached = {tip}
        for commit in reversed(judgement.order):
            if commit in reached:
                reached.update(filter(judgement.is_authentic, judgement.parents_of[commit]))
        return reached

    def _skew(self, before: int) -> int:
        """Return by how many seconds at most an accepted commit is dated later than one that descends from it."""
        judgement, walk = self._judgement, self._walk
        skew = before
        newest: dict[bytes, int] = {}
        for commit, decision in judgement.decisions.items():
            if not isinstance(decision, Authorized):
                continue
            date = latest = judgement.facts(commit).date
            for parent in judgement.parents_of[commit]:
                known = newest.get(parent)
                if known is None and judgement.is_authentic(parent) and walk.colour(parent) is not Colour.GIVEN:
                    known = judgement.facts(parent).date + before
                if known is not None and known > latest:
                    latest = known
            newest[commit] = latest
            skew = max(skew, latest - date)
        return skew
