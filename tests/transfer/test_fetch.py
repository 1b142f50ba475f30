"""``gitverify fetch``, from real git servers: what is refused first, then what works."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gitserver
import pytest
from cli.scene import ALICE, MALLORY
from fetching import Upstream

from fixtures.lib.objects import GITLINK, Entry
from gitverify.limits import LIMITS
from gitverify.source import Repository


def nothing_appeared(upstream):
    return not [path for path in upstream.place.iterdir() if path.name == "out" or "gitverify-export" in path.name]


def refused(upstream, *arguments, reason, status, **more):
    done = upstream.fetch("--branch", "main", "--output", "out", *arguments, **more)
    assert (done.report["reason"], done.status) == (reason, status), done.report
    assert nothing_appeared(upstream)
    return done


# --- what a server may try -------------------------------------------------------------------------------------------


def test_a_commit_by_somebody_who_is_not_listed(upstream):
    upstream.bad()
    refused(upstream, reason="unauthorized-key", status=1)


def test_references_without_end(upstream, monkeypatch):
    """Git keeps all of them in memory."""

    def endless(content):
        yield content
        while True:
            yield b"".join(b"003f%040x refs/heads/%07x\n" % (number, number) for number in range(10_000))

    monkeypatch.setattr("gitverify.children.LIMITS", replace(LIMITS, fetch_memory=100 << 20))
    upstream.server.tamper = lambda path, content: endless(content) if "info/refs" in path else [content]
    done = refused(upstream, reason="fetch-failed", status=3)
    assert "memory" in done.report["refusals"][0]["message"]
    assert "longer than" not in done.report["refusals"][0]["message"]


def test_what_was_refused_is_not_in_the_way_of_what_is_small_enough(upstream):
    upstream.commit("large", sign=MALLORY, large=os.urandom(200_000).hex())
    limit = ["--max-size", "300K"]
    refused(upstream, *limit, reason="unauthorized-key", status=1)
    upstream.history.commit("next", {"large": os.urandom(150_000).hex()}, parents=["third"], sign=ALICE)
    assert upstream.fetch("--branch", "main", "--output", "out", *limit).status == 0
    upstream.commit("larger", large=os.urandom(400_000).hex())
    done = upstream.fetch("--branch", "main", "--output", "other", *limit)
    assert "more than 307,200 bytes" in done.report["refusals"][0]["message"]


def test_many_small_fetches(upstream, monkeypatch):
    monkeypatch.setattr("gitverify.transfer.quarantine._MOST_PACKS", 3)
    for number in range(6):
        upstream.commit(f"more{number}")
        assert upstream.fetch("--branch", "main", "--narhash").status == 0
    assert len(list((upstream.place / "cache").rglob("*.pack"))) <= 3


def test_git_is_not_let_run_a_helper_even_if_the_user_allows_it(upstream):
    (upstream.place / ".gitconfig").write_text(
        f'[protocol "ext"]\n\tallow = always\n[url "ext::touch {upstream.place}/ran "]\n\tinsteadOf = http://127\n'
    )
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0
    assert not (upstream.place / "ran").exists()


def test_a_rewritten_url_of_the_same_length(upstream):
    """It can't be told from ours by its length; but what it leads to is not spoken."""
    (upstream.place / ".gitconfig").write_text(
        f'[protocol "ext"]\n\tallow = always\n[url "ext::touch {upstream.place}/ran "]\n\tinsteadOf = {upstream.url}\n'
    )
    upstream.fetch("--branch", "main", "--output", "out")
    assert not (upstream.place / "ran").exists()


def test_no_hook_and_no_filter_runs_and_no_submodule_is_fetched(upstream):
    ran = upstream.place / "ran"
    (upstream.place / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {upstream.place}/hooks\n"
        f'[filter "x"]\n\tsmudge = touch {ran}\n\tclean = touch {ran}\n\trequired = true\n'
        "[fetch]\n\trecurseSubmodules = true\n"
    )
    hooks = upstream.place / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    upstream.commit(
        "hostile",
        **{
            ".gitattributes": "* filter=x text eol=crlf export-subst ident\nREADME export-ignore\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch ran\n',
            "x": Entry(GITLINK, b"1" * 40),
            "README": "$Id$ $Format:%H$\n",
        },
    )
    done = upstream.fetch("--branch", "main", "--output", "out")
    assert done.status == 0
    assert not ran.exists()
    assert (upstream.place / "out/README").read_text() == "$Id$ $Format:%H$\n"
    assert not any((upstream.place / "out/x").iterdir())
    assert done.report["output"]["submodules"] == [{"path": "x", "commit": "1" * 40}]


def test_the_parent_of_the_output_is_a_symlink_to_nowhere(upstream):
    (upstream.place / "link").symlink_to("nowhere")
    done = upstream.fetch("--branch", "main", "--output", "link/out")
    assert done.status == 2
    assert not upstream.server.requests


def test_a_branch_that_was_set_back(upstream):
    assert upstream.fetch("--branch", "main", "--output", "before").status == 0
    upstream.point("second")
    refused(upstream, reason="behind", status=1)
    assert upstream.fetch("--branch", "main", "--output", "out", "--allow-rollback").status == 0


def test_a_clock_that_is_set_back(upstream, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    assert upstream.fetch("--branch", "main", "--output", "before", "--max-age", "1d").report["reason"] == "stale"
    assert upstream.fetch("--branch", "main", "--output", "before").status == 0
    upstream.point("second")
    refused(upstream, reason="behind", status=1)


def test_a_server_that_is_not_there(tmp_path):
    upstream = Upstream(tmp_path)
    upstream.path.rename(tmp_path / "elsewhere")
    refused(upstream, reason="fetch-failed", status=3)


# --- what works ------------------------------------------------------------------------------------------------------


def test_a_branch(upstream):
    done = upstream.fetch("--branch", "main", "--output", "out", "--narhash")
    assert done.status == 0
    assert done.report["tip"] == upstream.ids["third"]
    assert done.report["ref"] == "refs/heads/main"
    assert re.fullmatch("sha256-.{43}=", done.report["narHash"])
    assert sorted(path.name for path in (upstream.place / "out").iterdir()) == [".gitverify.yaml", "README"]
    listed = upstream.git("ls-tree", "--name-only", "main").split()
    assert listed == [".gitverify.yaml", "README"]


def test_for_people(upstream):
    done = upstream.scene_run("fetch", upstream.url, *upstream.anchor, "--branch", "main", "--narhash")
    assert done.status == 0
    assert "narHash sha256-" in done.stdout


def test_many_files_in_processes_of_their_own(upstream):
    upstream.commit("many", **{f"file{number}": f"{number}\n" for number in range(300)})
    done = upstream.fetch("--branch", "main", "--output", "out", "--narhash", "--jobs", "2")
    assert done.status == 0
    assert done.report["output"]["files"] == 302
    assert upstream.fetch("--branch", "main", "--narhash").report["narHash"] == done.report["narHash"]


def test_what_is_written_and_hashed_is_read_once(upstream, monkeypatch):
    content, files = Repository.content, []

    def remember(self, object_id, limit):
        files.append(object_id)
        return content(self, object_id, limit)

    monkeypatch.setattr(Repository, "content", remember)
    done = upstream.fetch("--branch", "main", "--output", "out", "--narhash", "--jobs", "1")
    assert len(files) == len(set(files)) == 2
    files.clear()
    assert upstream.fetch("--branch", "main", "--narhash", "--jobs", "1").report["narHash"] == done.report["narHash"]
    assert len(files) == 2


def test_the_second_time_only_what_is_new_is_fetched(upstream):
    upstream.commit("large", large="\n".join(str(number) * 9 for number in range(20_000)))
    assert upstream.fetch("--branch", "main", "--output", "before").status == 0
    first = max(upstream.server.sent)
    upstream.server.sent.clear()
    upstream.commit("small")
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0
    assert max(upstream.server.sent) < first / 20
    upstream.server.sent.clear()
    assert upstream.fetch("--branch", "main", "--output", "again").status == 0
    assert max(upstream.server.sent, default=0) < first / 20


@pytest.mark.parametrize("allowed", [True, False])
def test_a_commit_by_its_id(upstream, allowed):
    upstream.git("config", "uploadpack.allowAnySHA1InWant", str(allowed).lower())
    rev = upstream.ids["second"]
    done = upstream.fetch("--rev", rev, "--ref", "main", "--output", "out")
    assert done.status == 0
    assert done.report["tip"] == rev
    assert (upstream.place / "out/README").read_text() == "two\n"


def test_a_commit_by_its_id_without_a_mark(upstream):
    rev = upstream.ids["second"]
    assert upstream.fetch("--rev", rev, "--output", "out").status == 2
    done = upstream.fetch("--rev", rev, "--output", "out", "--no-state")
    assert done.status == 0
    assert done.report["ref"] is None
    upstream.server.requests.clear()
    assert upstream.fetch("--rev", rev, "--no-state", "--narhash").status == 0
    assert not upstream.server.requests  # what is here need not be fetched


@pytest.mark.parametrize("reference", [["--ref", "main"], ["--no-state"]])
def test_a_commit_that_is_not_there(upstream, reference):
    done = upstream.fetch("--rev", "1" * 40, *reference, "--output", "out")
    assert done.status == 3
    assert nothing_appeared(upstream)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output", "out"],
        ["--branch", "main", "--rev", "1" * 40, "--output", "out"],
        ["--branch", "main"],
        ["--branch", "-x", "--output", "out"],
        ["--rev", "main", "--no-state", "--output", "out"],
        ["--branch", "main", "--output", "served"],
        ["--branch", "main", "--output", "out", "--max-size", "x"],
    ],
)
def test_usage(upstream, arguments):
    assert upstream.fetch(*arguments).status == 2
    assert not upstream.server.requests


def test_without_an_introduction(upstream):
    done = upstream.scene_run("fetch", upstream.url, "--branch", "main", "--narhash")
    assert done.status == 4
    assert "introduction-not-configured" in done.stdout


def test_an_introduction_from_gits_configuration(upstream):
    introduction = upstream.ids["introduction"]
    (upstream.place / ".gitconfig").write_text(f'[gitverify "url:{upstream.url}"]\n\tintroduction = {introduction}\n')
    done = upstream.run("fetch", upstream.url, "--branch", "main", "--narhash")
    assert done.status == 0


def test_two_at_once(upstream):
    for number in range(10):
        upstream.commit(f"more{number}")
    words = [sys.executable, "-m", "gitverify", "fetch", upstream.url, *upstream.anchor, "--branch", "main", "--output"]
    running = [
        subprocess.Popen([*words, f"out{number}"], env=upstream.environment, cwd=upstream.place, stdout=subprocess.PIPE)
        for number in range(3)
    ]
    for number, process in enumerate(running):
        with process:
            assert process.communicate() is not None
        assert process.returncode == 0
        assert (upstream.place / f"out{number}/README").read_text() == "more9\n"


def test_two_at_once_to_one_place(upstream):
    """The directory is one of theirs, whole; the other one says that something is there."""
    upstream.commit("files", **{f"files/{number}": f"{number}\n" for number in range(200)})
    words = [sys.executable, "-m", "gitverify", "fetch", upstream.url, *upstream.anchor, "--branch", "main"]
    running = [
        subprocess.Popen(
            [*words, "--output", "out"],
            env=upstream.environment,
            cwd=upstream.place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    first, second = sorted(process.wait() for process in running)
    assert first == 0
    assert second in {2, 4}
    assert len(list((upstream.place / "out/files").iterdir())) == 200
    assert not list(upstream.place.glob(".gitverify-export-*"))


def test_newest_authentic(upstream):
    upstream.bad()
    done = upstream.fetch("--branch", "main", "--output", "out", "--newest-authentic")
    assert done.status == 0
    assert done.report["tip"] == upstream.ids["third"]


def test_a_fetch_that_was_killed(upstream):
    """Whatever it left, the next one does not need."""
    path = gitserver.wrapped(upstream.place / "bin", 'case "$*" in *" fetch "*) "$GIT" "$@"; kill -9 $PPID;; esac')
    done = upstream.run("fetch", upstream.url, *upstream.anchor, "--branch", "main", "--output", "out", PATH=path)
    assert done.status == -9
    assert nothing_appeared(upstream)
    (busy,) = (upstream.place / "cache").rglob("fetching")
    pack = next((busy.parent / "unverified/pack").glob("*.pack"))
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:40])
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0


def test_what_a_killed_run_has_fetched_need_not_come_again(upstream):
    """It was killed once all was there, and nothing judged."""
    upstream.commit("large", large=os.urandom(200_000))
    path = gitserver.wrapped(
        upstream.place / "bin", 'case "$*" in *" rev-parse "*) kill -9 $PPID;; esac\nexec "$GIT" "$@"'
    )
    words = ["--branch", "main", "--output", "out"]
    assert upstream.run("fetch", upstream.url, *upstream.anchor, *words, PATH=path).status == -9
    assert max(upstream.server.sent) > 200_000
    upstream.server.sent.clear()
    assert upstream.fetch(*words).status == 0
    assert max(upstream.server.sent, default=0) < 1000


def test_damage_to_what_was_fetched_is_found_and_mended(upstream):
    assert upstream.fetch("--branch", "main", "--output", "before").status == 0
    (pack,) = (upstream.place / "cache").rglob("*.pack")
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[14:60] = b"x" * 46
    pack.write_bytes(bytes(content))
    upstream.commit("next")
    assert upstream.fetch("--branch", "main", "--output", "out").status == 3
    assert nothing_appeared(upstream)
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0


def test_damage_that_only_verifying_finds_is_mended(upstream):
    assert upstream.fetch("--branch", "main", "--output", "before").status == 0
    (pack,) = (upstream.place / "cache").rglob("*.pack")
    pack.chmod(0o600)
    blob = upstream.git("rev-parse", "main:README")
    listed = upstream.git("verify-pack", "-v", str(pack.with_suffix(".idx"))).splitlines()
    at = next(int(line.split()[4]) for line in listed if line.startswith(blob))
    content = pack.read_bytes()
    pack.write_bytes(content[: at + 3] + b"xxxx" + content[at + 7 :])
    # Each in a process of its own: libgit2 keeps what it knows of a pack, and the new one has the same name.
    words = ["fetch", upstream.url, *upstream.anchor, "--branch", "main", "--output", "out"]
    done = upstream.run(*words)
    assert done.status == 3
    assert "missing-object" in done.stdout
    assert nothing_appeared(upstream)
    assert upstream.run(*words).status == 0


def test_a_place_where_nothing_can_be_kept(upstream):
    (upstream.place / "cache").write_text("a file\n")
    done = upstream.fetch("--branch", "main", "--output", "out")
    assert (done.status, done.report["reason"]) == (4, "mirror-failed")
    done = upstream.fetch("--branch", "main", "--output", "out", XDG_CACHE_HOME="", HOME="")
    assert (done.status, done.report["reason"]) == (4, "mirror-failed")


def test_nothing_serves_what_was_fetched(upstream):
    upstream.bad()
    upstream.fetch("--branch", "main", "--output", "out")
    (quarantine,) = (upstream.place / "cache").rglob("quarantine")
    for place in (quarantine, quarantine.parent.parent):
        done = subprocess.run(
            ["git", "ls-remote", f"file://{place}"], capture_output=True, env={"PATH": os.environ["PATH"]}, check=False
        )
        assert not done.stdout
    assert Path(quarantine).stat().st_mode & 0o077 == 0
