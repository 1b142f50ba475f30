"""Histories of inputs of which there is no clone or mirror here, fetched from where the lock says that they are.

That the lock names the server is no harm: what comes from there is judged from the user's introduction. It is kept
apart, and fetched into, as ``gitverify fetch`` does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.session import Unanswerable
from gitverify.text import shown
from gitverify.transfer.arrival import Arrival
from gitverify.transfer.store import Store
from gitverify.transfer.url import BadSource, parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gitverify.nix.lock import Node
    from gitverify.settings import Settings
    from gitverify.source import Repository
    from gitverify.transfer.arrival import Bounds

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "sourcehut": "git.sr.ht"}


@dataclass(frozen=True, slots=True)
class Fetching:
    """Where to keep what is fetched, in what environment git runs, how much may come, and who hears of progress."""

    cache: Path
    environment: Mapping[str, str]
    bounds: Bounds
    said: Callable[[str], None] | None = None

    @contextmanager
    def history(self, name: str, node: Node) -> Iterator[tuple[Repository, Settings]]:
        """Give a repository that has the locked commit. Raises Unanswerable, NoStore."""
        url = url_of(node)
        try:
            source = parse_url(url or "")
        except BadSource as error:
            message = f"{shown(name)} can't be fetched: {error}" if url else _NOWHERE.format(shown(name))
            raise Unanswerable("mirror-missing", message, rule="L2") from None
        store = Store.of(source.url, self.cache, self.environment)
        with store.locked("refs/heads/none") as quarantine:
            arrival = Arrival(store, quarantine, source, self.bounds, self.said)
            if node.rev is not None and not arrival.has(node.rev):
                arrival.fetch(node.rev.hex())
            repository = arrival.repository()
            yield repository, arrival.settings(repository)


_NOWHERE = "the lock does not say where the history of {} is: name a clone or mirror with --mirror"


def url_of(node: Node) -> str | None:
    """Return the URL of the repository that an input comes from; None where it comes from none (Nix manual)."""
    locked = node.locked or {}
    if node.kind == "git":
        return str(locked.get("url", "")).removeprefix("verified::")  # it is verified here
    if node.kind not in _HOSTS:
        return None
    host = locked.get("host", _HOSTS[node.kind])
    project = f"{locked.get('owner', '')}/{locked.get('repo', '')}".replace("%2F", "/")  # a GitLab's subgroups
    suffix = "" if node.kind == "sourcehut" else ".git"
    return f"https://{host}/{project}{suffix}"
