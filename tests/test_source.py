"""The adapter over pygit2: raw objects that hash to their id, whatever else the repository says (R5)."""

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

import pytest

from gitverify.errors import MissingObject
from gitverify.objects.commit import parse_commit
from gitverify.source import Repository, RepositoryError
from tests.gitrepo import GitRepository


@pytest.fixture
def made(tmp_path):
    made = GitRepository(tmp_path / "r")
    made.first = made.commit("first", a="1")
    made.second = made.commit("second", a="2")
    return made


def test_reads_raw_objects(made):
    repository = Repository(made.path)
    kind, raw = repository.read(made.second)
    assert kind == "commit"
    assert parse_commit(raw).parents == (made.first,)
    assert repository.read(parse_commit(raw).tree)[0] == "tree"


def test_is_found_from_below_and_knows_its_places(made):
    (made.path / "sub").mkdir()
    repository = Repository(made.path / "sub")
    assert repository.worktree == made.path
    assert repository.common_directory == made.path / ".git"
    made.git("worktree", "add", "-q", "../linked")
    linked = Repository(made.path.parent / "linked")
    assert linked.common_directory == made.path / ".git"
    assert linked.worktree == made.path.parent / "linked"


def test_a_bare_one_has_no_worktree(tmp_path):
    made = GitRepository(tmp_path / "b.git", "--bare")
    assert Repository(made.path).worktree is None


def test_what_is_not_there_is_missing(made):
    with pytest.raises(MissingObject, match="not in this repository"):
        Repository(made.path).read(b"\1" * 20)


def test_grafts_replace_refs_and_shallow_change_nothing(made):
    other = made.git("commit-tree", "-m", "other", f"{made.first.hex()}^{{tree}}")
    made.git("replace", made.second.hex(), other)
    info = made.path / ".git/info"
    (info / "grafts").write_text(f"{made.second.hex()}\n")
    (made.path / ".git/shallow").write_text(f"{made.second.hex()}\n")
    assert parse_commit(Repository(made.path).read(made.second)[1]).parents == (made.first,)


def test_a_loose_object_under_another_id_is_refused(made):
    raw = Repository(made.path).read(made.second)[1].replace(b"second", b"sekond")
    where = made.path / ".git/objects" / made.second.hex()[:2] / made.second.hex()[2:]
    where.chmod(0o644)
    where.write_bytes(zlib.compress(b"commit %d\0" % len(raw) + raw))
    with pytest.raises(MissingObject, match="is damaged"):
        Repository(made.path).read(made.second)


def test_a_pack_index_that_lies_is_refused(made):
    """The pack and its index are whole, but the index gives one object the place of another."""
    made.git("repack", "-adq")
    (index,) = (made.path / ".git/objects/pack").glob("*.idx")
    raw = bytearray(index.read_bytes())
    total = int.from_bytes(raw[8 + 255 * 4 : 8 + 256 * 4], "big")
    names = 8 + 256 * 4
    ids = [bytes(raw[names + 20 * i : names + 20 * i + 20]) for i in range(total)]
    offsets = names + 24 * total
    one, two = (offsets + 4 * ids.index(commit) for commit in (made.first, made.second))
    raw[one : one + 4], raw[two : two + 4] = raw[two : two + 4], raw[one : one + 4]
    index.chmod(0o644)
    index.write_bytes(raw)
    with pytest.raises(MissingObject, match="is damaged"):
        Repository(made.path).read(made.first)


def test_references(made):
    made.git("tag", "-a", "-m", "t", "v1")
    repository = Repository(made.path)
    assert repository.reference("refs/heads/main") == made.second
    assert repository.reference("HEAD") == made.second
    assert repository.reference("refs/heads/none") is None
    assert repository.reference("bad..name") is None
    assert repository.symbolic("HEAD") == "refs/heads/main"
    assert repository.symbolic("refs/heads/main") is None
    assert repository.symbolic("refs/heads/none") is None
    assert repository.revparse("main@{1}") == made.first
    assert repository.revparse("main@{9}") is None
    assert repository.expand(made.first.hex()[:10]) == [made.first]
    assert repository.expand("0" * 10) == []


def test_an_abbreviation_of_several_objects(made):
    seen = {}
    for number in range(3000):
        content = b"%d" % number
        prefix = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()[:4]
        if prefix in seen:
            break
        seen[prefix] = content
    for blob in (content, seen[prefix]):
        made.git("hash-object", "-w", "--stdin", stdin=blob)
    assert len(Repository(made.path).expand(prefix)) == 2


def test_configuration_with_its_origin(made, tmp_path):
    (tmp_path / "other.cfg").write_text("[gitverify]\nsigner = X\n")
    made.git("config", "gitverify.policyPath", "A/b")
    made.git("config", "include.path", str(tmp_path / "other.cfg"))
    found = {entry.name: entry for entry in Repository(made.path).config()}
    assert found["gitverify.policypath"].value == "A/b"
    assert found["gitverify.policypath"].origin == made.path / ".git/config"
    assert found["gitverify.signer"].origin == tmp_path / "other.cfg"


def test_configuration_is_written_to_the_repositorys_own_file(made):
    Repository(made.path).set_config("gitverify.branch:a/b.c.introduction", "x")
    assert made.git("config", "gitverify.branch:a/b.c.introduction") == "x"
    with pytest.raises(RepositoryError):
        Repository(made.path).set_config("nonsense", "x")


def test_no_repository(tmp_path):
    with pytest.raises(RepositoryError) as caught:
        Repository(tmp_path)
    assert caught.value.code == "not-a-repository"
    (tmp_path / ".git").mkdir()
    with pytest.raises(RepositoryError) as caught:
        Repository(tmp_path / "nowhere")
    assert caught.value.code == "not-a-repository"


def test_a_sha256_repository_is_not_supported_and_a_partial_clone_is(tmp_path):
    other = GitRepository(tmp_path / "s", "--object-format=sha256")
    with pytest.raises(RepositoryError) as caught:
        Repository(other.path)
    assert caught.value.code == "unsupported-repository"
    partial = GitRepository(tmp_path / "p")
    partial.git("config", "core.repositoryFormatVersion", "1")
    partial.git("config", "extensions.partialClone", "origin")
    assert Repository(partial.path).worktree == partial.path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_a_repository_of_another_user_is_refused(made):
    subprocess.run(["chown", "-R", "65534", made.path], check=True)
    with pytest.raises(RepositoryError) as caught:
        Repository(made.path)
    assert caught.value.code == "repository-owner"
    assert "safe.directory" in str(caught.value)
    assert isinstance(made.path, Path)


def test_an_object_that_takes_more_memory_than_there_is_can_not_be_read(made):
    """A delta may need far more than its result, whose size is all that can be asked before."""

    class Exhausted:
        def read_header(self, _):
            return 3, 10

        def read(self, _):
            raise MemoryError

    repository = Repository(made.path)
    repository._packed = Exhausted()
    with pytest.raises(MissingObject, match="more memory to read than there is") as caught:
        repository.read(made.first)
    assert not caught.value.absent
