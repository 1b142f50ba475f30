"""What takes long: judging what a mirror has, and writing an archive. Each is done in a process of its own.

A mirror's branches are judged again before anything of them is served: with the marks that ``gitverify mirror update``
has left that takes a moment, and it finds a branch that somebody else has moved, or set back.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gitverify.errors import MalformedObject, MissingObject
from gitverify.export.ahead import Ahead
from gitverify.export.visitor import Both, Unfit
from gitverify.export.walk import show_tree
from gitverify.gateway.cache import Facts
from gitverify.gateway.stored import StoredGzip, StoredXz
from gitverify.gateway.tar import Tar, archive_time
from gitverify.gateway.target import Refused
from gitverify.git import Git, GitError
from gitverify.mirror.memory import FIXED, Memory, NotAMirror, read
from gitverify.nix.nar import Archive, sri
from gitverify.objects.commit import parse_head
from gitverify.session import Query, Session, Unanswerable, UsageProblem
from gitverify.settings import ConfigUntrusted, Identity, Settings, without_credentials
from gitverify.source import Repository, RepositoryError
from gitverify.transfer.store import Store
from gitverify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from gitverify.gateway.target import Form
    from gitverify.request import Request
    from gitverify.rules.facts import Refusal
    from gitverify.verify import MakePool

_BUFFER = 1 << 20
_SET_BACK = frozenset({"behind", "rollback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A mirror to serve, and how: ``state`` is where the marks are; ``max_age`` in seconds (R26), None as configured.

    ``pools`` makes pools of processes for a repository, ``jobs`` says how many read an archive's files.
    """

    directory: Path
    environment: Mapping[str, str]
    pools: Callable[[Repository], MakePool | None]
    jobs: int = 1
    state: Path | None = None
    max_age: int | None = None

    @property
    def store(self) -> Store:
        """The mirror."""
        return Store(self.directory, self.environment)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of judging a commit, as reason code and message; None and nothing where it is authentic.

    ``stale``: the message, where no listed person has committed for too long. ``ages``: whether that may change;
    ``passing``: whether the verdict holds for this moment only.
    """

    code: str | None = None
    message: str = ""
    stale: str | None = None
    ages: bool = False
    passing: bool = False


def remembered(place: Place) -> Memory:
    """Return what the mirror knows of itself. Raises Refused."""
    try:
        memory = read(place.store.home)
    except NotAMirror as error:
        raise Refused("mirror-missing", str(error)) from None
    if memory is None:
        raise Refused("mirror-missing", "its mirror is gone: gitverify mirror update makes one")
    return memory


def digest(memory: Memory) -> str:
    """Name what a mirror's commits are judged by: an archive of one judged by something else is another archive."""
    parts = [getattr(memory, name) for name in FIXED]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def judge(place: Place, reference: str, tip: bytes, now: int) -> Verdict:
    """Judge what a branch (full name) is at. Raises Refused where the mirror can't be read."""
    memory = remembered(place)
    try:
        session = _session(place, memory, reference, tip, now)
        request = session.request()
    except Unanswerable as error:
        if error.refusal.code != "keyring-missing":
            return _answer(error.refusal)
        # The certificates are fetched when a mirror is updated, and are not in it. That it is in it was decided then.
        return Verdict(ages=place.max_age is not None, stale=_without_keyring(place))
    except UsageProblem as error:
        return Verdict("config-untrusted", str(error))
    return _judged(place, session, replace(request, floor=_floor(session, request)))


def _judged(place: Place, session: Session, asked: Request) -> Verdict:
    repository, request = session.repository, replace(asked, max_age=None)
    outcome = verify(repository, request, make_pool=place.pools(repository))
    if outcome.verdict != "authentic" and outcome.reason in _SET_BACK and _being_updated(place):
        # The mark moves before the branch does. What is served until then is what the branch was at.
        return Verdict(passing=True)
    if outcome.verdict != "authentic":
        return _answer(outcome.refusals[0])
    if asked.max_age is None:
        return Verdict()
    aged = verify(repository, asked, make_pool=place.pools(repository))
    stale = None if aged.verdict == "authentic" else aged.refusals[0].message
    return Verdict(ages=stale is None, stale=stale)


def require_authentic(place: Place, commit: bytes, now: int) -> None:
    """Refuse a commit that is not authentic itself, though an authentic one reaches it (R20). Raises Refused."""
    memory = remembered(place)
    try:
        session = _session(place, memory, f"refs/heads/{memory.branches[0]}", commit, now)
        request = session.request()
        request = replace(request, max_age=None, allow_rollback=True, floor=_floor(session, request))
    except Unanswerable as error:
        if error.refusal.code != "keyring-missing":
            raise Refused(error.refusal.code, str(error)) from None
        _require_ancestral(place, commit, memory)
        return
    outcome = verify(session.repository, request, make_pool=place.pools(session.repository))
    if outcome.verdict != "authentic":
        refusal = outcome.refusals[0]
        raise Refused(refusal.code, f"{commit.hex()} is not served: {refusal.message}")


def make(place: Place, commit: bytes, form: Form, path: Path, most: int) -> Facts:
    """Write the archive of a commit, at most so many bytes. Raises Refused, OSError."""
    try:
        repository = place.store.open()
        head = parse_head(repository.read(commit)[1])
        counted = _git(place).line("rev-list", "--count", commit.hex())
        nar = hashlib.sha256()
        hashing = Archive(nar.update)
        with path.open("wb", buffering=_BUFFER) as file:
            sink = _Sink(file, most)
            packed = StoredGzip(sink.write) if form == "tar.gz" else StoredXz(sink.write)
            tar = Tar(packed.write, head.date)
            contents = Ahead(place.jobs, partial(_reopened, repository.path)) if place.jobs > 1 else None
            show_tree(repository, head.tree, Both([tar, hashing]), contents=contents)
            tar.finish()
            packed.finish()
            hashing.finish()
    except Unfit as error:
        raise Refused(error.code, str(error)) from None
    except (MissingObject, MalformedObject) as error:
        raise Refused("missing-object", str(error)) from None
    except (RepositoryError, GitError) as error:
        raise Refused("mirror-missing", str(error)) from None
    return Facts(sink.size, sink.digest.hexdigest(), sri(nar.digest()), archive_time(head.date), int(counted or 0))


def reaches(place: Place, tips: Sequence[bytes], commit: bytes) -> bytes | None:
    """Return the first of these commits that reaches another one; None where none does, or there is no such commit."""
    git = _git(place)
    for tip in tips:
        try:
            if git.reaches(tip, commit):
                return tip
        except GitError:
            return None
    return None


class _Sink:
    """A file, with the hash of what is written to it, and an end."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, piece: bytes | memoryview) -> None:
        self.size += len(piece)
        if self.size > self._most:
            raise Refused("too-large", f"the archive has more than {self._most:,} bytes: see --cache-size")
        self.digest.update(piece)
        self._file.write(piece)


def _session(place: Place, memory: Memory, reference: str, tip: bytes, now: int) -> Session:
    try:
        repository = place.store.open()
        settings = Settings(repository)
    except RepositoryError as error:
        raise Refused("mirror-missing", str(error)) from None
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None
    query = Query(
        introduction=bytes.fromhex(memory.introduction),
        signer=memory.signer,
        keyring=memory.keyring,
        policy_path=memory.policy_path,
        dialect=memory.dialect,
        state=place.state,
        max_age=place.max_age,
        now=now,
    )
    identity = Identity(memory.name or without_credentials(memory.url), reference)
    return Session.about(repository, settings, query, tip, identity)


def _floor(session: Session, request: Request) -> Any:
    """Return the mark. Raises Refused where there may be one, and it can't be read."""
    try:
        return session.remembered(request)
    except Unanswerable as error:
        raise Refused(error.refusal.code, str(error)) from None


def _being_updated(place: Place) -> bool:
    """Whether somebody changes the mirror at this moment."""
    try:
        handle = os.open(place.store.home / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _require_ancestral(place: Place, commit: bytes, memory: Memory) -> None:
    """Refuse a commit where only the mirror's own word counts, and that does not say that this one is authentic.

    Of a merge that is authentic, the first parent is; others may be adopted, and are what nobody vouched for (R20). So
    what the branches' first parents lead to is authentic, from the introduction on.
    """
    if commit.hex() == memory.introduction:
        return
    if reaches(place, [commit], bytes.fromhex(memory.introduction)) is None:
        raise Refused("not-descendant", f"{commit.hex()} is not served: it does not descend from the introduction")
    wanted = commit.hex().encode()
    for branch in memory.branches:
        line = ("rev-list", "--first-parent", f"refs/heads/{branch}", f"^{memory.introduction}", "--")
        with suppress(GitError):
            if wanted in _git(place).run(*line).output.split():
                return
    raise Refused("not-verified", f"{commit.hex()} was merged, and the keyring to judge it is elsewhere")


def _without_keyring(place: Place) -> str | None:
    if place.max_age is None:
        return None
    return "how old it is can't be told here, because its keyring is not in the mirror: leave out --max-age for it"


def _answer(refusal: Refusal) -> Verdict:
    at = f"{refusal.commit.hex()}: " if refusal.commit else ""
    return Verdict(refusal.code, f"{at}{refusal.message}")


def _git(place: Place) -> Git:
    return Git(place.directory, None, place.environment)


def _reopened(path: Path) -> Repository:
    return Repository(path, bare="trusted")
