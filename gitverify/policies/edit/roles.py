"""Who may change the policy, and who signs tags: put on these lists, and taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gitverify.policies.edit.document import Document
from gitverify.policies.edit.keys import remove_name
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.model import WHOLE_TREE

if TYPE_CHECKING:
    from gitverify.policies.edit.result import Edited

Role = Literal["policy_editors", "tags"]


def add_role(data: bytes, name: str, role: Role) -> Edited:
    """Let a person or ``@group`` change the policy, or sign tags. Raises PolicyError, EditRefused."""
    document = Document(data)
    document.check_person(name)
    names = _names(document, role)
    if name in names:
        document.notes.append(f"{name} is in {role} already{_default(document, role)}")
        return document.done()
    node = document.sequence(role)
    if node is None:
        document.add_setting(role, [*names, name])
    else:
        document.append_texts(node, name)
        document.wanted[role].append(name)
    document.notes.append(f"added {name} to {role}")
    return document.done()


def remove_role(data: bytes, name: str, role: Role) -> Edited:
    """Take a person or ``@group`` off the list. Raises PolicyError, EditRefused."""
    document = Document(data)
    document.check_person(name)
    names = _names(document, role)
    if name not in names:
        held = document.policy.editors if role == "policy_editors" else document.policy.tags
        groups = [f"@{group}" for group, members in document.policy.groups.items() if name in members]
        through = [group for group in groups if group in names]
        if name in held and through:
            raise EditRefused(f"{name} is in {role} through {through[0]}: revoke it for that group")
        document.notes.append(f"{name} is not in {role}")
        return document.done()
    if role in document.top.keys:
        remove_name(document, name, document.top.keys[role], document.wanted, role)
    else:
        document.add_setting(role, [each for each in names if each != name])
    document.notes.append(f"took {name} out of {role}")
    return document.done()


def _names(document: Document, role: Role) -> list[str]:
    """Return the names as written; where the list is left out, those that are granted everything."""
    if role in document.top.values:
        return document.texts(role)
    numbers = (number for number, each in enumerate(document.policy.grants) if WHOLE_TREE in each.paths)
    return list(dict.fromkeys(name for number in numbers for name in document.texts("grants", number, "people")))


def _default(document: Document, role: Role) -> str:
    return "" if role in document.top.values else f": there is no {role}, so it is everyone who is granted “/”"
