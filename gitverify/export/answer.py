"""From a verdict to a directory: the tree of exactly the commit that was found authentic, or nothing.

Two steps, with the mark between them. First all is written, but does not appear: whatever stands in the way of that
changes the answer, and no mark moves. Then the mark moves. Then the directory appears, which is one renaming. So what
appears was never refused by a mark that somebody else moved meanwhile; and a run that is killed between the two leaves
a mark that its next run finds, and exports from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject
from gitverify.export.place import Place
from gitverify.export.visitor import Both, Unfit
from gitverify.export.walk import show_tree
from gitverify.objects.commit import parse_head
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS, missing_object

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitverify.export.visitor import Visitor
    from gitverify.export.walk import Contents, Observer
    from gitverify.request import Outcome
    from gitverify.source import Repository


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: files and symlinks, and their bytes; submodules by path, with the commit's raw id."""

    directory: Path
    files: int = 0
    size: int = 0
    submodules: list[tuple[bytes, bytes]] = field(default_factory=list)


class Output:
    """A directory in which the tree of a verified commit is to appear. ``exported`` tells what has appeared.

    ``beside`` makes, for each tree that is begun, somebody who is shown it too, so that it need not be read twice: the
    one that was made last has seen what appears.
    """

    def __init__(self, repository: Repository, directory: Path) -> None:
        """Find the place. Raises :class:`~gitverify.export.place.NoPlace`."""
        self._repository = repository
        self._directory = directory
        self._place = Place(directory)
        self._written: tuple[bytes, Exported] | None = None  # and of which commit
        self.contents: Contents | None = None
        self.beside: Callable[[], Visitor] | None = None
        self.exported: Exported | None = None

    def write(self, outcome: Outcome, observer: Observer | None) -> None:
        """Write the tree of the commit that was found authentic; nothing appears yet. Changes the outcome otherwise."""
        if self._written is not None and self._written[0] == outcome.tip:
            return
        self._written = None
        repository = self._repository
        try:
            head = parse_head(repository.read(outcome.tip)[1])
            # A commit's date, as git archive has it: whatever compares times sees no difference between two exports.
            with self._place.writer(head.date) as writer:
                visitor: Visitor = writer if self.beside is None else Both([writer, self.beside()])
                tally = show_tree(repository, head.tree, visitor, contents=self.contents, observer=observer)
        except (Unfit, MissingObject) as error:
            _refuse(outcome, error)
            return
        self._written = outcome.tip, Exported(self._directory, tally.files, tally.size, tally.submodules)

    def appear(self, outcome: Outcome) -> None:
        """Have what was written appear; the mark has moved. Changes the outcome where that fails."""
        if self._written is None or self._written[0] != outcome.tip:
            raise AssertionError("the tree of another commit was written")
        try:
            self._place.appear()
        except Unfit as error:
            _refuse(outcome, error)
            return
        self.exported = self._written[1]

    def close(self) -> None:
        """Remove what has not appeared."""
        self._place.close()


def _refuse(outcome: Outcome, error: Unfit | MissingObject) -> None:
    if isinstance(error, MissingObject):
        outcome.change("undecided", (missing_object(error),))
        return
    refusal = Refusal(outcome.tip, "R7", error.code, str(error), HINTS[error.code], error.path)
    outcome.change("refused" if error.code == "malformed-tree" else "error", (refusal,))
