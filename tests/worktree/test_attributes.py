"""Attributes, compared with ``git check-attr``."""

from types import SimpleNamespace

import pytest
from gitrepo import GitRepository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitverify.objects.tree import TreeEntry
from gitverify.worktree.attributes import parse_attributes, resolve
from gitverify.worktree.folder import Folder, Objects

NAMES = ["text", "eol", "crlf", "filter", "ident", "diff", "x"]
PATHS = ["f.c", "f.bat", "a/f.c", "a/f.bat", "a/b/f.c", 'q"uote', "sp ace", "a b/f.c"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    repository = GitRepository(tmp_path_factory.mktemp("attributes"))
    (repository.path / "a").mkdir()
    return repository


def by_git(files, root, inner):
    (files.path / ".gitattributes").write_bytes(root)
    (files.path / "a" / ".gitattributes").write_bytes(inner)
    paths = b"".join(path.encode() + b"\0" for path in PATHS)
    fields = files.git("check-attr", "-z", "--stdin", *NAMES, stdin=paths).split("\0")
    return {tuple(fields[at : at + 2]): fields[at + 2] for at in range(0, len(fields) - 1, 3)}


def by_us(root, inner):
    content = {b"r" * 20: root, b"i" * 20: inner}
    trees = {
        b"1": {b".gitattributes": TreeEntry(b"100644", b"r" * 20)},
        b"2": {b".gitattributes": TreeEntry(b"100755", b"i" * 20)},
    }
    objects = Objects(SimpleNamespace(read=lambda name: ("blob", content[name])), SimpleNamespace(entries=trees.get))
    found = {}
    for path in PATHS:
        names = tuple(path.encode().split(b"/"))
        folder = Folder(objects, (), b"1")
        for depth in range(1, len(names)):
            folder = Folder(objects, names[:depth], b"2" if names[:depth] == (b"a",) else None, folder)
        attributes = folder.attributes(names)
        for name in NAMES:
            found[path, name] = spelt(attributes.get(name.encode()))
    return found


def spelt(value):
    return {True: "set", False: "unset", None: "unspecified"}[value] if not isinstance(value, bytes) else value.decode()


PATTERNS = [
    "*",
    "*.c",
    "f.bat",
    "/f.c",
    "a/*",
    "**/f.c",
    "b/",
    "[attr]m",
    "[attr]x",
    "[attr]binary",
    "!f.c",
    "#f",
    "[attr]",
]
QUOTED = ['"q\\"uote"', '"sp ace"', '"\\163p ace"', '"f.c', '"f\\q.c"', '"[attr]m"', "\t*.c"]
STATES = ["text", "-text", "!text", "text=auto", "text=input", "eol=crlf", "eol=lf", "crlf", "-crlf", "crlf=input"]
OTHERS = ["binary", "-binary", "m", "x", "x=", "x=a=b", "filter=lfs", "-filter", "ident", "-", "=", "b@d", "--x", ""]
LINES = st.lists(
    st.builds(
        lambda pattern, blank, states: pattern + blank + blank.join(states),
        st.sampled_from(PATTERNS + QUOTED),
        st.sampled_from([" ", "\t", "  ", " \r"]),
        st.lists(st.sampled_from(STATES + OTHERS), max_size=4),
    ),
    max_size=5,
).map(lambda lines: "\n".join(lines).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, LINES)
def test_as_git_says(files, root, inner):
    # A macro may be defined in the root only; git says so and does without the line.
    assert by_us(root, inner) == by_git(files, root, inner)


def attributes(raw, name=b"a"):
    return resolve([(parse_attributes(raw), (name,))])


def test_macros_that_name_each_other():
    assert attributes(b"[attr]m n\n[attr]n m text\n* m") == {b"m": True, b"n": True, b"text": True}


def test_a_long_chain_of_macros():
    chain = b"".join(b"[attr]m%d m%d\n" % (at, at + 1) for at in range(20_000))
    assert attributes(chain + b"* m0")[b"m20000"] is True


def test_lines_that_are_too_long_do_not_count():
    assert attributes(b"* text" + b" " * 2041) == {b"text": True}
    assert attributes(b"* text" + b" " * 2042) == {}


@given(st.binary(max_size=60))
def test_any_bytes(raw):
    attributes(raw)
