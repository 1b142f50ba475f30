from __future__ import annotations

import errno
import os
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from marks import KEY, NOBODY, in_child, mark, move, needs_root, scratch, stored
from test_mark_faults import JOURNAL, hot_journal

from gitverify import statedir
from gitverify.mark import MarkStore, StateError
from gitverify.statedir import default_state_directory, require_outside
from gitverify.statefile import NAME


@pytest.fixture
def directory():
    with scratch() as parent:
        yield parent / "state"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refused(directory, *, read_only=False):
    """Return the message of the refusal that opening must end in."""
    with pytest.raises(StateError) as error:
        MarkStore.open(directory, read_only=read_only)
    assert error.value.code == "state-unsafe"
    return str(error.value)


# -- where


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/a", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/var/lib/a"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a"),
        ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/gitverify"),
        ({"XDG_STATE_HOME": "", "HOME": "/h"}, "/h/.local/state/gitverify"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/gitverify"),
        ({"HOME": "/h"}, "/h/.local/state/gitverify"),
    ],
)
def test_the_default_directory(environ, expected):
    assert default_state_directory(environ) == Path(expected)


@pytest.mark.parametrize(
    "environ", [{}, {"HOME": ""}, {"HOME": "."}, {"STATE_DIRECTORY": "state", "HOME": "/h"}, {"STATE_DIRECTORY": ":/b"}]
)
def test_no_default_directory(environ):
    with pytest.raises(StateError) as error:
        default_state_directory(environ)
    assert error.value.code == "state-unsafe"


def test_a_state_inside_the_repository_is_refused(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "repo")
    for inside in ("repo", "repo/.git/state", "repo/sub/../state", "link/state"):
        with pytest.raises(StateError, match="inside the repository"):
            require_outside(tmp_path / inside, [tmp_path / "other", tmp_path / "repo"])
    for outside in ("repository", "repo/../state", "state"):
        require_outside(tmp_path / outside, [tmp_path / "other", tmp_path / "repo"])


# -- creating


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_directory_file_and_journal_are_private_whatever_the_umask(directory, umask):
    def work():
        os.umask(umask)
        nested = directory / "deep" / "state"
        with MarkStore.open(nested) as store:
            store.advance(KEY, None, mark(1))
            connection = store._file._connection
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM mark")
            modes = [
                mode(directory),
                mode(directory / "deep"),
                mode(nested),
                mode(nested / NAME),
                mode(nested / JOURNAL),
            ]
            connection.execute("ROLLBACK")
        return " ".join(f"{one:o}" for one in modes)

    assert in_child(work) == "700 700 700 600 600"
    assert stored(directory / "deep" / "state") == mark(1)


def test_a_directory_that_another_process_creates_meanwhile_is_used(directory, monkeypatch):
    make = os.mkdir

    def slower(path, mode):
        make(path, mode)
        make(path, mode)

    monkeypatch.setattr(os, "mkdir", slower)
    move(directory, mark(1))
    assert stored(directory) == mark(1)


# -- whose, and which mode


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o770, 0o701, 0o777, 0o1777])
def test_a_directory_that_others_can_enter_is_refused_until_it_is_private(directory, bits):
    move(directory, mark(1))
    directory.chmod(bits)
    for read_only in (False, True):
        message = refused(directory, read_only=read_only)
        assert f"mode {bits:04o}" in message
        assert message.endswith(f"run: chmod 700 {directory}")
    directory.chmod(0o700)
    assert stored(directory) == mark(1)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused_until_it_is_private(directory, bits):
    move(directory, mark(1))
    (directory / NAME).chmod(bits)
    for read_only in (False, True):
        message = refused(directory, read_only=read_only)
        assert f"mode {bits:04o}" in message
        assert message.endswith(f"run: chmod 600 {directory / NAME}")
    (directory / NAME).chmod(0o600)
    assert stored(directory) == mark(1)


def test_an_existing_directory_is_not_repaired_silently(directory):
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    refused(directory)
    assert mode(directory) == 0o755
    assert list(directory.iterdir()) == []


def test_a_path_is_quoted_for_the_shell_and_its_control_characters_are_shown(directory):
    odd = directory / "two words\n\x1b[2J"
    odd.mkdir(parents=True)
    odd.chmod(0o755)
    message = refused(odd)
    assert "\n" not in message
    assert "\x1b" not in message
    assert message.endswith(f"chmod 700 '{directory}/two words\\x0a\\x1b[2J'")


@needs_root
@pytest.mark.parametrize("name", [".", NAME])
def test_a_directory_or_file_of_another_user_is_refused_until_it_is_ours(directory, name):
    move(directory, mark(1))
    os.chown(directory / name, NOBODY, NOBODY)
    for read_only in (False, True):
        assert f"belongs to user id {NOBODY}, but this process runs as user id 0" in refused(
            directory, read_only=read_only
        )
    os.chown(directory / name, 0, 0)
    assert stored(directory) == mark(1)


@needs_root
def test_what_belongs_to_the_user_who_runs_us_is_taken(directory):
    directory.mkdir(mode=0o700)
    os.chown(directory, NOBODY, NOBODY)
    assert in_child(lambda: str(move(directory, mark(1))), NOBODY) == "None"
    assert in_child(lambda: str(stored(directory) == mark(1)), NOBODY) == "True"
    assert "belongs to user id" in refused(directory)


def test_a_parent_that_everybody_can_write_is_refused_unless_it_is_sticky(directory):
    parent = directory / "shared"
    move(parent / "state", mark(1))
    parent.chmod(0o777)
    for read_only in (False, True):
        assert refused(parent / "state", read_only=read_only).endswith(f"run: chmod o-w {parent}")
    parent.chmod(0o1777)
    assert stored(parent / "state") == mark(1)
    parent.chmod(0o775)
    assert stored(parent / "state") == mark(1)


# -- what else may be in the way


def test_a_directory_behind_a_symbolic_link_is_used_if_both_ends_are_safe(directory):
    move(directory / "real" / "state", mark(1))
    (directory / "links").mkdir()
    link = directory / "links" / "state"
    link.symlink_to(directory / "real" / "state")
    assert stored(link) == mark(1)
    move(link, mark(2))
    assert stored(directory / "real" / "state") == mark(2)
    for unsafe in (directory / "links", directory / "real"):
        unsafe.chmod(0o777)
        assert "lets everybody replace" in refused(link)
        unsafe.chmod(0o700)


def test_a_link_to_nothing_is_an_empty_store_to_read_and_an_error_to_write(directory):
    directory.mkdir()
    link = directory / "state"
    link.symlink_to(directory / "nowhere")
    assert stored(link) is None
    assert "symbolic link to nothing" in refused(link)


def test_the_file_itself_may_not_be_a_symbolic_link(directory):
    move(directory, mark(1))
    (directory / NAME).rename(directory / "elsewhere")
    (directory / NAME).symlink_to(directory / "elsewhere")
    for read_only in (False, True):
        assert "is a symbolic link" in refused(directory, read_only=read_only)


def test_a_directory_or_a_pipe_in_place_of_the_file_is_corrupt(directory):
    for make in (os.mkdir, os.mkfifo):
        directory.mkdir(mode=0o700, exist_ok=True)
        make(directory / NAME, 0o600)
        with pytest.raises(StateError, match="not a regular file") as error:
            MarkStore.open(directory)
        assert error.value.code == "state-corrupt"
        if make is os.mkdir:
            (directory / NAME).rmdir()


def test_a_file_in_place_of_the_directory_or_above_it(directory):
    directory.write_bytes(b"")
    for read_only in (False, True):
        assert "not a directory" in refused(directory, read_only=read_only)
    assert "Not a directory" in refused(directory / "state")


# -- not writable


@contextmanager
def read_only_view(directory):
    """Give the path under which the parent of ``directory`` can be read and not written, not even by root."""
    view = directory.with_name("view")
    view.mkdir(mode=0o700)
    if subprocess.run(["mount", "--bind", directory, view], check=False, capture_output=True).returncode:
        pytest.skip("this system does not let root mount a file system")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", view], check=True)
        yield view
    finally:
        subprocess.run(["umount", view], check=True)


@needs_root
def test_on_a_read_only_file_system_the_mark_is_read_but_no_work_begins_that_would_move_it(directory):
    move(directory, mark(1))
    with read_only_view(directory) as view:
        assert stored(view) == mark(1)
        assert "is not writable" in refused(view)


@needs_root
def test_on_a_read_only_file_system_there_is_no_store_to_create(directory):
    directory.mkdir(mode=0o700)
    with read_only_view(directory) as view:
        assert stored(view) is None
        assert "is not writable" in refused(view)


@needs_root
def test_what_a_crash_left_can_not_be_undone_on_a_read_only_file_system(directory):
    with hot_journal(directory), read_only_view(directory) as view:
        with pytest.raises(StateError, match="crashed process left half written") as error:
            stored(view)
        assert error.value.code == "state-unsafe"
    assert stored(directory) == mark(5)


@needs_root
@pytest.mark.parametrize(("name", "bits"), [(".", 0o500), (NAME, 0o400)])
def test_without_permission_to_write_the_mark_can_still_be_read(directory, name, bits):
    move(directory, mark(1))
    (directory / name).chmod(bits)
    os.chown(directory, NOBODY, NOBODY)
    os.chown(directory / NAME, NOBODY, NOBODY)
    assert in_child(lambda: str(stored(directory) == mark(1)), NOBODY) == "True"
    assert in_child(lambda: refused(directory), NOBODY).startswith(
        str(directory / name) if name == NAME else str(directory)
    )
    (directory / name).chmod(0o700 if name == "." else 0o600)
    assert in_child(lambda: str(move(directory, mark(2))), NOBODY) == "None"


@needs_root
def test_a_directory_that_can_not_be_created_or_entered_is_unsafe(directory):
    directory.mkdir(mode=0o700)
    assert "cannot be used: Permission denied" in in_child(lambda: refused(directory / "state"), NOBODY)
    (directory / "state").mkdir()
    assert "cannot be used: Permission denied" in in_child(lambda: refused(directory / "state", read_only=True), NOBODY)


@needs_root
def test_a_directory_without_permission_to_search_is_unsafe(directory):
    move(directory, mark(1))
    directory.chmod(0o600)
    os.chown(directory, NOBODY, NOBODY)
    assert "cannot be looked at: Permission denied" in in_child(lambda: refused(directory, read_only=True), NOBODY)


def test_a_file_that_can_not_be_looked_at_is_unsafe(directory, monkeypatch):
    move(directory, mark(1))
    look = os.lstat

    def refuse(path, **options):
        if str(path).endswith(NAME):
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(path, **options)

    monkeypatch.setattr(os, "lstat", refuse)
    assert "cannot be looked at" in refused(directory)


def test_a_parent_that_vanishes_while_we_look_is_unsafe(directory, monkeypatch):
    move(directory, mark(1))
    look = os.stat

    def gone(path, **options):
        if path == str(directory.parent):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return look(path, **options)

    monkeypatch.setattr(statedir.os, "stat", gone)
    assert "cannot be looked at" in refused(directory)


# -- syncing directories


def test_a_directory_that_can_not_be_synced_is_not_an_error_but_a_failing_disk_is(directory, monkeypatch):
    directory.mkdir(mode=0o700)

    def failing(number):
        def fsync(descriptor):
            raise OSError(number, os.strerror(number))

        return fsync

    monkeypatch.setattr(statedir.os, "fsync", failing(errno.EINVAL))
    statedir.sync_directory(str(directory))
    monkeypatch.setattr(statedir.os, "fsync", failing(errno.EIO))
    assert "Input/output error" in refused(directory)
    monkeypatch.undo()
    move(directory, mark(1))


def test_a_directory_that_can_not_be_opened_counts_as_synced(directory, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(statedir.os, "open", refuse)
    statedir.sync_directory(str(directory))


@needs_root
def test_a_directory_that_we_may_write_but_not_read_can_not_be_synced(directory):
    directory.mkdir()
    directory.chmod(0o733)
    assert in_child(lambda: str(statedir.sync_directory(str(directory))), NOBODY) == "None"
