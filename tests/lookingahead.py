"""What other processes do ahead of a judgement or beside it, done here.

At once: the answers are there before the questions. Or as late as can be: nothing is examined before it is judged.
"""

from __future__ import annotations

from gitverify import foresight, judgement
from gitverify.pool import Inline


class LookingAhead(Inline):
    """Works through all blocks before the judgement begins."""

    def ahead(self, blocks, prepare, take):
        work = prepare()
        for block in reversed(range(blocks)):
            answer = work(block)
            if answer is None:
                break
            take(block, answer)
        return _Nothing()


class Reluctant(LookingAhead):
    """Examines a commit when it is waited for, the last one that was put first."""

    def __init__(self, examine, sink):
        super().__init__(examine, sink)
        self._put = []

    def put(self, commit, raw, head):
        self._put.append((commit, raw, head))

    def until(self, there):
        while self._put and not there():
            super().put(*self._put.pop())
            super().finish()

    def finish(self):
        self.until(lambda: False)

    def ahead(self, blocks, prepare, take):
        self.finish()
        return super().ahead(blocks, prepare, take)


class _Nothing:
    def reached(self, block):
        pass

    def close(self):
        pass


def looking_ahead(source):
    """Return what makes pools that look ahead, however small the history is."""
    foresight.WORTH_LOOKING = 0
    return lambda prepare, sink: LookingAhead(prepare(source), sink)


def reluctant(source):
    """Return what makes pools that examine late."""
    foresight.WORTH_LOOKING = 0
    judgement.STRETCH = 1
    return lambda prepare, sink: Reluctant(prepare(source), sink)
