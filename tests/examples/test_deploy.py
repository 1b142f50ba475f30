"""The example of a deployment: a good update comes, a refused one leaves the old version where it is."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hooks.place import ROOT, Place

DEPLOY = ROOT / "examples/deploy"


@pytest.fixture
def deployed(tmp_path):
    """A server, and a directory that version 1 is deployed to; ``run`` deploys what the server has."""
    place = Place(tmp_path)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "gitverify").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gitverify "$@"\n')
    (bin_ / "gitverify").chmod(0o755)
    place.environment |= {"PATH": f"{bin_}:{os.environ['PATH']}", "STATE_DIRECTORY": str(tmp_path / "state")}
    place.srv = tmp_path / "srv/the app"
    place.srv.mkdir(parents=True)
    place.git("clone", "-q", "--no-checkout", str(place.server), str(place.srv / "repository"), cwd=tmp_path)
    place.git("config", "gitverify.introduction", place.introduction, cwd=place.srv / "repository")
    release(place, "version 1")
    assert run(place).status == 0
    assert version(place) == "version 1"
    return place


def release(place, content, *, sign=True):
    commit = place.commit(content, {"README": content}, sign=sign)
    place.git("push", "-q", "--force", "origin", "main")
    return commit


def run(place, **env):
    return place.really(DEPLOY / "deploy-verified", place.srv, cwd=place.place, env=env)


def version(place):
    return (place.srv / "current/README").read_text()


def test_a_refused_update_leaves_the_old_version(deployed):
    old = (deployed.srv / "current").readlink()
    bad = release(deployed, "version 2, by nobody", sign=False)
    for _ in range(2):  # the fetched branch is there by now, and still not deployed
        done = run(deployed)
        assert done.status == 1
        assert f"not authentic: {bad}" in done.stdout
        assert version(deployed) == "version 1"
        assert (deployed.srv / "current").readlink() == old
        assert not (deployed.srv / "releases" / bad).exists()
    deployed.git("reset", "-q", "--hard", "HEAD~")
    good = release(deployed, "version 2")
    assert run(deployed).status == 0
    assert version(deployed) == "version 2"
    assert (deployed.srv / "current").readlink() == Path("releases", good)


def test_a_server_that_goes_back(deployed):
    release(deployed, "version 2")
    assert run(deployed).status == 0
    deployed.git("reset", "-q", "--hard", "HEAD~")
    deployed.git("push", "-q", "--force", "origin", "main")
    done = run(deployed)
    assert done.status == 1
    assert "behind (R23)" in done.stdout
    assert version(deployed) == "version 2"
    deployed.git("reset", "-q", "--hard", "ORIG_HEAD")
    release(deployed, "version 3")
    assert run(deployed).status == 0
    assert version(deployed) == "version 3"


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda place: place.git("config", "--unset", "gitverify.introduction", cwd=place.srv / "repository"), 4),
        (lambda place: (place.place / "state").chmod(0o755), 4),
        (lambda place: (place.place / "bin/gitverify").unlink(), 127),
        (lambda place: (place.place / "bin/gitverify").write_text("#!/bin/sh\nexit 70\n"), 70),
        (lambda place: place.server.rename(place.place / "gone"), 128),
        (lambda place: place.git("update-ref", "-d", "refs/heads/main", cwd=place.server), 128),
        (lambda place: shutil.rmtree(place.srv / "repository"), 128),
    ],
    ids=["introduction", "state", "not installed", "internal error", "no server", "no branch", "no clone"],
)
def test_whatever_fails_nothing_is_switched(deployed, spoil, status):
    release(deployed, "version 2")
    spoil(deployed)
    done = run(deployed)
    assert done.status == status
    assert version(deployed) == "version 1"


def test_files_that_are_not_the_commits(deployed):
    """A filter of the clone's own settings changes what is checked out: that is not what was signed."""
    release(deployed, "version 2")
    deployed.commit("Attributes", {".gitattributes": "README filter=loud\n"}, sign=True)
    deployed.git("push", "-q", "origin", "main")
    settings = deployed.srv / "repository"
    deployed.git("config", "filter.loud.smudge", "tr a-z A-Z", cwd=settings)
    done = run(deployed)
    assert done.status == 1
    assert "worktree-dirty" in done.stdout
    assert version(deployed) == "version 1"
    deployed.git("config", "--unset", "filter.loud.smudge", cwd=settings)
    assert run(deployed).status == 0
    assert version(deployed) == "version 2"


def test_what_an_interrupted_run_has_left(deployed):
    commit = release(deployed, "version 2")
    left = deployed.srv / "releases" / commit
    left.mkdir()
    (left / "junk").write_text("junk\n")
    (deployed.srv / "current.new").symlink_to("nowhere")
    assert run(deployed).status == 0
    assert version(deployed) == "version 2"
    assert not (left / "junk").exists()


def test_only_the_last_two_versions_stay(deployed):
    for number in range(2, 5):
        release(deployed, f"version {number}")
        assert run(deployed).status == 0
    versions = {(path / "README").read_text() for path in (deployed.srv / "releases").iterdir()}
    assert versions == {"version 3", "version 4"}
    assert len(deployed.git("worktree", "list", cwd=deployed.srv / "repository").splitlines()) == 3


def test_the_service_is_restarted_only_for_something_new(deployed, tmp_path):
    """The unit looks for the file that says so."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    env = {"RUNTIME_DIRECTORY": str(runtime)}
    assert run(deployed, **env).status == 0
    assert not (runtime / "switched").exists()
    release(deployed, "not signed", sign=False)
    assert run(deployed, **env).status == 1
    assert not (runtime / "switched").exists()
    deployed.git("reset", "-q", "--hard", "HEAD~")
    release(deployed, "version 2")
    assert run(deployed, **env).status == 0
    assert (runtime / "switched").exists()


def test_two_at_once(deployed):
    """The second one does not wait: the timer starts another."""
    with (deployed.srv / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release(deployed, "version 2")
        assert run(deployed).status == 75
        assert version(deployed) == "version 1"
    assert run(deployed).status == 0


def test_a_hook_of_the_clone_does_not_run(deployed):
    hook = deployed.srv / "repository/.git/hooks/post-checkout"
    hook.write_text('#!/bin/sh\ntouch "$GIT_DIR/ran"\nexit 1\n')
    hook.chmod(0o755)
    release(deployed, "version 2")
    assert run(deployed).status == 0


@pytest.mark.parametrize("unit", ["deploy-verified@.service", "deploy-verified@.timer"])
def test_units(unit, tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("deploy-verified@.service", "deploy-verified@.timer"):
        text = (DEPLOY / name).read_text().replace("/usr/local/bin/deploy-verified", str(DEPLOY / "deploy-verified"))
        (tmp_path / name).write_text(text)
    named = tmp_path / unit.replace("@", "@app")
    named.symlink_to(tmp_path / unit)
    done = subprocess.run([analyze, "verify", "--man=no", named], capture_output=True, text=True, check=False)
    if "Failed to" in done.stderr and "manager" in done.stderr:  # pragma: no cover - in some containers
        pytest.skip(f"systemd-analyze does not run here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    broken = (tmp_path / unit).read_text().replace("[Service]\n", "[Service]\nExecStrat=/bin/true\n")
    broken = broken.replace("[Timer]\n", "[Timer]\nOnCalender=daily\n")
    (tmp_path / unit).write_text(broken)
    done = subprocess.run([analyze, "verify", "--man=no", named], capture_output=True, text=True, check=False)
    assert "Unknown key" in done.stderr


def test_the_script_is_sound_shell():
    shellcheck = shutil.which("shellcheck") or shutil.which("shellcheck", path=Path(sys.executable).parent)
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([shellcheck, DEPLOY / "deploy-verified"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
