"""What is legal in a policy but likely wrong, given the tree that it is for (``docs/policy.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gitverify.policies.lint import Warning, places  # noqa: A004 - what it is
from gitverify.policies.model import WHOLE_TREE, OpenPgpKeySpec
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitverify.policies.model import PathPrefix, Policy

Kind = Literal["directory", "file", "nothing"]


def tree_warnings(policy: Policy, kind: Callable[[bytes], Kind], known: Callable[[str], bool]) -> Iterator[Warning]:
    """Yield warnings of a native policy.

    ``kind`` says what is at a path of the tree, ``known`` whether there is a certificate for an OpenPGP fingerprint.
    """
    for line, path, at in places(policy):
        message = _mismatch(path, kind)
        if message:
            yield Warning(line, message, at)
    for person in policy.people.values():
        for key in person.keys:
            if isinstance(key, OpenPgpKeySpec) and not known(key.key):
                directory = shown((policy.openpgp_keys or b"") + b"/")
                yield Warning(
                    person.line,
                    f"there is no certificate for the key {key.key} of {person.name} in {directory}: what it signs "
                    f"will be refused (gpg --export --armor {key.key})",
                    ("people", person.name),
                )


def _mismatch(path: PathPrefix, kind: Callable[[bytes], Kind]) -> str:
    if path == WHOLE_TREE:
        return ""
    found = kind(path.path)
    name = shown(str(path))
    if found == "nothing":
        return f"“{name}” matches nothing in this tree"
    if found == "directory" and not path.subtree:
        return f"“{name}” is a directory: without its slash (“{name}/”) nothing below it is meant"
    if found == "file" and path.subtree:
        return f"“{name}” is no directory: write “{name.removesuffix('/')}” for the file itself"
    return ""
