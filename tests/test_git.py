"""The adapter over the git program: what it keeps out, and what it says where git fails."""

import pytest
from gitrepo import ENVIRONMENT, GitRepository

from gitverify.git import Git, GitError


@pytest.fixture
def repository(tmp_path):
    return GitRepository(tmp_path / "repo")


def adapter(repository, **environment):
    return Git(repository.path / ".git", repository.path, {**ENVIRONMENT, **environment})


def test_it_keeps_who_commits_and_drops_what_leads_elsewhere(repository):
    git = adapter(repository, GIT_DIR="/x", GIT_INDEX_FILE="/x", GIT_NAMESPACE="x", GIT_SSH_COMMAND="x", EDITOR="ed")
    kept = {name for name in git.environment if name.startswith("GIT_")}
    assert "GIT_COMMITTER_NAME" in kept
    assert "GIT_CONFIG_GLOBAL" in kept
    assert not kept & {"GIT_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_SSH_COMMAND"}
    assert git.environment["EDITOR"] == "ed"
    assert git.line("var", "GIT_COMMITTER_IDENT").startswith("C <c@example.org>")


def test_settings(repository):
    git = adapter(repository)
    repository.git("config", "user.signingKey", "~/key")
    assert git.setting("user.signingKey") == "~/key"
    assert git.setting("user.signingKey", kind="path").endswith("/key")
    assert git.setting("no.such") is None


def test_what_git_says_is_escaped_and_short(repository):
    git = adapter(repository)
    with pytest.raises(GitError) as failed:
        git.run("rev-parse", "--verify", "x\x1b[2J")
    assert "git rev-parse failed" in str(failed.value)
    assert "\x1b" not in str(failed.value)


def test_ancestry(repository):
    first, second = repository.commit("first"), repository.commit("second")
    git = adapter(repository)
    assert git.reaches(second, first)
    assert git.reaches(first, first)
    assert not git.reaches(first, second)
    with pytest.raises(GitError):
        git.reaches(first, b"\0" * 20)


def test_grafts_and_replaced_objects_do_not_count(repository):
    first, second = repository.commit("first"), repository.commit("second")
    (repository.path / ".git/info/grafts").write_text(second.hex() + "\n")
    assert adapter(repository).reaches(second, first)
    repository.git("replace", second.hex(), repository.git("commit-tree", "-m", "x", f"{first.hex()}^{{tree}}"))
    assert adapter(repository).reaches(second, first)


def test_without_a_checkout_no_attribute_counts(repository):
    before = repository.commit("text", file="a\n")
    after = repository.commit("more", file="a\nb\n", **{".gitattributes": "* -diff\n"})
    git = adapter(repository)
    command = ("diff-tree", "-r", "--numstat", before.hex(), after.hex(), "--", "file")
    assert git.run(*command).output == b"1\t0\tfile\n"
    assert git.run(*command, in_worktree=True).output == b"-\t-\tfile\n"


def test_no_git(repository):
    with pytest.raises(GitError, match="git can't be run"):
        Git(repository.path / ".git", None, {"PATH": "/nonexistent"}).run("version")
