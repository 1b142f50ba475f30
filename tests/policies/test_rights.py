"""Who may change a path, with names: the same as the definition says of each person."""

from hypothesis import given
from hypothesis import strategies as st
from policies.rights import may_change

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB, CAROL
from gitverify.policies import native
from gitverify.policies.rights import Register, Rights

PATH = b".gitverify.yaml"
NAMES = ("alice", "bob", "carol")
paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
below = paths.map(lambda path: path + "/")
prefixes = st.one_of(st.just("/"), paths, below)
grants = st.lists(st.tuples(st.lists(prefixes, min_size=1, max_size=3), st.sampled_from(NAMES)), max_size=4)


def policy(granted, unprotected=()):
    lines = [f"  - {{paths: [{', '.join(its)}], people: [{name}]}}" for its, name in granted]
    options = [f"unprotected: [{', '.join(unprotected)}]"] if unprotected else []
    people = dict(zip(NAMES, ([ALICE], [BOB], [CAROL]), strict=True))
    return native.parse(policies.native(people, *lines, *options, granted=["alice"]).encode())


@given(grants, st.lists(st.one_of(paths, below), max_size=2), st.lists(paths, max_size=4))
def test_everyone_who_may_and_nobody_else(granted, unprotected, asked):
    parsed = policy(granted, unprotected)
    register = Register(parsed, PATH)
    for path in [text.encode() for text in asked]:
        found = register.rights(path)
        may = {name for name in NAMES if may_change(parsed, {name}, path, PATH, policy_file=False)}
        assert found == Rights(frozenset(may), may_change(parsed, set(), path, PATH, policy_file=False))


def test_the_policy_file_and_what_would_lie_below_it():
    register = Register(policy([(["/"], "bob")], ["a/"]), PATH)
    everyone = Rights(frozenset(["alice", "bob"]), policy_file=True)
    assert register.rights(PATH) == register.rights(PATH + b"/x") == everyone
    assert not register.rights(PATH + b"x").policy_file
