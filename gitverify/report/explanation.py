"""``explain``: one commit's verdict, taken apart for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.report.contribution import contribution_lines, merge_lines
from gitverify.report.human import day, number
from gitverify.rules.authority import Standing
from gitverify.rules.facts import Authorized, PolicyProblem
from gitverify.rules.vouch import listed
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.explain import Explanation
    from gitverify.policies.model import Policy
    from gitverify.report.model import Report
    from gitverify.rules.authority import Parent
    from gitverify.rules.facts import Examined

_MOST_GRANTS = 8

_STANDING = {
    Standing.MAIN: "descends from the introduction: each parent's own policy judges it",
    Standing.SIDE: "does not descend from the introduction: a side branch, judged as rule R21 says",
    Standing.GIVEN: "an ancestor of the introduction: given with it",
}


def write_explanation(report: Report, explanation: Explanation, subject: Callable[[bytes], bytes]) -> str:
    """Return the explanation as lines of text; ``subject`` gives a commit's first line."""
    facts = explanation.facts
    lines = [f"commit     {facts.id.hex()} “{shown(subject(facts.id), 80)}”"]
    line = report.lines.get(facts.id)
    if line is not None:
        lines.append(f"author     {shown(line.author.rpartition(b'>')[0] + b'>')}")
    lines.append(f"committed  {day(facts.date)} (by its own account)")
    lines.append(f"standing   {_STANDING[explanation.standing]}")
    lines += _signature(facts.examined)
    for parent in explanation.parents:
        lines += _parent(parent, explanation, subject)
    lines += merge_lines(explanation, subject)
    lines += contribution_lines(explanation, subject)
    lines += _own_policy(explanation)
    lines += _verdict(explanation)
    return "".join(text + "\n" for text in lines)


def _verdict(explanation: Explanation) -> list[str]:
    decision = explanation.decision
    if isinstance(decision, Authorized):
        people = ", ".join(sorted({shown(voucher.person) for voucher in decision.vouchers}))
        word = f"on the word of {people}" if people else "and nobody has to vouch for it"
        return [f"verdict    authentic by rule {decision.rule}, {word}"]
    lines = [f"verdict    refused: {decision.code}, rule {decision.rule}", f"           {decision.message}"]
    if decision.path is not None:
        lines.append(f"           path: {shown(decision.path)}")
    if decision.hint:
        lines.append(f"           what to do: {decision.hint}")
    return lines


def _signature(examined: Examined) -> list[str]:
    if examined.malformed is not None:
        return [f"form       {examined.malformed[0]}: {examined.malformed[1]}"]
    if examined.unproven is not None:
        named = f" (names {', '.join(examined.unproven.keys)})" if examined.unproven.keys else ""
        return [f"signature  proves nothing: {examined.unproven.code}: {examined.unproven.message}{named}"]
    kind = "SSH" if examined.key.startswith("SHA256:") else "OpenPGP"
    lines = [f"signature  {kind}, by key {examined.key}: this key signed these bytes"]
    if examined.made_at:
        lines.append(f"           made {day(examined.made_at)} (by its own account)")
    if examined.user_verified is not None:
        checked = "a PIN or finger was checked" if examined.user_verified else "touch only, no PIN or finger checked"
        lines.append(f"           security key: {checked}")
    return lines


def _parent(parent: Parent, explanation: Explanation, subject: Callable[[bytes], bytes]) -> list[str]:
    examined = explanation.facts.examined
    state = "authentic" if parent.authentic else "NOT authentic"
    state += ", dropped: this merge adopts what it brings (R20)" if parent.id in explanation.dropped else ""
    lines = [f"parent     {parent.id.hex()[:12]} “{shown(subject(parent.id), 60)}”, {state}"]
    if parent.id in explanation.dropped:
        return lines
    if isinstance(parent.policy, PolicyProblem):
        lines.append(f"           no policy to judge with: {parent.policy.message}")
        return lines
    if parent.judge != parent.id:
        lines.append(f"           judged by the introduction's policy ({parent.judge.hex()[:12]}), not its own")
    same = examined.entry == parent.entry
    lines.append("           policy file: " + ("the same as here" if same else "this commit changes it"))
    if isinstance(explanation.decision, Authorized):
        binds = "binds" if parent.id in explanation.binding else "does not bind: the mark does not follow it"
        lines.append(f"           the edge to it {binds} (R23)")
    lines += _people(parent.policy, parent, examined)
    return lines


def _people(policy: Policy, parent: Parent, examined: Examined) -> list[str]:
    keys = [examined.key] if examined.key else list(examined.unproven.keys if examined.unproven else ())
    lines = []
    for key in keys:
        entries = listed(key, policy, parent.material)
        if not entries:
            lines.append(f"           lists nobody with key {key}")
        for person, spec in entries:
            through = f" (through {spec.key})" if spec.key != key else ""
            lines.append(f"           lists {shown(person.name)}{through}: may change {_rights(policy, person.name)}")
    return lines


def _rights(policy: Policy, name: str) -> str:
    rights = ["the whole tree"] if name in policy.whole_tree else []
    if not rights:
        granted = [str(path) for grant in policy.grants if name in grant.people for path in grant.paths]
        rights = [shown(path, 80) for path in granted[:_MOST_GRANTS]]
        rights += [f"{len(granted) - _MOST_GRANTS} more paths"] if len(granted) > _MOST_GRANTS else []
    rights += ["the policy file"] if name in policy.editors else []
    return " and ".join(filter(None, [", ".join(rights[:-1]), *rights[-1:]])) or "nothing"


def _own_policy(explanation: Explanation) -> list[str]:
    own = explanation.own_policy
    if own is None:
        return ["own policy none in its tree"]
    if isinstance(own, PolicyProblem):
        return [f"own policy {own.code}: {own.message}"]
    people = number(len(own.people), "person", "people")
    return [f"own policy sound: {people}, {len(own.editors)} of them may change it"]
