"""Which tag is meant: its object, and the name that it must have."""

from __future__ import annotations

import os
import re
from binascii import unhexlify
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedTag, MissingObject, OversizedObject
from gitverify.limits import LIMITS
from gitverify.objects.tag import parse_tag
from gitverify.session import Session, Unanswerable, UsageProblem, open_repository
from gitverify.settings import ConfigUntrusted, Identity, Settings, full_reference
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.session import Query
    from gitverify.source import Repository

_TAGS = "refs/tags/"


class Wanted(NamedTuple):
    """The tag that is asked about: the raw id of what its reference holds, and what it must call itself."""

    id: bytes
    name: bytes


def open_tag(query: Query, name: str | None = None) -> tuple[Session, Wanted]:
    """Open the repository and find the tag ``query.rev``; ``name`` goes with an object id.

    The session's branch, whose settings count, is ``query.ref``, or the one that is checked out. Raises UsageProblem,
    Unanswerable.
    """
    repository = open_repository(query)
    try:
        settings = Settings(repository)
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None
    wanted = find_tag(repository, query.rev, name)
    branch = full_reference(query.ref) if query.ref else repository.symbolic("HEAD")
    identity = settings.identify(branch) if branch else Identity(str(repository.common_directory), "HEAD")
    if query.name:
        identity = replace(identity, repository=query.name)
    return Session.about(repository, settings, query, _target(repository, wanted.id), identity), wanted


def find_tag(repository: Repository, text: str, name: str | None = None) -> Wanted:
    """Return the tag that ``text`` names: ``v1``, ``refs/tags/v1``, or an object id with ``name``.

    A short name is looked for below ``refs/tags/`` and nowhere else, whatever branch has it, too. Raises UsageProblem.
    """
    if len(text) > LIMITS.revision_length:
        raise UsageProblem(f"a name of {len(text):,} characters; the limit is {LIMITS.revision_length:,}")
    if re.fullmatch("[0-9a-fA-F]{40}", text):
        if name is None:
            raise UsageProblem("an object id does not say how the tag is to be called: give its name, or say --as NAME")
        return Wanted(unhexlify(text), os.fsencode(name))
    if name is not None:
        raise UsageProblem("--as says how an object id is to be called; a tag that is named has to have its own name")
    if text.startswith("refs/") and not text.startswith(_TAGS):
        raise UsageProblem(f"“{shown(text)}” is no tag: tags are below {_TAGS}")
    full = text if text.startswith(_TAGS) else _TAGS + text
    object_id = repository.reference(full)
    if object_id is None:
        branch = repository.reference(f"refs/heads/{text}") is not None
        more = (
            "; there is a branch of that name (gitverify verify)"
            if branch
            else ": see git tag --list, git fetch --tags"
        )
        raise UsageProblem(f"there is no tag “{shown(text)}” in this repository{more}")
    return Wanted(object_id, os.fsencode(full.removeprefix(_TAGS)))


def _target(repository: Repository, tag: bytes) -> bytes:
    """Return the commit that a tag claims to name; what is no such tag stands for itself, and will be refused."""
    try:
        kind, raw = repository.read(tag)
        found = parse_tag(raw) if kind == "tag" else None
    except (MissingObject, MalformedTag, OversizedObject):
        return tag
    return found.target if found is not None and found.target_type == "commit" else tag
