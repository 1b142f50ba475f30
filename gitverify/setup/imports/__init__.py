"""Lists of people and keys that other programs keep: bytes in, people with keys and notes out. One file a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError
from gitverify.setup.imports import allowed_signers, committers_json, github_keys, guix
from gitverify.setup.imports.model import Imported, ImportRefused, people_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.setup.imports.model import Findings

__all__ = ["ImportRefused", "Imported", "read"]

# Each is given the file's bytes, its name without the ending, and the time in seconds since 1970.
_READERS: dict[str, Callable[[bytes, str, int], Findings]] = {
    "guix": lambda data, name, now: guix.read(data),  # noqa: ARG005
    "allowed-signers": lambda data, name, now: allowed_signers.read(data, now),  # noqa: ARG005
    "committers-json": lambda data, name, now: committers_json.read(data),  # noqa: ARG005
    "github-keys": lambda data, name, now: github_keys.read(data, name),  # noqa: ARG005
}


def read(form: str, data: bytes, *, name: str, now: int) -> Imported:
    """Return what a list says; ``name`` is the file's, without its ending; ``now``: seconds since 1970.

    Proves: every key is one that a policy may list, and is one person's. Raises ImportRefused.
    """
    try:
        return people_of(_READERS[form](data, name, now))
    except ImportRefused:
        raise
    except GitverifyError as error:
        raise ImportRefused(str(error)) from None
