"""What a policy says, as text and as values for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitverify.policyedit.overview import grants_of
from gitverify.report.policy import FORMAT
from gitverify.session import commit_line
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitverify.policies.model import Policy
    from gitverify.policies.rights import Rights
    from gitverify.policyedit.overview import Overview
    from gitverify.session import Session

_WIDEST = 40
_USUAL = ("ignore", "presence")


def as_json(found: Overview) -> dict[str, Any]:
    """Return what is shown as values for JSON."""
    policy = found.policy
    people = [found.person] if found.person is not None else list(policy.people)
    listed = found.prefixes if found.asked is None else found.asked
    return {
        "format": FORMAT,
        "commit": found.commit.hex(),
        "file": found.name.path.decode("utf-8", "backslashreplace"),
        "dialect": policy.dialect,
        "paths": [_rights_json(*each) for each in listed],
        "people": [_person_json(policy, name, grants_of(policy, name)) for name in people],
        "groups": {name: sorted(members) for name, members in policy.groups.items()},
        "editors": sorted(policy.editors),
        "tags": sorted(policy.tags),
        "unprotected": [str(path) for path in policy.unprotected],
        "options": _options(policy),
    }


def as_text(found: Overview, session: Session) -> Iterator[str]:
    """Yield the lines for people."""
    policy = found.policy
    listed = found.prefixes if found.asked is None else found.asked
    titles = () if found.asked is not None else ("the policy file",)
    width = min(max((len(text) for text in (*titles, *(each.path for each in listed))), default=0), _WIDEST)
    lines = [_rights_line(*each, width=width) for each in listed]
    if found.asked is not None:
        yield from lines
        return
    line = commit_line(session.repository, found.commit)
    subject = f" “{shown(line.subject, 60)}”" if line is not None else ""
    people = list(policy.people) if found.person is None else [found.person]
    if found.person is None:
        yield f"{shown(found.name.path)} ({policy.dialect}) of {found.commit.hex()[:12]}{subject}, not verified here"
        yield ""
        yield from lines
        yield f"{'the policy file':<{width}}  {_names(policy.editors)}"
        yield f"{'release tags':<{width}}  {_names(policy.tags)}"
        switched = [f"{name}: {word}" for name, word in _options(policy).items() if word not in {"false", *_USUAL}]
        yield f"{'options':<{width}}  {', '.join(switched) or 'none'}"
        yield ""
    yield from _people_lines(policy, people, lambda name: grants_of(policy, name))


def _people_lines(policy: Policy, wanted: Sequence[str], paths: Any) -> Iterator[str]:
    """Yield what each person may do."""
    for name in wanted:
        groups = [f"@{group}" for group, members in policy.groups.items() if name in members]
        yield f"{shown(name)}{' (' + ', '.join(groups) + ')' if groups else ''}"
        yield f"  may change  {', '.join(map(shown, paths(name))) or 'nothing'}"
        also = ["the policy file"] * (name in policy.editors) + ["release tags"] * (name in policy.tags)
        if also:
            yield f"  signs       {', '.join(also)}"
        for key in policy.people[name].keys:
            yield f"  key         {key.key}{_comment(key)}"
        if not policy.people[name].keys:
            yield "  key         none, so nothing by this person counts"


def _comment(key: Any) -> str:
    comment = getattr(key, "comment", "")
    return f" {shown(comment, 80)}" if comment else ""


def _rights_line(path: str, rights: Rights, partly: frozenset[str], width: int) -> str:
    text = _names(rights.people)
    if rights.unprotected:
        text = "anyone, unsigned"
    elif rights.policy_file:
        text = f"the policy's editors: {text}"
    if partly:
        text += f"; some of it: {_names(partly)}"
    return f"{shown(path, 1000):<{width}}  {text}"


def _names(people: frozenset[str]) -> str:
    return ", ".join(shown(name) for name in sorted(people)) or "nobody"


def _options(policy: Policy) -> dict[str, str]:
    """Return the settings, as the file writes them."""
    return {
        "unsigned_merges": str(policy.unsigned_merges).lower(),
        "adopting_merges": str(policy.adopting_merges).lower(),
        "expired_keys": "refuse" if policy.refuse_expired_keys else "ignore",
        "security_keys": "verification" if policy.require_user_verification else "presence",
    }


def _rights_json(path: str, rights: Rights, partly: frozenset[str]) -> dict[str, Any]:
    """Return a path and who may change it."""
    return {
        "path": path.encode("utf-8", "backslashreplace").decode(),
        "people": sorted(rights.people),
        "partly": sorted(partly),
        "unprotected": rights.unprotected,
        "policy_file": rights.policy_file,
    }


def _person_json(policy: Policy, name: str, paths: Sequence[str]) -> dict[str, Any]:
    """Return what a person may do."""
    return {
        "name": name,
        "groups": [group for group, members in policy.groups.items() if name in members],
        "paths": list(paths),
        "editor": name in policy.editors,
        "tags": name in policy.tags,
        "keys": [{"key": key.key, "comment": getattr(key, "comment", "")} for key in policy.people[name].keys],
    }
