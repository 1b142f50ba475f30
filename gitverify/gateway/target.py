"""What a request asks for: the target and the Host header of an HTTP request, read strictly. Pure.

::

    /                                    what there is
    /REPOSITORY/BRANCH                   what the branch is at
    /REPOSITORY/BRANCH.tar.gz            the newest verified commit's files
    /REPOSITORY/BRANCH/nixexprs.tar.xz   the same, as a channel
    /REPOSITORY/.rev/COMMIT.tar.gz       the files of one commit (or .tar.xz)

No component of a branch's name begins with a dot (git-check-ref-format(1)), so no branch can be taken for ``.rev``. A
branch's name ends where the one suffix begins: that of ``x.tar.gz`` is at ``/REPOSITORY/x.tar.gz.tar.gz``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from gitverify.errors import GitverifyError
from gitverify.text import shown
from gitverify.transfer.url import BadSource, parse_branch

if TYPE_CHECKING:
    from collections.abc import Collection

Form = Literal["tar.gz", "tar.xz"]

_LONGEST = 2048  # characters
_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_SAFE = re.compile(r"(?:[A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")
_REVISION = re.compile(r"\.rev/([0-9a-f]{40})\.(tar\.gz|tar\.xz)")
_ARCHIVE, _CHANNEL = ".tar.gz", "/nixexprs.tar.xz"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")
_PLAIN = "/@!$&'()*+,;=:"  # may stand in a path beside letters, digits and -._~ (RFC 3986, section 3.3)


class Refused(GitverifyError):
    """Nothing is served; the message is shown to whoever asked. ``why``: a word for it, see docs/serve.md."""

    def __init__(self, why: str, message: str) -> None:
        """Remember the word."""
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: of a repository a branch or a commit (raw id), as an archive of a form.

    Without ``repository`` everything is asked about; with neither ``branch`` nor ``commit`` the repository; without
    ``form`` what the branch is at.
    """

    repository: str | None = None
    branch: str | None = None
    commit: bytes | None = None
    form: Form | None = None


def is_repository_name(name: str) -> bool:
    """Return whether a mirror can be served under a name."""
    return _REPOSITORY.fullmatch(name) is not None and not name.endswith(".")


def parse_target(raw: bytes) -> Target:
    """Read a request's path, as it came. Raises Refused."""
    path = _decoded(raw)
    if path == "/":
        return Target()
    repository, _, rest = path.removeprefix("/").partition("/")
    if not is_repository_name(repository):
        raise Refused("bad-request", f"“{shown(repository, 80)}” can't be the name of a repository")
    if not rest:
        return Target(repository)
    found = _REVISION.fullmatch(rest)
    if found is not None:
        form: Form = "tar.gz" if found[2] == "tar.gz" else "tar.xz"
        return Target(repository, commit=bytes.fromhex(found[1]), form=form)
    if rest.startswith(".rev/"):
        raise Refused(
            "bad-request", "write /REPOSITORY/.rev/COMMIT.tar.gz, with the commit's whole id in small letters"
        )
    if rest.endswith(_CHANNEL):
        return Target(repository, _branch(rest.removesuffix(_CHANNEL)), form="tar.xz")
    if rest.endswith(_ARCHIVE):
        return Target(repository, _branch(rest.removesuffix(_ARCHIVE)), form="tar.gz")
    return Target(repository, _branch(rest.removesuffix("/")))


def path_of(repository: str, commit: bytes, form: Form) -> str:
    """Return the path that a commit's archive always has."""
    return f"/{quote(repository, safe=_PLAIN)}/.rev/{commit.hex()}.{form}"


def branch_path(repository: str, branch: str) -> str:
    """Return the path of a branch, without a suffix."""
    return f"/{quote(repository, safe=_PLAIN)}/{quote(branch, safe=_PLAIN)}"


def parse_host(value: bytes) -> tuple[str, int | None]:
    """Read a Host header: a name in small letters, or an address, and a port. Raises Refused."""
    found = _HOST.fullmatch(value.decode("latin-1"))
    if found is None:
        raise Refused("bad-host", f"the Host header “{shown(value, 80)}” is no host's name")
    port = int(found[2]) if found[2] else None
    return found[1].lower(), port


def require_host(value: bytes | None, allowed: Collection[str]) -> str | None:
    """Return host and port as they may stand in a URL; None where a request names no host. Raises Refused.

    Whoever can have a name lead here could otherwise have somebody's browser read from here (DNS rebinding).
    """
    if value is None:
        return None
    name, port = parse_host(value)
    if name not in allowed:
        raise Refused("bad-host", f"this is not served as “{shown(name, 80)}”: ask for {', '.join(sorted(allowed))}")
    return name if port is None else f"{name}:{port}"


def _branch(text: str) -> str:
    try:
        name = parse_branch(text)
    except BadSource as error:
        raise Refused("bad-request", str(error)) from None
    if name != text:
        raise Refused("bad-request", f"write the branch without refs/heads/: {shown(name)}")
    return name


def _decoded(raw: bytes) -> str:
    """Undo percent signs, once, where that leaves no doubt about what is a separator."""
    text = raw.decode("latin-1")
    if len(text) > _LONGEST:
        raise Refused("bad-request", f"the path has more than {_LONGEST:,} characters")
    if not text.startswith("/") or not _SAFE.fullmatch(text):
        raise Refused("bad-request", f"“{shown(raw, 80)}” is no path: percent signs stand for what is no letter")
    decoded = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    escaped = {found[1].lower() for found in _ESCAPED.finditer(text)}
    if "2f" in escaped or any(ord(character) < 0x20 or character == "\x7f" for character in decoded):
        raise Refused("bad-request", f"“{shown(raw, 80)}” has an escaped slash or control character in it")
    if any(part in {".", "..", ""} for part in decoded.split("/")[1:-1]) or decoded.endswith(("/.", "/..")):
        raise Refused("bad-request", f"“{shown(raw, 80)}” leads up, or nowhere: write the path without ., .. and //")
    try:
        return decoded.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("bad-request", f"“{shown(raw, 80)}” is no UTF-8") from None
