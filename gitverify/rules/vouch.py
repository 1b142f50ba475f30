"""Who vouches for a commit under one policy (R8, R9, R11, R12).

The answer is a set of people: a later rule may ask for more than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gitverify.errors import GitverifyError
from gitverify.policies.model import Dialect, OpenPgpKeySpec, SshKeySpec
from gitverify.rules.facts import Voucher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitverify.policies.model import KeySpec, Person, Policy
    from gitverify.rules.facts import CommitFacts, Examined, Unproven


class KeyMaterial(Protocol):
    """What the certificates that judge a commit say about a key (R12)."""

    def primaries(self, key: str) -> Iterable[str]:
        """Return the primary keys that this signing subkey is bound to, in both directions (R11)."""
        ...

    def known(self, key: str) -> bool:
        """Whether there is a certificate with this key."""
        ...

    def revoked(self, key: str) -> bool:
        """Whether a certificate with this key carries a hard revocation of it."""
        ...

    def expired(self, key: str, at: int) -> bool:
        """Whether the key had expired at this time (seconds since 1970)."""
        ...


class NotVouchedFor(GitverifyError):
    """Nobody that the policy lists vouches for the commit; ``code`` is the reason code, ``rule`` its source."""

    def __init__(self, code: str, message: str, *, rule: str = "R8", key: str | None = None) -> None:
        """Remember the code, the rule and the key concerned."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.rule = rule
        self.key = key


def vouchers(commit: CommitFacts, examined: Examined, policy: Policy, material: KeyMaterial) -> tuple[Voucher, ...]:
    """Return the people of ``policy`` whose key signed the commit; at least one.

    ``examined`` holds the signature's result under ``material`` (R12). Raises NotVouchedFor with the most telling
    code. What is proven: the key signed these bytes, the policy lists it, and nothing in the judging material
    or the policy takes its authority away at this commit.
    """
    if examined.unproven is not None:
        raise _not_proven(examined.unproven, policy, material)
    key = examined.key
    entries = listed(key, policy, material)
    if not entries:
        raise NotVouchedFor("unauthorized-key", f"key {key} made the signature; the policy does not list it", key=key)
    if policy.dialect is Dialect.GUIX:  # which asks for nothing more (R12)
        return tuple([Voucher(person.name, spec.key, key) for person, spec in entries])
    if not key.startswith("SHA256:"):
        _check_certificates(examined, policy, material)
    good = []
    problem = None
    for person, spec in entries:
        try:
            _check_entry(commit, examined, policy, spec)
        except NotVouchedFor as error:
            problem = problem or error
        else:
            good.append(Voucher(person.name, spec.key, key))
    if not good and problem is not None:
        raise problem
    return tuple(good)


def listed(key: str, policy: Policy, material: KeyMaterial) -> tuple[tuple[Person, KeySpec], ...]:
    """Return the policy's entries that match the key that made a signature (R11)."""
    entries = policy.by_key.get(key, ())
    if policy.dialect is not Dialect.NATIVE or key.startswith("SHA256:"):
        return entries
    through_primary = tuple(
        (person, spec)
        for primary in material.primaries(key)
        for person, spec in policy.by_key.get(primary, ())
        if isinstance(spec, OpenPgpKeySpec) and spec.subkeys
    )
    return entries + through_primary if through_primary else entries


def counts_at(key: str, date: int, policy: Policy, material: KeyMaterial) -> bool:
    """Whether the policy lists a key for commits of a date (seconds since 1970; R22b, R26)."""
    return any(_in_force(spec, date) for _, spec in listed(key, policy, material))


def _in_force(spec: KeySpec, date: int) -> bool:
    if not isinstance(spec, SshKeySpec):
        return True
    after, before = spec.valid_after, spec.valid_before
    return spec.for_git and (after is None or after <= date) and (before is None or date <= before)


def _not_proven(unproven: Unproven, policy: Policy, material: KeyMaterial) -> NotVouchedFor:
    """R8: a failing signature is bad only where it names a listed key; all else counts as unsigned."""
    key = unproven.keys[0] if unproven.keys else None
    if unproven.code != "bad-signature":
        return NotVouchedFor(unproven.code, unproven.message, key=key)
    for named in unproven.keys:
        if listed(named, policy, material):
            return NotVouchedFor("bad-signature", unproven.message, key=named)
    return NotVouchedFor(
        "unauthorized-key",
        f"the signature names key {key}, which the policy does not list, and does not verify: {unproven.message}",
        key=key,
    )


def _check_certificates(examined: Examined, policy: Policy, material: KeyMaterial) -> None:
    """R12: material, revocation and expiry, as the tree that judges has them."""
    key = examined.key
    if not material.known(key):
        raise NotVouchedFor(
            "unknown-key", f"there is no certificate for key {key} where this commit is judged", key=key
        )
    if material.revoked(key):
        raise NotVouchedFor("revoked-key", f"key {key} is revoked as compromised", rule="R12", key=key)
    if policy.refuse_expired_keys and material.expired(key, examined.made_at):
        raise NotVouchedFor("expired-key", f"key {key} had expired when it signed", rule="R12", key=key)


def _check_entry(commit: CommitFacts, examined: Examined, policy: Policy, spec: KeySpec) -> None:
    """Check what one entry of the policy asks of the signature beyond the key."""
    if not isinstance(spec, SshKeySpec):
        return
    key = examined.key
    if not spec.for_git:
        raise NotVouchedFor("unauthorized-key", f"key {key} is listed, but not for git", rule="R22b", key=key)
    if spec.valid_before is not None and commit.date > spec.valid_before:
        raise NotVouchedFor(
            "expired-key", f"key {key} is listed for commits before this one's date", rule="R22b", key=key
        )
    if spec.valid_after is not None and commit.date < spec.valid_after:
        raise NotVouchedFor("unauthorized-key", f"key {key} is listed for later commits only", rule="R22b", key=key)
    if policy.require_user_verification and examined.user_verified is False:
        message = f"security key {key} signed without checking a PIN or finger, which the policy asks for"
        raise NotVouchedFor("bad-signature", message, rule="R9", key=key)
