"""R15, R16: who may change which path; the cursor against the definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.rights import may_change, policy

from gitverify.policies.coverage import EVERYTHING, NOTHING, Coverage, Extent, cover

POLICY = b".gitverify.yaml"
NOBODY = frozenset()
ALICE = frozenset({"alice"})

NAMES = st.sampled_from([b"a", b"A", b"a-", b"ab", b"a.b", b"p", b"\xff"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(b"/".join)
PREFIXES = st.tuples(PATHS, st.sampled_from([b"", b"/"])).map(b"".join) | st.just(b"/")
GRANTS = st.tuples(st.lists(PREFIXES, min_size=1, max_size=3), st.sets(st.sampled_from("abc"), max_size=2))
POLICIES = st.builds(
    lambda grants, unprotected: policy(*grants, unprotected=unprotected),
    st.lists(GRANTS, max_size=4),
    st.lists(PREFIXES.filter(lambda prefix: prefix != b"/"), max_size=2),
)
PEOPLE = st.frozensets(st.sampled_from("abcx"), max_size=2)


def at(cover, path):
    """Whether the leaf at this path is covered; below ALL and NONE everything says the same."""
    *directories, name = path.split(b"/")
    for directory in directories:
        below = cover.enter(directory)
        if cover.extent is not Extent.SOME:
            assert below.extent is cover.extent
        cover = below
    if cover.extent is not Extent.SOME:
        assert cover.leaf(name) is (cover.extent is Extent.ALL)
    return cover.leaf(name)


@given(POLICIES, PEOPLE, PATHS, st.booleans(), PATHS)
def test_a_path_is_covered_as_the_definition_says(policy, people, policy_path, policy_file, path):
    wanted = may_change(policy, people, path, policy_path, policy_file=policy_file)
    for _ in range(2):
        assert at(cover(policy, people, policy_path, policy_file=policy_file), path) is wanted


@given(POLICIES, PEOPLE, PATHS, st.booleans(), PATHS | st.just(b""))
def test_some_is_said_only_where_there_is_both(policy, people, policy_path, policy_file, directory):
    """So a directory is entered only where the answers differ; what may differ are the paths that are written down."""
    found = cover(policy, people, policy_path, policy_file=policy_file)
    for name in directory.split(b"/") if directory else ():
        found = found.enter(name)
    written = [policy_path, *(p.path for g in policy.grants for p in g.paths), *(p.path for p in policy.unprotected)]
    candidates = {path for written in written for path in (written, written + b"/other")}
    here = directory + b"/" if directory else b""
    below = {path for path in candidates if path.startswith(here) and path != here} | {here + b"other"}
    answers = {may_change(policy, people, path, policy_path, policy_file=policy_file) for path in below}
    assert found.extent is {(True,): Extent.ALL, (False,): Extent.NONE}.get(tuple(answers), Extent.SOME)


def test_what_covers_all_and_nothing():
    for covering, answer in ((EVERYTHING, True), (NOTHING, False)):
        assert covering.leaf(b"a") is answer
        assert covering.enter(b"a") is covering
    assert (EVERYTHING.extent, NOTHING.extent) == (Extent.ALL, Extent.NONE)


@pytest.mark.parametrize(
    ("prefixes", "covered", "not_covered"),
    [
        ([b"pkgs/"], [b"pkgs/x", b"pkgs/x/y"], [b"pkgs", b"pkgs-evil/x", b"pkgs.x", b"Pkgs/x", b"pkg/s", b"x/pkgs/y"]),
        ([b"a/b/"], [b"a/b/x"], [b"a", b"a/b", b"a/bc", b"a/bc/x", b"a/x", b"b/x"]),
        ([b"a/b"], [b"a/b"], [b"a/b/x", b"a/bc", b"a", b"a/B"]),
        ([b"a/b", b"a/b/"], [b"a/b", b"a/b/x"], [b"a/c"]),
        ([b"a/b", b"a/b/c/"], [b"a/b", b"a/b/c/x"], [b"a/b/c", b"a/b/x"]),
        ([b"/"], [b"a", b"a/b"], [POLICY, POLICY + b"/x"]),
        ([POLICY, POLICY + b"/", b"a"], [b"a"], [POLICY, POLICY + b"/x"]),
        ([b"\xc3\xa9/", b"\xff"], [b"\xc3\xa9/x", b"\xff"], [b"e\xcc\x81/x", b"\xff/x", b"\xfe"]),
    ],
)
def test_prefixes(prefixes, covered, not_covered):
    """R16; upper and lower case, and forms of Unicode, are different names."""
    found = cover(policy((prefixes, ["alice"])), ALICE, POLICY, policy_file=False)
    assert [path for path in (*covered, *not_covered) if at(found, path)] == covered


def test_grants_add_up_and_are_looked_up_by_name():
    both = policy(([b"a/"], ["alice", "bob"]), ([b"b/"], ["alice"]), ([b"b/c/"], ["bob"]), unprotected=[b"u/"])
    paths = [b"a/x", b"b/x", b"b/c/x", b"u/x", b"x"]
    for people, wanted in (
        (ALICE, paths[:4]),
        ({"bob"}, [b"a/x", b"b/c/x", b"u/x"]),
        ({"alice", "bob"}, paths[:4]),
        ({"mallory"}, [b"u/x"]),
        (NOBODY, [b"u/x"]),
    ):
        found = cover(both, frozenset(people), POLICY, policy_file=False)
        assert [path for path in paths if at(found, path)] == wanted


@pytest.mark.parametrize("grants", [[b"/"], [b"conf/"], [b"conf/policy.yaml"], [b"conf/policy.yaml/"], []])
@pytest.mark.parametrize("policy_file", [True, False])
def test_the_policy_file_is_covered_when_it_is_said_and_never_by_a_prefix(grants, policy_file):
    path = b"conf/policy.yaml"
    found = cover(policy((grants, ["alice"])), ALICE, path, policy_file=policy_file)
    assert at(found, path) is at(found, path + b"/x") is at(found, path + b"/x/y") is policy_file
    assert at(found, b"conf/Policy.yaml") is at(found, b"conf/x") is (grants in ([b"/"], [b"conf/"]))
    assert at(found, b"conf") is (grants == [b"/"])
    assert found.enter(b"conf").enter(b"policy.yaml") is (EVERYTHING if policy_file else NOTHING)


def test_a_whole_tree_with_the_policy_file_is_everything():
    whole = policy(([b"/"], ["alice"]))
    assert cover(whole, ALICE, POLICY, policy_file=True) is EVERYTHING
    assert cover(whole, ALICE, POLICY, policy_file=False).extent is Extent.SOME
    assert cover(whole, NOBODY, POLICY, policy_file=False) is NOTHING
    only = cover(whole, NOBODY, POLICY, policy_file=True)
    assert (only.extent, only.leaf(POLICY), only.leaf(b"a")) == (Extent.SOME, True, False)


def test_a_prefix_that_is_only_the_policy_files_covers_nothing():
    only = policy(([POLICY, POLICY + b"/", POLICY + b"/x", POLICY + b"/x/"], ["alice"]))
    assert cover(only, ALICE, POLICY, policy_file=False) is NOTHING
    assert cover(only, ALICE, b"elsewhere", policy_file=False).extent is Extent.SOME


def test_without_a_path_no_prefix_is_the_policy_files():
    assert cover(policy(([b"/"], ["alice"])), ALICE, b"", policy_file=False) is EVERYTHING


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_directory_in_which_several_have_something(number):
    people = ["alice", "bob", "carol"][:number]
    several = policy(*(([b"d/" + person.encode() + b"/"], [person]) for person in people))
    for person in people:
        found = cover(several, frozenset({person}), POLICY, policy_file=False)
        assert [one for one in people if at(found, b"d/" + one.encode() + b"/x")] == [person]


def test_views_are_shared_by_those_with_the_same_grants():
    shared = policy(([b"a/"], ["alice", "bob"]), ([b"b/"], ["carol"]))
    views = [cover(shared, frozenset({name}), POLICY, policy_file=False) for name in ("alice", "bob", "alice", "carol")]
    assert views[0] is views[1] is views[2] is not views[3]
    assert cover(shared, ALICE, POLICY, policy_file=True) is not views[0]
    assert cover(shared, ALICE, b"a/policy", policy_file=False) is not views[0]


def test_a_large_policy_takes_room_in_proportion():
    """10,000 prefixes that 3,000 people share, and a grant for each of them: no person copies what is shared."""
    people = [f"p{number}" for number in range(3000)]
    prefixes = [b"pkgs/%d/%d/" % (number % 100, number) for number in range(10_000)]
    grants = [
        (prefixes, people),
        *(([b"own/%d/" % at, b"pkgs/%d/%d" % (at % 7, at)], [p]) for at, p in enumerate(people)),
    ]
    large = policy(*grants, unprotected=[b"u/%d/" % number for number in range(1000)])
    found = Coverage(large, POLICY)
    roots = [found.root(frozenset({person}), policy_file=False) for person in people]
    assert all(at(root, b"own/%d/x" % number) for number, root in enumerate(roots))
    assert not any(at(root, b"own/%d/x" % (number + 1)) for number, root in enumerate(roots))
    assert all(at(roots[1], prefix + b"x") for prefix in prefixes)
    nodes, waiting = [], [found._trie]
    while waiting:
        nodes.append(waiting.pop())
        waiting += nodes[-1].children.values()
    written = sum(len(p.path.split(b"/")) for g in large.grants for p in g.paths) + 2 * len(large.unprotected)
    assert len(nodes) <= written + 1
    sets = {id(circles): len(circles) for node in nodes for circles in (node.leaf, node.subtree, node.below)}
    assert sum(sets.values()) <= 2 * written
    assert sum(len(circles) for circles, _ in found._views) == 3 * len(people)


def test_a_path_as_deep_as_a_policy_is_long():
    depth = 100_000
    deep = policy(([b"a/" * depth], ["alice"]))
    found = cover(deep, ALICE, POLICY, policy_file=False)
    assert at(found, b"a/" * depth + b"x")
    assert not at(found, b"a/" * (depth - 1) + b"x")
