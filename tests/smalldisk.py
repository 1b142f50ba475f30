"""A small disk of its own, to be filled: a tmpfs, which only root can mount."""

import shutil
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(directory, size="4m"):
    """Mount one at a directory, which is made. Skips the test where that can't be done."""
    directory.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", directory]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@contextmanager
def filled(directory, left):
    """Leave so many bytes on the disk that a directory is on."""
    filler = directory / "filler"
    filler.write_bytes(bytes(max(shutil.disk_usage(directory).free - left, 0)))
    try:
        yield
    finally:
        filler.unlink()
