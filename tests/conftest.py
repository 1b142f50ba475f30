"""What all tests share."""

from __future__ import annotations


def pytest_make_parametrize_id(val, argname):
    """Name bytes by their argument: many are made with fresh keys, and pytest-xdist wants the same names everywhere."""
    return argname if isinstance(val, bytes) else None
