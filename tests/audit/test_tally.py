"""Adding up: folders, keys, reasons, and where the common folder of some paths is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.audit.model import Judged, Merge, Part, Signing
from gitverify.audit.tally import Tally, common_folder, folders_above
from gitverify.policies.lint import FORGE_KEYS

NAMES = st.sampled_from([b"a", b"b", b"ab", b"\xff"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(b"/".join)
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def judged(number, **more):
    values = {
        "commit": bytes([number]) * 20,
        "author": b"A <a@example.org>",
        "date": number,
        "code": None,
        "rule": "R17",
        "signing": Signing.LISTED,
        "person": "alice",
        "key": "SHA256:a",
        "paths": (b"dir/x",),
    }
    return Judged(**(values | more))


def unsigned(number, *paths, **more):
    needs = (frozenset(paths),)
    plain = {"code": "unsigned", "rule": "R8", "signing": Signing.UNSIGNED, "person": None, "key": None}
    return judged(number, paths=paths, **({"needs": needs} | plain | more))


def stranger(number, key, **more):
    plain = {"code": "unknown-key", "rule": "R8", "signing": Signing.UNLISTED, "person": None, "key": key}
    return judged(number, **(plain | more))


def tallied(*commits):
    tally = Tally()
    for commit in commits:
        tally.add(commit)
    return tally


def test_nothing():
    tally = Tally()
    assert tally.folders() == tally.strangers() == tally.authors() == tally.reasons() == []
    assert tally.paths.share == tally.changes.share == 1.0
    assert [person.name for person in tally.people(["b", "a"])] == ["a", "b"]


def test_a_path_is_authentic_if_every_change_of_it_is():
    tally = tallied(judged(1), unsigned(2, b"dir/x", b"y"), judged(3, paths=(b"z",)))
    assert tally.changes == Part(2, 4)
    assert tally.paths == Part(1, 3)
    assert tally.paths.share == pytest.approx(1 / 3)


def test_folders_count_a_commit_once_and_share_its_weight():
    folders = {
        folder.path: folder for folder in tallied(judged(1), unsigned(2, b"dir/x", b"dir/y", b"z", b"w")).folders()
    }
    assert list(folders) == [b"", b"dir/"]
    assert folders[b""].counts.commits == folders[b"dir/"].counts.commits == 2
    assert folders[b"dir/"].counts.unsigned == folders[b"dir/"].counts.listed == 1
    assert folders[b""].weight == pytest.approx(2)
    assert folders[b"dir/"].weight == pytest.approx(1.5)
    assert folders[b"dir/"].authentic_weight == pytest.approx(1)


def test_a_folder_unblocks_what_lies_in_it_as_a_whole():
    tally = tallied(
        unsigned(1, b"a/b/x", b"a/b/y"),
        unsigned(2, b"a/b/x", b"a/c/y"),
        unsigned(3, b"a/b/x", b"z"),
        unsigned(4, b"a/b/x", needs=(frozenset({b"a/b/x"}), frozenset({b"a/b/x", b"c/d"}))),
        unsigned(5, b"a/b/x", needs=()),
    )
    assert {folder.path: folder.unblocks for folder in tally.folders()} == {b"": 0, b"a/": 3, b"a/b/": 2, b"a/c/": 0}
    assert tally.blocked[frozenset({b"a/b/x", b"a/b/y"}),] == 1


def test_people_with_their_keys_and_those_who_never_signed():
    tally = tallied(judged(1), judged(5, key="SHA256:b"), judged(3, key="SHA256:b", code="unauthorized-path"))
    alice, bob = tally.people(["bob", "alice"])
    assert (alice.commits, alice.authentic) == (3, 2)
    assert [(use.key, use.commits, use.last) for use in alice.keys] == [("SHA256:b", 2, 5), ("SHA256:a", 1, 1)]
    assert (bob.name, bob.commits, bob.keys) == ("bob", 0, [])


def test_keys_by_which_nobody_vouches():
    tally = tallied(
        stranger(1, FINGERPRINT, author=b"B"),
        stranger(2, FINGERPRINT[-16:]),
        stranger(3, FINGERPRINT[-16:], code=None),
        stranger(4, "SHA256:z", code="unauthorized-key", proven=True),
    )
    pgp, ssh = tally.strangers()
    assert (pgp.use.key, pgp.use.commits, pgp.use.last, pgp.would_sign, pgp.proven) == (FINGERPRINT, 3, 3, 2, False)
    assert pgp.author == b"A <a@example.org>"
    assert (ssh.use.key, ssh.would_sign, ssh.proven, ssh.example) == ("SHA256:z", 1, True, bytes([4]) * 20)


@pytest.mark.parametrize("cut", [0, -16])
def test_the_keys_of_forges_are_told(cut):
    fingerprint, whose = next(iter(FORGE_KEYS.items()))
    (found,) = tallied(stranger(1, fingerprint[cut:])).strangers()
    assert found.forge == whose


def test_a_signature_that_counts_for_nothing_is_no_candidate():
    assert tallied(stranger(1, "SHA256:z", code="bad-signature", signing=Signing.VOID)).strangers() == []


def test_reasons_name_the_newest_commit():
    tally = tallied(unsigned(1, b"x"), stranger(2, "SHA256:z"), unsigned(3, b"x"))
    assert [(reason.code, reason.commits, reason.example[0]) for reason in tally.reasons()] == [
        ("unsigned", 2, 3),
        ("unknown-key", 1, 2),
    ]


def test_merges_by_kind():
    tally = tallied(judged(1, merge=Merge.MECHANICAL), unsigned(2, merge=Merge.OTHERWISE, mergeable=True, needs=()))
    assert tally.merges[Merge.MECHANICAL].authentic == 1
    assert (tally.merges[Merge.OTHERWISE].commits, tally.merges[Merge.OTHERWISE].authentic) == (1, 0)
    assert tally.merges[Merge.UNSUPPORTED].commits == 0
    assert tally.mergeable == 1


def test_what_is_beyond_measure_is_counted():
    assert tallied(judged(1, paths=(), immeasurable=True), judged(2)).immeasurable == 1


@given(st.lists(PATHS, min_size=1, max_size=4))
def test_the_common_folder_is_the_deepest_that_holds_all(paths):
    assert list(folders_above(common_folder(paths))) == [
        folder for folder in folders_above(paths[0]) if all(folder in folders_above(path) for path in paths)
    ]


@given(PATHS)
def test_the_folders_of_a_path(path):
    folders = list(folders_above(path))
    assert folders[0] == b""
    assert folders[-1].rstrip(b"/") == path.rpartition(b"/")[0]
    assert all(path.startswith(folder) for folder in folders)
    assert list(folders_above(folders[-1])) == folders
