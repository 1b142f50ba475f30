"""An audit from question to answer: the commits are examined, each is judged on its own, and all are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gitverify.audit.alone import Alone
from gitverify.audit.ground import stand
from gitverify.audit.history import History
from gitverify.audit.model import Audit
from gitverify.audit.suggestions import Files, suggest
from gitverify.audit.tally import Tally, folders_above
from gitverify.errors import MalformedCommit, MalformedTree, TooMuch
from gitverify.examine import Examiner
from gitverify.objects.commit import parse_commit, parse_head
from gitverify.pool import Inline
from gitverify.request import Observer
from gitverify.rules.facts import CommitFacts, Examined
from gitverify.signatures.sshsig import public_key
from gitverify.trees.difference import changes
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.anchor import Anchor
    from gitverify.audit.model import Folder, Question, Stranger
    from gitverify.objects.source import ObjectSource
    from gitverify.policies.model import Policy
    from gitverify.pool import Pool, Sink

    MakePool = Callable[[Callable[[ObjectSource], Examiner], Sink], Pool]

_LINES = 1000  # for so many keys that are not listed the line that lists them is looked up


class Watcher(Observer, Protocol):
    """Is told of progress: first the commits are examined, from the newest to the oldest, and then judged."""

    def judged(self, count: int, total: int) -> None:
        """Learn that so many of all commits have been judged."""
        ...


def audit(
    source: ObjectSource, question: Question, *, make_pool: MakePool | None = None, watcher: Watcher | None = None
) -> Audit:
    """Answer a question; ``make_pool`` as for :func:`gitverify.verify.verify`.

    Raises Stop where what the audit stands on can't be used, and MissingObject: it is about all of a history or it
    is none.
    """
    tip = question.request.tip
    history = History(source, tip)
    anchor, lenders, policy = stand(source, question, history)
    chosen = _chosen(source, question, history)
    tree = _tree(source, tip)
    facts = _examine(source, anchor, tree, chosen, (make_pool, watcher))
    alone = Alone(source, anchor, history, facts, lenders)
    tally = Tally()
    for count, commit in enumerate(reversed(chosen), 1):
        tally.add(alone.judge(commit))
        if watcher is not None:
            watcher.judged(count, len(chosen))
    files = _files(anchor, tree)
    strangers = tally.strangers()
    for stranger in strangers[:_LINES]:
        stranger.line = _line(source, stranger)
        entries = policy.by_key.get(stranger.use.key, ()) if policy is not None else ()
        stranger.listed = entries[0][0].name if entries else None
    dates = [history.date(commit) for commit in chosen] or [0]
    return Audit(
        tip=tip,
        newest=max(dates),
        oldest=min(dates),
        proposed=question.policy,
        policy_path=anchor.examination.policy_path,
        introduction=question.introduction,
        total=tally.total,
        changes=tally.changes,
        paths=tally.paths,
        folders=_folders(tally, files, policy),
        people=tally.people(policy.people if policy is not None else ()),
        strangers=strangers,
        authors=tally.authors(),
        reasons=tally.reasons(),
        merges=tally.merges,
        mergeable=tally.mergeable,
        suggestions=suggest(tally.blocked, files, (tally.total.authentic, tally.total.commits), question.protected),
        files=files.total,
        immeasurable=tally.immeasurable,
    )


def _chosen(source: ObjectSource, question: Question, history: History) -> list[bytes]:
    """Return the commits that are looked at, newest first."""
    left_out: set[bytes] = set()
    for start in (question.introduction, question.since):
        if start in history.parents:
            left_out |= history.reached(start)
        elif start is not None:
            left_out |= set(History(source, start).parents)
    return [commit for commit in history.order if commit not in left_out][: question.most]


def _examine(
    source: ObjectSource,
    anchor: Anchor,
    tree: bytes | None,
    commits: Sequence[bytes],
    how: tuple[MakePool | None, Watcher | None],
) -> dict[bytes, CommitFacts]:
    """Have the commits' own bytes looked at, in several processes where there is a pool."""
    facts: dict[bytes, CommitFacts] = {}
    heads: dict[bytes, tuple[bytes, tuple[bytes, ...], int]] = {}
    keyring = anchor.likely_keyring(tree)
    make_pool, watcher = how

    def prepare(source: ObjectSource) -> Examiner:
        return Examiner(source, anchor.examination, keyring)

    def sink(commit: bytes, examined: Examined) -> None:
        tree, parents, date = heads.pop(commit)
        facts[commit] = CommitFacts(commit, tree, parents, date, examined)
        if watcher is not None:
            watcher.examined(1, date)

    pool = make_pool(prepare, sink) if make_pool is not None else Inline(prepare(source), sink)
    try:
        for commit in commits:
            try:
                raw = read_commit(source, commit)
                head = parse_head(raw)
            except MalformedCommit as error:
                heads[commit] = b"", (), 0
                sink(commit, Examined(malformed=("malformed-commit", str(error))))
            else:
                heads[commit] = head.tree, head.parents, head.date
                pool.put(commit, raw, head)
        pool.finish()
    finally:
        pool.close()
    return facts


def _tree(source: ObjectSource, tip: bytes) -> bytes | None:
    try:
        return parse_head(read_commit(source, tip)).tree
    except MalformedCommit:
        return None


def _files(anchor: Anchor, tree: bytes | None) -> Files:
    """Count the files at the tip; none where its trees can't be taken apart."""
    try:
        return Files(change.path for change in changes(anchor.trees, None, tree))
    except (MalformedTree, TooMuch):
        return Files(())


def _folders(tally: Tally, files: Files, policy: Policy | None) -> list[Folder]:
    unprotected = {prefix.path + b"/" for prefix in policy.unprotected if prefix.subtree} if policy is not None else ()
    folders = tally.folders()
    for folder in folders:
        folder.files = files.below(folder.path)
        folder.unprotected = any(above in unprotected for above in folders_above(folder.path))
    return folders


def _line(source: ObjectSource, stranger: Stranger) -> str | None:
    """Return the line by which a policy would list a key; None where only its name is known."""
    key = stranger.use.key
    if not key.startswith("SHA256:"):
        return f"openpgp: {key}" if len(key) >= 40 else None
    try:
        signature = parse_commit(read_commit(source, stranger.example)).signature
    except MalformedCommit:  # pragma: no cover - its signature was read
        return None
    found = public_key(signature or b"")
    return found.line if found is not None and found.fingerprint == key else None
