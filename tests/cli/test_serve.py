"""``gitverify serve``, as a process of its own: what it is told, how it begins and how it ends."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from gateway.serving import Client, Mirrored

from gitverify.gateway import server


@pytest.fixture
def mirrored(tmp_path):
    return Mirrored(tmp_path, "a/b")


@contextmanager
def running(mirrored, *arguments, state=True):
    """Run it; gives a client, whose ``process`` it is, once it listens."""
    words = ["serve", str(mirrored.path), "--listen", "127.0.0.1:0", "--jobs", "2", *arguments]
    words += ["--state", str(mirrored.state)] if state else []
    process = subprocess.Popen(
        [sys.executable, "-m", "gitverify", *words],
        env=mirrored.upstream.environment,
        cwd=mirrored.place,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        begun = process.stderr.readline()
        assert begun.startswith("serving app"), begun + process.stderr.read()
        port = process.stderr.readline()
        client = Client(int(port.rpartition(":")[2]))
        client.process = process
        yield client
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process(mirrored, number):
    with running(mirrored) as client:
        first = client.get("/app/main.tar.gz")
        assert first.status == 200
        assert mirrored.ids["third"] in first.headers["Link"]
        assert client.get("/app/none.tar.gz").status == 403
        client.process.send_signal(number)
        out, err = client.process.communicate(timeout=60)
        assert client.process.returncode == 0
    assert out == ""
    assert err == "refused /app/none.tar.gz: unknown-branch: app has no branch none that is mirrored\n"


def test_what_is_in_the_cache_is_used_by_the_next(mirrored):
    cache = mirrored.place / "kept"
    with running(mirrored, "--cache", str(cache)) as client:
        first = client.get("/app/main.tar.gz")
    (cache / "making-x").write_text("left by one that was killed")
    [archive] = cache.glob("*/*.tar.gz")
    made = archive.stat().st_ino
    with running(mirrored, "--cache", str(cache)) as client:
        assert client.get("/app/main.tar.gz").body == first.body
    assert archive.stat().st_ino == made
    assert not (cache / "making-x").exists()


def test_a_large_tree_is_read_by_several_processes(mirrored):
    mirrored.upstream.commit("many", **{f"d{number % 7}/{number}": f"{number}\n" for number in range(600)})
    mirrored.update()
    with running(mirrored) as client:
        assert len(client.get("/app/main.tar.gz").body) > 600 * 1024


def test_a_process_that_works_is_killed(mirrored):
    """The request fails, the server goes on, and asked again it is done."""
    with running(mirrored) as client:
        client.get("/")
        fetch = "import sys, urllib.request as r; r.urlopen(sys.argv[1])"
        words = [sys.executable, "-c", fetch, f"{client.url}/app/main.tar.gz"]
        ask = subprocess.Popen(words, stderr=subprocess.PIPE)
        worker = None
        while worker is None and ask.poll() is None:
            worker = next(workers(client.process.pid), None)
        os.kill(worker, signal.SIGKILL)
        assert b"500" in ask.communicate()[1]
        assert client.get("/app/main.tar.gz").status == 200


def workers(pid):
    """Yield the processes that work for a server."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    yield int(child)


def refused(mirrored, *arguments):
    done = mirrored.upstream.scene_run("serve", *arguments)
    assert done.status == 2
    return str(done.error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "is no mirror: gitverify mirror update makes one"),
        (["served/app.git"], "is no mirror"),
        (["app.git", "app=app.git"], "two mirrors are called app"),
        (["app.git", "--listen", "example.org:80"], "is no address and port"),
        (["app.git", "--listen", "127.0.0.1"], "is no address and port"),
        (["app.git", "--listen", "127.0.0.1:65536"], "is no address and port"),
        (["app.git", "--listen", "1.2.3:80"], "is no address and port"),
        (["app.git", "--listen", "0.0.0.0:8417"], "say with --url what they call it"),
        (["app.git", "--listen", "[::]:8417"], "say with --url what they call it"),
        (["app.git", "--url", "ftp://a"], "--url: "),
        (["app.git", "--url", "http://a/?b"], "--url: "),
        (["app.git", "--url", "http://a>; rel=b"], "--url: "),
        (["app.git", "--listen", "127.0.0.254:1", "--cache", "app.git/HEAD/x"], "can't be used"),
        (["app.git", "--listen", "203.0.113.1:0", "--url", "http://a"], "can't be listened at"),
    ],
)
def test_what_makes_no_sense(mirrored, arguments, message):
    assert message in refused(mirrored, *arguments)


def test_a_name_that_can_not_be_in_a_url(mirrored):
    mirrored.path.rename(mirrored.place / "ä b.git")
    assert "give the mirror another name, NAME=DIR" in refused(mirrored, "ä b.git")


def test_a_mirror_that_can_not_be_read(mirrored):
    (mirrored.path / "gitverify/mirror.json").write_text("{")
    assert "make a new mirror" in refused(mirrored, "app.git")


def test_a_cache_that_others_can_write(mirrored):
    (mirrored.place / "open").mkdir(mode=0o777)
    (mirrored.place / "open").chmod(0o777)
    assert "can be written by others" in refused(mirrored, "app.git", "--cache", "open")


def test_a_cache_that_is_in_use(mirrored):
    cache = str(mirrored.place / "kept")
    with running(mirrored, "--cache", cache):
        assert "is used by another server" in refused(mirrored, "app.git", "--cache", cache)


def test_without_the_library(mirrored, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "gitverify.gateway.server", raising=False)
    monkeypatch.delattr("gitverify.gateway.server", raising=False)
    assert "pip install 'gitverify[serve]'" in refused(mirrored, "app.git")


def test_another_name_and_the_url_of_a_proxy(mirrored):
    with running(mirrored, f"other={mirrored.path}", "--url", "https://BUILDER.example.org/v/") as client:
        link = client.get("/other/main.tar.gz").headers["Link"]
        assert link.startswith("<https://BUILDER.example.org/v/other/.rev/")
        assert client.get("/app/main", Host="builder.example.org").status == 200
        assert client.get("/app/main", Host="example.org").status == 403


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "localhost:0"])
def test_in_this_process(mirrored, monkeypatch, listen):
    """It begins, and ends at once."""
    serve = server.serve

    async def shortly(application, listening, ready):
        def begun(stop):
            ready(stop)
            stop()

        await serve(application, listening, begun)

    monkeypatch.setattr(server, "serve", shortly)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    done = mirrored.upstream.scene_run("serve", "app.git", "--listen", listen)
    assert (done.status, done.stdout) == (0, "")
    assert "listening at http://" in done.stderr
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
