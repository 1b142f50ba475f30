"""Submodules: not checked out, or just what the commit records."""

import os
import re
import shutil

import pytest
from worktree.checkout import Checkout, kinds


@pytest.fixture
def nesting(tmp_path):
    """A checkout with the submodule ``sub``, which is checked out, and has one of its own, which is not."""
    inner = Checkout(tmp_path / "inner")
    outer = Checkout(
        tmp_path / "outer", **{".gitattributes": "*.bat eol=crlf\n", "a.bat": "a\n", ".gitignore": "*.o\n"}
    )
    allow = ("-c", "protocol.file.allow=always")
    outer.git(*allow, "submodule", "add", "-q", str(inner.path), "deeper")
    outer.git("commit", "-q", "-m", "deeper")
    made = Checkout(tmp_path / "checkout")
    made.git(*allow, "submodule", "add", "-q", str(outer.path), "sub")
    made.git("commit", "-q", "-m", "sub")
    made.head = bytes.fromhex(outer.git("rev-parse", "HEAD"))
    made.deeper = bytes.fromhex(inner.git("rev-parse", "HEAD"))
    made.sub = made.path / "sub"
    return made


def test_a_submodule_is_compared_with_what_is_recorded(nesting):
    found = nesting.compare()
    assert not found.differences
    assert found.submodules == [(b"sub", nesting.head, True), (b"sub/deeper", nesting.deeper, False)]
    assert found.converted == [b"sub/a.bat"], "its own attributes count in it"
    assert found.files == 6 + 9


@pytest.mark.parametrize("left", ["nothing", "an empty directory"])
def test_a_submodule_need_not_be_checked_out(nesting, left):
    shutil.rmtree(nesting.sub)
    if left != "nothing":
        nesting.sub.mkdir()
    found = nesting.compare()
    assert not found.differences
    assert found.submodules == [(b"sub", nesting.head, False)]


def test_changes_in_a_submodule(nesting):
    nesting.put({"sub/README": "other", "sub/new": "x", "sub/a.o": "x"})
    assert kinds(nesting.differences()) == {"sub/README": "modified", "sub/new": "added", "sub/a.o": "ignored"}
    assert kinds(nesting.differences("/sub/*.o")) == {"sub/README": "modified", "sub/new": "added"}


def test_changes_in_a_submodule_of_a_submodule(nesting):
    nesting.git("-C", "sub", "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
    found = nesting.compare()
    assert not found.differences
    assert found.submodules[1] == (b"sub/deeper", nesting.deeper, True)
    nesting.put({"sub/deeper/lib/a": "other"})
    assert kinds(nesting.differences()) == {"sub/deeper/lib/a": "modified"}


def test_a_submodule_at_another_commit(nesting):
    nesting.git("-C", "sub", "commit", "-q", "--allow-empty", "-m", "more")
    (message,) = nesting.differences().values()
    assert message.startswith("modified: the submodule is at ")
    assert nesting.head.hex() in message
    nesting.git("-C", "sub", "checkout", "-q", "--orphan", "unborn")
    assert "is at no commit" in nesting.differences()["sub/"]


def test_files_where_a_submodule_should_be(nesting):
    (nesting.sub / ".git").unlink()
    assert nesting.differences() == {"sub/": "added: files are where the commit has a submodule"}
    shutil.rmtree(nesting.sub)
    nesting.put({"sub": "x"})
    assert nesting.differences() == {"sub": "modified: a file is where the commit has a submodule"}
    nesting.sub.unlink()
    nesting.sub.symlink_to(nesting.path.parent / "outer")
    assert nesting.differences() == {"sub": "modified: a symlink is where the commit has a submodule"}


@pytest.mark.parametrize(
    "content",
    ["gitdir: ../.git\n", "gitdir: /nowhere\n", "nonsense", "gitdir: ../../outer/.git\n", ""],
)
def test_a_submodule_whose_repository_is_another(nesting, content):
    """Of the repository it leads to the same commit may be had: but it has its checkout elsewhere."""
    (nesting.sub / ".git").write_text(content)
    found = nesting.differences()
    assert set(found) == {"sub/"}
    assert re.search("can't be opened|no repository of its own", found["sub/"])


def test_a_pipe_where_the_repository_should_be(nesting):
    (nesting.sub / ".git").unlink()
    os.mkfifo(nesting.sub / ".git")
    assert nesting.differences() == {"sub/": "modified: its .git leads to no repository of its own"}


def test_a_submodule_whose_objects_are_missing(nesting):
    modules = nesting.path / ".git" / "modules" / "sub" / "objects"
    tree = nesting.git("-C", "sub", "rev-parse", "HEAD:lib")
    (modules / tree[:2] / tree[2:]).unlink()
    found = nesting.differences()
    assert set(found) == {"sub/lib/"}
    assert "can't be compared" in found["sub/lib/"]
    commit = nesting.head.hex()
    (modules / commit[:2] / commit[2:]).unlink()
    assert "can't be compared" in nesting.differences()["sub/"]


def test_a_submodule_that_records_no_commit(nesting):
    blob = nesting.git("rev-parse", "HEAD:README")
    nesting.git("update-index", "--cacheinfo", f"160000,{blob},sub")
    nesting.git("commit", "-q", "-m", "odd")
    nesting.git("-C", "sub", "hash-object", "-w", "README")
    (nesting.path / ".git/modules/sub/HEAD").write_text(blob + "\n")
    assert "is a blob" in nesting.differences()["sub/"]
