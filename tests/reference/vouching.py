"""Signatures under one policy: who vouches, and why nobody does (R8, R22b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference.model import Listing, RefCommit, RefPerson, RefPolicy


def r22b_in_force(listing: Listing, date: int) -> bool:
    """R22b: the entry is for git and its window (both ends included) holds the committer date."""
    return (
        listing.for_git
        and (listing.after is None or listing.after <= date)
        and (listing.before is None or date <= listing.before)
    )


def vouchers(policy: RefPolicy, commit: RefCommit) -> list[RefPerson]:
    """The people whose listed key made the commit's good signature; looked up by key, never by name."""
    if commit.signature.kind != "good":
        return []
    return [
        person
        for person in policy.people
        if any(entry.key == commit.signature.key and r22b_in_force(entry, commit.date) for entry in person.listings)
    ]


def r8_is_bad(policy: RefPolicy, commit: RefCommit) -> bool:
    """R8: the signature names a key that this policy lists, and fails. *Reading*: in force or not."""
    listed = {entry.key for person in policy.people for entry in person.listings}
    return commit.signature.kind == "bad" and commit.signature.key in listed


def r8_why_nobody(policy: RefPolicy, commit: RefCommit) -> str:
    """R8: what there is instead of a voucher. R22b: a key whose entry for git has lapsed is told from others."""
    kind, key = commit.signature.kind, commit.signature.key
    if r8_is_bad(policy, commit):
        return "bad-signature"
    if kind in ("good", "bad"):
        entries = [entry for person in policy.people for entry in person.listings if entry.key == key]
        lapsed = [e for e in entries if e.for_git and e.before is not None and commit.date > e.before]
        return "expired-key" if kind == "good" and entries and entries[0] in lapsed else "unauthorized-key"
    return {
        "absent": "unsigned",
        "weak": "weak-signature",
        "unsupported": "unsupported-signature",
        "unknown-key": "unknown-key",
    }[kind]
