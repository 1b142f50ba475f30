"""Every kind of commit in every place of a small history: all signatures, with all policy files, with all else.

Random histories are mostly wrong in one thing; here is what comes first where a commit is wrong in several.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from emit import BROKEN
from reference import DIALECT_FILES, Entry, History, Listing, RefCommit, RefPerson, RefPolicy, RefSignature

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE = 1_700_000_000
KEYS = {
    "native": ("ssh0", "ssh1", "ssh2", "ssh3", "ssh9"),
    "guix": ("pgp0", "pgp1", "pgp2", "pgp3", "pgp9"),
    "openssh": ("ssh0", "ssh1", "ssh2", "ssh3", "ssh9"),
}
PLACES = ("line", "merge", "merge of a side", "side", "root", "side merge")
KEEP = {b"keep": Entry(b"1\n")}


def policy_of(dialect: str, note: int = 0) -> RefPolicy:
    """Somebody who may do everything, and three whose standing (native) or entry (OpenSSH) is limited."""
    one, two, three, four, _ = KEYS[dialect]
    if dialect == "native":
        limited = (
            RefPerson("p1", (Listing(two),), editor=False),
            RefPerson("p2", (Listing(three),), granted=False),
            RefPerson("p3", (Listing(four),), granted=False, editor=False),
        )
    elif dialect == "openssh":
        limited = (
            RefPerson("p1", (Listing(two, before=DATE - 1),)),
            RefPerson("p2", (Listing(three, after=DATE + 1),)),
            RefPerson("p3", (Listing(four, for_git=False),)),
        )
    else:
        limited = (RefPerson("p1", (Listing(two),)),)
    return RefPolicy((RefPerson("p0", (Listing(one),)), *limited), note=note)


def signatures(dialect: str) -> list[RefSignature]:
    keys = KEYS[dialect]
    found = [RefSignature(), RefSignature("unsupported"), RefSignature("weak", keys[0])]
    found += [RefSignature(kind, key) for kind in ("good", "bad") for key in keys]
    return found if dialect == "openssh" else [*found, RefSignature("unknown-key", "ghost0")]


def policy_files(dialect: str, held: Entry | None) -> list[dict[bytes, Entry]]:
    """What a commit can have at the policy file's place: what its parent had, or something else, or nothing."""
    path = DIALECT_FILES[dialect][0]
    other = DIALECT_FILES["guix" if dialect == "native" else "native"][0]
    kept = {} if held is None else {path: held}
    entries = [
        Entry(policy_of(dialect)),
        Entry(policy_of(dialect, note=9)),
        Entry(policy_of(dialect), "100755"),
        Entry(policy_of(dialect), "120000"),
        Entry(BROKEN),
    ]
    if dialect == "native":
        nobody = tuple(RefPerson(person.name, person.listings, editor=False) for person in policy_of(dialect).people)
        entries += [Entry(RefPolicy(nobody)), Entry(RefPolicy(nobody, unprotected=(b"/",)))]
    else:
        entries.append(Entry(RefPolicy(())))
    files = [kept, *({path: entry} for entry in entries), {}, {other: Entry(b"1\n")}, {path + b"/x": Entry(b"1\n")}]
    return [file for at, file in enumerate(files) if file not in files[:at]]


def _frame(dialect: str, old_file: Entry | None) -> History:
    """What is around the commit ``x``: ``old`` and ``older`` are before the introduction, ``a`` and ``b`` after it."""
    path, key = DIALECT_FILES[dialect][0], KEYS[dialect][0]
    signed = RefSignature("good", key)
    trees = {
        "older": KEEP,
        "old": KEEP if old_file is None else {**KEEP, path: old_file},
        "intro": {**KEEP, path: Entry(policy_of(dialect))},
        "a": {**KEEP, path: Entry(policy_of(dialect, note=1))},
        "b": {**KEEP, path: Entry(policy_of(dialect))},
    }
    parents = {"old": ("older",), "intro": ("old",), "a": ("intro",), "b": ("intro",)}
    return {name: RefCommit(name, parents.get(name, ()), tree, signed, DATE) for name, tree in trees.items()}


def grid(dialect: str, place: str) -> Iterator[History]:
    """Histories with the introduction ``intro`` and the tip ``tip``, in which a commit ``x`` has everything once."""
    path = DIALECT_FILES[dialect][0]
    parents = {
        "line": ("a",),
        "merge": ("a", "b"),
        "merge of a side": ("a", "old"),
        "side": ("old",),
        "root": (),
        "side merge": ("old", "older"),
    }[place]
    for old_file in (None, Entry(policy_of(dialect, note=5))):
        frame = _frame(dialect, old_file)
        held = frame[parents[0]].tree.get(path) if parents else None
        for signature, file, other in product(signatures(dialect), policy_files(dialect, held), (b"1\n", b"2\n")):
            tree = {b"keep": Entry(other), **file}
            commit = RefCommit("x", parents, tree, signature, DATE)
            tip = RefCommit("tip", ("a", "x"), frame["a"].tree, RefSignature("good", KEYS[dialect][0]), DATE)
            yield {**frame, "x": commit, "tip": tip}
