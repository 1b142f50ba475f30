"""What the emitter writes is what git, ssh-keygen and gpg read: the oracles of the tests that use it."""

from __future__ import annotations

import os
import subprocess

import emit
import histories
import pytest
import reference
import signing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Entry, Listing, RefCommit, RefPerson, RefPolicy, RefSignature

from gitverify.errors import MissingObject, PolicyError
from gitverify.policies import native

KEEP = {b"keep": Entry(b"1\n")}


def git(directory, *arguments, **environment):
    clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(directory), "TZ": "Asia/Tokyo"}
    command = ["git", f"--git-dir={directory}", *arguments]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False)


def written(directory, history, dialect):
    emitted = emit.emit(history, dialect)
    references = {f"refs/heads/{name}": object_id for name, object_id in emitted.ids.items()}
    references["refs/heads/keyring"] = references["refs/heads/main"] = emitted.keyring
    emitted.repository.write_to(directory, references)
    return emitted


def signed_by(*signatures, date=histories.START):
    return {
        f"c{index}": RefCommit(f"c{index}", (), KEEP, signature, date) for index, signature in enumerate(signatures)
    }


def judged_by_git(directory, history, *options, **environment):
    """What git says of each signature (``%G?``: G good, U good of unknown validity, B bad, E can't check, N none)."""
    found = git(directory, *options, "log", "--no-walk=unsorted", "--format=%G?", *history, **environment)
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=histories.cases(paths=True))
def test_git_reads_what_is_emitted(tmp_path_factory, case):
    history = {}
    for name, commit in case.history.items():
        if not commit.malformed and set(commit.parents) <= set(history):
            history[name] = commit
    directory = tmp_path_factory.mktemp("emitted") / "repository"
    emitted = written(directory, history, case.dialect)
    fsck = git(directory, "fsck", "--strict", "--no-dangling")
    assert (fsck.returncode, fsck.stderr) == (0, "")
    listed = git(directory, "log", "--all", "--format=%H %s %P").stdout.splitlines()
    ids = {name: object_id.hex() for name, object_id in emitted.ids.items()}
    expected = [[ids[name], name, *(ids[parent] for parent in commit.parents)] for name, commit in history.items()]
    assert sorted(line.split() for line in listed if " keyring" not in line) == sorted(expected)
    for name, commit in history.items():
        paths = git(directory, "ls-tree", "-r", "-z", "--name-only", name).stdout.split("\0")[:-1]
        assert {path.encode() for path in paths} == set(commit.tree)


@pytest.mark.parametrize("malformed", ["malformed-commit", "malformed-tree"])
def test_git_finds_fault_with_a_malformed_object(tmp_path, malformed):
    history = {name: RefCommit(name, (), KEEP, malformed=malformed) for name in ("c", "c0", "c10")}
    written(tmp_path / "repository", history, "native")
    fsck = git(tmp_path / "repository", "fsck", "--strict", "--no-dangling")
    # Git lets a second encoding header pass; R6 doesn't.
    assert (fsck.returncode != 0) == (malformed == "malformed-tree")


def test_an_object_that_is_not_there_is_missing():
    repository = emit.Repository()
    object_id = repository.add("blob", b"1\n")
    assert repository.read(object_id) == ("blob", b"1\n")
    with pytest.raises(MissingObject):
        repository.read(bytes(20))


def test_ssh_signatures_are_what_they_say(tmp_path):
    kinds = ["good", "bad", "weak", "absent"]
    history = signed_by(*(RefSignature(kind, "ssh0") for kind in kinds), RefSignature("good", "ssh1"))
    written(tmp_path / "repository", history, "openssh")
    allowed = tmp_path / "allowed"
    allowed.write_bytes(emit.policy_text("openssh", RefPolicy((RefPerson("p0", (Listing("ssh0"),)),))))
    found = judged_by_git(tmp_path / "repository", history, "-c", f"gpg.ssh.allowedSignersFile={allowed}")
    assert found[:2] == ["G", "B"]
    assert found[3] == "N"
    assert "G" not in found[2:]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    after=st.none() | st.integers(-1, 1),
    before=st.none() | st.integers(-1, 1),
    for_git=st.booleans(),
)
def test_git_agrees_on_when_an_entry_is_in_force(tmp_path_factory, after, before, for_git):
    date = histories.START
    bounds = [None if bound is None else date + bound for bound in (after, before)]
    policy = RefPolicy((RefPerson("p0", (Listing("ssh0", *bounds, for_git=for_git),)),))
    directory = tmp_path_factory.mktemp("window")
    allowed = directory / "allowed"
    allowed.write_bytes(emit.policy_text("openssh", policy))
    history = signed_by(RefSignature("good", "ssh0"), date=date)
    written(directory / "repository", history, "openssh")
    found = judged_by_git(directory / "repository", history, "-c", f"gpg.ssh.allowedSignersFile={allowed}")
    in_order = reference.r14_file_problem("openssh", Entry(policy)) != "policy-invalid"
    assert (found == ["G"]) == (in_order and bool(reference.vouchers(policy, history["c0"])))


def test_openpgp_signatures_are_what_they_say(tmp_path):
    signatures = [RefSignature(kind, "pgp0") for kind in ("good", "bad", "weak", "absent")]
    history = signed_by(*signatures, RefSignature("unknown-key", "ghost0"), RefSignature("good", "pgp1"))
    directory = tmp_path / "repository"
    written(directory, history, "guix")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    for key in ("pgp0", "pgp1"):
        certificate = git(directory, "cat-file", "blob", f"keyring:{key}.key").stdout
        command = ["gpg", "--homedir", home, "--batch", "--no-autostart", "--status-fd=1", "--import"]
        imported = subprocess.run(command, input=certificate, capture_output=True, text=True, check=True)
        assert f"IMPORT_OK 1 {signing.key_id(key)}" in imported.stdout
    found = judged_by_git(directory, history, GNUPGHOME=str(home))
    assert found == ["U", "B", "E", "N", "E", "U"]


def read_by_the_parser(dialect, policy):
    """Who is listed with which keys, who is granted the whole tree, who is an editor."""
    read = pytest.importorskip(f"gitverify.policies.{dialect}").parse(emit.policy_text(dialect, policy))
    keys = {(person.name, spec.key) for person in read.people.values() for spec in person.keys}
    return keys, read.whole_tree, read.editors


@given(data=st.data())
def test_native_policy_says_what_was_meant(data):
    policy = histories.draw_policy(histories.thrown(data.draw), "native", paths=True)
    keys = {(person.name, signing.key_id(listing.key)) for person in policy.people for listing in person.listings}
    granted = {person.name for person in policy.people if person.granted}
    editors = {person.name for person in policy.people if person.editor}
    assert read_by_the_parser("native", policy) == (keys, granted, editors)
    read = native.parse(emit.policy_text("native", policy))
    limits = {(str(path).encode(), name) for grant in read.grants for path in grant.paths for name in grant.people}
    roots = {(b"/", name) for name in granted}
    assert limits == roots | {(path, person.name) for person in policy.people for path in person.paths}
    assert tuple(str(path).encode() for path in read.unprotected) == policy.unprotected
    assert (read.unsigned_merges, read.adopting_merges) == (policy.unsigned_merges, policy.adopting_merges)


@pytest.mark.parametrize("dialect", ["guix", "openssh"])
@settings(max_examples=30)
@given(data=st.data())
def test_policy_of_another_dialect_lists_the_keys_that_were_meant(dialect, data):
    policy = histories.draw_policy(histories.thrown(data.draw), dialect)
    keys, granted, editors = read_by_the_parser(dialect, policy)
    listings = [listing for person in policy.people for listing in person.listings]
    assert {key for _, key in keys} == {signing.key_id(listing.key) for listing in listings}
    assert granted == editors
    assert granted <= {name for name, _ in keys}


@pytest.mark.parametrize("dialect", ["native", "guix", "openssh"])
def test_broken_policy_is_broken_in_every_dialect(dialect):
    parser = pytest.importorskip(f"gitverify.policies.{dialect}")
    with pytest.raises(PolicyError) as refused:
        parser.parse(emit.BROKEN)
    assert refused.value.code == "policy-invalid"


@given(data=st.data(), dialect=st.sampled_from(["native", "guix", "openssh"]))
def test_two_policies_are_one_file_only_if_they_are_equal(data, dialect):
    dice = histories.thrown(data.draw)
    one = histories.draw_policy(dice, dialect, paths=dialect == "native")
    other = dice.pick([one, histories.draw_changed_policy(dice, dialect, one, paths=dialect == "native")])
    assert (one == other) == (emit.policy_text(dialect, one) == emit.policy_text(dialect, other))
