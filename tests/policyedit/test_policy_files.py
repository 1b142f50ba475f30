"""The policy file on disk: never half written, never another one, never through a link."""

import os
import stat

import pytest

from fixtures.lib.keys import CAROL
from gitverify.limits import LIMITS
from gitverify.policyedit import file
from gitverify.session import UsageProblem


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"old\n")
    return path


def left(path):
    return sorted(each.name for each in path.parent.iterdir())


def test_replaced_with_its_mode(path):
    path.chmod(0o604)
    file.replace_file(path, b"old\n", b"new\n")
    assert path.read_bytes() == b"new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert left(path) == ["policy.yaml"]


def test_changed_by_somebody_else_meanwhile(path):
    with pytest.raises(UsageProblem, match="has changed meanwhile, so it was left alone"):
        file.replace_file(path, b"older\n", b"new\n")
    assert path.read_bytes() == b"old\n"


def test_a_link_is_not_followed(path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(UsageProblem, match="is a symlink"):
        file.replace_file(link, b"old\n", b"new\n")
    assert path.read_bytes() == b"old\n"


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageProblem, match="can't be written: No space left on device"):
        file.replace_file(path, b"old\n", b"new\n")
    assert path.read_bytes() == b"old\n"
    assert left(path) == ["policy.yaml"]


def test_no_more_is_read_than_a_policy_may_have(path):
    path.write_bytes(b"#" * (LIMITS.policy_size + 10))
    assert len(file.read_file(path)) == LIMITS.policy_size + 1


def test_certificates(tmp_path):
    written = file.write_certificate(tmp_path, b"a/b", "carol.asc", CAROL.certificate)
    assert written == tmp_path / "a/b/carol.asc"
    assert file.write_certificate(tmp_path, b"a/b", "carol.asc", CAROL.certificate) is None
    assert CAROL.id in file.fingerprints_in(tmp_path, b"a/b")
    (tmp_path / "a/b/gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "a/b/text").write_text("no certificate\n")
    assert CAROL.id in file.fingerprints_in(tmp_path, b"a/b")
    assert file.fingerprints_in(tmp_path, None) == frozenset()
    assert file.fingerprints_in(tmp_path, b"a/c") == frozenset()


def test_a_certificate_that_cant_be_read_counts_for_nothing(tmp_path, monkeypatch):
    written = file.write_certificate(tmp_path, b"keys", "carol.asc", CAROL.certificate)
    real = os.lstat

    def refused(path):
        if path == written:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "lstat", refused)
    assert file.fingerprints_in(tmp_path, b"keys") == frozenset()


def test_where_a_certificate_cant_be_put(tmp_path):
    (tmp_path / "keys").write_text("a file\n")
    with pytest.raises(UsageProblem, match="keys is no directory"):
        file.write_certificate(tmp_path, b"keys", "carol.asc", b"")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/carol.asc").symlink_to(tmp_path / "keys")
    with pytest.raises(UsageProblem, match="is a symlink"):
        file.write_certificate(tmp_path, b"more", "carol.asc", b"new")
    assert (tmp_path / "keys").read_text() == "a file\n"
    with pytest.raises(UsageProblem, match="can't be written: File name too long"):
        file.write_certificate(tmp_path, b"x" * 300, "carol.asc", b"")
