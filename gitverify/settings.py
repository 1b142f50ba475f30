"""What git's configuration says about gitverify, and whose mark a branch falls under (R1, R23).

The most specific value wins: ``gitverify.branch:NAME.KEY``, then ``gitverify.url:URL.KEY`` (or ``gitverify.URL.KEY``),
then ``gitverify.KEY``. A value that comes from a file inside the working tree is refused, even where nothing would use
it: whoever can write to the repository could otherwise choose the introduction that it is judged from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.source import ConfigEntry, Repository

KEYS = ("introduction", "signer", "keyring", "policypath", "dialect", "maxage")


class ConfigUntrusted(GitverifyError):
    """A gitverify value stands in a file that the repository's content can change (exit status 4)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose mark it is: the repository's name and the branch's full reference name there (R23)."""

    repository: str
    ref: str


class Settings:
    """One reading of the configuration."""

    def __init__(self, repository: Repository) -> None:
        """Read all entries. Raises ConfigUntrusted."""
        self._repository = repository
        entries = sorted(repository.config(), key=lambda entry: entry.level)
        self._values: dict[str, list[str]] = {}
        for entry in entries:
            if entry.name.startswith("gitverify."):
                _check_origin(repository, entry)
            self._values.setdefault(entry.name, []).append(entry.value)

    def get(self, name: str) -> str | None:
        """Return the value that counts of a configuration variable (lower-case section and key)."""
        values = self._values.get(name)
        return values[-1] if values else None

    def every(self, name: str) -> list[str]:
        """Return all values of a configuration variable that may be set several times."""
        return list(self._values.get(name, []))

    def option(self, key: str, branch: str | None = None, url: str | None = None) -> str | None:
        """Return a gitverify option's value for a branch (short name) of a repository with this URL."""
        places = [f"gitverify.branch:{branch}.{key}"] if branch else []
        places += [f"gitverify.url:{url}.{key}", f"gitverify.{url}.{key}"] if url else []
        places.append(f"gitverify.{key}")
        return next((value for place in places if (value := self.get(place)) is not None), None)

    def inputs(self) -> set[str]:
        """Return the names of a flake's inputs that anything is said about (``gitverify.input:NAME.…``)."""
        found = (re.fullmatch(r"gitverify\.input:(.+)\.[^.]+", name, re.DOTALL) for name in self._values)
        return {match[1] for match in found if match}

    def remotes(self) -> list[str]:
        """Return the names of the remotes."""
        found = (re.fullmatch(r"remote\.(.+)\.url", name, re.DOTALL) for name in self._values)
        return [match[1] for match in found if match]

    def identify(self, reference: str) -> Identity:
        """Return repository and branch of a reference: a local branch shares its upstream's (R23)."""
        if reference.startswith("refs/heads/"):
            branch = reference.removeprefix("refs/heads/")
            remote = self.get(f"branch.{branch}.remote")
            merge = self.get(f"branch.{branch}.merge")
            if remote and merge and remote != ".":
                return Identity(self.url(remote), merge)
        followed = self.tracked(reference)
        if followed is not None:
            return Identity(self.url(followed[0]), followed[1])
        return Identity(str(self._repository.common_directory), reference)

    def tracked(self, reference: str) -> tuple[str, str] | None:
        """Return the remote, and the full name there, that a remote-tracking reference stands for."""
        if reference.startswith("refs/remotes/"):
            for remote in self.remotes():
                for spec in self._values.get(f"remote.{remote}.fetch", []):
                    theirs = _reverse(spec, reference)
                    if theirs is not None:
                        return remote, theirs
        return None

    def url(self, remote: str) -> str:
        """Return what a remote's repository is called in marks and settings; ``remote`` may be a URL itself."""
        return without_credentials(self.get(f"remote.{remote}.url") or remote)


def without_credentials(url: str) -> str:
    """Return a URL without the user and password part: it names the repository, not who asks."""
    return re.sub(r"^([a-z][a-z0-9+.-]*://)[^/@]*@", r"\1", url, flags=re.IGNORECASE)


def full_reference(name: str) -> str:
    """Return the full name that ``--ref`` means: a short name is a branch."""
    return name if name.startswith("refs/") else f"refs/heads/{name}"


def _reverse(spec: str, reference: str) -> str | None:
    """Map a remote-tracking reference back through a fetch refspec; None where it does not come from it."""
    theirs, _, ours = spec.removeprefix("+").partition(":")
    if theirs.startswith("^") or not ours:
        return None
    if "*" not in ours:
        return theirs if ours == reference else None
    before, _, after = ours.partition("*")
    fits = reference.startswith(before) and reference.endswith(after) and len(reference) > len(before) + len(after)
    if not fits:
        return None
    return theirs.replace("*", reference[len(before) : len(reference) - len(after)], 1)


def _check_origin(repository: Repository, entry: ConfigEntry) -> None:
    if entry.origin is None:
        return
    places = [repository.worktree] if repository.worktree else []
    common = repository.common_directory
    if common.name == ".git":
        places.append(common.parent)
    origin = entry.origin.resolve()
    own = (repository.path.resolve(), common.resolve())
    if any(origin.is_relative_to(directory) for directory in own):
        return
    if any(origin.is_relative_to(Path(place).resolve()) for place in places):
        raise ConfigUntrusted(
            f"{shown(entry.name)} is set in {shown(str(entry.origin))}, which lies in the working tree: whoever can "
            "commit could choose it; set it in the repository's own configuration instead (gitverify trust)",
        )
