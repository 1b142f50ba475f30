"""A mirror as the real Nix uses it: ``git+file://DIR``, and no more than what is verified."""

import json
import subprocess

import pytest
from nix.nixplace import NAMES, PROGRAMS, Nix, needs_nix
from test_mirror import Mirror

pytestmark = needs_nix


@pytest.fixture
def mirror(upstream):
    files = {"flake.nix": '{ outputs = { self }: { it = "this"; }; }\n', ".gitattributes": "README export-ignore\n"}
    upstream.commit("flake", **files)
    found = Mirror(upstream)
    assert found.update(*found.first).status == 0
    return found


@pytest.fixture(params=PROGRAMS, ids=NAMES)
def nix(request, tmp_path):
    return Nix(tmp_path / "nix", request.param)


def test_a_flake(mirror, nix):
    url = f"git+file://{mirror.path}"
    assert nix("eval", "--raw", f"{url}?ref=main#it") == "this"
    bad = mirror.upstream.bad()
    assert mirror.update().status == 1
    locked = json.loads(nix("flake", "metadata", "--refresh", "--json", f"{url}?ref=main"))["locked"]
    assert locked["rev"] == mirror.upstream.ids["flake"]
    for query in (f"ref=main&rev={bad}", f"rev={bad}", "ref=refs/arrived/x"):
        with pytest.raises(subprocess.CalledProcessError):
            nix("flake", "metadata", "--json", f"{url}?{query}")


def test_fetch_git(mirror, nix):
    bad = mirror.upstream.bad()
    mirror.update()
    asked = f'builtins.fetchGit {{ url = "file://{mirror.path}"; ref = "main"; allRefs = true; '
    assert nix.evaluate(f"({asked} }}).rev") == mirror.upstream.ids["flake"]
    second = mirror.upstream.ids["second"]
    assert nix.evaluate(f'({asked} rev = "{second}"; }}).rev') == second
    with pytest.raises(subprocess.CalledProcessError):
        nix.evaluate(f'({asked} rev = "{bad}"; }}).rev')
