"""From what a user asks to a report: finds repository, settings, keyring and mark, asks the engine, moves the mark.

This is where the layers meet: everything below is told what to do by values, everything above only shows a report.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitverify.anchor import detect_dialect
from gitverify.errors import GitverifyError, MalformedCommit, MissingObject, PolicyError
from gitverify.floors import floor_of, mark_of
from gitverify.keyrings import KeyringMissing, Keyrings
from gitverify.mark import Mark, MarkKey, MarkMoved, MarkStore
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Dialect
from gitverify.report.model import CommitLine, Report
from gitverify.request import RULES_VERSION, Floor, Request
from gitverify.revisions import BadRevision, Revision, resolve
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS, missing_object
from gitverify.settings import ConfigUntrusted, Identity, Settings, full_reference
from gitverify.source import Repository, RepositoryError
from gitverify.statedir import StateError, default_state_directory, require_outside
from gitverify.text import shown
from gitverify.treepath import components
from gitverify.values import parse_commit_id, parse_duration, parse_key
from gitverify.verify import verify_newest
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitverify.export.answer import Output
    from gitverify.objects.source import ObjectSource
    from gitverify.policies.model import Policy
    from gitverify.request import Observer, Outcome
    from gitverify.verify import MakePool
    from gitverify.worktree.answer import Checkout

_T = TypeVar("_T")

NO_INTRODUCTION = (
    "no introduction is configured. It is the commit that you trust, and everything is judged from it: take it, and "
    "the key that signed it, from the project's own pages and store it with: gitverify trust COMMIT --signer KEY"
)


class UsageProblem(GitverifyError):
    """What was asked makes no sense here (exit status 2)."""


class Unanswerable(GitverifyError):
    """The question can't be put to the engine: an answer of exit status 3 or 4."""

    def __init__(self, code: str, message: str, *, verdict: str = "error", rule: str = "R1") -> None:
        """Remember the answer."""
        super().__init__(message)
        self.verdict = verdict
        self.refusal = Refusal(b"", rule, code, message, HINTS.get(code, ""))


@dataclass(slots=True, kw_only=True)
class Query:
    """What a user asked for: None where nothing was said. ``git_…``: git's variables; ``now``: seconds since 1970.

    ``any_age``: how old the newest commit is (R26) is no question here, whatever is configured.
    """

    repo: Path | None = None
    git_dir: Path | None = None
    git_work_tree: Path | None = None
    rev: str = "HEAD"
    introduction: bytes | None = None
    signer: str | None = None
    keyring: str | None = None
    policy_path: str | None = None
    dialect: str | None = None
    historical_authorizations: Path | None = None
    state: Path | None = None
    no_state: bool = False
    ref: str | None = None
    name: str | None = None
    max_age: int | None = None
    contains: tuple[str, ...] = ()
    allow_rollback: bool = False
    newest_authentic: bool = False
    keep_going: bool = False
    worktree: bool = False
    allow_ignored: tuple[str, ...] = ()
    output: Path | None = None
    any_age: bool = False
    now: int = 0


class Session:
    """One repository with its settings, and one question about it."""

    def __init__(self, query: Query) -> None:
        """Open the repository and read its settings. Raises UsageProblem, NoCheckout, Unanswerable, MissingObject."""
        self.query = query
        self.repository = open_repository(query)
        try:
            self.settings = Settings(self.repository)
        except ConfigUntrusted as error:
            raise Unanswerable("config-untrusted", str(error)) from None
        self.revision = self.resolve(query.rev)
        self.identity = self._identify()
        self.signer = query.signer or self._configured("signer", parse_key)
        self.checkout = self._checkout()
        self.output = self._output()

    @classmethod
    def about(cls, repository: Repository, settings: Settings, query: Query, tip: bytes, identity: Identity) -> Session:
        """Put a question about a commit under the mark of ``identity``; nothing is opened. Raises Unanswerable."""
        session = cls.__new__(cls)
        session.query, session.repository, session.settings = query, repository, settings
        session.revision, session.identity = Revision(tip, identity.ref), identity
        session.signer = query.signer or session._configured("signer", parse_key)  # noqa: SLF001  (its own)
        session.checkout = None
        session.output = None
        return session

    def resolve(self, text: str) -> Revision:
        """Resolve a revision argument."""
        try:
            return resolve(self.repository, text)
        except BadRevision as error:
            raise UsageProblem(str(error)) from None

    @property
    def introduction(self) -> bytes:
        """The introduction (R1)."""
        found = self.query.introduction or self._configured("introduction", parse_commit_id)
        if found is None:
            raise Unanswerable("introduction-not-configured", NO_INTRODUCTION)
        return found

    def request(self) -> Request:
        """Put together what the engine is asked, but for the floor."""
        query = self.query
        dialect = query.dialect or self._configured("dialect", _dialect)
        path = query.policy_path or self._configured("policypath", str)
        if path is not None and not components(os.fsencode(path)):
            raise UsageProblem(
                f"“{shown(path)}” is no path of a policy file: write it relative to the root of the tree"
            )
        asked = Request(
            tip=self.revision.commit,
            introduction=self.introduction,
            signer=self.signer,
            dialect=Dialect(dialect) if dialect else None,
            policy_path=os.fsencode(path) if path else None,
            historical=self._historical(),
            contains=tuple(self._contained(text) for text in query.contains),
            allow_rollback=query.allow_rollback,
            max_age=None if query.any_age else query.max_age or self._configured("maxage", parse_duration),
            now=query.now,
            keep_going=query.keep_going,
            newest_authentic=query.newest_authentic,
        )
        return replace(asked, keyring=self._keyring(asked))

    def _contained(self, text: str) -> bytes:
        try:
            return parse_commit_id(text)
        except ValueError:
            return self.resolve(text).commit

    def _identify(self) -> Identity | None:
        """R23: whose mark; None only where there is no state to keep one in."""
        query = self.query
        reference = full_reference(query.ref) if query.ref else self.revision.reference
        if reference is None:
            if query.no_state:
                return None
            raise UsageProblem(
                f"“{shown(query.rev)}” names no branch, so it is not clear whose mark it falls under: name the branch "
                "with --ref, or say --no-state to do without protection against rollbacks",
            )
        identity = self.settings.identify(reference)
        return replace(identity, repository=query.name) if query.name else identity

    def _configured(self, key: str, parse: Callable[[str], _T]) -> _T | None:
        """Read an option from git's configuration."""
        branch = url = None
        if self.identity is not None:
            branch, url = self.identity.ref.removeprefix("refs/heads/"), self.identity.repository
        value = self.settings.option(key, branch, url)
        if value is None:
            return None
        try:
            return parse(value)
        except ValueError as error:
            message = f"git config gitverify.{key}: “{shown(value, 80)}” is {error}"
            raise Unanswerable("introduction-not-configured", message) from None

    def _checkout(self) -> Checkout | None:
        if not self.query.worktree:
            return None
        from gitverify.worktree.answer import Checkout  # noqa: PLC0415  (only where it is asked for)

        named = self.query.git_work_tree if self.query.repo is None else None
        return Checkout(self.repository, named, self.query.allow_ignored, self.settings.get)

    def _output(self) -> Output | None:
        if self.query.output is None:
            return None
        from gitverify.export.answer import Output  # noqa: PLC0415  (only where it is asked for)
        from gitverify.export.place import NoPlace  # noqa: PLC0415

        try:
            return Output(self.repository, self.query.output)
        except NoPlace as error:
            raise UsageProblem(f"--output: {error}") from None

    def _historical(self) -> Policy | None:
        path = self.query.historical_authorizations
        if path is None:
            return None
        from gitverify.policies.guix import parse_historical  # noqa: PLC0415  (rarely needed)

        try:
            return parse_historical(path.read_bytes())
        except (OSError, PolicyError) as error:
            raise UsageProblem(f"--historical-authorizations {shown(str(path))}: {error}") from None

    def _keyring(self, asked: Request) -> bytes | None:
        """Return the tree that holds the caller's certificates (R12), or the Guix dialect's (R22)."""
        name = self.query.keyring or self._configured("keyring", str)
        if name is None and detect_dialect(self.repository, asked) is not Dialect.GUIX:
            return None
        try:
            return self._keyrings.of_channel(asked.tip) if name is None else self._keyrings.named(name)
        except KeyringMissing as error:
            raise Unanswerable("keyring-missing", str(error), rule="R12") from None

    def keyring_name(self) -> str | None:
        """Return which keyring is named, by whoever asks or by the tip of a Guix channel; None where none is."""
        named = self.query.keyring or self._configured("keyring", str)
        return named or self._keyrings.channels_name(self.revision.commit)

    @property
    def _keyrings(self) -> Keyrings:
        return Keyrings(self.repository, self.settings, self.revision.reference or "")

    def repository_names(self) -> set[str]:
        """Return the names under which marks of this clone may stand (R23)."""
        urls = {self.settings.identify(f"refs/remotes/{remote}/x").repository for remote in self.settings.remotes()}
        named = {self.identity.repository} if self.identity is not None else set()
        return urls | named | {str(self.repository.common_directory)}

    def store_config(self, name: str, value: str | None) -> None:
        """Write to the repository's own git configuration; None removes the variable. Raises Unanswerable."""
        try:
            self.repository.set_config(name, value)
        except RepositoryError as error:
            raise Unanswerable("introduction-not-configured", str(error)) from None

    def open_store(self, *, read_only: bool = False) -> MarkStore:
        """Open the state (R24). Raises Unanswerable."""
        try:
            directory = self.query.state or default_state_directory(os.environ)
            places = [self.repository.path, self.repository.common_directory]
            places += [self.repository.worktree] if self.repository.worktree else []
            require_outside(directory, places)
            return MarkStore.open(directory, read_only=read_only)
        except StateError as error:
            raise Unanswerable(error.code, str(error), rule="R24") from None

    def remembered(self, request: Request) -> Floor:
        """Return what earlier runs accepted of the branch, to build on; no mark moves. Raises Unanswerable."""
        if self.query.no_state or self.identity is None:
            return Floor()
        key = MarkKey(request.introduction, self.identity.repository, self.identity.ref)
        try:
            with self.open_store(read_only=True) as store:
                return floor_of(store.get(key), self.context(request))
        except StateError as error:
            raise Unanswerable(error.code, str(error), rule="R24") from None

    def context(self, request: Request) -> bytes:
        """Digest all that a verdict depends on beside the objects (R25)."""
        historical = self.query.historical_authorizations
        parts = {
            "rules": RULES_VERSION,
            "introduction": request.introduction.hex(),
            "signer": request.signer,
            "dialect": request.dialect,
            "policy_path": request.policy_path.hex() if request.policy_path else None,
            "keyring": request.keyring.hex() if request.keyring else None,
            "historical": hashlib.sha256(historical.read_bytes()).hexdigest() if historical else None,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()

    def verify(self, make_pool: MakePool | None, observer: Observer | None) -> Report:
        """Verify, and move the mark where the answer is *authentic* (R23); then have the output appear."""
        try:
            return self._verify(make_pool, observer)
        finally:
            if self.output is not None:
                self.output.close()

    def _verify(self, make_pool: MakePool | None, observer: Observer | None) -> Report:
        request = self.request()
        if self.query.no_state or self.identity is None:
            outcome, tips = self._answer(request, make_pool, observer)
            self._appear(outcome)
            return self.report(outcome, tips)
        key = MarkKey(request.introduction, self.identity.repository, self.identity.ref)
        with self.open_store() as store:
            try:
                return self._verify_with(store, key, request, make_pool, observer)
            except StateError as error:
                raise Unanswerable(error.code, str(error), rule="R24") from None

    def _answer(
        self, request: Request, make_pool: MakePool | None, observer: Observer | None
    ) -> tuple[Outcome, Outcome | None]:
        """Ask the engine; then, of what is authentic, whether the checkout is the same (R28), and write it out."""
        outcome, tips = verify_newest(self.repository, request, make_pool=make_pool, observer=observer)
        if self.checkout is not None and outcome.verdict == "authentic":
            self.checkout.answer(outcome)
        if self.output is not None and outcome.verdict == "authentic":
            self.output.write(outcome, observer)
        return outcome, tips

    def _appear(self, outcome: Outcome) -> None:
        """Have appear what was written of an authentic commit, once the mark says so, too."""
        if self.output is not None and outcome.verdict == "authentic":
            self.output.appear(outcome)

    def _verify_with(
        self,
        store: MarkStore,
        key: MarkKey,
        request: Request,
        make_pool: MakePool | None,
        observer: Observer | None,
    ) -> Report:
        context = self.context(request)
        mark = store.get(key)
        others = [] if mark else store.all(request.introduction)
        while True:
            asked = replace(request, floor=floor_of(mark, context))
            outcome, tips = self._answer(asked, make_pool, observer)
            after = mark
            if outcome.verdict == "authentic" and outcome.mark is not None:
                after = mark_of(outcome.mark, context, self.query.now)
                unchanged = mark is not None and (mark.commits, mark.context) == (after.commits, context)
                if not unchanged:
                    try:
                        store.advance(key, mark, after, rollback=outcome.rolled_back)
                    except MarkMoved as moved:
                        mark = moved.current  # someone else accepted another tip meanwhile: judge against that
                        continue
            self._appear(outcome)
            report = self.report(outcome, tips)
            report.before = mark.commits if mark else ()
            report.after = after.commits if after else ()
            if mark is None and outcome.verdict == "authentic":
                report.notes += _first_run(key, others)
            return report

    def report(self, outcome: Outcome, tips: Outcome | None) -> Report:
        """Wrap an outcome with what a reader wants to see beside it."""
        identity = self.identity
        report = Report(
            outcome=outcome,
            signer=self.signer,
            ref=identity.ref if identity else None,
            repository=identity.repository if identity else None,
            left_out=tips,
            comparison=self.checkout.comparison if self.checkout is not None else None,
            exported=self.output.exported if self.output is not None else None,
        )
        named = [outcome.tip, *([tips.tip] if tips else [])]
        for refusal in report.refusals[:200]:
            named += [refusal.commit] + ([refusal.judged_by] if refusal.judged_by else [])
        for commit in named:
            line = commit_line(self.repository, commit)
            if line is not None:
                report.lines[commit] = line
        return report


def commit_line(repository: ObjectSource, commit: bytes) -> CommitLine | None:
    """Return what a commit says of itself; None where it can't be read."""
    try:
        parsed = parse_commit(read_commit(repository, commit))
    except (MissingObject, MalformedCommit):
        return None
    return CommitLine(parsed.subject, parsed.author, parsed.date)


def open_repository(query: Query, arriving: Sequence[Path] = ()) -> Repository:
    """Open what was named, else what the environment names (a hook's), else what this directory lies in.

    ``arriving``: see Repository. Raises UsageProblem where there is none, Unanswerable.
    """
    try:
        if query.repo is not None:
            return Repository(query.repo, arriving=arriving)
        if query.git_dir is not None:
            return Repository(query.git_dir, bare="trusted", arriving=arriving)
        return Repository(Path(), bare="no", arriving=arriving)
    except RepositoryError as error:
        if error.code == "not-a-repository":
            raise UsageProblem(str(error)) from None
        verdict = "undecided" if error.code == "unsupported-repository" else "error"
        raise Unanswerable(error.code, str(error), verdict=verdict, rule="R5") from None


def open_settings(query: Query) -> tuple[Repository, Settings]:
    """Open a repository with its settings, without a question about it. Raises UsageProblem, Unanswerable."""
    repository = open_repository(query)
    try:
        return repository, Settings(repository)
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None


def _dialect(text: str) -> str:
    if text not in {dialect.value for dialect in Dialect}:
        raise ValueError("no dialect: write native, guix or openssh")
    return text


def _first_run(key: MarkKey, others: list[tuple[MarkKey, Mark]]) -> list[str]:
    """R23: a first run has no floor; say so."""
    first = (
        f"first run on {shown(key.ref)} of {shown(key.repository)}: nothing could tell whether the server showed an "
    )
    notes = [first + "older state; if you know a recent commit that must be in it, name it with --contains"]
    for other, mark in others[:5]:
        at = ", ".join(commit.hex()[:12] for commit in mark.commits)
        notes.append(f"this introduction's mark on {shown(other.ref)} of {shown(other.repository)} is at {at}")
    return notes


def unanswered(error: Unanswerable | MissingObject) -> Report:
    """Make a report of a question that could not be put."""
    if isinstance(error, MissingObject):
        return Report(problem=missing_object(error), problem_verdict="undecided")
    return Report(problem=error.refusal, problem_verdict=error.verdict)
