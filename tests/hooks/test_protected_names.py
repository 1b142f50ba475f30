"""Under which names a protected branch can be reached: pushes that go round the name that was thought of."""

import os

import pytest
from hooks.place import ZERO, said

TIDY = {"README": "tidy\n"}
HOOKS = pytest.mark.parametrize("hook", ["pre-receive", "update"])


def unsigned(place):
    return place.commit("Not signed", {"README": "mine\n"})


@HOOKS
@pytest.mark.parametrize("to", ["main", "master"])
def test_head_leads_to_the_default_branch_over_another_name(place, hook, to):
    """A renamed default branch, whose old name was kept as a symbolic reference."""
    place.git("symbolic-ref", "refs/heads/master", "refs/heads/main", cwd=place.server)
    place.git("symbolic-ref", "HEAD", "refs/heads/master", cwd=place.server)
    place.install(hook)
    good = place.commit("Signed", TIDY, sign=True)
    assert place.push(f"main:{to}").status == 0
    unsigned(place)
    done = place.push(f"main:{to}")
    assert "  unsigned (R8)" in said(done)
    assert place.at() == good


@pytest.mark.parametrize("setting", ["alias", "refs/heads/al*"])
@pytest.mark.parametrize("to", ["work", "alias"])
def test_a_protected_name_leads_to_another_branch(place, setting, to):
    place.on_server("gitverify.protected", setting)
    place.git("update-ref", "refs/heads/work", place.introduction, cwd=place.server)
    place.git("symbolic-ref", "refs/heads/alias", "refs/heads/work", cwd=place.server)
    for name in (b"\xff", b"al\xff"):  # which anybody may have pushed
        (place.server / "refs/heads" / os.fsdecode(name)).write_text(place.introduction + "\n")
    place.install("pre-receive")
    unsigned(place)
    assert "  unsigned (R8)" in said(place.push(f"main:{to}"))
    assert place.push("main:other").status == 0
    assert place.at("refs/heads/work") == place.introduction


def test_head_names_a_branch_that_is_not_there(place):
    """As on a server that was set up for master, where people push main: then nothing would be judged."""
    place.git("symbolic-ref", "HEAD", "refs/heads/master", cwd=place.server)
    place.install("pre-receive")
    unsigned(place)
    for branch in ("main", "other", "master"):
        assert "  unsigned (R8)" in said(place.push(f"main:{branch}"))
    place.on_server("gitverify.protected", "main")
    assert place.push("main:other").status == 0
    assert "  unsigned (R8)" in said(place.push("main"))
    assert "  unsigned (R8)" in said(place.push("main:master"))


def test_a_name_that_is_the_same_to_the_file_system(place):
    """Where case does not count, MAIN is main; git says so in core.ignoreCase when it makes a repository."""
    line = f"{ZERO} {unsigned(place)} refs/heads/MAIN\n".encode()
    place.push("main:other")
    assert place.hook("pre-receive", stdin=line).status == 0
    place.on_server("core.ignoreCase", "true")
    assert place.hook("pre-receive", stdin=line).status == 1
