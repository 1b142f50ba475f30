"""``.guix-authorizations``: fingerprints, each of the very key that signs (R22)."""

from __future__ import annotations

from gitverify.policies.guix import parse
from gitverify.setup.imports.model import Entry, Findings


def read(data: bytes) -> Findings:
    """Return the fingerprints with their names. Raises PolicyError where Guix would not read the file."""
    policy = parse(data)
    return Findings([Entry(person.name, key) for person in policy.people.values() for key in person.keys])
