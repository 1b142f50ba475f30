"""OpenSSH's ``allowed_signers`` (``ssh-keygen(1)``): a line's principals are a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitverify.policies.model import SshKeySpec
from gitverify.policies.openssh import read as read_openssh
from gitverify.setup.imports.model import Entry, Findings
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.model import Person


def read(data: bytes, now: int) -> Findings:
    """Return the keys that sign for git now (seconds since 1970); our policies have no dates. Raises PolicyError."""
    policy, skipped = read_openssh(data)
    found = Findings()
    for line in skipped:
        found.leave_out(f"line {line.line}", line.reason)
    for person in policy.people.values():
        for key in (key for key in person.keys if isinstance(key, SshKeySpec)):  # all are, in this dialect
            _take(found, person, key, now)
    return found


def _take(found: Findings, person: Person, key: SshKeySpec, now: int) -> None:
    what = f"{key.key} of “{shown(person.name, 80)}”"
    if not key.for_git:
        found.leave_out(what, "its namespaces= leave out git")
    elif key.valid_before is not None and key.valid_before <= now:
        found.leave_out(what, f"valid-before {_day(key.valid_before)} has passed")
    elif key.valid_after is not None and key.valid_after > now:
        found.leave_out(what, f"valid-after {_day(key.valid_after)} has not come")
    else:
        if key.valid_before is not None:
            found.notes.append(f"{what} was valid before {_day(key.valid_before)} only: take it out of the policy then")
        found.entries.append(Entry(person.name, key))


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
