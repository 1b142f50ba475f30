"""From a URL to a question: what was asked for is fetched, and the commit judged where it lies, in the quarantine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitverify.errors import MissingObject, OversizedObject
from gitverify.revisions import BadRevision, peel
from gitverify.session import Session, Unanswerable
from gitverify.settings import ConfigUntrusted, Identity, Settings, without_credentials
from gitverify.source import RepositoryError
from gitverify.transfer.quarantine import FetchFailed
from gitverify.transfer.url import BadSource, parse_branch

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.session import Query
    from gitverify.source import Repository
    from gitverify.transfer.quarantine import Quarantine
    from gitverify.transfer.store import Store
    from gitverify.transfer.url import Source

_KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one fetch may bring, and how long it may take."""

    bytes: int
    seconds: float


class Arrival:
    """What one run fetches from a URL. ``said`` hears what git says of its progress."""

    def __init__(
        self,
        store: Store,
        quarantine: Quarantine,
        source: Source,
        bounds: Bounds,
        said: Callable[[str], None] | None = None,
    ) -> None:
        """Fetch nothing yet; the store is locked."""
        self.store = store
        self.quarantine = quarantine
        self.source = source
        self._bounds = bounds
        self._said = said

    def fetch(self, *names: str) -> None:
        """Fetch branches (full names) or commits (ids). Raises Unanswerable: nothing can be decided."""
        try:
            self.quarantine.fetch(
                self.source, names, most_bytes=self._bounds.bytes, seconds=self._bounds.seconds, said=self._said
            )
        except FetchFailed as error:
            raise fetch_failed(str(error)) from None

    def tip(self, name: str) -> bytes:
        """Return the raw id that was fetched for a name. Raises Unanswerable."""
        found = self.quarantine.arrived(name)
        if found is None:
            raise fetch_failed(f"{name} did not arrive")
        return found

    def has(self, commit: bytes) -> bool:
        """Whether a commit (raw id) is here already, so that nothing has to be fetched for it."""
        try:
            return self.repository().read(commit)[0] == "commit"
        except (MissingObject, OversizedObject):
            return False

    def session(self, query: Query, tip: bytes, reference: str | None) -> Session:
        """Put a question about a commit that has arrived, or was verified before.

        ``reference``: whose mark it falls under, in full; None for none. The name of the repository for marks is the
        query's, else the URL. Raises Unanswerable, UsageProblem.
        """
        repository = self.repository()
        name = query.name or without_credentials(self.source.url)
        identity = Identity(name, reference or "")
        settings = self.settings(repository)
        try:
            commit = peel(repository, tip, reference or tip.hex())
        except BadRevision as error:
            raise Unanswerable("malformed-commit", str(error), verdict="refused", rule="R4") from None
        session = Session.about(repository, settings, query, commit, identity)
        try:
            session.request()
        except Unanswerable as error:
            if error.refusal.code != "keyring-missing":
                raise
            # It is a branch beside the one that was fetched.
            keyring = self._keyring(session.keyring_name() or _KEYRING)
            session = Session.about(self.repository(), settings, replace(query, keyring=keyring), commit, identity)
        return session

    def repository(self) -> Repository:
        """Open the store with all that has arrived. Raises Unanswerable."""
        try:
            return self.store.open(self.quarantine)
        except RepositoryError as error:
            raise unopened(error) from None

    @staticmethod
    def settings(repository: Repository) -> Settings:
        """Read git's configuration. Raises Unanswerable."""
        try:
            return Settings(repository)
        except ConfigUntrusted as error:
            raise Unanswerable("config-untrusted", str(error)) from None

    def _keyring(self, name: str) -> str:
        """Fetch the branch with the certificates (R12, R22), which holds material only; return its commit's id."""
        try:
            full = f"refs/heads/{parse_branch(name)}"
        except BadSource as error:
            raise Unanswerable("keyring-missing", f"the keyring can't be fetched: {error}", rule="R12") from None
        try:
            self.fetch(full)
        except Unanswerable as error:
            raise Unanswerable("keyring-missing", f"the keyring can't be fetched: {error}", rule="R12") from None
        return self.tip(full).hex()


def unopened(error: RepositoryError) -> Unanswerable:
    """Make the answer for a repository that can't be opened."""
    verdict = "undecided" if error.code == "unsupported-repository" else "error"
    return Unanswerable(error.code, str(error), verdict=verdict, rule="R5")


def fetch_failed(message: str) -> Unanswerable:
    """Make the answer for what did not come: nothing can be decided about it."""
    return Unanswerable("fetch-failed", message, verdict="undecided", rule="R5")
