"""What all tests share."""

from __future__ import annotations

import signal

# A shell has what it starts in the background ignore interrupts, and that is inherited: tests which interrupt a process
# would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val, argname):
    """Name bytes by their argument: many are made with fresh keys, and pytest-xdist wants the same names everywhere."""
    return argname if isinstance(val, bytes) else None
