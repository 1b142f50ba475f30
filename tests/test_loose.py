"""Loose objects are looked at before libgit2 reads them."""

import signal
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitverify.errors import MissingObject
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
        (zlib.compress(b"blob 481\0" + CONTENT), "ends early"),
        (zlib.compress(b"blob 479\0" + CONTENT), "longer than it says"),
        (zlib.compress(b"blob 0480\0" + CONTENT), "no header"),
        (zlib.compress(b"blob 99999999999\0" + CONTENT), "larger than"),
        (zlib.compress(b"bulb 480\0" + CONTENT), "no header"),
        (zlib.compress(b"blob"), "ends early"),
        (b"not zlib", "can't be inflated"),
        (b"", "ends early"),
        (zlib.compress(b"blob 480\0" + CONTENT.upper()), "mismatch|damaged"),
        (zlib.compress(b"blob 9000000\0" + bytes(9_000_001)), "longer than it says"),
    ],
)
def test_what_is_wrong_with_a_file(made, data, flaw):
    made.file.write_bytes(data)
    with pytest.raises(MissingObject, match=flaw):
        Repository(made.path).read(made.blob)


def test_a_file_that_can_not_be_opened(made):
    made.file.unlink()
    made.file.mkdir()
    with pytest.raises(MissingObject, match="damaged"):
        Repository(made.path).read(made.blob)


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
    except MissingObject:
        pass
    else:
        assert (kind, raw[-4:]) == ("commit", b"two\n")
    signal.alarm(0)


def test_no_directories_no_files():
    LooseFiles([]).check(b"\1" * 20)
