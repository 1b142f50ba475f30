"""Trees as sets of paths: what differs, what a prefix covers, who may change what (R15, R16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference.model import Entry, RefCommit, RefPerson, RefPolicy, Tree, World


def difference(before: Tree, after: Tree) -> frozenset[bytes]:
    """R16: the paths that one tree has and the other has not, or has otherwise; a mode is part of it."""
    return frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))


def entry_at(tree: Tree, path: bytes) -> Entry | frozenset[tuple[bytes, Entry]] | None:
    """R14: the tree's entry at a root path, mode and content; a directory there is the set of what is below."""
    if path in tree:
        return tree[path]
    return frozenset((name, entry) for name, entry in tree.items() if name.startswith(path + b"/")) or None


def own_entry(world: World, commit: RefCommit) -> Entry | frozenset[tuple[bytes, Entry]] | None:
    """The commit's own policy file."""
    return entry_at(commit.tree, world.path)


def is_policy(world: World, path: bytes) -> bool:
    """Whether this is the policy file, or lies below it where it is a directory."""
    return path == world.path or path.startswith(world.path + b"/")


def prefix_covers(prefix: bytes, path: bytes) -> bool:
    """R16: with a slash at its end a prefix covers what is below, without one that entry; ``/`` covers everything."""
    if prefix == b"/":
        return True
    return path.startswith(prefix) if prefix.endswith(b"/") else path == prefix


def editors(dialect: str, policy: RefPolicy) -> list[RefPerson]:
    """R15: who may change the policy file; R22 and R22b: every listed key may."""
    if dialect == "native":
        named = [p for p in policy.people if (p.granted if policy.default_editors else p.editor)]
        return [p for p in named if p.listings]  # without a key nobody changes anything
    return [p for p in policy.people if any(listing.for_git for listing in p.listings)]


def is_granted(person: RefPerson, path: bytes) -> bool:
    """R15: grants add up."""
    return person.granted or any(prefix_covers(prefix, path) for prefix in person.paths)


def is_unprotected(world: World, policy: RefPolicy, path: bytes) -> bool:
    """R15: anyone may change it, unsigned; the policy file is never unprotected."""
    return not is_policy(world, path) and any(prefix_covers(prefix, path) for prefix in policy.unprotected)


def is_covered(world: World, policy: RefPolicy, people: list[RefPerson], path: bytes) -> bool:
    """Whether these people may change the path under this policy: R15 for the policy file, R17 for all else."""
    if is_policy(world, path):
        return any(person in editors(world.dialect, policy) for person in people)
    return is_unprotected(world, policy, path) or any(is_granted(person, path) for person in people)


def all_covered(world: World, policy: RefPolicy, people: list[RefPerson], paths: Iterable[bytes]) -> bool:
    """Whether these people may change every one of the paths."""
    return all(is_covered(world, policy, people, path) for path in paths)
