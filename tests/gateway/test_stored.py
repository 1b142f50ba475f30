"""Archives: what other programs read out of them, and that their bytes never change."""

import gzip
import hashlib
import io
import lzma
import random
import shutil
import subprocess
import tarfile

import pytest

from gitverify.export.visitor import Unfit
from gitverify.gateway.stored import StoredGzip, StoredXz
from gitverify.gateway.tar import Tar, archive_time

PACKERS = {"gzip": (StoredGzip, gzip.decompress), "xz": (StoredXz, lzma.decompress)}


def packed(packer, content, largest=1 << 20):
    out = bytearray()
    chance = random.Random(1)
    writing = packer(out.extend)
    at = 0
    while at < len(content):
        size = chance.randint(1, largest)
        writing.write(content[at : at + size])
        at += size
    writing.finish()
    return bytes(out)


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [0, 1, 3, 65_534, 65_535, 65_536, 65_537, 131_070, 131_072, 131_073, 300_000])
def test_what_is_read_is_what_was_written(name, size):
    packer, unpack = PACKERS[name]
    content = random.Random(size).randbytes(size)
    whole = packed(packer, content)
    assert unpack(whole) == content
    assert packed(packer, content, largest=1000) == whole  # in whatever pieces it comes


@pytest.mark.parametrize("name", PACKERS)
def test_other_programs_find_nothing_wrong(name, tmp_path):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    path = tmp_path / "file"
    path.write_bytes(packed(PACKERS[name][0], bytes(200_000)))
    with path.open("rb") as file:
        subprocess.run([name, "-t"], stdin=file, check=True)


def test_damage_is_found():
    for packer, unpack in PACKERS.values():
        whole = bytearray(packed(packer, bytes(1000)))
        whole[500] ^= 1
        with pytest.raises((gzip.BadGzipFile, lzma.LZMAError)):
            unpack(bytes(whole))


def show(visitor):
    visitor.enter(b"")
    visitor.file(b"empty", executable=False, size=0)
    visitor.file(b"n" * 150, executable=True, size=3)
    visitor.data(b"ab")
    visitor.data(b"c")
    visitor.enter(b"sub")
    visitor.file(b"block", executable=False, size=512)
    visitor.data(bytes(512))
    visitor.symlink(b"link", b"t" * 101)
    visitor.symlink(b"short", b"../empty")
    visitor.leave()
    visitor.enter(b"\xff\xfe")
    visitor.leave()
    visitor.leave()


def archive(show, date=1_700_000_000):
    out = bytearray()
    tar = Tar(out.extend, date)
    show(tar)
    tar.finish()
    return bytes(out)


def test_a_tree():
    with tarfile.open(fileobj=io.BytesIO(archive(show)), encoding="utf-8", errors="surrogateescape") as tar:
        found = {member.name: member for member in tar}
        assert list(found) == [
            "source",
            "source/empty",
            "source/" + "n" * 150,
            "source/sub",
            "source/sub/block",
            "source/sub/link",
            "source/sub/short",
            "source/\udcff\udcfe",
        ]
        assert {member.mtime for member in found.values()} == {1_700_000_000}
        assert {(member.uid, member.gid) for member in found.values()} == {(0, 0)}
        assert found["source/" + "n" * 150].mode == 0o755
        assert tar.extractfile("source/" + "n" * 150).read() == b"abc"
        assert found["source/empty"].mode == 0o644
        assert found["source/sub/link"].linkname == "t" * 101
        assert found["source/sub/short"].linkname == "../empty"
        assert found["source/\udcff\udcfe"].isdir()


@pytest.mark.parametrize("length", [92, 93, 94, 505, 506])
def test_names_about_as_long_as_a_field(length):
    def one(visitor):
        visitor.enter(b"")
        visitor.symlink(b"x" * length, b"y" * (length + 7))
        visitor.leave()

    with tarfile.open(fileobj=io.BytesIO(archive(one))) as tar:
        member = tar.getmembers()[1]
    assert (member.name, member.linkname) == ("source/" + "x" * length, "y" * (length + 7))


def test_the_bytes_never_change():
    """An archive of a commit is the same on every machine: a change here breaks what is in caches by its ETag."""
    found = [archive(show), packed(StoredGzip, bytes(100_000)), packed(StoredXz, bytes(100_000))]
    assert [hashlib.sha256(content).hexdigest() for content in found] == [
        "2edd2aafde4b07092f94351150bfc017fcac1a8a4a19566da21fb3cc37ab81e8",
        "0be2c14593eb95d65b5b4661466c014ef8fa622786255861ed2f6af1cc600d99",
        "e51debd58696ad747bf8d47683f8d563815e7b1dda1f01efaf82132b18e00765",
    ]


@pytest.mark.parametrize(("date", "time"), [(-5, 0), (0, 0), (1_700_000_000, 1_700_000_000), (1 << 40, (1 << 32) - 1)])
def test_dates_that_fit_nowhere(date, time):
    assert archive_time(date) == time
    with tarfile.open(fileobj=io.BytesIO(archive(show, date))) as tar:
        assert tar.next().mtime == time


def test_names_that_are_taken_for_git():
    def one(name):
        def show(visitor):
            visitor.enter(b"")
            visitor.enter(b"sub")
            visitor.file(name, executable=False, size=0)

        return show

    with pytest.raises(Unfit) as refused:
        archive(one(b"GIT~1"))
    assert (refused.value.code, refused.value.path) == ("malformed-tree", b"sub/GIT~1")
    archive(one(b"GIT1"))
