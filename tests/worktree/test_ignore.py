"""What is ignored, compared with ``git check-ignore``."""

from types import SimpleNamespace

import pytest
from gitrepo import GitRepository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitverify.objects.tree import TreeEntry
from gitverify.worktree.folder import Folder, Objects
from gitverify.worktree.ignore import decide, parse_ignore

PATHS = [
    f"{folder}{name}"
    for folder in ("", "a/", "a/b/", "b/", "a.b/a/")
    for name in ("f", "x.o", ".x", "[a]", "\\", "a-b", "!c", "d ", "#e", "é", "A", "aaab")
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    repository = GitRepository(tmp_path_factory.mktemp("ignore"))
    for path in PATHS:
        (repository.path / path).parent.mkdir(parents=True, exist_ok=True)
        (repository.path / path).write_text("")
    (repository.path / ".git" / "info").mkdir(exist_ok=True)
    (repository.path / ".git" / "info" / "exclude").write_text("/always\n")
    return repository


def by_git(files, root, inner):
    (files.path / ".gitignore").write_bytes(root)
    (files.path / "a" / ".gitignore").write_bytes(inner)
    names = b"".join(path.encode() + b"\0" for path in PATHS)
    # Where none is ignored the exit status is not 0.
    done = files.git("check-ignore", "--no-index", "-z", "--stdin", stdin=names + b"always\0")
    return set(done.split("\0")) - {"", "always"}


def by_us(root, inner):
    """As a comparison does it: from the root down, what lies in an ignored directory being ignored."""
    content = {b"r" * 20: root, b"i" * 20: inner}
    trees = {
        b"1": {b".gitignore": TreeEntry(b"100644", b"r" * 20)},
        b"2": {b".gitignore": TreeEntry(b"100644", b"i" * 20)},
    }
    objects = Objects(SimpleNamespace(read=lambda name: ("blob", content[name])), SimpleNamespace(entries=trees.get))
    ignored = set()
    for path in PATHS:
        names = tuple(path.encode().split(b"/"))
        folder = Folder(objects, (), b"1")
        for depth in range(1, len(names)):
            below = Folder(objects, names[:depth], b"2" if names[:depth] == (b"a",) else None, folder)
            below.ignored = folder.ignores(names[:depth], directory=True)
            folder = below
        if folder.ignores(names, directory=False):
            ignored.add(path)
    return ignored


LINES = st.lists(
    st.text(st.sampled_from("abfxo.*?[]!-/\\ #A^:é"), max_size=7)
    | st.sampled_from(
        ["*", "!a", "!*.o", "**/f", "a/**", "a/**/x.o", "/a/", "b/", "!b/", "[[:alpha:]]", "*.o\r", "d\\ "]
    ),
    max_size=5,
).map(lambda lines: "\n".join(lines).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, LINES)
def test_as_git_says(files, root, inner):
    assert by_us(root, inner) == by_git(files, root, inner)


@pytest.mark.parametrize(
    ("raw", "name", "verdict"),
    [
        (b"\xef\xbb\xbfa", b"a", True),
        (b"# a\na", b"a", True),
        (b"a\r\n", b"a", True),
        (b"a  ", b"a", True),
        (b"a\\ ", b"a ", True),
        (b"a\\\\ ", b"a\\", True),
        (b"*\n!a", b"a", False),
        (b"a\0b", b"a", True),
        (b"!", b"a", None),
        (b"", b"a", None),
    ],
)
def test_lines(raw, name, verdict):
    assert decide(parse_ignore(raw), (name,), directory=False) is verdict


@given(st.binary(max_size=60))
def test_any_bytes(raw):
    decide(parse_ignore(raw), (b"a", b"b"), directory=True)
