"""What other processes do ahead of a judgement, done here and at once: the answers are there before the questions."""

from __future__ import annotations

from gitverify import foresight
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


class _Nothing:
    def reached(self, block):
        pass

    def close(self):
        pass


def looking_ahead(source):
    """Return what makes pools that look ahead, however small the history is."""
    foresight.WORTH_LOOKING = 0
    return lambda prepare, sink: LookingAhead(prepare(source), sink)
