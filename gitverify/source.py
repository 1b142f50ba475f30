"""The one adapter over pygit2: raw objects, references and configuration entries of a repository.

What libgit2 offers beyond that is not used, because its helpers lie to a verifier: signature extraction finds
blocks in the message, parents and walks follow grafts and ``.git/shallow`` (R5). Objects come as raw bytes that
libgit2 has hashed against their id with collision-detecting SHA-1 (its strict hash verification; switched on here
rather than relied on).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import gitverify.certificates  # noqa: F401  (which makes sure that pygit2 can be imported)

# isort: split
import pygit2
from pygit2.ffi import C, ffi

from gitverify.errors import GitverifyError, MissingObject
from gitverify.loose import LooseFiles, object_directories
from gitverify.objects.sizes import check_size
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitverify.objects.source import ObjectType

Bare = Literal["no", "named", "trusted"]

_TYPES: dict[int, ObjectType] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}

_NUMBERS = {kind: number for number, kind in _TYPES.items()}

# A partial clone's objects are read like any other; what is absent is reported as missing (R5).
_EXTENSIONS = ["partialclone", "preciousobjects"]


class RepositoryError(GitverifyError):
    """A repository can't be opened.

    ``code``: ``not-a-repository``, ``repository-owner`` or ``unsupported-repository``.
    """

    def __init__(self, code: str, message: str) -> None:
        """Remember the code."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """One value of git's configuration, with the file it stands in (None: not from a file).

    ``level`` grows from the system's configuration to the work tree's; the highest wins, the last among equals.
    """

    name: str
    value: str
    origin: Path | None
    level: int


class Repository:
    """A repository on disk, as an :class:`~gitverify.objects.source.ObjectSource` with references and settings."""

    def __init__(self, path: Path, *, bare: Bare = "named", arriving: Sequence[Path] = ()) -> None:
        """Open the repository that ``path`` lies in, as git would find it.

        ``arriving``: further object directories, which git keeps a push's objects in until its hooks have agreed.

        A repository's configuration may name the introduction, so it must be the owner's. Libgit2 checks that it
        belongs to the user who runs this (or is a ``safe.directory``). A bare repository can also be part of another
        one's tracked files: with ``bare="no"`` none is taken, with ``"named"`` one that ``path`` is itself and that
        lies in no other repository's working tree, with ``"trusted"`` any. Raises RepositoryError.
        """
        pygit2.settings.set_extensions(_EXTENSIONS)
        pygit2.settings.enable_strict_hash_verification(True)
        # Nothing is read twice, so a cache would only hold memory, and it would skip the hash on a second read.
        pygit2.settings.enable_caching(False)
        try:
            found = pygit2.discover_repository(str(path))
            if found is None:
                raise RepositoryError("not-a-repository", f"{path} is not in a git repository")
            _check_bare(path, Path(found).resolve(), bare)
            self._repository = pygit2.Repository(found)
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            raise _open_error(Path(shown(str(path))), str(error)) from None
        self.path = Path(self._repository.path)
        self.arriving = tuple(arriving)
        directories = object_directories(self.common_directory / "objects")
        for place in arriving:
            directories += [each for each in object_directories(place) if each not in directories]
        self._packed = pygit2.Odb()
        self._loose = pygit2.Odb()
        for priority, directory in enumerate(directories, 1):
            self._packed.add_backend(pygit2.OdbBackendPack(str(directory)), priority)
            self._loose.add_backend(pygit2.OdbBackendLoose(str(directory), -1, False), priority)
        self._loose_files = LooseFiles(directories)

    @property
    def worktree(self) -> Path | None:
        """The working tree's root; None in a bare repository."""
        workdir = self._repository.workdir
        return Path(workdir) if workdir else None

    @property
    def common_directory(self) -> Path:
        """The git directory that all worktrees share."""
        pointer = self.path / "commondir"
        try:
            return (self.path / pointer.read_text().strip()).resolve()
        except OSError:
            return self.path.resolve()

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return type and content of an object; see ObjectSource.read."""
        return self._read(object_id, None)

    def content(self, object_id: bytes, limit: int) -> bytes | None:
        """Return the content of a blob of at most so many bytes, which are not parsed; None where it is no blob.

        Hashed as all objects are. Libgit2 reads no object from a pack piece by piece, so all of it is in memory, for a
        moment two times. Raises as :meth:`read`.
        """
        kind, content = self._read(object_id, limit)
        return content if kind == "blob" else None

    def _read(self, object_id: bytes, blob_size: int | None) -> tuple[ObjectType, bytes]:
        try:
            oid = pygit2.Oid(raw=object_id)
            try:
                number, size = self._packed.read_header(oid)
            except KeyError:
                self._loose_files.check(object_id, blob_size)
                number, content = self._loose.read(oid)
            else:
                check_size(_TYPES[number], size, blob_size)
                number, content = self._packed.read(oid)
            return _TYPES[number], content
        except KeyError:
            raise MissingObject(object_id) from None
        except MemoryError:  # a delta may need far more than its result: see check_size
            raise MissingObject(object_id, "takes more memory to read than there is") from None
        except (pygit2.GitError, ValueError) as error:
            raise MissingObject(object_id, f"is damaged in this repository ({shown(str(error))})") from None

    def packed_size(self, object_id: bytes) -> int | None:
        """Return how many bytes an object has, without reading it; None where it is in no pack, or damaged."""
        try:
            return int(self._packed.read_header(pygit2.Oid(raw=object_id))[1])
        except (KeyError, ValueError, pygit2.GitError):
            return None

    def expand(self, prefix: str) -> list[bytes]:
        """Return the ids of the objects that start with these (at least 4) hexadecimal digits: none, one or two."""
        try:
            return [self._repository.expand_id(prefix).raw]
        except (KeyError, ValueError) as error:
            ambiguous = "ambiguous" in str(error)
            return [b"", b""] if ambiguous else []
        except pygit2.GitError:
            return []

    def reference(self, name: str) -> bytes | None:
        """Return the raw id that a reference with this full name leads to; None where there is none."""
        try:
            reference = self._repository.references[name].resolve()
        except (KeyError, ValueError, pygit2.GitError):
            return None
        target = reference.target
        return target.raw if isinstance(target, pygit2.Oid) else None

    def symbolic(self, name: str) -> str | None:
        """Return the full name of the reference that a symbolic reference points to, one step; else None."""
        try:
            target = self._repository.references[name].target
        except (KeyError, ValueError, pygit2.GitError):
            return None
        return target if isinstance(target, str) else None

    def symbolic_references(self) -> list[str]:
        """Return the full names of all symbolic references; what is no UTF-8 in them as surrogates."""
        every = self._repository.references.iterator()
        symbolic = (each.raw_name for each in every if each.type == pygit2.enums.ReferenceType.SYMBOLIC)
        return [name.decode("utf-8", "surrogateescape") for name in symbolic]

    def remotes(self) -> frozenset[str]:
        """Return the names of the configured remotes."""
        return frozenset(name for name in self._repository.remotes.names() if name)

    def revparse(self, expression: str) -> bytes | None:
        """Resolve an expression of gitrevisions(7) that is no plain name, such as ``main@{1}``; None: no such."""
        try:
            return self._repository.revparse_single(expression).id.raw
        except (KeyError, ValueError, pygit2.GitError):
            return None

    def config(self) -> Iterator[ConfigEntry]:
        """Yield all configuration entries, in no particular order, with the file that each comes from.

        pygit2 has no public way to the origin; this reads the same entries through its C bindings.
        """
        snapshot = self._repository.config
        entry = ffi.new("git_config_entry **")
        iterator = ffi.new("git_config_iterator **")
        if C.git_config_iterator_new(iterator, snapshot._c_config) != 0:  # noqa: SLF001
            raise RepositoryError("unsupported-repository", "git's configuration can't be read")
        try:
            while C.git_config_next(entry, iterator[0]) == 0:
                origin = entry[0].origin_path
                yield ConfigEntry(
                    name=ffi.string(entry[0].name).decode("utf-8", "replace"),
                    value=ffi.string(entry[0].value).decode("utf-8", "replace") if entry[0].value else "true",
                    origin=Path(ffi.string(origin).decode("utf-8", "surrogateescape")) if origin else None,
                    level=entry[0].level,
                )
        finally:
            C.git_config_iterator_free(iterator[0])

    def set_config(self, name: str, value: str | None) -> None:
        """Write a value to the repository's own configuration file, or remove the variable (None)."""
        try:
            config = pygit2.Config(str(self.common_directory / "config"))
            if value is not None:
                config[name] = value
            elif name in config:
                del config[name]
        except (pygit2.GitError, ValueError, OSError) as error:
            raise RepositoryError("config", f"git's configuration can't be written: {error}") from None


class Rehashed:
    """Objects that somebody else holds, each hashed against its id as those of a repository are."""

    def __init__(self, held: Callable[[bytes], tuple[ObjectType, bytes]]) -> None:
        """``held`` returns what is held for a raw id, and raises KeyError where nothing is."""
        pygit2.settings.enable_strict_hash_verification(True)
        pygit2.settings.enable_caching(False)
        self._objects = pygit2.Odb()
        self._objects.add_backend(_Held(held), 1)

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return type and content of an object; see ObjectSource.read."""
        try:
            number, content = self._objects.read(pygit2.Oid(raw=object_id))
            return _TYPES[number], content
        except KeyError:
            raise MissingObject(object_id) from None
        except (pygit2.GitError, ValueError) as error:
            raise MissingObject(object_id, f"is damaged ({shown(str(error))})") from None


class _Held(pygit2.OdbBackend):
    """What libgit2 asks for objects; pygit2 looks all of them up as if by a prefix."""

    def __init__(self, held: Callable[[bytes], tuple[ObjectType, bytes]]) -> None:
        super().__init__()
        self._held = held

    def read_prefix_cb(self, prefix: str) -> tuple[int, bytes, pygit2.Oid]:
        oid = pygit2.Oid(hex=prefix)
        kind, content = self._held(oid.raw)
        return _NUMBERS[kind], content, oid

    def refresh_cb(self) -> None:
        """Nothing comes later."""


def is_blob(content: bytes, object_id: bytes) -> bool:
    """Return if ``content`` is that of the blob with this raw id; one with the marks of a collision attack is not."""
    try:
        return bool(pygit2.hash(content).raw == object_id)
    except (ValueError, pygit2.GitError):
        return False


def is_file_of_blob(handle: int, object_id: bytes) -> bool:
    """Return the same for an open file of any size, which is not read into memory as a whole. Raises OSError."""
    try:
        return bool(pygit2.hashfile(f"/dev/fd/{handle}").raw == object_id)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise OSError(0, shown(str(error))) from None


def _check_bare(path: Path, found: Path, bare: Bare) -> None:
    """Refuse a bare repository that may have come with another repository's files (git's safe.bareRepository)."""
    named = path.resolve()
    if bare == "trusted" or found.name == ".git" or not named.is_relative_to(found):
        return
    if bare == "no" or named != found:
        message = f"{shown(str(found))} is a bare repository: name it with --repo if it is yours"
        raise RepositoryError("not-a-repository", message)
    around = pygit2.discover_repository(str(found.parent))
    if around is not None and Path(pygit2.Repository(around).workdir or "/dev/null") in found.parents:
        message = (
            f"{shown(str(found))} lies in the working tree of {shown(around)}, and may have come with its files: "
            "if it is yours, say so with GIT_DIR"
        )
        raise RepositoryError("not-a-repository", message)


def _open_error(path: Path, message: str) -> RepositoryError:
    """Turn libgit2's sentence into a reason code and a next step."""
    if "not owned by" in message:
        return RepositoryError(
            "repository-owner",
            f"{path} belongs to another user; if you trust it: git config --global --add safe.directory {path}",
        )
    if "unknown object format" in message or "unsupported" in message:
        return RepositoryError("unsupported-repository", f"{path}: {shown(message.rpartition(': ')[2])}")
    if "config" in message:
        return RepositoryError("config-untrusted", f"git's configuration can't be read: {shown(message)}")
    return RepositoryError("not-a-repository", f"{path} is not in a git repository: {shown(message)}")
