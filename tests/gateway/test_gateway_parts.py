"""The cache, the jobs and the body of a response, each for itself."""

import asyncio
import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from gitverify.gateway.answer import Gateway
from gitverify.gateway.cache import Cache, Facts, Key, NoCache
from gitverify.gateway.jobs import Busy, Failed, Jobs
from gitverify.gateway.target import Refused, parse_target, require_host


@pytest.fixture
def cache(tmp_path):
    held = Cache(tmp_path / "cache", 3000)
    yield held
    held.close()


def key(name):
    return Key("d" * 32, name, "tar.gz")


def put(cache, name, size=1000):
    content = name.encode() * size

    making = cache.begin(key(name))
    making.write_bytes(content[:size])
    cache.put(key(name), making, Facts(size, hashlib.sha256(content[:size]).hexdigest(), "sha256-x", 1, 2))
    cache.forget(making)


def has(cache, name):
    found = cache.opened(key(name))
    if found is not None:
        os.close(found[0])
    return found is not None


def test_what_was_used_longest_ago_makes_room(cache):
    for name in "abc":
        put(cache, name)
    assert has(cache, "a")
    put(cache, "d")
    assert [name for name in "abcd" if has(cache, name)] == ["a", "c", "d"]
    put(cache, "e", 2500)
    assert [name for name in "abcde" if has(cache, name)] == ["e"]
    assert sorted(path.suffix for path in cache.directory.glob("*/*")) == [".gz", ".json"]


def test_what_was_just_made_stays_however_large(cache):
    put(cache, "a", 5000)
    assert has(cache, "a")


def test_one_that_another_server_has_made(cache):
    """What was used when is not known then; the age of the files is."""
    for name, age in (("a", 100), ("b", 300), ("c", 200)):
        put(cache, name)
        date = time.time() - age
        os.utime(cache.directory / key(name).name, (date, date))
    cache.close()
    again = Cache(cache.directory, 3000)
    put(again, "d")
    assert [name for name in "abcd" if has(again, name)] == ["a", "c", "d"]
    cache._lock = os.open(os.devnull, os.O_RDONLY)
    again.close()


def test_an_archive_is_there_whole_or_not_at_all(cache):
    making = cache.begin(key("a"))
    making.write_bytes(b"some")
    assert not has(cache, "a")
    cache.forget(making)
    assert not has(cache, "a")
    assert [path.name for path in cache.directory.iterdir() if path.is_file()] == ["lock"]


def test_what_was_left_is_thrown_away(cache):
    (cache.directory / "making-a").touch()
    (cache.directory / "making-b").mkdir()
    cache.close()
    again = Cache(cache.directory, 1)
    cache._lock = os.open(os.devnull, os.O_RDONLY)
    assert [path.name for path in cache.directory.iterdir()] == ["lock"]
    again.close()


def test_two_servers(cache):
    with pytest.raises(NoCache, match="used by another server"):
        Cache(cache.directory, 1)


def test_a_lock_that_leads_elsewhere(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoCache, match="can't be used"):
        Cache(tmp_path / "cache", 1)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_changes_while_it_is_hashed(cache, monkeypatch):
    put(cache, "a")
    real = os.fstat
    path = cache.directory / key("a").name

    def changing(handle):
        found = real(handle)
        with path.open("ab") as file:
            file.write(b"x")
        return found

    monkeypatch.setattr("gitverify.gateway.cache.os.fstat", changing)
    assert not has(cache, "a")


# --- jobs ------------------------------------------------------------------------------------------------------------


def done(function, *arguments):
    return asyncio.run(Jobs(1, 1).run(function, *arguments))


def test_a_job_is_a_process_of_its_own():
    assert done(os.getpid) != os.getpid()
    assert done(max, 3, 5) == 5


@pytest.mark.parametrize(
    ("function", "argument", "error", "message"),
    [
        (parse_target, b"x", Refused, "is no path"),
        (os.stat, "/none/at/all", Failed, "No such file"),
        (int, "x", Failed, "internal error: ValueError"),
        (os._exit, 0, Failed, "has ended"),
    ],
)
def test_a_job_that_fails(function, argument, error, message):
    with pytest.raises(error, match=message):
        done(function, argument)


def test_why_something_is_refused_comes_along():
    with pytest.raises(Refused) as refused:
        done(require_host, b"x", ["a"])
    assert refused.value.why == "bad-host"


def test_too_many_jobs():
    async def run():
        jobs = Jobs(1, 0)
        first = asyncio.ensure_future(jobs.run(os.getpid))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await jobs.run(os.getpid)
        assert await first
        assert await jobs.run(os.getpid)

    asyncio.run(run())


def begun(jobs):
    while not jobs._running:
        threading.Event().wait(0.01)


def test_jobs_end_with_the_server():
    async def run():
        jobs = Jobs(1, 1)
        long = asyncio.ensure_future(jobs.run(time.sleep, 600))
        await asyncio.to_thread(begun, jobs)
        jobs.close()
        with pytest.raises(Failed):
            await long
        with pytest.raises(Failed):
            await jobs.run(time.sleep, 600)

    asyncio.run(run())


# --- a body ----------------------------------------------------------------------------------------------------------


def sent(path, size, gone=False):
    """Send a file that is said to be of a size; return whether all went out, and how much did."""
    out, log = [], []

    async def send(message):
        out.append(message["body"])

    async def receive():
        if not gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def run():
        handle = os.open(path, os.O_RDONLY)
        try:
            return await Gateway({}, None, (), "", log.append)._sent(receive, send, handle, size)
        finally:
            os.close(handle)

    return asyncio.run(run()), sum(map(len, out)), log


def test_a_file_that_is_sent(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20))
    assert sent(path, 1 << 20) == (True, 1 << 20, [])
    assert sent(path, 1000) == (True, 1000, [])


def test_a_file_that_is_cut_short(tmp_path):
    """The response ends before its time, so that nobody takes it for whole."""
    path = tmp_path / "file"
    path.write_bytes(bytes(1000))
    assert sent(path, 2000) == (False, 1000, [])


def test_a_file_that_can_not_be_read(tmp_path):
    whole, size, log = sent(tmp_path, 2000)
    assert (whole, size) == (False, 0)
    assert log == ["failed while an archive was sent: Is a directory"]


def test_a_client_that_has_gone(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(4 << 20))
    whole, size, _ = sent(path, 4 << 20, gone=True)
    assert not whole
    assert size < 4 << 20


def test_the_files_of_this_machine_are_not_served(tmp_path):
    """A path leads to a name in a table, never to a file."""
    for each in Path("/etc").glob("host*"):
        with pytest.raises(Refused):
            asyncio.run(Gateway({}, None, ["a"], "", print)._answer(_scope(str(each)), str(each).encode(), None, None))


def _scope(path):
    return {"method": "GET", "headers": [(b"host", b"a")], "raw_path": path.encode()}
