"""An abstract history as text, for people who look for what went wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import reference
from reference import Entry, RefPolicy

if TYPE_CHECKING:
    from histories import Case
    from reference import Known, RefPerson


def told(case: Case) -> str:
    """Each commit with its parents, signature and decision, and what differs from its first parent; the policies."""
    world = reference.anchored(case.history, case.question)
    known = reference.decide_all(world) if isinstance(world, reference.World) else None
    names: dict[RefPolicy, str] = {}
    lines = [str(case.question), f"{case.dialect}, spoiled: {case.spoiled}"]
    for name, commit in case.history.items():
        lines.append(f"{name} {list(commit.parents)} {_by(commit)} {_decided(known, name)} {commit.malformed}".rstrip())
        before = case.history[commit.parents[0]].tree if commit.parents else {}
        changed = [path for path in sorted({*before, *commit.tree}) if before.get(path) != commit.tree.get(path)]
        lines += [f"    {path.decode()}: {_entry(commit.tree.get(path), names)}" for path in changed]
    lines += [f"{name} {_policy(policy)}" for policy, name in names.items()]
    return "\n".join(lines)


def _by(commit: reference.RefCommit) -> str:
    return f"{commit.signature.kind} {commit.signature.key}".strip()


def _decided(known: Known | None, name: str) -> str:
    if known is None or name not in known.decisions:
        return "given"
    decision = known.decisions[name]
    return f"-> {decision.code or decision.rule}{', vouched' if decision.vouched else ''}"


def _entry(entry: Entry | None, names: dict[RefPolicy, str]) -> str:
    if entry is None:
        return "gone"
    if isinstance(entry.content, RefPolicy):
        return f"{names.setdefault(entry.content, f'P{len(names)}')} {entry.mode}"
    lines = [line for line in entry.content.splitlines() if not line.startswith(b"--")]
    return f"{b'|'.join(lines)!r} {entry.mode}"


def _policy(policy: RefPolicy) -> str:
    switches = [
        switch for switch in ("default_editors", "unsigned_merges", "adopting_merges") if getattr(policy, switch)
    ]
    unprotected = [path.decode() for path in policy.unprotected]
    return "; ".join([*map(_person, policy.people), f"unprotected {unprotected}", *switches, f"note {policy.note}"])


def _person(person: RefPerson) -> str:
    keys = ",".join(listing.key for listing in person.listings)
    what = ["/"] * person.granted + [path.decode() for path in person.paths] + ["editor"] * person.editor
    return f"{person.name}[{keys}] {' '.join(what)}".strip()
