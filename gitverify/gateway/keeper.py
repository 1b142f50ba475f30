"""What may be served of one mirror, and the archive of it. Everything that is refused is refused here.

A branch is served where its mirror's last update was authentic, it is judged so again, and it is not stale. A commit is
served as long as it is authentic itself and such a branch reaches it, whatever came of later updates: so what somebody
has locked stays there when the branch moves on, or may not.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.gateway.cache import Key
from gitverify.gateway.jobs import Failed
from gitverify.gateway.target import Refused
from gitverify.gateway.work import Verdict, digest, judge, make, reaches, remembered, require_authentic
from gitverify.rules.hints import HINTS
from gitverify.source import RepositoryError
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from gitverify.gateway.cache import Cache, Facts
    from gitverify.gateway.jobs import Jobs
    from gitverify.gateway.target import Form, Target
    from gitverify.gateway.work import Place
    from gitverify.mirror.memory import Memory
    from gitverify.source import Repository

_JUDGED_FOR = 60  # seconds, of what grows older
_MOST_KNOWN = 10_000
_ATTEMPTS = 3  # somebody else may remove what was just made


@dataclass(frozen=True, slots=True)
class Found:
    """What a target leads to: a commit (raw id), and what it was judged by."""

    commit: bytes
    digest: str


class Keeper:
    """One mirror under a name."""

    def __init__(self, name: str, place: Place, cache: Cache, jobs: Jobs, *, last_verified: bool = False) -> None:
        """``last_verified``: serve a branch as it was verified last, where its last update was refused."""
        self.name = name
        self.place = place
        self._cache = cache
        self._jobs = jobs
        self._last_verified = last_verified
        self._opened: tuple[tuple[int, int], Repository] | None = None
        # Of each branch that of one commit: where it is set back to another, that is judged again, and found out.
        self._verdicts: dict[tuple[str, str], tuple[bytes, float, Verdict]] = {}
        self._reached: dict[tuple[bytes, bytes], None] = {}
        self._authentic: dict[tuple[str, bytes], None] = {}
        self._under_way: dict[object, asyncio.Task[Any]] = {}

    def branches(self) -> list[str]:
        """Return the short names of what there is. Raises Refused."""
        return list(self._memory().branches)

    async def find(self, target: Target) -> Found:
        """Return which commit is to be served. Raises Refused."""
        memory = self._memory()
        if target.commit is not None:
            await self._require_reached(memory, target.commit)
            return Found(target.commit, digest(memory))
        branch = target.branch or ""
        if branch not in memory.branches:
            raise Refused("unknown-branch", f"{self.name} has no branch {shown(branch, 80)} that is mirrored")
        self._require_last_run(memory, branch)
        reference = f"refs/heads/{branch}"
        tip = self._tip(reference)
        if tip is None:
            raise Refused("not-verified", f"nothing of the branch {shown(branch, 80)} of {self.name} was verified yet")
        verdict = await self._judged(memory, reference, tip)
        if verdict.code is not None:
            raise self._refused(branch, verdict.code, verdict.message)
        if verdict.stale is not None:
            raise self._refused(branch, "stale", verdict.stale)
        return Found(tip, digest(memory))

    async def archive(self, found: Found, form: Form) -> tuple[int, Facts]:
        """Return an open file, and what is known of it. Raises Refused, Failed, Busy, OSError."""
        key = Key(found.digest, found.commit.hex(), form)
        for _ in range(_ATTEMPTS):
            if self._cache.is_known(key):
                opened = self._cache.opened(key)
                if opened is not None:
                    return opened
            await self._once(key, lambda: self._have(key, found.commit, form))
        raise Failed("the archive changes all the time")

    def facts(self, found: Found, form: Form) -> Facts | None:
        """Return what is known of an archive that was made already."""
        return self._cache.facts(Key(found.digest, found.commit.hex(), form))

    async def _have(self, key: Key, commit: bytes, form: Form) -> None:
        """See to it that the archive is there, and is what it was."""
        opened = await asyncio.to_thread(self._cache.opened, key)
        if opened is not None:
            os.close(opened[0])
            return
        # No thread waits for the process: with all of them waiting, none would be left for what they wait for.
        making = await asyncio.to_thread(self._cache.begin, key)
        try:
            facts = await self._jobs.run(make, self.place, commit, form, making, self._cache.most)
            await asyncio.to_thread(self._cache.put, key, making, facts)
        finally:
            await asyncio.to_thread(self._cache.forget, making)
        opened = await asyncio.to_thread(self._cache.opened, key)
        if opened is None:
            raise Failed("the archive is not what was written")
        os.close(opened[0])

    async def _once(self, key: object, begin: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Do something; whoever asks for the same meanwhile waits for it, and nobody who goes away stops it."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(begin())
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: object, done: asyncio.Task[Any]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever asked may have gone: then nobody else looks at it

    async def _judged(self, memory: Memory, reference: str, tip: bytes) -> Verdict:
        key = digest(memory), reference
        judged = self._verdicts.get(key)
        if judged is not None and judged[0] == tip and time.monotonic() < judged[1]:
            return judged[2]

        async def ask() -> Verdict:
            verdict = await self._jobs.run(judge, self.place, reference, tip, int(time.time()))
            # A refusal may pass: what keeps git's state, or settings, is put right. What is authentic remains so.
            for_good = verdict.code is None and not verdict.ages and not verdict.passing
            if not verdict.passing:
                self._verdicts[key] = tip, time.monotonic() + (float("inf") if for_good else _JUDGED_FOR), verdict
            return verdict

        verdict: Verdict = await self._once((*key, tip), ask)
        return verdict

    async def _require_reached(self, memory: Memory, commit: bytes) -> None:
        """Refuse a commit that is not authentic, or that no authentic branch reaches."""
        by = digest(memory)
        tips = {branch: tip for branch in memory.branches if (tip := self._tip(f"refs/heads/{branch}")) is not None}
        for branch, tip in tips.items():
            if not await self._reaches(tip, commit):
                continue
            if (await self._judged(memory, f"refs/heads/{branch}", tip)).code is not None:
                continue
            if commit != tip and (by, commit) not in self._authentic:
                await self._once((by, commit), lambda: self._require_authentic(by, commit))
            return
        raise Refused("not-verified", f"{commit.hex()} is in no verified branch of {self.name}")

    async def _reaches(self, tip: bytes, commit: bytes) -> bool:
        if tip == commit or (tip, commit) in self._reached:
            return True
        reached = await asyncio.to_thread(reaches, self.place, [tip], commit)
        if reached is not None:
            _note(self._reached, (tip, commit))
        return reached is not None

    async def _require_authentic(self, by: str, commit: bytes) -> None:
        await self._jobs.run(require_authentic, self.place, commit, int(time.time()))
        _note(self._authentic, (by, commit))

    def _memory(self) -> Memory:
        try:
            return remembered(self.place)
        except Refused as error:
            raise Refused(error.why, f"{self.name}: {error}") from None

    def _tip(self, reference: str) -> bytes | None:
        """Return what a branch is at, now."""
        try:
            place = self.place.directory.stat()
            which = place.st_dev, place.st_ino
            if self._opened is None or self._opened[0] != which:
                self._opened = which, self.place.store.open()
        except (OSError, RepositoryError):
            self._opened = None
            raise Refused("mirror-missing", f"{self.name}: its mirror can't be opened") from None
        return self._opened[1].reference(reference)

    def _require_last_run(self, memory: Memory, branch: str) -> None:
        run = memory.runs.get(branch)
        if self._last_verified or run is None or run.verdict == "authentic":
            return
        date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.at))
        raise self._refused(branch, run.reason or run.verdict, f"its last update ({date}) ended so")

    def _refused(self, branch: str, code: str, message: str) -> Refused:
        lines = [f"{self.name}, branch {shown(branch, 80)}: {message}", HINTS.get(code, "")]
        lines.append("What was locked before is still served. On the server: gitverify mirror status DIR")
        return Refused(code, "\n".join(line for line in lines if line))


def _note(known: dict[Any, None], key: object) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = None
