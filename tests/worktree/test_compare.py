"""A checkout compared with its commit: content, what is missing, what is added."""

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worktree.checkout import Checkout, kinds

from gitverify.errors import MalformedTree, MissingObject
from gitverify.limits import LIMITS
from gitverify.source import Repository
from gitverify.worktree import files as worktree_files
from gitverify.worktree.compare import compare
from gitverify.worktree.files import read_file


def test_a_checkout_equals_its_commit(made):
    found = made.compare()
    assert not found.differences
    assert found.files == 5
    assert not found.submodules + found.allowed + found.converted


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree", "--fsmonitor-valid"])
def test_what_the_index_says_does_not_count(made, flag):
    """Another content of the same size, with the times of the old one, marked as not to be looked at."""
    path = made.path / "README"
    before = path.stat()
    path.write_text("that is README\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    made.git("update-index", flag, "README")
    assert kinds(made.differences()) == {"README": "modified"}


def test_a_staged_file_is_compared_with_the_commit(made):
    made.put({"README": "other\n", "new": "x"})
    made.git("add", "-A")
    assert kinds(made.differences()) == {"README": "modified", "new": "added"}


def test_without_an_index(made):
    (made.path / ".git" / "index").unlink()
    assert not made.differences()


def test_another_commit_than_head(made):
    made.commit("second", README="two\n")
    assert not made.differences()
    assert kinds(made.differences(rev="HEAD~1")) == {"README": "modified"}


@pytest.mark.parametrize("packed", [True, False])
def test_files_larger_than_memory_should_hold(made, packed):
    size = LIMITS.blob_size + 1
    made.put({"large": b"x" * size})
    made.git("add", "large")
    made.git("commit", "-q", "-m", "large")
    if packed:
        made.git("gc", "-q")
    assert not made.differences()
    made.put({"large": b"x" * (size - 1) + b"y"})
    assert kinds(made.differences()) == {"large": "modified"}
    made.put({"large": b"x" * (size + 1)})
    assert kinds(made.differences()) == {"large": "modified"}
    made.put({"large": b"x"})
    assert kinds(made.differences()) == {"large": "modified"}


def test_a_small_file_that_became_large(made):
    made.put({"README": b"x" * (LIMITS.blob_size + 1)})
    assert made.differences() == {"README": "modified: other content than in the commit"}


def test_a_blob_is_not_needed(made):
    """As in a partial clone: what a file hashes to says all."""
    blob = made.git("rev-parse", "HEAD:README")
    (made.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert not made.differences()
    made.put({"README": "other"})
    assert made.differences() == {"README": "modified: other content than in the commit"}


def test_a_file_that_can_not_be_read(made, monkeypatch):
    def refuse(name, flags, **how):
        if name in {b"README", b"deep"}:
            raise PermissionError(13, "Permission denied")
        return opened(name, flags, **how)

    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    assert made.differences() == {
        "README": "modified: it can't be read: Permission denied",
        "lib/deep/": "modified: it can't be listed: Permission denied",
    }


def test_a_file_whose_size_is_not_what_it_was(tmp_path):
    """Files of /proc have the size 0 and content none the less, as one that grows would."""
    handle = os.open("/proc/self", os.O_RDONLY)
    try:
        found = read_file(b"environ", handle, b"x" * 20, None)
    finally:
        os.close(handle)
    assert found.content


def test_a_file_that_grows_without_end_is_not_kept(monkeypatch):
    monkeypatch.setattr(worktree_files.os, "read", lambda *_: b"x" * (1 << 20))
    assert worktree_files._content(0, 10) is None


def test_missing(made):
    (made.path / "README").unlink()
    (made.path / "link").unlink()
    shutil.rmtree(made.path / "lib")
    assert made.differences() == {
        "README": "missing",
        "link": "missing",
        "lib/": "missing, with all that is below it",
    }


def test_a_sparse_checkout_lacks_files(made):
    made.git("sparse-checkout", "set", "--no-cone", "/README")
    assert made.differences() == {
        "lib/": "missing, with all that is below it; this is a sparse checkout",
        "link": "missing; this is a sparse checkout",
        "run": "missing; this is a sparse checkout",
    }


@pytest.mark.parametrize("name", ["readme", "ReadMe"])
def test_a_file_system_that_keeps_no_case(made, name):
    (made.path / "README").rename(made.path / name)
    found = made.differences()
    assert kinds(found) == {"README": "missing", name: "added"}
    assert f"“{name}” is there" in found["README"]


def test_a_file_system_with_another_form_of_unicode(tmp_path):
    made = Checkout(tmp_path / "checkout", café="x")
    (made.path / "caf\u00e9").rename(made.path / "cafe\u0301")
    found = made.differences()
    assert kinds(found) == {"caf\u00e9": "missing", "cafe\u0301": "added"}
    assert "is there" in found["caf\u00e9"]


def test_added(made):
    made.put({"new": "x", "lib/new": "x", "more/a": "x", "more/b/c": "x"})
    (made.path / "empty").mkdir()
    assert kinds(made.differences()) == {"new": "added", "lib/new": "added", "more/": "added", "empty/": "added"}


def test_what_the_clone_ignores_is_added_all_the_same(made):
    """Nor can it be allowed: --allow-ignored is about what the commit ignores."""
    (made.path / ".git" / "info").mkdir(exist_ok=True)
    (made.path / ".git" / "info" / "exclude").write_text("*\n")
    (made.path.parent / "excludes").write_text("*\n")
    made.git("config", "core.excludesFile", str(made.path.parent / "excludes"))
    made.put({"new": "x"})
    assert kinds(made.differences()) == {"new": "added"}
    assert kinds(made.differences("*")) == {"new": "added"}
    assert "--allow-ignored" in made.differences("new")["new"]


def test_names_that_are_no_utf8(made):
    name = os.fsencode(made.path) + b"/\xff\xfe"
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(b"x")
    assert [path for path, _ in made.compare().differences] == [b"\xff\xfe"]
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "odd")
    assert not made.differences()
    os.unlink(name)  # noqa: PTH108
    assert [path for path, _ in made.compare().differences] == [b"\xff\xfe"]


def test_names_with_a_newline(tmp_path):
    made = Checkout(tmp_path / "checkout", **{"a\nb": "x"})
    assert not made.differences()
    made.put({"a\nb": "y"})
    assert kinds(made.differences()) == {"a\nb": "modified"}


@pytest.mark.parametrize("name", ["lib/.git", "lib/deep/.git"])
@pytest.mark.parametrize("kind", ["directory", "file"])
def test_a_repository_inside(made, name, kind):
    if kind == "directory":
        made.git("init", "-q", str((made.path / name).parent))
    else:
        (made.path / name).write_text("gitdir: /elsewhere\n")
    assert kinds(made.differences()) == {name + ("/" if kind == "directory" else ""): "added"}


def test_a_linked_worktree(made):
    made.git("worktree", "add", "-q", "../linked")
    linked = made.path.parent / "linked"
    assert (linked / ".git").is_file()
    assert not made.differences(path=linked)
    (linked / "new").write_text("x")
    assert kinds(made.differences(path=linked)) == {"new": "added"}
    assert not made.differences()


def test_deep_directories(tmp_path):
    path = "/".join("d" * 300)
    made = Checkout(tmp_path / "checkout", **{f"{path}/f": "x"})
    assert not made.differences()
    made.put({f"{path}/f": "y"})
    assert kinds(made.differences()) == {f"{path}/f": "modified"}


def test_a_tree_that_is_missing(made):
    tree = made.git("rev-parse", "HEAD:lib/deep")
    (made.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(MissingObject) as raised:
        made.compare()
    assert raised.value.object_id.hex() == tree


def test_a_tree_that_is_malformed(made):
    blob = made.raw("rev-parse", "HEAD:README").strip()
    odd = b"100644 .GIT\0" + bytes.fromhex(blob.decode())
    inner = made.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=odd)
    tree = made.git("mktree", stdin=f"040000 tree {inner}\tlib\n".encode())
    commit = made.git("commit-tree", "-m", "odd", tree)
    with pytest.raises(MalformedTree, match=r"“lib” .*\.GIT"):
        made.compare(rev=commit)


def test_a_checkout_that_is_gone(made):
    tree = bytes.fromhex(made.git("rev-parse", "HEAD^{tree}"))
    repository = Repository(made.path)
    gone = compare(repository, made.path / "gone", tree, (), lambda _: None)
    assert gone.differences == [(b"./", "modified: it can't be listed: No such file or directory")]


def _modify(path):
    path.write_text("other")


def _directory(path):
    path.unlink()
    path.mkdir()
    (path / "x").write_text("")


def _link(path):
    path.unlink()
    path.symlink_to("x")


CHANGES = {
    "modify": _modify,
    "touch": lambda path: path.touch(),
    "remove": lambda path: path.unlink(),
    "directory": _directory,
    "link": _link,
    "executable": lambda path: path.chmod(0o755),
    "plain": lambda path: path.chmod(0o644),
    "beside": lambda path: path.with_name("beside").write_text(""),
    "ignored": lambda path: path.with_name("beside.o").write_text(""),
    "nothing": lambda _: None,
}
NAMES = ["README", "lib/a", "lib/deep/b", "run", ".gitignore"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(sorted(CHANGES))), max_size=3))
def test_git_status_says_the_same(tmp_path_factory, changes):
    made = Checkout(tmp_path_factory.mktemp("random") / "checkout", **{".gitignore": "*.o\n"})
    for name, change in changes:
        path = made.path / name
        if path.is_file() and not path.is_symlink():
            CHANGES[change](path)
    status = made.raw("status", "--porcelain", "--ignored", "-z", "--no-renames").decode()
    expected = {line[3:].rstrip("/") for line in status.split("\0") if line}
    found = {path.rstrip("/") for path in made.differences()}
    assert bool(found) == bool(expected), status
    assert all(any(path == other or other.startswith(path + "/") for other in expected) for path in found), status
