"""What old programs wrote, below the introduction: it is copied as it is, and keeps nobody from a mirror."""

import subprocess

import pytest
from cli.scene import ALICE
from gitrepo import ENVIRONMENT

PEOPLE = b"author A <a@b> 1000000000 +0000\ncommitter A <a@b> 1000000000 +0000\n"


@pytest.fixture
def write(upstream):
    """Write an object as it is given; its id."""

    def write(kind, content):
        command = ["git", f"--git-dir={upstream.path}", "hash-object", "-t", kind, "--literally", "-w", "--stdin"]
        done = subprocess.run(command, input=content, env=ENVIRONMENT, capture_output=True, check=True)
        return done.stdout.decode().strip()

    return write


def mirrored(upstream, tree, write):
    """Have the introduction be upon a commit with this tree; how an update of a mirror ends."""
    upstream.ids["old"] = write("commit", b"tree %s\n%s\nold\n" % (tree.encode(), PEOPLE))
    upstream.history.files["old"] = {}
    policy = upstream.history.files["third"]
    introduction = upstream.history.commit("begin", policy, parents=["old"], sign=ALICE)
    upstream.point("begin")
    words = ["--url", upstream.url, "--branch", "main", "--introduction", introduction]
    return upstream.scene_run("mirror", "update", "mirror", *words, "--jobs", "1")


def test_a_zero_before_a_mode(upstream, write):
    """As many a repository has them, from programs that are long gone."""
    below = write("tree", b"100644 f\0" + bytes.fromhex(write("blob", b"x")))
    done = mirrored(upstream, write("tree", b"040000 a\0" + bytes.fromhex(below)), write)
    assert done.status == 0, done.stdout
    assert upstream.git("rev-parse", "main", at=upstream.place / "mirror") == upstream.ids["begin"]


def test_what_could_harm_whoever_clones_is_not_let_pass(upstream, write):
    below = write("tree", b"100644 config\0" + bytes.fromhex(write("blob", b"x")))
    done = mirrored(upstream, write("tree", b"40000 .GIT\0" + bytes.fromhex(below)), write)
    assert done.status == 4
    assert "hasDotgit" in done.stdout
