"""The key that a user names to be listed: a file, a line, ssh-agent's, or one of gpg's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitverify.keysources import openpgp, ssh
from gitverify.keysources.errors import KeyNotFound
from gitverify.policies.edit.keys import NewKey, openpgp_key, ssh_key
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.git import Git

_LINES = ("key::", "ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-")


class FoundKey(NamedTuple):
    """A key to be listed; ``certificate``: the armored OpenPGP certificate, None for an SSH key."""

    key: NewKey
    certificate: bytes | None = None


def find_key(git: Git, named: str, *, agent: bool, now: int) -> FoundKey:
    """Return the key; with ``agent`` the one that ssh-agent has by this comment or id. Raises KeyNotFound."""
    if agent or named.startswith("SHA256:"):
        return FoundKey(ssh_key(_of_agent(git, named).entry))
    if named.startswith(_LINES) and " " in named:
        return FoundKey(ssh_key(ssh.from_line(named.removeprefix("key::")).entry))
    path = Path(named).expanduser()
    if path.exists() or "/" in named or named.endswith(".pub"):
        return FoundKey(ssh_key(ssh.from_file(path).entry))
    program = git.setting("gpg.openpgp.program") or git.setting("gpg.program") or "gpg"
    found = openpgp.find_certificate(named, git.environment, now=now, program=program)
    return FoundKey(openpgp_key(found.fingerprint), found.armored)


def _of_agent(git: Git, named: str) -> ssh.SshKey:
    listed = ssh.from_agent(git.environment)
    found = [each for each in listed.keys if named.rstrip("=") == each.key.fingerprint or named == each.comment]
    if len(found) == 1:
        return found[0]
    held = "; ".join(f"{each.key.fingerprint} {shown(each.comment, 60)}" for each in (found or listed.keys)[:10])
    how = "has several keys" if found else "has no key"
    raise KeyNotFound(f"ssh-agent {how} “{shown(named, 80)}”; it has: {held or 'none that can sign'}")
