"""Contents out of a real repository: of any size that is allowed, hashed like everything else."""

import zlib
from functools import partial

import pytest
from gitrepo import GitRepository

from gitverify.errors import MissingObject, OversizedObject
from gitverify.export.walk import show_tree
from gitverify.limits import LIMITS
from gitverify.nix.nar import nar_hash
from gitverify.source import Repository
from tests.nix import nixtrees as trees
from tests.nix.nixtrees import Executable, Link

LARGE = bytes(range(256)) * (LIMITS.blob_size // 256) + b"x"


@pytest.fixture(params=["loose", "packed"])
def made(request, tmp_path):
    made = GitRepository(tmp_path / "r")
    made.large = bytes.fromhex(made.git("hash-object", "-w", "--stdin", stdin=LARGE))
    made.commit("one", a="1")
    made.tree = bytes.fromhex(made.git("rev-parse", "HEAD^{tree}"))
    if request.param == "packed":
        made.git("update-ref", "refs/large", made.large.hex())
        made.git("repack", "-adq")
    return made


def test_more_than_what_is_parsed(made):
    repository = Repository(made.path)
    assert repository.content(made.large, len(LARGE)) == LARGE
    with pytest.raises(OversizedObject):
        repository.content(made.large, len(LARGE) - 1)
    with pytest.raises(OversizedObject):
        repository.read(made.large)


def test_other_kinds_have_none(made):
    assert Repository(made.path).content(made.tree, 1000) is None


def test_content_of_another_id_is_no_content(made):
    repository = Repository(made.path)
    assert repository.content(made.large, len(LARGE)) is not None
    where = made.path / ".git/objects" / ("00" * 20)[:2] / ("00" * 20)[2:]
    where.parent.mkdir(exist_ok=True)
    where.write_bytes(zlib.compress(b"blob 1\0x"))
    with pytest.raises(MissingObject, match="is damaged"):
        repository.content(bytes(20), 10)


def test_a_tree_of_a_real_repository(tmp_path):
    made = GitRepository(tmp_path / "r")
    tree = {b"a": {b"x": b"1", b"l": Link(b"../b")}, b"a.b": Executable(b"2"), b"a-b": b"3"}
    trees.write(tree, tmp_path / "t")
    made.git("--work-tree", str(tmp_path / "t"), "add", "-A")
    made.git("commit", "-qm", "all")
    tree_id = bytes.fromhex(made.git("rev-parse", "HEAD^{tree}"))
    assert nar_hash(partial(show_tree, Repository(made.path), tree_id)) == nar_hash(partial(trees.show, tree))
