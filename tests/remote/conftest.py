import gitserver
import pytest
from fetching import Upstream


@pytest.fixture
def upstream(tmp_path):
    with gitserver.http(tmp_path / "served") as server:
        yield Upstream(tmp_path, server)
