"""A real history: the nonguix channel, 2,177 commits after its introduction.

The corpus is not part of the project (``make-nonguix`` builds the repository); without it these tests are skipped.
"""

import os
import random
import subprocess
from pathlib import Path

import pytest

from fixtures.lib.history import with_header
from fixtures.lib.keys import CAROL
from gitverify.anchor import load_anchor
from gitverify.errors import MissingObject
from gitverify.examine import Examiner
from gitverify.objects.commit import parse_commit
from gitverify.request import Request
from gitverify.source import Repository
from gitverify.verify import verify
from gitverify.walk import Walk

INTRODUCTION = bytes.fromhex("897c1a470da759236cc11798f4e0a5f7d4d59fbc")
SIGNER = "2A393FFF68F4EF7A3D2912AF6F5120A022FBB2D5"
TIP = bytes.fromhex("caa8c0b4646b993537be13c9bc819b3df68ab9b2")
MAKE = Path(__file__).parents[2] / "shared" / "corpora" / "make-nonguix"

pytestmark = pytest.mark.skipif(not os.access(MAKE, os.X_OK), reason="the nonguix corpus is not here")


@pytest.fixture(scope="module")
def nonguix(tmp_path_factory):
    place = tmp_path_factory.mktemp("nonguix") / "nonguix.git"
    subprocess.run([MAKE, place], check=True, capture_output=True)
    return Repository(place)


def request(repository, **changes):
    keyring = parse_commit(repository.read(repository.reference("refs/heads/keyring"))[1]).tree
    asked = {"tip": TIP, "introduction": INTRODUCTION, "signer": SIGNER, "keyring": keyring}
    return Request(**(asked | changes))


class Changed:
    """The repository with one commit's bytes replaced under its old id, as a broken hash function would allow."""

    def __init__(self, repository, commit, raw):
        self._repository = repository
        self._commit = commit
        self._raw = raw

    def read(self, object_id):
        return ("commit", self._raw) if object_id == self._commit else self._repository.read(object_id)


def test_all_of_it_is_authentic_although_most_keys_have_expired(nonguix):
    outcome = verify(nonguix, request(nonguix))
    assert (outcome.verdict, outcome.checked, len(outcome.vouched)) == ("authentic", 2177, 8)
    assert sum(outcome.vouched.values()) == 2177


def test_another_signer_is_refused(nonguix):
    outcome = verify(nonguix, request(nonguix, signer="81416036E81A5CF78F801071ECFC83988B4E4B9F"))
    assert (outcome.verdict, outcome.reason) == ("refused", "introduction-signer")


@pytest.fixture(scope="module")
def commits(nonguix):
    found = []
    walk = Walk(nonguix, TIP, INTRODUCTION)
    walk.run(lambda commit, raw, *_: found.append((commit, raw)))
    assert len(found) == 2177
    return found


@pytest.fixture(scope="module")
def examiner(nonguix):
    anchor = load_anchor(nonguix, request(nonguix))
    return Examiner(nonguix, anchor.examination, anchor.likely_keyring(None))


def spoilt(raw, chance):
    """Change one bit of one byte that is not in the signature's own unsigned text."""
    commit = parse_commit(raw)
    start = raw.index(b"gpgsig ")
    end = start + len(raw) - len(commit.payload)
    places = [at for at in range(len(raw)) if not start <= at < end]
    at = chance.choice(places)
    return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]


def test_any_commit_with_one_bit_changed_proves_nothing(examiner, commits):
    chance = random.Random(1)
    elsewhere = 0
    for _, raw in commits:
        try:
            (examined,) = examiner([spoilt(raw, chance)])
        except MissingObject:  # the bit was in the tree's id
            elsewhere += 1
        else:
            assert examined.malformed or examined.unproven
    assert elsewhere < len(commits) / 4


def test_any_commit_signed_again_by_another_key_proves_nothing(examiner, commits):
    for _, raw in commits[::5]:
        payload = parse_commit(raw).payload
        again = with_header(payload, b"gpgsig", CAROL.sign(payload, 1_700_000_000))
        assert examiner([again])[0].unproven.code == "unknown-key"


def test_the_whole_history_with_one_commit_changed_is_refused(nonguix, commits):
    chance = random.Random(2)
    for commit, raw in chance.sample(commits, 12):
        changed = Changed(nonguix, commit, raw + b"x")
        outcome = verify(changed, request(nonguix))
        assert (outcome.verdict, outcome.reason) == ("refused", "bad-signature")
        assert outcome.refusals[0].commit == commit
        payload = parse_commit(raw).payload
        again = with_header(payload, b"gpgsig", CAROL.sign(payload, 1_700_000_000))
        outcome = verify(Changed(nonguix, commit, again), request(nonguix))
        assert (outcome.verdict, outcome.reason) == ("refused", "unknown-key")
