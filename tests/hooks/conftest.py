import time

import pytest
from hooks.place import Place


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture
def later(place, monkeypatch):
    """Two weeks after everything was committed."""
    now = time.time() + 14 * 86_400
    monkeypatch.setattr("gitverify.cli.verify.time.time", lambda: now)
