from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from marks import KEY, OTHER_KEY, in_child, mark, move, raw, scratch, stored

from gitverify import markdata, statefile
from gitverify.mark import Mark, MarkKey, MarkMoved, MarkStore, Rollback, StateError
from gitverify.statefile import NAME

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


# -- values


@pytest.mark.parametrize(
    "change",
    [
        {"commits": ()},
        {"commits": (b"\x02" * 20, b"\x01" * 20)},
        {"commits": (b"\x01" * 20, b"\x01" * 20)},
        {"fences": ((b"\x02" * 20, b"\x01" * 20, "loose"), (b"\x01" * 20, b"\x02" * 20, "loose"))},
        {"fences": ((b"\x01" * 20, b"\x02" * 20, "unknown"),)},
        {"aside": (b"\x07" * 20,)},
        {"skew": -1},
        {"accepted": -1},
    ],
)
def test_a_mark_has_one_form(change):
    with pytest.raises(ValueError, match=r"mark|commits|edge|negative"):
        dataclasses.replace(mark(1), **change)


def test_sorted_commits_and_edges_are_taken():
    commits = (b"\x01" * 20, b"\x02" * 20)
    assert dataclasses.replace(mark(1), commits=commits, aside=commits[1:]).aside == commits[1:]
    edges = ((*commits, "dropped"), (*commits[::-1], "loose"))
    assert dataclasses.replace(mark(1), fences=edges).fences == edges


def test_equal_marks_hash_equal_though_their_dates_are_a_mapping():
    assert len({mark(1), mark(1), mark(2)}) == 2


def test_a_key_is_text_that_stands_for_bytes():
    assert MarkKey(b"", os.fsdecode(b"/srv/\xff"), "main").repository == "/srv/\udcff"
    with pytest.raises(UnicodeEncodeError):
        MarkKey(b"", "/srv/\ud800", "main")


names = st.binary(max_size=12).map(os.fsdecode) | st.text(max_size=12)
ids = st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32)
id_sets = st.sets(ids, min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))
keys = st.builds(MarkKey, ids, names, names)
marks = st.builds(
    Mark,
    commits=id_sets,
    context=st.binary(max_size=32),
    accepted=st.integers(0, 2**70),
    freshness=st.dictionaries(names, st.integers(), max_size=4),
    recorded_at=st.integers(),
    fences=st.sets(st.tuples(ids, ids, st.sampled_from(sorted(markdata.FENCES))), max_size=3).map(
        lambda found: tuple(sorted(found))
    ),
    skew=st.integers(0, 2**70),
)


@settings(deadline=None)
@given(keys, marks)
def test_a_mark_survives_being_written_down(key, value):
    assert markdata.read_mark(markdata.mark_body(key, value)) == (key, value)


@settings(deadline=None)
@given(st.builds(Rollback, keys, st.integers(), id_sets, id_sets))
def test_a_rollback_survives_being_written_down(rollback):
    assert markdata.read_rollback(markdata.rollback_body(rollback)) == rollback


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"commits":1}',
        markdata.mark_body(KEY, mark(1)).replace(b'"accepted":1', b'"accepted":"1"'),
        markdata.mark_body(KEY, mark(1)).replace(b'"accepted":1', b'"accepted": 1'),
        markdata.mark_body(KEY, mark(1)).replace(b'"accepted":1', b'"accepted":1,"more":1'),
        markdata.mark_body(KEY, mark(1))
        .replace(b'"freshness":{', b'"freshness":[{')
        .replace(b'},"intro', b'}],"intro'),
        markdata.mark_body(KEY, mark(1)).replace(b'"ref":"', b'"ref":"\\ud800'),
        markdata.mark_body(KEY, mark(1)).replace(b'"commits":["', b'"commits":["x'),
    ],
)
def test_what_is_no_mark_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which of its subclasses does not matter
        markdata.read_mark(body)


@pytest.mark.parametrize("body", [b"", b"3", b"{}", b'{"introduction":1}'])
def test_what_is_no_rollback_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011
        markdata.read_rollback(body)


# -- the store


def test_a_first_run_has_no_mark(directory):
    with MarkStore.open(directory) as store:
        assert store.get(KEY) is None
        assert store.all() == []
        assert store.events() == []


def test_a_mark_is_there_for_the_next_run_and_only_under_its_key(directory):
    move(directory, mark(1))
    with MarkStore.open(directory) as store:
        assert store.get(KEY) == mark(1)
        assert store.get(OTHER_KEY) is None
        assert store.get(dataclasses.replace(KEY, ref="refs/heads/other")) is None
        assert store.get(dataclasses.replace(KEY, repository="elsewhere")) is None


def test_advancing_replaces_the_mark_and_no_other(directory):
    move(directory, mark(1))
    move(directory, mark(5), OTHER_KEY)
    move(directory, mark(2))
    assert (stored(directory), stored(directory, OTHER_KEY)) == (mark(2), mark(5))


def test_who_judged_against_an_older_mark_does_not_move_it(directory):
    move(directory, mark(1))
    with MarkStore.open(directory) as slow, MarkStore.open(directory) as fast:
        seen = slow.get(KEY)
        fast.advance(KEY, fast.get(KEY), mark(3))
        with pytest.raises(MarkMoved, match="refs/heads/main") as moved:
            slow.advance(KEY, seen, mark(2))
        assert moved.value.current == mark(3)
        assert fast.get(KEY) == mark(3)
        slow.advance(KEY, moved.value.current, mark(4))
        assert fast.get(KEY) == mark(4)


def test_two_first_runs_can_not_both_set_the_mark(directory):
    with MarkStore.open(directory) as one, MarkStore.open(directory) as two:
        one.advance(KEY, None, mark(2))
        with pytest.raises(MarkMoved) as moved:
            two.advance(KEY, None, mark(1))
        assert moved.value.current == mark(2)


def test_a_mark_that_is_gone_is_not_what_was_expected(directory):
    with MarkStore.open(directory) as store:
        with pytest.raises(MarkMoved) as moved:
            store.advance(KEY, mark(1), mark(2))
        assert moved.value.current is None
        assert store.get(KEY) is None


def test_marks_are_listed_by_introduction_and_by_repository(directory):
    branch = dataclasses.replace(KEY, ref="refs/heads/devel")
    for number, key in enumerate([OTHER_KEY, KEY, branch]):
        move(directory, mark(number), key)
    with MarkStore.open(directory) as store:
        assert [key for key, _ in store.all()] == [branch, KEY, OTHER_KEY]
        assert store.all(KEY.introduction) == [(branch, mark(2)), (KEY, mark(1))]
        assert store.all(b"\x44" * 20) == []
        assert store.for_repository(KEY.repository, KEY.ref) == [(KEY, mark(1)), (OTHER_KEY, mark(0))]
        assert store.for_repository("elsewhere", KEY.ref) == []


def test_an_allowed_rollback_is_recorded_with_when_from_and_to(directory):
    move(directory, mark(5))
    move(directory, mark(3), rollback=True)
    move(directory, mark(4))
    move(directory, mark(2), rollback=True)
    with MarkStore.open(directory) as store:
        assert store.get(KEY) == mark(2)
        assert store.events() == [
            Rollback(KEY, mark(3).recorded_at, mark(5).commits, mark(3).commits),
            Rollback(KEY, mark(2).recorded_at, mark(4).commits, mark(2).commits),
        ]


def test_a_rollback_that_lost_is_not_recorded(directory):
    move(directory, mark(5))
    with MarkStore.open(directory) as store:
        with pytest.raises(MarkMoved):
            store.advance(KEY, mark(4), mark(3), rollback=True)
        assert store.events() == []


def test_a_rollback_from_nothing_is_a_mistake_of_the_caller(directory):
    with MarkStore.open(directory) as store, pytest.raises(ValueError, match="rollback"):
        store.advance(KEY, None, mark(1), rollback=True)


def test_reading_only_creates_nothing(directory):
    with MarkStore.open(directory, read_only=True) as store:
        assert store.get(KEY) is None
        assert store.all() == []
        assert store.events() == []
        with pytest.raises(ValueError, match="reading"):
            store.advance(KEY, None, mark(1))
    assert not directory.exists()
    directory.mkdir(mode=0o700)
    assert stored(directory) is None
    assert list(directory.iterdir()) == []


def test_a_store_opened_for_reading_refuses_to_write(directory):
    move(directory, mark(1))
    with MarkStore.open(directory, read_only=True) as store, pytest.raises(StateError, match="not writable"):
        store.advance(KEY, mark(1), mark(2))
    assert stored(directory) == mark(1)


def test_reading_changes_not_a_byte(directory):
    move(directory, mark(1))
    before = (directory / NAME).read_bytes(), (directory / NAME).stat().st_mtime_ns
    with MarkStore.open(directory) as store:
        assert store.get(KEY) == mark(1)
        store.all()
        store.events()
        assert [entry.name for entry in directory.iterdir()] == [NAME]
    assert ((directory / NAME).read_bytes(), (directory / NAME).stat().st_mtime_ns) == before


def test_commits_wait_for_the_disk_and_for_the_directory(directory):
    with MarkStore.open(directory) as store:
        connection = store._file._connection
        extra, delete = 3, b"delete"
        assert connection.execute("PRAGMA synchronous").fetchone() == (extra,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == (delete,)


def test_a_person_can_read_the_file_with_any_sqlite_tool(directory):
    move(directory, mark(7))
    with raw(directory) as connection:
        ((ref, accepted),) = connection.execute(
            "SELECT json_extract(body,'$.ref'), json_extract(body,'$.accepted') FROM mark"
        )
    assert (ref, accepted) == (KEY.ref, 7)


def test_a_closed_store_is_a_mistake_of_the_caller_not_a_damaged_state(directory):
    with MarkStore.open(directory) as store:
        pass
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.get(KEY)


def test_an_interrupt_in_the_transaction_leaves_the_old_mark_and_no_lock(directory, monkeypatch):
    move(directory, mark(1))

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with MarkStore.open(directory) as store:
        monkeypatch.setattr("gitverify.mark.mark_body", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.advance(KEY, mark(1), mark(2), rollback=True)
        monkeypatch.undo()
        assert store.get(KEY) == mark(1)
        assert store.events() == []
        move(directory, mark(3))
        assert store.get(KEY) == mark(3)


def test_handling_marks_alone_does_not_load_sqlite():
    program = "import sys, gitverify.mark; print('sqlite3' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.check_output([sys.executable, "-S", "-c", program], env=environment) == b"False\n"


# -- more than one process


def test_a_writer_waits_for_another_and_gives_up_with_a_sentence(directory, monkeypatch):
    move(directory, mark(1))
    monkeypatch.setattr(statefile, "BUSY_SECONDS", 0.01)
    with MarkStore.open(directory) as store, raw(directory) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.get(KEY) == mark(1)
        with pytest.raises(StateError, match="locked by another process") as refused:
            store.advance(KEY, mark(1), mark(2))
        assert refused.value.code == "state-unsafe"
        other.execute("ROLLBACK")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="locked by another process"):
            store.get(KEY)
        other.execute("ROLLBACK")
        store.advance(KEY, mark(1), mark(2))
        assert store.get(KEY) == mark(2)


@pytest.mark.parametrize("processes", [2, 8])
def test_processes_that_advance_at_once_lose_no_step(directory, processes):
    steps = 8
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from marks import KEY, mark
        from gitverify.mark import MarkMoved, MarkStore
        sys.stdin.readline()
        for step in range({steps}):
            with MarkStore.open(Path({str(directory)!r})) as store:
                current = store.get(KEY)
                while True:
                    try:
                        store.advance(KEY, current, mark(current.accepted + 1 if current else 1))
                        break
                    except MarkMoved as moved:
                        assert moved.current is not None
                        assert moved.current.accepted > (current.accepted if current else 0)
                        current = moved.current
        """
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, env=environment)
        for _ in range(processes)
    ]
    for process in running:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * processes
    assert stored(directory) == mark(steps * processes)
    assert [entry.name for entry in directory.iterdir()] == [NAME]


def test_a_store_that_another_process_is_just_creating_is_shared(directory, monkeypatch):
    create = statefile._create

    def slower(*arguments):
        monkeypatch.setattr(statefile, "_create", create)
        assert in_child(lambda: str(move(directory, mark(1)))) == "None"
        create(*arguments)

    monkeypatch.setattr(statefile, "_create", slower)
    with MarkStore.open(directory) as store:
        assert store.get(KEY) == mark(1)
    assert [entry.name for entry in directory.iterdir()] == [NAME]


# -- against a dictionary


class Model(RuleBasedStateMachine):
    """Two open stores over one directory, against a dictionary and a list."""

    used = Bundle("used")

    @initialize()
    def start(self):
        self.scratch = scratch()
        self.directory = self.scratch.__enter__() / "state"
        self.stores = [MarkStore.open(self.directory), MarkStore.open(self.directory)]
        self.marks = {}
        self.events = []

    @rule(target=used, key=keys)
    def name(self, key):
        return key

    @rule(key=used, new=marks, which=st.integers(0, 1), rollback=st.booleans())
    def advance(self, key, new, which, rollback):
        old = self.marks.get(key)
        rollback = rollback and old is not None
        self.stores[which].advance(key, old, new, rollback=rollback)
        if rollback:
            self.events.append(Rollback(key, new.recorded_at, old.commits, new.commits))
        self.marks[key] = new

    @rule(key=used, new=marks, wrong=marks, which=st.integers(0, 1))
    def lose(self, key, new, wrong, which):
        if wrong == self.marks.get(key):
            return
        with pytest.raises(MarkMoved) as moved:
            self.stores[which].advance(key, wrong, new)
        assert moved.value.current == self.marks.get(key)

    @rule(which=st.integers(0, 1), read_only=st.booleans())
    def reopen(self, which, read_only):
        self.stores[which].close()
        with MarkStore.open(self.directory, read_only=read_only) as store:
            assert store.all() == sorted(self.marks.items(), key=lambda item: item[0])
        self.stores[which] = MarkStore.open(self.directory)

    @rule(key=used, which=st.integers(0, 1))
    def look(self, key, which):
        store = self.stores[which]
        assert store.get(key) == self.marks.get(key)
        same = [
            item
            for item in sorted(self.marks.items(), key=lambda item: item[0])
            if item[0].introduction == key.introduction
        ]
        assert store.all(key.introduction) == same
        assert {found for found, _ in store.for_repository(key.repository, key.ref)} == {
            other for other in self.marks if (other.repository, other.ref) == (key.repository, key.ref)
        }

    @invariant()
    def same_events(self):
        assert self.stores[0].events() == self.events

    def teardown(self):
        for store in self.stores:
            store.close()
        self.scratch.__exit__(None, None, None)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
