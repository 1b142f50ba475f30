"""Who may do what by a policy: by path, and by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.coverage import Extent, cover
from gitverify.policies.model import WHOLE_TREE
from gitverify.policies.rights import Register, Rights
from gitverify.treepath import components

if TYPE_CHECKING:
    from gitverify.policies.model import PathPrefix, Policy
    from gitverify.policyedit.place import CommittedTree, PolicyName

_NOBODY = frozenset[str]()


class PathRights(NamedTuple):
    """Who may change a path as written; ``partly``: who may change some of what is below it."""

    path: str
    rights: Rights
    partly: frozenset[str] = _NOBODY


@dataclass(frozen=True, slots=True)
class Overview:
    """A commit's policy. ``asked``: the answers for single paths, None where all of it is shown."""

    commit: bytes
    name: PolicyName
    policy: Policy
    prefixes: tuple[PathRights, ...]
    asked: tuple[PathRights, ...] | None = None
    person: str | None = None


def overview(
    tree: CommittedTree, name: PolicyName, policy: Policy, paths: tuple[str, ...], person: str | None
) -> Overview:
    """Gather what a policy says; ``paths`` as written on a command line."""
    wanted = {path for grant in policy.grants for path in grant.paths} | set(policy.unprotected)
    view = _View(policy, name.path)
    prefixes = tuple(view.prefix(path) for path in sorted(wanted, key=lambda path: (path.path, path.subtree)))
    asked = tuple(_asked(view, tree, path) for path in paths) if paths else None
    return Overview(tree.commit, name, policy, prefixes, asked, person)


def _asked(view: _View, tree: CommittedTree, written: str) -> PathRights:
    path = b"/".join(components(written.encode("utf-8", "surrogateescape")))
    if not path or written.endswith("/") or tree.kind(path) == "directory":
        return view.below(path)
    return PathRights(written, view.register.rights(path))


class _View:
    """Answers for one policy."""

    def __init__(self, policy: Policy, policy_path: bytes) -> None:
        self._policy = policy
        self._policy_path = policy_path
        self.register = Register(policy, policy_path)

    def prefix(self, path: PathPrefix) -> PathRights:
        if path.subtree:
            return self.below(path.path)
        return PathRights(str(path), self.register.rights(path.path))

    def below(self, path: bytes) -> PathRights:
        """Say who may change everything below a directory, and who some of it."""
        extents = {name: self._extent(frozenset([name]), path) for name in self._policy.people}
        # The policy file is never part of a grant, so nobody has quite all of the root.
        whole = self._policy.whole_tree if not path else _NOBODY
        everything = frozenset(name for name, extent in extents.items() if extent is Extent.ALL) | whole
        some = frozenset(name for name, extent in extents.items() if extent is Extent.SOME) - everything
        unprotected = self._extent(_NOBODY, path) is Extent.ALL
        shown = path.decode("utf-8", "surrogateescape") + "/"
        return PathRights(shown, Rights(everything, unprotected=unprotected), _NOBODY if unprotected else some)

    def _extent(self, people: frozenset[str], path: bytes) -> Extent:
        here = cover(self._policy, people, self._policy_path, policy_file=False)
        for name in components(path):
            here = here.enter(name)
        return here.extent


def grants_of(policy: Policy, person: str) -> list[str]:
    """Return the paths that are granted to a person, in the order of the file."""
    paths = (path for grant in policy.grants if person in grant.people for path in grant.paths)
    return [str(path) if path != WHOLE_TREE else "/" for path in dict.fromkeys(paths)]
