"""SSH public keys from a file or from ssh-agent, as a policy lists them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import KeyRefused
from gitverify.keysources.errors import KeyNotFound
from gitverify.policies.plain import plain_comment
from gitverify.signatures.sshkeys import SshPublicKey, key_comment, parse_key_line
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_BYTES = 64 << 10
_MOST_SECONDS = 30
_NO_AGENT = 2  # ssh-add's exit status where it reaches no agent; 1 where that has no keys


@dataclass(frozen=True, slots=True)
class SshKey:
    """A key that R9 takes. ``comment`` is what was found beside it: anybody's words, to be shown escaped."""

    key: SshPublicKey
    comment: str = ""

    @property
    def entry(self) -> str:
        """The key as one line that YAML reads as plain text, with what can be kept of the comment."""
        comment = plain_comment(self.comment)
        return f"{self.key.line} {comment}" if comment else self.key.line


@dataclass(frozen=True, slots=True)
class Listed:
    """The keys of a list, and what was left out of it, a sentence each (safe to show)."""

    keys: tuple[SshKey, ...]
    left_out: tuple[str, ...] = ()


def from_line(text: str) -> SshKey:
    """Return the key of one line: type, base64, comment. Raises KeyNotFound."""
    try:
        return SshKey(parse_key_line(text), key_comment(text))
    except KeyRefused as refused:
        raise KeyNotFound(str(refused)) from None


def from_file(path: Path) -> SshKey:
    """Return the one key of a ``.pub`` file; a private key's file stands for the public one beside it.

    Raises KeyNotFound, also for a key that R9 refuses.
    """
    text = _content(path)
    if "PRIVATE KEY-----" in text:
        beside = path.with_name(path.name + ".pub")
        if not beside.is_file():
            raise KeyNotFound(
                f"{shown(str(path))} is a private key without its public one beside it: "
                f"ssh-keygen -y -f {shown(str(path))} > {shown(str(beside))}"
            )
        path, text = beside, _content(beside)
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise KeyNotFound(f"{shown(str(path))} has {len(lines)} lines: a file with one public key is expected")
    try:
        return from_line(lines[0])
    except KeyNotFound as error:
        raise KeyNotFound(f"{shown(str(path))}: {error}") from None


def from_agent(environment: Mapping[str, str]) -> Listed:
    """Return the keys that ssh-agent holds (``ssh-add -L``), those it offers first in front.

    ``environment`` says where the agent is (``SSH_AUTH_SOCK``). Raises KeyNotFound where there is no agent.
    """
    try:
        done = subprocess.run(
            ["ssh-add", "-L"],  # noqa: S607  (the user's own)
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_MOST_SECONDS,
        )
    except OSError as error:
        raise KeyNotFound(f"ssh-add can't be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise KeyNotFound("ssh-agent does not answer") from None
    if done.returncode >= _NO_AGENT:
        raise KeyNotFound("there is no ssh-agent here (SSH_AUTH_SOCK): start one, or name a public key file")
    if done.returncode:
        return Listed(())
    return from_lines(done.stdout.decode("utf-8", "replace"))


def from_lines(text: str) -> Listed:
    """Return the keys of a text, one a line; what R9 refuses is left out."""
    keys: dict[bytes, SshKey] = {}
    left_out = []
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found = from_line(line)
        except KeyNotFound as error:
            name = key_comment(line)
            left_out.append(f"{shown(name, 60)}: {error}" if name else str(error))
        else:
            keys.setdefault(found.key.blob, found)
    return Listed(tuple(keys.values()), tuple(left_out))


def _content(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise KeyNotFound(f"{shown(str(path))} is no file")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise KeyNotFound(f"{shown(str(path))} can't be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise KeyNotFound(f"{shown(str(path))} is too large for a public key")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise KeyNotFound(f"{shown(str(path))} is no text: an SSH public key file (.pub) is expected") from None
