"""Taking an authentic tip, and exactly what it reaches, from the quarantine into the repository that is served.

The verdict names a commit by its id, and that id says what all of it is. So git may do the copying: it packs what the
tip reaches and the verified branches do not; nothing in the quarantine changes what that is (no grafts, no replaced
objects, no shallow boundaries). Another git, in a directory of its own, hashes every object of the pack, checks that
they are well formed and that none is missing, and only then the pack is moved to where it is served, and the branch
to the tip. A run that is killed leaves things in that directory, which the next one throws away, or a pack of verified
objects that no branch reaches yet.

While a pack has no branch, a file beside it keeps ``git gc`` from removing it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.git import Git, GitError
from gitverify.transfer.quarantine import throw_away

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gitverify.transfer.quarantine import Quarantine

_NONE = "0" * 40
_KEPT_FOR = "gitverify mirror update"
_MOST_PACKS = 20
# What git finds wrong with people and dates in old commits, and with modes in trees that other programs wrote once, is
# their authors' business: it is no danger to a reader. (R7 refuses such trees where they matter.)
_HARMLESS = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "multipleAuthors",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)
_SETTINGS = ("core.filesRefLockTimeout=3000", "core.packedRefsTimeout=10000", "core.logAllRefUpdates=false")


class NotTaken(GitverifyError):
    """The verified repository could not be written, or something that the tip reaches is missing or malformed."""


class Verified:
    """The verified repository of a mirror, for whoever holds its lock."""

    def __init__(self, directory: Path, home: Path, environment: Mapping[str, str]) -> None:
        """``home``: the part of it that git does not look at."""
        self._packs = directory / "objects" / "pack"
        self._incoming = home / "incoming"
        self._directory = directory
        self.git = Git(directory, None, environment, settings=_SETTINGS)
        own = {"GIT_OBJECT_DIRECTORY": str(self._incoming)}
        self._receiving = Git(directory, None, environment, settings=_SETTINGS, variables=own)

    def recover(self) -> None:
        """Throw away what a run left that was killed. Raises OSError."""
        throw_away(self._incoming)
        for path in self._packs.glob("pack-*.keep"):
            if path.read_bytes().strip() == _KEPT_FOR.encode():
                path.unlink()

    def tips(self) -> dict[str, bytes]:
        """Return the branches: full names, and raw ids. Raises GitError."""
        output = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/").output
        lines = (line.split(" ", 1) for line in output.decode("utf-8", "surrogateescape").splitlines())
        return {name: bytes.fromhex(commit) for commit, name in lines}

    def take(self, quarantine: Quarantine, reference: str, tip: bytes) -> None:
        """Have a branch (full name) be at an authentic tip. Raises NotTaken; then all is as before."""
        try:
            tips = self.tips()
            current = tips.get(reference)
            if current == tip:
                return
            kept = [] if self._has(tip) else self._copy(quarantine, tip, tips.values())
            self._move(reference, tip, current)
            for path in kept:
                path.unlink(missing_ok=True)
            self._tidy()
        except GitError as error:
            raise NotTaken(str(error)) from None
        except OSError as error:
            raise NotTaken(f"{self._directory} can't be written: {error.strerror or error}") from None

    def _has(self, tip: bytes) -> bool:
        """Whether a commit is served, with all that it reaches and no branch does.

        No pack came here without; but a branch that went back leaves objects to ``git gc``, which may be stopped in the
        middle, too.
        """
        asked = ("rev-list", "--quiet", "--objects", tip.hex(), "--not", "--branches")
        return not self.git.run(*asked, accept=(0, 1, 128)).status

    def _copy(self, quarantine: Quarantine, tip: bytes, known: Iterable[bytes]) -> list[Path]:
        """Copy what the tip reaches; return the files that keep ``git gc`` away."""
        alternate = self._incoming / "info" / "alternates"
        throw_away(self._incoming)
        alternate.parent.mkdir(mode=0o700, parents=True)
        (self._incoming / "pack").mkdir()
        alternate.write_text(os.path.relpath(self._directory / "objects", self._incoming) + "\n")
        asked = [tip.hex(), *(f"^{commit.hex()}" for commit in known)]
        strict = "--strict=" + ",".join(f"{name}=ignore" for name in _HARMLESS)
        quarantine.git.pipe(
            *("pack-objects", "--revs", "--stdout", "--thin", "--delta-base-offset", "--no-use-bitmap-index", "-q"),
            stdin="\n".join([*asked, ""]).encode(),
            into=self._receiving,
            consumer=("index-pack", "--stdin", "--fix-thin", strict, f"--keep={_KEPT_FOR}"),
        )
        return self._serve()

    def _serve(self) -> list[Path]:
        """Move what has arrived to where it is served: the index, which makes a pack one, last."""
        order = {".keep": 0, ".pack": 1, ".rev": 2, ".idx": 3}
        arrived = sorted((self._incoming / "pack").glob("pack-*"), key=lambda path: order.get(path.suffix, 1))
        moved = [path.replace(self._packs / path.name) for path in arrived]
        handle = os.open(self._packs, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return [path for path in moved if path.suffix == ".keep"]

    def _move(self, reference: str, tip: bytes, current: bytes | None) -> None:
        update = ("update-ref", "--no-deref", reference, tip.hex(), current.hex() if current else _NONE)
        try:
            self.git.run(*update)
        except GitError:
            lock = self._directory / f"{reference}.lock"
            if not lock.exists():
                raise
            # Git holds such a lock for less than a moment, and has waited for seconds: a run was killed meanwhile.
            lock.unlink(missing_ok=True)
            self.git.run(*update)

    def _tidy(self) -> None:
        """Put small packs together now and then, so that reading does not become slow."""
        if len(list(self._packs.glob("pack-*.pack"))) > _MOST_PACKS:
            self.git.run("repack", "-d", "-q", "--geometric=2")
