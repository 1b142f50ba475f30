"""What goes wrong when a key is looked for."""

from __future__ import annotations

from gitverify.errors import GitverifyError


class KeyNotFound(GitverifyError):
    """There is no such key, it is not clear which one is meant, or it can't sign by R9 and R10; says what to do."""
