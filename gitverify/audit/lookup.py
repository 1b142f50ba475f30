"""What the rules ask of the repository (their ``Evidence``) while commits are judged on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.ancestry import Ancestry
from gitverify.errors import MalformedCommit, MalformedTree, OversizedObject, TooMuch
from gitverify.examine import Examiner
from gitverify.objects.commit import parse_commit
from gitverify.policies.coverage import Extent, cover
from gitverify.policies.model import Dialect
from gitverify.rules.authority import Base
from gitverify.rules.facts import CommitFacts, Examined
from gitverify.treepath import components
from gitverify.trees.difference import changes, uncovered
from gitverify.trees.mechanical import unsettled, unsettled_paths
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitverify.anchor import Anchor
    from gitverify.audit.history import History
    from gitverify.objects.source import ObjectSource
    from gitverify.policies.coverage import Cover
    from gitverify.policies.model import Policy
    from gitverify.rules.authority import Parent

_REMEMBERED = 16  # comparisons: those that one commit takes


class Lookup:
    """Looks into the repository; the graph is the raw one, because every parent is taken as authentic."""

    def __init__(
        self,
        source: ObjectSource,
        anchor: Anchor,
        history: History,
        examined: dict[bytes, CommitFacts],
        allows: Callable[[Parent, bytes], bool],
    ) -> None:
        """Take the facts on the commits that are looked at, and what answers for a single one of R19 (e)."""
        self._source = source
        self._anchor = anchor
        self._ancestry = Ancestry(history)
        self._facts = examined
        self._allows = allows
        self._examiners: dict[int, Examiner] = {}
        self._found: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}

    def facts(self, commit: bytes) -> CommitFacts:
        """Return the facts on any commit; on those that are not looked at without their signature."""
        facts = self._facts.get(commit)
        if facts is None:
            facts = self._facts[commit] = self._read(commit)
        return facts

    def _read(self, commit: bytes) -> CommitFacts:
        trees = self._anchor.trees
        try:
            parsed = parse_commit(read_commit(self._source, commit))
            first, *rest = components(self.policy_path)
            entry = trees.walk(trees.find(parsed.tree, (first,))[0], tuple(rest))
        except MalformedCommit as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-commit", str(error))))
        except MalformedTree as error:
            return CommitFacts(commit, b"", (), 0, Examined(malformed=("malformed-tree", str(error))))
        return CommitFacts(commit, parsed.tree, parsed.parents, parsed.date, Examined(entry))

    def examine(self, commit: CommitFacts, judge: Parent) -> Examined:
        """R12: a signature that the likely certificates could not prove is tried with those that judge."""
        examined, material = commit.examined, judge.material
        unproven = examined.unproven
        if unproven is None or unproven.code == "unsigned" or self._anchor.examination.dialect is Dialect.GUIX:
            return examined
        if material is self._anchor.materials.fixed or any(key.startswith("SHA256:") for key in unproven.keys):
            return examined  # nothing that was not tried
        examiner = self._examiners.get(id(material))
        if examiner is None:
            examiner = Examiner(self._source, self._anchor.examination, material.keyring)  # type: ignore[attr-defined]
            self._examiners[id(material)] = examiner
        return examiner([read_commit(self._source, commit.id)])[0]

    @property
    def policy_path(self) -> bytes:
        """The policy file's."""
        return self._anchor.examination.policy_path

    def cover(self, policy: Policy, people: frozenset[str], *, policy_file: bool) -> Cover:
        """Return which paths these people may change."""
        return cover(policy, people, self.policy_path, policy_file=policy_file)

    def uncovered(self, before: bytes, after: bytes, cover: Cover) -> bytes | None:
        """Return a path that differs between two root trees and is not covered; None where all are."""
        paths = self._found.get((before, after))
        if paths is None:
            return uncovered(self._anchor.trees, before, after, cover)
        return next(outside(cover, paths), None)

    def differences(self, before: bytes, after: bytes) -> tuple[bytes, ...]:
        """Return all paths that differ between two root trees. Raises TooMuch."""
        return self._once((before, after), lambda: [c.path for c in changes(self._anchor.trees, before, after)])

    def unsettled(self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes, cover: Cover) -> bytes | None:
        """Return a path that the mechanical merge does not settle as recorded and that is not covered."""
        paths = self._found.get((base, *sides, recorded))
        if paths is None:
            return unsettled(self._anchor.trees, self._blob, base, *sides, recorded, cover)
        return next(outside(cover, paths), None)

    def contribution(self, base: bytes, sides: tuple[bytes, bytes], recorded: bytes) -> tuple[bytes, ...]:
        """Return all paths that the mechanical merge does not settle as recorded. Raises TooMuch."""
        four = base, *sides, recorded
        return self._once(four, lambda: [u.path for u in unsettled_paths(self._anchor.trees, self._blob, *four)])

    def _once(self, trees: tuple[bytes, ...], find: Callable[[], list[bytes]]) -> tuple[bytes, ...]:
        """Look at the same trees once: what is known of all paths answers what the rules ask of them, too."""
        paths = self._found.get(trees)
        if paths is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            paths = self._found[trees] = tuple(find())
        return paths

    def _blob(self, blob: bytes) -> bytes:
        try:
            kind, data = self._source.read(blob)
        except OversizedObject as error:
            raise TooMuch(str(error)) from None
        if kind != "blob":
            raise MalformedTree(f"object {blob.hex()} stands where a file is expected, but is a {kind}")
        return data

    def bases(self, ours: bytes, theirs: bytes) -> list[Base]:
        """Return the merge bases of two commits."""
        facts = [self.facts(base) for base in self._ancestry.reach(ours, theirs).bases]
        return [Base(base.tree, base.examined.entry) for base in facts]

    def hidden_bases(self, ours: bytes, theirs: bytes) -> tuple[Base, ...]:  # noqa: ARG002
        """Return none: all edges count here, so that there is nothing that an adopting merge could hide."""
        return ()

    def authorised_beyond(self, other: bytes, governing: Parent) -> bytes | None:
        """R19 (e): return the oldest commit that only ``other`` reaches and the governing policy does not allow."""
        beyond = self._ancestry.reach(other, governing.id).ours
        return next((commit for commit in reversed(beyond) if not self._allows(governing, commit)), None)


def outside(cover: Cover, paths: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the paths that are not covered."""
    return (path for path in paths if not _covers(cover, path))


def _covers(cover: Cover, path: bytes) -> bool:
    *directories, name = path.split(b"/")
    for directory in directories:
        if cover.extent is not Extent.SOME:
            break
        cover = cover.enter(directory)
    return cover.leaf(name)
