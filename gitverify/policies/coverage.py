"""Which paths may these people change? A cursor that goes down a tree and answers for whole directories (R15, R16).

A policy's prefixes are put into one trie, once. Its nodes do not name people but *circles*: each distinct set of
people that a grant names is one circle, and circle 0 is anyone (``unprotected``). So what two people share is there
once, a person's view of it is no more than the set of circles that the person belongs to, and asking takes as long
as that set or the node's, whichever is smaller.
"""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from gitverify.policies.model import PathPrefix, Policy

    Circles = AbstractSet[int]

_ANYONE = 0
_NO_CIRCLE: Circles = frozenset()


class Extent(Enum):
    """How much of what is below a directory is covered."""

    ALL = "all"
    NONE = "none"
    SOME = "some"


class Cover(Protocol):
    """What is covered in one directory; the first one is the root of the tree.

    SOME is said only of directories in which a prefix of the policy, or the policy file, lies. So whoever enters no
    others looks at no more directories than the policy names, whatever the trees are.
    """

    @property
    def extent(self) -> Extent:
        """Whether all, nothing or some of what is below this directory is covered, were it in the tree."""
        ...

    def leaf(self, name: bytes) -> bool:
        """Whether the file, symlink or gitlink with this name in the directory is covered."""
        ...

    def enter(self, name: bytes) -> Cover:
        """Return what is covered in the directory with this name."""
        ...


def cover(policy: Policy, people: frozenset[str], policy_path: bytes, *, policy_file: bool) -> Cover:
    """Return what these people may change under a policy: what is granted to one of them, and what is unprotected.

    Names that the policy does not list add nothing; with no people it is what is unprotected. The policy file is at
    ``policy_path``. It, and all below it were it a directory, is covered where ``policy_file`` says so and never by
    a prefix (R15).
    """
    coverage = policy.coverage.get(policy_path)
    if coverage is None:
        coverage = policy.coverage[policy_path] = Coverage(policy, policy_path)
    return coverage.root(people, policy_file=policy_file)


class Coverage:
    """A policy's prefixes as a trie, and the views of it that were asked for."""

    def __init__(self, policy: Policy, policy_path: bytes) -> None:
        """Take time proportional to the policy's size."""
        self._policy_path = _components(policy_path)
        circles: dict[frozenset[str], int] = {}
        prefixes = [(_ANYONE, prefix) for prefix in policy.unprotected]
        for grant in policy.grants:
            circle = circles.setdefault(grant.people, len(circles) + 1)
            prefixes += ((circle, prefix) for prefix in grant.paths)
        self._circles_of: defaultdict[str, list[int]] = defaultdict(list)
        for people, circle in circles.items():
            for name in people:
                self._circles_of[name].append(circle)
        self._trie = _trie(prefixes, self._policy_path)
        self._roots: dict[tuple[frozenset[str], bool], Cover] = {}
        self._views: dict[tuple[frozenset[int], bool], Cover] = {}

    def root(self, people: frozenset[str], *, policy_file: bool) -> Cover:
        """Return what these people may change; see :func:`cover`."""
        root = self._roots.get((people, policy_file))
        if root is None:
            circles = frozenset((_ANYONE, *(circle for name in people for circle in self._circles_of.get(name, ()))))
            root = self._views.get((circles, policy_file))
            if root is None:
                root = _View(circles, policy_file=policy_file).at(self._trie, self._policy_path, within=False)
                self._views[circles, policy_file] = root
            self._roots[people, policy_file] = root
        return root


class _Same:
    """Everything below has one answer."""

    def __init__(self, extent: Extent) -> None:
        self.extent = extent

    def leaf(self, name: bytes) -> bool:  # noqa: ARG002
        return self.extent is Extent.ALL

    def enter(self, name: bytes) -> Cover:  # noqa: ARG002
        return self


EVERYTHING: Cover = _Same(Extent.ALL)
NOTHING: Cover = _Same(Extent.NONE)


class _View:
    """The circles that count, and whether the policy file is covered."""

    __slots__ = ("_circles", "policy_file")

    def __init__(self, circles: frozenset[int], *, policy_file: bool) -> None:
        self._circles = circles
        self.policy_file = policy_file

    def has(self, circles: Circles) -> bool:
        return not self._circles.isdisjoint(circles)

    def at(self, node: _Node, policy_path: tuple[bytes, ...], *, within: bool) -> Cover:
        """Return what is covered in a directory.

        ``policy_path`` is what is left of it from here, empty where it leads elsewhere; ``within``: a directory
        above is covered.
        """
        within = within or self.has(node.subtree)
        if within:
            return _Part(self, node, policy_path, within=True) if policy_path and not self.policy_file else EVERYTHING
        if self.has(node.below) or (policy_path and self.policy_file):
            return _Part(self, node, policy_path, within=False)
        return NOTHING


class _Part:
    """A directory of which some is covered."""

    __slots__ = ("_node", "_policy_path", "_view", "_within")
    extent = Extent.SOME

    def __init__(self, view: _View, node: _Node, policy_path: tuple[bytes, ...], *, within: bool) -> None:
        self._view = view
        self._node = node
        self._policy_path = policy_path
        self._within = within

    def leaf(self, name: bytes) -> bool:
        if self._policy_path == (name,):
            return self._view.policy_file
        return self._within or self._view.has(self._node.children.get(name, _NOTHING_HERE).leaf)

    def enter(self, name: bytes) -> Cover:
        rest: tuple[bytes, ...] = ()
        if self._policy_path and self._policy_path[0] == name:
            rest = self._policy_path[1:]
            if not rest:
                return EVERYTHING if self._view.policy_file else NOTHING
        return self._view.at(self._node.children.get(name, _NOTHING_HERE), rest, within=self._within)


class _Node:
    """One path: the circles that may change all below it, it as a leaf, and something below it."""

    __slots__ = ("below", "children", "leaf", "subtree")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node] = {}
        self.subtree = self.leaf = self.below = _NO_CIRCLE


_NOTHING_HERE = _Node()


def _components(path: bytes) -> tuple[bytes, ...]:
    return tuple(part for part in path.split(b"/") if part)


def _trie(prefixes: Iterable[tuple[int, PathPrefix]], policy_path: tuple[bytes, ...]) -> _Node:
    """Return the root; without recursion, since a path in a policy may be as deep as the file is long."""
    nodes = [_Node()]
    for circle, prefix in prefixes:
        parts = _components(prefix.path)
        if policy_path and parts[: len(policy_path)] == policy_path:
            continue  # never covered by a prefix
        node = nodes[0]
        for part in parts:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = _Node()
                nodes.append(child)
            node = child
        if prefix.subtree:
            node.subtree = _with(node.subtree, circle)
        else:
            node.leaf = _with(node.leaf, circle)
    for node in reversed(nodes):  # children come before their parents
        node.below = _union(
            part for child in node.children.values() for part in (child.subtree, child.leaf, child.below)
        )
    return nodes[0]


def _with(circles: Circles, circle: int) -> Circles:
    """Add to a set in place, but to one that no other node has."""
    if isinstance(circles, set):
        circles.add(circle)
        return circles
    return {circle}


def _union(parts: Iterator[Circles]) -> Circles:
    """Return the union; of one part the part itself, because most directories of a policy hold just one prefix."""
    distinct = {id(part): part for part in parts if part}
    if len(distinct) > 1:
        return frozenset().union(*distinct.values())
    return next(iter(distinct.values()), _NO_CIRCLE)
