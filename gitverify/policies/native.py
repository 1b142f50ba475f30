"""The native policy file ``.gitverify.yaml`` (R14 to R16, ``docs/policy.md``).

Everything in the file is read and checked: names are defined, keys are good enough to sign, and somebody can change
the policy. What the format leaves open is decided here:

* a group lists people, not groups, and may be empty; a person may have no key (yet);
* lists of paths or people in a grant are not empty;
* booleans are written ``true`` or ``false``, or ``yes`` or ``no``;
* ``openpgp_keys`` is ``.gitverify/keys/`` where it is left out, and always a directory below the root.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies import shape
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, Person, Policy
from gitverify.policies.nativekeys import key_spec
from gitverify.policies.paths import path_prefix
from gitverify.policies.strictyaml import fail, read
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.model import KeySpec, PathPrefix
    from gitverify.policies.strictyaml import Mapping, Node, Text

_NAME = re.compile("[A-Za-z0-9._-]{1,64}")
_DEFAULT_KEYS = b".gitverify/keys"
_OPTIONAL = (
    "groups",
    "grants",
    "policy_editors",
    "unprotected",
    "unsigned_merges",
    "adopting_merges",
    "expired_keys",
    "security_keys",
    "tags",
    "openpgp_keys",
)


def parse(data: bytes) -> Policy:
    """Return the policy that the file's bytes say. Raises PolicyError with a place, and nothing else."""
    top = shape.mapping(read(data), "the policy")
    _check_version(top)
    shape.check_keys(top, "the policy", required=("version", "people"), optional=_OPTIONAL)
    values = top.values
    people = _people(values["people"])
    groups = _groups(values["groups"], people) if "groups" in values else {}
    names = _Names(people, groups)
    grants = _grants(values["grants"], names) if "grants" in values else ()
    everywhere = frozenset[str]().union(*{grant.people for grant in grants if WHOLE_TREE in grant.paths})
    editors = everywhere
    if "policy_editors" in values:
        editors = names.resolve(shape.texts(values["policy_editors"], "policy_editors"))
    policy = Policy(
        dialect=Dialect.NATIVE,
        people=people,
        grants=grants,
        editors=editors,
        unprotected=_unprotected(values["unprotected"]) if "unprotected" in values else (),
        unsigned_merges=_switch(values, "unsigned_merges"),
        adopting_merges=_switch(values, "adopting_merges"),
        refuse_expired_keys=_word(values, "expired_keys", ("ignore", "refuse")) == "refuse",
        require_user_verification=_word(values, "security_keys", ("presence", "verification")) == "verification",
        tags=names.resolve(shape.texts(values["tags"], "tags")) if "tags" in values else everywhere,
        openpgp_keys=_key_directory(values["openpgp_keys"]) if "openpgp_keys" in values else _DEFAULT_KEYS,
        groups=groups,
    )
    _check_lockout(top, policy)
    return policy


def is_name(text: str) -> bool:
    """Whether a person or a group may be called so."""
    return _NAME.fullmatch(text) is not None


def _check_version(top: Mapping) -> None:
    """Ask for the version before anything else: another one may have keys that this program does not know."""
    if "version" not in top.values:
        raise fail(top, "the policy must say “version: 1”")
    version = shape.text(top.values["version"], "version")
    if version.value != "1":
        raise fail(
            version,
            f"this gitverify reads version 1 of the policy format, not version {shown(version.value, 64)}: "
            "update gitverify, or write the policy in version 1",
        )


def _people(node: Node) -> dict[str, Person]:
    entries = shape.mapping(node, "people")
    people: dict[str, Person] = {}
    owners: dict[str, str] = {}
    for name, place in entries.keys.items():
        _check_name(place, "person")
        entry = shape.mapping(entries.values[name], f"the person {name}")
        shape.check_keys(entry, f"the person {name}", required=("keys",))
        keys: list[KeySpec] = []
        for item in shape.sequence(entry.values["keys"], "keys"):
            spec = key_spec(item)
            if spec.key in owners:
                owner = owners[spec.key]
                raise fail(item, f"the key {spec.key} is listed for {owner} already: a key belongs to one person, once")
            owners[spec.key] = name
            keys.append(spec)
        people[name] = Person(name, tuple(keys), place.line)
    return people


def _check_name(node: Text, what: str) -> None:
    if not is_name(node.value):
        raise fail(node, f"“{shown(node.value, 80)}” is no name of a {what}: 1 to 64 of A-Z a-z 0-9 . _ -")


def _groups(node: Node, people: dict[str, Person]) -> dict[str, frozenset[str]]:
    entries = shape.mapping(node, "groups")
    groups = {}
    for name, place in entries.keys.items():
        _check_name(place, "group")
        members = shape.texts(entries.values[name], f"the group {name}")
        for member in members:
            if member.value.startswith("@"):
                raise fail(member, "a group lists people, not other groups")
            _check_known(member, member.value, people, "person")
        groups[name] = frozenset(member.value for member in members)
    return groups


def _check_known(node: Text, name: str, known: dict[str, Person] | dict[str, frozenset[str]], what: str) -> None:
    if name not in known:
        hint = shape.did_you_mean(name, known)
        raise fail(node, f"there is no {what} “{shown(name, 80)}”{hint}")


class _Names:
    """Turns lists of names and ``@group`` references into people.

    Lists that say the same share one set, and what is built anew is bounded: ten thousand grants to a group of
    thousands must not cost millions of entries.
    """

    def __init__(self, people: dict[str, Person], groups: dict[str, frozenset[str]]) -> None:
        self._people = people
        self._groups = groups
        self._resolved: dict[tuple[str, ...], frozenset[str]] = {
            (f"@{name}",): members for name, members in groups.items()
        }
        self._built = 0

    def resolve(self, nodes: tuple[Text, ...]) -> frozenset[str]:
        """Return the people; raise PolicyError for a name that is not defined."""
        for node in nodes:
            if node.value.startswith("@"):
                _check_known(node, node.value[1:], self._groups, "group")
            else:
                _check_known(node, node.value, self._people, "person")
        names = tuple(node.value for node in nodes)
        found = self._resolved.get(names)
        if found is None:
            members = (self._groups[name[1:]] if name.startswith("@") else (name,) for name in names)
            self._built += sum(len(self._groups[name[1:]]) for name in names if name.startswith("@"))
            if self._built > LIMITS.policy_nodes:
                raise fail(nodes[0], f"lists that combine groups with other names hold more than {LIMITS.policy_nodes}")
            found = self._resolved[names] = frozenset().union(*members)
        return found


def _grants(node: Node, names: _Names) -> tuple[Grant, ...]:
    grants = []
    for item in shape.sequence(node, "grants"):
        entry = shape.mapping(item, "a grant")
        shape.check_keys(entry, "a grant", required=("paths", "people"))
        paths = shape.texts(entry.values["paths"], "paths")
        people = shape.texts(entry.values["people"], "people")
        if not paths or not people:
            raise fail(item, "a grant must have at least one path and one name")
        grants.append(Grant(tuple(path_prefix(path) for path in paths), names.resolve(people), item.line))
    return tuple(grants)


def _unprotected(node: Node) -> tuple[PathPrefix, ...]:
    prefixes = []
    for item in shape.texts(node, "unprotected"):
        prefix = path_prefix(item)
        if prefix == WHOLE_TREE:
            raise fail(item, "“/” can't be unprotected: nothing would be left to verify")
        prefixes.append(prefix)
    return tuple(prefixes)


def _switch(values: dict[str, Node], key: str) -> bool:
    return key in values and shape.boolean(values[key], key)


def _word(values: dict[str, Node], key: str, words: tuple[str, str]) -> str:
    return shape.choice(values[key], key, words) if key in values else words[0]


def _key_directory(node: Node) -> bytes:
    prefix = path_prefix(shape.text(node, "openpgp_keys"))
    if prefix == WHOLE_TREE or not prefix.subtree:
        raise fail(node, "openpgp_keys must be a directory below the root, with its trailing slash")
    return prefix.path


def _check_lockout(top: Mapping, policy: Policy) -> None:
    """R14: the policy must leave at least one person able to change it."""
    if not policy.editors:
        problem = "nobody may change this policy: name policy_editors, or grant “/” to somebody"
    elif not any(policy.people[name].keys for name in policy.editors):
        problem = "nobody who may change this policy has a key"
    else:
        return
    node = top.values.get("policy_editors", top)
    raise PolicyError(problem, line=node.line, column=node.column, code="policy-lockout")
