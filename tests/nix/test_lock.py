"""``flake.lock``, hostile and sound."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.limits import LIMITS
from gitverify.nix.lock import LockError, parse_lock

HASH = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
REV = "1" * 40


def node(**fields):
    locked = {"type": "github", "owner": "o", "repo": "r", "rev": REV, "narHash": HASH, "lastModified": 1}
    return {"locked": locked, "original": {"type": "github", "owner": "o", "repo": "r"}} | fields


def lock(*, nodes=None, inputs=None, **fields):
    nodes = {"a": node()} if nodes is None else nodes
    root = {"inputs": {"a": "a"} if inputs is None else inputs}
    return {"version": 7, "root": "root", "nodes": {"root": root, **nodes}, **fields}


def parsed(value):
    return parse_lock(json.dumps(value).encode())


def refused(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(LockError) as error:
        parse_lock(raw)
    return str(error.value)


def test_a_sound_one():
    found = parsed(lock())
    ((path, a),) = found.inputs()
    assert path == ("a",)
    assert (a.kind, a.rev.hex(), len(a.nar_hash)) == ("github", REV, 32)
    assert found.unused() == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "no JSON"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b"[]", "the file is no object"),
        (b'{"version": 7, "version": 7}', "“version” stands twice"),
        (b'{"version": 7.0}', "“7.0” is no whole number"),
        (b'{"version": NaN}', "“NaN” is no whole number"),
        (b'{"version": -Infinity}', "is no whole number"),
        (b'{"version": 1e3}', "is no whole number"),
        (b'{"version": 9223372036854775808}', "is too large"),
        (b'{"version": %s}' % (b"9" * 10_000), "is too large"),
        (b'{"a": ' + b"[" * 100_000, "more than 32 deep"),
        (b'{"a": ' * 100_000, "more than 32 deep"),
        (b'"' + b'\\"[' * 600_000, "no JSON"),
        (b" " * (2 << 20) + b"{}", "bytes long"),
        (b'{"nodes": {}, "root": "root", "version": true}', "its version is not 7"),
        (b'{"nodes": {}, "root": "root", "version": 8}', "its version is not 7"),
    ],
)
def test_bytes_that_are_none(raw, message):
    assert message in refused(raw)


def test_brackets_in_strings_do_not_count():
    assert parsed(lock(nodes={"a": node(original={"type": "git", "url": '"' + "[{" * 100})}))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lock(more=1), "has “more”"),
        (lock(root="nobody"), "names the node “nobody”"),
        (lock(root=1), "“root” is no text"),
        (lock() | {"nodes": []}, "“nodes” is no object"),
        (lock(nodes={"a": node(more=1)}), "the node “a” has “more”"),
        (lock(nodes={"a": []}), "the node “a” is no object"),
        (lock(nodes={"a": {"locked": {"type": "git"}}}), "“original” of the node “a” is no object"),
        (lock(nodes={"a": node(locked={"rev": REV})}), "“type” in “locked”"),
        (lock(nodes={"a": node(locked={"type": "git", "rev": "abc"})}), "“rev” in"),
        (lock(nodes={"a": node(locked={"type": "git", "rev": REV.upper().replace("1", "A")})}), "“rev” in"),
        (lock(nodes={"a": node(locked={"type": "git", "rev": 1})}), "“rev” in"),
        (lock(nodes={"a": node(locked={"type": "git", "narHash": "sha256-AAAA"})}), "“narHash” in"),
        (lock(nodes={"a": node(locked={"type": "git", "narHash": HASH[7:]})}), "“narHash” in"),
        (lock(nodes={"a": node(locked={"type": "git", "narHash": HASH[:-1] + "é"})}), "“narHash” in"),
        (lock(nodes={"a": node(locked={"type": "git", "narHash": 7})}), "“narHash” in"),
        (lock(nodes={"a": node(locked={"type": "git", "x": None})}), "“x” in “locked”"),
        (lock(nodes={"a": node(locked={"type": "git", "x": []})}), "“x” in “locked”"),
        (lock(nodes={"a": node(flake="no")}), "neither true nor false"),
        (lock(nodes={"a": node(parent="a")}), "no list of names"),
        (lock(nodes={"a": node(locked={"type": "git", "url": "https://h/\ud800"})}), "a lone surrogate"),
        (lock(inputs={"a": "b"}), "is to be “b”"),
        (lock(inputs={"a": "root"}), "is to be “root”"),
        (lock(inputs={"a": ["b"]}), "which leads nowhere"),
        (lock(inputs={"a": ["a"]}), "which leads nowhere"),
        (lock(inputs={"a": ["b", "c"], "b": ["a", "c"]}), "which leads nowhere"),
        (lock(inputs={"a": [1]}), "no list of names"),
        (lock(inputs={"a": 1}), "no list of names"),
        (lock(inputs={"a b": "a"}), "no name of an input"),
        (lock(inputs={"": "a"}), "no name of an input"),
        (lock(inputs={"a/b": "a"}), "no name of an input"),
        (lock() | {"nodes": {"root": {"inputs": {}, "locked": {"type": "git"}}}}, "is the root"),
        (lock(nodes={f"n{n}": {} for n in range(10_001)}), "more than 10,000 nodes"),
    ],
)
def test_json_that_is_none(value, message):
    assert message in refused(value)


def test_what_follows_itself_many_times_over_is_soon_refused():
    """Each follows the one below two times: followed to the end that would be 2 ** 60 steps."""
    inputs = {f"t{n}": [f"t{n - 1}", f"t{n - 1}"] for n in range(1, 60)}
    assert "leads nowhere" in refused(lock(inputs={"a": "a", "t0": [], **inputs}))


def test_one_name_of_very_many_that_stands_twice_is_soon_found():
    """Not by counting each of them among all of them."""
    names = ",".join(f'"{number}":0' for number in range(100_000))
    assert "“99999” stands twice" in refused(f'{{{names},"99999":0}}'.encode())


def test_control_characters_are_shown_as_escapes():
    message = refused(lock(nodes={"a": node(**{"\x1b[31m": 1})}))
    assert "\x1b" not in message
    assert "\\x1b" in message


def test_a_lone_surrogate_is_shown():
    refused(b'{"\\ud800": 1}').encode()


def test_inputs_of_inputs():
    nodes = {"a": node(inputs={"x": "x", "n": ["b"]}), "b": node(), "x": node(inputs={"b": "b"}), "left": node()}
    found = parsed(lock(nodes=nodes, inputs={"a": "a", "b": "b", "f": ["a", "x"]}))
    assert [("/".join(path), each.key) for path, each in found.inputs()] == [("a", "a"), ("b", "b"), ("a/x", "x")]
    assert found.find(("f",)).key == "x"
    assert found.find(("f", "b")).key == "b"
    assert found.find(("a", "n")).key == "b"
    assert found.find(()).key == "root"
    assert found.find(("a", "nobody")) is None
    assert found.unused() == ["left"]


@pytest.mark.parametrize(
    ("nodes", "named"),
    [
        ({"a": node(inputs={"a": "a"})}, "a"),
        ({"a": node(inputs={"b": "b"}), "b": node(inputs={"a": "a"})}, "a"),
        ({"a": node(inputs={"b": "b"}), "b": node(inputs={"c": "c"}), "c": node(inputs={"b": "b"})}, "b"),
    ],
)
def test_what_is_its_own_input_is_refused(nodes, named):
    """Nix follows it until it has no memory left."""
    assert f"the node “{named}” is an input of itself" in refused(lock(nodes=nodes))


@pytest.mark.parametrize(
    "nodes",
    [
        {
            "a": node(inputs={"b": "b", "c": "c"}),
            "b": node(inputs={"d": "d"}),
            "c": node(inputs={"d": "d"}),
            "d": node(),
        },
        {"a": node(inputs={"a": ["a"]})},
        {"a": node(inputs={"b": "b"}), "b": node(inputs={"a": ["a"]})},
        {"a": node(), "left": node(inputs={"left": "left"})},
    ],
)
def test_what_is_no_circle_of_inputs(nodes):
    """Two ways to one node; what follows is looked up only where it is used; and Nix drops what nothing leads to."""
    assert parsed(lock(nodes=nodes)).nodes.keys() == {"root", *nodes}


def test_more_ways_through_the_nodes_than_there_may_be_nodes():
    """Nix goes each of them."""

    def ladder(height):
        rungs = {f"t{n}": node(inputs={"x": f"t{n + 1}", "y": f"t{n + 1}"}) for n in range(height)}
        return lock(nodes={**rungs, f"t{height}": node()}, inputs={"a": "t0"})

    assert parsed(ladder(10)).root == "root"
    assert "more than 10,000 ways lead to its nodes" in refused(ladder(60))


def test_the_limits_are_what_the_tests_take_them_for():
    assert (LIMITS.lock_size, LIMITS.lock_depth, LIMITS.lock_nodes) == (2 << 20, 32, 10_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([REV, HASH, "a", "root"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["nodes", "root", "version", "inputs", "locked", "original", "type", "rev", "narHash", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=JSON, root=JSON, inner=JSON)
def test_nothing_but_its_own_error_leaves_the_reader(value, root, inner):
    for each in (value, lock(nodes={"a": inner}), lock(inputs=root), lock(nodes={"a": node(inputs=value)})):
        try:
            found = parsed(each)
        except LockError:
            continue
        assert all(found.find(path).key == each.key for path, each in found.inputs())


@given(raw=st.binary(max_size=64))
def test_nor_of_any_bytes(raw):
    with pytest.raises(LockError):
        parse_lock(raw)
