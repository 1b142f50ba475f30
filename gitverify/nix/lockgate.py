"""The lock gate: are a flake's inputs, as ``flake.lock`` has them, what the user trusts them to be?

- L1 The file is read strictly: one that Nix might read otherwise is refused.
- L2 Every input that an introduction is configured for is in it, and can be judged; with ``require_all`` there is one
  for every input.
- L3 What the lock says of an input, its hash above all, is what the commit has.

Beside these the rules of every history apply: the locked commit is authentic (R1 to R22), and it reaches the one that
was locked before over binding edges (R23b), unless the flake asks for something else now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.nix.inputs import described
from gitverify.nix.lock import LockError, parse_lock
from gitverify.report.flake_model import InputReport, LockReport
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS
from gitverify.session import NO_INTRODUCTION
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.nix.anchors import Anchor
    from gitverify.nix.inputs import Judge
    from gitverify.nix.lock import Lock, Node, Path

_MOST = 20  # names in one sentence


def check_lock(
    raw: bytes, base: Lock | None, anchors: Mapping[str, Anchor], judge: Judge, *, require_all: bool = False
) -> LockReport:
    """Answer for the bytes of a lock file; ``base``: what was locked before."""
    report = LockReport()
    try:
        lock = parse_lock(raw)
    except LockError as error:
        return unsound(error)
    nodes = {"/".join(path): node for path, node in lock.inputs()}
    if nodes and not anchors and not require_all:
        report.verdict_on_file = "error"
        message = NO_INTRODUCTION.partition(":")[0] + " for any input, so there is nothing to judge: " + _HOW
        report.refusals = (Refusal(b"", "R1", "introduction-not-configured", message),)
    named = _named(lock, anchors)
    for name, node in nodes.items():
        report.inputs += _answers(name, node, named.get(node.key, {}), (lock, base), judge)
    missing = [name for name in anchors if _found(lock, _path(name)) is None]
    if missing:
        message = f"the lock has no input {_listed(missing)}, for which an introduction is configured"
        _refuse(report, "L2", "input-missing", message)
    if require_all:
        _require_all(report)
    if lock.unused():
        report.notes.append(
            f"nothing leads to these nodes of the lock, and Nix will drop them: {_listed(lock.unused())}"
        )
    return report


def unsound(error: LockError) -> LockReport:
    """Answer for a file that is no lock file (L1)."""
    report = LockReport()
    _refuse(report, "L1", "lock-invalid", f"this is no sound flake.lock: {error}")
    return report


_HOW = "name one with --introduction INPUT=COMMIT, or git config gitverify.input:INPUT.introduction COMMIT"


def _named(lock: Lock, anchors: Mapping[str, Anchor]) -> dict[str, dict[str, Anchor]]:
    """Return what is said about each node, by the node's key; several names may lead to one, and then all count."""
    found: dict[str, dict[str, Anchor]] = {}
    for name, anchor in anchors.items():
        node = _found(lock, _path(name))
        if node is not None:
            found.setdefault(node.key, {})[name] = anchor
    return found


def _found(lock: Lock | None, path: Path) -> Node | None:
    """Return the input that a path of names leads to; None where there is none, or it leads to the flake itself."""
    node = lock.find(path) if lock is not None else None
    return node if node is not None and node.locked is not None else None


def _answers(
    name: str, node: Node, anchors: Mapping[str, Anchor], locks: tuple[Lock, Lock | None], judge: Judge
) -> list[InputReport]:
    if not anchors:
        return [_unasked(name, node)]
    return [
        judge.judge(each, node, _found(locks[1], _path(each)), anchor, is_brought=_is_brought(_path(each), *locks))
        for each, anchor in anchors.items()
    ]


def _is_brought(path: Path, lock: Lock, base: Lock | None) -> bool:
    """Whether an input is one of inputs that are all where they were before; Nix takes the lock's word for it then."""
    above = [path[:length] for length in range(1, len(path))]
    places = [[_place(_found(each, input_)) for each in (lock, base)] for input_ in above]
    return bool(above) and all(now == before for now, before in places)


def _place(node: Node | None) -> bytes | None:
    """Return what tells an input at one commit from it at another."""
    return None if node is None else node.rev or node.nar_hash


def _unasked(name: str, node: Node) -> InputReport:
    report = InputReport(name, node.kind, node.rev)
    if node.is_own:
        report.own = True
        report.notes.append("it is a folder of the flake itself: verify that (gitverify verify)")
        return report
    report.notes.append(f"nothing vouches for {described(node)}")
    return report


def _require_all(report: LockReport) -> None:
    bare = [each for each in report.inputs if each.verdict is None and not each.own]
    for each in bare:
        message = f"no introduction is configured for {shown(each.name)}, so nothing vouches for it"
        each.verdict = "refused"
        each.refusals = (
            Refusal(each.rev or b"", "L2", "input-not-configured", message, HINTS["input-not-configured"]),
        )


def _refuse(report: LockReport, rule: str, code: str, message: str) -> None:
    report.verdict_on_file = "refused"
    report.refusals += (Refusal(b"", rule, code, message, HINTS[code]),)


def _path(name: str) -> Path:
    return tuple(name.split("/"))


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - _MOST:,} more"] if len(names) > _MOST else []
    return ", ".join([*(f"“{shown(name, 80)}”" for name in names[:_MOST]), *more])
