import pytest
from worktree.checkout import Checkout


@pytest.fixture
def made(tmp_path):
    return Checkout(tmp_path / "checkout")
