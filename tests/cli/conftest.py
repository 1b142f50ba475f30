import pytest
from cli.scene import Scene


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)
