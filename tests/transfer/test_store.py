"""Whose directory is taken for a store."""

from pathlib import Path

import pytest

from gitverify.transfer.store import NoStore, Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.git", {})


def test_a_directory_with_something_in_it_is_not_taken(store):
    store.directory.mkdir()
    (store.directory / "somebody's").touch()
    with pytest.raises(NoStore, match="was not made by gitverify"), store.locked("refs/heads/main"):
        pass
    assert [path.name for path in store.directory.iterdir()] == ["somebody's"]


def test_an_empty_one_is_taken(store):
    store.directory.mkdir()
    with store.locked("refs/heads/main"):
        assert store.open().path == store.directory


def test_one_that_another_run_makes_just_then(store, monkeypatch):
    """It has made everything when this one, which has found no store yet, looks for what else there is."""
    iterdir = Path.iterdir

    def made_meanwhile(path):
        monkeypatch.undo()
        with Store(store.directory, {}).locked("refs/heads/main"):
            pass
        return iterdir(path)

    store.directory.mkdir()
    monkeypatch.setattr(Path, "iterdir", made_meanwhile)
    with store.locked("refs/heads/main"):
        assert store.open().path == store.directory
