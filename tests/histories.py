"""Hypothesis strategies for small histories of every dialect: most of them authentic, or wrong in one thing.

A case starts as a history in which every commit is signed by somebody who may (found by asking the reference), with
random merges, side branches and policy changes. Then one thing is spoiled, or none, or (seldom) several.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import reference
from emit import BROKEN
from hypothesis import strategies as st
from reference import (
    DAY,
    DIALECT_FILES,
    Entry,
    History,
    Listing,
    Question,
    RefCommit,
    RefPerson,
    RefPolicy,
    RefSignature,
    World,
)

KEYS = {
    "native": ("ssh0", "ssh1", "ssh2", "pgp0", "ssh3", "ssh4"),
    "guix": ("pgp0", "pgp1", "pgp2", "pgp3", "pgp4", "pgp5"),
    "openssh": ("ssh0", "ssh1", "ssh2", "ssh3", "ssh4", "ssh5"),
}
STRANGERS = {"native": "ssh9", "guix": "pgp9", "openssh": "ssh9"}  # never listed
GHOST = "ghost0"  # may be listed, its material is nowhere
PEOPLE = 4
START = 1_700_000_000
STEP = 36_000
PATHS = (b"a", b"dir/x", b"dir/y", b"dir.yaml", b".gitverify.yml")
CONTENTS = (Entry(b"0\n"), Entry(b"1\n"), Entry(b"1\n", "100755"), Entry(b"1\n", "120000"), Entry(b"1\n", "160000"))
FEATURES = ("path-grant", "unprotected", "unsigned_merges", "adopting_merges")


@dataclass(frozen=True)
class Case:
    """A history, what is asked about it, and what was spoiled (nothing, of most)."""

    history: History
    question: Question
    dialect: str
    spoiled: tuple[str, ...] = ()


@dataclass
class Growth:
    """A history in the making; ``old`` are the commits before the introduction, ``side`` those beside it.

    ``dice``: numbers that pick each commit's signer.
    """

    world: World
    keys: tuple[str, ...]
    dice: list[int]
    old: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    side: list[str] = field(default_factory=list)

    @property
    def history(self) -> History:
        return self.world.history


# --- policies -------------------------------------------------------------------------------------------------


def tidy(dialect: str, policy: RefPolicy) -> RefPolicy:
    """Drop what the dialect can't write, so that two policies differ only where their files do."""
    if dialect != "native":
        people = [replace(person, granted=True, editor=True) for person in policy.people]
        return replace(policy, people=tuple(people), default_editors=False)
    if policy.default_editors:
        return replace(policy, people=tuple(replace(person, editor=person.granted) for person in policy.people))
    return policy


def usable(dialect: str, policy: RefPolicy) -> bool:
    """Whether there is no problem with it, and someone who can sign may do everything."""
    return reference.r14_file_problem(dialect, Entry(policy)) is None and any(
        person.granted and person.editor and any(listing.key != GHOST for listing in person.listings)
        for person in policy.people
    )


def draw_listing(draw, dialect: str, key: str) -> Listing:
    if dialect != "openssh" or draw(st.integers(0, 3)):
        return Listing(key)
    after = draw(st.sampled_from([None, *range(-1, 6)]))
    before = draw(st.sampled_from([None, *range(-1 if after is None else after + 1, 9)]))
    after, before = (None if step is None else START + step * STEP for step in (after, before))
    return Listing(key, after, before, for_git=bool(draw(st.integers(0, 4))))


def draw_person(draw, dialect: str, index: int) -> RefPerson:
    keys = [KEYS[dialect][index]]
    if draw(st.integers(0, 5)) == 0:
        keys.append(KEYS[dialect][PEOPLE + index % 2])
    if dialect == "native" and draw(st.integers(0, 9)) == 9:
        keys = []
    listings = tuple(draw_listing(draw, dialect, key) for key in keys)
    granted, editor = draw(st.sampled_from([(True, False), (False, True), (True, True), (False, False)]))
    return RefPerson(f"p{index}", listings, granted, editor)


def draw_policy(draw, dialect: str) -> RefPolicy:
    full = RefPerson("p0", (Listing(KEYS[dialect][0]),))
    listed = [index for index in range(1, PEOPLE) if draw(st.sampled_from([index == 1, False, True]))]
    others = [draw_person(draw, dialect, index) for index in listed]
    policy = tidy(dialect, RefPolicy((full, *others), default_editors=draw(st.integers(0, 3)) == 3))
    return policy if usable(dialect, policy) else RefPolicy((full,))


def _with_person(policy: RefPolicy, person: RefPerson) -> RefPolicy:
    others = [other for other in policy.people if other.name != person.name]
    return replace(policy, people=tuple(sorted([*others, person], key=lambda p: p.name)))


def _ghost_listed(draw, dialect: str, policy: RefPolicy) -> RefPolicy:
    if dialect == "openssh":
        return policy
    person = draw(st.sampled_from(policy.people))
    return _with_person(policy, replace(person, listings=(*person.listings, Listing(GHOST))))


def _removed(draw, policy: RefPolicy) -> RefPolicy:
    gone = draw(st.sampled_from(policy.people))
    return replace(policy, people=tuple(person for person in policy.people if person != gone))


def draw_changed_policy(draw, dialect: str, policy: RefPolicy) -> RefPolicy:
    """Another policy: people come, go and come back, change keys and standing; or just a comment."""
    what = draw(st.sampled_from(["note", "person", "person", "remove", "remove", "editors", "ghost"]))
    changed = policy
    if what == "person":
        changed = _with_person(policy, draw_person(draw, dialect, draw(st.integers(0, PEOPLE - 1))))
    elif what == "remove":
        changed = _removed(draw, policy)
    elif what == "editors":
        changed = replace(policy, default_editors=not policy.default_editors)
    elif what == "ghost":
        changed = _ghost_listed(draw, dialect, policy)
    changed = tidy(dialect, changed)
    if changed == policy or not usable(dialect, changed):
        return replace(policy, note=policy.note + 1)
    return changed


# --- trees ----------------------------------------------------------------------------------------------------


def draw_edited(draw, tree: dict[bytes, Entry]) -> dict[bytes, Entry]:
    """The tree with up to two paths set or removed."""
    edited = dict(tree)
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=2)):
        if path in edited and draw(st.booleans()):
            del edited[path]
        else:
            edited[path] = draw(st.sampled_from(CONTENTS))
    return edited


def with_policy(tree: dict[bytes, Entry], path: bytes, entry: Entry | None) -> dict[bytes, Entry]:
    """The tree with another policy file, or none."""
    rest = {name: held for name, held in tree.items() if name != path}
    return rest if entry is None else {**rest, path: entry}


def draw_merged(draw, trees: list[dict[bytes, Entry]], path: bytes) -> dict[bytes, Entry]:
    """One side's tree, or all of them laid over each other; and one side's policy file."""
    tree = draw(st.sampled_from(trees))
    if draw(st.booleans()):
        for other in trees:
            tree = {**other, **tree}
    return with_policy(tree, path, draw(st.sampled_from(trees)).get(path))


# --- growing an authentic history -----------------------------------------------------------------------------


def heads(history: History) -> list[str]:
    """The commits that are nobody's parent."""
    parents = {parent for commit in history.values() for parent in commit.parents}
    return [name for name in history if name not in parents]


def draw_some(draw, names: list[str]) -> tuple[str, ...]:
    """Up to two of the names."""
    return tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=2))) if names else ()


def draw_old_commit(draw, growth: Growth, index: int) -> None:
    """Before the introduction anything goes."""
    parents = draw_some(draw, growth.old)
    tree = {b"keep": Entry(b"old\n"), **(growth.history[parents[0]].tree if parents else {})}
    what = draw(st.sampled_from(["as is", "as is", "policy", "broken"]))
    if what == "policy":
        tree = with_policy(tree, growth.world.path, Entry(draw_policy(draw, growth.world.dialect)))
    elif what == "broken":
        tree = with_policy(tree, growth.world.path, Entry(BROKEN))
    signature = draw(st.sampled_from([RefSignature(), RefSignature("good", growth.keys[0])]))
    name = f"c{index}"
    growth.history[name] = RefCommit(name, parents, draw_edited(draw, tree), signature, START + index * STEP)
    growth.old.append(name)


def draw_introduction(draw, growth: Growth) -> None:
    """The introduction reaches every commit before it, so that those are given."""
    parents = tuple(heads(growth.history))
    tree = {b"keep": Entry(b"old\n"), **(growth.history[parents[0]].tree if parents else {})}
    tree = with_policy(tree, growth.world.path, Entry(draw_policy(draw, growth.world.dialect)))
    signature = draw(st.sampled_from([RefSignature("good", growth.keys[0])] * 3 + [RefSignature()]))
    name = growth.world.introduction
    growth.history[name] = RefCommit(name, parents, tree, signature, START + len(growth.old) * STEP)
    growth.line.append(name)


def signers(growth: Growth, commit: RefCommit) -> list[str]:
    """The keys that would make the commit authentic, without that of p0, who may nearly always, if others do."""
    found = []
    for key in growth.keys:
        growth.history[commit.name] = replace(commit, signature=RefSignature("good", key))
        if reference.own_problem(growth.world, growth.history[commit.name]) is None:
            found.append(key)
        del growth.history[commit.name]
    return [key for key in found if key != growth.keys[0]] or found


def draw_parents(draw, growth: Growth) -> tuple[str, ...]:
    """One commit near the end of the line, or several of any kind of which one is on the line, or none on the line."""
    kind = draw(st.sampled_from(["line"] * 5 + ["merge"] * 4 + ["side"] * 2))
    if kind == "line":
        return (draw(st.sampled_from(growth.line[-3:])),)
    if kind == "side":
        return draw_some(draw, growth.old + growth.side)
    others = st.sampled_from((growth.old[-2:] + growth.side + growth.line)[::-1])
    first = draw(st.sampled_from(growth.line[-3:]))
    parents = {first: None} | dict.fromkeys(draw(st.lists(others, min_size=1, max_size=3)))
    return tuple(draw(st.permutations(list(parents))))


def draw_commit(draw, growth: Growth, index: int, parents: tuple[str, ...]) -> None:
    """Add a commit by somebody who may; of a merge that nobody may make, or an edit, less is left; or nothing."""
    path, dialect = growth.world.path, growth.world.dialect
    trees = [growth.history[parent].tree for parent in parents] or [{b"keep": Entry(b"root\n")}]
    what = draw(st.sampled_from(["files", "files", "files", "policy", "policy", "both"]))
    tree = draw_merged(draw, trees, path)
    tree = tree if what == "policy" else draw_edited(draw, tree)
    held = tree.get(path)
    if what != "files" and held is not None and isinstance(held.content, RefPolicy):
        tree = with_policy(tree, path, Entry(draw_changed_policy(draw, dialect, held.content)))
    skew = draw(st.sampled_from([0, 0, 0, 0, -3 * STEP, 2 * STEP, 5 * DAY]))
    wanted = RefCommit(f"c{index}", parents, tree, date=START + index * STEP + skew)
    plainer = [
        wanted,
        replace(wanted, tree=with_policy(tree, path, held)),
        replace(wanted, tree=trees[0]),
        replace(wanted, tree=trees[-1], date=START + index * STEP),
        replace(wanted, tree=growth.history[growth.line[-1]].tree, parents=(growth.line[-1],)),
    ]
    for commit in plainer:
        possible = signers(growth, commit)
        if possible:
            signature = RefSignature("good", possible[growth.dice[index] % len(possible)])
            growth.history[commit.name] = replace(commit, signature=signature)
            kin = growth.line if reference.descends(growth.world, commit.name) else growth.side
            kin.append(commit.name)
            return


def draw_criss_cross(draw, growth: Growth, index: int) -> None:
    """Two branches, each merged into the other, and a merge of the merges: there are two merge bases."""
    start = growth.line[-1]
    left, right, one, other = (f"c{index + step}" for step in range(4))
    shape = [(start,), (start,), (left, right), (right, left), (one, other)]
    for step, parents in enumerate(shape):
        known = tuple(parent for parent in parents if parent in growth.history) or (start,)
        draw_commit(draw, growth, index + step, known)


def draw_growth(draw, dialect: str, size: int) -> Growth:
    dice = draw(st.lists(st.integers(0, 99), min_size=size + 1, max_size=size + 1))
    crossed = size > 6 and draw(st.booleans())
    before = draw(st.integers(0, min(4, size - 6 if crossed else size - 1)))
    path = draw(st.sampled_from(DIALECT_FILES[dialect]))
    historical = draw(st.sets(st.sampled_from(KEYS[dialect]), max_size=3)) if dialect == "guix" else set()
    growth = Growth(World({}, f"c{before}", dialect, path, frozenset(historical)), KEYS[dialect], dice)
    for index in range(before):
        draw_old_commit(draw, growth, index)
    draw_introduction(draw, growth)
    after = range(before + 1, size)
    if crossed:
        draw_criss_cross(draw, growth, after[0])
        after = after[5:]
    for index in after:
        draw_commit(draw, growth, index, draw_parents(draw, growth))
    loose = [name for name in heads(growth.history) if name not in growth.old]
    if len(loose) > 1 and draw(st.integers(0, 3)):
        draw_commit(draw, growth, size, tuple(draw(st.permutations(loose[-4:]))))
    return growth


def draw_question(draw, growth: Growth) -> Question:
    """Ask about the newest commit of the line, with options that it satisfies."""
    world, tip = growth.world, growth.line[-1]
    reached = sorted(reference.closure(growth.history, tip))
    on_the_line = [name for name in growth.line if name in reached]
    signature = growth.history[world.introduction].signature
    fresh = reference.r26_problem(world, tip, 1000 * DAY, START) is None
    return Question(
        world.introduction,
        tip,
        dialect=draw(st.sampled_from([None, world.dialect])),
        signer=signature.key if signature.kind == "good" and draw(st.booleans()) else None,
        marks=frozenset(draw(st.sets(st.sampled_from(on_the_line), max_size=2))),
        contains=frozenset(draw(st.sets(st.sampled_from(reached), max_size=2))),
        max_age=1000 * DAY if fresh and draw(st.booleans()) else None,
        now=START + 12 * STEP,
        historical=world.historical,
    )


# --- spoiling it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spoiling:
    """One thing to spoil: what, and numbers to pick the commit and the replacement with."""

    what: str
    where: int
    which: int

    def pick(self, choices: list[Any]) -> Any:
        return choices[self.which % len(choices)]


def spoil_signature(draw, spoiling: Spoiling, case: Case, commit: RefCommit, world: World) -> RefCommit:
    """No signature, one that proves nothing, or one by somebody else: a stranger, or a person listed somewhere."""
    key, stranger = commit.signature.key or STRANGERS[world.dialect], STRANGERS[world.dialect]
    signature = {
        "absent": RefSignature(),
        "bad": RefSignature("bad", key),
        "bad stranger": RefSignature("bad", stranger),
        "weak": RefSignature("weak", key),
        "unsupported": RefSignature("unsupported"),
        "ghost": RefSignature("unknown-key", GHOST) if world.dialect != "openssh" else RefSignature(),
        "stranger": RefSignature("good", stranger),
        "insider": RefSignature("good", spoiling.pick(list(KEYS[world.dialect]))),
        "limited": RefSignature("good", spoiling.pick(limited_keys(world, commit) or [stranger])),
    }[spoiling.what]
    return replace(commit, signature=signature)


def limited_keys(world: World, commit: RefCommit) -> list[str]:
    """The keys of people whom a parent lists with less than full standing."""
    names = commit.parents or (world.introduction,)
    files = [world.history[name].tree.get(world.path) for name in names]
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
    changes = {
        "lockout": nobody,
        "keyless": replace(nobody, people=(*nobody.people, RefPerson("p9", (), granted=False))),
        "key listed twice": replace(policy, people=(*policy.people, RefPerson("p9", policy.people[0].listings))),
    }
    return Entry(changes.get(what) or replace(policy, unsupported=frozenset({what})))


def spoil_policy(draw, spoiling: Spoiling, case: Case, commit: RefCommit, world: World) -> RefCommit:
    """Another policy file: removed, moved to another dialect, unreadable, or one that its signer may not write."""
    held = commit.tree.get(world.path) or case.history[world.introduction].tree[world.path]
    policy = held.content if isinstance(held.content, RefPolicy) else draw_policy(draw, world.dialect)
    without = with_policy(commit.tree, world.path, None)
    if spoiling.what == "missing":
        return replace(commit, tree=without)
    if spoiling.what == "other dialect":
        others = [path for name, paths in DIALECT_FILES.items() if name != world.dialect for path in paths]
        return replace(commit, tree={**without, spoiling.pick(others): Entry(b"another\n")})
    if spoiling.what == "directory":
        return replace(commit, tree={**without, world.path + b"/x": Entry(b"1\n")})
    if spoiling.what == "changed":
        entry = Entry(draw_changed_policy(draw, world.dialect, policy))
    else:
        entry = unreadable_policy(spoiling.what, world.dialect, policy)
    return replace(commit, tree=with_policy(commit.tree, world.path, entry))


def spoil_content(draw, spoiling: Spoiling, case: Case, commit: RefCommit, world: World) -> RefCommit:
    """Other files, another date, or a malformed object."""
    if spoiling.what == "tree":
        return replace(commit, tree={**commit.tree, b"spoiled": Entry(b"1\n")})
    if spoiling.what == "date":
        return replace(commit, date=commit.date + spoiling.pick([-9, -4, 4, 9]) * STEP)
    return replace(commit, malformed=spoiling.what)


def spoil_parents(draw, spoiling: Spoiling, case: Case, commit: RefCommit, world: World) -> RefCommit:
    """One parent fewer, or one more of those that are known by then."""
    known = list(case.history)[: list(case.history).index(commit.name)]
    if spoiling.what == "fewer" and len(commit.parents) > 1:
        return replace(commit, parents=commit.parents[1:])
    return replace(commit, parents=tuple(dict.fromkeys((*commit.parents, spoiling.pick(known)))))


UNREADABLE = ("broken", "symlink", "executable", "key listed twice", "lockout", "keyless", *FEATURES)
SIGNATURES = ("bad", "bad stranger", "weak", "unsupported", "ghost", "stranger", "insider")
WAYS = {
    spoil_signature: ("absent", "absent", *SIGNATURES, "limited", "limited", "limited"),
    spoil_policy: ("missing", "other dialect", "directory", *UNREADABLE, "changed", "changed", "changed"),
    spoil_content: ("tree", "tree", "date", "malformed-commit", "malformed-tree"),
    spoil_parents: ("fewer", "more"),
}
SPOILED_COMMIT = [what for whats in WAYS.values() for what in whats]
SPOILED_QUESTION = ["tip", "introduction", "signer", "dialect", "mark", "mark", "marks", "contains", "max_age"]
_COMMIT, _QUESTION = st.sampled_from(SPOILED_COMMIT), st.sampled_from(SPOILED_QUESTION)
MIXTURE = [()] * 7 + [(_COMMIT,)] * 9 + [(_QUESTION,)] * 3 + [(_COMMIT, _COMMIT, _QUESTION)]


def spoiled_commit(draw, spoiling: Spoiling, case: Case, world: World) -> Case:
    given = reference.closure(case.history, world.introduction)
    judged = [name for name in reference.closure(case.history, case.question.tip) if name not in given]
    if not judged:
        return case
    name = sorted(judged)[spoiling.where % len(judged)]
    way = next(way for way, whats in WAYS.items() if spoiling.what in whats)
    commit = way(draw, spoiling, case, case.history[name], world)
    return replace(case, history={**case.history, name: commit}, spoiled=(*case.spoiled, spoiling.what))


def spoiled_question(draw, spoiling: Spoiling, case: Case, world: World) -> Case:
    """Ask for something else: another tip, introduction, signer or dialect, or a floor that may not be reached."""
    names = list(case.history)
    some = names[spoiling.where % len(names)]
    line = [name for name in names if reference.descends(world, name)]
    change = {
        "tip": {"tip": some},
        "introduction": {"introduction": some},
        "signer": {"signer": spoiling.pick([*KEYS[world.dialect], STRANGERS[world.dialect]])},
        "dialect": {"dialect": spoiling.pick(list(DIALECT_FILES))},
        "mark": {"marks": frozenset({line[spoiling.where % len(line)]}), "tip": spoiling.pick(line)},
        "marks": {"marks": frozenset({some, spoiling.pick(names)})},
        "contains": {"contains": frozenset({some})},
        "max_age": {"max_age": spoiling.pick(list(range(12))) * STEP},
    }[spoiling.what]
    return replace(case, question=replace(case.question, **change), spoiled=(*case.spoiled, spoiling.what))


def with_true_marks(case: Case) -> Case:
    """Keep the marks that a run could have left: tips that were accepted from the same introduction."""
    asked = replace(case.question, marks=frozenset(), contains=frozenset(), max_age=None)
    accepted = {
        mark
        for mark in case.question.marks
        if reference.judge(case.history, replace(asked, tip=mark)).verdict == "authentic"
    }
    return replace(case, question=replace(case.question, marks=frozenset(accepted)))


@st.composite
def cases(
    draw, dialects: tuple[str, ...] = ("native", "guix", "openssh"), max_commits: int = 10, what: str | None = None
) -> Case:
    """A history of up to ``max_commits`` commits (a last merge included), with a question about it.

    ``what`` is spoiled where it is given, else nothing, one thing or (seldom) several. This is drawn first: late draws
    are the ones that hypothesis fills with the simplest value.
    """
    number = st.integers(0, 9999)
    whats = [what] if what else draw(st.sampled_from(MIXTURE).flatmap(lambda kinds: st.tuples(*kinds)))
    spoilings = [Spoiling(one, draw(number), draw(number)) for one in whats]
    dialect = draw(st.sampled_from(dialects))
    growth = draw_growth(draw, dialect, draw(st.integers(3 if spoilings else 1, max_commits - 1)))
    case = Case(growth.history, draw_question(draw, growth), dialect)
    for spoiling in spoilings:
        spoil = spoiled_question if spoiling.what in SPOILED_QUESTION else spoiled_commit
        case = spoil(draw, spoiling, case, growth.world)
    return with_true_marks(case)
