"""What docs/nix.md shows of the program is what the program prints."""

import re
from pathlib import Path

import pytest
from cli.scene import ALICE, Scene
from cli.test_flake import Flake

PAGE = Path(__file__).parents[2] / "docs/nix.md"


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def sample(command):
    """Return what the page has for a command: the words, and the output."""
    found = re.search(rf"```console\n\$ ({command}(?:[^\n\\]|\\\n)*)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return found[1].replace("\\\n", " ").split()[1:], found[2]


def test_what_prefetch_prints(scene):
    words, output = sample("gitverify nix prefetch")
    url = "https://example.org/app.git"
    here = f"file://{scene.path}"
    anchor = ["--introduction", scene.ids["introduction"], "--signer", ALICE.id]
    assert words == ["nix", "prefetch", url, "--branch", "main", *anchor]
    done = scene.run(*[here if word == url else word for word in words], repo=False)
    assert done.stdout.replace(here, url) == output


def test_what_flake_check_prints(scene, tmp_path):
    words, output = sample("gitverify flake check")
    flake = Flake(scene, tmp_path)
    kind = {"type": "github", "owner": "example", "repo": "dep"}
    systems = {"type": "github", "owner": "nix-systems", "repo": "default"}
    other = {"locked": systems | {"rev": "da67096a3b9bf56a91d16901293e51ba5b49a27e"}, "original": systems}
    other["locked"] |= {"lastModified": 1, "narHash": "sha256-" + "A" * 43 + "="}

    def node(label):
        found = flake.node(label, original=kind)
        del found["locked"]["url"]
        return found | {"locked": found["locked"] | kind}

    flake.lock(dep=node("second"), systems=other)
    flake.commit()
    flake.lock(dep=node("third"), systems=other)
    done = flake.check(*words[2:])
    assert done.stdout == output


def test_the_introduction_is_the_same_in_all_of_them(scene):
    ids = set(re.findall(r"\b[0-9a-f]{40}\b", PAGE.read_text()))
    assert ids == {scene.ids["introduction"], scene.ids["third"]}
