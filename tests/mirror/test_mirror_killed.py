"""``gitverify mirror update``, killed wherever it changes anything: what is served is the old state, or the new one."""

import shutil

import gitserver
import pytest
from fetching import Upstream
from killing import everywhere
from test_mirror import Mirror


@pytest.fixture
def mirror(tmp_path):
    upstream = Upstream(tmp_path)
    with gitserver.daemon(upstream.path.parent) as url:  # a process: what is forked here must have no threads
        upstream.url = f"{url}/app.git"
        yield Mirror(upstream)


def updating(mirror, *arguments):
    def run():
        return mirror.update(*arguments).status

    return run


def recovers(mirror, *arguments):
    """The next run does all that there is to do, and nothing of the killed one is left."""
    done = mirror.update(*arguments)
    assert done.status == 0, done.stdout
    assert mirror.is_sound()
    assert not list(mirror.path.rglob("*.keep"))
    assert not list(mirror.path.rglob("*.lock"))
    assert not list(mirror.path.rglob("*.new"))


def test_an_update(mirror):
    assert mirror.update(*mirror.first).status == 0
    upstream = mirror.upstream
    commits = [upstream.ids["third"]]

    def prepare():
        # Each time from what an ordinary run has left, so that the same number means the same point.
        commits.append(upstream.commit(f"next{len(commits)}"))
        assert mirror.update().status == 0
        commits.append(upstream.commit(f"next{len(commits)}"))

    def check(what):
        assert mirror.tip() in commits[-2:], what
        mirror.git("fsck", "--full", "--strict")
        recovers(mirror)
        assert mirror.tip() == commits[-1], what

    points = everywhere(updating(mirror), prepare, check)
    phases = ["git fetch", "verifying", "the mark", "git index-pack", ".idx", "git update-ref"]
    assert not [phase for phase in phases if not any(phase in point for point in points)]
    assert points.index("git update-ref") < len(points) - 1 - points[::-1].index("os.rename mirror.json.new")


def test_the_first_run(mirror):
    def prepare():
        for path in (mirror.path, mirror.upstream.place / "state"):
            shutil.rmtree(path, ignore_errors=True)

    def check(what):
        assert mirror.tip() in {None, mirror.upstream.ids["third"]}, what
        recovers(mirror, *mirror.first)
        assert mirror.tip() == mirror.upstream.ids["third"]

    assert "os.rename config.new" in everywhere(updating(mirror, *mirror.first), prepare, check)


def test_an_update_that_is_refused(mirror):
    assert mirror.update(*mirror.first).status == 0
    before, bad = mirror.tip(), mirror.upstream.bad()

    def run():
        return 0 if mirror.update().reason == "unauthorized-key" else 1

    def check(what):
        assert mirror.tip() == before, what
        assert bad not in mirror.objects(), what
        assert mirror.is_sound()

    assert "verifying" in everywhere(run, lambda: None, check)
    assert mirror.update().reason == "unauthorized-key"
