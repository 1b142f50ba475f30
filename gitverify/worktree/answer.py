"""From a comparison to the answer (R28): an authentic commit whose checkout differs is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, MissingObject, NoCheckout
from gitverify.objects.commit import parse_head
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS, missing_object
from gitverify.text import shown
from gitverify.worktree.compare import compare
from gitverify.worktree.wildmatch import parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gitverify.request import Outcome
    from gitverify.source import Repository
    from gitverify.worktree.explain import Setting
    from gitverify.worktree.model import Comparison
    from gitverify.worktree.wildmatch import PathPattern


class Checkout:
    """A repository's checkout, and what may be in it beside the commit's files."""

    def __init__(
        self, repository: Repository, work_tree: Path | None, allowed: Iterable[str], setting: Setting
    ) -> None:
        """Find the checkout.

        ``work_tree`` is where git was told that it is; ``allowed`` are patterns as in ``.gitignore``, ``setting``
        gives a variable of git's configuration. Raises NoCheckout.
        """
        directory = repository.worktree
        if directory is None:
            raise NoCheckout("--worktree: this repository is bare, it has no checkout to compare")
        if work_tree is not None and work_tree.resolve() != directory.resolve():
            raise NoCheckout(
                f"--worktree: the checkout is {shown(str(directory))}, but GIT_WORK_TREE names "
                f"{shown(str(work_tree))}: name one with --repo"
            )
        self._repository = repository
        self._directory = directory
        self._allowed = tuple(_parse_allowed(text) for text in allowed)
        self._setting = setting
        self.comparison: Comparison | None = None

    def answer(self, outcome: Outcome) -> None:
        """Compare with the commit that was found authentic; change the outcome where the checkout is another."""
        repository = self._repository
        self.comparison = None
        try:
            tree = parse_head(repository.read(outcome.tip)[1]).tree
            self.comparison = compare(repository, self._directory, tree, self._allowed, self._setting)
        except MissingObject as error:
            outcome.change("undecided", (missing_object(error),))
            return
        except MalformedTree as error:
            hint = HINTS["malformed-tree"]
            outcome.change("refused", (Refusal(outcome.tip, "R7", "malformed-tree", str(error), hint),))
            return
        hint = HINTS["worktree-dirty"]
        refusals = tuple(
            Refusal(outcome.tip, "R28", "worktree-dirty", difference.message, hint, difference.path)
            for difference in self.comparison.differences
        )
        if refusals:
            outcome.change("refused", refusals)


def _parse_allowed(text: str) -> PathPattern:
    pattern = None if text[:1] in {"", "!", "#"} or "\0" in text else parse_pattern(os.fsencode(text))
    if pattern is None:
        raise NoCheckout(f"--allow-ignored “{shown(text)}” is no pattern (as in gitignore(5)) that fits anything")
    return pattern
