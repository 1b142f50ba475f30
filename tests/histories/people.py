"""Policies for the histories: who is listed with which keys, and who may do what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import reference
from reference import Entry, Listing, RefPerson, RefPolicy

if TYPE_CHECKING:
    from histories.dice import Dice

KEYS = {
    "native": ("ssh0", "ssh1", "ssh2", "pgp0", "ssh3", "ssh4"),
    "guix": ("pgp0", "pgp1", "pgp2", "pgp3", "pgp4", "pgp5"),
    "openssh": ("ssh0", "ssh1", "ssh2", "ssh3", "ssh4", "ssh5"),
}
STRANGERS = {"native": "ssh9", "guix": "pgp9", "openssh": "ssh9"}  # never listed
GHOST = "ghost0"  # may be listed, its material is nowhere
PEOPLE = 4
START = 1_700_000_000
STEP = 36_000
GRANTS = (b"dir/", b"dir/sub/", b"dir/x", b"a", b"free/", b"dir")
UNPROTECTED = (b"free/", b"dir/sub/", b"free/sub/", b"a", b"dir", b"dir.yaml", b".gitverify.yaml.d")


def tidy(dialect: str, policy: RefPolicy) -> RefPolicy:
    """Drop what the dialect can't write, so that two policies differ only where their files do."""
    if dialect != "native":
        people = [RefPerson(person.name, person.listings) for person in policy.people]
        return RefPolicy(tuple(people), note=policy.note)
    if policy.default_editors:
        return replace(policy, people=tuple(replace(person, editor=person.granted) for person in policy.people))
    return policy


def is_full(person: RefPerson) -> bool:
    """Whether the person may do everything and can sign."""
    return person.granted and person.editor and any(listing.key != GHOST for listing in person.listings)


def usable(dialect: str, policy: RefPolicy) -> bool:
    """Whether there is no problem with it, and someone who can sign may do everything."""
    sound = reference.r14_file_problem(dialect, Entry(policy)) is None
    return sound and any(is_full(person) for person in policy.people)


def signing_key(person: RefPerson) -> str | None:
    """The first key that the person can sign with."""
    return next((listing.key for listing in person.listings if listing.key != GHOST), None)


def draw_listing(dice: Dice, dialect: str, key: str) -> Listing:
    """A key; in the OpenSSH dialect sometimes with a window, or for something else."""
    if dialect != "openssh" or not dice.one_in(4):
        return Listing(key)
    after = dice.pick([None, *range(-1, 6)])
    before = dice.pick([None, *range(-1 if after is None else after + 1, 9)])
    after, before = (None if step is None else START + step * STEP for step in (after, before))
    return Listing(key, after, before, for_git=not dice.one_in(5))


def draw_person(dice: Dice, dialect: str, index: int, *, paths: bool) -> RefPerson:
    """Somebody; ``paths``: often granted a few paths and not the whole tree."""
    keys = [KEYS[dialect][index]]
    if dice.one_in(6):
        keys.append(KEYS[dialect][PEOPLE + index % 2])
    if dialect == "native" and dice.one_in(20):
        keys = []
    listings = tuple(draw_listing(dice, dialect, key) for key in keys)
    granted, editor = dice.pick([(True, False), (False, True), (True, True), (False, False)])
    limits = tuple(sorted(dice.some(GRANTS, 2))) if paths and not granted else ()
    return RefPerson(f"p{index}", listings, granted, editor, limits)


def draw_policy(dice: Dice, dialect: str, *, paths: bool = False) -> RefPolicy:
    """A usable policy; ``paths``: with all that makes the native dialect's merges and paths interesting."""
    full = RefPerson("p0", (Listing(KEYS[dialect][0]),))
    listed = [index for index in range(1, PEOPLE) if dice.pick([index == 1, False, True])]
    people = [full, *(draw_person(dice, dialect, index, paths=paths) for index in listed)]
    policy = RefPolicy(tuple(people), default_editors=dice.one_in(4))
    if paths:
        policy = replace(
            policy,
            unprotected=tuple(sorted(dice.some(UNPROTECTED, 2))),
            unsigned_merges=not dice.one_in(4),
            adopting_merges=not dice.one_in(3),
        )
    policy = tidy(dialect, policy)
    return policy if usable(dialect, policy) else RefPolicy((full,))


def _with_person(policy: RefPolicy, person: RefPerson) -> RefPolicy:
    others = [other for other in policy.people if other.name != person.name]
    return replace(policy, people=tuple(sorted([*others, person], key=lambda p: p.name)))


def _ghost_listed(dice: Dice, policy: RefPolicy) -> RefPolicy:
    person = dice.pick(policy.people)
    return _with_person(policy, replace(person, listings=(*person.listings, Listing(GHOST))))


def _removed(dice: Dice, policy: RefPolicy) -> RefPolicy:
    gone = dice.pick(policy.people[::-1] or (None,))
    return replace(policy, people=tuple(person for person in policy.people if person != gone))


def _switched(dice: Dice, policy: RefPolicy) -> RefPolicy:
    switch = dice.pick(["unsigned_merges", "adopting_merges", "unprotected"])
    if switch == "unprotected":
        return replace(policy, unprotected=tuple(sorted(dice.some(UNPROTECTED, 2))))
    return replace(policy, **{switch: not getattr(policy, switch)})


COMMON = ("person", "remove", "remove", "editors", "ghost", "note")


def draw_changed_policy(dice: Dice, dialect: str, policy: RefPolicy, *, paths: bool = False) -> RefPolicy:
    """Another policy: people come, go, change keys and grants; switches; or just a comment."""
    what = dice.pick([*COMMON, "switch", "switch"] if paths else COMMON)
    changed = policy
    if what == "person":
        changed = _with_person(policy, draw_person(dice, dialect, dice.number(PEOPLE), paths=paths))
    elif what == "remove":
        changed = _removed(dice, policy)
    elif what == "editors":
        changed = replace(policy, default_editors=not policy.default_editors)
    elif what == "ghost" and dialect != "openssh":
        changed = _ghost_listed(dice, policy)
    elif what == "switch":
        changed = _switched(dice, policy)
    changed = tidy(dialect, changed)
    if changed == policy or not usable(dialect, changed):
        return replace(policy, note=policy.note + 1)
    return changed
