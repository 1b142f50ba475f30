"""The SQLite file that holds the marks: created whole, opened with care, read and written in transactions (R24).

**Journal.** A rollback journal that is deleted, with ``synchronous=EXTRA``. A write-ahead log was weighed and refused:
there a committed mark lies in a side file until a checkpoint, so that deleting ``-wal``, or copying the main file
alone, would bring back an older mark without a trace, and even a reader must create files. With a rollback journal the
main file is complete whenever nobody writes, and a reader needs no write permission. EXTRA, not FULL: a commit *is*
the deletion of the journal, and until the directory is synced a power loss may bring the journal, and with it the old
mark, back.

**Birth.** SQLite takes an empty file for a new database, which would turn a truncated one into a silent fresh start.
So the file gets its name only when it is complete and synced (a hard link, which never replaces), and an empty,
missing-but-for-its-journal, or foreign file under that name is ``state-corrupt``.

**Errors.** No exception of sqlite3 leaves this module, except those that mean a bug of ours.
"""

# See statedir: a Path costs more than the system call.
# ruff: noqa: PTH108, PTH118

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gitverify.statedir import (
    StateError,
    corrupt,
    require_access,
    require_private,
    sync_directory,
    unsafe,
)
from gitverify.text import shown

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

NAME = "marks.sqlite3"
APPLICATION_ID = 0x67_76_6D_31  # "gvm1"
LAYOUT = 1  # in user_version
BUSY_SECONDS = 10.0  # transactions take milliseconds: nobody waits for a verification

SCHEMA = (
    "CREATE TABLE event (number INTEGER PRIMARY KEY, chain BLOB NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE mark (id BLOB PRIMARY KEY, checksum BLOB NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE seal (one INTEGER PRIMARY KEY, events INTEGER NOT NULL, chain BLOB NOT NULL, digest BLOB NOT NULL)",
)
"""The tables, ordered by name, exactly as SQLite gives them back; :mod:`gitverify.mark` says what is in them."""


class StateFile:
    """One open file. Text comes back as bytes, so that damaged text is a value to judge, not an exception."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        """Wrap a connection; use :meth:`open`."""
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, directory: str, *, writable: bool, seal: tuple[int, bytes, bytes]) -> Self | None:
        """Open the file in a directory that :func:`~gitverify.statedir.require_directory` has checked.

        With ``writable``, a missing file is created, holding ``seal`` as its only row, and lacking permission to
        write is an error now rather than after the verification. Without, nothing is created, ``None`` says that
        there is no file, and the one thing that may be written is the undoing of what a crashed writer left.

        On return the file is a regular one of the effective user that nobody else can read or write, a database with
        our application id, layout number and tables. Raises :class:`~gitverify.statedir.StateError`.
        """
        path = os.path.join(directory, NAME)
        if not _require_regular(path):
            if not writable:
                return None
            _create(directory, path, seal)
            _require_regular(path)
        if writable:
            require_access(path, os.R_OK | os.W_OK)
        with _translated(path):
            connection = _connect(path)
        file = cls(path, connection)
        try:
            file._prepare(writable=writable)
        except BaseException:
            connection.close()
            raise
        return file

    def _prepare(self, *, writable: bool) -> None:
        with _translated(self.path):
            # As SQLite advises for files that may be damaged ("Defense Against The Dark Arts").
            self._connection.execute("PRAGMA cell_size_check=ON")
            self._connection.execute("PRAGMA trusted_schema=OFF")
            if not writable:
                self._connection.execute("PRAGMA query_only=ON")
        with self.reading() as connection:
            if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
                raise corrupt(self.path, "is not a store of marks")
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout != LAYOUT:
                raise corrupt(
                    self.path,
                    f"has layout {layout}, and this gitverify reads layout {LAYOUT} only: a newer one wrote it, or it "
                    "is damaged",
                )
            if connection.execute("PRAGMA journal_mode").fetchone() != (b"delete",):
                raise corrupt(self.path, "has been switched to a write-ahead log")
            tables = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
            if tables != [(text.encode(),) for text in SCHEMA]:
                raise corrupt(self.path, "does not have the tables of a store of marks")
        with _translated(self.path):
            self._connection.execute("PRAGMA synchronous=EXTRA")
            self._connection.execute("PRAGMA fullfsync=ON")

    def close(self) -> None:
        """Close the file; twice does no harm."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file throughout."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that alone may write, over a file whose structure has been checked as a whole.

        When the block ends without an exception, what it wrote is durable; with one, even an interrupt, nothing is
        written.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            if connection.execute("PRAGMA integrity_check(1)").fetchone() != (b"ok",):
                raise corrupt(self.path, "is damaged")
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            try:
                self._connection.execute(begin)
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._abandon()

    def _abandon(self) -> None:
        """Undo; where even that fails the journal stays, and the next one to open the file undoes it."""
        import sqlite3  # noqa: PLC0415

        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")


def _connect(path: str) -> sqlite3.Connection:
    """Open an existing file, never creating one; read-only where writing is not permitted."""
    import sqlite3  # noqa: PLC0415 - loading it costs milliseconds that commands without a store need not pay

    connection = sqlite3.connect(Path(path).as_uri() + "?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.text_factory = bytes
    return connection


def _require_regular(path: str) -> bool:
    """Say whether the file is there; if so it is private, regular, not a symbolic link and not empty."""
    # The journal is looked at first: a database exists before its journal does, so a journal without one has lost it.
    orphan = os.path.lexists(path + "-journal")
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        if orphan:
            raise corrupt(path, "is missing, though a journal of it is there") from None
        return False
    except OSError as error:
        raise unsafe(path, f"cannot be looked at: {error.strerror}") from error
    if stat.S_ISLNK(status.st_mode):
        raise unsafe(path, "is a symbolic link; the store must be a file of its own")
    if not stat.S_ISREG(status.st_mode):
        raise corrupt(path, "is not a regular file")
    require_private(path, status, 0o600)
    if status.st_size == 0:
        raise corrupt(path, "is empty")
    return True


def _create(directory: str, path: str, seal: tuple[int, bytes, bytes]) -> None:
    """Create the file, complete and durable before it has its name. Losing against another process is fine.

    A crash in here may leave a draft, which is never read and may be removed.
    """
    draft = os.path.join(directory, f"{NAME}.{os.urandom(8).hex()}.new")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.fchmod(descriptor, 0o600)  # the umask may have taken our own bits
            os.close(
                descriptor
            )  # before the file has its name: closing it later would end locks that SQLite took on it
            _fill(draft, path, seal)
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            os.unlink(draft)
        sync_directory(directory)
    except OSError as error:
        raise unsafe(path, f"could not be created: {error.strerror}") from error


def _fill(draft: str, path: str, seal: tuple[int, bytes, bytes]) -> None:
    """Write the tables and sync them. No journal file: a draft that a crash cuts short is never read."""
    with _translated(path):
        connection = _connect(draft)
        try:
            connection.execute("PRAGMA journal_mode=MEMORY")
            connection.execute("BEGIN")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={LAYOUT}")
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO seal VALUES (1, ?, ?, ?)", seal)
            connection.execute("COMMIT")
        finally:
            connection.close()


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Let no exception of sqlite3 through, except those that report a bug of ours (a closed store, a wrong thread)."""
    import sqlite3  # noqa: PLC0415

    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except UnicodeDecodeError as error:  # Python could not even read SQLite's message, which quotes the damaged part
        raise corrupt(path, "cannot be read (its table definitions are garbled)") from error
    except sqlite3.Error as error:
        raise _state_error(path, error) from error


def _state_error(path: str, error: sqlite3.Error) -> StateError:
    """Return the error that says in our words what SQLite's result code means (SQLite, "Result and Error Codes")."""
    import sqlite3  # noqa: PLC0415

    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    said = shown(str(error))  # may quote the damaged part
    sentences = {
        sqlite3.SQLITE_FULL: "could not be written: the disk is full",
        sqlite3.SQLITE_BUSY: f"was locked by another process for more than {BUSY_SECONDS:.0f} seconds; try again",
        sqlite3.SQLITE_READONLY: "is not writable",
        sqlite3.SQLITE_READONLY_DBMOVED: "was moved, removed or replaced while it was in use",
        sqlite3.SQLITE_READONLY_ROLLBACK: "holds what a crashed process left half written, and is not writable; run "
        "gitverify once where it may be written",
        sqlite3.SQLITE_CANTOPEN: "could not be opened, or its journal could not be created",
        sqlite3.SQLITE_IOERR: f"could not be read or written ({said})",
        sqlite3.SQLITE_PERM: "may not be opened",
    }
    sentence = sentences.get(code) or sentences.get(code & 0xFF)
    if sentence is None or code == sqlite3.SQLITE_IOERR_READ:
        return corrupt(path, f"cannot be read ({said})")
    return unsafe(path, sentence)
