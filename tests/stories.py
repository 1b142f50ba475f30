"""Histories told by hand, for tests of the reference: a commit is its first parent's tree, changed.

A person's key has the person's name, and each story has an introduction ``intro``, by default with alice alone.
"""

from __future__ import annotations

from dataclasses import replace

import reference
from reference import DIALECT_FILES, Entry, Listing, Question, RefCommit, RefPerson, RefPolicy, RefSignature, judge

FILES = {dialect: paths[0] for dialect, paths in DIALECT_FILES.items()}
AUTHENTIC = ("authentic", frozenset(), {})
BROKEN = b"{[ not a policy\n"
INHERITED = object()
GONE = Entry(b"", "gone")  # in the place of a path's new content


def person(name, *, granted=True, editor=True, **window):
    return RefPerson(name, (Listing(name, **window),), granted, editor)


def limited(name, *paths, editor=False):
    """Somebody with a grant on these paths and no other."""
    return RefPerson(name, (Listing(name),), granted=False, editor=editor, paths=tuple(p.encode() for p in paths))


def policy(*people, **options):
    return RefPolicy(tuple(person(one) if isinstance(one, str) else one for one in people), **options)


UNSIGNED = RefSignature()
ALICE = policy("alice")
ALICE_BOB = policy("alice", "bob")
STANDINGS = policy("alice", person("grantee", editor=False), person("editor", granted=False))


class Story:
    """A history being told: a commit takes its first parent's tree, changed; a person's key has his name."""

    def __init__(self, first_policy=ALICE, dialect="native"):
        self.dialect = dialect
        self.path = FILES[dialect]
        self.history = {}
        if first_policy is not None:
            self.add("intro", policy=first_policy)

    def add(self, name, *parents, by="alice", policy=INHERITED, mode="100644", date=0, malformed="", **files):
        tree = dict(self.history[parents[0]].tree) if parents else {b"keep": Entry(b"1\n")}
        for path, content in files.items():
            tree[path.encode()] = content if isinstance(content, Entry) else Entry(content)
        tree = {path: entry for path, entry in tree.items() if entry != GONE}
        if policy is None:
            del tree[self.path]
        elif policy is not INHERITED:
            tree[self.path] = Entry(policy, mode)
        signature = RefSignature("good", by) if isinstance(by, str) else by
        self.history[name] = RefCommit(name, parents, tree, signature, date, malformed)
        return self

    def spoil(self, name, **changes):
        self.history[name] = replace(self.history[name], **changes)
        return self

    def known(self, introduction="intro", **options):
        """The decisions on all commits."""
        world = reference.anchored(self.history, Question(introduction, introduction, **options))
        return reference.decide_all(world)

    def ask(self, tip=None, introduction="intro", **options):
        report = judge(self.history, Question(introduction, tip or list(self.history)[-1], **options))
        return report.verdict, report.reasons, report.codes


def refused(*reasons, **codes):
    return "refused", frozenset(reasons or codes.values()), codes
