"""Modes, symlinks, and files that are none: nothing is followed, nothing is waited for."""

import os
import shutil
import socket

import pytest

from gitverify.worktree.files import read_file


@pytest.mark.parametrize(("name", "mode"), [("run", 0o644), ("run", 0o654), ("README", 0o755), ("README", 0o744)])
def test_the_executable_bit(made, name, mode):
    made.git("config", "core.fileMode", "false")
    (made.path / name).chmod(mode)
    (message,) = made.differences().values()
    assert "executable" in message
    assert message.endswith("; this clone has core.fileMode = false")


@pytest.mark.parametrize(("name", "mode"), [("run", 0o700), ("README", 0o600), ("README", 0o664), ("README", 0o655)])
def test_other_bits_are_not_recorded(made, name, mode):
    (made.path / name).chmod(mode)
    assert not made.differences()


def test_another_target(made):
    (made.path / "link").unlink()
    (made.path / "link").symlink_to("README")
    assert made.differences() == {"link": "modified: it leads to “README”, elsewhere than in the commit"}


def test_a_target_that_is_no_utf8(made):
    (made.path / "link").unlink()
    (made.path / "link").symlink_to(os.fsdecode(b"\xff\xfe"))
    made.git("commit", "-q", "-a", "-m", "odd")
    assert not made.differences()


def test_a_file_system_without_symlinks(made):
    made.git("config", "core.symlinks", "false")
    made.again()
    assert not (made.path / "link").is_symlink()
    (message,) = made.differences().values()
    assert message.startswith("modified: the target is written in a file")
    assert message.endswith("; this clone has core.symlinks = false")


def test_a_file_where_a_symlink_should_be(made):
    (made.path / "link").unlink()
    made.put({"link": "x"})
    assert made.differences() == {"link": "modified: a file is where the commit has a symlink"}


def test_symlinks_are_never_followed(made):
    """To a file of the right content, to a directory of the right content: both are something else."""
    elsewhere = made.path.parent / "elsewhere"
    shutil.copytree(made.path / "lib", elsewhere)
    shutil.rmtree(made.path / "lib")
    (made.path / "lib").symlink_to(elsewhere)
    shutil.copy(made.path / "README", elsewhere / "README")
    (made.path / "README").unlink()
    (made.path / "README").symlink_to(elsewhere / "README")
    assert made.differences() == {
        "README": "modified: a symlink is where the commit has a file",
        "lib": "modified: a symlink is where the commit has a directory",
    }


def test_a_directory_that_becomes_a_symlink_while_we_look(made, monkeypatch):
    elsewhere = made.path.parent / "elsewhere"
    shutil.copytree(made.path / "lib", elsewhere)
    opened = os.open

    def swap(name, flags, **how):
        """Open it, after somebody has put another directory in its place."""
        if name == b"lib":
            (made.path / "lib").rename(made.path.parent / "moved")
            (made.path / "lib").symlink_to(elsewhere)
        return opened(name, flags, **how)

    monkeypatch.setattr(os, "open", swap)
    assert made.differences() == {"lib/": "modified: it can't be listed: Not a directory"}


def test_a_file_for_a_directory_and_the_reverse(made):
    shutil.rmtree(made.path / "lib")
    made.put({"lib": "x"})
    (made.path / "README").unlink()
    made.put({"README/x": "x"})
    assert made.differences() == {
        "README": "modified: a directory is where the commit has a file",
        "lib": "modified: a file is where the commit has a directory",
    }


def test_pipes_and_sockets_are_not_opened(made, monkeypatch):
    """Whoever opened them would wait for ever."""
    monkeypatch.chdir(made.path)  # the name of a socket must be short
    (made.path / "README").unlink()
    os.mkfifo("README")
    os.mkfifo("lib/pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert made.differences() == {
            "README": "modified: a pipe is where the commit has a file",
            "lib/pipe": "added: a pipe that the commit doesn't have",
            "socket": "added: a socket that the commit doesn't have",
        }


def test_a_pipe_that_takes_a_files_place_while_we_look(tmp_path):
    os.mkfifo(tmp_path / "file")
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        found = read_file(b"file", handle, b"x" * 20, None)
    finally:
        os.close(handle)
    assert (found.same, found.content) == (False, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device takes root")
def test_devices(made):
    (made.path / "README").unlink()
    os.mknod(made.path / "README", 0o20600, os.makedev(1, 3))
    assert made.differences() == {"README": "modified: a device is where the commit has a file"}
