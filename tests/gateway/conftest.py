import pytest
from gateway.serving import Mirrored, serving


@pytest.fixture
def mirrored(tmp_path):
    return Mirrored(tmp_path, "a/b")


@pytest.fixture
def client(mirrored):
    with serving(mirrored) as client:
        yield client


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """One that all tests of a module ask, and none changes."""
    mirrored = Mirrored(tmp_path_factory.mktemp("standing"), "a/b", "x.tar.gz")
    with serving(mirrored) as client:
        client.mirrored = mirrored
        yield client
