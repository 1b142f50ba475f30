"""``gitverify fetch``, killed wherever it changes anything: the output is there whole or not at all."""

import shutil

import gitserver
import pytest
from fetching import Upstream
from killing import everywhere

from fixtures.lib.objects import SYMLINK, Entry


@pytest.fixture
def upstream(tmp_path):
    made = Upstream(tmp_path)
    made.commit("files", **{"a/b": "b\n", "a/c": "c\n", "d": "d\n", "link": Entry(SYMLINK, b"d")})
    with gitserver.daemon(made.path.parent) as url:  # a process: what is forked here must have no threads
        made.url = f"{url}/app.git"
        yield made


def content(place):
    def held(path):
        return path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()

    return {str(path.relative_to(place)): held(path) for path in place.rglob("*")}


@pytest.mark.parametrize("first", [True, False], ids=["new", "again"])
def test_killed(upstream, first):
    words = ["--branch", "main", "--output"]
    assert upstream.fetch(*words, "whole").status == 0
    expected, out, again = content(upstream.place / "whole"), upstream.place / "out", upstream.place / "again"
    assert len(expected) == 7

    def prepare():
        shutil.rmtree(out, ignore_errors=True)
        if first:
            for name in ("cache", "state"):
                shutil.rmtree(upstream.place / name)
        else:
            expected["d"] += b"more\n"
            upstream.commit(f"next{len(expected['d'])}", d=expected["d"])

    def check(what):
        assert not out.exists() or content(out) == expected, what
        done = upstream.fetch(*words, "again")
        assert done.status == 0, done.stdout
        assert content(again) == expected, what
        assert not list(upstream.place.glob(".gitverify-export-*")), what
        shutil.rmtree(again)

    points = everywhere(lambda: upstream.fetch(*words, "out").status, prepare, check)
    phases = ["git fetch", "verifying", "the mark", "open b", "os.rename gitverify-export"]
    assert not [phase for phase in phases if phase not in points]
