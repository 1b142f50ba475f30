"""High-water marks: how far an accepted history reached, so that nobody can show an older one (R23 to R26).

One store per user (or per ``--state DIR``): a SQLite file, see :mod:`gitverify.statefile`, in a directory that
:mod:`gitverify.statedir` has checked. This module has no clock; times are passed in.

**Two processes at once.** A verification of a long history takes minutes. A lock held that long would make a second
terminal, a hook or a timer wait or fail, would outlive its reason when the process hangs, and is still no proof where
a file system's locks don't work between machines. So :meth:`MarkStore.advance` is a compare-and-swap: it
takes the mark that the verdict was judged against, and in one short exclusive transaction replaces it only if it is
still that one. Whoever loses gets :class:`MarkMoved` with the mark as it is now, judges the tip against that one (it
may have become a rollback), and tries again. So a mark is only ever replaced by a verdict that has seen it.

**Damage is noticed.** SQLite finds most damage to its structure, none to what is stored, and not a row that has gone.
So each row carries a SHA-256 of its content, and the one row of ``seal`` a SHA-256 over the ids and checksums of all
rows: every read checks the seal and the rows it returns. What doesn't add up is ``state-corrupt``; no damage turns one
mark into another or makes one disappear. (This is about accidents. Someone who may write the file can forge it, or put
back an old copy; R24's owner and modes are what keeps others out.)

The tables: ``mark`` has for each key the SHA-256 of the key (``id``), the checksum of ``body``, and ``body``, JSON in
ASCII; ``event`` the recorded rollbacks, each with a SHA-256 that covers its body and its predecessor's; ``seal`` the
number of events, the last one's SHA-256, and the digest of all. :mod:`gitverify.markdata` has their exact form.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Self, TypeVar

from gitverify.errors import GitverifyError
from gitverify.markdata import (
    Mark,
    MarkKey,
    Rollback,
    chained,
    checksum,
    key_id,
    mark_body,
    read_mark,
    read_rollback,
    rollback_body,
    seal,
)
from gitverify.statedir import StateError, corrupt, require_directory
from gitverify.text import shown

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from gitverify.statefile import StateFile

__all__ = ["Mark", "MarkKey", "MarkMoved", "MarkStore", "Rollback", "StateError"]

_Row = TypeVar("_Row")


class MarkMoved(GitverifyError):
    """Another process moved the mark during the verification; ``current`` is what it is now.

    The verdict was about an older floor: judge the tip against ``current`` and call :meth:`MarkStore.advance` again.
    """

    def __init__(self, key: MarkKey, current: Mark | None) -> None:
        """Remember the mark to judge against."""
        super().__init__(f"another process moved the mark of {shown(key.ref)} in {shown(key.repository)}")
        self.current = current


class MarkStore:
    """The marks of one state directory. A context manager; for one thread of one process."""

    def __init__(self, file: StateFile | None) -> None:
        """Wrap an open file, or none; use :meth:`open`."""
        self._file = file

    @classmethod
    def open(cls, directory: Path, *, read_only: bool = False) -> Self:
        """Open the store in ``directory``.

        Normally directory and file are created where they are missing, and it is an error, now, if they can't be
        written. With ``read_only`` nothing is created, no permission to write is needed, and a store that does not
        exist is an empty one. (A store that was removed can't be told from one that never was.)

        Raises :class:`~gitverify.statedir.StateError`: ``state-unsafe`` for mode, owner, place, not writable, busy;
        ``state-corrupt`` for what is there but is no undamaged store.
        """
        from gitverify.statefile import StateFile  # noqa: PLC0415 - whoever only handles marks loads no sqlite3

        real = require_directory(directory, writable=not read_only)
        if real is None:
            return cls(None)
        return cls(StateFile.open(real, writable=not read_only, seal=(0, b"", seal(0, b"", ()))))

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Close the file; twice does no harm."""
        if self._file is not None:
            self._file.close()

    def get(self, key: MarkKey) -> Mark | None:
        """Return the mark of ``key``, or ``None`` where there has been none. Raises :class:`StateError`."""
        if self._file is None:
            return None
        with self._file.reading() as connection:
            return _Content(connection, self._file.path).mark(key)

    def all(self, introduction: bytes | None = None) -> list[tuple[MarkKey, Mark]]:
        """Return every mark, or those of one introduction, ordered by key. Raises :class:`StateError`."""
        if self._file is None:
            return []
        with self._file.reading() as connection:
            marks = _Content(connection, self._file.path).marks()
        wanted = (item for item in marks if introduction in (None, item[0].introduction))
        return sorted(wanted, key=itemgetter(0))

    def for_repository(self, repository: str, ref: str) -> list[tuple[MarkKey, Mark]]:
        """Return the marks of one ref under whatever introduction, ordered by it. Raises :class:`StateError`."""
        return [item for item in self.all() if (item[0].repository, item[0].ref) == (repository, ref)]

    def advance(self, key: MarkKey, expected: Mark | None, new: Mark, *, rollback: bool = False) -> None:
        """Replace the mark ``expected``, which the verdict was judged against, by ``new``.

        On return ``new`` is on disk and survives a power loss, and so does, with ``rollback``, a record of when the
        user let the mark move from where to where. On any exception, an interrupt included, the old mark is in
        place; only an interrupt that arrives after the commit itself can find the new one.

        Raises :class:`MarkMoved` if the mark is no longer ``expected``, :class:`StateError`, and :class:`ValueError`
        for a rollback from no mark at all or a store that was opened ``read_only``.
        """
        if self._file is None:
            raise ValueError("this store was opened for reading")
        if rollback and expected is None:
            raise ValueError("a rollback needs a mark to roll back from")
        with self._file.writing() as connection:
            content = _Content(connection, self._file.path)
            current = content.mark(key)
            if current != expected:
                raise MarkMoved(key, current)
            if rollback and current is not None:
                content.record(Rollback(key, new.recorded_at, current.commits, new.commits))
            content.put(key, new)

    def events(self) -> list[Rollback]:
        """Return the recorded rollbacks, oldest first. Raises :class:`StateError`."""
        if self._file is None:
            return []
        with self._file.reading() as connection:
            return _Content(connection, self._file.path).events()


class _Content:
    """What one transaction sees, its seal checked: on return of :meth:`read` no row has gone, come or been swapped."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        rows = connection.execute("SELECT id, checksum FROM mark ORDER BY id").fetchall()
        seals = connection.execute("SELECT events, chain, digest FROM seal").fetchall()
        try:
            ((self._events, self._chain, digest),) = seals
            intact = seal(self._events, self._chain, rows) == digest
        except (ValueError, AttributeError):
            intact = False
        if not intact:
            raise corrupt(path, "is damaged: its rows do not match their seal")
        self._checksums: dict[bytes, bytes] = dict(rows)

    def mark(self, key: MarkKey) -> Mark | None:
        """Return one mark. ``None`` is an answer here, not a failure to find: the ids are sealed."""
        identity = key_id(key)
        return self._read(identity)[1] if identity in self._checksums else None

    def marks(self) -> list[tuple[MarkKey, Mark]]:
        """Return all of them, in no useful order."""
        return [self._read(identity) for identity in self._checksums]

    def _read(self, identity: bytes) -> tuple[MarkKey, Mark]:
        row = self._connection.execute("SELECT body FROM mark WHERE id = ?", (identity,)).fetchone()
        if row is None or row[0] is None or checksum(row[0]) != self._checksums[identity]:
            raise corrupt(self._path, "is damaged: a mark does not match its checksum")
        return self._understood(read_mark, row[0])

    def events(self) -> list[Rollback]:
        """Return the recorded rollbacks in their order."""
        bodies = [row[0] for row in self._connection.execute("SELECT body FROM event ORDER BY number")]
        chain = b""
        for body in bodies:
            chain = chained(chain, body or b"")
        if len(bodies) != self._events or chain != self._chain:
            raise corrupt(self._path, "is damaged: the recorded rollbacks do not match their seal")
        return [self._understood(read_rollback, body) for body in bodies]

    def put(self, key: MarkKey, mark: Mark) -> None:
        """Write a mark and the seal over what has been written in this transaction."""
        identity, body = key_id(key), mark_body(key, mark)
        self._checksums[identity] = checksum(body)
        row = (identity, self._checksums[identity], body.decode("ascii"))
        self._connection.execute("INSERT OR REPLACE INTO mark (id, checksum, body) VALUES (?, ?, ?)", row)
        digest = seal(self._events, self._chain, sorted(self._checksums.items()))
        self._connection.execute(
            "UPDATE seal SET events = ?, chain = ?, digest = ?", (self._events, self._chain, digest)
        )

    def record(self, rollback: Rollback) -> None:
        """Write an event; :meth:`put` then seals it."""
        body = rollback_body(rollback)
        self._events += 1
        self._chain = chained(self._chain, body)
        row = (self._events, self._chain, body.decode("ascii"))
        self._connection.execute("INSERT INTO event (number, chain, body) VALUES (?, ?, ?)", row)

    def _understood(self, read: Callable[[bytes], _Row], body: bytes) -> _Row:
        try:
            return read(body)
        except ValueError as error:
            raise corrupt(self._path, "holds a row that this gitverify can't read") from error
