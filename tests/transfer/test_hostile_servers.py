"""What servers tried in a review of ``gitverify fetch``: see docs/review.md."""

import os
import subprocess
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import gitserver
import pytest
from cli.scene import ALICE
from gitrepo import ENVIRONMENT


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def files(upstream):
    """Serve the upstream as mere files, as a server without git does; ``url`` is its URL there."""
    upstream.git("update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(upstream.path.parent)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/app.git"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kept(upstream):
    return sum(path.stat().st_size for path in (upstream.place / "cache").rglob("*") if path.is_file())


@pytest.mark.parametrize("packed", [False, True])
def test_many_files_that_are_each_small_enough(upstream, packed):
    """From a server without git each object, or each pack, is a file of its own."""
    for number in range(4):
        upstream.history.commit(f"large{number}", {str(n): os.urandom(100_000).hex() for n in range(4)}, sign=ALICE)
        if packed:
            upstream.git("repack", "-d", "-q")
    with files(upstream) as url:
        done = upstream.fetch("--branch", "main", "--output", "out", "--max-size", "1M", url=url)
    assert (done.report["reason"], done.status) == ("fetch-failed", 3)
    assert "more than 1,048,576 bytes" in done.report["refusals"][0]["message"]
    assert kept(upstream) < 10_000


def test_files_without_end(upstream, monkeypatch):
    """It is stopped before it has all of it."""
    monkeypatch.setattr("gitverify.children._GLANCE", 0)
    asked = []

    class Slow(Handler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    monkeypatch.setitem(globals(), "Handler", Slow)
    for number in range(200):
        upstream.history.commit(f"large{number}", {"file": os.urandom(20_000).hex()}, sign=ALICE)
    with files(upstream) as url:
        done = upstream.fetch("--branch", "main", "--output", "out", "--max-size", "100K", url=url)
    assert "more than 102,400 bytes" in done.report["refusals"][0]["message"]
    assert 10 < len(asked) < 500  # of 600
    assert kept(upstream) < 10_000


def test_what_git_has_started_ends_with_it(upstream):
    """It would go on, and on, writing where the next fetch writes."""
    begun = upstream.place / "begun"
    script = f"""case " $* " in
    *" fetch "*) sh -c 'echo $$ >{begun}; exec sleep 1000' & exec sleep 1000 ;;
    *) exec "$GIT" "$@" ;;
    esac"""
    upstream.path_variable = gitserver.wrapped(upstream.place / "programs", script)
    done = upstream.fetch("--branch", "main", "--output", "out", "--timeout", "1s")
    assert "longer than 1 seconds" in done.report["refusals"][0]["message"]
    asked = ["ps", "-o", "stat=", "-p", begun.read_text().strip()]
    state = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    assert not state or state.startswith("Z")


def test_a_server_without_git(upstream):
    with files(upstream) as url:
        assert upstream.fetch("--branch", "main", "--output", "out", url=url).status == 0
        upstream.commit("next")
        upstream.git("update-server-info")
        assert upstream.fetch("--branch", "main", "--output", "next", url=url).status == 0
    assert (upstream.place / "next" / "README").read_text() == "next\n"


def test_a_rule_that_rewrites_this_very_url(upstream):
    """The URL that is named is the one that is fetched from, also where the user's own rule is as long as it."""
    other = gitserver.http(upstream.place / "elsewhere")
    with other as server:
        for url in (f"{server.url}/other.git", f"verified::{upstream.url}", "file:///nowhere"):
            (upstream.place / ".gitconfig").write_text(f'[url "{url}"]\n\tinsteadOf = {upstream.url}\n')
            assert upstream.fetch("--branch", "main", "--narhash").status == 0
            upstream.commit(url)
        assert not server.requests


def test_names_that_are_no_text(upstream):
    """As git does, take whatever bytes a path or a branch's name has."""
    odd = "odd\udcff"
    command = ["git", f"--git-dir={upstream.path}", "branch", os.fsencode(odd), "main"]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    other = upstream.path.rename(upstream.path.parent / odd)
    url = f"file://{other}"
    assert upstream.run("fetch", url, *upstream.anchor, "--branch", odd, "--output", "out").status == 0
    assert upstream.run("nix", "prefetch", url, *upstream.anchor, "--branch", odd).status == 0
    first = ["--url", url, "--branch", odd, *upstream.anchor]
    for more in (first, []):
        assert upstream.run("mirror", "update", "mirror", *more).status == 0
    assert upstream.git("rev-parse", "HEAD", at=upstream.place / "mirror") == upstream.ids["third"]


def test_a_server_that_brings_nothing_and_says_nothing(upstream):
    """Git takes no branch from a shallow clone, and ends well: what came the last time is not what there is now."""
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0
    upstream.commit("next")
    (upstream.path / "shallow").write_text(f"{upstream.ids['next']}\n")
    done = upstream.fetch("--branch", "main", "--output", "next")
    assert (done.report["reason"], done.status) == ("fetch-failed", 3)
    (upstream.path / "shallow").unlink()
    upstream.server.sent.clear()
    assert upstream.fetch("--branch", "main", "--output", "next").status == 0
    assert max(upstream.server.sent) < 1000  # the rest was here


def test_what_came_of_a_fetch_that_failed_is_not_looked_at_for_ever(upstream):
    assert upstream.fetch("--branch", "main", "--narhash").status == 0
    script = """case " $* " in
    *" fetch "*) exit 1 ;;
    *" fsck "*) exec sleep 1000 ;;
    *) exec "$GIT" "$@" ;;
    esac"""
    upstream.path_variable = gitserver.wrapped(upstream.place / "programs", script)
    done = upstream.fetch("--branch", "main", "--narhash", "--timeout", "1s")
    assert (done.report["reason"], done.status) == ("fetch-failed", 3)
    assert not list((upstream.place / "cache").rglob("*.pack"))  # it can't be told whether all is there
