"""What git hands to the verifying program is our payload and our signature, whatever the message looks like."""

import itertools
import subprocess

import pytest

from gitverify.objects.tag import parse_tag
from tests.gitrepo import ENVIRONMENT, GitRepository

HEAD = b"object %s\ntype commit\ntag v1\ntagger T <t@u> 1700000000 +0000\n"
SSH = b"-----BEGIN SSH SIGNATURE-----\nxx\n-----END SSH SIGNATURE-----\n"
PGP = b"-----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n"
PIECES = [
    b"text\n",
    b"\n",
    SSH,
    PGP,
    b" " + SSH,
    b"\r" + PGP,
    b"no end of line",
    b"-----BEGIN SIGNED MESSAGE-----\n",
    b"-----BEGIN PGP MESSAGE----- and more",
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    b"gpgsig-sha256 in the message\n",
    b"nul \0\n",
]
FIELD = b"gpgsig-sha256 -----BEGIN PGP SIGNATURE-----\n \n xx\n -----END PGP SIGNATURE-----\n"

# It is called as gpg is (the signature's file is the 4th argument), as gpgsm is, or as ssh-keygen is: first to find
# out whose key it might be, without the payload, then to check the signature.
SPY = """#!/bin/sh
previous=
for argument; do
    case "$previous" in -s|--verify) cp "$argument" "{place}/signature";; esac
    previous=$argument
done
case "$2" in find-principals) exit 1;; esac
cat > "{place}/payload"
exit 1
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    place = tmp_path_factory.mktemp("spied")
    repository = GitRepository(place / "repo")
    repository.commit("one")
    spy = place / "spy"
    spy.write_text(SPY.format(place=place))
    spy.chmod(0o755)
    (place / "signers").write_bytes(b"")
    for name in ("gpg.program", "gpg.x509.program", "gpg.ssh.program"):
        repository.git("config", name, str(spy))
    repository.git("config", "gpg.ssh.allowedSignersFile", str(place / "signers"))
    return repository


def as_git_has_it(repository, raw):
    """Return (signature, payload), or None where git finds no signature."""
    place = repository.path.parent
    for name in ("signature", "payload"):
        (place / name).unlink(missing_ok=True)
    tag = repository.git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", stdin=raw)
    command = ["git", "verify-tag", tag]
    done = subprocess.run(command, cwd=repository.path, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode
    if not (place / "payload").exists():
        assert b"no signature found" in done.stderr
        return None
    return (place / "signature").read_bytes(), (place / "payload").read_bytes()


def as_we_have_it(raw):
    tag = parse_tag(raw)
    return None if tag.signature is None else (tag.signature, tag.payload)


def agree(repository, raw):
    assert as_we_have_it(raw) == as_git_has_it(repository, raw)
    return as_we_have_it(raw)


@pytest.fixture(scope="module")
def head(repository):
    return HEAD % repository.git("rev-parse", "HEAD").encode()


@pytest.mark.parametrize("first", range(len(PIECES)))
def test_every_order_of_two_pieces(repository, head, first):
    found = [agree(repository, head + b"\n" + PIECES[first] + second) for second in PIECES]
    assert any(found) == (PIECES[first] != b"no end of line")


@pytest.mark.parametrize("pieces", [*itertools.permutations([SSH, PGP, b"text\n"])])
def test_every_order_of_three(repository, head, pieces):
    assert agree(repository, head + b"\n" + b"".join(pieces))


@pytest.mark.parametrize("message", [b"", b"text\n", b"text\n" + SSH, PGP, SSH + FIELD + PGP])
def test_the_field_for_the_other_hash(repository, head, message):
    raw = head + FIELD + b"\n" + message
    found = agree(repository, raw)
    if found:
        assert FIELD not in found[1].partition(b"\n\n")[0] + b"\n"


def test_no_message(repository, head):
    assert agree(repository, head + b"\n" + SSH)
    assert agree(repository, head + b"\n") is None
