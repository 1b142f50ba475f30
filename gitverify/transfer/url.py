"""What may be fetched from, and which branch: no URL runs a program, is an option, or holds a password. Pure.

Source: git's transport.c and connect.c (which URLs there are), git-check-ref-format(1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitverify.errors import GitverifyError
from gitverify.text import shown

SCHEMES = ("https", "ssh", "git", "http", "file")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)")
_SCP = re.compile(r"(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*@)?[A-Za-z0-9_.\[][A-Za-z0-9_.:\[\]-]*:(?![:/]/).+")
_FORBIDDEN_IN_NAMES = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$")
_MOST = 2000  # characters


class BadSource(GitverifyError):
    """A URL that is not fetched from, or a name that no branch has."""


@dataclass(frozen=True, slots=True)
class Source:
    """A URL as git takes it, and the one protocol that git may speak for it."""

    url: str
    protocol: str


def parse_url(text: str) -> Source:
    """Read a URL: ``https://…``, ``ssh://…``, ``user@host:path``, ``git://…``, ``http://…``, ``file:///…``.

    Raises BadSource with what to write instead.
    """
    quoted = f"“{shown(text)}”"
    if not text or len(text) > _MOST or re.search(r"[\x00-\x20\x7f]", text):
        raise BadSource(f"{quoted} is no URL: it is empty or very long, or has spaces or control characters in it")
    if "::" in text.partition("/")[0]:
        raise BadSource(
            f"{quoted} would have git run a program (a remote helper): give the URL without what is before ::"
        )
    found = _SCHEME.fullmatch(text)
    if found is None:
        if _SCP.fullmatch(text):
            return Source(text, "ssh")
        raise BadSource(f"{quoted} is no URL: write https://…, ssh://…, or file:///… for a directory here")
    protocol, rest = found[1].lower(), found[2]
    if protocol not in SCHEMES or protocol != found[1]:
        raise BadSource(f"{quoted}: of protocols there are {', '.join(SCHEMES)}, in small letters")
    authority, _, path = rest.partition("/")
    if protocol == "file":
        if authority:
            raise BadSource(f"{quoted} names a directory of another machine: write file:/// and an absolute path")
        return Source(text, protocol)
    user, _, host = authority.rpartition("@")
    if ":" in user:
        raise BadSource("the URL has a password in it, which would be stored: leave it to a credential helper of git's")
    if not host or host.startswith("-") or user.startswith("-") or path.startswith("-"):
        raise BadSource(f"{quoted} could be taken for an option: no part of a URL begins with “-”")
    return Source(text, protocol)


def parse_branch(text: str) -> str:
    """Read a branch's name; ``refs/heads/`` may stand before it. Raises BadSource."""
    name = text.removeprefix("refs/heads/")
    wrong = not name or name[0] in "-/." or name in {"@", "HEAD"} or name.startswith("refs/")
    if wrong or len(name) > _MOST or _FORBIDDEN_IN_NAMES.search(name):
        raise BadSource(f"“{shown(text)}” is no name of a branch")
    return name
