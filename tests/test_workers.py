"""Examining in several processes changes nothing but the time."""

import os
import signal

import pytest

from gitverify import pool, workers
from gitverify.errors import MissingObject
from gitverify.pool import Inline
from gitverify.rules.facts import Examined, Unproven


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(workers, "WORTH_WORKERS", 8)
    monkeypatch.setattr(pool, "BATCH", 4)


def examine(raws):
    return [examine_one(raw) for raw in raws]


def examine_one(raw):
    if raw == b"missing":
        raise MissingObject(b"\1" * 20, "is gone")
    if raw == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    return Examined(unproven=Unproven("unsigned", raw.decode()), made_at=os.getpid())


def run(raws, jobs=2):
    found = {}
    processes = workers.Processes(jobs, lambda: examine, found.__setitem__)
    try:
        for number, raw in enumerate(raws):
            processes.put(b"%d" % number, raw)
        processes.finish()
    finally:
        processes.close()
    return found


def messages(found):
    return {commit: examined.unproven.message for commit, examined in found.items()}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 8, 9, 100])
def test_every_commit_is_examined_once(count):
    raws = [b"raw %d" % number for number in range(count)]
    found = run(raws)
    assert messages(found) == {b"%d" % n: raw.decode() for n, raw in enumerate(raws)}
    here = {}
    inline = Inline(examine, here.__setitem__)
    for number, raw in enumerate(raws):
        inline.put(b"%d" % number, raw)
    inline.finish()
    inline.close()
    assert messages(here) == messages(found)


def test_many_are_examined_elsewhere_and_few_here():
    assert {e.made_at for e in run([b"x"] * 7).values()} == {os.getpid()}
    assert os.getpid() not in {e.made_at for e in run([b"x"] * 200).values()}


def test_large_commits_make_small_batches(monkeypatch):
    monkeypatch.setattr(pool, "BATCH_BYTES", 100)
    raws = [b"x" * 60] * 40
    assert len(run(raws)) == 40


def test_results_and_batches_larger_than_a_pipe_do_not_lock_up(monkeypatch):
    monkeypatch.setattr(pool, "BATCH", 64)
    raws = [b"%d" % n + b"x" * 20_000 for n in range(600)]
    assert messages(run(raws)) == {b"%d" % n: raw.decode() for n, raw in enumerate(raws)}


def test_a_missing_object_is_reported():
    for raws in ([b"x"] * 30 + [b"missing"] + [b"x"] * 30, [b"missing"]):
        with pytest.raises(MissingObject, match="is gone") as caught:
            run(raws)
        assert caught.value.object_id == b"\1" * 20


def test_a_worker_that_dies_is_no_verdict():
    with pytest.raises(workers.WorkerFailed):
        run([b"x"] * 30 + [b"die"] + [b"x"] * 300)


def test_no_process_is_left_behind():
    processes = workers.Processes(2, lambda: examine, lambda *_: None)
    for number in range(50):
        processes.put(b"%d" % number, b"x")
    running = [worker._process for worker in processes._workers]
    assert running
    processes.close()
    assert not any(process.is_alive() for process in running)
