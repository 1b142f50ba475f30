"""Where a keyring's certificates are: on a branch here, of the branch's own remote, or of origin (R12, R22)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MalformedObject, MissingObject
from gitverify.objects.commit import parse_commit
from gitverify.revisions import BadRevision, resolve
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.settings import Settings
    from gitverify.source import Repository

_BRANCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_CHANNEL = b".guix-channel"
_CHANNELS_DEFAULT = "keyring"


class KeyringMissing(GitverifyError):
    """There is no keyring by that name."""


class Keyrings:
    """Finds keyrings of one repository."""

    def __init__(self, repository: Repository, settings: Settings, reference: str) -> None:
        """Take the full name of the branch that is asked about, empty where there is none."""
        self._repository = repository
        self._settings = settings
        self._reference = reference

    def named(self, name: str) -> bytes:
        """Return the root tree of the branch or commit that the caller named. Raises KeyringMissing, MissingObject."""
        return self._tree(name, lambda text: self._branch(text) or resolve(self._repository, text).commit)

    def of_channel(self, tip: bytes) -> bytes:
        """Return the root tree of the branch that a Guix channel's tip names, or of its usual one. Raises as above."""
        return self._tree(self.channels_name(tip) or _CHANNELS_DEFAULT, self._branch)

    def channels_name(self, tip: bytes) -> str | None:
        """Return what the tip's ``.guix-channel`` calls the keyring; it holds material only, so any tree may say."""
        from gitverify.policies.guix import keyring_reference  # noqa: PLC0415  (this dialect only)

        try:
            tree = parse_commit(read_commit(self._repository, tip)).tree
            entry = Trees(self._repository).find(tree, (_CHANNEL,))[0]
            if entry is None or not entry.is_regular_file:
                return None
            name = keyring_reference(self._repository.read(entry.id)[1])
        except (MissingObject, MalformedObject):
            return None
        # Nobody has vouched for the tip yet, so it may name a branch and nothing that would have to be worked out.
        return name if name is not None and _BRANCH_NAME.fullmatch(name) else None

    def _tree(self, name: str, find: Callable[[str], bytes | None]) -> bytes:
        problem = "there is no such branch here"
        try:
            commit = find(name)
            if commit is not None:
                return parse_commit(read_commit(self._repository, commit)).tree
        except (BadRevision, MalformedObject) as error:
            problem = str(error)
        message = f"the keyring “{shown(name)}” can't be found: {problem}; fetch that branch or name it with --keyring"
        raise KeyringMissing(message)

    def _branch(self, name: str) -> bytes | None:
        """Return the tip of a branch of this name: here, of the branch's own remote, or of origin."""
        remotes = [*self._own_remote(), "origin"]
        for full in (f"refs/heads/{name}", *(f"refs/remotes/{remote}/{name}" for remote in remotes)):
            commit = self._repository.reference(full)
            if commit is not None:
                return commit
        return None

    def _own_remote(self) -> list[str]:
        remote = self._settings.get(f"branch.{self._reference.removeprefix('refs/heads/')}.remote")
        if remote is None and self._reference.startswith("refs/remotes/"):
            remote = self._reference.split("/")[2]
        return [remote] if remote else []
