"""Children that work ahead: every answer comes or is found here, and none of them is left behind."""

import os
import signal

import pytest

from gitverify import ahead
from gitverify.ahead import Ahead


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch):
    monkeypatch.setattr(ahead, "STRETCH", 2)


def until_the_end(children, blocks, prepare):
    """Take everything that children have to say."""
    taken = {}

    def take(block, answer):
        assert block not in taken
        taken[block] = answer

    ours = Ahead(children, blocks, prepare, taken.__setitem__)
    while ours._children:
        ours._poll.poll()
        ours.reached(-2)
    ours.close()
    return taken


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("children", [1, 2, 3])
@pytest.mark.parametrize("blocks", [0, 1, 2, 5, 8, 9])
def test_every_block_is_answered_once(children, blocks):
    taken = until_the_end(children, blocks, lambda: lambda block: (block, os.getpid()))
    assert {block: answer[0] for block, answer in taken.items()} == {block: block for block in range(blocks)}
    processes = {answer[1] for answer in taken.values()}
    assert len(processes) == min(children, -(-blocks // 2))
    assert os.getpid() not in processes


def test_stretches_are_taken_from_the_last_to_the_first():
    assert ahead._share(9, 1, 0) == [8, 6, 7, 4, 5, 2, 3, 0, 1]
    assert ahead._share(9, 2, 0) == [8, 4, 5, 0, 1]
    assert ahead._share(9, 2, 1) == [6, 7, 2, 3]


def test_a_child_that_has_nothing_ahead_is_ended():
    held, _ = os.pipe()

    def prepare():
        def work(block):
            return (os.getpid(),) if block == 8 else os.read(held, 1)

        return work

    taken = {}
    ours = Ahead(1, 9, prepare, taken.__setitem__)
    while 8 not in taken:
        ours._poll.poll()
        ours.reached(0)
    (child,) = taken[8]
    ours.reached(5)  # it is at the sixth block
    assert not gone(child)
    ours.reached(6)
    assert gone(child)
    assert not ours._children
    ours.reached(7)
    ours.close()


@pytest.mark.parametrize("end", ["nothing more", "an error", "a signal"])
def test_what_a_child_does_not_answer_is_left_out(end):
    def prepare():
        def work(block):
            if block < 6:
                if end == "a signal":
                    os.kill(os.getpid(), signal.SIGKILL)
                if end == "an error":
                    raise RuntimeError("of ours")
                return None
            return (block,)

        return work

    assert until_the_end(1, 9, prepare) == {6: (6,), 7: (7,), 8: (8,)}


def test_no_child_is_left_behind():
    held, _ = os.pipe()
    ours = Ahead(3, 9, lambda: lambda _block: os.read(held, 1), lambda *_: None)
    children = [child._process for child in ours._children.values()]
    assert len(children) == 3
    assert not any(gone(child) for child in children)
    ours.close()
    assert all(gone(child) for child in children)


def test_interrupts_reach_this_process_still():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    Ahead(2, 9, lambda: lambda block: (block,), lambda *_: None).close()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert signal.SIGINT not in before
