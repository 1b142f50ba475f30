import gitserver
import pytest
from fetching import Upstream
from ways import WAYS


@pytest.fixture
def upstream(tmp_path):
    with gitserver.http(tmp_path / "served") as server:
        yield Upstream(tmp_path, server)


@pytest.fixture(params=WAYS)
def way(request, upstream):
    """Each of the commands that fetch, which has fetched and verified once."""
    made = WAYS[request.param](upstream)
    made.first()
    return made
