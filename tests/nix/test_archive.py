"""The archive form of a commit, compared with what git archive writes."""

import io
import tarfile
from functools import partial

import pytest
from gitrepo import GitRepository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitverify.export.visitor import Unfit
from gitverify.nix.archive import Undecidable, show_archive
from gitverify.nix.nar import nar_hash
from gitverify.objects.commit import Commit, parse_commit
from gitverify.source import Repository
from tests.export.objects import Objects
from tests.nix import nixtrees as trees


def commit(place, files):
    """Commit files, by their paths; a value that is a pair is (mode, content)."""
    repository = GitRepository(place)
    lines = []
    for path, value in files.items():
        mode, content = value if isinstance(value, tuple) else ("100644", value)
        blob = "1" * 40 if mode == "160000" else repository.git("hash-object", "-w", "--stdin", stdin=content)
        lines.append(f"{mode} {blob}\t{path}\0")
    repository.git("update-index", "-z", "--index-info", stdin="".join(lines).encode())
    tree = repository.git("write-tree")
    done = repository.git("commit-tree", "-m", "One", tree)
    return repository, bytes.fromhex(done)


def ours(repository, commit_id, **options):
    source = Repository(repository.path)
    parsed = parse_commit(source.read(commit_id)[1])
    return nar_hash(lambda visitor: show_archive(source, commit_id, parsed, visitor, **options))


def gits(repository, commit_id):
    found = {}
    written = repository.raw("archive", "--format=tar", commit_id.hex() + ":")  # a tree's has no header of its own
    if not written.strip(b"\0"):
        return nar_hash(partial(trees.show, {}))
    if b"$Format:" in written:
        written = repository.raw("archive", "--format=tar", commit_id.hex())
    with tarfile.open(fileobj=io.BytesIO(written)) as tar:
        for member in tar:
            *folders, name = member.name.encode().split(b"/")
            place = found
            for folder in folders:
                place = place.setdefault(folder, {})
            if member.isdir():
                place.setdefault(name, {})
            elif member.issym():
                place[name] = trees.Link(member.linkname.encode())
            else:
                content = tar.extractfile(member).read()
                place[name] = trees.Executable(content) if member.mode & 0o100 else content
    return nar_hash(partial(trees.show, found))


FORMAT = b"a $Format:%H %T %P|%an %ae %at %cn %ce %ct%n%%$ b $Format:$ $Format:%H"
FILES = {
    "a/b/one": b"1",
    "a/b/two": b"2",
    "a/three": b"3",
    "run": ("100755", b"#!"),
    "link": ("120000", b"a/three"),
    "module": ("160000", b""),
    "empty": b"",
    "version": FORMAT,
}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {".gitattributes": b"/a export-ignore\n"},
        {".gitattributes": b"a/ export-ignore\n"},
        {".gitattributes": b"a/b/** export-ignore\n"},
        {".gitattributes": b"a/** export-ignore\n"},
        {".gitattributes": b"b export-ignore\n* -export-ignore\n"},
        {".gitattributes": b"* export-ignore\na -export-ignore\nthree -export-ignore\n"},
        {".gitattributes": b"one export-ignore\n", "a/.gitattributes": b"b/one !export-ignore\n"},
        {
            ".gitattributes": b"one export-ignore\n",
            "a/b/.gitattributes": b"* -export-ignore\n.gitattributes export-ignore",
        },
        {".gitattributes": b"module export-ignore\nlink export-ignore"},
        {".gitattributes": b"module/ export-ignore\nlink/ export-ignore"},
        {".gitattributes": b"[attr]gone export-ignore\nrun gone\n"},
        {".gitattributes": b"run export-ignore=yes\n"},
        {".gitattributes": b"version export-subst\nlink export-subst\n"},
        {".gitattributes": b"version export-subst=1\n"},
        {".gitattributes": b"* eol=crlf\n", "lines": b"1\n2\n"},
        {".gitattributes": b"* text=auto eol=crlf export-subst\n", "lines": b"1\n\r\n2\n"},
        {".gitattributes": b"version ident\n"},
        {".gitattributes/x": b"* export-ignore\n"},
    ],
)
def test_what_git_archives(attributes, tmp_path):
    repository, commit_id = commit(tmp_path, FILES | attributes)
    assert ours(repository, commit_id) == gits(repository, commit_id)


NAMES = st.sampled_from(["a", "b", "c", "a/a", "a/b", "b/a/c", "b/c"])
PATTERNS = st.sampled_from(["a", "b", "c", "/a", "a/", "/b/a", "b/**", "**/c", "*", "b/*", "[ab]", "?"])
LINES = st.lists(st.tuples(PATTERNS, st.sampled_from(["", "-", "!"])), max_size=4).map(
    lambda lines: "".join(f"{pattern} {sign}export-ignore\n" for pattern, sign in lines).encode()
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1), root=LINES, inner=LINES)
def test_what_git_archives_of_any_tree(names, root, inner, tmp_path_factory):
    files = {f"{name}/f": b"x" for name in names} | {".gitattributes": root, "b/.gitattributes": inner}
    repository, commit_id = commit(tmp_path_factory.mktemp("r"), files)
    assert ours(repository, commit_id) == gits(repository, commit_id)


@pytest.mark.parametrize(
    ("attributes", "content"),
    [
        (b"f export-subst", b"$Format:%h$"),
        (b"f export-subst", b"$Format:%d$"),
        (b"f export-subst", b"$Format:%an %ar$"),
        (b"f export-subst", b"$Format:%$"),
        (b"f export-subst", b"$Format:%x41$"),
        (b"f ident", b"$Id$"),
        (b"f ident", b"$Id: 1 $"),
        (b"f working-tree-encoding=UTF-16", b"x"),
    ],
)
def test_what_hangs_on_more_than_the_commit_has_no_answer(attributes, content, tmp_path):
    repository, commit_id = commit(tmp_path, {".gitattributes": attributes, "f": content})
    with pytest.raises(Undecidable, match="f is to"):
        ours(repository, commit_id)
    assert len(ours(repository, commit_id, convert=False)) == 32


def test_nor_has_a_name_that_git_may_write_in_another_way(tmp_path):
    repository, _ = commit(tmp_path, {".gitattributes": b"f export-subst", "f": b"$Format:%an$"})
    tree = repository.git("write-tree")
    done = repository.git("-c", "user.name=Ü", "commit-tree", "-m", "One", tree)
    assert ours(repository, bytes.fromhex(done))  # the environment's name, which is ASCII
    raw = repository.raw("cat-file", "commit", done).replace(b"author A ", b"author \xc3\x9c ")
    other = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    with pytest.raises(Undecidable, match="%an"):
        ours(repository, bytes.fromhex(other))


def test_nor_has_a_symlink_to_attributes(tmp_path):
    repository, commit_id = commit(tmp_path, {".gitattributes": ("120000", b"f"), "f": b"x"})
    with pytest.raises(Undecidable, match="is no file"):
        ours(repository, commit_id)


def test_a_tree_that_no_git_writes_is_refused():
    objects = Objects()
    for name in (b"..", b".git"):
        tree = objects.tree((b"40000", b"d", objects.tree((b"100644", name, objects.file()))))
        made = Commit(tree, (), b"", b"", 0, None, b"", b"")
        with pytest.raises(Unfit) as refused:
            nar_hash(lambda visitor, made=made: show_archive(objects, b"", made, visitor))
        assert (refused.value.code, refused.value.path) == ("malformed-tree", b"d")
