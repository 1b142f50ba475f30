"""Loose objects are looked at before libgit2 reads them."""

import hashlib
import os
import signal
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitverify.errors import MissingObject, OversizedObject
from gitverify.limits import LIMITS
from gitverify.loose import LooseFiles, object_directories
from gitverify.source import Repository
from tests.gitrepo import GitRepository

CONTENT = b"hello world\n" * 40


@pytest.fixture
def made(tmp_path):
    made = GitRepository(tmp_path / "r")
    made.blob = bytes.fromhex(made.git("hash-object", "-w", "--stdin", stdin=CONTENT))
    made.file = made.path / ".git/objects" / made.blob.hex()[:2] / made.blob.hex()[2:]
    made.file.chmod(0o644)
    return made


def test_a_whole_file_is_read(made):
    assert Repository(made.path).read(made.blob) == ("blob", CONTENT)


def test_every_cut_is_noticed_at_once(made):
    """Libgit2 alone would not come back from most of these."""
    whole = made.file.read_bytes()
    repository = Repository(made.path)
    signal.alarm(60)
    for size in range(len(whole)):
        made.file.write_bytes(whole[:size])
        with pytest.raises(MissingObject, match="damaged"):
            repository.read(made.blob)
    signal.alarm(0)


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (zlib.compress(b"blob 480\0" + CONTENT) + b"x", "more data follows"),
        (zlib.compress(b"blob 481\0" + CONTENT), "shorter than it says"),
        (zlib.compress(b"blob 479\0" + CONTENT), "longer than it says"),
        (zlib.compress(b"blob 0480\0" + CONTENT), "no header"),
        (zlib.compress(b"bulb 480\0" + CONTENT), "no header"),
        (zlib.compress(b"blob"), "no header"),
        (b"not zlib", "can't be inflated"),
        (b"", "no header"),
        (zlib.compress(b"blob 480\0" + CONTENT.upper()), "mismatch|damaged"),
        (zlib.compress(b"blob 8000000\0" + bytes(8_000_001)), "longer than it says"),
    ],
)
def test_what_is_wrong_with_a_file(made, data, flaw):
    made.file.write_bytes(data)
    with pytest.raises(MissingObject, match=flaw):
        Repository(made.path).read(made.blob)


def test_a_file_that_is_none(made):
    made.file.unlink()
    made.file.mkdir()
    with pytest.raises(MissingObject, match=r"can't be read|no regular file"):
        Repository(made.path).read(made.blob)
    made.file.rmdir()
    os.mkfifo(made.file)
    signal.alarm(20)
    with pytest.raises(MissingObject, match="no regular file"):
        Repository(made.path).read(made.blob)
    signal.alarm(0)
    made.file.unlink()
    made.file.symlink_to(made.file.name)
    with pytest.raises(MissingObject, match="can't be read"):
        Repository(made.path).read(made.blob)


@pytest.mark.parametrize("kind", ["commit", "tree", "tag", "blob"])
def test_what_is_too_large_for_its_kind_is_not_read_loose_or_packed(made, kind):
    """A few kilobytes can inflate to gigabytes; the answer does not depend on how they are stored."""
    limit = {"commit": LIMITS.commit_size, "tree": LIMITS.tree_size, "tag": LIMITS.tag_size, "blob": LIMITS.blob_size}
    for size in (limit[kind] + 1, limit[kind]):
        frame = b"%s %d\0" % (kind.encode(), size) + bytes(size)
        object_id = hashlib.sha1(frame).digest()
        file = made.path / ".git/objects" / object_id.hex()[:2] / object_id.hex()[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(frame, 1))
        for packed in (False, True):
            if packed:
                made.git("pack-objects", "-q", ".git/objects/pack/pack", stdin=object_id.hex().encode() + b"\n")
                file.unlink()
            if size > limit[kind]:
                with pytest.raises(OversizedObject, match="the limit is"):
                    Repository(made.path).read(object_id)
            else:
                assert Repository(made.path).read(object_id) == (kind, bytes(size))


def test_a_large_object_is_whole(made):
    content = bytes(range(256)) * 20_000
    blob = bytes.fromhex(made.git("hash-object", "-w", "--stdin", stdin=content))
    assert Repository(made.path).read(blob) == ("blob", content)


def test_alternates_are_followed_and_cycles_end(made, tmp_path):
    other = GitRepository(tmp_path / "other")
    third = GitRepository(tmp_path / "third")
    objects = [repository.path / ".git/objects" for repository in (made, other, third)]
    (objects[1] / "info").mkdir(exist_ok=True)
    (objects[1] / "info/alternates").write_text(f"# note\n{objects[2]}\n\n../../../gone\n")
    (objects[2] / "info/alternates").write_text(f"../../../r/.git/objects\n{objects[1]}\n")
    assert object_directories(objects[1]) == [objects[1], objects[2], objects[0]]
    assert Repository(other.path).read(made.blob) == ("blob", CONTENT)
    made.file.write_bytes(made.file.read_bytes()[:20])
    with pytest.raises(MissingObject):
        Repository(other.path).read(made.blob)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    made = GitRepository(tmp_path_factory.mktemp("packed") / "r")
    made.commit("one", a="1" * 500)
    made.head = made.commit("two", a="1" * 499 + "2")
    made.git("repack", "-adq")
    (made.pack,) = (made.path / ".git/objects/pack").glob("*.pack")
    made.whole = made.pack.read_bytes()
    return made


@settings(max_examples=200)
@given(st.data())
def test_no_damage_to_a_pack_hangs_or_changes_an_object(packed, data):
    at = data.draw(st.integers(0, len(packed.whole) - 1))
    new = data.draw(st.binary(max_size=4))
    rest = b"" if data.draw(st.booleans()) else packed.whole[at + len(new) :]
    packed.pack.unlink()
    packed.pack.write_bytes(packed.whole[:at] + new + rest)
    signal.alarm(20)
    try:
        kind, raw = Repository(packed.path).read(packed.head)
    except (MissingObject, OversizedObject):  # damage may make it seem larger than anything may be
        pass
    else:
        assert (kind, raw[-4:]) == ("commit", b"two\n")
    finally:
        signal.alarm(0)


def test_no_directories_no_files():
    LooseFiles([]).check(b"\1" * 20)
