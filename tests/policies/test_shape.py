"""A list that is known to be there, unless it is not."""

import pytest

from gitverify.errors import PolicyError
from gitverify.policies import shape
from gitverify.policies.strictyaml import read


def test_a_known_list():
    node = read(b"a: [b]\nc: d\n")
    assert [item.value for item in shape.listed(node, "a").items] == ["b"]
    with pytest.raises(PolicyError, match="line 2, column 4: c must be a list, not the text “d”"):
        shape.listed(node, "c")
