"""Adding up what was found about single commits: by folder, person, key, author, reason and kind of merge."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gitverify.audit.model import (
    Author,
    Counts,
    Folder,
    KeyUse,
    Merge,
    Part,
    Person,
    Reason,
    Signing,
    Stranger,
)
from gitverify.policies.lint import FORGE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitverify.audit.model import Judged, Needs

_WANTED = frozenset({"unauthorized-key", "unknown-key"})
_KEY_ID = 16  # hexadecimal digits: the last ones of a fingerprint of version 4 (RFC 9580 §5.5.4.1)


class Tally:
    """Takes one commit after the other, the oldest first, and answers at the end."""

    def __init__(self) -> None:
        """Begin with none."""
        self.total = Counts()
        self.merges: dict[Merge, Counts] = {kind: Counts() for kind in Merge}
        self.mergeable = self.immeasurable = 0
        self.blocked: Counter[Needs] = Counter()
        self._changes = self._authentic_changes = 0
        self._paths: dict[bytes, bool] = {}
        self._folders: dict[bytes, Folder] = {}
        self._people: dict[str, tuple[Person, dict[str, KeyUse]]] = {}
        self._strangers: dict[str, _Seen] = {}
        self._authors: dict[bytes, Author] = {}
        self._reasons: dict[tuple[str, str], Reason] = {}

    def add(self, judged: Judged) -> None:
        """Count a commit."""
        self.total.add(judged)
        self.mergeable += judged.mergeable
        self.immeasurable += judged.immeasurable
        if judged.merge is not None:
            self.merges[judged.merge].add(judged)
        author = self._authors.get(judged.author)
        if author is None:
            author = self._authors[judged.author] = Author(judged.author)
        author.counts.add(judged)
        self._add_signer(judged)
        self._add_paths(judged)
        if judged.code is not None:
            self._add_refusal(judged, judged.code)

    def _add_signer(self, judged: Judged) -> None:
        if judged.signing is Signing.LISTED and judged.person is not None:
            person, keys = self._people.setdefault(judged.person, (Person(judged.person), {}))
            person.commits += 1
            person.authentic += judged.code is None
            if judged.key is not None:
                keys.setdefault(judged.key, KeyUse(judged.key)).add(judged.date)
        elif judged.signing is Signing.UNLISTED and judged.key is not None:
            self._strangers.setdefault(judged.key, _Seen(judged.key)).add(judged)

    def _add_paths(self, judged: Judged) -> None:
        authentic = judged.code is None
        paths = judged.paths
        self._changes += len(paths)
        self._authentic_changes += len(paths) if authentic else 0
        touched: set[bytes] = set()
        each = 1 / len(paths) if paths else 0.0
        for path in paths:
            self._paths[path] = authentic and self._paths.get(path, True)
            for above in folders_above(path):
                folder = self._folder(above)
                folder.weight += each
                if authentic:
                    folder.authentic_weight += each
                touched.add(above)
        for above in touched:
            self._folders[above].counts.add(judged)

    def _folder(self, path: bytes) -> Folder:
        folder = self._folders.get(path)
        if folder is None:
            folder = self._folders[path] = Folder(path)
        return folder

    def _add_refusal(self, judged: Judged, code: str) -> None:
        reason = self._reasons.setdefault((code, judged.rule), Reason(code, judged.rule, 0, judged.commit))
        reason.commits += 1
        reason.example = judged.commit
        if judged.needs:
            self.blocked[judged.needs] += 1
        # A directory that holds all that a commit needs, and all directories above it but the root, would be enough.
        for folder in {above for paths in judged.needs for above in folders_above(common_folder(paths)) if above}:
            self._folder(folder).unblocks += 1

    @property
    def changes(self) -> Part:
        """The paths of all contributions together."""
        return Part(self._authentic_changes, self._changes)

    @property
    def paths(self) -> Part:
        """Each path once."""
        return Part(sum(self._paths.values()), len(self._paths))

    def folders(self) -> list[Folder]:
        """Return the folders in the order of their paths, the root first."""
        return [folder for _, folder in sorted(self._folders.items())]

    def people(self, listed: Iterable[str]) -> list[Person]:
        """Return who signed, and who of ``listed`` did not."""
        found = {name: person for name, (person, _) in self._people.items()}
        for person, keys in self._people.values():
            person.keys = sorted(keys.values(), key=lambda use: (-use.commits, use.key))
        for name in listed:
            found.setdefault(name, Person(name))
        return sorted(found.values(), key=lambda person: (-person.commits, person.name))

    def strangers(self) -> list[Stranger]:
        """Return the keys that are not listed; a key id counts for the fingerprint that it is the end of."""
        long = {key[-_KEY_ID:]: key for key in self._strangers if len(key) == 40}
        for short in [key for key in self._strangers if len(key) == _KEY_ID and key in long]:
            self._strangers[long[short]].merge(self._strangers.pop(short))
        found = [seen.stranger() for seen in self._strangers.values()]
        return sorted(found, key=lambda stranger: (-stranger.use.commits, stranger.use.key))

    def authors(self) -> list[Author]:
        """Return whom the commits name."""
        return sorted(self._authors.values(), key=lambda author: (-author.counts.commits, author.identity))

    def reasons(self) -> list[Reason]:
        """Return why commits would be refused."""
        return sorted(self._reasons.values(), key=lambda reason: (-reason.commits, reason.code, reason.rule))


class _Seen:
    """A key that no policy lists, as far as it was met."""

    def __init__(self, key: str) -> None:
        self._use = KeyUse(key)
        self._proven = False
        self._wanted = 0
        self._example = b""
        self._authors: Counter[bytes] = Counter()

    def add(self, judged: Judged) -> None:
        self._use.add(judged.date)
        self._proven = self._proven or judged.proven
        self._wanted += judged.code in _WANTED
        self._example = judged.commit
        self._authors[judged.author] += 1

    def merge(self, other: _Seen) -> None:
        """Take over what was met under another name of the key."""
        self._use.commits += other._use.commits
        self._use.last = max(self._use.last, other._use.last)
        self._proven = self._proven or other._proven
        self._wanted += other._wanted
        self._authors += other._authors

    def stranger(self) -> Stranger:
        author = max(self._authors.items(), key=lambda item: (item[1], item[0]))[0]
        key = self._use.key
        forge = FORGE_KEYS.get(key) or next((whose for f, whose in FORGE_KEYS.items() if f[-_KEY_ID:] == key), None)
        return Stranger(self._use, self._proven, author, self._wanted, self._example, forge=forge)


def folders_above(path: bytes) -> Iterator[bytes]:
    """Yield the directories that a path lies in, the root (an empty path) first; each ends in a slash.

    A path that ends in a slash is a directory and lies in itself.
    """
    yield b""
    at = path.find(b"/")
    while at >= 0:
        yield path[: at + 1]
        at = path.find(b"/", at + 1)


def common_folder(paths: Iterable[bytes]) -> bytes:
    """Return the deepest directory that these paths (one at least) all lie in."""
    first, last = min(paths), max(paths)
    end = 0
    for at, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            break
        if one == ord("/"):
            end = at + 1
    return first[:end]
