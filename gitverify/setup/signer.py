"""The key that git will sign with here, as a policy lists it; or what to do so that there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.keysources import openpgp, ssh
from gitverify.keysources.errors import KeyNotFound
from gitverify.policies.model import OpenPgpKeySpec, SshKeySpec
from gitverify.session import UsageProblem
from gitverify.signingkey import CannotSign, signing_keys
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.git import Git
    from gitverify.policies.model import KeySpec

_SHORTEST = (
    "the shortest way to a key is SSH: ssh-keygen -t ed25519, then git config --global gpg.format ssh and "
    "git config --global user.signingKey ~/.ssh/id_ed25519.pub"
)


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key with what a policy needs of it. ``certificate``: the armored OpenPGP certificate, None for an SSH key.

    ``signs_as``: the ids that a signature by it may have. ``touched``: it is a security key.
    """

    spec: KeySpec
    signs_as: tuple[str, ...]
    certificate: bytes | None = None
    touched: bool = False


def signing_key(git: Git, now: int) -> FoundKey:
    """Return the key of git's own configuration; ``now``: seconds since 1970. Raises UsageProblem."""
    form = git.setting("gpg.format") or "openpgp"
    try:
        if form == "ssh":
            return from_ssh(_configured_ssh(git))
        return _configured_openpgp(git, now)
    except CannotSign as error:
        raise UsageProblem(f"{error}; {_SHORTEST}") from None
    except KeyNotFound as error:
        raise UsageProblem(f"git has no key to sign with here: {error}") from None


def another_key(git: Git, named: str, now: int) -> FoundKey:
    """Return the key that a user names: a public key file, a key line, ``SHA256:…`` of ssh-agent, or one of gpg's.

    Raises UsageProblem.
    """
    try:
        if named.startswith(("key::", "ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-")):
            return from_ssh(ssh.from_line(named.removeprefix("key::")))
        if named.startswith("SHA256:"):
            return from_ssh(_of_agent(git, named.rstrip("=")))
        path = Path(named).expanduser()
        if path.exists() or "/" in named or named.endswith(".pub"):
            return from_ssh(ssh.from_file(path))
        return _openpgp(git, named, now)
    except KeyNotFound as error:
        raise UsageProblem(f"the key “{shown(named, 80)}”: {error}") from None


def from_ssh(found: ssh.SshKey) -> FoundKey:
    """Return an SSH key."""
    key = found.key
    return FoundKey(
        SshKeySpec(key.fingerprint, key.blob, found.comment), (key.fingerprint,), touched=key.is_security_key
    )


def gpg_program(git: Git) -> str:
    """Return the gpg that git runs."""
    return git.setting("gpg.openpgp.program") or git.setting("gpg.program") or "gpg"


def _openpgp(git: Git, named: str, now: int) -> FoundKey:
    found = openpgp.find_certificate(named, git.environment, now=now, program=gpg_program(git))
    return FoundKey(OpenPgpKeySpec(found.fingerprint, subkeys=True), found.signing, found.armored)


def _configured_ssh(git: Git) -> ssh.SshKey:
    named = git.setting("user.signingKey")
    if named is None:
        if git.setting("gpg.ssh.defaultKeyCommand"):
            raise KeyNotFound(
                "gpg.ssh.defaultKeyCommand chooses one each time; name the one to be listed: "
                f"git config user.signingKey ~/.ssh/id_ed25519.pub{_offered(git)}"
            )
        raise KeyNotFound(f"user.signingKey is not set; {_SHORTEST}{_offered(git)}")
    if named.startswith(("key::", "ssh-")):
        return ssh.from_line(named.removeprefix("key::"))
    return ssh.from_file(Path(git.setting("user.signingKey", kind="path") or named))


def _configured_openpgp(git: Git, now: int) -> FoundKey:
    keys = signing_keys(git)
    if not keys:
        raise KeyNotFound(f"gpg has no secret key for {_whom(git)} that can sign; {_SHORTEST}{_offered(git)}")
    return _openpgp(git, keys[0], now)


def _of_agent(git: Git, fingerprint: str) -> ssh.SshKey:
    for key in ssh.from_agent(git.environment).keys:
        if key.key.fingerprint == fingerprint:
            return key
    raise KeyNotFound("ssh-agent has no such key: see ssh-add -l")


def _offered(git: Git) -> str:
    """Say which key of ssh-agent could be taken, where there is one."""
    try:
        keys = ssh.from_agent(git.environment).keys
    except KeyNotFound:
        return ""
    if not keys:
        return ""
    return f"; ssh-agent has one: git config gpg.format ssh and git config user.signingKey 'key::{keys[0].key.line}'"


def _whom(git: Git) -> str:
    named = git.setting("user.signingKey")
    return f"“{shown(named, 80)}” (user.signingKey)" if named else "the committer (user.signingKey is not set)"
