"""What is fetched from, and what never reaches git."""

import pytest

from gitverify.transfer.url import BadSource, Source, parse_branch, parse_url


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("https://example.org/a.git", "https"),
        ("https://me@example.org/a.git", "https"),
        ("https://example.org/a.git?x=y", "https"),
        ("http://127.0.0.1:8000/a", "http"),
        ("ssh://git@example.org:22/a.git", "ssh"),
        ("git@example.org:a/b.git", "ssh"),
        ("example.org:a", "ssh"),
        ("git://example.org/a", "git"),
        ("file:///srv/a.git", "file"),
    ],
)
def test_urls(url, protocol):
    assert parse_url(url) == Source(url, protocol)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch /tmp/x'",
        "ext::touch",
        "fd::17",
        "verified::https://example.org/a",
        "ext::https://example.org/a",
        "--upload-pack=touch x",
        "--upload-pack=touch",
        "-u",
        "-oProxyCommand=x:y",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=x@example.org/x",
        "ssh://example.org/-x",
        "https://",
        "ftp://example.org/a",
        "HTTPS://example.org/a",
        "rsync://example.org/a",
        "file://other/srv/a",
        "/srv/a.git",
        "../a.git",
        "a.git",
        "",
        "https://example.org/a b",
        "https://example.org/a\nb",
        "https://example.org/\x1b[2J",
        "https://example.org/" + "a" * 3000,
    ],
)
def test_what_is_no_url_to_fetch_from(url):
    with pytest.raises(BadSource) as refused:
        parse_url(url)
    assert "\x1b" not in str(refused.value)


def test_a_password_is_not_stored_and_not_shown():
    with pytest.raises(BadSource) as refused:
        parse_url("https://me:secret@example.org/a")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["main", "refs/heads/main"])
def test_branches(name):
    assert parse_branch(name) == "main"
    assert parse_branch("release/1.0") == "release/1.0"
    assert parse_branch("+a") == "+a"  # git has such branches; a refspec gets a plus of its own before it


@pytest.mark.parametrize(
    "name",
    ["", "-x", "a b", "a..b", "a:b", "a~1", "a^", "a*", "a.lock", "a.lock/b", "a/", "/a", "a//b", "@", "HEAD"],
)
def test_what_is_no_branch(name):
    with pytest.raises(BadSource):
        parse_branch(name)


@pytest.mark.parametrize(
    "name",
    [".a", "a/.b", "refs/tags/x", "a\nb", "a@{1}", "a.", "a\\b", "b" * 3000, "a[b", "a?"],
)
def test_what_is_no_branch_either(name):
    with pytest.raises(BadSource):
        parse_branch(name)
