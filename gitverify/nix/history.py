"""Where the history of an input is: a clone or mirror that the user has named.

What ``gitverify mirror`` made remembers what it was judged by, and from which URL it comes; so its own marks count, and
where the user says no introduction, it is the mirror's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitverify.mirror.memory import NotAMirror, read
from gitverify.objects.commit import parse_head
from gitverify.session import Session, Unanswerable, UsageProblem
from gitverify.settings import ConfigUntrusted, Identity, Settings, without_credentials
from gitverify.source import Repository, RepositoryError
from gitverify.text import shown
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from pathlib import Path

    from gitverify.mirror.memory import Memory
    from gitverify.nix.lock import Node
    from gitverify.session import Query


@dataclass(frozen=True, slots=True)
class History:
    """An open repository, its settings, and, of one that ``gitverify mirror`` made, what it remembers."""

    repository: Repository
    settings: Settings
    memory: Memory | None = None

    def session(self, query: Query, tip: bytes, reference: str) -> Session:
        """Put a question about a commit under the mark of a branch (full name). Raises Unanswerable."""
        if self.memory is None:
            return Session.about(self.repository, self.settings, query, tip, self.settings.identify(reference))
        memory = self.memory
        own = bytes.fromhex(memory.introduction)
        if query.introduction in {None, own}:
            query = replace(
                query,
                introduction=own,
                signer=query.signer or memory.signer,
                keyring=memory.keyring,
                policy_path=memory.policy_path,
                dialect=memory.dialect,
            )
        identity = Identity(memory.name or without_credentials(memory.url), reference)
        return Session.about(self.repository, self.settings, query, tip, identity)

    def count(self, commit: bytes) -> int:
        """Return how many commits one reaches, itself included. Raises MissingObject, MalformedCommit."""
        seen, left = {commit}, [commit]
        while left:
            parents = parse_head(read_commit(self.repository, left.pop())).parents
            new = {parent for parent in parents if parent not in seen}
            seen |= new
            left += new
        return len(seen)

    def branch(self, name: str, node: Node) -> str:
        """Return the full name, here, of the branch that the flake asks for. Raises UsageProblem."""
        asked = (node.original or {}).get("ref")
        if asked is None:
            head = self.repository.symbolic("refs/remotes/origin/HEAD") or self.repository.symbolic("HEAD")
            places = [head] if head else []
        else:
            short = str(asked).removeprefix("refs/heads/")
            places = [f"refs/remotes/origin/{short}", f"refs/heads/{short}"]
        for place in places:
            if self.repository.reference(place) is not None:
                return place
        what = f"the branch {shown(str(asked))}" if asked is not None else "a default branch"
        raise UsageProblem(f"the mirror of {shown(name)} does not have {what}, which the flake asks for")


def open_history(name: str, place: Path | None) -> History:
    """Open the clone or mirror of an input. Raises Unanswerable."""
    if place is None:
        message = (
            f"of {shown(name)} there is no history here: make a clone or mirror of it, and name it with "
            f"--mirror {shown(name)}=DIR, or git config gitverify.input:{shown(name)}.mirror DIR; check can also fetch "
            "it (--fetch)"
        )
        raise Unanswerable("mirror-missing", message, rule="L2")
    try:
        repository = Repository(place, bare="named")
        return History(repository, Settings(repository), read(repository.path / "gitverify"))
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None
    except NotAMirror as error:
        raise Unanswerable("mirror-missing", f"the mirror of {shown(name)}: {error}", rule="L2") from None
    except RepositoryError as error:
        if error.code == "not-a-repository":
            message = f"the mirror of {shown(name)} can't be opened: {error}"
            raise Unanswerable("mirror-missing", message, rule="L2") from None
        verdict = "undecided" if error.code == "unsupported-repository" else "error"
        raise Unanswerable(error.code, str(error), verdict=verdict, rule="R5") from None
