"""What a request may ask for: each refusal has a twin that differs in one thing and is answered."""

import pytest

from gitverify.gateway.target import (
    Refused,
    Target,
    branch_path,
    is_repository_name,
    parse_host,
    parse_target,
    path_of,
    require_host,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOSTS = {"localhost", "127.0.0.1", "[::1]"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Target()),
        ("/app", Target("app")),
        ("/app/", Target("app")),
        ("/app/main", Target("app", "main")),
        ("/app/main/", Target("app", "main")),
        ("/app/main.tar.gz", Target("app", "main", form="tar.gz")),
        ("/app/main/nixexprs.tar.xz", Target("app", "main", form="tar.xz")),
        ("/app/a/b.tar.gz", Target("app", "a/b", form="tar.gz")),
        ("/app/a/b/nixexprs.tar.xz", Target("app", "a/b", form="tar.xz")),
        # The suffix is taken off once.
        ("/app/x.tar.gz.tar.gz", Target("app", "x.tar.gz", form="tar.gz")),
        ("/app/x.tar.gz/nixexprs.tar.xz", Target("app", "x.tar.gz", form="tar.xz")),
        ("/app/a/nixexprs.tar.xz.tar.gz", Target("app", "a/nixexprs.tar.xz", form="tar.gz")),
        ("/app/f%C3%BCr%23it.tar.gz", Target("app", "für#it", form="tar.gz")),
        ("/app/a%2Btar.tar.gz", Target("app", "a+tar", form="tar.gz")),
        ("/app/%6Dain.tar.gz", Target("app", "main", form="tar.gz")),
        (f"/app/.rev/{COMMIT}.tar.gz", Target("app", commit=bytes.fromhex(COMMIT), form="tar.gz")),
        (f"/app/.rev/{COMMIT}.tar.xz", Target("app", commit=bytes.fromhex(COMMIT), form="tar.xz")),
        (f"/app/rev/{COMMIT}.tar.gz", Target("app", f"rev/{COMMIT}", form="tar.gz")),
    ],
)
def test_read(path, expected):
    assert parse_target(path.encode()) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "app",
        "*",
        "http://127.0.0.1/app/main.tar.gz",
        "//app/main.tar.gz",
        "/../app/main.tar.gz",
        "/app/../app/main.tar.gz",
        "/app/./main.tar.gz",
        "/app//main.tar.gz",
        "/app/main/..",
        "/app/main/.",
        "/app/..%2f..%2fetc/passwd",
        "/app/a%2Fb.tar.gz",
        "/app/a%2fb.tar.gz",
        "/app/%2e%2e/main.tar.gz",
        "/app/main%00.tar.gz",
        "/app/main%0d%0aX-Evil:%201.tar.gz",
        "/app/main%7f.tar.gz",
        "/app/main\x00.tar.gz",
        "/app/main\r\n.tar.gz",
        "/app/main .tar.gz",
        "/app/main%.tar.gz",
        "/app/main%zz.tar.gz",
        "/app/\xff.tar.gz",
        "/app/%ff.tar.gz",
        "/app/a\\b.tar.gz",
        "/app/a%5cb.tar.gz",
        "/app/.tar.gz",
        "/app/.hidden.tar.gz",
        "/app/a/.b.tar.gz",
        "/app/a.lock.tar.gz",
        "/app/a..b.tar.gz",
        "/app/-x.tar.gz",
        "/app/HEAD.tar.gz",
        "/app/refs/heads/main.tar.gz",
        "/app/a@%7bb.tar.gz",
        "/app/a~1.tar.gz",
        "/app/a%5e.tar.gz",
        "/app/a:b.tar.gz",
        "/.rev/main.tar.gz",
        "/..app/main.tar.gz",
        "/-app/main.tar.gz",
        "/app./main.tar.gz",
        "/gitverify%2fquarantine/main.tar.gz",
        "/a%20b/main.tar.gz",
        "/" + "a" * 101 + "/main.tar.gz",
        "/app/" + "a" * 2048 + ".tar.gz",
        f"/app/.rev/{COMMIT[:-1]}.tar.gz",
        f"/app/.rev/{COMMIT.upper()}.tar.gz",
        f"/app/.rev/{COMMIT}",
        f"/app/.rev/{COMMIT}.tar.bz2",
        f"/app/.rev/{COMMIT}.tar.gz/",
        f"/app/.rev/{COMMIT}/nixexprs.tar.xz",
        "/app/.rev/main.tar.gz",
        "/app/.git/config",
    ],
)
def test_refused(path):
    with pytest.raises(Refused) as refused:
        parse_target(path.encode("latin-1"))
    assert refused.value.why == "bad-request"
    assert not any(ord(character) < 0x20 for character in str(refused.value))


def test_once_is_undone_and_no_more():
    assert parse_target(b"/app/%2541.tar.gz") == Target("app", "%41", form="tar.gz")
    assert parse_target(b"/app/%252e%252e/x.tar.gz") == Target("app", "%2e%2e/x", form="tar.gz")


def test_a_path_that_was_written_is_the_one_that_is_read():
    for branch in ("main", "a/b", "x.tar.gz", "für#it", "100%", "a+b=c&d;e", "%2541"):
        assert parse_target(f"{branch_path('app', branch)}.tar.gz".encode()) == Target("app", branch, form="tar.gz")
    commit = bytes.fromhex(COMMIT)
    assert parse_target(path_of("app", commit, "tar.xz").encode()) == Target("app", commit=commit, form="tar.xz")


@pytest.mark.parametrize("name", ["app", "a.b", "A_1-x+y", "x" * 100])
def test_names(name):
    assert is_repository_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a.", "a/b", "a b", "-a", "ä", "x" * 101, "a\n"])
def test_no_names(name):
    assert not is_repository_name(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"localhost", "localhost"),
        (b"LOCALHOST:8417", "localhost:8417"),
        (b"127.0.0.1:8417", "127.0.0.1:8417"),
        (b"[::1]:8417", "[::1]:8417"),
        (None, None),
    ],
)
def test_hosts(value, expected):
    assert require_host(value, HOSTS) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"evil.example.org",
        b"127.0.0.1.evil.example.org",
        b"127.0.0.2",
        b"localhost.",
        b"",
        b":8417",
        b"localhost:",
        b"localhost:x",
        b"localhost:123456",
        b"localhost/x",
        b"user@localhost",
        b"localhost>; rel=x",
        b"\xff",
    ],
)
def test_hostile_hosts(value):
    with pytest.raises(Refused) as refused:
        require_host(value, HOSTS)
    assert refused.value.why == "bad-host"


def test_a_port():
    assert parse_host(b"a.example.org:1") == ("a.example.org", 1)
