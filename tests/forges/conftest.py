import pytest
from forges.runner_of import Runner


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)
