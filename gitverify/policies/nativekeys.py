"""Keys as the native policy writes them: SSH lines, and OpenPGP fingerprints (R9, R11)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitverify.errors import KeyRefused
from gitverify.policies import shape
from gitverify.policies.model import OpenPgpKeySpec, SshKeySpec
from gitverify.policies.strictyaml import Text, fail
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.model import KeySpec
    from gitverify.policies.strictyaml import Node

_FINGERPRINT = re.compile("(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})")


def key_spec(node: Node) -> KeySpec:
    """Return a key of a person: a public key line, or ``{openpgp: FINGERPRINT, subkeys: yes|no}``.

    ``subkeys`` is yes where it is left out. Raises PolicyError, also for keys below the limits of R9.
    """
    if isinstance(node, Text):
        return _ssh_key(node)
    entry = shape.mapping(node, "a key that is not an SSH public key line")
    shape.check_keys(entry, "an OpenPGP key", required=("openpgp",), optional=("subkeys",))
    subkeys = entry.values.get("subkeys")
    return OpenPgpKeySpec(
        fingerprint(shape.text(entry.values["openpgp"], "openpgp")),
        subkeys is None or shape.boolean(subkeys, "subkeys"),
    )


def fingerprint(node: Text) -> str:
    """Return a full fingerprint in upper case, without the spaces that people put in."""
    digits = node.value.replace(" ", "")
    if not _FINGERPRINT.fullmatch(digits):
        raise fail(node, f"“{shown(node.value, 80)}” is no full fingerprint: 40 or 64 hexadecimal digits")
    return digits.upper()


def _ssh_key(node: Text) -> SshKeySpec:
    from gitverify.signatures.sshkeys import key_comment, parse_key_line  # noqa: PLC0415 - loads cryptography

    if _FINGERPRINT.fullmatch(node.value.replace(" ", "")):
        raise fail(node, "an OpenPGP key is written as “openpgp: FINGERPRINT”")
    try:
        key = parse_key_line(node.value)
    except KeyRefused as refused:
        raise fail(node, str(refused)) from None
    return SshKeySpec(key.fingerprint, key.blob, key_comment(node.value))
