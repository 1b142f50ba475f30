import pytest
from cli.forge import FILES, FIX, MALLORY, Forge
from cli.scene import Scene


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


@pytest.fixture
def forge(tmp_path):
    return Forge(tmp_path)


@pytest.fixture
def fix(forge):
    """Two unsigned commits on a branch that is pushed and checked out."""
    forge.branch("fix")
    forge.commit("Fix it", FIX, author=MALLORY)
    forge.commit("Fix more", {"README": FILES["README"].replace("5", "five")}, author=MALLORY)
    forge.git("push", "-q", "origin", "fix")
    return forge
