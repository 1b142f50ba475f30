"""Who is to be listed: the signer, the signer's other keys, and the people of an imported list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.keysources.openpgp import flaw
from gitverify.policies.model import OpenPgpKeySpec
from gitverify.policies.native import is_name
from gitverify.policies.plain import plain_name, plain_names
from gitverify.session import UsageProblem
from gitverify.setup.draft import DraftPerson
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitverify.git import Git
    from gitverify.policies.model import KeySpec
    from gitverify.setup.certificates import Kept
    from gitverify.setup.imports.model import Imported
    from gitverify.setup.signer import FoundKey

_MOST_SHOWN = 20


@dataclass(slots=True)
class Cast:
    """The people in the order of the file, the certificates by fingerprint, the signer's name, notes (safe to show)."""

    people: list[DraftPerson]
    signer: str
    certificates: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def signer_name(git: Git, wanted: str | None) -> str:
    """Return the name to list the signer under: what was asked for, else what git calls the committer, made plain.

    Raises UsageProblem.
    """
    if wanted is not None:
        if not is_name(wanted):
            raise UsageProblem(f"--person: “{shown(wanted, 80)}” is no name here: 1 to 64 of A-Z a-z 0-9 . _ -")
        return wanted
    try:
        identity = git.line("var", "GIT_COMMITTER_IDENT") or ""
    except GitError as error:
        raise UsageProblem(
            "git does not know who you are: git config --global user.name NAME and user.email ADDRESS "
            f"({error.output[-1] if error.output else error})"
        ) from None
    written = re.sub(r" <[^<>]*> [0-9]+ [+-][0-9]+$", "", identity)
    name = plain_name(written)
    if not name:
        raise UsageProblem(
            f"“{shown(written, 80)}” (user.name) has no letters that a name in the policy may have: choose one with "
            "--person NAME"
        )
    return name


def alone(name: str, keys: Sequence[FoundKey]) -> Cast:
    """List one person with these keys. Raises UsageProblem where one is given twice."""
    cast = Cast([DraftPerson(name, ())], name)
    for key in keys:
        _add(cast, key)
    return cast


def with_imported(
    name: str | None,
    default: str,
    keys: Sequence[FoundKey],
    imported: Imported,
    kept: Mapping[str, Kept] | None,
    now: int,
) -> Cast:
    """List the imported people, with the signer among them.

    ``name``: what the signer is to be called, None where nothing was asked: the imported name then, where the list has
    the signer's key, else ``default``. ``keys``: the signing key first. ``kept``: certificates for OpenPGP keys, by
    fingerprint; None where no keyring was named. Raises UsageProblem.
    """
    cast = Cast([], "", notes=list(imported.notes))
    people = _with_certificates(cast, imported.people, kept, now)
    mine = next((label for label, specs in people.items() if any(_same(keys[0], spec) for spec in specs)), None)
    names = plain_names([label for label in people if name is None or label != mine], [name] if name else [])
    if mine is not None and name is not None:
        names[mine] = name
    cast.people = [DraftPerson(names[label], specs, label) for label, specs in people.items()]
    if mine is not None:
        cast.signer = names[mine]
        more = [key for key in keys[1:] if not any(_same(key, spec) for spec in people[mine])]
    else:
        cast.signer = name or next(iter(plain_names([default], names.values()).values()))
        cast.people.insert(0, DraftPerson(cast.signer, ()))
        cast.notes.append(f"the list does not have your key: you are added to it as {cast.signer}")
        more = list(keys)
    for key in more:
        _add(cast, key)
    return cast


def _same(key: FoundKey, spec: KeySpec) -> bool:
    """Whether an entry stands for this key: the list may name the very subkey that signs."""
    return spec.key == key.spec.key or spec.key in key.signs_as


def _add(cast: Cast, key: FoundKey) -> None:
    """Add a key to the signer's."""
    for person in cast.people:
        if any(spec.key == key.spec.key for spec in person.keys):
            raise UsageProblem(f"{person.name} has the key {key.spec.key} already: a second key must be another one")
    cast.people = [
        DraftPerson(each.name, (*each.keys, key.spec), each.label) if each.name == cast.signer else each
        for each in cast.people
    ]
    if key.certificate is not None:
        cast.certificates[key.spec.key] = key.certificate


def _with_certificates(
    cast: Cast, people: Mapping[str, tuple[KeySpec, ...]], kept: Mapping[str, Kept] | None, now: int
) -> dict[str, tuple[KeySpec, ...]]:
    """Return the people with the keys that can sign; their certificates go to the cast."""
    found: dict[str, tuple[KeySpec, ...]] = {}
    missing = []
    for label, specs in people.items():
        good = []
        for spec in specs:
            if isinstance(spec, OpenPgpKeySpec):
                its = (kept or {}).get(spec.key)
                if its is None:
                    missing.append(f"{spec.key} ({shown(label, 60)})")
                    continue
                wrong = flaw(its.certificate, now)
                if wrong:
                    cast.notes.append(f"left out {spec.key} of “{shown(label, 60)}”: its certificate {wrong}")
                    continue
                cast.certificates[spec.key] = its.file
            good.append(spec)
        if good:
            found[label] = tuple(good)
    if missing:
        raise UsageProblem(_missing(missing, named=kept is not None))
    if not found:
        raise UsageProblem("; ".join(["the list has no key that can sign", *cast.notes[:5]]))
    return found


def _missing(missing: list[str], *, named: bool) -> str:
    listed = ", ".join(missing[:_MOST_SHOWN])
    more = "" if len(missing) <= _MOST_SHOWN else f" and {len(missing) - _MOST_SHOWN:,} more"
    do = (
        "add them to that keyring (NAME.key), or take them out of the list"
        if named
        else "name the branch that has them with --keyring REF (a Guix channel's is called keyring)"
    )
    return f"there are no certificates for {listed}{more}: {do}"
