"""Reading ahead in other processes: the same content, whatever happens to them."""

import os
import signal
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from gitverify.errors import MissingObject
from gitverify.export import ahead
from gitverify.export.ahead import Ahead
from gitverify.export.visitor import Unfit
from gitverify.export.walk import one_by_one, show_tree, steps
from gitverify.limits import LIMITS
from gitverify.nix.nar import nar_hash
from tests.export.objects import Objects

SIZES = [0, 1, 100, 5000, 70_000, 1 << 20, (3 << 20) + 1]


@pytest.fixture
def source():
    """A few hundred files in some directories, of sizes on both sides of every buffer's, with symlinks between."""
    source = Objects()
    files = [source.file(bytes([n % 256]) * SIZES[n % 7 if n % 50 == 0 else n % 4] + b"%d" % n) for n in range(600)]
    inner = [(b"120000" if n % 7 == 1 and n % 4 < 2 else b"100644", b"f%03d" % n, file) for n, file in enumerate(files)]
    source.root = source.tree(*((b"40000", b"d%d" % n, source.tree(*inner[n * 100 : n * 100 + 100])) for n in range(6)))
    return source


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = len([*Path("/dev/fd").iterdir()])
    yield
    assert len([*Path("/dev/fd").iterdir()]) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def contents(source, reading, root=None):
    return [(step.path, content) for step, content in reading(source, steps(source, root or source.root))]


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_it_gives_the_same(source, processes):
    reading = Ahead(processes, lambda: source)
    assert contents(source, reading) == contents(source, one_by_one)


def test_a_hash(source):
    show = partial(show_tree, source, source.root, contents=Ahead(2, lambda: source))
    assert nar_hash(show) == nar_hash(partial(show_tree, source, source.root))


@pytest.mark.parametrize("number", [255, 256, 257, 300, 383, 384, 385])
def test_requests_that_are_no_whole_group(source, number):
    root = source.of(**{f"f{n:03}": f"{n}" for n in range(number)})
    assert contents(source, Ahead(3, lambda: source), root) == contents(source, one_by_one, root)


def test_few_files_need_no_process(source):
    root = source.of(**{f"f{n:03}": "x" for n in range(200)})

    def never():
        raise AssertionError

    assert len(contents(source, Ahead(2, never), root)) == 202


def test_what_goes_through_the_pipes(source, tmp_path):
    requests = b"".join(
        (3).to_bytes(4, "big") + object_id
        for object_id in (source.file(b"abc"), source.file(b"abcd"), source.file(b""), source.root, b"\1" * 20)
    )
    (tmp_path / "requests").write_bytes(requests)
    answers = BytesIO()
    with (tmp_path / "requests").open("rb") as asked:
        ahead._serve(source, asked.fileno(), answers)
    nothing = b"\xff" * 8
    assert answers.getvalue() == b"\0" * 7 + b"\3abc" + nothing + b"\0" * 8 + nothing + nothing


# --- what is wrong is found all the same ---------------------------------------------------------------------


def with_entry(source, mode, object_id):
    many = [(b"100644", b"f%03d" % n, source.file(b"%d" % n)) for n in range(500)]
    return source.tree(*many[:400], (mode, b"f399x", object_id), *many[400:])


def test_a_file_that_is_missing(source):
    file = source.file(b"gone")
    root = with_entry(source, b"100644", file)
    assert (b"f399x", b"gone") in contents(source, Ahead(2, lambda: source), root)
    del source.objects[file]
    with pytest.raises(MissingObject):
        contents(source, Ahead(2, lambda: source), root)


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 5000])
def test_a_symlink_that_can_be_none(source, target):
    with pytest.raises(Unfit, match=r"symlink|limit") as error:
        contents(source, Ahead(2, lambda: source), with_entry(source, b"120000", source.file(target)))
    assert (error.value.code, error.value.path) == ("malformed-tree", b"f399x")


def test_a_tree_in_a_files_place(source):
    with pytest.raises(Unfit, match="where a file is expected"):
        contents(source, Ahead(2, lambda: source), with_entry(source, b"100644", source.of(a="1")))


def test_a_file_that_is_too_large(source, monkeypatch):
    monkeypatch.setattr("gitverify.export.walk.LIMITS", replace(LIMITS, content_size=100))
    root = with_entry(source, b"100644", source.file(b"x" * 101))
    with pytest.raises(Unfit, match="the limit is 100"):
        contents(source, Ahead(2, lambda: source), root)


# --- processes that end --------------------------------------------------------------------------------------


def test_a_repository_that_can_not_be_opened_again(source):
    def fails():
        raise OSError

    assert contents(source, Ahead(2, fails)) == contents(source, one_by_one)


@pytest.mark.parametrize("after", [0, 10, 300])
def test_a_process_that_is_killed(source, monkeypatch, after):
    """All is read here then; nothing is missing, and nothing half."""
    fork, made = os.fork, []

    def remember():
        made.append(fork())
        return made[-1]

    monkeypatch.setattr(os, "fork", remember)
    found = []
    for step, content in Ahead(2, lambda: source)(source, steps(source, source.root)):
        found.append((step.path, content))
        if len(found) == after + 1:
            os.kill(made[after % 2], signal.SIGKILL)
    assert found == contents(source, one_by_one)


def test_whoever_reads_no_further(source):
    reading = Ahead(2, lambda: source)(source, steps(source, source.root))
    next(reading)
    reading.close()


def test_pipes_that_can_not_be_made_larger(source, monkeypatch):
    monkeypatch.delattr(ahead.fcntl, "F_SETPIPE_SZ")
    assert contents(source, Ahead(2, lambda: source)) == contents(source, one_by_one)
