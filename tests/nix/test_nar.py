"""The hash of a Nix archive: as Nix computes it, and as its definition says."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings

from gitverify.nix.nar import Archive, NotAnArchive, base32, nar_hash, sri
from tests.nix import nixtrees as trees
from tests.nix.nixtrees import DIRECTORIES, LEAVES, Executable, Link
from tests.nix.vectors import VECTORS


def hash_of(tree):
    return nar_hash(partial(trees.show, tree))


@pytest.mark.parametrize("name", VECTORS)
def test_what_nix_computed(name):
    tree, expected, in_base_32 = VECTORS[name]
    assert sri(hash_of(tree)) == expected
    assert base32(hash_of(tree)) == in_base_32


@pytest.mark.skipif(trees.NIX_HASH is None, reason="Nix is not installed (Debian: nix-bin)")
@pytest.mark.parametrize("name", VECTORS)
def test_nix_still_computes_it(name, tmp_path):
    tree, _, in_base_32 = VECTORS[name]
    trees.write(tree, tmp_path / "t")
    assert trees.nix_hash(tmp_path / "t", "--base32") == in_base_32


@pytest.mark.skipif(trees.NIX_HASH is None, reason="Nix is not installed (Debian: nix-bin)")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=DIRECTORIES | LEAVES)
def test_nix_computes_the_same_of_any_tree(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "t"
    trees.write(tree, path)
    assert trees.nix_hash(path) == hash_of(tree).hex()


# --- the definition, written down once more -----------------------------------------------------------------------


def padded(*values):
    return b"".join(len(value).to_bytes(8, "little") + value + b"\0" * (-len(value) % 8) for value in values)


def node(tree):
    if isinstance(tree, dict):
        entries = (padded(b"entry", b"(", b"name", k, b"node") + node(tree[k]) + padded(b")") for k in sorted(tree))
        inner = padded(b"type", b"directory") + b"".join(entries)
    elif isinstance(tree, Link):
        inner = padded(b"type", b"symlink", b"target", bytes(tree))
    else:
        bit = padded(b"executable", b"") if isinstance(tree, Executable) else b""
        inner = padded(b"type", b"regular") + bit + padded(b"contents", bytes(tree))
    return padded(b"(") + inner + padded(b")")


@settings(deadline=None)
@given(tree=DIRECTORIES | LEAVES)
def test_the_archive_is_as_defined(tree):
    written = []
    archive = Archive(lambda piece: written.append(bytes(piece)))
    trees.show(tree, archive)
    archive.finish()
    assert b"".join(written) == padded(b"nix-archive-1") + node(tree)


def test_pieces_do_not_matter():
    content = bytes(range(256)) * 64

    def show(size, archive):
        archive.file(b"", executable=False, size=len(content))
        for at in range(0, len(content), size):
            archive.data(memoryview(content)[at : at + size])
            archive.data(b"")

    assert {nar_hash(partial(show, size)) for size in (1, 7, 4095, 4096, 4097, 16384)} == {hash_of(content)}


def test_nothing_is_kept():
    """A file of any size takes no more memory than a piece of it."""
    sizes = []

    def write(piece):
        sizes.append(len(piece))

    archive = Archive(write)
    archive.enter(b"")
    archive.file(b"f", executable=False, size=1 << 30)
    piece = memoryview(bytes(1 << 20))
    for _ in range(1 << 10):
        archive.data(piece)
    archive.leave()
    archive.finish()
    assert max(sizes) == 1 << 20
    assert len(archive._gathered) < 1 << 12


# --- what is no tree ------------------------------------------------------------------------------------------------


def enter(*names):
    return [("enter", name) for name in names]


LEAVE = ("leave",)
FILE = ("file", b"f")
OTHER = ("file", b"g")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "not complete"),
        (enter(b""), "not complete"),
        ([LEAVE], "never began"),
        ([*enter(b""), LEAVE, LEAVE], "never began"),
        ([*enter(b""), LEAVE, *enter(b"")], "no name here"),
        (enter(b"d"), "no name here"),
        ([FILE], "no name here"),
        ([*enter(b"", b"")], "no name here"),
        ([*enter(b""), OTHER, FILE], "can't be the name"),
        ([*enter(b""), FILE, FILE], "can't be the name"),
        ([*enter(b"", b"d"), LEAVE, ("symlink", b"d", b"x")], "can't be the name"),
        ([*enter(b""), ("symlink", b".", b"x")], "can't be the name"),
        ([*enter(b""), ("symlink", b"..", b"x")], "can't be the name"),
        ([*enter(b""), ("symlink", b"a/b", b"x")], "can't be the name"),
        ([*enter(b""), ("symlink", b"a\0", b"x")], "can't be the name"),
        ([("file", b"", 2), ("data", b"x")], "shorter than was said, by 1"),
        ([("file", b"", 2), ("data", b"xyz")], "longer than was said, by 1"),
        ([("file", b""), ("data", b"x")], "longer than was said, by 1"),
        ([*enter(b""), ("file", b"f", 2), OTHER], "shorter than was said, by 2"),
        ([*enter(b""), ("file", b"f", 2), LEAVE], "shorter than was said, by 2"),
        ([*enter(b""), ("data", b"x")], "longer than was said, by 1"),
    ],
)
def test_no_tree(events, said):
    archive = Archive(lambda _: None)
    with pytest.raises(NotAnArchive, match=said):
        play(archive, events)


def play(archive, events):
    for what, *arguments in events:
        if what == "file":
            archive.file(arguments[0], executable=False, size=(*arguments, 0)[1])
        else:
            getattr(archive, what)(*arguments)
    archive.finish()


def test_the_twin_of_all_these():
    archive = Archive(lambda _: None)
    play(archive, [*enter(b"", b"d"), LEAVE, ("file", b"f", 2), ("data", b"x"), ("data", b"y"), OTHER, LEAVE])
