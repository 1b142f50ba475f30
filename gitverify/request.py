"""What is asked of a verification, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from gitverify.errors import GitverifyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitverify.policies.model import Dialect, Policy
    from gitverify.rules.facts import Refusal
    from gitverify.walk import Fence

# Any change of what a verdict rests on raises this number: then everything is verified again (R25).
RULES_VERSION = 3

Verdict = Literal["authentic", "refused", "undecided", "error"]

MAX_FUTURE = 86_400  # seconds a committer date may lie ahead and still count for --max-age (R26)


@dataclass(frozen=True, slots=True)
class Floor:
    """What earlier runs accepted (R23): the mark's commits, and what may be skipped.

    ``trusted``: the mark was made under the same context (R25), so what it reaches needs no second look;
    otherwise it is a floor only. ``fences``: edges (child, parent) of the accepted part that are set apart. ``aside``:
    those of the commits that do not descend from the introduction. ``skew``: by how many seconds an accepted commit is
    dated later than one that descends from it, at most.
    """

    commits: tuple[bytes, ...] = ()
    trusted: bool = False
    fences: Mapping[tuple[bytes, bytes], Fence] = field(default_factory=dict)
    aside: frozenset[bytes] = frozenset()
    skew: int = 0
    accepted: int = 0
    freshness: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. Ids are raw; the introduction is the trust anchor and can't be left out (R1).

    ``signer``: the key id that must have signed the introduction. ``dialect`` and ``policy_path``: None to
    find them in the introduction's tree (R3). ``keyring``: a tree with certificates. ``max_age`` and ``now`` in
    seconds (R26).
    """

    tip: bytes
    introduction: bytes
    signer: str | None = None
    dialect: Dialect | None = None
    policy_path: bytes | None = None
    keyring: bytes | None = None
    historical: Policy | None = None
    floor: Floor = Floor()
    contains: tuple[bytes, ...] = ()
    allow_rollback: bool = False
    max_age: int | None = None
    now: int = 0
    keep_going: bool = False
    newest_authentic: bool = False


@dataclass(slots=True)
class Outcome:
    """The answer. ``reason`` is the code of the first refusal (oldest commit first), None when authentic.

    ``vouched`` counts the commits looked at per person and key; ``mark`` is the floor to store when authentic.
    ``rolled_back``: the tip does not reach the whole floor. ``fallback``: where the tip is refused, the newest
    authentic commit on its first-parent line (R27; only looked for when asked).
    """

    verdict: Verdict
    tip: bytes
    introduction: bytes
    dialect: Dialect | None = None
    policy_path: bytes | None = None
    reason: str | None = None
    refusals: tuple[Refusal, ...] = ()
    checked: int = 0
    skipped: int = 0
    vouched: dict[tuple[str, str], int] = field(default_factory=dict)
    introduced_at: int = 0
    tip_date: int = 0
    mark: Floor | None = None
    rolled_back: bool = False
    fallback: bytes | None = None

    def change(self, verdict: Verdict, refusals: tuple[Refusal, ...]) -> None:
        """Answer otherwise after all, with at least one refusal: no mark moves."""
        self.verdict = verdict
        self.reason = refusals[0].code
        self.refusals = refusals
        self.mark = None


class Stop(GitverifyError):
    """Ends a verification with an answer other than *authentic*; the first refusal is its reason."""

    def __init__(self, verdict: Verdict, refusals: tuple[Refusal, ...]) -> None:
        """Remember the answer; at least one refusal."""
        super().__init__(refusals[0].message)
        self.verdict: Verdict = verdict
        self.refusals = refusals


class Observer(Protocol):
    """Is told of progress."""

    def span(self, oldest: int, newest: int) -> None:
        """Learn between which committer dates (seconds since 1970) the work lies, which goes from new to old."""
        ...

    def examined(self, count: int, date: int) -> None:
        """So many more commits were examined, the last one committed at ``date``."""
        ...

    def judged(self, count: int, total: int) -> None:
        """So many of all commits that were examined have been decided on."""
        ...

    def exported(self, size: int) -> None:
        """One more file of the verified commit was written, of so many bytes."""
        ...


class Silent:
    """An observer that does nothing."""

    def span(self, oldest: int, newest: int) -> None:
        """Ignore it."""

    def examined(self, count: int, date: int) -> None:
        """Ignore it."""

    def judged(self, count: int, total: int) -> None:
        """Ignore it."""

    def exported(self, size: int) -> None:
        """Ignore it."""
