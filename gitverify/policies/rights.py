"""Who may change this path? The answer with names, for people to read; the rules ask for no more than yes or no."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.coverage import Extent, cover

if TYPE_CHECKING:
    from gitverify.policies.coverage import Cover
    from gitverify.policies.model import Policy

_NOBODY = frozenset[str]()


class Rights(NamedTuple):
    """Who may change a path: these people, or (``unprotected``) anyone, so that they are all people of the policy.

    ``policy_file``: the path is the policy file, or would lie below it, so that these are the policy's editors.
    """

    people: frozenset[str]
    unprotected: bool = False
    policy_file: bool = False


class Register:
    """Answers for one policy; people with the same grants are asked about once."""

    def __init__(self, policy: Policy, policy_path: bytes) -> None:
        """``policy_path`` is where the policy file is."""
        self._editors = policy.editors
        self._policy_path = policy_path
        self._open = cover(policy, _NOBODY, policy_path, policy_file=False)
        alike: defaultdict[int, list[str]] = defaultdict(list)
        covers: dict[int, Cover] = {}
        for name in policy.people:
            its = cover(policy, frozenset([name]), policy_path, policy_file=False)
            alike[id(its)].append(name)
            covers[id(its)] = its
        self._covers = [(frozenset(alike[key]), its) for key, its in covers.items()]
        self._directories: dict[bytes, _Directory] = {}

    def rights(self, path: bytes) -> Rights:
        """Return who may change the file, symlink or gitlink at this path (R15, R16)."""
        if path == self._policy_path or path.startswith(self._policy_path + b"/"):
            return Rights(self._editors, policy_file=True)
        directory, _, name = path.rpartition(b"/")
        here = self._directory(directory)
        people = here.everywhere.union(*(names for names, its in here.partly if its.leaf(name)))
        return Rights(people, unprotected=here.open.leaf(name))

    def _directory(self, path: bytes) -> _Directory:
        found = self._directories.get(path)
        if found is None:
            here = _Directory(_NOBODY, tuple(self._covers), self._open)
            for name in path.split(b"/") if path else ():
                here = here.enter(name)
            found = self._directories[path] = here
        return found


class _Directory(NamedTuple):
    """Who may change everything in a directory, and who some of it."""

    everywhere: frozenset[str]
    partly: tuple[tuple[frozenset[str], Cover], ...]
    open: Cover

    def enter(self, name: bytes) -> _Directory:
        below = [(names, its.enter(name)) for names, its in self.partly]
        everywhere = self.everywhere.union(*(names for names, its in below if its.extent is Extent.ALL))
        return _Directory(
            everywhere, tuple((names, its) for names, its in below if its.extent is Extent.SOME), self.open.enter(name)
        )
