"""The remote helper as the real Nix uses it."""

import json
import subprocess

import pytest
from nix.nixplace import NAMES, PROGRAMS, Nix, needs_nix, version
from test_remote import Remote

pytestmark = needs_nix


@pytest.fixture
def remote(upstream):
    upstream.commit("flake", **{"flake.nix": '{ outputs = { self }: { it = "this"; }; }\n'})
    return Remote(upstream)


@pytest.fixture(params=PROGRAMS, ids=NAMES)
def nix(request, remote):
    found = Nix(remote.place / "nix", request.param)
    found.environment |= {
        name: remote.environment[name] for name in ("PATH", "PYTHONPATH", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    }
    found.environment |= {
        "GITVERIFY_INTRODUCTION": remote.upstream.ids["introduction"],
        "GITVERIFY_JOBS": "1",
    }
    return found


def fetched(remote, more=""):
    return f'builtins.fetchGit {{ url = "{remote.url}"; ref = "main"; {more} }}'


def test_fetch_git(remote, nix):
    found = nix.evaluate(
        f'let it = {fetched(remote)}; in {{ inherit (it) rev; read = builtins.readFile (it + "/README"); }}'
    )
    assert found == {"rev": remote.upstream.ids["flake"], "read": "three\n"}


def test_fetch_git_of_what_is_refused(remote, nix):
    bad = remote.upstream.bad()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        nix.evaluate(f"({fetched(remote)}).rev")
    assert "unauthorized-key" in failed.value.stderr
    with pytest.raises(subprocess.CalledProcessError):
        nix.evaluate(f"({fetched(remote, f'rev = {json.dumps(bad)};')}).rev")
    mirrors = [path for path in (remote.place / "cache/gitverify/remotes").iterdir() if path.name != "asking.git"]
    assert mirrors
    for mirror in mirrors:
        assert bad not in remote.upstream.git("cat-file", "--batch-all-objects", "--batch-check", at=mirror)


def test_fetch_git_stays_at_what_was_verified(remote, nix):
    assert nix.evaluate(f"({fetched(remote)}).rev") == remote.upstream.ids["flake"]
    remote.upstream.bad()
    found = nix("eval", "--refresh", "--impure", "--raw", "--expr", f"({fetched(remote)}).rev")
    assert found == remote.upstream.ids["flake"]


def test_strict_is_for_git_and_a_commit_for_nix(remote, nix):
    """Where git fails, Nix warns, and goes on with what it fetched the last time: older, and verified then."""
    nix.environment["GITVERIFY_STRICT"] = "1"
    assert nix.evaluate(f"({fetched(remote)}).rev") == remote.upstream.ids["flake"]
    bad = remote.upstream.bad()
    words = ("nix", "eval", "--refresh", "--impure", "--raw", "--expr")
    done = nix.run(nix.program, *words[1:], f"({fetched(remote)}).rev", check=False)
    assert "unauthorized-key" in done.stderr
    assert (done.returncode, done.stdout) == (0, remote.upstream.ids["flake"])
    done = nix.run(nix.program, *words[1:], f"({fetched(remote, f'rev = {json.dumps(bad)};')}).rev", check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_pinned_commit(remote, nix):
    pinned = remote.upstream.ids["second"]
    assert nix.evaluate(f"({fetched(remote, f'rev = {json.dumps(pinned)};')}).rev") == pinned


def test_a_flakes_input(remote, nix):
    flake = remote.place / "flake"
    flake.mkdir()
    (flake / "flake.nix").write_text(
        f'{{ inputs.app = {{ type = "git"; url = "{remote.url}"; ref = "main"; }};\n'
        "  outputs = { self, app }: { it = app.it; }; }\n"
    )
    nix("flake", "lock", str(flake))
    locked = json.loads((flake / "flake.lock").read_text())["nodes"]["app"]["locked"]
    assert locked["rev"] == remote.upstream.ids["flake"]
    remote.upstream.bad()
    # Which argument names the flake is another one in newer versions.
    update = [nix.program, "flake", "update", "--refresh"]
    subprocess.run(update, cwd=flake, env=nix.environment, check=True, capture_output=True)
    assert json.loads((flake / "flake.lock").read_text())["nodes"]["app"]["locked"]["rev"] == locked["rev"]
    assert nix("eval", "--raw", f"{flake}#it") == "this"


def test_a_url_of_a_flake(remote, nix):
    """As one writes it: git+verified::https://…"""
    if version(nix.program) < (2, 32):
        pytest.skip("this Nix can't read git+verified:: URLs: GITVERIFY_NEWER_NIX names one of 2.32 or later")
    url = f"git+{remote.url}"
    assert json.loads(nix("flake", "metadata", "--json", url))["locked"]["rev"] == remote.upstream.ids["flake"]
    assert nix("eval", "--raw", f"{url}?ref=main#it") == "this"
    bad = remote.upstream.bad()
    stays = json.loads(nix("flake", "metadata", "--refresh", "--json", url))
    assert stays["locked"]["rev"] == remote.upstream.ids["flake"]
    with pytest.raises(subprocess.CalledProcessError):
        nix("flake", "metadata", "--json", f"{url}?ref=main&rev={bad}")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        nix("flake", "metadata", "--refresh", "--json", f"git+verified::{remote.upstream.url}?ref=other")
    assert remote.upstream.ids["bad"] not in failed.value.stdout
