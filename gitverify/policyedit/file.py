"""The policy file in the working tree, and the certificates beside it: read, and written without a half-way state."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS
from gitverify.session import UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file, which is no symlink. Raises UsageProblem."""
    try:
        _check_regular(path)
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            data = file.read(LIMITS.policy_size + 1)
    except OSError as error:
        raise UsageProblem(f"{shown(str(path))} can't be read: {error.strerror}") from None
    return data


def _check_regular(path: Path) -> os.stat_result:
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        what = "a symlink" if stat.S_ISLNK(status.st_mode) else "no regular file"
        raise UsageProblem(f"{shown(str(path))} is {what}: a policy is a regular file (R14)")
    return status


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put new bytes in the place of the old, all or nothing; the file's mode stays.

    Raises UsageProblem, also where the file has changed since ``before`` was read.
    """
    try:
        mode = stat.S_IMODE(_check_regular(path).st_mode)
        if read_file(path) != before:
            raise UsageProblem(f"{shown(str(path))} has changed meanwhile, so it was left alone")
        _write(path, after, mode)
    except OSError as error:
        raise UsageProblem(f"{shown(str(path))} can't be written: {error.strerror}") from None


def write_certificate(worktree: Path, directory: bytes, name: str, data: bytes) -> Path | None:
    """Write a certificate into the key directory, which is made where it is missing; None where it is there already.

    Raises UsageProblem.
    """
    place = worktree
    try:
        for part in os.fsdecode(directory).split("/"):
            place /= part
            if not os.path.lexists(place):
                place.mkdir()
            elif not stat.S_ISDIR(os.lstat(place).st_mode):
                raise UsageProblem(f"{shown(str(place))} is no directory, so no certificate can be put there")
        path = place / name
        if os.path.lexists(path):
            _check_regular(path)
            if path.read_bytes() == data:
                return None
        _write(path, data, 0o666 & ~_umask())
    except OSError as error:
        raise UsageProblem(f"{shown(str(place))} can't be written: {error.strerror}") from None
    return path


def fingerprints_in(worktree: Path, directory: bytes | None) -> frozenset[str]:
    """Return the fingerprints of the primary keys whose certificates lie in the working tree's key directory."""
    from gitverify.signatures.certificates import parse_certificates  # noqa: PLC0415  (slow to load)

    found: set[str] = set()
    for data in _files(worktree / os.fsdecode(directory or b"")) if directory else ():
        try:
            found.update(key.fingerprint for each in parse_certificates(data) for key in (each.primary, *each.subkeys))
        except KeyRefused:
            continue
    return frozenset(found)


def _files(directory: Path) -> Iterator[bytes]:
    """Yield what the files of a directory hold; of what can't be read, nothing."""
    try:
        paths = sorted(directory.iterdir())[: LIMITS.certificate_files]
    except OSError:
        return
    for path in paths:
        try:
            if stat.S_ISREG(os.lstat(path).st_mode):
                with path.open("rb") as file:
                    yield file.read(LIMITS.certificate_file_size)
        except OSError:
            continue


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file beside the one that it replaces, then rename it."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        handle = os.open(new, _NEW, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123  (a descriptor)
            file.write(data)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
