"""Answers to questions about trees, found by their questions: what would not be covered, whose cover it is.

A question names the trees and what the cover is made from: a policy, people, and whether they may change the policy
file. That settles the answer, whoever finds it. See :mod:`gitverify.foresight` for who does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.policies.coverage import Cover
    from gitverify.policies.model import Policy
    from gitverify.policybook import PolicyBook

    Answer = tuple[bytes | None, int]  # the path that is not covered, and the steps that it took to find out
    # What a cover is made from: a policy's file (mode and id), people, and whether they may change the policy file.
    Name = tuple[tuple[bytes, bytes], frozenset[str], bool]


class Answers:
    """What other processes found out about the commits of one block at a time."""

    def __init__(self, book: PolicyBook) -> None:
        """Begin with nothing. A policy goes by the file that the book has read it from."""
        self._book = book
        self._waiting: dict[int, tuple[Any, ...]] = {}
        self._found: dict[tuple[Name, tuple[bytes, ...]], Answer] = {}
        self._cover: Cover | None = None
        self._name: Name | None = None

    def covers(self, cover: Cover, policy: Policy, people: frozenset[str], *, policy_file: bool) -> None:
        """Note what a cover is made from, which the next questions are likely to be about."""
        file = self._book.file_of(policy)
        self._cover = cover
        self._name = None if file is None else ((file.mode, file.id), people, policy_file)

    def take(self, block: int, answers: tuple[Any, ...]) -> None:
        """Keep what a process has handed over until its block is reached."""
        self._waiting[block] = answers

    def reached(self, block: int) -> None:
        """Have the answers of this block at hand, and no others."""
        names, rows = self._waiting.pop(block, ((), ()))
        self._found = {(names[number], trees): answer for number, trees, answer in rows}

    def answer(self, trees: tuple[bytes, ...], cover: Cover, find: Callable[[], Answer]) -> Answer:
        """Return the answer on these trees (their number tells the questions apart); ``find`` it if need be."""
        if cover is self._cover and self._name is not None:
            known = self._found.get((self._name, trees))
            if known is not None:
                return known
        return find()


class Asked(Answers):
    """Notes in a child process which questions were asked, and the answers."""

    def answer(self, trees: tuple[bytes, ...], cover: Cover, find: Callable[[], Answer]) -> Answer:
        """Find the answer and note it."""
        if cover is not self._cover or self._name is None:
            return find()
        question = self._name, trees
        known = self._found.get(question)
        if known is None:
            known = self._found[question] = find()
        return known

    def hand_over(self) -> tuple[Any, ...]:
        """Return what was asked since, in plain values; each name of a cover is said once."""
        names: dict[Name, int] = {}
        rows = [(names.setdefault(name, len(names)), trees, answer) for (name, trees), answer in self._found.items()]
        self._found = {}
        return list(names), rows
