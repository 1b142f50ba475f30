"""Requests to a gateway: what is refused, with its accepted twin, and what comes."""

import gzip
import io
import lzma
import os
import re
import socket
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from cli.scene import ALICE, BOB, MALLORY, policies
from fetching import Upstream
from gateway.serving import Mirrored, opened_below, serving

from fixtures.lib import guix
from fixtures.lib.keys import CAROL
from fixtures.lib.objects import EXECUTABLE, GITLINK, SYMLINK, Entry
from gitverify.gateway import keeper as keepers
from gitverify.limits import LIMITS
from gitverify.transfer.store import Store

LINK = re.compile(
    r"<(http://[^?>]+)\?rev=([0-9a-f]{40})&revCount=([0-9]+)&lastModified=([0-9]+)&narHash=(sha256-[A-Za-z0-9%]+)>; "
    r'rel="immutable"'
)


def members(answer):
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        return {member.name: member for member in tar}


def content(answer, name):
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        return tar.extractfile(f"source/{name}").read()


def refusal(answer):
    """Return the reason code of a refusal."""
    assert answer.status == 403
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Link" not in answer.headers
    assert "ETag" not in answer.headers
    return re.match(r"gitverify: refused \(([a-z-]+)\)\n[^\n]+\n", answer.text)[1]


# --- refused: names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/none.tar.gz", "unknown-branch"),
        ("/app/none/nixexprs.tar.xz", "unknown-branch"),
        ("/app/none", "unknown-branch"),
        ("/app/mai.tar.gz", "unknown-branch"),
        ("/app/MAIN.tar.gz", "unknown-branch"),
        ("/app/third.tar.gz", "unknown-branch"),
        ("/none/main.tar.gz", "unknown-repository"),
        ("/none", "unknown-repository"),
        ("/app.git/main.tar.gz", "unknown-repository"),
        ("/app/../app/main.tar.gz", "bad-request"),
        ("/app/%2e%2e/%2e%2e/etc/passwd", "bad-request"),
        ("/app/gitverify%2fquarantine.tar.gz", "bad-request"),
        ("/app/a%2Fb.tar.gz", "bad-request"),
        ("/app/main%00.tar.gz", "bad-request"),
        ("/app/main%0d%0aSet-Cookie:%20a=b.tar.gz", "bad-request"),
        ("/app/refs/heads/main.tar.gz", "bad-request"),
    ],
)
def test_paths(standing, path, code):
    answer = standing.get(path)
    assert refusal(answer) == code
    assert "Set-Cookie" not in answer.headers
    assert any(f"{code}: " in line for line in standing.log)
    assert not any(character in line for line in standing.log for character in "\r\n\0")


@pytest.mark.parametrize(
    "path",
    ["/app/main.tar.gz", "/app/a/b.tar.gz", "/app/x.tar.gz.tar.gz", "/app/main/nixexprs.tar.xz", "/app/a/b", "/"],
)
def test_paths_that_are_there(standing, path):
    assert standing.get(path).status == 200


def test_which_branch_a_suffix_belongs_to(standing):
    ids = standing.mirrored.ids
    assert ids["third"] in standing.get("/app/main.tar.gz").headers["Link"]
    assert ids["second"] in standing.get("/app/x.tar.gz.tar.gz").headers["Link"]
    assert ids["second"] in standing.get("/app/a/b.tar.gz").headers["Link"]
    assert refusal(standing.get("/app/x.tar.gz")) == "unknown-branch"  # of “x”


def test_a_ref_that_is_no_mirrored_branch(mirrored, client):
    """What lies in the mirror's refs, and was never asked to be mirrored, is nothing that was verified."""
    mirrored.git("update-ref", "refs/heads/other", mirrored.ids["third"])
    assert refusal(client.get("/app/other.tar.gz")) == "unknown-branch"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: evil.example.org\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: 127.0.0.1.evil.example.org:8417\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: a>; rel=x\r\n",
        b"GET http://evil.example.org/app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\n",
    ],
)
def test_hosts_that_lead_here(standing, head):
    """A page whose name was made to lead to this machine (DNS rebinding) reads nothing."""
    received = standing.raw(head + b"Connection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 403 ")
    assert b"\r\nlink:" not in received


@pytest.mark.parametrize(
    ("head", "base"),
    [
        (b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost:80\r\n", "http://localhost:80/"),
        (b"GET /app/main.tar.gz HTTP/1.1\r\nHost: BUILDER.example.org\r\n", "http://builder.example.org/"),
        (b"GET /app/main.tar.gz HTTP/1.0\r\n", "http://127.0.0.1:{}/"),
    ],
)
def test_hosts_that_it_is_served_as(standing, head, base):
    received = standing.raw(head + b"Connection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ")
    assert f"link: <{base.format(standing.port)}app/.rev/".encode() in received


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /app/main\0.tar.gz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /app/main\r.tar.gz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org\r\n\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\n\r\n",
        b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (LIMITS.gateway_head + 1),
        b"GET /" + b"x" * (LIMITS.gateway_head + 1),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_request(standing, request_):
    assert standing.raw(request_).startswith(b"HTTP/1.1 400 ")
    assert standing.get("/").status == 200


def test_a_head_that_is_just_small_enough(standing):
    filled = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: "
    rest = LIMITS.gateway_head - len(filled) - 10
    assert standing.raw(filled + b"x" * rest + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_methods(standing, method):
    answer = standing.get("/app/main.tar.gz", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("header", [b"Content-Length: 1000000000000", b"Transfer-Encoding: chunked"])
def test_bodies(standing, header):
    """Nobody reads what would come."""
    received = standing.raw(b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")
    nothing = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert standing.raw(nothing).startswith(b"HTTP/1.1 200 ")


# --- refused: clients that take their time ---------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    """Seconds become moments."""
    short = type(LIMITS)(gateway_head_seconds=0.2, gateway_stall=0.2)
    monkeypatch.setattr("gitverify.gateway.server.LIMITS", short)


def drip(client, pieces):
    """Send a piece every moment until the other side has had enough; return how many it took."""
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.settimeout(0.01)
        for sent in range(pieces):
            try:
                connection.sendall(b"X: y\r\n" if sent else b"GET / HTTP/1.1\r\n")
                connection.recv(1)
            except TimeoutError:
                continue  # nothing has come: it goes on waiting
            except OSError:
                pass
            return sent
    return pieces


def test_a_head_that_never_ends(impatient, client):
    """Each piece comes in time; all together do not (slowloris)."""
    assert drip(client, 2000) < 2000
    assert client.raw(b"GET / HTTP/1.1\r\n") == b""
    assert client.raw() == b""
    assert client.get("/").status == 200


def test_a_client_that_takes_nothing(impatient, mirrored):
    mirrored.upstream.commit("large", large=os.urandom(16 << 20))
    mirrored.update()
    with serving(mirrored) as client:
        assert client.get("/app/main.tar.gz", "HEAD").status == 200
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
            connection.sendall(b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            first = connection.recv(100)
            while any(name.endswith(".tar.gz") for name in opened_below(client.cache.directory)):
                threading.Event().wait(0.05)  # until it is cut off: then the file is closed
            received = len(first)
            try:
                while piece := connection.recv(1 << 20):
                    received += len(piece)
            except ConnectionResetError:
                pass
        assert received < 16 << 20
        assert len(client.get("/app/main.tar.gz").body) > 16 << 20


# --- refused: states -------------------------------------------------------------------------------------------------


def test_an_update_that_was_refused(mirrored, client):
    before = client.get("/app/main.tar.gz")
    locked = LINK.fullmatch(before.headers["Link"])[1].removeprefix(client.url)
    bad = mirrored.upstream.bad()
    mirrored.update()
    for path in ("/app/main.tar.gz", "/app/main/nixexprs.tar.xz", "/app/main"):
        answer = client.get(path)
        assert refusal(answer) == "unauthorized-key"
        assert "last update" in answer.text
    # Not even with a tag that the client has.
    assert refusal(client.get("/app/main.tar.gz", If_None_Match=before.headers["ETag"])) == "unauthorized-key"
    # What was locked stays, the other branch too, and what was refused is not there under any name.
    assert client.get(locked).body == before.body
    assert client.get("/app/a/b.tar.gz").status == 200
    assert refusal(client.get(f"/app/.rev/{bad}.tar.gz")) == "not-verified"
    mirrored.upstream.history.commit("next", {"README": "next\n"}, parents=["third"], sign=ALICE)
    assert mirrored.update().status == 0
    assert mirrored.ids["next"] in client.get("/app/main.tar.gz").headers["Link"]


def test_where_the_last_verified_state_is_wanted(mirrored):
    with serving(mirrored, last_verified=True) as client:
        before = client.get("/app/main.tar.gz")
        bad = mirrored.upstream.bad()
        mirrored.update()
        answer = client.get("/app/main.tar.gz")
        assert (answer.status, answer.body) == (200, before.body)
        assert refusal(client.get(f"/app/.rev/{bad}.tar.gz")) == "not-verified"


def test_a_server_that_is_away(mirrored, client):
    assert client.get("/app/main.tar.gz").status == 200
    mirrored.upstream.path.rename(mirrored.place / "away")
    mirrored.update()
    assert refusal(client.get("/app/main.tar.gz")) == "fetch-failed"


def test_a_branch_that_was_never_verified(mirrored, client):
    mirrored.upstream.bad()
    mirrored.upstream.point("bad", "new")
    mirrored.update("--branch", "new")
    assert refusal(client.get("/app/new.tar.gz")) == "unauthorized-key"
    with serving(mirrored, last_verified=True, cache=mirrored.place / "other") as lenient:
        assert refusal(lenient.get("/app/new.tar.gz")) == "not-verified"


def test_staleness(mirrored):
    with serving(mirrored, max_age=3600) as client:
        answer = client.get("/app/main.tar.gz")
        assert refusal(answer) == "stale"
        assert refusal(client.get("/app/main/nixexprs.tar.xz")) == "stale"
        # What was locked when it was fresh stays.
        assert client.get(f"/app/.rev/{mirrored.ids['third']}.tar.gz").status == 200
    with serving(mirrored, max_age=100 * 365 * 86400) as client:
        assert client.get("/app/main.tar.gz").status == 200


def test_what_grows_old_is_judged_again(mirrored, monkeypatch):
    with serving(mirrored, max_age=100 * 365 * 86400) as client:
        assert client.get("/app/main.tar.gz").status == 200
        assert client.get("/app/main.tar.gz").status == 200
        assert client.jobs.done.count("judge") == 1
        monkeypatch.setattr(keepers, "_JUDGED_FOR", 0)
        client.keeper._verdicts.clear()
        for _ in range(2):
            assert client.get("/app/main.tar.gz").status == 200
        assert client.jobs.done.count("judge") == 3


def test_without_a_time_limit_a_tip_is_judged_once(client):
    for _ in range(3):
        assert client.get("/app/main.tar.gz").status == 200
    assert client.jobs.done.count("judge") == 1


# --- refused: what is asked for by its id ----------------------------------------------------------------------------


def test_ids(mirrored, client):
    ids = mirrored.ids
    for label in ("third", "second", "introduction"):
        answer = client.get(f"/app/.rev/{ids[label]}.tar.gz")
        assert answer.status == 200
        assert LINK.fullmatch(answer.headers["Link"])[2] == ids[label]
        assert "immutable" in answer.headers["Cache-Control"]
    for wrong in (
        "0" * 40,
        "f" * 40,
        mirrored.git("rev-parse", "main^{tree}"),
        mirrored.git("rev-parse", "main:README"),
    ):
        assert refusal(client.get(f"/app/.rev/{wrong}.tar.gz")) == "not-verified"


def test_an_unverified_commit_that_somebody_brought_into_the_mirror(mirrored, client):
    """No authentic branch reaches it, whatever other references do."""
    bad = mirrored.upstream.bad()
    mirrored.git("fetch", "-q", str(mirrored.upstream.path), f"{bad}:refs/heads/sneaked")
    assert mirrored.git("cat-file", "-t", bad) == "commit"
    assert refusal(client.get(f"/app/.rev/{bad}.tar.gz")) == "not-verified"


def test_a_commit_that_an_adopting_merge_brought_in(tmp_path):
    """It is reached from an authentic tip, and its files were vouched for there; it is not authentic itself."""
    upstream = Upstream(tmp_path)
    policy = policies.native({"alice": [ALICE], "bob": [BOB]}, "adopting_merges: true")
    upstream.history.commit("policy", {policies.NATIVE: policy}, sign=ALICE)
    upstream.history.commit("theirs", {"theirs": "x\n"})
    upstream.history.commit("merge", {"theirs": "x\n"}, parents=["policy", "theirs"], sign=ALICE)
    mirrored = Mirrored(tmp_path, upstream=upstream)
    with serving(mirrored) as client:
        assert client.get("/app/main.tar.gz").status == 200
        assert client.get(f"/app/.rev/{mirrored.ids['third']}.tar.gz").status == 200
        assert refusal(client.get(f"/app/.rev/{mirrored.ids['theirs']}.tar.gz")) == "unsigned"


def test_a_commit_below_the_introduction(tmp_path):
    mirrored = Mirrored(tmp_path, introduction="second")
    with serving(mirrored) as client:
        assert client.get(f"/app/.rev/{mirrored.ids['second']}.tar.gz").status == 200
        assert refusal(client.get(f"/app/.rev/{mirrored.ids['introduction']}.tar.gz")) == "not-descendant"


def test_a_branch_that_goes_on(mirrored, client):
    before = client.get("/app/main.tar.gz")
    path, rev, *_ = LINK.fullmatch(before.headers["Link"]).groups()
    new = mirrored.upstream.commit("next")
    mirrored.update()
    after = client.get("/app/main.tar.gz")
    assert new in after.headers["Link"]
    assert after.headers["ETag"] != before.headers["ETag"]
    locked = client.get(path.removeprefix(client.url))
    assert locked.body == before.body
    assert rev in locked.headers["Link"]
    # The same, where nothing of it is in the cache any more.
    with serving(mirrored, cache=mirrored.place / "empty") as again:
        assert again.get(path.removeprefix(client.url)).body == before.body


# --- refused: a mirror that changes under it -------------------------------------------------------------------------


def test_a_mirror_that_is_removed(mirrored, client):
    locked = f"/app/.rev/{mirrored.ids['third']}.tar.gz"
    assert client.get(locked).status == 200
    mirrored.path.rename(mirrored.place / "aside")
    for path in ("/app/main.tar.gz", "/app/main", locked):
        assert refusal(client.get(path)) == "mirror-missing"
    assert "its mirror is gone" in client.get("/").text
    (mirrored.place / "aside").rename(mirrored.path)
    assert client.get(locked).status == 200


def test_a_mirror_without_a_repository(mirrored, client):
    (mirrored.path / "HEAD").unlink()
    assert refusal(client.get("/app/main.tar.gz")) == "mirror-missing"


def test_what_a_mirror_knows_of_itself_is_damaged(mirrored, client):
    (mirrored.path / "gitverify/mirror.json").write_text("{")
    assert refusal(client.get("/app/main.tar.gz")) == "mirror-missing"


def test_a_reference_that_somebody_moves(mirrored, client):
    """To a commit that is not authentic, to an older one, to nothing."""
    assert client.get("/app/main.tar.gz").status == 200
    bad = mirrored.upstream.bad()
    mirrored.git("fetch", "-q", "--force", str(mirrored.upstream.path), f"{bad}:refs/heads/main")
    assert refusal(client.get("/app/main.tar.gz")) == "unauthorized-key"
    assert refusal(client.get(f"/app/.rev/{bad}.tar.gz")) == "not-verified"
    mirrored.git("update-ref", "refs/heads/main", mirrored.ids["second"])
    assert refusal(client.get("/app/main.tar.gz")) == "behind"
    mirrored.git("update-ref", "-d", "refs/heads/main")
    assert refusal(client.get("/app/main.tar.gz")) == "not-verified"
    mirrored.git("update-ref", "refs/heads/main", mirrored.ids["third"])
    assert client.get("/app/main.tar.gz").status == 200


def test_a_branch_that_is_set_back_to_what_was_served_before(mirrored, client):
    """As from a backup of the mirror's directory: what was authentic then is behind the mark now."""
    assert client.get("/app/main.tar.gz").status == 200
    locked = f"/app/.rev/{mirrored.upstream.commit('next')}.tar.gz"
    mirrored.update()
    assert client.get("/app/main.tar.gz").status == 200
    mirrored.git("update-ref", "refs/heads/main", mirrored.ids["third"])
    assert refusal(client.get("/app/main.tar.gz")) == "behind"
    assert refusal(client.get(locked)) == "not-verified"
    mirrored.git("update-ref", "refs/heads/main", mirrored.ids["next"])
    assert client.get("/app/main.tar.gz").status == 200


def test_a_mark_that_moves_before_the_branch_does(mirrored, client):
    """As it does in every update: what the branch was at is served meanwhile, and not remembered as judged."""
    mirrored.upstream.commit("next")
    mirrored.update()
    mirrored.git("update-ref", "refs/heads/main", mirrored.ids["third"])
    with Store(mirrored.path, mirrored.upstream.environment).locked("refs/heads/main"):
        assert mirrored.ids["third"] in client.get("/app/main.tar.gz").headers["Link"]
    assert refusal(client.get("/app/main.tar.gz")) == "behind"


def test_marks_that_can_not_be_read(mirrored, client):
    state = mirrored.state / "marks.sqlite3"
    state.write_bytes(b"x")
    assert refusal(client.get("/app/main.tar.gz")) == "state-corrupt"


def test_without_marks_all_is_judged(mirrored):
    with serving(mirrored, state=mirrored.place / "none") as client:
        assert client.get("/app/main.tar.gz").status == 200


# --- refused: trees --------------------------------------------------------------------------------------------------


def test_trees_that_are_not_written_anywhere(mirrored, client):
    mirrored.upstream.commit("odd", **{"GIT~1": "x\n"})
    # git takes no such tree over; whoever put it there is not stopped by that.
    mirrored.git("fetch", "-q", str(mirrored.upstream.path), "main:refs/heads/main")
    assert refusal(client.get("/app/main.tar.gz")) == "malformed-tree"
    assert list(client.cache.directory.glob("making-*")) == []


def test_an_archive_that_is_larger_than_the_cache(mirrored):
    with serving(mirrored, most=1000) as client:
        answer = client.get("/app/main.tar.gz")
        assert refusal(answer) == "too-large"
        assert "--cache-size" in answer.text


# --- what comes ------------------------------------------------------------------------------------------------------


def test_the_files(mirrored, client):
    upstream = mirrored.upstream
    script = upstream.history.commit(
        "modes",
        {"run": Entry(EXECUTABLE, b"#!/bin/sh\n"), "link": Entry(SYMLINK, b"README"), "d/é": "x\n"},
        sign=ALICE,
    )
    mirrored.update()
    answer = client.get("/app/main.tar.gz")
    found = members(answer)
    assert found["source/run"].mode == 0o755
    assert found["source/link"].linkname == "README"
    assert content(answer, "d/é") == b"x\n"
    assert gzip.decompress(answer.body) == lzma.decompress(client.get("/app/main/nixexprs.tar.xz").body)
    date = int(mirrored.git("log", "-1", "--format=%ct", script))
    assert {member.mtime for member in found.values()} == {date}


def test_no_attribute_applies(mirrored, client):
    attributes = "gone export-ignore\nid export-subst\n*.txt eol=crlf\n"
    files = {".gitattributes": attributes, "gone": "x\n", "id": "$Format:%H$\n", "a.txt": "a\nb\n"}
    mirrored.upstream.commit("attributes", **files)
    mirrored.update()
    answer = client.get("/app/main.tar.gz")
    for name, text in files.items():
        assert content(answer, name) == text.encode()


def test_a_submodule_is_an_empty_folder(mirrored, client):
    mirrored.upstream.commit("module", sub=Entry(GITLINK, b"ab" * 20))
    mirrored.update()
    assert members(client.get("/app/main.tar.gz"))["source/sub"].isdir()


def test_the_link(mirrored, client):
    answer = client.get("/app/main.tar.gz")
    url, rev, count, date, _ = LINK.fullmatch(answer.headers["Link"]).groups()
    third = mirrored.ids["third"]
    assert url == f"{client.url}/app/.rev/{third}.tar.gz"
    assert rev == third
    assert count == mirrored.git("rev-list", "--count", third)
    assert date == mirrored.git("log", "-1", "--format=%ct", third)
    locked = client.get(f"{url}?rev={rev}".removeprefix(client.url))
    assert locked.body == answer.body
    assert locked.headers["ETag"] == answer.headers["ETag"]
    channel = client.get("/app/main/nixexprs.tar.xz")
    assert channel.headers["Link"] == answer.headers["Link"].replace(".tar.gz?", ".tar.xz?")


def test_the_link_behind_a_proxy(mirrored):
    with serving(mirrored, base="https://builder.example.org/verified") as client:
        for host in ("localhost", "builder.example.org"):
            link = client.get("/app/main.tar.gz", Host=host).headers["Link"]
            assert link.startswith("<https://builder.example.org/verified/app/.rev/")


def test_tags_of_the_client(mirrored, client):
    for path in ("/app/main.tar.gz", f"/app/.rev/{mirrored.ids['second']}.tar.gz", "/app/main/nixexprs.tar.xz"):
        fresh = client.get(path)
        tag = fresh.headers["ETag"]
        for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = client.get(path, If_None_Match=value)
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["ETag"] == tag
            assert answer.headers["Link"] == fresh.headers["Link"]
        for value in ('"other"', tag.strip('"'), tag.upper()):
            assert client.get(path, If_None_Match=value).status == 200


def test_a_tag_saves_making_the_archive(mirrored, client):
    tag = f'"{mirrored.ids["third"]}-tar.gz-1"'
    assert client.get("/app/main.tar.gz", If_None_Match=tag).status == 304
    assert client.jobs.done == ["judge"]


def test_head(client):
    fresh, head = client.get("/app/main.tar.gz"), client.get("/app/main.tar.gz", "HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", "ETag", "Link", "Content-Type"):
        assert head.headers[name] == fresh.headers[name]
    assert client.get("/app/none.tar.gz", "HEAD").status == 403


def test_ranges_are_answered_with_the_whole(client):
    fresh = client.get("/app/main.tar.gz")
    for value in ("bytes=0-0", "bytes=-1", "bytes=5-2", "bytes=" + "0-0," * 1000 + "1-1"):
        answer = client.get("/app/main.tar.gz", Range=value)
        assert (answer.status, answer.body) == (200, fresh.body)
        assert answer.headers["Accept-Ranges"] == "none"


def test_several_requests_over_one_connection(client):
    ask = b"GET /app/main HTTP/1.1\r\nHost: localhost\r\n"
    received = client.raw(ask + b"\r\n", ask + b"\r\n" + ask + b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 ") == 3


def test_what_a_branch_is_at(mirrored, client):
    for path in ("/app/main", "/app/main/"):
        text = client.get(path).text
        assert mirrored.ids["third"] in text
        assert f"{client.url}/app/main.tar.gz" in text
    assert "/app/a/b.tar.gz" in client.get("/app").text
    assert client.get("/app").text == client.get("/").text


# --- many at once ----------------------------------------------------------------------------------------------------


def test_many_ask_for_the_same_at_once(client):
    client.jobs.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.get, "/app/main.tar.gz") for _ in range(8)]
        client.jobs.gate.set()
        answers = [each.result() for each in waiting]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert sorted(client.jobs.done) == ["judge", "make"]


def test_a_client_that_goes_away_stops_nobody(client):
    client.jobs.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        with socket.create_connection(("127.0.0.1", client.port)) as first:
            first.sendall(b"GET /app/main.tar.gz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            second = pool.submit(client.get, "/app/main.tar.gz")
        client.jobs.gate.set()
        assert second.result().status == 200


def test_too_many_at_once(mirrored, client):
    client.get("/app/main.tar.gz")
    client.jobs._room = 0
    answer = client.get("/app/a/b.tar.gz")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert client.get("/app/main.tar.gz").status == 200  # what is there takes no turn
    client.jobs._room = 1
    assert client.get("/app/a/b.tar.gz").status == 200


def test_more_archives_at_once_than_there_are_threads(mirrored, client):
    """Each waits for a process, and a thread waits for that: with all of them taken, nothing went on any more."""
    ids = [mirrored.upstream.commit(f"commit {number}") for number in range(3)]
    mirrored.update()
    assert client.get("/app/main.tar.gz").status == 200
    client.loop.set_default_executor(ThreadPoolExecutor(2))
    client.jobs.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(client.get, f"/app/.rev/{commit}.tar.xz") for commit in ids]
        assert client.get("/app/main.tar.gz").status == 200  # what is there is served meanwhile
        client.jobs.gate.set()
        assert [each.result().status for each in waiting] == [200, 200, 200]


def test_nothing_stays_open(client):
    for path in ("/app/main.tar.gz", "/app/main/nixexprs.tar.xz", "/app/none.tar.gz"):
        for method in ("GET", "HEAD"):
            client.get(path, method)
    assert opened_below(client.cache.directory) == ["lock"]


# --- the cache -------------------------------------------------------------------------------------------------------


def archive_of(client):
    [path] = client.cache.directory.glob("*/*.tar.gz")
    return path


@pytest.mark.parametrize(
    "what", ["bytes", "short", "symlink", "pipe", "directory", "gone", "note", "note pipe", "hard link"]
)
def test_an_archive_that_was_altered(client, what):
    fresh = client.get("/app/main.tar.gz")
    path = archive_of(client)
    if what == "bytes":
        found = path.stat()
        content = bytearray(path.read_bytes())
        content[-100] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif what == "short":
        os.truncate(path, 100)
    elif what.startswith("note"):
        note = path.with_name(f"{path.name}.json")
        note.unlink()
        if what == "note":
            note.write_text("{")
        else:
            os.mkfifo(note)
    elif what == "hard link":
        os.link(path, path.parent / "another")
    else:
        path.unlink()
    if what == "symlink":
        (path.parent / "other").write_bytes(fresh.body)
        path.symlink_to("other")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "directory":
        (path / "sub").mkdir(parents=True)
    again = client.get("/app/main.tar.gz")
    assert (again.status, again.body) == (200, fresh.body)
    assert client.jobs.done.count("make") == 2
    assert path.is_file()
    assert not path.is_symlink()
    assert client.get("/app/main.tar.gz").body == fresh.body
    assert client.jobs.done.count("make") == 2


def test_a_symlink_where_the_archives_of_a_mirror_should_be(mirrored, client):
    client.get("/app/main.tar.gz")
    folder = archive_of(client).parent
    elsewhere = mirrored.place / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = set(elsewhere.iterdir())
    answer = client.get("/app/a/b.tar.gz")
    assert answer.status == 500
    assert "symlink" in answer.text
    assert set(elsewhere.iterdir()) == before


def test_no_room(client, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gitverify.gateway.work.StoredGzip", full)
    answer = client.get("/app/main.tar.gz")
    assert answer.status == 500
    assert "No space left" in answer.text
    assert any(line.startswith("failed /app/main.tar.gz") for line in client.log)
    monkeypatch.undo()
    assert client.get("/app/main.tar.gz").status == 200


def test_what_nobody_has_thought_of(client, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("x")

    monkeypatch.setattr("gitverify.gateway.work.StoredGzip", broken)
    answer = client.get("/app/main.tar.gz")
    assert answer.status == 500
    assert "internal error: ZeroDivisionError" in answer.text
    assert client.get("/").status == 200


def test_two_machines_make_the_same(mirrored, tmp_path):
    """From a mirror that is packed otherwise, with more history by then."""
    with serving(mirrored) as client:
        first = client.get("/app/main.tar.gz").body
    mirrored.upstream.commit("next")
    (tmp_path / "other").mkdir()
    other = Mirrored(tmp_path / "other", upstream=mirrored.upstream)
    other.git("repack", "-adfq", "--depth=1")
    with serving(other) as client:
        assert client.get(f"/app/.rev/{mirrored.ids['third']}.tar.gz").body == first


# --- a keyring that is not in the mirror -----------------------------------------------------------------------------


@pytest.fixture
def channel(tmp_path):
    """A Guix channel; its certificates are fetched when it is updated, and not kept."""
    upstream = Upstream(tmp_path)
    upstream.history.last = None
    guix.introduce(SimpleNamespace(history=upstream.history), CAROL, keyring=[CAROL])
    upstream.history.commit("guix", {"a": "b\n"}, sign=CAROL)
    upstream.point("keyring", "keyring")
    return Mirrored(tmp_path, upstream=upstream, introduction="guix")


def test_where_the_mirrors_word_counts(channel):
    with serving(channel) as client:
        assert channel.ids["guix"] in client.get("/app/main.tar.gz").headers["Link"]
        new = channel.upstream.history.commit("new", {"a": "c\n"}, sign=CAROL, parents=["guix"])
        channel.update()
        assert new in client.get("/app/main.tar.gz").headers["Link"]
        assert client.get(f"/app/.rev/{channel.ids['guix']}.tar.gz").status == 200
        assert refusal(client.get(f"/app/.rev/{channel.ids['introduction']}.tar.gz")) == "not-descendant"
        channel.upstream.history.commit("bad", {"a": "d\n"}, sign=ALICE, parents=["new"])
        channel.update()
        assert refusal(client.get("/app/main.tar.gz")) == "unsupported-signature"


def test_what_a_merge_adopted_where_the_mirrors_word_counts(tmp_path):
    """It descends from the introduction, an authentic branch reaches it, and nobody vouched for it as it is."""
    upstream = Upstream(tmp_path)
    policy = policies.native({"alice": [ALICE], "bob": [BOB]}, "adopting_merges: true")
    upstream.history.commit("policy", {policies.NATIVE: policy}, sign=ALICE)
    upstream.history.commit("theirs", {"evil": "x\n"}, sign=MALLORY)
    upstream.history.commit("merge", {"README": "x\n"}, parents=["policy", "theirs"], sign=ALICE)
    upstream.history.commit("next", {"README": "y\n"}, sign=ALICE)
    upstream.point("second", "keyring")
    mirrored = Mirrored(tmp_path, upstream=upstream, options=("--keyring", "keyring"))
    with serving(mirrored) as client:
        assert client.get("/app/main.tar.gz").status == 200
        assert client.get(f"/app/.rev/{mirrored.ids['theirs']}.tar.gz").status == 403
        for label in ("next", "merge", "policy", "second"):
            assert client.get(f"/app/.rev/{mirrored.ids[label]}.tar.gz").status == 200


def test_where_an_age_can_not_be_told(channel):
    with serving(channel, max_age=100 * 365 * 86400) as client:
        assert refusal(client.get("/app/main.tar.gz")) == "stale"
        assert "leave out --max-age" in client.get("/app/main.tar.gz").text
        assert client.get(f"/app/.rev/{channel.ids['guix']}.tar.gz").status == 200


# --- what a mirror's settings may say --------------------------------------------------------------------------------


def test_settings_of_the_mirror(mirrored, client):
    """git's own configuration, which here is the mirror's."""
    with (mirrored.path / "config").open("a") as file:
        file.write("[gitverify]\n\tmaxAge = 1h\n")
    assert refusal(client.get("/app/main.tar.gz")) == "stale"


def test_settings_that_can_not_be_understood(mirrored, client):
    with (mirrored.path / "config").open("a") as file:
        file.write("[gitverify]\n\tmaxAge = soon\n")
    assert refusal(client.get("/app/main.tar.gz")) == "introduction-not-configured"
    assert refusal(client.get(f"/app/.rev/{mirrored.ids['second']}.tar.gz")) == "not-verified"


def test_marks_that_can_not_be_read_and_a_commit(mirrored, client):
    assert client.get("/app/main.tar.gz").status == 200
    (mirrored.state / "marks.sqlite3").write_bytes(b"x")
    assert client.get("/app/main.tar.gz").status == 200  # that was judged
    assert refusal(client.get(f"/app/.rev/{mirrored.ids['second']}.tar.gz")) == "state-corrupt"


def test_objects_that_are_gone(mirrored, client):
    assert client.get("/app/main").status == 200  # and judged
    for pack in (mirrored.path / "objects/pack").iterdir():
        pack.unlink()
    assert refusal(client.get("/app/main.tar.gz")) == "missing-object"
