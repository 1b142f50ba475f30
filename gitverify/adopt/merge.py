"""The tree of an adopting merge, where both branches have gone on: git makes it, a person's signature answers for it.

A merge that adopts is judged by what it changes in its first parent (R17), not by how that came to be; so git may
follow renames here as it does for everyone. But no tracked file has a say in it (attributes choose merge drivers).
"""

from __future__ import annotations

from binascii import unhexlify
from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.session import UsageProblem
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.git import Git

_CONFLICTS = 1
_MOST_NAMES = 10


def merged_tree(git: Git, ours: bytes, theirs: bytes, name: str) -> bytes:
    """Write the tree that git merges two commits to without conflict; return its id. Raises UsageProblem.

    ``name`` is what ``ours`` is called, safe to show.
    """
    by_hand = f"merge by hand first, signed or not: git merge {name}, then gitverify adopt again"
    options = ("--write-tree", "-z", "--name-only", "--no-messages")
    try:
        done = git.run("merge-tree", *options, ours.hex(), theirs.hex(), accept=(0, _CONFLICTS))
    except GitError as error:  # also git before 2.38
        raise UsageProblem(f"git can't merge {name}: {error}; {by_hand}") from None
    tree, *names = done.output.rstrip(b"\0").split(b"\0")
    if done.status == _CONFLICTS:
        paths = ", ".join(shown(path) for path in names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
        raise UsageProblem(f"merging {name} has conflicts in {paths}; {by_hand}")
    return unhexlify(tree.strip())
