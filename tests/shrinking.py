"""Makes a history smaller while something stays wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference import Entry, RefPolicy, RefSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from histories import Case
    from reference import History, RefCommit, Tree


def shrunk(case: Case, is_wrong: Callable[[Case], bool]) -> Case:
    """The smallest that single steps lead to. What breaks on the way is not wrong in the sense that is looked for."""
    found = True
    while found:
        smaller = (replace(case, history=history) for history in variants(case) if size(history) < size(case.history))
        found = next((one for one in smaller if _holds(is_wrong, one)), None)
        case = found or case
    return case


def _holds(is_wrong: Callable[[Case], bool], case: Case) -> bool:
    try:
        return is_wrong(case)
    except (KeyError, AssertionError, ValueError):  # the question names a commit that is gone, and the like
        return False


def size(history: History) -> tuple[int, ...]:
    """How much there is to read."""
    commits = list(history.values())
    policies = policies_in(history)
    signed = sum(commit.signature.kind != "absent" for commit in commits)
    changed = sum(history[parent].tree != commit.tree for commit in commits for parent in commit.parents[:1])
    return (
        len(commits),
        sum(len(commit.parents) for commit in commits),
        len(policies),
        sum(len(commit.tree) for commit in commits),
        sum(map(_words, policies)),
        signed + changed + sum(bool(commit.date) for commit in commits),
    )


def policies_in(history: History) -> set[RefPolicy]:
    """The policies of all commits."""
    entries = [entry for commit in history.values() for entry in commit.tree.values()]
    return {entry.content for entry in entries if isinstance(entry.content, RefPolicy)}


def _words(policy: RefPolicy) -> int:
    people = [3 + len(one.listings) + len(one.paths) + one.granted + one.editor for one in policy.people]
    switches = [policy.default_editors, policy.unsigned_merges, policy.adopting_merges, policy.note > 0]
    return sum(people) + sum(switches) + len(policy.unprotected)


def variants(case: Case) -> Iterator[History]:
    """Histories that differ in one thing; not all are smaller."""
    history = case.history
    for name in history:
        yield without(history, name, history[name].parents)
        yield without(history, name, ())
    for path in {path for commit in history.values() for path in commit.tree}:
        yield {name: replace(commit, tree=_less(commit.tree, path)) for name, commit in history.items()}
    for policy in policies_in(history):
        for other in [*policies_in(history), *simpler(policy)]:
            yield with_other_policy(history, policy, other)
    for name, commit in history.items():
        yield from ({**history, name: other} for other in plainer(history, commit))


def without(history: History, gone: str, instead: tuple[str, ...]) -> History:
    """The history without a commit, whose children get other parents instead."""

    def parents(commit: RefCommit) -> tuple[str, ...]:
        return tuple(one for parent in commit.parents for one in (instead if parent == gone else (parent,)))

    return {name: replace(commit, parents=parents(commit)) for name, commit in history.items() if name != gone}


def _less(tree: Tree, path: bytes) -> Tree:
    return {other: entry for other, entry in tree.items() if other != path}


def with_other_policy(history: History, policy: RefPolicy, other: RefPolicy) -> History:
    """The history with one policy in the place of another, everywhere."""

    def changed(entry: Entry) -> Entry:
        return replace(entry, content=other) if entry.content == policy else entry

    trees = {n: {path: changed(entry) for path, entry in commit.tree.items()} for n, commit in history.items()}
    return {name: replace(commit, tree=trees[name]) for name, commit in history.items()}


def simpler(policy: RefPolicy) -> Iterator[RefPolicy]:
    """Policies that say less."""
    for change in ("unprotected", "unsigned_merges", "adopting_merges", "note", "default_editors"):
        yield replace(policy, **{change: type(getattr(policy, change))()})
    for at, person in enumerate(policy.people):
        others = [replace(person, **{what: False}) for what in ("granted", "editor")]
        others += [replace(person, paths=()), replace(person, listings=person.listings[:1])]
        for instead in [(), *((other,) for other in others)]:
            yield replace(policy, people=policy.people[:at] + instead + policy.people[at + 1 :])


def plainer(history: History, commit: RefCommit) -> Iterator[RefCommit]:
    """The commit with less in it."""
    yield replace(commit, signature=RefSignature())
    yield replace(commit, date=0)
    for at in range(len(commit.parents)):
        yield replace(commit, parents=commit.parents[:at] + commit.parents[at + 1 :])
    for path in commit.tree:
        yield replace(commit, tree=_less(commit.tree, path))
    for parent in commit.parents:
        before = history[parent].tree
        yield replace(commit, tree=before)
        for path in before:
            yield replace(commit, tree={**commit.tree, path: before[path]})
