"""The adapter over the git program where git talks to others, or to another git."""

import os

import pytest
from gitrepo import ENVIRONMENT, GitRepository
from gitserver import wrapped

from gitverify.git import Git, GitError, TooLong


@pytest.fixture
def repository(tmp_path):
    return GitRepository(tmp_path / "repo")


@pytest.fixture
def stubbed(repository, tmp_path):
    """Git, in whose place a shell script runs."""

    def make(script):
        return Git(repository.path / ".git", None, {**ENVIRONMENT, "PATH": wrapped(tmp_path / "bin", script)})

    return make


def watch(git, said=None, seconds=30.0, size=1 << 20):
    return git.watch("fetch", "x", seconds=seconds, file_size=size, said=said)


def test_what_git_says_is_told_line_by_line_and_escaped(stubbed):
    told = []
    watch(stubbed(r"printf 'one\rtwo\n\nthree \033[2J' >&2"), told.append)
    assert told == ["one", "two", "three \\x1b[2J"]


def test_how_far_it_had_come_is_not_why_it_failed(stubbed):
    script = r"printf 'Receiving: 10%%\rReceiving: 20%%\nfatal: no\n' >&2; exit 128"
    with pytest.raises(GitError) as failed:
        watch(stubbed(script))
    assert failed.value.output == ("fatal: no",)


def test_a_line_without_end_is_cut(stubbed):
    told = []
    watch(stubbed("head -c 300000 /dev/zero | tr '\\0' x >&2"), told.append)
    assert len(told) == 1
    assert len(told[0]) < 300


@pytest.mark.parametrize("script", ["exec cat /dev/zero >&2", "exec sleep 100", "exec 2>&-; exec sleep 100"])
def test_what_takes_too_long_is_stopped(stubbed, script):
    with pytest.raises(TooLong):
        watch(stubbed(script), seconds=0.2)


def test_what_is_not_stopped_kindly_is_killed(stubbed, monkeypatch):
    monkeypatch.setattr("gitverify.children._PATIENCE", 0.05)
    with pytest.raises(TooLong):
        watch(stubbed("trap '' TERM; while :; do :; done"), seconds=0.2)


def test_what_it_leaves_running_is_not_waited_for(stubbed, monkeypatch):
    """A connection that is shared goes on, with the same stderr."""
    monkeypatch.setattr("gitverify.children._PATIENCE", 0.05)
    watch(stubbed("sleep 5 & exit 0"))


def test_a_file_that_grows_without_end(stubbed, tmp_path):
    with pytest.raises(GitError):
        watch(stubbed(f"exec cat /dev/zero > {tmp_path}/large"), size=100_000)
    assert (tmp_path / "large").stat().st_size == 100_000
    (tmp_path / "ours").write_bytes(bytes(200_000))  # what runs here may write what it likes


def test_what_it_prints(stubbed):
    assert watch(stubbed("echo one")) == b"one\n"
    with pytest.raises(GitError):
        watch(stubbed("exec cat /dev/zero"), size=100_000)


def test_from_one_repository_into_another(repository, tmp_path):
    other = GitRepository(tmp_path / "other")
    commit = repository.commit("one", a="1")
    source, target = (Git(each.path / ".git", None, ENVIRONMENT) for each in (repository, other))
    asked = f"{commit.hex()}\n".encode()
    packing = ("pack-objects", "--revs", "--stdout", "-q")
    assert source.pipe(*packing, stdin=asked, into=target, consumer=("index-pack", "--stdin")).startswith(b"pack\t")
    assert other.git("cat-file", "-t", commit.hex()) == "commit"


@pytest.mark.parametrize(
    ("packing", "consumer", "which"),
    [
        (("pack-objects", "--revs", "--stdout", "-q"), ("index-pack", "--nonsense"), "index-pack"),
        (("cat-file", "-p", "nothing"), ("hash-object", "--stdin"), "cat-file"),
    ],
)
def test_where_either_fails_both_do(repository, packing, consumer, which):
    git = Git(repository.path / ".git", None, ENVIRONMENT)
    with pytest.raises(GitError) as failed:
        git.pipe(*packing, stdin=b"", into=git, consumer=consumer)
    assert f"git {which} failed" in str(failed.value)


def test_without_a_git(repository, stubbed):
    real = Git(repository.path / ".git", None, ENVIRONMENT)
    none = Git(repository.path / ".git", None, {**ENVIRONMENT, "PATH": "/nowhere"})
    for run in (
        lambda: watch(none),
        lambda: none.pipe("x", stdin=b"", into=real, consumer=("y",)),
        lambda: real.pipe("cat-file", "--batch", stdin=b"", into=none, consumer=("y",)),
        lambda: none.become("upload-pack"),
    ):
        with pytest.raises(GitError) as failed:
            run()
        assert "can't be run" in str(failed.value)


def test_settings_whose_names_have_an_equals_sign(repository):
    url = "https://example.org/?a=b"
    named = {f"url.{url}.insteadOf": "HERE"}
    git = Git(repository.path / ".git", None, ENVIRONMENT, named=named, variables={"HERE": url})
    assert git.setting(f"url.{url}.insteadOf") == url


def test_become(repository, tmp_path):
    """In a process of its own, which git takes the place of."""
    git = Git(repository.path / ".git", None, ENVIRONMENT)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 1)
        git.become("--version")
    os.close(write)
    with os.fdopen(read) as output:
        assert output.read().startswith("git version")
    assert os.waitpid(child, 0)[1] == 0
