"""Which file names belong to which dialect, and the parser of each (R3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.policies.model import Dialect

if TYPE_CHECKING:
    from gitverify.policies.model import Policy

POLICY_FILES = {
    b".gitverify.yaml": Dialect.NATIVE,
    b".guix-authorizations": Dialect.GUIX,
    b".allowed_signers": Dialect.OPENSSH,
    b".gitsigners": Dialect.OPENSSH,
}


def parse(dialect: Dialect, data: bytes) -> Policy:
    """Return the policy that a file's bytes say in a dialect. Raises PolicyError, and nothing else.

    A dialect's parser is imported when it is first asked for: each loads what the others do not need.
    """
    if dialect is Dialect.NATIVE:
        from gitverify.policies import native  # noqa: PLC0415

        return native.parse(data)
    if dialect is Dialect.GUIX:
        from gitverify.policies import guix  # noqa: PLC0415

        return guix.parse(data)
    from gitverify.policies import openssh  # noqa: PLC0415

    return openssh.parse(data)
