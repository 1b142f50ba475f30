"""``git-remote-verified``, as git runs it."""

import os
import socket
import subprocess
import sys
from functools import partial

import gitserver
import pytest
from fetching import ROOT

from gitverify.remote.protocol import BadRequest, requested


class Remote:
    """A user whose git knows the helper, and the introduction of one URL."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.place = upstream.place
        self.url = f"verified::{upstream.url}"
        programs = self.place / "programs"
        programs.mkdir()
        helper = programs / "git-remote-verified"
        helper.write_text(f'#!/bin/sh\nexec {sys.executable} -m gitverify.cli.remote_verified "$@"\n')
        helper.chmod(0o755)
        self.environment = upstream.environment | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GITVERIFY_JOBS": "1",
            "LC_ALL": "C",
        }
        self.configure(introduction=upstream.ids["introduction"])

    def configure(self, **settings):
        """Write the user's configuration; each value is that of the URL."""
        lines = [f"\t{name} = {value}\n" for name, value in settings.items()]
        text = f'[gitverify "url:{self.upstream.url}"]\n{"".join(lines)}'
        (self.place / ".gitconfig").write_text(text)

    def git(self, *arguments, at=None, **environment):
        return subprocess.run(
            ["git", *map(str, arguments)],
            cwd=at or self.place,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def clone(self, **environment):
        return self.git("clone", "-q", self.url, "clone", **environment)

    def at(self, place="clone", what="origin/main"):
        return self.git("rev-parse", what, at=self.place / place).stdout.strip()


@pytest.fixture
def remote(upstream):
    return Remote(upstream)


@pytest.fixture
def cloned(remote):
    done = remote.clone()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert remote.at() == remote.upstream.ids["third"]
    return remote


# --- refused ---------------------------------------------------------------------------------------------------------


def test_a_first_clone_of_what_is_not_authentic(remote):
    remote.upstream.bad()
    done = remote.clone()
    assert done.returncode
    assert "NOT VERIFIED" in done.stderr
    assert "unauthorized-key" in done.stderr
    assert "nothing to serve" in done.stderr
    assert not (remote.place / "clone").exists()


def test_the_last_verified_state_is_served_loudly(cloned):
    bad = cloned.upstream.bad()
    done = cloned.git("fetch", at=cloned.place / "clone")
    assert done.returncode == 0
    assert "NOT VERIFIED" in done.stderr
    assert f"unauthorized-key (R8): {bad}" in done.stderr
    assert f"main stays at {cloned.upstream.ids['third']}" in done.stderr
    assert cloned.at() == cloned.upstream.ids["third"]
    listed = cloned.git("ls-remote", cloned.url)
    assert bad not in listed.stdout
    again = cloned.git("clone", "-q", cloned.url, "again")
    assert again.returncode == 0
    assert cloned.at("again") == cloned.upstream.ids["third"]


@pytest.mark.parametrize("how", ["environment", "configuration"])
def test_strict(cloned, how):
    bad = cloned.upstream.bad()
    environment = {}
    if how == "environment":
        environment["GITVERIFY_STRICT"] = "1"
    else:
        cloned.configure(introduction=cloned.upstream.ids["introduction"], strict="true")
    done = cloned.git("fetch", at=cloned.place / "clone", **environment)
    assert done.returncode
    assert "Nothing is served" in done.stderr
    assert bad in done.stderr


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_an_unverified_id_that_is_asked_for(cloned, version):
    bad = cloned.upstream.bad()
    asked = ["-c", f"protocol.version={version}", "fetch", "origin", bad]
    done = cloned.git(*asked, at=cloned.place / "clone")
    assert done.returncode
    assert cloned.git("cat-file", "-e", bad, at=cloned.place / "clone").returncode
    verified = ["-c", f"protocol.version={version}", "fetch", "origin", cloned.upstream.ids["second"]]
    assert cloned.git(*verified, at=cloned.place / "clone").returncode == 0


def test_a_server_that_is_away(cloned):
    cloned.upstream.path.rename(cloned.place / "away")
    done = cloned.git("ls-remote", cloned.url)
    assert done.returncode == 0
    assert "fetch-failed" in done.stderr
    assert cloned.upstream.ids["third"] in done.stdout
    assert cloned.git("ls-remote", cloned.url, GITVERIFY_STRICT="1").returncode


def test_a_default_branch_that_a_server_changes(cloned):
    """What HEAD names is asked once: it could lead to another branch, authentic and old."""
    cloned.upstream.point("second", "old")
    cloned.upstream.scene.repository.write("HEAD", "ref: refs/heads/old\n")
    listed = cloned.git("ls-remote", cloned.url).stdout
    assert f"{cloned.upstream.ids['third']}\tHEAD" in listed
    assert "old" not in listed


def test_a_server_that_never_answers_hinders_no_other_remote(cloned):
    """It is asked for its default branch by the first clone."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"verified::http://127.0.0.1:{server.getsockname()[1]}/app.git"
        environment = cloned.environment | {"GITVERIFY_INTRODUCTION": "1" * 40}
        with subprocess.Popen(["git", "ls-remote", url], cwd=cloned.place, env=environment) as waiting:
            connection, _ = server.accept()  # it is being asked
            fetched = subprocess.Popen(["git", "fetch", "-q"], cwd=cloned.place / "clone", env=cloned.environment)
            try:
                assert fetched.wait(20) == 0
            finally:
                fetched.kill()
                fetched.wait()
                connection.close()
            assert waiting.wait(20)


def test_without_an_introduction(remote):
    remote.configure()
    done = remote.clone()
    assert done.returncode
    assert "no introduction is configured" in done.stderr
    assert f"git config --global gitverify.url:{remote.upstream.url}.introduction COMMIT" in done.stderr
    assert not remote.upstream.server.requests


def test_the_remote_does_not_choose_the_introduction(remote):
    """Not by its files, nor by a configuration that lies in its working tree."""
    remote.configure()
    upstream = remote.upstream
    upstream.commit("config", config=f"[gitverify]\n\tintroduction = {upstream.ids['introduction']}\n")
    place = remote.place / "work-tree"
    subprocess.run(["git", "clone", "-q", upstream.url, place], env=remote.environment, check=True)
    remote.git("config", "include.path", "../config", at=place)
    done = remote.git("fetch", remote.url, at=place)
    assert done.returncode
    assert "lies in the working tree" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("introduction", "main"), ("signer", "x"), ("maxAge", "x"), ("dialect", "x"), ("strict", "x"), ("branches", "-x")],
)
def test_settings_that_can_not_be_understood(remote, name, value):
    remote.configure(**{"introduction": remote.upstream.ids["introduction"]} | {name: value})
    done = remote.clone()
    assert done.returncode
    assert f"gitverify.{name}" in done.stderr


def test_pushing(cloned):
    cloned.git(
        "-c", "user.name=a", "-c", "user.email=a", "commit", "--allow-empty", "-m", "x", at=cloned.place / "clone"
    )
    done = cloned.git("push", "origin", "HEAD:main", at=cloned.place / "clone")
    assert done.returncode
    assert "is for reading" in done.stderr
    assert cloned.upstream.git("rev-parse", "main") == cloned.upstream.ids["third"]


def test_a_rule_that_rewrites_every_url_to_a_verified_one(remote):
    """It does not call itself for ever."""
    server = remote.upstream.server.url
    with (remote.place / ".gitconfig").open("a") as file:
        file.write(f'[url "verified::{server}"]\n\tinsteadOf = {server}\n')
    done = remote.git("clone", "-q", remote.upstream.url, "clone")
    assert done.returncode == 0, done.stderr
    assert remote.at() == remote.upstream.ids["third"]


def test_variables_that_lead_git_elsewhere(cloned):
    """What git hands down is about the repository that it works in."""
    bad = cloned.upstream.bad()
    for name, value in {
        "GIT_OBJECT_DIRECTORY": cloned.upstream.path / "objects",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": cloned.upstream.path / "objects",
        "GIT_NAMESPACE": "x",
        "GIT_CONFIG_PARAMETERS": "'uploadpack.hiderefs=refs/'",
        "GIT_PROTOCOL": "version=2",
    }.items():
        listed = cloned.git("ls-remote", cloned.url, **{name: str(value)})
        assert cloned.upstream.ids["third"] in listed.stdout, name
        assert bad not in listed.stdout
    asked = ["fetch", "origin", bad]
    elsewhere = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(cloned.upstream.path / "objects")}
    cloned.git(*asked, at=cloned.place / "clone", **elsewhere)
    assert bad not in cloned.git("ls-remote", cloned.url, **elsewhere).stdout


# --- works -----------------------------------------------------------------------------------------------------------


def test_fetching(cloned):
    new = cloned.upstream.commit("next")
    done = cloned.git("fetch", "-q", at=cloned.place / "clone")
    assert (done.returncode, done.stderr) == (0, "")
    assert cloned.at() == new
    assert cloned.git("fsck", "--full", at=cloned.place / "clone").returncode == 0


@pytest.mark.parametrize("how", ["environment", "plain", "by its URL", "clone -c"])
def test_where_the_introduction_comes_from(remote, how):
    introduction = remote.upstream.ids["introduction"]
    remote.configure()
    arguments, environment = [], {}
    if how == "environment":
        environment["GITVERIFY_INTRODUCTION"] = introduction
    elif how == "plain":
        (remote.place / ".gitconfig").write_text(f"[gitverify]\n\tintroduction = {introduction}\n")
    elif how == "by its URL":
        text = f'[gitverify "{remote.upstream.url}"]\n\tintroduction = {introduction}\n'
        (remote.place / ".gitconfig").write_text(text)
    else:
        arguments = ["-c", f"gitverify.introduction={introduction}"]
    done = remote.git("clone", "-q", *arguments, remote.url, "clone", **environment)
    assert done.returncode == 0, done.stderr
    if how == "clone -c":  # and stays in the clone
        assert remote.git("fetch", at=remote.place / "clone").returncode == 0


def test_another_introduction_has_another_mirror(cloned):
    """What was judged from one is not served to whoever trusts another."""
    cloned.configure(introduction=cloned.upstream.ids["second"], signer="SHA256:" + "A" * 43)
    done = cloned.git("ls-remote", cloned.url)
    assert done.returncode
    assert "introduction-signer" in done.stderr


def test_branches(remote):
    upstream = remote.upstream
    upstream.point("second", "stable")
    remote.configure(introduction=upstream.ids["introduction"], branches="stable main")
    listed = remote.git("ls-remote", remote.url).stdout
    assert f"{upstream.ids['second']}\tHEAD" in listed
    assert f"{upstream.ids['third']}\trefs/heads/main" in listed


def test_a_server_without_a_default_branch(remote):
    remote.upstream.scene.repository.write("HEAD", "ref: refs/heads/none\n")
    done = remote.clone()
    assert done.returncode
    assert "does not say which branch is its default" in done.stderr


def test_a_clone_over_gits_own_protocol(upstream):
    with gitserver.daemon(upstream.path.parent) as url:
        upstream.url = f"{url}/app.git"
        remote = Remote(upstream)
        assert remote.clone().returncode == 0


def test_nothing_is_asked(remote):
    helper = [sys.executable, "-m", "gitverify.cli.remote_verified"]
    run = partial(subprocess.run, env=remote.environment, capture_output=True, check=False, cwd=ROOT)
    done = run([*helper, "origin", remote.upstream.url], input=b"capabilities\n\n")
    assert (done.returncode, done.stdout) == (0, b"connect\n\n")
    done = run(helper)
    assert done.returncode == 2
    assert b"git clone verified::URL" in done.stderr


def conversation(text):
    rest = [text[at : at + 1] for at in range(len(text))]
    said = []
    return requested(lambda: rest.pop(0) if rest else b"", said.append), b"".join(said), b"".join(rest)


def test_the_protocol():
    assert conversation(b"capabilities\nconnect git-upload-pack\n0000") == (True, b"connect\n\n", b"0000")
    assert conversation(b"") == (False, b"", b"")
    assert conversation(b"x" * 5000) == (False, b"", b"x" * 903)
    for text in (b"connect git-receive-pack\n", b"connect git-upload-archive\n", b"list\n", b"fetch \x1b[2J x\n"):
        with pytest.raises(BadRequest) as refused:
            conversation(text)
        assert "\x1b" not in str(refused.value)
        assert ("push to the URL" in str(refused.value)) == (b"receive" in text)
