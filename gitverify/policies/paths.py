"""Paths as the native policy writes them (``docs/policy.md``, R16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.policies.model import WHOLE_TREE, PathPrefix
from gitverify.policies.strictyaml import fail
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.strictyaml import Text


def path_prefix(node: Text) -> PathPrefix:
    r"""Return what a path covers: everything below it with a trailing slash, the one entry without, ``/`` the tree.

    Raises PolicyError. ``*`` and ``?`` are refused because a reader would take them for globs; an entry with such a
    name is covered through its directory. ``[`` and ``\`` stand for themselves: a path that is read too literally
    grants too little, never too much.
    """
    written = node.value
    if written == "/":
        return WHOLE_TREE
    problem = _problem(written)
    if problem:
        raise fail(node, f"“{shown(written)}” is no path here: {problem}")
    subtree = written.endswith("/")
    return PathPrefix(written.removesuffix("/").encode(), subtree)


def _problem(written: str) -> str:
    """Say what is wrong with a path, ``""`` where nothing is."""
    components = written.removesuffix("/").split("/")
    checks = (
        (not written, "it is empty (the whole tree is “/”)"),
        (written.startswith("/"), "paths begin at the root of the repository, without a slash"),
        (written.startswith("./"), "leave the leading “./” out"),
        (
            "*" in written or "?" in written,
            "there are no globs (“*” and “?”); a directory with its slash covers everything below it",
        ),
        ("\0" in written, "a path has no NUL"),
        ("" in components, "it has an empty component (two slashes in a row)"),
        ("." in components or ".." in components, "it has a component “.” or “..”"),
    )
    return next((problem for broken, problem in checks if broken), "")
