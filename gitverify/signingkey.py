"""With which key git will sign, found out beforehand: from git's settings, key files and gpg's list of secret keys.

Only a forecast: the commit is verified after it was signed, whatever was told here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, KeyRefused
from gitverify.git import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.git import Git

_FINGERPRINT = re.compile("(?:[0-9A-F]{40}|[0-9A-F]{64})")
_MOST_KEY_FILE = 64 << 10
# The fields of gpg's lines that are used (GnuPG's DETAILS): kind of record, validity, capabilities; of an fpr record,
# the fingerprint.
_KIND, _VALIDITY, _FPR, _CAPABILITIES = 0, 1, 9, 11
_INVALID = frozenset("idre")


class CannotSign(GitverifyError):
    """Git is set to make signatures that are not read here."""


def signing_keys(git: Git) -> tuple[str, ...]:
    """Return the ids of the keys that git may sign with as it is set up; () where that can't be told beforehand.

    Raises CannotSign, and GitError where git's settings can't be read.
    """
    form = git.setting("gpg.format") or "openpgp"
    if form == "ssh":
        return tuple(_ssh_keys(git))
    if form == "openpgp":
        return tuple(_openpgp_keys(git))
    raise CannotSign(f"git is set to sign in the format “{form}” (gpg.format), which is not read here: set it to ssh")


def _ssh_keys(git: Git) -> Iterator[str]:
    """Yield the key that ``user.signingKey`` holds, or is the file of, as git-config(1) describes it."""
    named = git.setting("user.signingKey")
    if named is None:
        return  # gpg.ssh.defaultKeyCommand may have one
    if named.startswith(("key::", "ssh-")):
        text = named.removeprefix("key::")
    else:
        try:
            text = _public_key(Path(git.setting("user.signingKey", kind="path") or named))
        except (OSError, UnicodeDecodeError):
            return
    from gitverify.signatures.sshkeys import fingerprint, parse_key_line  # noqa: PLC0415  (slow to load)

    try:
        yield fingerprint(parse_key_line(text.strip()).blob)
    except KeyRefused:
        return


def _public_key(path: Path) -> str:
    """Return the public key's line, from its own file or from the one beside the private key's."""
    text = _content(path)
    return _content(path.with_name(path.name + ".pub")) if "PRIVATE KEY-----" in text else text


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_KEY_FILE).decode()


def _openpgp_keys(git: Git) -> Iterator[str]:
    """Yield the keys that gpg would choose from, those that it prefers first."""
    named = git.setting("user.signingKey") or _committer(git)
    alone = named.endswith("!")
    wanted = named.rstrip("!").removeprefix("0x").replace(" ", "").upper()
    program = git.setting("gpg.openpgp.program") or git.setting("gpg.program") or "gpg"
    command = [program, "--batch", "--with-colons", "--list-secret-keys", "--", named]
    try:
        done = subprocess.run(command, env=git.environment, capture_output=True, check=False)  # noqa: S603
        lines = done.stdout.decode("utf-8", "replace").split("\n")  # a user ID may hold other ends of lines
    except OSError:
        lines = []
    found = list(_usable(lines))
    if alone:
        found = [key for key in found if key.endswith(wanted)]
    if not found and _FINGERPRINT.fullmatch(wanted):
        found = [wanted]
    yield from found


def _committer(git: Git) -> str:
    """Return the committer as gpg is asked for by default."""
    try:
        identity = git.line("var", "GIT_COMMITTER_IDENT") or ""
    except GitError:
        return ""
    return identity.rpartition(">")[0] + ">"


def _usable(lines: list[str]) -> Iterator[str]:
    """Yield the fingerprints in gpg's list that may sign, the subkeys before their primary key, newest first."""
    primary: list[str] = []
    subkeys: list[str] = []
    here: list[str] | None = None
    for fields in (line.split(":") for line in lines):
        if fields[_KIND] in {"sec", "ssb"} and len(fields) > _CAPABILITIES:
            signs = "s" in fields[_CAPABILITIES] and fields[_VALIDITY][:1] not in _INVALID
            here = None if not signs else subkeys if fields[_KIND] == "ssb" else primary
        elif fields[_KIND] == "fpr" and len(fields) > _FPR and here is not None:
            here.append(fields[_FPR])
            here = None
    yield from reversed(subkeys)
    yield from primary
