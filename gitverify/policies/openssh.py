"""The OpenSSH dialect: an ``allowed_signers`` file (``ssh-keygen(1)``, ALLOWED SIGNERS; R22b).

A line is ``principals [options] keytype base64-key [comment]``. As in ssh-keygen, a line without a readable key lists
nobody, and so does one whose key is too weak or of a kind that R9 does not take: a real history must stay verifiable.
An option that is unknown or unreadable refuses the file: it may be a restriction. Differences to ssh-keygen are in
``docs/ssh-differences.md``.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import NamedTuple

from gitverify.errors import KeyRefused, PolicyError
from gitverify.limits import LIMITS
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, Person, Policy, SshKeySpec
from gitverify.policies.patterns import list_matches
from gitverify.signatures.sshkeys import SshPublicKey, parse_key_line
from gitverify.text import shown

# What OpenSSH knows as the name of a key type at the place where options might begin.
_KEY_TYPE = re.compile(
    r"(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
    r"|[a-z0-9-]+-cert-v01@openssh\.com"
)
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\"|\\(?!"))*)")?(?:,|$)')
_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?(?:Z|UTC)?", re.ASCII | re.IGNORECASE
)
# Lists of principals with "!" are matched against each other: bounded, so that no file takes long.
_LONGEST_NEGATED = 256
_MOST_TRIED = 4


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that lists nobody, and why."""

    line: int
    reason: str


class _Options(NamedTuple):
    is_authority: bool = False
    namespaces: str | None = None
    valid_after: int | None = None
    valid_before: int | None = None


class _Line(NamedTuple):
    names: str
    options: str
    key: str


class _SkippedError(Exception):
    """The line lists nobody."""


def parse(data: bytes) -> Policy:
    """Return the policy that an ``allowed_signers`` file says: every key may change everything.

    People are named by the principals of their lines; lines with the same principals are one person. Raises
    PolicyError: for unreadable options, and as ``policy-lockout`` where no line lists a key for git.
    """
    return read(data)[0]


def read(data: bytes) -> tuple[Policy, tuple[Skipped, ...]]:
    """Return the policy, and the lines that list nobody. Raises PolicyError as :func:`parse` does."""
    if len(data) > LIMITS.policy_size:
        raise PolicyError(f"the file has {len(data)} bytes, more than {LIMITS.policy_size}")
    if data.count(b"\n") > LIMITS.policy_nodes:
        raise PolicyError(f"the file has more than {LIMITS.policy_nodes} lines")
    keys: dict[str, list[SshKeySpec]] = {}
    lines: dict[str, int] = {}
    skipped = []
    for_git = False
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.decode("utf-8", "backslashreplace").strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        try:
            names, spec = _entry(line, number)
        except _SkippedError as reason:
            skipped.append(Skipped(number, str(reason)))
            continue
        keys.setdefault(names, []).append(spec)
        lines.setdefault(names, number)
        for_git |= spec.for_git
    people = {names: Person(names, tuple(specs), lines[names]) for names, specs in keys.items()}
    if not for_git:
        raise PolicyError("no line of the file lists a key that may sign for git", code="policy-lockout")
    everyone = frozenset(people)
    policy = Policy(Dialect.OPENSSH, people, (Grant((WHOLE_TREE,), everyone),), everyone, tags=everyone)
    return policy, tuple(skipped)


def _entry(line: str, number: int) -> tuple[str, SshKeySpec]:
    """Return the principals and the key of a line."""
    names, written, key_text = _split(line)
    key, comment = _key(key_text)
    options = _options(written, number)
    if options.is_authority:
        raise _SkippedError("cert-authority: certificates are not supported")
    if not _names_somebody(names):
        raise _SkippedError("its list of principals matches nobody")
    return names, SshKeySpec(
        key.fingerprint,
        key.blob,
        comment,
        options.valid_after,
        options.valid_before,
        options.namespaces is None or list_matches("git", options.namespaces),
    )


def _split(line: str) -> _Line:
    """Split a line as ssh-keygen does: principals may be quoted, options have no space outside quotes."""
    if "\0" in line:
        raise _SkippedError("it contains a NUL")
    found = re.search(r'[ \t\r"]', line)
    if found is None:
        raise _SkippedError("there is no key")
    names, rest = line[: found.start()], line[found.end() :]
    if found[0] == '"':
        quoted, quote, rest = rest.partition('"')
        if not quote:
            raise _SkippedError("a quote has no end")
        names += quoted
    rest = rest.lstrip(" \t\r")
    if not names:
        raise _SkippedError("it names nobody")
    first = re.split(r"[ \t]", rest, maxsplit=1)[0]
    if _KEY_TYPE.fullmatch(first):
        return _Line(names, "", rest)
    end = _end_of_options(rest)
    return _Line(names, rest[:end], rest[end:])


def _end_of_options(text: str) -> int:
    """Return where the first white space outside quotes is."""
    quoted = False
    skip = False
    for at, character in enumerate(text):
        if skip:
            skip = False
        elif character == "\\" and text.startswith('"', at + 1):
            skip = True
        elif character == '"':
            quoted = not quoted
        elif character in " \t" and not quoted:
            return at
    return len(text)


def _key(text: str) -> tuple[SshPublicKey, str]:
    parts = re.split(r"[ \t]+", text.strip(" \t"), maxsplit=2)
    if len(parts) < 2:
        raise _SkippedError("there is no key")
    try:
        return parse_key_line(f"{parts[0]} {parts[1]}"), parts[2] if len(parts) > 2 else ""
    except KeyRefused as refused:
        raise _SkippedError(str(refused)) from None


def _options(text: str, number: int) -> _Options:
    """Read ``name``, ``name="value"``, separated by commas; names in any case."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _OPTION.match(text, position)
        if match is None or (match[0].endswith(",") and match.end() == len(text)):
            raise PolicyError(f"the options “{shown(text, 80)}” can't be read", line=number, column=1)
        name = match[1].lower()
        if name not in {"cert-authority", "namespaces", "valid-after", "valid-before"}:
            raise PolicyError(f"unknown option “{shown(match[1], 40)}”", line=number, column=1)
        if name in found or (match[2] is None) != (name == "cert-authority"):
            raise PolicyError(f"the option {name} stands twice, or has no value in quotes", line=number, column=1)
        found[name] = (match[2] or "").replace('\\"', '"')
        position = match.end()
    after, before = (_time(found.get(name), number) for name in ("valid-after", "valid-before"))
    if after is not None and before is not None and before <= after:
        raise PolicyError("valid-before is not after valid-after", line=number, column=1)
    return _Options("cert-authority" in found, found.get("namespaces"), after, before)


def _time(text: str | None, number: int) -> int | None:
    """Return ``YYYYMMDD[HHMM[SS]][Z]`` as seconds since 1970, UTC with and without the Z.

    As in ssh-keygen, a day that its month does not have is the one that follows (20230230 is 2 March).
    """
    if text is None:
        return None
    match = _TIME.fullmatch(text)
    if match is not None:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        if year >= 1970 and 1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 60:
            seconds = calendar.timegm((year, month, day, hour, minute, second))
            if seconds:  # 0 means "no limit" to ssh-keygen, which refuses it
                return seconds
    raise PolicyError(f"“{shown(text, 40)}” is no time: YYYYMMDD[HHMM[SS]]Z", line=number, column=1)


def _names_somebody(names: str) -> bool:
    """Whether one of the names, given as principal, matches the list: that is what git asks ssh-keygen."""
    if "!" not in names:
        return bool(names.strip(","))
    tried = [name for name in names.split(",") if name and not name.startswith("!")][:_MOST_TRIED]
    return len(names) <= _LONGEST_NEGATED and any(list_matches(name, names) for name in tried)
