"""Plain values for the rules: no git, no keys, no bytes to parse."""

from dataclasses import dataclass, field

from gitverify.objects.tree import TreeEntry
from gitverify.policies.coverage import cover
from gitverify.policies.model import (
    WHOLE_TREE,
    Dialect,
    Grant,
    OpenPgpKeySpec,
    Person,
    Policy,
    SshKeySpec,
)
from gitverify.rules.authority import Base, Case, Parent, Standing
from gitverify.rules.facts import CommitFacts, Examined, Unproven

ENTRY = TreeEntry(b"100644", b"\1" * 20)
OTHER_ENTRY = TreeEntry(b"100644", b"\2" * 20)
POLICY_PATH = b".gitverify.yaml"
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
        return self.is_revoked and key in self.certified

    def expired(self, key, at):
        return self.is_expired and key in self.certified and at == 50


def policy(*names, editors=None, granted=None, dialect=Dialect.NATIVE, specs=None, limited=(), **options):
    people = {name: Person(name, (specs or {}).get(name, (SshKeySpec(ssh(name), b""),))) for name in names}
    whole = frozenset(names if granted is None else granted)
    grants = (Grant((WHOLE_TREE,), whole), *(Grant((prefix,), frozenset([name])) for name, prefix in limited))
    return Policy(dialect, people, grants, frozenset(whole if editors is None else editors), **options)


def pgp(key=PRIMARY, *, subkeys=True):
    return (OpenPgpKeySpec(key, subkeys),)


def commit(by="alice", *, entry=ENTRY, date=100, tree=b"t", **examined):
    signed = {"key": ssh(by)} if by else {}
    if not signed and not {"key", "unproven"} & examined.keys():
        signed = {"unproven": Unproven("unsigned", "the commit has no signature")}
    return CommitFacts(b"c" * 20, tree * 20, (), date, Examined(entry, **(signed | examined)))


def parent(its_policy, *, entry=ENTRY, authentic=True, material=None, name=b"p", tree=b"u", standing=Standing.MAIN):
    return Parent(name * 20, tree * 20, entry, authentic, its_policy, material or Keys(), name * 20, standing)


def case(facts, *parents, standing=Standing.MAIN, dialect=Dialect.NATIVE, own=None, other=None, side=None):
    own_policy = policy("alice") if own is None and facts.examined.entry is not None else own
    return Case(facts, parents, standing, dialect, own_policy, other, side or parent(policy("alice"), entry=None))


class Evidence:
    """Answers from plain values.

    Every signature is as examined. ``differs``: the paths that differ between two trees, by their pairs of one-letter
    names; ``unsettled``: those that a merge base does not settle, by its tree's letter. ``bases``: letters of the merge
    bases and their entries. ``strangers``: what R19 (e) finds, by the letters of (other, governing).
    """

    def __init__(self, *, differs=(b"file",), unsettled=None, bases=((b"b", ENTRY),), hidden=(), strangers=None):
        self._differs = differs
        self._unsettled = unsettled or {}
        self._bases = bases
        self._hidden = hidden
        self._strangers = strangers or {}

    def examine(self, facts, judge):
        return facts.examined

    def cover(self, its_policy, people, *, policy_file):
        return cover(its_policy, people, POLICY_PATH, policy_file=policy_file)

    def uncovered(self, before, after, cover_):
        differs = self._differs
        if isinstance(differs, dict):
            differs = differs[before[:1] + after[:1]]
        return next((path for path in differs if before != after and not covers(cover_, path)), None)

    def unsettled(self, base, sides, recorded, cover_):
        assert len({*sides, recorded}) == 3
        paths = self._unsettled.get(base[:1], ())
        if isinstance(paths, Exception):
            raise paths
        return next((path for path in paths if not covers(cover_, path)), None)

    def bases(self, ours, theirs):
        assert ours != theirs
        if isinstance(self._bases, Exception):
            raise self._bases
        return [Base(letter * 20, entry) for letter, entry in self._bases]

    def hidden_bases(self, ours, theirs):
        assert ours != theirs
        return [Base(letter * 20, ENTRY) for letter in self._hidden]

    def authorised_beyond(self, other, governing):
        return self._strangers.get(other[:1] + governing.id[:1])


def covers(cover_, path):
    *directories, name = path.split(b"/")
    for directory in directories:
        cover_ = cover_.enter(directory)
    return cover_.leaf(name)
