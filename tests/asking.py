"""Puts a question about an abstract history to the engine, and its answer into the reference's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import emit
import reference
import signing

from gitverify.policies import guix
from gitverify.policies.model import Dialect
from gitverify.request import Floor, Request
from gitverify.walk import Fence

if TYPE_CHECKING:
    from gitverify.policies.model import Policy
    from gitverify.request import Outcome

ABOUT_THE_TIP = {"rollback", "behind", "not-contained", "stale", "not-descendant", "introduction-signer"}
NOWHERE = bytes(19) + b"\x01"


def historical_policy(keys: frozenset[str]) -> Policy | None:
    """R21's list, as a policy."""
    people = tuple(reference.RefPerson(key, (reference.Listing(key),)) for key in sorted(keys))
    return guix.parse(emit.policy_text("guix", reference.RefPolicy(people))) if people else None


def dropped_edges(known: reference.Known, emitted: emit.Emitted) -> dict[tuple[bytes, bytes], Fence]:
    """What a mark remembers of adopting merges, as no other mark would: every edge that one dropped."""
    return {
        (emitted.ids[name], emitted.ids[parent]): Fence.DROPPED
        for name in known.decisions
        for parent in known.world.history[name].parents
        if reference.is_authentic(known, name) and not reference.is_authentic(known, parent)
    }


def request_for(
    question: reference.Question, emitted: emit.Emitted, known: reference.Known | None = None, **changes
) -> Request:
    """The question in the engine's words; ``known``: what the runs that left the marks knew."""

    def ids(names):
        return tuple(emitted.ids.get(name, NOWHERE) for name in sorted(names))

    keyring = emitted.repository.read(emitted.keyring)[1]
    values = {
        "tip": emitted.ids[question.tip],
        "introduction": emitted.ids.get(question.introduction, NOWHERE),
        "dialect": None if question.dialect is None else Dialect(question.dialect),
        "signer": None if question.signer is None else signing.key_id(question.signer),
        "keyring": bytes.fromhex(keyring[len("tree ") : len("tree ") + 40].decode()),
        "historical": historical_policy(question.historical),
        "floor": Floor(commits=ids(question.marks), fences=dropped_edges(known, emitted) if known else {}),
        "contains": ids(question.contains),
        "max_age": question.max_age,
        "now": question.now,
        "keep_going": True,
    }
    return Request(**(values | changes))


def answer_of(outcome: Outcome, emitted: emit.Emitted) -> tuple[str, dict[str, str]]:
    """Verdict, and the codes of the commits refused; what is about the tip or the anchor is not about a commit."""
    names = emitted.names
    codes = {names[refusal.commit]: refusal.code for refusal in outcome.refusals if refusal.code not in ABOUT_THE_TIP}
    return outcome.verdict, codes if outcome.verdict == "refused" else {}


def difference(outcome: Outcome, report: reference.RefReport, emitted: emit.Emitted) -> str:
    """What the engine answers otherwise than the reference; empty if nothing."""
    found, expected = answer_of(outcome, emitted), (report.verdict, report.codes)
    if found != expected:
        return f"the engine says {found}, the reference {expected} {sorted(report.reasons)}"
    if (outcome.reason not in report.reasons) if report.reasons else outcome.reason is not None:
        return f"the engine's reason is {outcome.reason}, the reference's are {sorted(report.reasons)}"
    return ""


def marked(outcome: Outcome, emitted: emit.Emitted, known: reference.Known) -> frozenset[str] | None:
    """The commits on which the mark stands, without those that others of them reach: a later run can't see that."""
    if outcome.mark is None:
        return None
    names = frozenset(emitted.names[commit] for commit in outcome.mark.commits)
    return frozenset(
        name
        for name in names
        if not any(name in reference.binding_reach(known, other) for other in names if other != name)
    )
