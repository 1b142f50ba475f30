"""One thing made wrong in a commit: its signature, its policy file, its content, or its parents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import reference
from emit import BROKEN
from histories import contents
from histories.people import GHOST, KEYS, STEP, STRANGERS, draw_changed_policy, draw_policy
from reference import DIALECT_FILES, Entry, RefCommit, RefPerson, RefPolicy, RefSignature

if TYPE_CHECKING:
    from histories.dice import Dice
    from histories.questions import Case


def spoil_signature(dice: Dice, what: str, case: Case, commit: RefCommit) -> RefCommit:
    """No signature, one that proves nothing, or one by somebody else: a stranger, or a person listed somewhere."""
    stranger = STRANGERS[case.dialect]
    key = commit.signature.key or dice.pick([KEYS[case.dialect][0], stranger])
    signature = {
        "absent": RefSignature(),
        "bad": RefSignature("bad", key),
        "bad stranger": RefSignature("bad", stranger),
        "weak": RefSignature("weak", key),
        "unsupported": RefSignature("unsupported"),
        "ghost": RefSignature("unknown-key", GHOST) if case.dialect != "openssh" else RefSignature(),
        "stranger": RefSignature("good", stranger),
        "insider": RefSignature("good", dice.pick(KEYS[case.dialect])),
        "limited": RefSignature("good", dice.pick(limited_keys(case, commit) or [stranger])),
    }[what]
    return replace(commit, signature=signature)


def policy_path(case: Case) -> bytes:
    """Where the policy file of the case is."""
    tree = case.history[case.question.introduction].tree
    return next(path for path in DIALECT_FILES[case.dialect] if path in tree)


def limited_keys(case: Case, commit: RefCommit) -> list[str]:
    """The keys of people whom a parent lists with less than full standing."""
    names = commit.parents or (case.question.introduction,)
    files = [case.history[name].tree.get(policy_path(case)) for name in names]
    policies = [file.content for file in files if file is not None and isinstance(file.content, RefPolicy)]
    people = [person for policy in policies for person in policy.people if not (person.granted and person.editor)]
    return sorted({listing.key for person in people for listing in person.listings} - {GHOST})


def unreadable_policy(what: str, dialect: str, policy: RefPolicy) -> Entry:
    """The policy spoiled in one of the ways that R14 knows; what only the native file can say is broken elsewhere."""
    if what in ("symlink", "executable"):
        return Entry(policy, {"symlink": "120000", "executable": "100755"}[what])
    if what == "lockout" and dialect != "native":
        return Entry(RefPolicy(()))
    if what == "broken" or dialect != "native":
        return Entry(BROKEN)
    nobody = replace(policy, people=tuple(replace(one, editor=False) for one in policy.people), default_editors=False)
    stranger = f"p9{len(policy.people)}"  # spoiled twice, there are two of them
    changes = {
        "lockout": nobody,
        "keyless": replace(nobody, people=(*nobody.people, RefPerson(stranger, (), granted=False))),
        "key listed twice": replace(policy, people=(*policy.people, RefPerson(stranger, policy.people[0].listings))),
        "root unprotected": replace(policy, unprotected=(b"/",)),
    }
    return Entry(changes[what])


def spoil_policy(dice: Dice, what: str, case: Case, commit: RefCommit) -> RefCommit:
    """Another policy file: removed, moved to another dialect, unreadable, or one that its signer may not write."""
    path, dialect = policy_path(case), case.dialect
    held = commit.tree.get(path) or case.history[case.question.introduction].tree[path]
    policy = held.content if isinstance(held.content, RefPolicy) else draw_policy(dice, dialect)
    without = contents.with_policy(commit.tree, path, None)
    if what == "missing":
        return replace(commit, tree=without)
    if what == "other dialect":
        others = [path for name, paths in DIALECT_FILES.items() if name != dialect for path in paths]
        return replace(commit, tree={**without, dice.pick(others): Entry(b"another\n")})
    if what == "directory":
        return replace(commit, tree={**without, path + b"/x": Entry(b"1\n")})
    if what == "changed":
        entry = Entry(draw_changed_policy(dice, dialect, policy, paths=dialect == "native" and dice.one_in(2)))
    else:
        entry = unreadable_policy(what, dialect, policy)
    return replace(commit, tree=contents.with_policy(commit.tree, path, entry))


def spoil_content(dice: Dice, what: str, case: Case, commit: RefCommit) -> RefCommit:
    """Other files, the tree of a parent, another date, or a malformed object."""
    if what == "tree":
        tree = contents.draw_edited(dice, commit.tree) if dice.one_in(2) else commit.tree
        return replace(commit, tree={**tree, b"spoiled": Entry(b"1\n")} if tree == commit.tree else tree)
    if what == "one side":
        return replace(commit, tree=case.history[dice.pick(commit.parents)].tree) if commit.parents else commit
    if what == "date":
        return replace(commit, date=commit.date + dice.pick([-9, -4, 4, 9]) * STEP)
    return replace(commit, malformed=what)


def spoil_parents(dice: Dice, what: str, case: Case, commit: RefCommit) -> RefCommit:
    """One parent fewer, one more of those that are known by then, or the same in another order."""
    known = list(case.history)[: list(case.history).index(commit.name)]
    if what == "fewer" and len(commit.parents) > 1:
        return replace(commit, parents=commit.parents[1:])
    if what == "swapped":
        return replace(commit, parents=commit.parents[::-1])
    return replace(commit, parents=tuple(dict.fromkeys((*commit.parents, dice.pick(known)))))


UNREADABLE = ("broken", "symlink", "executable", "key listed twice", "lockout", "keyless", "root unprotected")
SIGNATURES = ("bad", "bad stranger", "weak", "unsupported", "ghost", "stranger", "insider")
WAYS = {
    spoil_signature: ("absent", "absent", *SIGNATURES, "limited", "limited", "limited"),
    spoil_policy: ("missing", "other dialect", "directory", *UNREADABLE, "changed", "changed", "changed"),
    spoil_content: ("tree", "tree", "tree", "one side", "one side", "date", "malformed-commit", "malformed-tree"),
    spoil_parents: ("fewer", "more", "swapped", "swapped"),
}
SPOILED_COMMIT = [what for whats in WAYS.values() for what in whats]


def spoil_commit(dice: Dice, what: str, case: Case) -> Case:
    """Spoil one of the commits that are judged; the case as it is where there is none."""
    given = reference.closure(case.history, case.question.introduction)
    judged = [name for name in reference.closure(case.history, case.question.tip) if name not in given]
    if not judged:
        return case
    name = dice.pick(sorted(judged))
    way = next(way for way, whats in WAYS.items() if what in whats)
    commit = way(dice, what, case, case.history[name])
    return replace(case, history={**case.history, name: commit})
