"""Reading ahead in other processes: the same content, whatever happens to them."""

import os
import signal
from dataclasses import replace
from functools import partial
from io import BytesIO
from mmap import mmap
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
    files = [source.file(b"abc"), source.file(b"abcd"), source.file(b""), source.root, b"\1" * 20]
    (tmp_path / "requests").write_bytes(b"".join(ahead._REQUEST.pack(0, 3, file) for file in files))
    answers = BytesIO()
    with (tmp_path / "requests").open("rb") as asked, mmap(-1, 4096) as shelf:
        ahead._serve(source, asked.fileno(), ahead._Shelf(shelf), answers)
        assert shelf[:4] == b"abc\0"
    found = list(ahead._ANSWER.iter_unpack(answers.getvalue()))
    assert found == [(3, 0), (-1, 3), (0, 3), (-1, 3), (-1, 3)]


def test_a_shelf():
    """Nothing is put over what was not taken yet, and nothing is in two pieces."""
    with mmap(-1, 4096) as memory:
        shelf = ahead._Shelf(memory)
        assert [shelf.put(b"a" * 2000), shelf.put(b"b" * 2000)] == [0, 2000]
        assert shelf.put(b"c" * 97) == ahead._FOLLOWS
        assert shelf.put(b"d" * 96) == 4000
        assert shelf.put(b"") == 4096
        shelf.taken(1)
        assert shelf.put(b"e" * 2001) == ahead._FOLLOWS
        assert shelf.put(b"f" * 1990) == 0
        shelf.taken(2)
        assert shelf.put(b"g" * 2011) == ahead._FOLLOWS
        assert shelf.put(b"h" * 2010) == 1990
        assert memory[:] == b"f" * 1990 + b"h" * 2010 + b"d" * 96
        shelf.taken(5)
        assert shelf.put(b"i" * 2010) == ahead._FOLLOWS  # there is room, but in two pieces
        assert shelf.put(b"j" * 96) == 4000
        assert shelf.put(b"k" * 4096) == ahead._FOLLOWS
        shelf.taken(4)
        assert shelf.put(b"k" * 4096) == 0


@pytest.mark.parametrize("size", [1, 5000, 1 << 20])
def test_shelves_of_any_size(source, monkeypatch, size):
    monkeypatch.setattr(ahead, "_SHELF", size)
    assert contents(source, Ahead(2, lambda: source)) == contents(source, one_by_one)


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


@pytest.mark.parametrize("half", [b"", b"\0\0\0", ahead._ANSWER.pack(5, -1), ahead._ANSWER.pack(5, -1) + b"abc"])
def test_a_process_that_ends_in_the_middle_of_an_answer(source, monkeypatch, half):
    monkeypatch.setattr(ahead, "_serve", lambda _source, _asked, _shelf, answers: answers.write(half))
    assert contents(source, Ahead(2, lambda: source)) == contents(source, one_by_one)


def test_whoever_reads_no_further(source):
    reading = Ahead(2, lambda: source)(source, steps(source, source.root))
    next(reading)
    reading.close()


def test_pipes_that_can_not_be_made_larger(source, monkeypatch):
    monkeypatch.delattr(ahead.fcntl, "F_SETPIPE_SZ")
    assert contents(source, Ahead(2, lambda: source)) == contents(source, one_by_one)
