import pytest
from forges.runner_of import Runner


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    return Runner(tmp_path_factory.mktemp("original"))


@pytest.fixture
def runner(original, tmp_path):
    return original.copied(tmp_path)
