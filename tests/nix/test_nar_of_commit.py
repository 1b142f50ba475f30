"""The hash of a commit's tree is the one that Nix computes of a git input: links, modes, submodules, order."""

import os
from functools import partial

import pytest
from gitrepo import GitRepository

from gitverify.export.walk import show_tree
from gitverify.nix.nar import nar_hash, sri
from gitverify.source import Repository
from tests.nix.nixplace import Nix, needs_nix


@pytest.fixture
def made(tmp_path):
    made = GitRepository(tmp_path / "r")
    (made.path / "a").mkdir()
    (made.path / "a/run").write_text("#!/bin/sh\n")
    (made.path / "a/run").chmod(0o755)
    (made.path / "a/link").symlink_to("../nowhere")
    for name in ("a-b", "a.b", "a0", os.fsdecode(b"\xff"), "ä", "B"):
        (made.path / name).write_text(name.encode("utf-8", "replace").decode())
    made.git("add", "-A")
    made.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},a/sub")
    made.git("update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},sub")
    made.git("commit", "-qm", "all")
    return made


@needs_nix
def test_nix_computes_the_same(made, tmp_path):
    """Of a commit without attributes, which the kinds of inputs would treat differently."""
    tree = bytes.fromhex(made.git("rev-parse", "HEAD^{tree}"))
    ours = sri(nar_hash(partial(show_tree, Repository(made.path), tree)))
    url, commit = made.path, made.git("rev-parse", "HEAD")
    nix = Nix(tmp_path / "nix")
    theirs = nix.evaluate(
        f'(builtins.fetchTree {{ type = "git"; url = "file://{url}"; rev = "{commit}"; ref = "main"; }}).narHash'
    )
    assert ours == theirs
