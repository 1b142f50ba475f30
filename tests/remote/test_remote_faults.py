"""``git-remote-verified`` where a client asks for what nobody has vouched for, is killed, or runs twice at once."""

import os
import shutil
import subprocess
from dataclasses import replace
from unittest import mock

import gitserver
import pytest
from fetching import Upstream
from killing import everywhere
from remote.test_remote import Remote

from gitverify.cli import remote_verified
from gitverify.mirror.memory import read
from gitverify.remote.outcome import told, unmoved
from gitverify.session import Unanswerable
from gitverify.transfer.store import NoStore, Store


@pytest.fixture
def remote(upstream):
    return Remote(upstream)


@pytest.fixture
def cloned(remote):
    assert remote.clone().returncode == 0
    return remote


# --- a client that asks for more --------------------------------------------------------------------------------------


def wanted(remote, commit, **environment):
    """Ask the helper for a commit as git does, whatever was advertised; return all that it answers."""
    want = f"want {commit} side-band-64k ofs-delta\n".encode()
    talk = b"capabilities\nconnect git-upload-pack\n" + b"%04x%s" % (len(want) + 4, want) + b"00000009done\n"
    helper = remote.place / "programs/git-remote-verified"
    done = subprocess.run(
        [helper, "origin", remote.upstream.url],
        input=talk,
        env=remote.environment | environment,
        cwd=remote.place,
        capture_output=True,
        check=False,
    )
    return done.stdout + done.stderr


def hostile(remote):
    """Variables that would have git serve, from somewhere else, what is not verified."""
    upstream = remote.upstream.path
    (quarantine,) = (
        path
        for path in (remote.place / "cache/gitverify/remotes").rglob("unverified")
        if "asking.git" not in path.parts
    )
    assert list(quarantine.rglob("*.pack"))  # the commit is there
    settings = {
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpack.allowReachableSHA1InWant": "true",
        "uploadpack.allowTipSHA1InWant": "true",
        "core.alternateRefsPrefixes": "refs/",
    }
    counted = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        counted |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    parameters = " ".join(f"'{name}={value}'" for name, value in settings.items())
    yield {}
    for place in (upstream / "objects", quarantine):
        yield {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(place)}
        yield {"GIT_OBJECT_DIRECTORY": str(place)}
        yield {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(place), "GIT_QUARANTINE_PATH": str(place)} | counted
    yield {"GIT_DIR": str(upstream), "GIT_COMMON_DIR": str(upstream), "GIT_WORK_TREE": str(upstream)}
    yield {"GIT_CONFIG": str(upstream / "config"), "GIT_NAMESPACE": "x", "GIT_CONFIG_PARAMETERS": parameters}
    yield {"GIT_REPLACE_REF_BASE": "refs/heads/", "GIT_GRAFT_FILE": str(upstream / "config"), "GIT_SHALLOW_FILE": "x"}
    yield {"GIT_PROTOCOL": "version=2:allow-any", "GIT_PREFIX": "x", "GIT_EXEC_PATH": str(upstream)}


def test_an_unverified_id_whatever_the_environment_says(cloned):
    bad = cloned.upstream.bad()
    assert cloned.git("fetch", at=cloned.place / "clone").returncode == 0
    with (cloned.place / ".gitconfig").open("a") as file:
        file.write("[uploadpack]\n\tallowAnySHA1InWant = true\n\thideRefs = refs/none\n")
    for environment in hostile(cloned):
        answer = wanted(cloned, bad, **environment)
        assert b"not our ref" in answer, (environment, answer)
        assert b"PACK" not in answer
        verified = wanted(cloned, cloned.upstream.ids["second"], **environment)
        assert b"PACK" in verified, (environment, verified)


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_what_is_offered_is_no_more_than_what_is_verified(cloned, version):
    bad = cloned.upstream.bad()
    asked = ["-c", f"protocol.version={version}"]
    place = cloned.place / "clone"
    assert cloned.git(*asked, "fetch", "origin", bad, at=place).returncode
    assert cloned.git(*asked, "fetch", "origin", "refs/arrived/*:refs/x/*", at=place).returncode == 0
    assert cloned.git("cat-file", "-e", bad, at=place).returncode
    listed = cloned.git(*asked, "ls-remote", cloned.url).stdout.split("\n")
    assert {line.split("\t")[-1] for line in listed if line} == {"HEAD", "refs/heads/main"}


# --- a disk that is full, and worse -----------------------------------------------------------------------------------


def mirrors(remote):
    found = [path for path in (remote.place / "cache/gitverify/remotes").iterdir() if path.name != "asking.git"]
    assert found
    return found


def unwritable(remote):
    """Have no update begin: what the mirror remembers can't be written."""
    (mirror,) = mirrors(remote)
    (mirror / "gitverify/mirror.json.new").mkdir()
    return mirror


def test_an_update_that_can_not_begin(cloned):
    """The last verified state is served, unless only the newest will do."""
    mirror = unwritable(cloned)
    listed = cloned.git("ls-remote", cloned.url)
    assert listed.returncode == 0
    assert "NOT VERIFIED" in listed.stderr
    assert "mirror-failed" in listed.stderr
    assert cloned.upstream.ids["third"] in listed.stdout
    assert cloned.git("ls-remote", cloned.url, GITVERIFY_STRICT="1").returncode
    (mirror / "config").write_text("[core\n")
    broken = cloned.git("ls-remote", cloned.url)
    assert broken.returncode
    assert not broken.stdout


def test_what_is_made_of_an_update_that_can_not_begin(cloned):
    third = bytes.fromhex(cloned.upstream.ids["third"])
    environment = cloned.environment | {"GITVERIFY_INTRODUCTION": cloned.upstream.ids["introduction"]}
    mirror = unwritable(cloned)
    with mock.patch.dict(os.environ, environment, clear=True):
        _, _, results = remote_verified._updated(cloned.upstream.url, None)
    (result,) = results
    assert (result.before, result.after, result.report.reason) == (third, third, "mirror-failed")
    lines, serves = told("x", results, strict=False)
    assert serves
    assert f"main stays at {third.hex()}" in "\n".join(lines)
    assert not told("x", results, strict=True)[1]
    assert not told("x", [replace(result, after=None)], strict=False)[1]
    store = Store(mirror, environment)
    known = read(store.home)
    (mirror / "HEAD").unlink()
    with pytest.raises(Unanswerable) as failed:
        unmoved(store, known, NoStore("no room"))
    assert "no room" in str(failed.value)


def test_a_first_update_that_can_not_begin(remote):
    remote.upstream.bad()
    assert remote.clone().returncode
    (mirror,) = mirrors(remote)
    shutil.rmtree(mirror)
    mirror.mkdir()
    (mirror / "somebody's").touch()
    done = remote.clone()
    assert done.returncode
    assert "was not made by gitverify" in done.stderr


# --- killed, and twice at once ----------------------------------------------------------------------------------------


def test_the_first_clone_is_killed(tmp_path):
    """Where there is a mirror already, it is tests/mirror/test_mirror_killed.py."""
    upstream = Upstream(tmp_path)
    with gitserver.daemon(upstream.path.parent) as url:  # a process: what is forked here must have no threads
        upstream.url = f"{url}/app.git"
        remote = Remote(upstream)
        third = bytes.fromhex(upstream.ids["third"])
        # Not from a file: libgit2 looks once in a process for where those are.
        environment = remote.environment | {"GITVERIFY_INTRODUCTION": upstream.ids["introduction"]}

        def run():
            with mock.patch.dict(os.environ, environment, clear=True):
                (result,) = remote_verified._updated(upstream.url, None)[2]
            return 0 if result.after == third else 1

        def prepare():
            for name in ("cache", "state"):
                shutil.rmtree(tmp_path / name, ignore_errors=True)

        def check(what):
            assert run() == 0, what

        points = everywhere(run, prepare, check)
        assert remote.clone().returncode == 0
    assert {"git ls-remote", "git fetch", "verifying", "the mark", "git index-pack", "git update-ref"} <= set(points)
    assert points.index("git update-ref") < len(points) - 1 - points[::-1].index("os.rename mirror.json.new")


def test_two_at_once(remote):
    for number in range(10):
        remote.upstream.commit(f"more{number}")
    words = ["git", "clone", "-q", remote.url]
    running = [
        subprocess.Popen([*words, f"clone{number}"], cwd=remote.place, env=remote.environment) for number in range(3)
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    for number in range(3):
        assert remote.at(f"clone{number}") == remote.upstream.ids["more9"]
        assert remote.git("fsck", "--full", "--strict", at=remote.place / f"clone{number}").returncode == 0
