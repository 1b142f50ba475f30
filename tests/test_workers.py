"""Examining in several processes changes nothing but the time."""

import os
import signal
import subprocess
import sys
from collections import deque

import pytest
from cli.scene import ALICE, Scene
from gitrepo import ENVIRONMENT

from gitverify import forked, pool, workers
from gitverify.errors import MissingObject
from gitverify.objects.commit import CommitHead
from gitverify.objects.tree import TreeEntry
from gitverify.pool import Inline
from gitverify.rules.facts import Examined, Unproven

HERE = os.getpid()
HEAD = CommitHead(b"t" * 20, (), b"", b"", 7)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(workers, "WORTH_WORKERS", 8)
    monkeypatch.setattr(workers, "AHEAD", 4)
    monkeypatch.setattr(workers, "HELD", 0)
    monkeypatch.setattr(pool, "BATCH", 4)


def examine(raws, heads):
    assert heads == [(HEAD.tree, HEAD.end)] * len(raws)
    return [examine_one(raw) for raw in raws]


def examine_one(raw):
    if raw == b"missing" or (raw == b"missing there" and os.getpid() != HERE):
        raise MissingObject(b"\1" * 20, "is gone")
    if raw == b"die" and os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    if raw == b"break" and os.getpid() != HERE:
        raise RuntimeError("of ours")
    return Examined(unproven=Unproven("unsigned", raw.decode()), made_at=os.getpid())


def run(raws, jobs=2, examine=examine):
    found = {}
    processes = workers.Processes(jobs, lambda: examine, found.__setitem__)
    try:
        for number, raw in enumerate(raws):
            processes.put(b"%d" % number, raw, HEAD)
        processes.finish()
    finally:
        processes.close()
    return found


def messages(found):
    return {commit: examined.unproven.message for commit, examined in found.items()}


@pytest.mark.parametrize("jobs", [2, 3, 4])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 8, 9, 100])
def test_every_commit_is_examined_once(count, jobs):
    raws = [b"raw %d" % number for number in range(count)]
    found = run(raws, jobs)
    assert messages(found) == {b"%d" % n: raw.decode() for n, raw in enumerate(raws)}
    here = {}
    inline = Inline(examine, here.__setitem__)
    for number, raw in enumerate(raws):
        inline.put(b"%d" % number, raw, HEAD)
    inline.finish()
    inline.close()
    assert messages(here) == messages(found)


def test_few_are_examined_here():
    assert {e.made_at for e in run([b"x"] * 7).values()} == {HERE}


@pytest.mark.parametrize("jobs", [2, 3])
def test_this_process_examines_what_the_others_have_no_time_for(jobs):
    """The others wait until something was examined here."""
    held, released = os.pipe()

    def waiting(raws, heads):
        if os.getpid() == HERE:
            os.write(released, b"x" * 200)  # for as many batches as there are
        else:
            os.read(held, 1)
        return examine(raws, heads)

    found = run([b"x"] * 200, jobs, waiting)
    processes = {examined.made_at for examined in found.values()}
    assert len(found) == 200
    assert HERE in processes
    assert len(processes) == jobs


def test_what_a_worker_has_not_begun_is_taken_back_at_the_end():
    held, released = os.pipe()
    here = []

    def waiting(raws, heads):
        if os.getpid() != HERE:
            os.read(held, 1)
        else:
            here.append(raws)
            if raws[0] == b"1":  # the second batch is the last that is taken back
                os.write(released, b"x" * 10)
        return examine(raws, heads)

    found = run([b"%d" % (n // 4) for n in range(16)], 2, waiting)
    assert messages(found) == {b"%d" % n: str(n // 4) for n in range(16)}
    assert [raws[0] for raws in here] == [b"3", b"2", b"1"]
    assert {b"0"} == {b"%d" % (int(n) // 4) for n, examined in found.items() if examined.made_at != HERE}


def test_the_newest_are_held_back_while_the_oldest_are_waited_for(monkeypatch):
    """This process walks on instead of examining; the worker is slower than any walk."""
    monkeypatch.setattr(workers, "HELD", 3)
    monkeypatch.setattr(workers, "AHEAD", 1)
    monkeypatch.setattr(workers, "AHEAD_OF_JUDGING", 2)
    held, released = os.pipe()
    here = []

    def waiting(raws, heads):
        if os.getpid() != HERE:
            os.read(held, 1)
        else:
            here.append(raws[0])
        return examine(raws, heads)

    found = {}
    processes = workers.Processes(2, lambda: waiting, found.__setitem__)
    try:
        for number in range(24):
            processes.put(b"%d" % number, b"%d" % (number // 4), HEAD)
        assert here == [b"4", b"5"]  # the first went to the worker, and three were held back
        processes.until(lambda: b"8" in found)
        assert here == [b"4", b"5", b"2"]  # the last of them went to the worker
        os.write(released, b"x" * 10)
        processes.until(lambda: b"0" in found)
        processes.finish()
    finally:
        processes.close()
    assert messages(found) == {b"%d" % n: str(n // 4) for n in range(24)}


def test_how_much_is_held_back_is_bounded(monkeypatch):
    monkeypatch.setattr(workers, "AHEAD", 0)
    monkeypatch.setattr(workers, "HELD", 100)
    monkeypatch.setattr(workers, "HELD_BYTES", 1000)
    processes = workers.Processes(2, lambda: examine, lambda *_: None)
    try:
        for number in range(40):
            processes.put(b"%d" % number, b"x" * 60, HEAD)
        assert 0 < sum(batch.size for batch in processes._held) <= 1000
        processes.finish()
        assert not processes._held
    finally:
        processes.close()


def test_no_result_goes_to_another_commit_after_one_was_missing(monkeypatch):
    """Who asked may go on to see what else there is."""
    monkeypatch.setattr(workers._Worker, "__init__", lambda self: setattr(self, "_sent", deque()))
    monkeypatch.setattr(workers._Worker, "receive", lambda _: answers.pop(0))
    answers = [((), (), (), (b"1" * 20, "is gone")), workers._pack([Examined(key="K")])]
    worker = workers._Worker()
    found = {}
    for name in (b"lacks its tree", b"is sound"):
        batch = pool.Batch()
        batch.add(name, b"", HEAD)
        worker._sent.append(batch)
    with pytest.raises(MissingObject):
        worker.take(found.__setitem__)
    worker.take(found.__setitem__)
    assert found == {b"is sound": Examined(key="K")}


def test_what_was_found_comes_across_unchanged():
    entry = TreeEntry(b"100644", b"e" * 20)
    results = [
        Examined(entry, b"r" * 20, "K" * 40, 1),
        Examined(entry, b"r" * 20, "K" * 40, 2),
        Examined(entry, None, "SHA256:x", 0, True),
        Examined(entry, None, "SHA256:x", 0, False),
        Examined(None, None, unproven=Unproven("bad-signature", "says “no”", ("K" * 40, "L" * 40))),
        Examined(malformed=("malformed-tree", "no tree")),
    ]
    which, different, times, missing = workers._pack(results)
    assert missing is None
    assert len(different) == 5
    found = {}
    commits = [b"%d" % n for n in range(len(results))]
    ours, theirs = forked.socket.socketpair()
    with ours, theirs:
        forked.send(ours, (which, different, times, missing))
        workers._unpack(commits, *forked.receive(theirs)[:3], found.__setitem__)
    assert list(found.values()) == results
    assert all(type(examined) is Examined for examined in found.values())
    assert type(found[b"0"].entry) is TreeEntry
    assert type(found[b"4"].unproven) is Unproven


def test_a_message_that_comes_in_parts():
    ours, theirs = forked.socket.socketpair()
    with theirs:
        theirs.settimeout(0)  # then every read returns what is there
        ours.sendall(b"1234")
        with pytest.raises(BlockingIOError):
            forked._octets(theirs, 6)
        ours.sendall(b"12")
        ours.close()
        with pytest.raises(EOFError):
            forked._octets(theirs, 6)


def test_large_commits_make_small_batches(monkeypatch):
    monkeypatch.setattr(pool, "BATCH_BYTES", 100)
    raws = [b"x" * 60] * 40
    assert len(run(raws)) == 40


@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_results_and_batches_larger_than_a_pipe_do_not_lock_up(monkeypatch, ahead):
    monkeypatch.setattr(pool, "BATCH", 64)
    monkeypatch.setattr(workers, "AHEAD", ahead)
    raws = [b"%d" % n + b"x" * 20_000 for n in range(600)]
    assert messages(run(raws)) == {b"%d" % n: raw.decode() for n, raw in enumerate(raws)}


@pytest.mark.parametrize("raws", [[b"x"] * 30 + [b"missing"] + [b"x"] * 30, [b"missing"], [b"missing there"] * 100])
def test_a_missing_object_is_reported(raws):
    with pytest.raises(MissingObject, match="is gone") as caught:
        run(raws)
    assert caught.value.object_id == b"\1" * 20


@pytest.mark.parametrize("end", [b"die", b"break"])
def test_a_worker_that_dies_is_no_verdict(end):
    with pytest.raises(forked.WorkerFailed):
        run([end] * 300)


def test_why_a_worker_broke_is_shown_if_asked_for(monkeypatch, capfd):
    monkeypatch.delenv("GITVERIFY_DEBUG", raising=False)
    with pytest.raises(forked.WorkerFailed):
        run([b"break"] * 30)
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("GITVERIFY_DEBUG", "1")
    with pytest.raises(forked.WorkerFailed):
        run([b"break"] * 30)
    assert "RuntimeError: of ours" in capfd.readouterr().err


def test_no_process_is_left_behind(monkeypatch):
    """Wherever it ends: here after an interrupt while this process examines."""
    monkeypatch.setattr(workers, "AHEAD", 0)
    running = []

    def interrupted(raws, heads):
        running.extend(worker._process for worker in processes._workers.values())
        raise KeyboardInterrupt

    processes = workers.Processes(3, lambda: interrupted, lambda *_: None)
    for number in range(7):
        processes.put(b"%d" % number, b"x", HEAD)
    assert not running
    with pytest.raises(KeyboardInterrupt):
        processes.put(b"7", b"x", HEAD)
    assert len(running) == 2
    for process in running:
        os.kill(process, 0)
    processes.close()
    for process in running:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_an_interrupt_while_workers_are_ended(monkeypatch):
    """The first of them is no more, and who calls again ends the others."""
    processes = workers.Processes(3, lambda: examine, lambda *_: None)
    for number in range(8):
        processes.put(b"%d" % number, b"x", HEAD)
    running = [worker._process for worker in processes._workers.values()]
    assert len(running) == 2
    wait = os.waitpid

    def interrupted(process, options):
        wait(process, options)
        monkeypatch.setattr(os, "waitpid", wait)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "waitpid", interrupted)
    with pytest.raises(KeyboardInterrupt):
        processes.close()
    processes.close()
    for process in running:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


# --- the whole command -------------------------------------------------------------------------------------------

PROGRAM = """
import os, signal, sys
from gitverify import examine, pool, workers
from gitverify.cli.main import main
workers.WORTH_WORKERS = 0
pool.BATCH = 4
ours = os.getpid()
look = examine.Examiner.__call__
def end(*arguments):
    if len(arguments[1]) > 1:  # a batch, not the introduction
        {here}
    return look(*arguments)
examine.Examiner.__call__ = end
serve = workers._serve
def begin(*arguments):
    {there}
    serve(*arguments)
workers._serve = begin
main()
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("workers"))
    for number in range(40):
        made.history.commit(f"c{number}", {"n": str(number)}, sign=ALICE)
    return made


def command(scene, here="pass", there="pass", ahead=4):
    """Verify with something that happens in this process or in workers. Return when the last process has ended."""
    program = PROGRAM.format(here=here, there=there).replace(
        "main()\n", f"workers.AHEAD, workers.HELD = {ahead}, 0\nmain()\n"
    )
    arguments = ["verify", "--introduction", scene.ids["introduction"], "--repo", str(scene.path), "--no-state"]
    return subprocess.run(
        [sys.executable, "-c", program, *arguments, "--jobs", "3"],
        capture_output=True,  # until the end of what all of them might write
        text=True,
        check=False,
        env=ENVIRONMENT,
        start_new_session=True,
        timeout=120,
    )


def test_the_command_in_processes(scene):
    done = command(scene)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("authentic: ")


def test_an_interrupt_while_this_process_examines_ends_all(scene):
    done = command(scene, here="os.getpid() == ours and os.killpg(0, signal.SIGINT)", ahead=0)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\ninterrupted; no mark was moved\n")


def test_a_worker_that_is_killed(scene):
    done = command(scene, there="os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("internal error: WorkerFailed: a worker process ended unexpectedly\n")


def test_workers_end_when_this_process_is_killed(scene):
    done = command(scene, here="os.getpid() == ours and os.kill(ours, signal.SIGKILL)", ahead=0)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")


def test_where_no_process_can_fork_all_is_examined_here(scene, monkeypatch):
    monkeypatch.setattr(workers, "WORTH_WORKERS", 0)
    several = scene.json("verify", "--introduction", "{introduction}", "--no-state", "--jobs", "2")
    monkeypatch.delattr(os, "fork")
    here = scene.json("verify", "--introduction", "{introduction}", "--no-state", "--jobs", "2")
    assert {**here, "seconds": 0} == {**several, "seconds": 0}
    assert here["verdict"] == "authentic"
