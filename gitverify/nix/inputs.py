"""Judging one input of a flake: is what the lock names authentic, newer than before, and what its hash says?

The history comes from a clone or mirror that the user has named; the lock's own URL is not asked. Nothing hangs on the
clone's branches: the locked commit is looked up by its id.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitverify.errors import GitverifyError, MalformedCommit, MissingObject
from gitverify.export.visitor import Unfit
from gitverify.nix.archive import Undecidable
from gitverify.nix.forms import FORGES, forms, hash_of
from gitverify.nix.history import History, open_history
from gitverify.nix.nar import sri
from gitverify.objects.commit import parse_commit
from gitverify.report.flake_model import InputReport
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS, missing_object
from gitverify.session import Query, Unanswerable, commit_line
from gitverify.text import shown
from gitverify.verify import verify, verify_newest
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitverify.nix.anchors import Anchor
    from gitverify.nix.fetched import Fetching
    from gitverify.nix.lock import Node
    from gitverify.objects.commit import Commit
    from gitverify.report.flake_model import Verdict
    from gitverify.request import Observer
    from gitverify.source import Repository
    from gitverify.verify import MakePool

_KINDS = FORGES | {"git", "tarball", "path"}
# What says where the commit comes from, or what is in it and is compared. Of anything else it is not known what Nix
# would take beside the commit's own tree.
_KNOWN = frozenset(
    {
        "type", "rev", "narHash", "lastModified", "revCount", "owner", "repo", "host", "url", "ref", "dir", "path",
        "shallow", "allRefs", "name", "exportIgnore",
    }
)  # fmt: skip
_HARMLESS_WHERE_FALSE = frozenset({"submodules", "lfs", "verifyCommit"})

_NO_INTRODUCTION = (
    "something is configured for {0}, but no introduction: name it with --introduction {0}=COMMIT, or git config "
    "gitverify.input:{0}.introduction COMMIT"
)


class _No(Exception):
    """An answer other than *authentic*; does not leave this module."""

    def __init__(self, verdict: Verdict, refusals: tuple[Refusal, ...]) -> None:
        self.verdict: Verdict = verdict
        self.refusals = refusals


@dataclass(slots=True, kw_only=True)
class Judge:
    """What it takes to judge an input. ``now``: seconds since 1970; ``state``: where marks are, to build on.

    ``fetching``: how to come by a history of which no clone or mirror is named; None where none is fetched.
    """

    pools: Callable[[Repository], MakePool | None]
    observer: Observer
    now: int
    state: Path | None = None
    no_state: bool = False
    fetching: Fetching | None = None

    def judge(
        self, name: str, node: Node, before: Node | None, anchor: Anchor, *, is_brought: bool = False
    ) -> InputReport:
        """Answer for one input that the user has said something about; ``before`` is what was locked before.

        ``is_brought``: inputs that are all where they were bring it, and say what it asks for, not the flake. Then
        nobody but the lock could say that it asks for something else now, so that does not count.
        """
        report = InputReport(name, node.kind, node.rev)
        try:
            self._judge(report, node, _previous(report, node, before, is_brought=is_brought), anchor)
            report.verdict = "authentic"
        except _No as answer:
            report.verdict, report.refusals = answer.verdict, answer.refusals
        except (Unanswerable, MissingObject) as error:
            refusal = missing_object(error) if isinstance(error, MissingObject) else error.refusal
            report.verdict = "undecided" if isinstance(error, MissingObject) else _verdict(error.verdict)
            report.refusals = (refusal,)
        return report

    def _judge(self, report: InputReport, node: Node, previous: bytes | None, anchor: Anchor) -> None:
        if anchor.introduction is None and anchor.mirror is None and self.fetching is None:
            # What is said about it says nothing: a signer alone, or a setting with another name.
            raise Unanswerable("introduction-not-configured", _NO_INTRODUCTION.format(shown(report.name)))
        rev = _supported(node)
        with ExitStack() as stack:
            if anchor.mirror is None and self.fetching is not None:
                history = History(*stack.enter_context(self.fetching.history(report.name, node)))
            else:
                history = open_history(report.name, anchor.mirror)
            repository = history.repository
            self._authentic(report, rev, previous, anchor, history)
            report.line = commit_line(repository, rev)
            report.form = _compare(repository, rev, parse_commit(read_commit(repository, rev)), node)
            _compare_count(history, rev, node)

    def newest(self, name: str, node: Node, anchor: Anchor) -> tuple[Repository, bytes]:
        """Return the mirror, and the newest authentic commit of the branch that the flake asks for.

        It is not older than what is locked, or than the mirror's mark. Raises NotMoved, Unanswerable, MissingObject.
        """
        history = open_history(name, anchor.mirror)
        repository, reference = history.repository, history.branch(name, node)
        tip = repository.reference(reference) or b""
        session = history.session(self._query(anchor), tip, reference)
        request = session.request()
        request = replace(
            request, floor=session.remembered(request), contains=(node.rev or b"",), newest_authentic=True
        )
        outcome, _ = verify_newest(repository, request, make_pool=self.pools(repository), observer=self.observer)
        if outcome.verdict != "authentic":
            report = InputReport(name, node.kind, tip, _verdict(outcome.verdict), outcome.refusals)
            report.line = commit_line(repository, tip)
            report.notes.append(f"{reference} of the mirror is not taken, and the lock stays as it is")
            raise NotMoved(report)
        return repository, outcome.tip

    def _query(self, anchor: Anchor) -> Query:
        return Query(
            introduction=anchor.introduction,
            signer=anchor.signer,
            state=self.state,
            no_state=self.no_state,
            any_age=True,
            now=self.now,
        )

    def _authentic(
        self,
        report: InputReport,
        rev: bytes,
        previous: bytes | None,
        anchor: Anchor,
        history: History,
    ) -> None:
        """Ask the engine: the locked commit is authentic, and reaches the one locked before over binding edges."""
        repository = history.repository
        session = history.session(self._query(anchor), rev, repository.symbolic("HEAD") or "HEAD")
        request = session.request()
        # A mark saves looking again at what it reaches. That it is further on than the lock is no rollback.
        request = replace(request, floor=session.remembered(request), allow_rollback=True)
        report.introduction = request.introduction
        if previous is not None:
            report.previous = previous
            request = replace(request, contains=(previous,))
        outcome = verify(repository, request, make_pool=self.pools(repository), observer=self.observer)
        report.checked = outcome.checked
        if outcome.verdict == "authentic":
            return
        refusals = outcome.refusals
        absent = outcome.reason == "missing-object" and refusals[0].commit == rev
        if absent:
            hint = "Bring the clone or mirror up to date: git fetch; then check again."
            message = f"the locked commit {rev.hex()} is not in {shown(str(repository.path))}"
            refusals = (replace(refusals[0], message=message, hint=hint),)
        elif outcome.reason == "not-contained" and previous is not None:
            message = f"{rev.hex()} does not descend from {previous.hex()}, which was locked before"
            hint = "The lock goes back, or to another branch. If that is meant, " + (
                "move the input that brings this one, too."
                if "/" in report.name
                else "change the input's URL in flake.nix, too."
            )
            refusals = (replace(refusals[0], message=message, hint=hint),)
        raise _No(_verdict(outcome.verdict), refusals)


class NotMoved(GitverifyError):
    """There is nothing authentic to move an input to."""

    def __init__(self, report: InputReport) -> None:
        """Remember why."""
        super().__init__(report.refusals[0].message)
        self.report = report


def _supported(node: Node) -> bytes:
    """Return the locked commit of an input that can be judged by it."""
    locked, original = node.locked or {}, node.original or {}
    odd = sorted(name for name in locked if name not in _KNOWN and (name not in _HARMLESS_WHERE_FALSE or locked[name]))
    why = None
    if node.kind not in _KINDS:
        why = f"inputs of the type “{shown(node.kind, 40)}” are not judged"
    elif node.parent is not None or (node.kind == "path" and not str(locked.get("path", "")).startswith("/")):
        # Nix reads it out of the input that it lies in, and looks at neither its commit nor its hash.
        why = "the lock has it as a folder of another input, or of the flake itself: what that holds is what counts"
    elif node.rev is None:
        why = "the lock names no commit"
    elif node.nar_hash is None:
        why = "the lock names no hash (narHash): have Nix lock the input again"
    elif odd:
        why = f"the lock says “{shown(odd[0], 40)}”, by which there may be more in it than the commit's own tree"
    if why is not None or node.rev is None:
        raise _no("undecided", b"", "L2", "input-unsupported", why or "")
    if original.get("type") != "indirect" and locked.get("dir") != original.get("dir"):
        message = "the lock names another folder (“dir”) than the flake asked for"
        raise _no("refused", node.rev, "L1", "lock-invalid", message)
    return node.rev


def _previous(report: InputReport, node: Node, before: Node | None, *, is_brought: bool) -> bytes | None:
    """Return the commit that the locked one must descend from; None where there is none."""
    if before is None or before.rev is None:
        report.notes.append("it was not locked before: judged from the introduction alone")
        return None
    if before.original != node.original:
        was, now = described(before), described(node)
        if is_brought:
            said = (
                f"the lock says that {now} is asked for now, no more {was}, and what brings the input is where it was"
            )
            report.notes.append(f"{said}: judged by what was locked before")
            return before.rev
        report.notes.append(f"the flake asks for {now} now, no more for {was}: judged from the introduction alone")
        return None
    return before.rev


def described(node: Node) -> str:
    """Say in a few words what a flake asked for."""
    original = dict(node.original or {})
    kind = original.pop("type")
    return shown(f"{kind} " + " ".join(f"{name}={value}" for name, value in sorted(original.items())))


def _compare(repository: Repository, rev: bytes, commit: Commit, node: Node) -> str:
    """Return the form in which the commit's tree has the hash that the lock names."""
    locked = node.locked or {}
    if locked.get("lastModified", commit.date) != commit.date:
        message = f"the lock says that it was last modified at {locked['lastModified']}, the commit at {commit.date}"
        raise _no("refused", rev, "L3", "lock-mismatch", message)
    undecidable = None
    found = ""
    for form in forms(node):
        try:
            digest = hash_of(repository, rev, commit, form)
        except Undecidable as error:
            undecidable = error
            continue
        except Unfit as error:
            if error.code == "malformed-tree":
                raise _no("refused", rev, "R7", "malformed-tree", str(error)) from None
            raise _no("undecided", rev, "L3", "input-unsupported", f"it can't be hashed here: {error}") from None
        if digest == node.nar_hash:
            return form
        found = found or sri(digest)
    if undecidable is not None:
        raise _no("undecided", rev, "L3", "input-unsupported", f"its hash can't be computed here: {undecidable}")
    message = f"the lock has the hash {shown(str(locked['narHash']))}; the commit's tree has {found}"
    raise _no("refused", rev, "L3", "lock-mismatch", message)


def _compare_count(history: History, rev: bytes, node: Node) -> None:
    """Compare how many commits there are: an expression may build something else for another number."""
    locked = (node.locked or {}).get("revCount")
    if locked is None:
        return
    try:
        found = history.count(rev)
    except MalformedCommit as error:  # below the introduction
        raise _no("undecided", rev, "L3", "input-unsupported", f"its commits can't be counted: {error}") from None
    if type(locked) is not int or found != locked:
        message = f"the lock says that the commit is the last of {shown(str(locked))}, and it is the last of {found}"
        raise _no("refused", rev, "L3", "lock-mismatch", message)


def _verdict(text: str) -> Verdict:
    verdicts: dict[str, Verdict] = {"refused": "refused", "undecided": "undecided"}
    return verdicts.get(text, "error")


def _no(verdict: Verdict, commit: bytes, rule: str, code: str, message: str) -> _No:
    return _No(verdict, (Refusal(commit, rule, code, message, HINTS[code]),))
