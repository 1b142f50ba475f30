"""What may be in a checkout that the commit doesn't have."""

import pytest
from worktree.checkout import Checkout, kinds

STORE = "/nix/store/0c9wq7k0hjkmq3ndx7d3lbkq0vgv5kyq-hello-2.12"


@pytest.fixture
def ignoring(tmp_path):
    made = Checkout(
        tmp_path / "checkout",
        **{".gitignore": "*.o\nbuild/\n!keep.o\n", "lib/.gitignore": "/made\n", "tracked.o": "x"},
    )
    made.put({"a.o": "x", "lib/b.o": "x", "build/x": "x", "build/y.o": "x", "lib/made": "x", "lib/deep/made": "x"})
    made.put({"keep.o": "x"})
    return made


ALL = {"a.o": "ignored", "lib/b.o": "ignored", "build/": "ignored", "lib/made": "ignored"}
ADDED = {"lib/deep/made": "added", "keep.o": "added"}


@pytest.mark.parametrize(
    ("allowed", "remaining"),
    [
        ([], ALL),
        (["*.o"], {"build/x": "ignored", "lib/made": "ignored"}),
        (["build"], {"a.o": "ignored", "lib/b.o": "ignored", "lib/made": "ignored"}),
        (["build/"], {"a.o": "ignored", "lib/b.o": "ignored", "lib/made": "ignored"}),
        (["/build/x"], {"a.o": "ignored", "lib/b.o": "ignored", "lib/made": "ignored", "build/y.o": "ignored"}),
        (["/*.o"], {"lib/b.o": "ignored", "build/x": "ignored", "build/y.o": "ignored", "lib/made": "ignored"}),
        (["*.o", "build", "made"], {}),
        (["*"], {}),
        (["other"], {**ALL, "build/x": "ignored", "build/y.o": "ignored"}),
    ],
)
def test_ignored_files_count_unless_they_are_allowed(ignoring, allowed, remaining):
    """What is not ignored is not allowed by anything."""
    if allowed:
        remaining = {path: kind for path, kind in remaining.items() if path != "build/"}
    assert kinds(ignoring.differences(*allowed)) == remaining | ADDED


def test_what_was_allowed_is_listed(ignoring):
    assert ignoring.compare("build", "*.o").allowed == [b"a.o", b"build/", b"lib/b.o"]


def test_a_file_of_the_commit_is_never_ignored(ignoring):
    ignoring.put({"tracked.o": "y"})
    assert kinds(ignoring.differences("*"))["tracked.o"] == "modified"


def test_an_ignore_file_that_the_commit_lacks_does_not_count(made):
    made.put({".gitignore": "*\n", "new": "x"})
    assert kinds(made.differences("*")) == {".gitignore": "added", "new": "added"}


def test_directories_below_a_named_one(tmp_path):
    made = Checkout(tmp_path / "checkout", **{".gitignore": "*.o\n"})
    made.put({"out/in/a.o": "x"})
    assert not made.differences("out")
    assert not made.differences("*.o")
    made.put({"out/in/a.c": "x"})
    assert kinds(made.differences("out")) == {"out/in/a.c": "added"}
    (made.path / "out" / "empty").mkdir()
    assert kinds(made.differences("out")) == {"out/in/a.c": "added", "out/empty/": "added"}


@pytest.mark.parametrize("name", ["result", "result-dev", "result-2"])
@pytest.mark.parametrize("target", [STORE, STORE.replace("nix", "gnu", 1)])
def test_links_to_what_was_built_are_allowed(made, name, target):
    (made.path / name).symlink_to(target)
    found = made.compare()
    assert not found.differences
    assert found.allowed == [name.encode()]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("result", "/nix/store"),
        ("result", "/nix/store/"),
        ("result", "/nix/store/../../home"),
        ("result", f"{STORE}/../../../home"),
        ("result", f"{STORE}/bin"),
        ("result", f".{STORE}"),
        ("result", "/nix/store/short-hello"),
        ("result", f"{STORE}\n"),
        ("results", STORE),
        ("other", STORE),
        ("lib/result", STORE),
    ],
)
def test_other_links_are_not(made, name, target):
    (made.path / name).symlink_to(target)
    assert kinds(made.differences()) == {name: "added"}


def test_a_file_with_the_name_of_such_a_link(made):
    made.put({"result": STORE})
    assert kinds(made.differences()) == {"result": "added"}
