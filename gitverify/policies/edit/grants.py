"""Grants given and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies import shape
from gitverify.policies.dialects import POLICY_FILES
from gitverify.policies.edit.document import Document, prefix
from gitverify.policies.edit.keys import remove_name
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.edit.writing import Written, entry, mapping_like
from gitverify.policies.model import WHOLE_TREE, Dialect
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.policies.edit.result import Edited
    from gitverify.policies.model import Grant, PathPrefix

_ROLES = ("policy_editors", "tags")
_MOST_NAMED = 5


class _Written(NamedTuple):
    """A grant as the file has it."""

    number: int
    paths: tuple[str, ...]
    names: tuple[str, ...]
    grant: Grant

    def covering(self, path: PathPrefix) -> PathPrefix | None:
        """Return which of the grant's paths gives ``path`` (R16)."""
        return next((own for own in self.grant.paths if _covers(own, path)), None)


def grant(data: bytes, name: str, paths: tuple[str, ...]) -> Edited:
    """Grant paths to a person, or to ``@group``; what is granted already is noted. Raises PolicyError, EditRefused."""
    document = Document(data)
    document.check_person(name)
    grants = _grants(document)
    wanted: list[str] = []
    for path in dict.fromkeys(paths):
        covers = prefix(path)
        _check_grantable(covers)
        found = next((each for each in _for(document, grants, name) if each.covering(covers) is not None), None)
        if found is None and not any(_covers(prefix(other), covers) for other in wanted):
            wanted.append(path)
        elif found is not None:
            document.notes.append(f"{name} may change {_quoted(path)} already: {_reason(found, name, covers)}")
    if wanted:
        _give(document, grants, name, tuple(wanted))
        document.notes.append(f"granted {name} {', '.join(map(_quoted, wanted))}")
        if "/" in wanted:
            absent = [role for role in _ROLES if role not in document.top.values]
            document.notes += (
                f"the file has no “{role}”, so these are all who are granted “/”: now {name}, too" for role in absent
            )
    return document.done()


def _give(document: Document, grants: list[_Written], name: str, paths: tuple[str, ...]) -> None:
    """Add the name to a grant of just these paths, or the paths to a grant to just this name, or a grant."""
    covered = {prefix(path) for path in paths}
    wanted = document.wanted
    for each in grants:
        if set(each.grant.paths) == covered:
            _append(document, each.number, "people", (name,))
            return
    for each in grants:
        if set(each.names) == {name}:
            _append(document, each.number, "paths", paths)
            return
    new = {"paths": list(paths), "people": [name]}
    node = document.sequence("grants")
    if node is not None:
        document.insert(node, mapping_like(document.located, node.items[-1] if node.items else None, new))
        wanted["grants"].append(new)
        return
    item = mapping_like(document.located, None, new).flow
    document.insert(document.top, entry("grants", Written(f"[{item}]", (f"- {item}",)), indent=2))
    wanted["grants"] = [new]


def _append(document: Document, number: int, key: str, values: tuple[str, ...]) -> None:
    grants = shape.listed(document.top, "grants")
    document.append_texts(shape.listed(grants.items[number], key), *values)
    document.wanted["grants"][number][key] += values


def revoke(data: bytes, name: str, paths: tuple[str, ...]) -> Edited:
    """Take back grants of just these paths to just this name. Raises PolicyError, EditRefused.

    Refused where the name may change a path by a grant of another path or to a group, so that nothing would come of it.
    """
    document = Document(data)
    document.check_person(name)
    grants = _grants(document)
    gone = {prefix(path) for path in paths}
    groups = _groups(document, name)
    touched = {each.number for each in grants if name in each.names and not gone.isdisjoint(each.grant.paths)}
    for path in dict.fromkeys(paths):
        covers = prefix(path)
        own = [each for each in grants if each.number in touched and covers in each.grant.paths]
        others = [
            each
            for each in _for(document, grants, name)
            if each.covering(covers) is not None and (each not in own or not groups.isdisjoint(each.names))
        ]
        if others and not own:
            reason = _reason(others[0], name, covers)
            raise EditRefused(f"{name} may change {_quoted(path)} by another grant: {reason}; revoke that one")
        document.notes.append(f"{'revoked' if own else 'there is no grant of'} {_quoted(path)} for {name}")
        document.notes += (f"{name} may still change it: {_reason(each, name, covers)}" for each in others[:1])
        document.notes += _below(document, grants, name, covers)
    _take(document, [grants[number] for number in sorted(touched)], name, gone)
    return document.done()


def _take(document: Document, touched: list[_Written], name: str, gone: set[PathPrefix]) -> None:
    """Take the paths out of a grant to this name alone, the name out of others; what it keeps there is a new grant."""
    node = document.sequence("grants")
    if node is None:
        return
    wanted = document.wanted["grants"]
    after: dict[int, dict[str, list[str]]] = {}
    whole: set[int] = set()
    for each in touched:
        kept = [path for path in each.paths if prefix(path) not in gone]
        item = shape.mapping(node.items[each.number], "a grant")
        if set(each.names) != {name}:
            remove_name(document, name, item.keys["people"], wanted[each.number], "grants", each.number, "people")
            if kept:
                after[each.number] = {"paths": kept, "people": [name]}
                document.insert(node, mapping_like(document.located, item, after[each.number]), after=each.number)
        elif kept:
            numbers = {number for number, path in enumerate(each.paths) if prefix(path) in gone}
            document.remove(shape.listed(item, "paths"), numbers, item.keys["paths"])
            wanted[each.number]["paths"] = kept
        else:
            whole.add(each.number)
    if whole:
        document.remove(node, whole, document.top.keys["grants"])
    document.wanted["grants"] = [
        grant for number, old in enumerate(wanted) if number not in whole for grant in (old, after.get(number)) if grant
    ]


def _grants(document: Document) -> list[_Written]:
    return [
        _Written(
            number,
            tuple(document.texts("grants", number, "paths")),
            tuple(document.texts("grants", number, "people")),
            each,
        )
        for number, each in enumerate(document.policy.grants)
    ]


def _for(document: Document, grants: list[_Written], name: str) -> Iterator[_Written]:
    """Yield the grants to a name, also those to a group that the person is in."""
    names = {name} | _groups(document, name)
    return (each for each in grants if not names.isdisjoint(each.names))


def _groups(document: Document, name: str) -> set[str]:
    """Return the groups that a person is in, as grants name them."""
    return {f"@{group}" for group, members in document.policy.groups.items() if name in members}


def _below(document: Document, grants: list[_Written], name: str, gone: PathPrefix) -> Iterator[str]:
    """Yield what somebody may still change below a path."""
    below = dict.fromkeys(
        str(path)
        for each in _for(document, grants, name)
        for path in each.grant.paths
        if gone.subtree and path != gone and _covers(gone, path)
    )
    if below:
        some = ", ".join(_quoted(path) for path in list(below)[:_MOST_NAMED])
        yield f"{name} may still change what is granted below it: {some}{', …' if len(below) > _MOST_NAMED else ''}"


def _covers(wide: PathPrefix, path: PathPrefix) -> bool:
    return wide == path or (wide.subtree and (wide == WHOLE_TREE or path.path.startswith(wide.path + b"/")))


def _check_grantable(path: PathPrefix) -> None:
    own = [name for name, dialect in POLICY_FILES.items() if dialect is Dialect.NATIVE]
    if path.path in own:
        raise EditRefused("only policy_editors may change the policy file, no grant does: use --editor")


def _reason(found: _Written, name: str, path: PathPrefix) -> str:
    whose = "" if found.names == (name,) else f" to {', '.join(shown(each, 80) for each in found.names[:_MOST_NAMED])}"
    return f"the grant of {_quoted(str(found.covering(path)))}{whose} in line {found.grant.line}"


def _quoted(path: str) -> str:
    return f"“{shown(path)}”"
