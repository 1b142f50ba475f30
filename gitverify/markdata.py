"""What the store of marks holds: the values, and the bytes that stand for them. Pure.

A row is JSON in ASCII with sorted keys, one byte string per value, so that it can be digested, and read by a person
with any SQLite tool. :mod:`gitverify.mark` says what the digests are for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FENCES = frozenset({"dropped", "side", "loose"})


@dataclass(frozen=True, slots=True, order=True)
class MarkKey:
    """What a mark belongs to (R23). Text that stands for other bytes has them as surrogate escapes (PEP 383)."""

    introduction: bytes
    """Raw id of the introduction commit."""
    repository: str
    ref: str

    def __post_init__(self) -> None:
        """Raise :class:`ValueError` for text that has no byte form, and so no unique one in JSON either."""
        self.repository.encode("utf-8", "surrogateescape")
        self.ref.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Mark:
    """What has been accepted under a key. Raises :class:`ValueError` where it could not be the result of a verdict."""

    commits: tuple[bytes, ...]
    """The newest vouched commits (R23), raw ids, ascending; never empty."""
    context: bytes
    """Digest of what the verdict depended on (R25)."""
    accepted: int
    """How many commits after the introduction are covered."""
    freshness: Mapping[str, int] = field(hash=False)
    """Key id to the newest committer date, in seconds, among the accepted commits that it vouched for (R26)."""
    recorded_at: int
    """When the mark was moved, seconds since 1970."""
    fences: tuple[tuple[bytes, bytes, str], ...] = ()
    """Edges (child, parent) below the mark that are set apart, each with why: ``dropped`` (the parent is not authentic,
    R20), ``side`` (it does not descend from the introduction, R21), ``loose`` (not binding, R23); ascending."""
    aside: tuple[bytes, ...] = ()
    """Those of ``commits`` that do not descend from the introduction, ascending."""
    skew: int = 0
    """By how many seconds at most an accepted commit is dated later than one that descends from it."""

    def __post_init__(self) -> None:
        """Keep one form per value: comparing and hashing marks rests on it."""
        if not self.commits:
            raise ValueError("a mark without commits")
        if not (_is_sorted(self.commits) and _is_sorted(self.aside) and _is_sorted(self.fences)):
            raise ValueError("commits and edges of a mark are kept sorted, each once")
        if not set(self.aside) <= set(self.commits):
            raise ValueError("a commit to the side that is none of the mark's")
        if not {kind for _, _, kind in self.fences} <= FENCES:
            raise ValueError("an edge is set apart for no known reason")
        if self.accepted < 0 or self.skew < 0:
            raise ValueError("a negative number")


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback that the user allowed (R23): when, from which commits, to which."""

    key: MarkKey
    recorded_at: int
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


def key_id(key: MarkKey) -> bytes:
    """Return the 32 bytes under which the mark of ``key`` is stored."""
    return sha256(_json(_key_fields(key))).digest()


def mark_body(key: MarkKey, mark: Mark) -> bytes:
    """Return the stored form of a mark, which names its key too: a row can't pass for another's."""
    fields = {
        "commits": _hex(mark.commits),
        "context": mark.context.hex(),
        "accepted": mark.accepted,
        "freshness": dict(mark.freshness),
        "recorded_at": mark.recorded_at,
        "fences": [[child.hex(), parent.hex(), kind] for child, parent, kind in mark.fences],
        "aside": _hex(mark.aside),
        "skew": mark.skew,
    }
    return _json(_key_fields(key) | fields)


def read_mark(body: bytes) -> tuple[MarkKey, Mark]:
    """Return what :func:`mark_body` was given. Raises :class:`ValueError` for anything else."""
    fields = _fields(body)
    try:
        mark = Mark(
            commits=_raw(fields["commits"]),
            context=bytes.fromhex(fields["context"]),
            accepted=fields["accepted"],
            freshness=fields["freshness"],
            recorded_at=fields["recorded_at"],
            fences=tuple(
                (bytes.fromhex(child), bytes.fromhex(parent), kind) for child, parent, kind in fields["fences"]
            ),
            aside=_raw(fields["aside"]),
            skew=fields["skew"],
        )
        key = _read_key(fields)
        same = mark_body(key, mark) == body
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a mark") from error
    if not same:
        raise ValueError("not in the form that a mark is stored in")
    return key, mark


def rollback_body(rollback: Rollback) -> bytes:
    """Return the stored form of a recorded rollback."""
    fields = {
        "recorded_at": rollback.recorded_at,
        "before": _hex(rollback.before),
        "after": _hex(rollback.after),
    }
    return _json(_key_fields(rollback.key) | fields)


def read_rollback(body: bytes) -> Rollback:
    """Return what :func:`rollback_body` was given. Raises :class:`ValueError` for anything else."""
    fields = _fields(body)
    try:
        key = _read_key(fields)
        return Rollback(key, fields["recorded_at"], _raw(fields["before"]), _raw(fields["after"]))
    except (KeyError, TypeError) as error:
        raise ValueError("not a recorded rollback") from error


def checksum(body: bytes) -> bytes:
    """Return the digest that is stored next to the body of a mark."""
    return sha256(b"gitverify mark 1\n" + body).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """Return the digest of an event and all before it; ``previous`` is empty for the first."""
    return sha256(b"gitverify event 1\n" + previous + body).digest()


def seal(events: int, chain: bytes, rows: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the digest over how many events there are, the last one's digest, and each mark's id and checksum.

    Each value is written out in hexadecimal with a separator, so that no shift of bytes between them goes unseen.
    Raises :class:`AttributeError` where damage has made something else than bytes of one of them.
    """
    lines = [f"gitverify seal 1\n{events} {chain.hex()}"]
    lines.extend(f"{identity.hex()} {digest.hex()}" for identity, digest in rows)
    return sha256("\n".join(lines).encode()).digest()


def _is_sorted(values: tuple[Any, ...]) -> bool:
    return list(values) == sorted(set(values))


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode("ascii")


def _fields(body: bytes) -> dict[str, Any]:
    fields = json.loads(body)
    if not isinstance(fields, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a wrong value, not a wrong argument
    return fields


def _key_fields(key: MarkKey) -> dict[str, Any]:
    return {"introduction": key.introduction.hex(), "repository": key.repository, "ref": key.ref}


def _read_key(fields: dict[str, Any]) -> MarkKey:
    return MarkKey(bytes.fromhex(fields["introduction"]), fields["repository"], fields["ref"])


def _hex(ids: Iterable[bytes]) -> list[str]:
    return [one.hex() for one in ids]


def _raw(ids: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(one) for one in ids)
