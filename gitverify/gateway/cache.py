"""Archives on disk, each a file that was put there whole, and is looked at again before it is served.

::

    DIR/lock                          held by the one server that uses it
    DIR/making-…                      being written; thrown away by the next server
    DIR/DIGEST/COMMIT.tar.gz          an archive; DIGEST names what it was judged by
    DIR/DIGEST/COMMIT.tar.gz.json     its size, its SHA-256, and what Nix wants to know

An archive is hashed when it is served for the first time, and again when the system says that the file has changed
since. One that is not what it was is thrown away, as is whatever else lies in its place: a symlink, a pipe. This finds
disks that fail, and files that were cut short; whoever may write here may also change the note beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from gitverify.errors import GitverifyError
from gitverify.text import shown

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKING = "making-"
_PIECE = 1 << 20
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NoCache(GitverifyError):
    """The directory can't be used."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an archive: bytes, SHA-256 (hexadecimal); of what it holds narHash (as SRI), date and count."""

    size: int
    sha256: str
    nar_hash: str
    last_modified: int
    rev_count: int


@dataclass(frozen=True, slots=True)
class Key:
    """Which archive: ``digest`` names what the commit (hexadecimal) was judged by."""

    digest: str
    commit: str
    form: str

    @property
    def name(self) -> str:
        """Its place below the cache's directory."""
        return f"{self.digest}/{self.commit}.{self.form}"


class Cache:
    """The archives in a directory, for one server."""

    def __init__(self, directory: Path, most: int) -> None:
        """Take the directory, which is made; keep at most so many bytes in it. Raises NoCache."""
        self.directory = directory
        self.most = most
        self._seen: dict[str, tuple[int, ...]] = {}  # as it was when its hash was right
        self._used: dict[str, int] = {}
        self._turn = 0
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = directory.stat()
            if found.st_uid != os.geteuid() or found.st_mode & _OTHERS:
                raise NoCache(f"{shown(str(directory))} can be written by others: name another directory with --cache")
            self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._lock)
                named = shown(str(directory))
                raise NoCache(f"{named} is used by another server: name another directory with --cache") from None
            for left in directory.glob(f"{_MAKING}*"):
                _remove(left)
        except OSError as error:
            raise NoCache(f"{shown(str(directory))} can't be used: {error.strerror or error}") from None

    def close(self) -> None:
        """Leave the directory to others."""
        os.close(self._lock)

    def facts(self, key: Key) -> Facts | None:
        """Return what is known of an archive; None where there is none, or nothing that can be read."""
        try:
            handle = _opened(self.directory / f"{key.name}.json")
            with os.fdopen(handle, "rb") as file:
                return Facts(**json.loads(file.read(_PIECE)))
        except (OSError, ValueError, TypeError):
            return None

    def opened(self, key: Key) -> tuple[int, Facts] | None:
        """Open an archive that is what it was; None where there is none. Blocks while it is hashed. Raises OSError."""
        facts, path = self.facts(key), self.directory / key.name
        if facts is not None:
            try:
                handle = _opened(path)
            except OSError:
                pass
            else:
                if self._is_sound(key, handle, facts):
                    self._turn += 1
                    self._used[key.name] = self._turn
                    return handle, facts
                os.close(handle)
        self._discard(key.name)
        return None

    def is_known(self, key: Key) -> bool:
        """Whether an archive is there, and was not changed since its hash was right: nothing is read to tell."""
        before = self._seen.get(key.name)
        try:
            return before is not None and before == _stamp(os.lstat(self.directory / key.name))
        except OSError:
            return False

    def begin(self, key: Key) -> Path:
        """Return an empty file to write an archive to, for :meth:`put`, and :meth:`forget` at last. Raises OSError."""
        folder = (self.directory / key.name).parent
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink():
            raise NotADirectoryError(0, "a symlink stands where a directory was", str(folder))
        with NamedTemporaryFile(dir=self.directory, prefix=_MAKING, delete=False) as file:
            return Path(file.name)

    def put(self, key: Key, making: Path, facts: Facts) -> None:
        """Put what was written in its place, with what is known of it. Raises OSError."""
        path = self.directory / key.name
        note = making.with_name(f"{making.name}.json")
        note.write_text(json.dumps(asdict(facts)))
        self._discard(key.name)
        making.replace(path)
        note.replace(path.with_name(f"{path.name}.json"))
        self._turn += 1
        self._used[key.name] = self._turn
        self._tidy(key.name)

    def forget(self, making: Path) -> None:
        """Remove what is left of an archive that was begun. Raises OSError."""
        for left in self.directory.glob(f"{making.name}*"):
            _remove(left)

    def _is_sound(self, key: Key, handle: int, facts: Facts) -> bool:
        stamp = _stamp(os.fstat(handle))
        if self._seen.get(key.name) == stamp:
            return True
        digest = hashlib.sha256()
        with os.fdopen(os.dup(handle), "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        os.lseek(handle, 0, os.SEEK_SET)
        if digest.hexdigest() != facts.sha256 or _stamp(os.fstat(handle)) != stamp:
            return False
        self._seen[key.name] = stamp
        return True

    def _tidy(self, kept: str) -> None:
        """Remove what was used longest ago until the rest is no larger than it may be."""
        sizes: dict[str, tuple[int, int, int]] = {}
        for path in self.directory.glob("*/*.tar.*"):
            if path.suffix == ".json":
                continue
            with suppress(OSError):
                found = path.lstat()
                name = f"{path.parent.name}/{path.name}"
                sizes[name] = self._used.get(name, 0), found.st_mtime_ns, found.st_size
        total = sum(size for _, _, size in sizes.values())
        for name in sorted(sizes, key=sizes.__getitem__):
            if total <= self.most:
                return
            if name != kept:
                self._discard(name)
                total -= sizes[name][2]

    def _discard(self, name: str) -> None:
        self._seen.pop(name, None)
        for path in (self.directory / name, self.directory / f"{name}.json"):
            _remove(path)


def _opened(path: Path) -> int:
    """Open a file that is one, and nobody else's. Raises OSError."""
    handle = os.open(path, _READ)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
        os.close(handle)
        raise OSError(0, "is no file of ours", str(path))
    return handle


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file does; nobody can set back the time of its last change (st_ctime)."""
    return found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _remove(path: Path) -> None:
    """Remove a file, or whatever lies in its place."""
    try:
        path.unlink(missing_ok=True)
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(path)
