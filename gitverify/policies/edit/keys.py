"""Keys and people: listed, and taken off the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitverify.errors import KeyRefused
from gitverify.policies import native, shape
from gitverify.policies.edit.document import Document
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.edit.writing import Written, entry, one_line, scalar
from gitverify.policies.model import SshKeySpec
from gitverify.policies.strictyaml import Mapping
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.edit.result import Edited
    from gitverify.policies.model import KeySpec, Person
    from gitverify.policies.strictyaml import Text


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be listed: its id, how it is written, and what that says."""

    id: str
    written: Written
    value: str | dict[str, str]


def ssh_key(line: str) -> NewKey:
    """Return an SSH key from its public line. Raises EditRefused for keys that R9 does not take."""
    from gitverify.signatures.sshkeys import key_comment, parse_key_line  # noqa: PLC0415 - loads cryptography

    try:
        key = parse_key_line(line.strip())
    except KeyRefused as refused:
        raise EditRefused(str(refused)) from None
    parts = line.split(maxsplit=2)[:2]
    comment = " ".join(key_comment(line.strip()).split())
    value = " ".join([*parts, comment] if comment else parts)
    return NewKey(key.fingerprint, one_line(scalar(value)), value)


def openpgp_key(fingerprint: str) -> NewKey:
    """Return an OpenPGP key by its full fingerprint. Raises EditRefused where it is none."""
    digits = fingerprint.replace(" ", "").upper()
    if len(digits) not in (40, 64) or not set(digits) <= set("0123456789ABCDEF"):
        raise EditRefused(f"“{shown(fingerprint, 80)}” is no full fingerprint: 40 or 64 hexadecimal digits")
    return NewKey(digits, Written(f"{{openpgp: {digits}}}", (f"openpgp: {digits}",)), {"openpgp": digits})


def add_key(data: bytes, person: str, key: NewKey, *, new_person: bool = False, directory: bool = False) -> Edited:
    """List a key for a person, who is listed too with ``new_person``.

    ``directory``: say where OpenPGP certificates are, if the file does not. Raises PolicyError and EditRefused.
    """
    document = Document(data)
    for owner, _ in document.policy.by_key.get(key.id, ()):
        if owner.name != person:
            raise EditRefused(
                f"{owner.name} has the key {key.id} already: a key belongs to one person", line=owner.line
            )
        document.notes.append(f"{person} has the key {key.id} already (line {owner.line})")
        return document.done()
    listed = document.policy.people.get(person)
    if listed is None:
        _add_person(document, person, key, new_person=new_person)
    elif new_person:
        raise EditRefused(f"{person} is listed already: leave --new-person out", line=listed.line)
    else:
        keys = shape.listed(shape.mapping(document.top.values["people"], "people").values[person], "keys")
        document.insert(keys, key.written)
        document.wanted["people"][person]["keys"].append(key.value)
        document.notes.append(f"added the key {key.id} to {person}")
    if directory and "openpgp_keys" not in document.top.values:
        document.add_setting("openpgp_keys", ".gitverify/keys/")
    return document.done()


def _add_person(document: Document, name: str, key: NewKey, *, new_person: bool) -> None:
    if not native.is_name(name):
        raise EditRefused(f"“{shown(name, 80)}” is no name of a person: 1 to 64 of A-Z a-z 0-9 . _ -")
    if not new_person:
        hint = shape.did_you_mean(name, document.policy.people)
        raise EditRefused(f"there is no person “{name}”{hint}; to list somebody new, say --new-person")
    people = shape.mapping(document.top.values["people"], "people")
    document.insert(people, _person(document, people, name, key))
    document.wanted["people"][name] = {"keys": [key.value]}
    document.notes.append(f"listed {name} with the key {key.id}, who may change nothing yet")


def _person(document: Document, people: Mapping, name: str, key: NewKey) -> Written:
    """Return a new entry of ``people``: written as the last one there."""
    flow = f"{{keys: [{key.written.flow}]}}"
    place, model = list(people.keys.values())[-1], list(people.values.values())[-1]
    if not isinstance(model, Mapping) or document.located.span(model).flow:
        return entry(name, one_line(flow), indent=0)
    keys = model.values["keys"]
    if document.located.span(keys).flow:
        lines: tuple[str, ...] = (f"keys: [{key.written.flow}]",)
    else:
        indent = " " * (keys.column - model.column)
        lines = ("keys:", *(f"{indent}- {line}" for line in key.written.block))
    return entry(name, Written(flow, lines), indent=model.column - place.column)


def remove_key(data: bytes, person: str, which: str) -> Edited:
    """Take a key off a person's list; ``which`` is its id or comment. Raises PolicyError, EditRefused."""
    document = Document(data)
    document.check_person(person)
    listed = document.policy.people[person]
    found = [number for number, key in enumerate(listed.keys) if which in _names(key)]
    if len(found) != 1:
        return _not_that_key(document, listed, which, several=len(found) > 1)
    own = shape.mapping(shape.mapping(document.top.values["people"], "people").values[person], "a person")
    document.remove(shape.listed(own, "keys"), set(found), own.keys["keys"])
    del document.wanted["people"][person]["keys"][found[0]]
    document.notes.append(f"removed the key {listed.keys[found[0]].key} of {person}")
    if len(listed.keys) == 1:
        document.notes.append(f"{person} has no key left, so nothing new by {person} counts; --all removes the person")
    return document.done()


def _names(key: KeySpec) -> set[str]:
    """Return what a listed key may be called."""
    return {key.key, key.comment} - {""} if isinstance(key, SshKeySpec) else {key.key}


def _not_that_key(document: Document, listed: Person, which: str, *, several: bool) -> Edited:
    keys = "; ".join(shown(" ".join(sorted(_names(key), reverse=True))) for key in listed.keys) or "none"
    if several:
        raise EditRefused(f"several keys of {listed.name} are called “{shown(which, 80)}”: name one by its id: {keys}")
    for owner, _ in document.policy.by_key.get(which, ()):
        raise EditRefused(f"not {listed.name}, but {owner.name} has the key {which}", line=owner.line)
    raise EditRefused(f"{listed.name} has no key “{shown(which, 80)}”; listed are: {keys}", line=listed.line)


def remove_person(data: bytes, person: str) -> Edited:
    """Take a person out of people, groups, grants, editors and tags. Raises PolicyError and EditRefused."""
    document = Document(data)
    document.check_person(person)
    people = shape.mapping(document.top.values["people"], "people")
    document.remove(people, {list(people.keys).index(person)}, document.top.keys["people"])
    del document.wanted["people"][person]
    document.notes.append(f"removed {person} from people, groups, grants and roles")
    groups = document.top.values.get("groups")
    if isinstance(groups, Mapping):
        for name, place in groups.keys.items():
            remove_name(document, person, place, document.wanted["groups"], "groups", name)
    _remove_from_grants(document, person)
    for role in ("policy_editors", "tags"):
        if role in document.top.keys:
            remove_name(document, person, document.top.keys[role], document.wanted, role)
    return document.done()


def remove_name(document: Document, name: str, place: Text, wanted: Any, *path: str | int) -> None:
    """Take a name out of a list of names; ``wanted`` is what has the list under the last step of its path."""
    gone = {number for number, text in enumerate(document.texts(*path)) if text == name}
    node = document.sequence(*path)
    if gone and node is not None:
        document.remove(node, gone, place)
        wanted[path[-1]] = [text for text in wanted[path[-1]] if text != name]


def _remove_from_grants(document: Document, name: str) -> None:
    """Take a name out of all grants, and those out that name nobody else."""
    grants = document.sequence("grants")
    if grants is None:
        return
    wanted = document.wanted["grants"]
    alone = {number for number in range(len(wanted)) if set(wanted[number]["people"]) == {name}}
    for number, node in enumerate(grants.items):
        if number not in alone:
            place = shape.mapping(node, "a grant").keys["people"]
            remove_name(document, name, place, wanted[number], "grants", number, "people")
    if alone:
        document.remove(grants, alone, document.top.keys["grants"])
        document.wanted["grants"] = [each for number, each in enumerate(wanted) if number not in alone]
