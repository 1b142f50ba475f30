"""What may happen to a store in the world: killed writers, full disks, damaged files. Nothing may be lost or faked."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from marks import KEY, OTHER_KEY, attempt, fork, in_child, mark, move, needs_root, raw, scratch, signalled, stored

from gitverify import markdata, statefile
from gitverify.mark import MarkStore, Rollback, StateError
from gitverify.statefile import NAME

JOURNAL = NAME + "-journal"
SECTOR = 4096
EACH_CALL = 2  # what is on disk when a call has been left is what is there when the next one is entered
ABSENT = markdata.MarkKey(b"\x77" * 20, "nowhere", "refs/heads/none")


@pytest.fixture
def directory():
    with scratch() as parent:
        yield parent / "state"


# -- killed


def test_killed_at_any_system_call_of_an_advance_the_store_holds_the_old_mark_or_the_new(directory):
    def advance():
        with MarkStore.open(directory) as store:
            current = store.get(KEY)
            yield
            store.advance(KEY, current, mark(1, signers=90), rollback=True)
            yield

    move(directory, mark(5))
    pristine = directory.with_name("pristine")
    shutil.copytree(directory, pristine)
    total = signalled(advance, None)
    assert stored(directory) == mark(1, signers=90)
    seen, journals = [], 0
    for stop in range(0, total, EACH_CALL):
        shutil.rmtree(directory)
        shutil.copytree(pristine, directory)
        signalled(advance, stop)
        journals += (directory / JOURNAL).exists()
        with MarkStore.open(directory) as store:
            found, events = store.get(KEY), store.events()
            assert found in (mark(5), mark(1, signers=90))
            assert len(events) == (found != mark(5))
            store.advance(KEY, found, mark(6))
        assert stored(directory) == mark(6)
        assert [entry.name for entry in directory.iterdir()] == [NAME]
        seen.append(found.accepted)
    assert seen == sorted(seen, reverse=True), "once committed, it stays"
    assert set(seen) == {5, 1}
    assert journals > 10, "many kills left work to undo"


def test_killed_at_any_system_call_of_the_first_run_the_next_one_starts_afresh(directory):
    def first():
        yield
        with MarkStore.open(directory):
            pass

    total = signalled(first, None)
    assert (directory / NAME).exists()
    for stop in range(0, total, EACH_CALL):
        shutil.rmtree(directory, ignore_errors=True)
        signalled(first, stop)
        move(directory, mark(1))
        assert stored(directory) == mark(1)


def test_interrupted_at_any_system_call_nothing_is_left_behind(directory):
    def advance():
        with MarkStore.open(directory) as store:
            current = store.get(KEY)
            yield
            store.advance(KEY, current, mark(current.accepted + 1))
            yield

    move(directory, mark(0))
    total = signalled(advance, None)
    stops = range(0, total, 3)
    expected = 1
    for stop in stops:
        signalled(advance, stop, signal.SIGINT)
        assert [entry.name for entry in directory.iterdir()] == [NAME]
        found = stored(directory)
        assert found in (mark(expected), mark(expected + 1))
        expected = found.accepted
    assert 1 < expected < 1 + len(stops), "some came in time to stop it, and some too late"


def test_killed_in_a_loop_of_advances_it_holds_the_last_one_reported_or_the_one_after(directory):
    move(directory, mark(0))
    last = 0
    for round_ in range(20):
        reading, writing = os.pipe()

        def loop(writing=writing):
            with MarkStore.open(directory) as store:
                current = store.get(KEY)
                while True:
                    new = mark(current.accepted + 1)
                    store.advance(KEY, current, new)
                    current = new
                    os.write(writing, b"%d\n" % new.accepted)

        pid = fork(loop)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            for _ in range(1 + round_ % 5):
                last = int(pipe.readline())
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            reported = [int(line) for line in pipe]
        last = reported[-1] if reported else last
        found = stored(directory)
        assert found in (mark(last), mark(last + 1))
        last = found.accepted
    assert last >= 20


@contextmanager
def hot_journal(directory):
    """Give a store whose writer was killed after it had changed the file and before it had committed."""

    def advance():
        with MarkStore.open(directory) as store:
            current = store.get(KEY)
            yield
            store.advance(KEY, current, mark(6))
            yield

    move(directory, mark(5))
    clean = (directory / NAME).read_bytes()
    for stop in range(signalled(advance, None)):
        (directory / NAME).write_bytes(clean)
        signalled(advance, stop)
        if (directory / JOURNAL).exists() and (directory / NAME).read_bytes() != clean:
            break
        (directory / JOURNAL).unlink(missing_ok=True)
    yield


def test_what_a_crash_left_is_undone_by_whoever_opens_first_even_to_read(directory):
    with hot_journal(directory):
        assert (directory / JOURNAL).exists()
        assert stored(directory) == mark(5)
        assert not (directory / JOURNAL).exists()


def test_a_removed_or_damaged_journal_fakes_nothing(directory):
    with hot_journal(directory):
        pass
    main, journal = (directory / NAME).read_bytes(), (directory / JOURNAL).read_bytes()
    outcomes = set()
    rng = random.Random(7)
    places = [*range(32), *range(508, 532), *rng.sample(range(len(journal)), 150)]
    damaged = [None, b"", *(journal[:end] for end in range(0, len(journal), 509))]
    damaged += [journal[:at] + bytes([journal[at] ^ 0xFF]) + journal[at + 1 :] for at in places]
    for content in damaged:
        (directory / NAME).write_bytes(main)
        (directory / JOURNAL).unlink(missing_ok=True)
        if content is not None:
            (directory / JOURNAL).write_bytes(content)
        found = attempt(stored, directory)
        outcomes.add(found.code if isinstance(found, StateError) else found)
    assert {mark(5), "state-corrupt"} <= outcomes <= {mark(5), mark(6), "state-corrupt"}


# -- full


@contextmanager
def small_disk(where, size):
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", where], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this system does not let root mount a file system")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def fill(ballast, *, leave):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * SECTOR):
                pass
        except OSError:
            pass
        file.truncate(file.tell() - leave * SECTOR)


@needs_root
def test_a_full_disk_keeps_the_old_mark_and_says_so(tmp_path):
    with small_disk(tmp_path / "disk", "256k") as disk:
        directory = disk / "state"
        move(directory, mark(0))
        current, outcomes = mark(0), []
        for leave in range(24):
            fill(disk / "ballast", leave=leave)
            new = mark(leave + 1, signers=40 * (leave + 1))
            with MarkStore.open(directory) as store:
                failure = attempt(store.advance, KEY, current, new)
                if failure is None:
                    current = new
                else:
                    assert (failure.code, "disk is full" in str(failure)) == ("state-unsafe", True)
                outcomes.append(failure is None)
                assert store.get(KEY) == current
            assert stored(directory) == current
            assert not (directory / JOURNAL).exists()
        assert set(outcomes) == {False, True}
        (disk / "ballast").unlink()
        move(directory, mark(99))
        assert stored(directory) == mark(99)


@needs_root
def test_a_full_disk_stops_a_first_run_before_any_work_and_leaves_nothing(tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        directory = disk / "state"
        directory.mkdir(mode=0o700)
        for leave in range(4):
            fill(disk / "ballast", leave=leave)
            with pytest.raises(StateError, match=r"disk is full|No space left") as refused:
                MarkStore.open(directory)
            assert refused.value.code == "state-unsafe"
            assert list(directory.iterdir()) == []
        (disk / "ballast").unlink()
        move(directory, mark(1))
        assert stored(directory) == mark(1)


def test_a_limit_on_file_sizes_keeps_the_old_mark_and_says_so(directory):
    move(directory, mark(1))

    def limited(size):
        def work():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            with MarkStore.open(directory) as store:
                failure = attempt(store.advance, KEY, mark(1), mark(2, signers=400))
                if failure is None:
                    return "advanced"
                assert store.get(KEY) == mark(1)
                return f"{failure.code} {'could not be' in str(failure)}"

        return work

    outcomes = []
    for size in [0, 1, 511, 512, 516, 4096, 4620, 8192, 12_288, 16_384, 20_000, 1 << 20]:
        outcomes.append(in_child(limited(size)))
        assert stored(directory) == (mark(1) if outcomes[-1] != "advanced" else mark(2, signers=400))
    assert outcomes[-1] == "advanced"
    assert outcomes[0] == "state-unsafe True"
    assert set(outcomes) == {"state-unsafe True", "advanced"}


def test_a_limit_on_file_sizes_stops_a_first_run(directory):
    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SECTOR, SECTOR))
        with pytest.raises(StateError) as refused:
            MarkStore.open(directory)
        return refused.value.code

    assert in_child(work) == "state-unsafe"
    assert list(directory.iterdir()) == []


# -- damaged


class Damaged:
    """A store with marks of one and of several pages and a recorded rollback, and ways to break it."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory / NAME
        move(directory, mark(9))
        move(directory, mark(5), rollback=True)
        move(directory, mark(8, signers=90), OTHER_KEY)
        self.marks = {KEY: mark(5), OTHER_KEY: mark(8, signers=90)}
        self.event_list = [Rollback(KEY, mark(5).recorded_at, mark(9).commits, mark(5).commits)]
        self.content = self.file.read_bytes()

    def verdict(self, content):
        """Return ``"right"`` or ``"corrupt"`` for a file with this content; anything else fails the test."""
        self.file.write_bytes(content)
        return self.read(self.marks)

    def read(self, marks):
        store = attempt(lambda: MarkStore.open(self.directory, read_only=True))
        if isinstance(store, StateError):
            assert store.code == "state-corrupt"
            return "corrupt"
        with store:
            asked = [(store.get, (key,), marks.get(key)) for key in (*marks, ABSENT)]
            asked += [(store.all, (), sorted(marks.items())), (store.events, (), self.event_list)]
            answers = [(attempt(ask, *arguments), right) for ask, arguments, right in asked]
        failures = [answer for answer, _ in answers if isinstance(answer, StateError)]
        assert all(failure.code == "state-corrupt" for failure in failures)
        assert all(answer == right for answer, right in answers if not isinstance(answer, StateError))
        return "corrupt" if failures else "right"

    def flipped(self, at, mask):
        return self.content[:at] + bytes([self.content[at] ^ mask]) + self.content[at + 1 :]


@pytest.fixture
def damaged(directory):
    return Damaged(directory)


def test_an_undamaged_store_reads_right(damaged):
    assert damaged.verdict(damaged.content) == "right"
    assert len(damaged.content) >= 6 * SECTOR


def test_a_truncated_file_is_corrupt_never_a_fresh_start(damaged):
    size = len(damaged.content)
    lengths = {*range(0, size, SECTOR), *range(0, size, 641), 1, 15, 16, 17, 99, 100, 101, size - 1}
    lengths |= {edge + off for edge in range(SECTOR, size, SECTOR) for off in (-1, 1)}
    for length in sorted(lengths):
        only_zeros_lost = not any(damaged.content[length:])  # which SQLite reads as what they were
        assert damaged.verdict(damaged.content[:length]) == ("right" if only_zeros_lost else "corrupt"), length


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * SECTOR, b"SQLite format 3\0", b"not a database " * 2000])
def test_garbage_is_corrupt(damaged, content):
    assert damaged.verdict(content) == "corrupt"


def test_appended_garbage_changes_nothing(damaged):
    assert damaged.verdict(damaged.content + b"x" * SECTOR) in ("right", "corrupt")


def test_a_page_of_zeros_or_of_another_page_is_noticed(damaged):
    pages = [damaged.content[at : at + SECTOR] for at in range(0, len(damaged.content), SECTOR)]
    for index, page in enumerate(pages):
        for replacement in {bytes(SECTOR), *pages} - {page}:
            assert damaged.verdict(b"".join([*pages[:index], replacement, *pages[index + 1 :]])) == "corrupt", index


def test_a_flipped_byte_anywhere_is_noticed_or_makes_no_difference(damaged):
    size = len(damaged.content)
    first_bytes = [page + at for page in range(0, size, SECTOR) for at in range(24)]
    used = [at for at in range(size) if damaged.content[at]]
    rng = random.Random(11)
    places = {*range(100), *first_bytes, *rng.sample(used, 900), *rng.sample(range(size), 300)}
    outcomes = [
        damaged.verdict(damaged.flipped(at, rng.choice((1, 2, 4, 8, 16, 32, 64, 128, 255)))) for at in sorted(places)
    ]
    assert outcomes.count("corrupt") > 800
    assert outcomes.count("right") > 50


def test_many_flipped_bytes_are_noticed(damaged):
    rng = random.Random(13)
    for _ in range(150):
        content = bytearray(damaged.content)
        for at in rng.sample(range(len(content)), rng.randint(2, 2000)):
            content[at] = rng.randrange(256)
        damaged.verdict(bytes(content))


def test_every_byte_of_a_stored_mark_counts(damaged):
    body = markdata.mark_body(KEY, mark(5))
    start = damaged.content.index(body)
    for at in range(start, start + len(body), 5):
        assert damaged.verdict(damaged.flipped(at, 1)) == "corrupt"


def test_writing_to_a_damaged_file_is_refused_or_mends_nothing_else(damaged):
    rng = random.Random(17)
    used = [at for at in range(len(damaged.content)) if damaged.content[at]]
    outcomes = set()
    for at in [*range(16, 100, 2), *rng.sample(used, 200)]:
        before = damaged.verdict(damaged.flipped(at, 0x41))
        failure = attempt(move, damaged.directory, mark(10))
        if failure is None:
            assert stored(damaged.directory) == mark(10)
            assert damaged.read(damaged.marks | {KEY: mark(10)}) == before
        outcomes.add(failure.code if failure else f"advanced, the rest {before}")
    assert {"state-corrupt", "advanced, the rest right", "advanced, the rest corrupt"} <= outcomes


def test_damage_that_no_reader_meets_stops_a_writer(damaged):
    free_pages = 39
    broken = damaged.flipped(free_pages, 1)
    assert damaged.verdict(broken) == "right"
    assert attempt(move, damaged.directory, mark(10)).code == "state-corrupt"
    assert damaged.file.read_bytes() == broken
    assert damaged.verdict(damaged.content) == "right"
    assert attempt(move, damaged.directory, mark(10)) is None


def test_an_empty_file_says_what_it_is(damaged):
    damaged.file.write_bytes(b"")
    with pytest.raises(StateError, match="is empty; restore it from a backup, or move it away"):
        MarkStore.open(damaged.directory)


def test_opening_never_creates_a_database(damaged):
    missing = damaged.directory / "missing"
    with pytest.raises(sqlite3.OperationalError):
        statefile._connect(str(missing))
    assert not missing.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM mark",
        "DELETE FROM mark WHERE id = (SELECT min(id) FROM mark)",
        "INSERT INTO mark SELECT randomblob(32), checksum, body FROM mark LIMIT 1",
        "UPDATE mark SET body = replace(body, '\"accepted\":5', '\"accepted\":4')",
        "UPDATE mark SET body = NULL",
        "UPDATE mark SET id = randomblob(32) WHERE id = (SELECT min(id) FROM mark)",
        "UPDATE mark SET checksum = 7",
        "UPDATE seal SET digest = randomblob(32)",
        "UPDATE seal SET chain = 'x'",
        "UPDATE seal SET events = 0",
        "DELETE FROM seal",
        "INSERT INTO seal SELECT 2, events, chain, digest FROM seal",
        "DELETE FROM event",
        "UPDATE event SET body = NULL",
        "UPDATE event SET body = replace(body, '18', '19')",
        "INSERT INTO event SELECT number + 1, chain, body FROM event",
        "DROP TABLE event",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON mark BEGIN DELETE FROM mark; END",
        "PRAGMA application_id = 0",
        "PRAGMA user_version = 0",
    ],
)
def test_rows_that_someone_edited_are_noticed(damaged, statement):
    with raw(damaged.directory) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("PRAGMA writable_schema=ON")
        for table in ("mark", "event"):  # let NULL in
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'body TEXT NOT NULL', 'body TEXT') WHERE name = ?",
                (table,),
            )
    with raw(damaged.directory) as connection:
        connection.execute(statement)
        connection.execute("PRAGMA writable_schema=ON")
        for table in ("mark", "event"):
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'body TEXT', 'body TEXT NOT NULL') WHERE name = ?",
                (table,),
            )
    assert damaged.read(damaged.marks) == "corrupt"


def test_a_store_of_a_newer_gitverify_says_so(damaged):
    with raw(damaged.directory) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(StateError, match=r"layout 2, .* a newer one wrote it") as refused:
        MarkStore.open(damaged.directory)
    assert refused.value.code == "state-corrupt"


def test_a_store_switched_to_a_write_ahead_log_is_refused_until_it_is_switched_back(damaged):
    with raw(damaged.directory) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with pytest.raises(StateError, match="write-ahead log"):
        MarkStore.open(damaged.directory)
    with raw(damaged.directory) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    assert damaged.read(damaged.marks) == "right"


@pytest.mark.parametrize("table", ["mark", "event"])
def test_a_sealed_row_that_is_not_understood_is_an_error(damaged, table):
    with raw(damaged.directory) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM mark ORDER BY id")]
        sums = dict(connection.execute("SELECT id, checksum FROM mark"))
        count, chain = connection.execute("SELECT events, chain FROM seal").fetchone()
        body = b'{"from":"the future"}'
        if table == "mark":
            sums[ids[0]] = markdata.checksum(body)
            connection.execute("UPDATE mark SET body = ?, checksum = ? WHERE id = ?", (body, sums[ids[0]], ids[0]))
        else:
            chain = markdata.chained(b"", body)
            connection.execute("UPDATE event SET body = ?, chain = ?", (body, chain))
        connection.execute(
            "UPDATE seal SET chain = ?, digest = ?", (chain, markdata.seal(count, chain, sorted(sums.items())))
        )
    with MarkStore.open(damaged.directory) as store, pytest.raises(StateError, match="can't read") as refused:
        (store.all if table == "mark" else store.events)()
    assert refused.value.code == "state-corrupt"


def test_a_journal_without_its_file_means_that_the_file_was_lost(damaged):
    damaged.file.unlink()
    (damaged.directory / JOURNAL).write_bytes(b"x")
    for read_only in (True, False):
        with pytest.raises(StateError, match="missing, though a journal") as refused:
            MarkStore.open(damaged.directory, read_only=read_only)
        assert refused.value.code == "state-corrupt"


def test_a_file_that_was_removed_or_replaced_meanwhile_is_not_written_to(damaged):
    with MarkStore.open(damaged.directory) as store:
        damaged.file.unlink()
        with pytest.raises(StateError, match="moved, removed or replaced") as refused:
            store.advance(KEY, mark(5), mark(6))
        assert refused.value.code == "state-unsafe"
    damaged.file.write_bytes(damaged.content)
    damaged.file.chmod(0o600)
    with MarkStore.open(damaged.directory) as store:
        copy = damaged.file.with_name("copy")
        shutil.copy2(damaged.file, copy)
        copy.replace(damaged.file)
        with pytest.raises(StateError, match="moved, removed or replaced"):
            store.advance(KEY, mark(5), mark(6))
    assert damaged.read(damaged.marks) == "right"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("SQLITE_FULL", "state-unsafe", "disk is full"),
        ("SQLITE_BUSY", "state-unsafe", "locked by another"),
        ("SQLITE_BUSY_SNAPSHOT", "state-unsafe", "locked by another"),
        ("SQLITE_READONLY", "state-unsafe", "not writable"),
        ("SQLITE_READONLY_DIRECTORY", "state-unsafe", "not writable"),
        ("SQLITE_IOERR_FSYNC", "state-unsafe", "could not be read or written"),
        ("SQLITE_IOERR_READ", "state-corrupt", "cannot be read"),
        ("SQLITE_CANTOPEN", "state-unsafe", "could not be opened"),
        ("SQLITE_PERM", "state-unsafe", "may not be opened"),
        ("SQLITE_CORRUPT", "state-corrupt", "cannot be read"),
        ("SQLITE_NOTADB", "state-corrupt", "cannot be read"),
        ("SQLITE_ERROR", "state-corrupt", "cannot be read"),
    ],
)
def test_each_failure_of_sqlite_has_a_sentence(name, code, words):
    error = sqlite3.OperationalError("in its own words")
    error.sqlite_errorcode = getattr(sqlite3, name)
    found = statefile._state_error("/state/marks.sqlite3", error)
    assert found.code == code
    assert words in str(found)


def test_an_undo_that_fails_too_hides_nothing(damaged):
    with MarkStore.open(damaged.directory) as store:
        file = store._file

        class Broken:
            in_transaction = True

            def execute(self, statement):
                raise sqlite3.OperationalError(statement)

            def close(self):
                pass

        real, file._connection = file._connection, Broken()
        with pytest.raises(StateError, match="BEGIN"):
            store.get(KEY)
        real.close()


def test_damage_found_while_opening_closes_the_file(damaged):
    damaged.file.write_bytes(b"no database at all" * 500)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(StateError):
            MarkStore.open(damaged.directory)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
