"""A bare repository for what is verified, with a quarantine in it for what is not yet.

::

    DIR/HEAD, config, objects/, refs/       a bare repository like any other: what is in it is verified
    DIR/info/attributes                     no attribute of a tree applies: git archive gives the tree as it is
    DIR/gitverify/                          ours alone: mode 0700
    DIR/gitverify/lock                      held by whoever changes anything
    DIR/gitverify/quarantine/               see gitverify.transfer.quarantine

It is written without git: what is made of a few small files can be made so that a run that is killed at any moment
leaves nothing in the way of the next one. Source: gitrepository-layout(5).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.settings import without_credentials
from gitverify.source import Repository, RepositoryError
from gitverify.text import shown
from gitverify.transfer.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self

# What is verified may be asked for by its id: Nix asks so. Nothing is pushed here.
_CONFIG = (
    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
    "[uploadpack]\n\tallowAnySHA1InWant = true\n"
    "[http]\n\treceivepack = false\n"
)
_ATTRIBUTES = "* -export-ignore -export-subst -text -ident -eol -filter -working-tree-encoding\n"


class NoStore(GitverifyError):
    """A directory can't be used: something else is there, or it can't be written."""


class Store:
    """The repository in ``directory``, which need not be there yet."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        """``environment``: what git is to run in. Nothing is looked at yet."""
        self.directory = directory
        self.home = directory / "gitverify"
        self.environment = environment

    @classmethod
    def of(cls, url: str, cache: Path, environment: Mapping[str, str]) -> Self:
        """Return the one below a directory in which what was fetched from a URL is kept for the next time."""
        place = without_credentials(url).encode("utf-8", "surrogateescape")
        return cls(cache / "fetched" / f"{hashlib.sha256(place).hexdigest()}.git", environment)

    @contextmanager
    def locked(self, head: str) -> Iterator[Quarantine]:
        """Make the repository where there is none, and let nobody else change it; give its quarantine.

        ``head``: the branch, in full, that HEAD names in a new one. Another run that changes it is waited for. Raises
        NoStore, RepositoryError.
        """
        try:
            self._require_own()
            self._require_owner()
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self.unusable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._make(head)
            yield Quarantine(self.home / "quarantine", self.directory / "objects", self.environment)
        except OSError as error:
            raise self.unusable(error) from None
        finally:
            os.close(handle)

    def unusable(self, error: OSError) -> NoStore:
        """Make an error of the system's that says what could not be written."""
        place = shown(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else self.named
        return NoStore(f"{place} can't be used: {error.strerror or error}")

    @property
    def named(self) -> str:
        """The directory, as it may be shown."""
        return shown(str(self.directory))

    def open(self, quarantine: Quarantine | None = None) -> Repository:
        """Open the repository; with a quarantine, what is in that is seen, too. Raises RepositoryError."""
        repository = Repository(self.directory, bare="trusted", arriving=[quarantine.objects] if quarantine else [])
        if repository.path.resolve() != self.directory.resolve():
            raise RepositoryError("not-a-repository", f"{self.named} is not a repository itself")
        return repository

    def _require_own(self) -> None:
        """Take no directory that somebody else has something in."""
        if self.home.is_dir() or not self.directory.exists() or not any(self.directory.iterdir()):
            return
        if self.home.is_dir():  # what is there by now another run has just made, and this first
            return
        raise NoStore(f"{self.named} is there already, and was not made by gitverify: name a directory that is not")

    def _require_owner(self) -> None:
        """Let no other user's settings tell git what to run (safe.directory is for whoever wants that).

        Git asks only where it has to find a repository, and here it is told where it is.
        """
        places = [place for place in (self.directory, self.home) if place.exists()]
        if any(place.stat().st_uid != os.geteuid() for place in places):
            self.open()

    def _make(self, head: str) -> None:
        """Write what is missing; the configuration, without which it is no repository, last."""
        if (self.directory / "config").exists():
            return
        for name in ("objects/info", "objects/pack", "refs/heads", "info"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "info" / "attributes").write_text(_ATTRIBUTES)
        (self.directory / "HEAD").write_bytes(os.fsencode(f"ref: {head}\n"))
        replace_file(self.directory / "config", _CONFIG)


def replace_file(path: Path, text: str) -> None:
    """Write a file so that, whenever this is stopped, all of the old one is there or all of the new. Raises OSError."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
