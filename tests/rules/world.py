"""Plain values for the rules: no git, no keys, no bytes to parse."""

from dataclasses import dataclass, field

from gitverify.objects.tree import TreeEntry
from gitverify.policies.model import (
    WHOLE_TREE,
    Dialect,
    Grant,
    OpenPgpKeySpec,
    Person,
    Policy,
    SshKeySpec,
)
from gitverify.rules.authority import Case, Parent, Standing
from gitverify.rules.facts import CommitFacts, Examined

ENTRY = TreeEntry(b"100644", b"\1" * 20)
OTHER_ENTRY = TreeEntry(b"100644", b"\2" * 20)
PRIMARY, SUBKEY = "A" * 40, "B" * 40


def ssh(name):
    return f"SHA256:{name}"


@dataclass
class Keys:
    """Key material that says what it is told to."""

    bound: dict = field(default_factory=dict)
    certified: set = field(default_factory=set)
    is_revoked: bool = False
    is_expired: bool = False

    def primaries(self, key):
        return self.bound.get(key, ())

    def known(self, key):
        return key in self.certified

    def revoked(self, key):
        return self.is_revoked

    def expired(self, key, at):
        return self.is_expired


def policy(*names, editors=None, granted=None, dialect=Dialect.NATIVE, specs=None, **options):
    people = {name: Person(name, (specs or {}).get(name, (SshKeySpec(ssh(name), b""),))) for name in names}
    whole = frozenset(names if granted is None else granted)
    grants = (Grant((WHOLE_TREE,), whole),)
    return Policy(dialect, people, grants, frozenset(whole if editors is None else editors), **options)


def pgp(key=PRIMARY, *, subkeys=True):
    return (OpenPgpKeySpec(key, subkeys),)


def commit(by="alice", *, entry=ENTRY, date=100, **examined):
    signed = {"key": ssh(by)} if by else {}
    return CommitFacts(b"c" * 20, b"t" * 20, (), date, Examined(entry, **(signed | examined)))


def parent(its_policy, *, entry=ENTRY, authentic=True, material=None, name=b"p"):
    return Parent(name * 20, b"u" * 20, entry, authentic, its_policy, material or Keys(), name * 20)


def case(facts, *parents, standing=Standing.MAIN, dialect=Dialect.NATIVE, own=None, other=None, side=None):
    own_policy = policy("alice") if own is None and facts.examined.entry is not None else own
    return Case(facts, parents, standing, dialect, own_policy, other, side or parent(policy("alice"), entry=None))


class Evidence:
    """Every signature is as examined; ``only_policy`` is what differs from a parent."""

    def __init__(self, *, only_policy=False):
        self._only_policy = only_policy

    def examine(self, facts, judge):
        return facts.examined

    def only_policy_differs(self, facts, other):
        return self._only_policy
