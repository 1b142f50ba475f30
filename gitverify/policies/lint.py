"""What is legal in a policy but likely wrong, as far as the file alone shows it (``docs/policy.md``).

What needs a tree (a prefix that matches nothing, a directory without its slash) is in ``treelint``. Best effort: costs
are linear in the size of the policy, and where hundreds of grants name the same path not all pairs are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.policies.dialects import POLICY_FILES
from gitverify.policies.model import WHOLE_TREE, Dialect, PathPrefix
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitverify.policies.model import Grant, Policy

_NATIVE_FILES = frozenset(name for name, dialect in POLICY_FILES.items() if dialect is Dialect.NATIVE)
_MOST_COMPARED = 32
_DEEPEST = 64

# Keys with which a forge signs what its users do in the browser: anyone with an account gets such a signature.
# Sources: github.com/web-flow.gpg; GitLab's documentation, "Signed commits", on commits made in the web UI.
FORGE_KEYS = {
    "5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23": "GitHub (web-flow, until 2024)",
    "968479A1AFF927E37D1A566BB5690EEEBB952194": "GitHub (web-flow)",
    "SHA256:ylvmNrhpOBqBQRVi0S8xv2meWLs/QnN7AztQlZY5UPE": "GitLab.com (web commits)",
}


class Warning(NamedTuple):  # noqa: A001 - what it is
    """``line`` counts from 1, 0 where no one line is meant.

    ``at``: the keys, numbers and texts that lead to the place in a native file, see :mod:`gitverify.policies.places`.
    """

    line: int
    message: str
    at: tuple[str | int, ...] = ()


def warnings(policy: Policy) -> list[Warning]:
    """Return what somebody should look at, in the order of the file."""
    found = [*_forge_keys(policy), *_few(policy)]
    if policy.dialect is Dialect.NATIVE:
        found += [*_unused(policy), *_covered(policy), *_own_file(policy), *_literal(policy)]
    return sorted(found, key=lambda warning: warning[:2])


def _forge_keys(policy: Policy) -> Iterator[Warning]:
    for person in policy.people.values():
        for key in person.keys:
            if key.key in FORGE_KEYS:
                yield Warning(
                    person.line,
                    f"“{shown(person.name, 80)}” has the key of {FORGE_KEYS[key.key]}: anyone with an account there "
                    "can have it sign",
                    ("people", person.name),
                )


def _few(policy: Policy) -> Iterator[Warning]:
    """Warn of what one accident would end."""
    keys = {key.key for name in policy.editors for key in policy.people[name].keys}
    if not keys:
        yield Warning(0, "nobody is listed: no commit can follow")
    elif len(keys) == 1:
        yield Warning(0, "only one key may change the policy: when it is lost, nobody can; list a second one")
    elif len(policy.editors) == 1:
        yield Warning(0, "only one person may change the policy")


def _unused(policy: Policy) -> Iterator[Warning]:
    """Warn of people and groups that nothing refers to, and of what is empty."""
    used = (policy.editors | policy.tags).union(*{grant.people for grant in policy.grants})
    grouped = frozenset[str]().union(*policy.groups.values())
    for person in policy.people.values():
        if person.name not in used:
            where = "only in groups that nothing names" if person.name in grouped else "in no grant and no group"
            message = f"{person.name} may do nothing: the name stands {where}"
            yield Warning(person.line, message, ("people", person.name))
        if not person.keys:
            yield Warning(person.line, f"{person.name} has no key", ("people", person.name))
    for name, members in policy.groups.items():
        if not members:
            yield Warning(0, f"the group {name} is empty", ("groups", name))


def _covered(policy: Policy) -> Iterator[Warning]:
    """Warn of a path in a grant that another grant gives to the same people already."""
    by_path: dict[PathPrefix, list[tuple[int, Grant]]] = {}
    for number, grant in enumerate(policy.grants):
        for path in dict.fromkeys(grant.paths):
            listed = by_path.setdefault(path, [])
            if len(listed) < _MOST_COMPARED:
                listed.append((number, grant))
    for number, grant in enumerate(policy.grants):
        seen: set[PathPrefix] = set()
        for path in grant.paths:
            if path in seen:
                at = ("grants", number, "paths", str(path))
                yield Warning(grant.line, f"the grant names “{shown(str(path))}” twice", at)
                continue
            seen.add(path)
            cover = _cover(number, grant, path, by_path)
            if cover is not None:
                yield Warning(
                    grant.line,
                    f"“{shown(str(path))}” is granted to these people by “{shown(str(cover[0]))}” already "
                    f"(line {cover[1].line})",
                    ("grants", number, "paths", str(path)),
                )


def _cover(
    number: int, grant: Grant, path: PathPrefix, by_path: dict[PathPrefix, list[tuple[int, Grant]]]
) -> tuple[PathPrefix, Grant] | None:
    """Return the grant and its path that give ``path`` to all people of the grant; of equal ones, the first counts."""
    for covering in _above(path):
        for other_number, other in by_path.get(covering, ()):
            is_other = covering != path or other_number < number
            if is_other and (grant.people is other.people or grant.people <= other.people):  # comparing costs
                return covering, other
    return None


def _above(path: PathPrefix) -> Iterator[PathPrefix]:
    """Yield the path and every directory that covers it (R16)."""
    yield path
    above = path.path
    for _ in range(_DEEPEST):
        above = above.rpartition(b"/")[0]
        if not above:
            break
        yield PathPrefix(above, subtree=True)
    if path != WHOLE_TREE:
        yield WHOLE_TREE


def _own_file(policy: Policy) -> Iterator[Warning]:
    """Warn of paths by which somebody meant to say who changes the policy: only ``policy_editors`` does (R15)."""
    for line, path, at in places(policy):
        if path.path in _NATIVE_FILES and line:
            yield Warning(line, f"granting “{shown(str(path))}” has no effect: name policy_editors", at)
        elif path.path in _NATIVE_FILES:
            yield Warning(0, f"“{shown(str(path))}” is never unprotected", at)


def _literal(policy: Policy) -> Iterator[Warning]:
    """Warn of characters that stand for themselves, though a writer may have meant more."""
    for line, path, at in places(policy):
        if b"[" in path.path or b"\\" in path.path:
            yield Warning(
                line, f"“{shown(str(path))}”: “[” and “\\” stand for themselves, there are no globs or escapes", at
            )


def places(policy: Policy) -> Iterator[tuple[int, PathPrefix, tuple[str | int, ...]]]:
    """Yield each path of the policy with its grant's line (0 for an unprotected one) and what leads to it."""
    for number, grant in enumerate(policy.grants):
        for path in grant.paths:
            yield grant.line, path, ("grants", number, "paths", str(path))
    for path in policy.unprotected:
        yield 0, path, ("unprotected", str(path))
