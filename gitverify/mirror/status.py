"""What a mirror has, without asking anybody: of each branch the commit, the mark it falls under, and the last run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.mark import MarkKey, MarkStore, StateError
from gitverify.mirror.memory import NotAMirror, read
from gitverify.session import Unanswerable, commit_line
from gitverify.settings import without_credentials
from gitverify.source import RepositoryError
from gitverify.statedir import default_state_directory
from gitverify.transfer.arrival import unopened

if TYPE_CHECKING:
    from pathlib import Path

    from gitverify.mirror.memory import Memory, Run
    from gitverify.report.model import CommitLine
    from gitverify.session import Query
    from gitverify.transfer.store import Store


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch: where it is (raw id; None where nothing was verified yet), what that says of itself, its mark."""

    name: str
    commit: bytes | None
    line: CommitLine | None
    mark: tuple[bytes, ...]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a mirror."""

    directory: Path
    memory: Memory
    branches: tuple[Branch, ...]


def look(store: Store, query: Query) -> Status:
    """Look at a mirror; ``query`` says where the marks are. Raises NotAMirror, Unanswerable."""
    memory = read(store.home)
    if memory is None:
        raise NotAMirror(f"{store.named} is no mirror: gitverify mirror update makes one")
    try:
        repository = store.open()
        with MarkStore.open(query.state or default_state_directory(store.environment), read_only=True) as marks:
            branches = []
            for name in memory.branches:
                reference = f"refs/heads/{name}"
                commit = repository.reference(reference)
                repository_name = memory.name or without_credentials(memory.url)
                mark = marks.get(MarkKey(bytes.fromhex(memory.introduction), repository_name, reference))
                line = commit_line(repository, commit) if commit is not None else None
                branches.append(Branch(name, commit, line, mark.commits if mark else (), memory.runs.get(name)))
    except RepositoryError as error:
        raise unopened(error) from None
    except StateError as error:
        raise Unanswerable(error.code, str(error), rule="R24") from None
    return Status(store.directory, memory, tuple(branches))
