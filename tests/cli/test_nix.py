"""Evidence: the same bytes from everywhere, and no others are believed."""

import dataclasses
import json
import os
import shutil
import struct
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from cli.forge import Forge
from cli.scene import ALICE, BOB, MALLORY
from gitrepo import ENVIRONMENT

from fixtures.lib import guix
from fixtures.lib.keys import CAROL
from gitverify.limits import LIMITS
from gitverify.nix.directory import show_path
from gitverify.nix.evidence import MAGIC, BadEvidence, encode, index
from gitverify.nix.expression import call
from gitverify.nix.nar import nar_hash, sri
from gitverify.source import Repository

ROOT = Path(__file__).parent.parent.parent
HEAD = 29  # bytes before an object's content


def question(scene, rev="third", **changes):
    asked = {
        "rev": scene.ids[rev] if rev else None,
        "introduction": scene.ids["introduction"],
        "signer": ALICE.id,
    } | changes
    return [part for name, value in asked.items() if value for part in (f"--{name}", value)]


def evidence(scene, place, rev="third", *, source=None, **changes):
    where = ["--from", str(source or scene.path)]
    return scene.run("nix", "evidence", *where, *question(scene, rev, **changes), "--output", str(place), repo=False)


def verified(scene, place, output, rev="third", **changes):
    asked = [*question(scene, rev, **changes), "--output", str(output)]
    return scene.run("nix", "verify-evidence", str(place), *asked, repo=False)


@pytest.fixture
def made(scene, tmp_path):
    assert evidence(scene, tmp_path / "e").status == 0
    return tmp_path / "e"


def test_it_is_verified_without_the_repository(scene, made, tmp_path):
    shutil.rmtree(scene.path)
    done = verified(scene, made, tmp_path / "out")
    assert done.status == 0
    assert done.stdout.startswith("authentic: ")
    assert (tmp_path / "out/README").read_text() == "three\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".gitverify.yaml", "README"]


# --- the same from everywhere ------------------------------------------------------------------------------------


def git(*arguments, cwd):
    subprocess.run(["git", *arguments], cwd=cwd, env=ENVIRONMENT, check=True, capture_output=True)


def content(place):
    return (place / "objects").read_bytes()


def test_how_a_clone_is_packed_does_not_count(scene, made, tmp_path):
    git("clone", "-q", "--bare", "--no-local", str(scene.path), "packed.git", cwd=tmp_path)
    git("repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50", cwd=tmp_path / "packed.git")
    git("commit-graph", "write", "--reachable", cwd=tmp_path / "packed.git")
    assert evidence(scene, tmp_path / "again", source=tmp_path / "packed.git").status == 0
    assert content(tmp_path / "again") == content(made)


def test_nor_does_what_comes_later(scene, made, tmp_path):
    scene.history.commit("later", {"README": "four\n", "more": "x\n"}, sign=BOB)
    scene.history.commit("aside", {"README": "x\n"}, parents=["second"], sign=MALLORY)
    assert evidence(scene, tmp_path / "again").status == 0
    assert content(tmp_path / "again") == content(made)


def test_nor_do_the_settings_of_the_clone(scene, made, tmp_path):
    scene.repository.configure("[gitverify]\nsigner = x\nintroduction = y\ndialect = openssh\nkeyring = z\n")
    scene.repository.ref("refs/heads/keyring", scene.ids["third"])
    assert evidence(scene, tmp_path / "again").status == 0
    assert content(tmp_path / "again") == content(made)


def test_nor_does_the_order_of_sets(tmp_path):
    """Python orders sets of bytes by a seed that differs from run to run."""
    forge = Forge(tmp_path)
    for number in range(3):
        forge.branch(f"side{number}")
        forge.commit(f"Side {number}", {f"pkgs/{number}": "x\n"}, sign=True)
        forge.git("switch", "-q", "main")
        forge.commit(f"Main {number}", {f"open/{number}": "x\n"})
        forge.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", f"side{number}")
    rev = forge.git("rev-parse", "HEAD")
    found = set()
    for seed in ("0", "1", "2", "3"):
        place = tmp_path / seed
        command = [sys.executable, "-m", "gitverify", "nix", "evidence", "--from", str(forge.clone), "--rev", rev]
        command += ["--introduction", forge.introduction, "--output", str(place)]
        environment = forge.environment | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        found.add(content(place))
    assert len(found) == 1


def test_its_format_is_what_the_documentation_says(scene, made):
    """Nothing but whole objects, by ascending ids: read here without the reader."""
    raw = content(made)
    assert raw.startswith(b"gitverify-evidence 1\n")
    at, ids, source = len(MAGIC), [], Repository(scene.path)
    while at < len(raw):
        object_id, letter, size = struct.unpack_from(">20scQ", raw, at)
        kind, body = source.read(object_id)
        assert (kind[:1].encode(), body) == (letter, raw[at + HEAD : at + HEAD + size])
        ids.append(object_id)
        at += HEAD + size
    assert ids == sorted(set(ids))
    assert {bytes.fromhex(scene.ids[label]) for label in ("introduction", "second", "third")} <= set(ids)


# --- no others are believed ---------------------------------------------------------------------------------------


def changed(place, change):
    path = place / "objects"
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))


def test_evidence_for_another_introduction_is_not_enough(scene, made, tmp_path):
    """The store has it already, so nobody ran what would have checked it."""
    assert verified(scene, made, tmp_path / "out", introduction=scene.ids["third"]).status == 0
    assert verified(scene, made, tmp_path / "out2", introduction=scene.ids["third"], signer=BOB.id).status == 1
    assert verified(scene, made, tmp_path / "out2", signer=BOB.id).status == 1
    assert verified(scene, made, tmp_path / "out2", introduction="1" * 40).status == 4
    assert verified(scene, made, tmp_path / "out2", rev="second").status == 3  # its files are not in it
    assert not (tmp_path / "out2").exists()


def test_evidence_of_a_refused_commit_is_not_made_and_not_believed(scene, tmp_path):
    scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    done = evidence(scene, tmp_path / "e", "evil")
    assert done.status == 1
    assert "unauthorized-key" in done.stdout
    assert not (tmp_path / "e").exists()
    source = Repository(scene.path)
    ids = subprocess.run(
        ["git", "rev-list", "--objects", "--all", "--no-object-names"], cwd=scene.path, capture_output=True, check=True
    ).stdout.split()
    objects = [(each, *source.read(each)) for each in sorted(bytes.fromhex(each.decode()) for each in ids)]
    (tmp_path / "forged").mkdir()
    (tmp_path / "forged/objects").write_bytes(b"".join(encode(objects)))
    assert verified(scene, tmp_path / "forged", tmp_path / "out", "evil").status == 1
    assert verified(scene, tmp_path / "forged", tmp_path / "out", "third").status == 0


def test_every_object_is_hashed(scene, made, tmp_path):
    assert b"three\n" in content(made)
    changed(made, lambda raw: raw.replace(b"three\n", b"thr33\n"))
    done = verified(scene, made, tmp_path / "out")
    assert done.status == 3
    assert "is damaged" in done.stdout
    assert not (tmp_path / "out").exists()


def test_no_object_goes_for_another_kind(scene, made, tmp_path):
    """What the file calls an object is no more believed than what it holds: it is damage, and no verdict."""
    whole = content(made)
    held = index(lambda at, size: whole[at : at + size], len(whole))
    for each, where in held.items():
        for kind in b"ctb":
            at = where.offset - HEAD + 20
            if whole[at] != kind:
                changed(made, lambda _, at=at, kind=kind: whole[:at] + bytes([kind]) + whole[at + 1 :])
                assert verified(scene, made, tmp_path / "out").status == 3, (each.hex(), chr(kind))
                assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:0],
        lambda raw: raw[:10],
        lambda raw: raw.replace(b"evidence 1", b"evidence 2"),
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: raw + b"\0" * 40,
        lambda raw: raw + raw[len(MAGIC) :],
        lambda raw: raw[: len(MAGIC) + 20] + b"x" + raw[len(MAGIC) + 21 :],
        lambda raw: raw[: len(MAGIC) + 21] + b"\xff" * 8 + raw[len(MAGIC) + 29 :],
    ],
)
def test_a_broken_file_is_none(scene, made, tmp_path, change):
    changed(made, change)
    assert verified(scene, made, tmp_path / "out").status == 2
    assert not (tmp_path / "out").exists()


def test_an_object_that_is_missing_is_not_decided(scene, made, tmp_path):
    raw = content(made)
    held = index(lambda at, size: raw[at : at + size], len(raw))
    for gone in held:
        left = (
            (each, where.kind, raw[where.offset : where.offset + where.size])
            for each, where in held.items()
            if each != gone
        )
        changed(made, lambda _, left=left: b"".join(encode(left)))
        assert verified(scene, made, tmp_path / "out").status in {3, 4}
        assert not (tmp_path / "out").exists()


def test_objects_out_of_order_are_not_written():
    with pytest.raises(BadEvidence):
        list(encode([(b"b" * 20, "blob", b""), (b"a" * 20, "blob", b"")]))
    with pytest.raises(BadEvidence):
        list(encode([(b"b" * 20, "tag", b"")]))


@pytest.mark.parametrize("what", ["nothing", "directory", "pipe"])
def test_something_else_in_its_place(scene, tmp_path, what):
    (tmp_path / "e").mkdir()
    if what == "directory":
        (tmp_path / "e/objects").mkdir()
    elif what == "pipe":
        os.mkfifo(tmp_path / "e/objects")
    assert verified(scene, tmp_path / "e", tmp_path / "out").status == 2


def test_a_large_object_is_refused_before_it_is_read(scene, made, tmp_path):
    raw, rev = content(made), bytes.fromhex(scene.ids["third"])
    at = raw.index(rev + b"c") + 21
    size = int.from_bytes(raw[at : at + 8], "big")
    larger = raw[:at] + ((2 << 20) + size).to_bytes(8, "big") + raw[at + 8 : at + 8 + size]
    changed(made, lambda _: larger + b" " * (2 << 20) + raw[at + 8 + size :])
    done = verified(scene, made, tmp_path / "out")
    assert done.status in {1, 3}
    assert not (tmp_path / "out").exists()


def test_where_it_may_appear(scene, made, tmp_path):
    assert evidence(scene, made).status == 2
    assert verified(scene, made, made).status == 2
    done = scene.run("nix", "evidence", *question(scene), "--output", str(tmp_path / "x"), repo=False)
    assert done.status == 2
    assert "either --from DIR or --url URL" in str(done.error)


def test_no_introduction(scene, made, tmp_path):
    done = verified(scene, made, tmp_path / "out", introduction=None)
    assert done.status == 4
    assert "introduction-not-configured" in done.stdout


def test_a_file_that_is_too_large_is_said(scene, tmp_path, monkeypatch):
    scene.history.commit("large", {"large": "x" * 2000}, sign=ALICE)
    limits = dataclasses.replace(LIMITS, content_size=1000)
    monkeypatch.setattr("gitverify.nix.evidencefile.LIMITS", limits)
    done = evidence(scene, tmp_path / "e", "large")
    assert done.status == 4
    assert "output-failed" in done.stdout
    assert not (tmp_path / "e").exists()


# --- keyrings ----------------------------------------------------------------------------------------------------


@pytest.fixture
def channel(scene):
    """A Guix channel: its certificates are on a branch of their own."""
    scene.history.last = None  # a history of its own
    guix.introduce(scene, CAROL, keyring=[CAROL])
    scene.history.commit("third", {"a": "2\n"}, sign=CAROL)
    return scene


def test_a_channels_keyring_is_part_of_it(channel, tmp_path):
    keyring = {"signer": CAROL.id, "keyring": channel.ids["keyring"]}
    done = evidence(channel, tmp_path / "e", **keyring)
    assert done.status == 0
    shutil.rmtree(channel.path)
    assert verified(channel, tmp_path / "e", tmp_path / "out", **keyring).status == 0
    assert (tmp_path / "out/a").read_text() == "2\n"
    other = keyring | {"keyring": channel.ids["third"]}
    assert verified(channel, tmp_path / "e", tmp_path / "out2", **other).status != 0


def test_a_branch_is_no_keyring(channel, tmp_path):
    done = evidence(channel, tmp_path / "e", signer=CAROL.id)
    assert done.status == 2
    assert "name its commit with --keyring" in str(done.error)
    assert evidence(channel, tmp_path / "e", signer=CAROL.id, keyring="keyring").status == 2
    assert evidence(channel, tmp_path / "e", signer=CAROL.id, keyring="1" * 40).status == 3


def test_a_file_is_no_keyring(channel, tmp_path):
    blob = subprocess.run(["git", "rev-parse", "main:a"], cwd=channel.path, capture_output=True, check=True, text=True)
    done = evidence(channel, tmp_path / "e", signer=CAROL.id, keyring=blob.stdout.strip())
    assert done.status == 4
    assert "keyring-missing" in done.stdout


def test_prefetch_fetches_the_keyring(channel):
    done = prefetch(channel, signer=CAROL.id, keyring=channel.ids["keyring"])
    assert done.status == 0
    assert f'keyring = "{channel.ids["keyring"]}"' in done.stdout


# --- prefetch ---------------------------------------------------------------------------------------------------------


def prefetch(scene, *arguments, url=None, **changes):
    url = url or f"file://{scene.path}"
    return scene.run("nix", "prefetch", url, *question(scene, **changes), *arguments, repo=False)


def test_prefetch(scene, made):
    done = prefetch(scene)
    assert done.status == 0
    expected = sri(nar_hash(partial(show_path, made)))
    assert done.stdout == (
        f"rev   {scene.ids['third']}\nhash  {expected}\n\n"
        "fetchGitVerified {\n"
        f'  url = "file://{scene.path}";\n'
        f'  rev = "{scene.ids["third"]}";\n'
        f'  hash = "{expected}";\n'
        f'  introduction = "{scene.ids["introduction"]}";\n'
        f'  signer = "{ALICE.id}";\n'
        "}\n"
    )
    found = json.loads(prefetch(scene, "--json").stdout)
    assert (found["hash"], found["rev"]) == (expected, scene.ids["third"])
    assert found["expression"].startswith("fetchGitVerified {")


def test_prefetch_what_a_branch_is_at(scene):
    assert f'rev = "{scene.ids["third"]}"' in prefetch(scene, "--branch", "main", rev=None).stdout
    assert f'rev = "{scene.ids["third"]}"' in prefetch(scene, rev=None).stdout
    assert prefetch(scene, "--branch", "nonsense", rev=None).status == 3


def test_prefetch_of_an_older_state_than_was_accepted_before(scene):
    """Whatever command accepted it."""
    url = f"file://{scene.path}"
    anchor = ["--introduction", scene.ids["introduction"]]
    assert scene.run("fetch", url, *anchor, "--branch", "main", "--narhash", repo=False).status == 0
    assert prefetch(scene, "--branch", "main", rev=None).status == 0
    scene.repository.ref("refs/heads/main", scene.ids["second"])
    done = prefetch(scene, "--branch", "main", "--json", rev=None)
    assert (json.loads(done.stdout)["reason"], done.status) == ("behind", 1)
    assert f"--rev {scene.ids['second']}" in done.stdout
    assert prefetch(scene, rev=None).status == 1
    assert prefetch(scene, rev="second").status == 0
    scene.history.commit("instead", {"README": "x\n"}, parents=["second"], sign=ALICE)
    assert json.loads(prefetch(scene, "--json", rev=None).stdout)["reason"] == "rollback"
    scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    assert prefetch(scene, rev=None).status == 1


def test_prefetch_from_a_clone(scene):
    fetched = prefetch(scene, "--json").stdout
    url = "https://example.org/app.git"
    done = prefetch(scene, "--from", str(scene.path), "--json", url=url, rev=None)
    assert json.loads(done.stdout)["hash"] == json.loads(fetched)["hash"]
    assert json.loads(done.stdout)["url"] == url
    assert prefetch(scene, "--from", str(scene.path), "--branch", "nonsense", rev=None).status == 2


def test_prefetch_of_a_refused_commit_prints_no_hash(scene):
    scene.history.commit("evil", {"README": "evil\n"}, sign=MALLORY)
    done = prefetch(scene, rev=None)
    assert done.status == 1
    assert "hash" not in done.stdout
    assert json.loads(prefetch(scene, "--json", rev=None).stdout)["verdict"] == "refused"


def test_strings_are_no_code():
    assert call({"url": 'a"b\\c${d}$${e}\n', "x": None}) == (
        'fetchGitVerified {\n  url = "a\\"b\\\\c\\${d}$\\${e}\\n";\n}'
    )
