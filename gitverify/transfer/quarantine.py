"""Objects that were fetched and that nobody has vouched for yet, apart from those that are served.

A quarantine is a bare repository in all but one thing: its object directory has another name, which only we tell git.
So nothing that is asked to serve it (git's daemon, its HTTP backend, a path in a URL) finds a repository there. What a
fetch has to know, it sees through an alternate: the verified objects, which are not fetched again. It never goes the
other way: what is verified borrows nothing from here.

A quarantine holds nothing that can't be fetched again. Where something in it is missing or damaged, it is emptied.

What git is told (see gitverify.git for the rest): the user's and the system's configuration count, because proxies,
certificates, SSH settings and credential helpers are there; and so do the variables that say how to connect. But the
one protocol that the URL names is all that is spoken, whatever is configured or a server redirects to; URLs are not
rewritten; no hook runs; submodules, tags, bundles and pack files from elsewhere are not fetched; and as there is no
checkout, no filter runs and nothing of LFS is downloaded. Git's own checks of what it receives are switched off: all is
checked where it is read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.git import Git, GitError, TooMuch
from gitverify.limits import LIMITS
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitverify.transfer.url import Source

# How to connect: the user's, as the rest of the environment is.
_CONNECTING = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_PROXY_COMMAND",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
    }
)
_SETTINGS = (
    "fetch.bundleURI=",
    "fetch.fsckObjects=false",
    "fetch.output=compact",
    "fetch.parallel=1",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",  # one file, which can be limited
    "fetch.uriProtocols=",
    "fetch.writeCommitGraph=false",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "transfer.credentialsInUrl=die",
    "transfer.fsckObjects=false",
    "transfer.unpackLimit=1",
)
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_HEAD = "ref: refs/heads/none\n"
_BUSY = "fetching"
_MOST_PACKS = 50
_TRIES, _PAUSE = 50, 0.02  # seconds: one at most, all in all
_MOST_PRINTED = 1 << 20  # bytes
_ALIAS = "gitverify-source"  # what the URL is called on git's command line
_RULE = "GIT_SOURCE_ALIAS"  # given as a variable: a URL may have a “=”, which ends a setting's name on a command line


class _TooLarge(Exception):
    """More is sent than may come."""


class FetchFailed(GitverifyError):
    """Nothing came, or not all: the server can't be reached, has no such branch, lies, or sends without end."""


class Quarantine:
    """The quarantine in ``directory``, for what is to be verified and then to go into ``verified`` (objects)."""

    def __init__(self, directory: Path, verified: Path, environment: Mapping[str, str]) -> None:
        """Make it where it is not there; clear up where a run was killed in the middle of a fetch. Raises OSError."""
        self.directory = directory
        self.objects = directory / "unverified"
        self._verified = verified
        self._environment = environment
        self.git = self._git()
        if not (directory / "config").exists():
            self.empty()
        elif (directory / _BUSY).exists():
            self._clear_up(LIMITS.fetch_seconds)

    def _git(self, source: Source | None = None) -> Git:
        kept = {name: self._environment[name] for name in _CONNECTING if name in self._environment}
        variables = kept | {"GIT_OBJECT_DIRECTORY": str(self.objects), "GIT_SHALLOW_FILE": ""}
        if source is None:
            return Git(self.directory, None, self._environment, settings=_SETTINGS, variables=variables)
        variables |= {"GIT_ALLOW_PROTOCOL": source.protocol, _RULE: _ALIAS}
        # Git rewrites a URL once, by the rule that fits the most of it. So ours, which makes the URL out of a name that
        # no other rule fits as well, is the only one that counts.
        named = {f"url.{source.url}.insteadOf": _RULE}
        return Git(self.directory, None, self._environment, settings=_SETTINGS, named=named, variables=variables)

    def empty(self) -> None:
        """Throw away all that was fetched. Raises OSError."""
        if self.directory.exists():
            (self.directory / "config").unlink(missing_ok=True)  # so that half of it is never taken for a whole
            throw_away(self.directory)
        self.directory.mkdir(mode=0o700, parents=True)
        for name in ("refs", "unverified/info", "unverified/pack"):
            (self.directory / name).mkdir(parents=True)
        alternate = os.path.relpath(self._verified, self.objects)
        (self.objects / "info" / "alternates").write_text(alternate + "\n")
        (self.directory / "HEAD").write_text(_HEAD)
        (self.directory / "config").write_text(_CONFIG)

    def size(self) -> int:
        """Return how many bytes its objects have: in packs or, from a server without git, in files of their own."""
        total = 0
        for directory, _, names in os.walk(self.objects):
            for name in names if Path(directory).name != "info" else []:
                with suppress(FileNotFoundError):  # git has renamed it meanwhile
                    total += (Path(directory) / name).stat().st_size
        return total

    def fetch(
        self,
        source: Source,
        wanted: Sequence[str],
        *,
        most_bytes: int,
        seconds: float,
        said: Callable[[str], None] | None = None,
    ) -> None:
        """Fetch these (full names, or commit ids) with all that they reach. Raises FetchFailed, OSError."""
        before = self.size()
        try:
            self._fetch(source, wanted, most_bytes - before, seconds, said)
        except _TooLarge:
            # What has been refused stays here, not to be fetched again, and counts; it must not be in the way.
            self.empty()
            if not before:
                raise _too_large(source, most_bytes) from None
            try:
                self._fetch(source, wanted, most_bytes, seconds, said)
            except _TooLarge:
                self.empty()
                raise _too_large(source, most_bytes) from None

    def _fetch(
        self,
        source: Source,
        wanted: Sequence[str],
        left: int,
        seconds: float,
        said: Callable[[str], None] | None,
    ) -> None:
        (self.directory / _BUSY).touch()
        options = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance"]
        options += ["--no-show-forced-updates", "--force", "--progress"]
        specs = [f"+{name}:{_kept(name)}" for name in wanted]
        for name in wanted:
            self._set_aside(name)
        most = self.size() + left
        try:
            self._git(source).watch(
                *("fetch", *options, "--", _ALIAS, *specs),
                seconds=seconds,
                file_size=max(left, 1),
                said=said,
                is_enough=lambda: self.size() > most,
            )
            self._put_together()
        except TooMuch:
            raise _TooLarge from None
        except GitError as error:
            if any(path.stat().st_size >= left for path in (self.objects / "pack").glob("tmp_*")):
                raise _TooLarge from None
            self._clear_up(seconds)
            raise FetchFailed(f"{shown(source.url)} could not be fetched: {error}") from None
        (self.directory / _BUSY).unlink()

    def _set_aside(self, name: str) -> None:
        """Put away what came for a name before: git may end well and bring nothing, as from a shallow clone.

        It stays there, so that git need not fetch again what it leads to.
        """
        before = self.directory / _kept(name)
        if before.exists():
            aside = self.directory / "refs" / "before" / before.name
            aside.parent.mkdir(exist_ok=True)
            before.replace(aside)

    def _put_together(self) -> None:
        """Make one pack of many now and then, so that reading does not become slow. Raises GitError."""
        if len(list((self.objects / "pack").glob("*.pack"))) > _MOST_PACKS:
            self.git.run("repack", "-a", "-d", "-l", "-q")

    def _clear_up(self, seconds: float) -> None:
        """Remove what a fetch left that failed; what came before stays, unless that is what it failed by."""
        for path in [*(self.objects / "pack").glob("tmp_*"), *(self.directory / "refs").rglob("*.lock")]:
            path.unlink(missing_ok=True)
        (self.directory / _BUSY).unlink()
        if any((self.objects / "pack").iterdir()):
            try:
                # What is there was sent by somebody whom nobody has vouched for: looking at it may take no longer, nor
                # more memory, than fetching it.
                checked = ("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
                self.git.watch(*checked, seconds=seconds, file_size=_MOST_PRINTED)
            except GitError:
                self.empty()

    def default_branch(self, source: Source, seconds: float) -> str:
        """Return the branch that the server's HEAD names, in full. Raises FetchFailed."""
        try:
            asked = ("ls-remote", "--symref", "--", _ALIAS, "HEAD")
            printed = self._git(source).watch(*asked, seconds=seconds, file_size=_MOST_PRINTED)
        except GitError as error:
            raise FetchFailed(f"{shown(source.url)} could not be asked: {error}") from None
        first = printed.decode("utf-8", "surrogateescape").partition("\n")[0]
        if not first.startswith("ref: refs/heads/"):
            raise FetchFailed(f"{shown(source.url)} does not say which branch is its default: name one")
        return first.removeprefix("ref: ").partition("\t")[0]

    def arrived(self, name: str) -> bytes | None:
        """Return the raw id that was fetched last for a name or commit id; None where nothing was."""
        line = self.git.line("rev-parse", "--verify", "--quiet", _kept(name), accept=(0, 1))
        return bytes.fromhex(line) if line else None


def _too_large(source: Source, most_bytes: int) -> FetchFailed:
    return FetchFailed(
        f"{shown(source.url)} could not be fetched: there are more than {most_bytes:,} bytes to fetch (--max-size)"
    )


def _kept(name: str) -> str:
    """Return where a name's id is kept: no name is in another's way there, as files and directories are."""
    return "refs/arrived/" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def throw_away(directory: Path) -> None:
    """Remove a directory with all that is in it. Raises OSError.

    Where a run was killed, a git that it had started may only just be ending: it puts files there, and takes them away.
    """
    for left in reversed(range(_TRIES)):
        try:
            if directory.exists():
                shutil.rmtree(directory)
        except OSError:
            if not left:
                raise
            time.sleep(_PAUSE)
        else:
            return
