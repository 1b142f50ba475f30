"""A progress line on a terminal: how many commits, how fast, how long still."""

from __future__ import annotations

import sys
import time

DELAY = 0.5  # seconds: what takes less needs no progress line
INTERVAL = 0.1
_WIDTH = 100


class Progress:
    """An observer of a verification. Silent unless stderr is a terminal and the work takes more than a moment."""

    def __init__(self) -> None:
        """Start the clock."""
        self._active = sys.stderr.isatty()
        self._start = time.monotonic()
        self._next = self._start + DELAY
        self._count = 0
        self._files = self._bytes = 0
        self._shown = False
        self._judging_since: float | None = None
        self.newest = 0
        self.oldest = 0

    def span(self, oldest: int, newest: int) -> None:
        """Tell the dates (seconds since 1970) between which the work lies: the share done is judged by them."""
        self.oldest, self.newest = oldest, newest
        self._judging_since = None

    def examined(self, count: int, date: int) -> None:
        """Count, and redraw now and then."""
        if not self._active:
            return
        self._count += count
        if self._judging_since is not None:  # then the last ones are examined while the first are decided on
            return
        now = self._due()
        if now is not None:
            self._draw(self._line(now, date))

    def exported(self, size: int) -> None:
        """Count what was written, and redraw now and then."""
        self._files += 1
        self._bytes += size
        if self._due() is not None:
            self._draw(f"writing: {self._files:,} files, {self._bytes / 1e6:,.0f} MB")

    def judged(self, count: int, total: int) -> None:
        """Show how many have been decided on, once all is examined."""
        now = self._due()
        if not count or self._judging_since is None:
            self._judging_since = time.monotonic()
        elif now is not None:
            left = (now - self._judging_since) * (total - count) / count
            self._draw(f"judging: {count:,} of {total:,} commits, {count / total:4.0%}, about {left:,.0f} s left")

    def said(self, line: str) -> None:
        """Show what git says while it fetches, a line that is safe to show, now and then."""
        if self._due() is not None:
            self._draw(f"fetching: {line[:_WIDTH]}")

    def _due(self) -> float | None:
        """Return the time where the line is to be drawn again."""
        if not self._active:
            return None
        now = time.monotonic()
        return now if now >= self._next else None

    def _draw(self, line: str) -> None:
        self._next = time.monotonic() + INTERVAL
        self._shown = True
        sys.stderr.write("\r\x1b[K" + line)
        sys.stderr.flush()

    def _line(self, now: float, date: int) -> str:
        spent = now - self._start
        text = f"verifying: {self._count:,} {'commit' if self._count == 1 else 'commits'}, {self._count / spent:,.0f}/s"
        span = self.newest - self.oldest
        done = (self.newest - date) / span if span > 0 else 0.0
        if 0.02 < done <= 1:
            filled = int(done * 20)
            text += f" [{'#' * filled}{'.' * (20 - filled)}] {done:4.0%}, about {spent / done - spent:,.0f} s left"
        return text

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
