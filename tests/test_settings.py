"""Git's configuration, and whose mark a branch falls under (R1, R23)."""

import pytest

from gitverify.settings import ConfigUntrusted, Identity, Settings, full_reference, without_credentials
from gitverify.source import Repository
from tests.gitrepo import GitRepository

URL = "https://example.org/r.git"


@pytest.fixture
def made(tmp_path):
    made = GitRepository(tmp_path / "r")
    made.commit("a", f="1")
    return made


def settings(made):
    return Settings(Repository(made.path))


def test_the_most_specific_value_wins(made):
    made.git("config", "gitverify.introduction", "general")
    assert settings(made).option("introduction", "main", URL) == "general"
    made.git("config", f"gitverify.url:{URL}.introduction", "url")
    assert settings(made).option("introduction", "main", URL) == "url"
    made.git("config", "gitverify.branch:main.introduction", "branch")
    assert settings(made).option("introduction", "main", URL) == "branch"
    assert settings(made).option("introduction", "other", "elsewhere") == "general"
    assert settings(made).option("introduction") == "general"
    assert settings(made).option("signer", "main", URL) is None


def test_a_local_branch_shares_its_upstreams_mark(made):
    made.git("remote", "add", "origin", URL)
    made.git("config", "branch.main.remote", "origin")
    made.git("config", "branch.main.merge", "refs/heads/trunk")
    found = settings(made)
    upstream = Identity(URL, "refs/heads/trunk")
    assert found.identify("refs/heads/main") == upstream
    assert found.identify("refs/remotes/origin/trunk") == upstream
    assert found.remotes() == ["origin"]


def test_a_branch_without_an_upstream_is_the_repositorys_own(made):
    own = str(made.path / ".git")
    assert settings(made).identify("refs/heads/main") == Identity(own, "refs/heads/main")
    assert settings(made).identify("refs/remotes/gone/main") == Identity(own, "refs/remotes/gone/main")
    made.git("config", "branch.main.remote", ".")
    made.git("config", "branch.main.merge", "refs/heads/other")
    assert settings(made).identify("refs/heads/main") == Identity(own, "refs/heads/main")


def test_other_refspecs(made):
    made.git("remote", "add", "up", URL)
    made.git("config", "--unset-all", "remote.up.fetch")
    for spec in ("^refs/heads/no", "refs/heads/one:refs/remotes/up/eins", "+refs/pull/*/head:refs/remotes/up/pr/*"):
        made.git("config", "--add", "remote.up.fetch", spec)
    found = settings(made)
    assert found.identify("refs/remotes/up/eins") == Identity(URL, "refs/heads/one")
    assert found.identify("refs/remotes/up/pr/7") == Identity(URL, "refs/pull/7/head")
    assert found.identify("refs/remotes/up/zwei").repository == str(made.path / ".git")


def test_a_remote_by_url(made):
    made.git("config", "branch.main.remote", URL)
    made.git("config", "branch.main.merge", "refs/heads/main")
    assert settings(made).identify("refs/heads/main").repository == URL


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:secret@example.org/r", "https://example.org/r"),
        ("ssh://git@example.org/r", "ssh://example.org/r"),
        ("git@example.org:r", "git@example.org:r"),
        ("https://example.org/@x", "https://example.org/@x"),
        ("/a/b@c", "/a/b@c"),
    ],
)
def test_credentials_are_no_part_of_a_name(url, expected):
    assert without_credentials(url) == expected


def test_full_reference():
    assert full_reference("main") == "refs/heads/main"
    assert full_reference("refs/tags/v1") == "refs/tags/v1"


def test_a_value_from_the_working_tree_is_refused(made, tmp_path):
    (made.path / "team.cfg").write_text("[gitverify]\n\tsigner = X\n")
    made.git("config", "include.path", "../team.cfg")
    with pytest.raises(ConfigUntrusted, match=r"gitverify\.signer is set in .*team.cfg"):
        settings(made)
    (made.path / "team.cfg").rename(tmp_path / "team.cfg")
    made.git("config", "include.path", str(tmp_path / "team.cfg"))
    assert settings(made).option("signer") == "X"


def test_a_link_into_the_working_tree_is_seen_through(made, tmp_path):
    (made.path / "team.cfg").write_text("[gitverify]\n\tsigner = X\n")
    (tmp_path / "link.cfg").symlink_to(made.path / "team.cfg")
    made.git("config", "include.path", str(tmp_path / "link.cfg"))
    with pytest.raises(ConfigUntrusted):
        settings(made)


def test_the_main_working_tree_counts_in_a_linked_one(made):
    (made.path / "team.cfg").write_text("[gitverify]\n\tsigner = X\n")
    made.git("config", "include.path", "../team.cfg")
    made.git("worktree", "add", "-q", "../linked")
    with pytest.raises(ConfigUntrusted):
        Settings(Repository(made.path.parent / "linked"))


def test_other_values_from_the_working_tree_do_not_matter(made):
    (made.path / "team.cfg").write_text("[alias]\n\tx = status\n")
    made.git("config", "include.path", "../team.cfg")
    assert settings(made).get("alias.x") == "status"
