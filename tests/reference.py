"""The rules of authentication, read slowly: a second implementation, to compare the engine with.

It is written from the rules alone and imports nothing of gitverify. Commits, policies and signatures are abstract
values; there are no objects, no bytes to parse, no cache, and every set is found by brute force. Where a rule is
cited by number, that rule is all the function does.

What it knows: the trust anchor (R1-R3), R6 and R7 as a given flag, a signature's result as a given value (R8),
R14 and R15 for people granted the whole tree, R17, merges by intersection of all parents' policies, the side
branches of R21, the dialects of R22 and R22b, and the floor (R23, R23b, R26, R27). Path grants, unprotected
paths, unsigned and adopting merges are ``policy-unsupported``.

Readings chosen where the rules leave room are marked *Reading*.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

DIALECT_FILES = {
    "native": (b".gitverify.yaml",),
    "guix": (b".guix-authorizations",),
    "openssh": (b".allowed_signers", b".gitsigners"),
}
REGULAR_MODES = ("100644", "100755")
DAY = 86_400


# --- what is judged -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listing:
    """One key of a person; the window and ``for_git`` (``namespaces=``) are of the OpenSSH dialect alone."""

    key: str
    after: int | None = None
    before: int | None = None
    for_git: bool = True


@dataclass(frozen=True)
class RefPerson:
    """A listed person; the flags (granted ``/``, named in ``policy_editors``) are of the native dialect alone."""

    name: str
    listings: tuple[Listing, ...]
    granted: bool = True
    editor: bool = True


@dataclass(frozen=True)
class RefPolicy:
    """What a policy file that can be read says.

    ``default_editors``: the file has no ``policy_editors``. ``unsupported``: the features it uses that are not
    judged yet. ``note``: a comment, so that two files can differ and say the same.
    """

    people: tuple[RefPerson, ...]
    default_editors: bool = False
    unsupported: frozenset[str] = frozenset()
    note: int = 0


@dataclass(frozen=True)
class Entry:
    """What a tree holds at a path: a mode, and bytes or (a policy file that can be read) a policy."""

    content: bytes | RefPolicy
    mode: str = "100644"


@dataclass(frozen=True)
class RefSignature:
    """The result of checking a signature, and the key it names.

    ``kind``: ``absent``, ``good``, ``bad`` (names ``key`` and fails), ``weak``, ``unsupported``, or
    ``unknown-key`` (no material for ``key``).
    """

    kind: str = "absent"
    key: str = ""


@dataclass(frozen=True)
class RefCommit:
    """A commit; ``malformed`` is empty, ``malformed-commit`` (R6) or ``malformed-tree`` (R7)."""

    name: str
    parents: tuple[str, ...] = ()
    tree: dict[bytes, Entry] = field(default_factory=dict)
    signature: RefSignature = RefSignature()
    date: int = 0
    malformed: str = ""


History = dict[str, RefCommit]  # parents come before their children


@dataclass(frozen=True)
class Question:
    """What is asked: ``marks`` (R23), ``contains`` (R23b), ``max_age`` (R26) and ``historical`` (R21: keys)."""

    introduction: str
    tip: str
    dialect: str | None = None
    signer: str | None = None
    marks: frozenset[str] = frozenset()
    contains: frozenset[str] = frozenset()
    max_age: int | None = None
    now: int = 0
    historical: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RefReport:
    """The answer.

    ``verdict``: ``authentic``, ``refused`` or ``error``. ``codes``: why each refused commit is refused.
    ``reasons``: the codes that may stand as the first: those of refused commits without a refused ancestor.
    """

    verdict: str
    reasons: frozenset[str] = frozenset()
    codes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """What every judgement shares; ``path`` is the policy file's, ``historical`` the keys of R21's list."""

    history: History
    introduction: str
    dialect: str
    path: bytes
    historical: frozenset[str] = frozenset()


# --- ancestry -------------------------------------------------------------------------------------------------


def parents_of(history: History, name: str) -> tuple[str, ...]:
    """R6: nothing that a malformed commit says is believed, its parents included."""
    commit = history[name]
    return () if commit.malformed == "malformed-commit" else commit.parents


def closure(history: History, name: str) -> set[str]:
    """The commit and all its ancestors."""
    found = {name}
    while True:
        more = {parent for known in found for parent in parents_of(history, known)} - found
        if not more:
            return found
        found |= more


def is_given(world: World, name: str) -> bool:
    """R21: what the introduction reaches counts as given."""
    return name in closure(world.history, world.introduction)


def descends(world: World, name: str) -> bool:
    """R2: the commit is the introduction or reaches it."""
    return world.introduction in closure(world.history, name)


# --- trees ----------------------------------------------------------------------------------------------------


def entry_at(tree: dict[bytes, Entry], path: bytes) -> Entry | frozenset[tuple[bytes, Entry]] | None:
    """R14: the tree's entry at a root path, mode and content; a directory there is the set of what is below."""
    below = frozenset((name, entry) for name, entry in tree.items() if name.startswith(path + b"/"))
    return tree.get(path) or below or None


def other_paths(world: World, commit: RefCommit) -> dict[bytes, Entry]:
    """Everything in the commit's tree but the policy file."""
    return {
        path: entry
        for path, entry in commit.tree.items()
        if path != world.path and not path.startswith(world.path + b"/")
    }


def own_entry(world: World, commit: RefCommit) -> Entry | frozenset[tuple[bytes, Entry]] | None:
    """The commit's own policy file."""
    return entry_at(commit.tree, world.path)


# --- policies -------------------------------------------------------------------------------------------------


def editors(dialect: str, policy: RefPolicy) -> list[RefPerson]:
    """R15: who may change the policy file; R22 and R22b: every listed key may."""
    if dialect == "native":
        named = [p for p in policy.people if (p.granted if policy.default_editors else p.editor)]
        return [p for p in named if p.listings]  # without a key nobody changes anything
    return [p for p in policy.people if any(listing.for_git for listing in p.listings)]


def granted(dialect: str, policy: RefPolicy) -> list[RefPerson]:
    """R15: who may change the whole tree but the policy file; R22 and R22b: every listed key may."""
    return [p for p in policy.people if dialect != "native" or p.granted]


def r22b_window_is_empty(listing: Listing) -> bool:
    """R22b: ``valid-before`` must be later than ``valid-after``. *Reading*: as ssh-keygen has it, not even equal."""
    return listing.after is not None and listing.before is not None and listing.before <= listing.after


def r14_file_problem(dialect: str, entry: object) -> str | None:
    """R14: a policy file is a regular file, can be read, and leaves somebody able to change it.

    *Reading*: a Guix file that lists nobody is legal, for its commit has Guix's verdict (R22), and has no children.
    """
    if not isinstance(entry, Entry) or entry.mode not in REGULAR_MODES or not isinstance(entry.content, RefPolicy):
        return "policy-invalid"
    policy = entry.content
    listings = [listing for person in policy.people for listing in person.listings]
    if dialect == "native" and len(listings) != len({listing.key for listing in listings}):
        return "policy-invalid"  # a key belongs to one person
    if any(r22b_window_is_empty(listing) for listing in listings):
        return "policy-invalid"
    if dialect != "guix" and not editors(dialect, policy):
        return "policy-lockout"
    if policy.unsupported:
        return "policy-unsupported"
    return None


def r14_own_problem(world: World, commit: RefCommit) -> str | None:
    """R14: a commit after the introduction has a policy of its own; R3: of the same dialect."""
    entry = own_entry(world, commit)
    if entry is not None:
        return r14_file_problem(world.dialect, entry)
    others = [path for dialect, paths in DIALECT_FILES.items() if dialect != world.dialect for path in paths]
    if any(entry_at(commit.tree, path) is not None for path in others):
        return "dialect-changed"
    return "policy-missing"


def policy_in(world: World, commit: RefCommit) -> RefPolicy:
    """The policy in the commit's own tree, known to be readable."""
    entry = own_entry(world, commit)
    assert isinstance(entry, Entry)
    assert isinstance(entry.content, RefPolicy)
    return entry.content


def r21_policy_of_parent(world: World, parent: RefCommit) -> RefPolicy:
    """R21, native and OpenSSH: off the introduction's descendants, the introduction's policy is the one that holds."""
    if descends(world, parent.name):
        return policy_in(world, parent)
    return policy_in(world, world.history[world.introduction])


# --- signatures -----------------------------------------------------------------------------------------------


def r22b_in_force(listing: Listing, date: int) -> bool:
    """R22b: the entry is for git and its window (both ends included) holds the committer date."""
    return (
        listing.for_git
        and (listing.after is None or listing.after <= date)
        and (listing.before is None or date <= listing.before)
    )


def vouchers(policy: RefPolicy, commit: RefCommit) -> list[RefPerson]:
    """The people whose listed key made the commit's good signature; looked up by key, never by name."""
    if commit.signature.kind != "good":
        return []
    return [
        person
        for person in policy.people
        if any(entry.key == commit.signature.key and r22b_in_force(entry, commit.date) for entry in person.listings)
    ]


def r8_why_nobody(policy: RefPolicy, commit: RefCommit) -> str:
    """R22b: a key whose entry for git has lapsed is told from one that is not listed."""
    entries = [entry for person in policy.people for entry in person.listings if entry.key == commit.signature.key]
    lapsed = [e for e in entries if e.for_git and e.before is not None and commit.date > e.before]
    return "expired-key" if entries and entries[0] in lapsed else "unauthorized-key"


def r8_signature_problem(judging: list[RefPolicy], commit: RefCommit) -> str | None:
    """R8: a good signature by a key that every judging policy lists, or what there is instead.

    *Reading*: for ``bad-signature`` a key is listed where an entry names it, in force or not.
    """
    kind = commit.signature.kind
    if kind == "bad":
        listed = {entry.key for policy in judging for person in policy.people for entry in person.listings}
        return "bad-signature" if commit.signature.key in listed else "unauthorized-key"
    if kind == "good":
        return next((r8_why_nobody(policy, commit) for policy in judging if not vouchers(policy, commit)), None)
    return {
        "absent": "unsigned",
        "weak": "weak-signature",
        "unsupported": "unsupported-signature",
        "unknown-key": "unknown-key",
    }[kind]


# --- the native and the OpenSSH dialect -----------------------------------------------------------------------


def may(people: list[RefPerson], allowed: list[RefPerson]) -> bool:
    """Whether one of the people is allowed."""
    return any(person in allowed for person in people)


def standing_problem(world: World, judging: list[RefPolicy], commit: RefCommit, *, changes: bool) -> str | None:
    """R17: a grant where anything but the policy file changes, any standing where nothing does."""
    for policy in judging:
        people = vouchers(policy, commit)
        has_grant = may(people, granted(world.dialect, policy))
        if not has_grant and (changes or not may(people, editors(world.dialect, policy))):
            return "unauthorized-path"
    return None


def r17_problem(world: World, commit: RefCommit) -> str | None:
    """R17, and R18 by intersection: each parent's policy must allow the whole difference to every parent.

    The policy file is judged edge by edge: each parent whose file is another one must have the voucher for editor.
    """
    parents = [world.history[name] for name in commit.parents]
    judging = [r21_policy_of_parent(world, parent) for parent in parents]
    problem = r8_signature_problem(judging, commit)
    if problem:
        return problem
    for parent, policy in zip(parents, judging, strict=True):
        changed = own_entry(world, parent) != own_entry(world, commit)
        if changed and not may(vouchers(policy, commit), editors(world.dialect, policy)):
            return "policy-unauthorized"
    changes = any(other_paths(world, parent) != other_paths(world, commit) for parent in parents)
    return standing_problem(world, judging, commit, changes=changes)


def r21_problem(world: World, commit: RefCommit) -> str | None:
    """R21, native and OpenSSH: judged by the introduction's policy, and the policy file is not touched.

    *Reading*: a root commit changes every path that it holds.
    """
    parents = [world.history[name] for name in commit.parents]
    judging = [policy_in(world, world.history[world.introduction])]
    problem = r8_signature_problem(judging, commit)
    if problem:
        return problem
    inherited = [own_entry(world, parent) for parent in parents] or [None]
    if own_entry(world, commit) not in inherited:
        return "policy-unauthorized"
    before = [other_paths(world, parent) for parent in parents] or [{}]
    changes = any(paths != other_paths(world, commit) for paths in before)
    return standing_problem(world, judging, commit, changes=changes)


# --- the Guix dialect -----------------------------------------------------------------------------------------


def r22_own_problem(world: World, commit: RefCommit) -> str | None:
    """R14, R21 and R22: only a side commit may lack the file, and not where a parent has it."""
    parents = [world.history[name] for name in commit.parents]
    had_it = any(own_entry(world, one) is not None for one in [commit, *parents])
    return r14_own_problem(world, commit) if had_it or descends(world, commit.name) else None


def r22_parent_problem(world: World, parent: RefCommit) -> str | None:
    """R22: a parent's file can be read; it may lack it only where its own parents do."""
    if own_entry(world, parent) is not None:
        return r14_file_problem("guix", own_entry(world, parent))
    grandparents = [world.history[name] for name in parent.parents]
    if any(own_entry(world, grandparent) is not None for grandparent in grandparents):
        return "policy-missing"
    return None


def historical_list(world: World) -> RefPolicy:
    """R21: the list that holds where there is no file."""
    return RefPolicy(tuple(RefPerson(key, (Listing(key),)) for key in sorted(world.historical)))


def r22_policy_of_parent(world: World, parent: RefCommit) -> RefPolicy:
    """R21: the parent's file, or the historical list."""
    return historical_list(world) if own_entry(world, parent) is None else policy_in(world, parent)


def r22_problem(world: World, commit: RefCommit) -> str | None:
    """R22: the signing key is in the list of every parent; of a root commit (R21), in the historical one."""
    parents = [world.history[name] for name in commit.parents]
    for parent in parents:
        problem = r22_parent_problem(world, parent)
        if problem:
            return problem
    judging = [r22_policy_of_parent(world, parent) for parent in parents] or [historical_list(world)]
    return r8_signature_problem(judging, commit)


# --- one commit, then all -------------------------------------------------------------------------------------


def own_problem(world: World, commit: RefCommit) -> str | None:
    """Why this commit is refused, its parents taken to be authentic."""
    if commit.malformed:
        return commit.malformed
    if world.dialect == "guix":
        return r22_own_problem(world, commit) or r22_problem(world, commit)
    if descends(world, commit.name):
        return r14_own_problem(world, commit) or r17_problem(world, commit)
    return r21_problem(world, commit)


def refused_commits(world: World, tip: str) -> dict[str, str]:
    """Every commit that the tip reaches and the introduction doesn't, if it is refused, with its code."""
    codes: dict[str, str] = {}
    for name, commit in world.history.items():
        if name not in closure(world.history, tip) or is_given(world, name):
            continue
        refused_parents = [parent for parent in commit.parents if parent in codes]
        if refused_parents and not commit.malformed:
            codes[name] = "parent-not-authentic"
        else:
            problem = own_problem(world, commit)
            if problem:
                codes[name] = problem
    return codes


def first_codes(history: History, codes: dict[str, str]) -> frozenset[str]:
    """The codes of the refused commits that reach no other refused commit: one of them is the oldest."""
    return frozenset(code for name, code in codes.items() if closure(history, name) & set(codes) == {name})


# --- the floor ------------------------------------------------------------------------------------------------


def r23_problem(history: History, tip: str, marks: frozenset[str]) -> str | None:
    """R23: the tip reaches every mark; each authentic edge is binding while editors answer for each edge.

    Asked of an authentic tip only, so every edge that it reaches is authentic. *Reading*: ``behind`` where any
    of the marks not reached reaches the tip.
    """
    unreached = [mark for mark in marks if mark not in closure(history, tip)]
    if not unreached:
        return None
    if any(mark in history and tip in closure(history, mark) for mark in unreached):
        return "behind"
    return "rollback"


def r23b_problem(history: History, tip: str, contains: frozenset[str]) -> str | None:
    """R23b: the tip reaches what the caller knows to be good."""
    return None if contains <= closure(history, tip) else "not-contained"


def r26_problem(world: World, tip: str, max_age: int | None, now: int) -> str | None:
    """R26: a person of the tip's policy has signed an accepted commit lately.

    *Reading*: the introduction is an accepted commit, what it reaches is not; in the OpenSSH dialect, a key counts
    while its entry is in force at the commit's date.
    """
    if max_age is None:
        return None
    policy = policy_in(world, world.history[tip])
    accepted = [
        world.history[name]
        for name in closure(world.history, tip)
        if name == world.introduction or not is_given(world, name)
    ]
    dates = [commit.date for commit in accepted if vouchers(policy, commit) and commit.date <= now + DAY]
    return None if dates and max(dates) >= now - max_age else "stale"


# --- the whole question ---------------------------------------------------------------------------------------


def r3_policy_file(tree: dict[bytes, Entry], dialect: str | None) -> tuple[str, bytes] | None:
    """R3: the one policy file that the introduction's tree has, of the dialect named if one is."""
    found = [
        (name, path)
        for name, paths in DIALECT_FILES.items()
        for path in paths
        if dialect in (None, name) and entry_at(tree, path) is not None
    ]
    return found[0] if len(found) == 1 else None


def r1_signer_problem(history: History, introduction: str, signer: str | None) -> RefReport | None:
    """R1: where a signer is given, the introduction is signed by exactly that key.

    *Reading*: asked after R3 and R14, because the policy says where certificates are.
    """
    if signer is not None and history[introduction].signature != RefSignature("good", signer):
        return RefReport("refused", frozenset({"introduction-signer"}))
    return None


def r14_introduction_problem(dialect: str, entry: object, introduction: str) -> RefReport | None:
    """R14: the introduction's own policy. *Reading*: one that only asks too much of us is a refusal, not an error."""
    problem = r14_file_problem(dialect, entry)
    if problem == "policy-unsupported":
        return RefReport("refused", frozenset({problem}), {introduction: problem})
    return RefReport("error", frozenset({"introduction-policy"})) if problem else None


def judge(history: History, question: Question) -> RefReport:
    """Answer whether the tip is authentic: the anchor, then the commits, then the floor."""
    introduction, tip = question.introduction, question.tip
    if introduction not in history:
        return RefReport("error", frozenset({"introduction-missing"}))  # R1
    malformed = history[introduction].malformed
    if malformed:  # *Reading*: trusted as it may be, its policy can't be read from what R6 and R7 refuse
        return RefReport("refused", frozenset({malformed}), {introduction: malformed})
    found = r3_policy_file(history[introduction].tree, question.dialect)
    if found is None:
        return RefReport("error", frozenset({"introduction-policy"}))
    world = World(history, introduction, *found, question.historical)
    problem = r14_introduction_problem(world.dialect, own_entry(world, history[introduction]), introduction)
    problem = problem or r1_signer_problem(history, introduction, question.signer)
    if problem:
        return problem
    unread = [name for name in closure(history, tip) if history[name].malformed == "malformed-commit"]
    if not descends(world, tip) and all(is_given(world, name) for name in unread):
        return RefReport("refused", frozenset({"not-descendant"}))  # behind a malformed commit, nobody knows
    codes = refused_commits(world, tip)
    reasons = first_codes(history, codes) if codes else floor_problems(world, question)
    return RefReport("refused" if reasons else "authentic", reasons, codes)


def floor_problems(world: World, question: Question) -> frozenset[str]:
    """What is wrong with a tip all of whose commits are authentic."""
    history, tip = world.history, question.tip
    found = (
        r23_problem(history, tip, question.marks),
        r23b_problem(history, tip, question.contains),
        r26_problem(world, tip, question.max_age, question.now),
    )
    return frozenset(code for code in found if code)


def newest_authentic(history: History, question: Question) -> str | None:
    """R27: the newest commit on the tip's first-parent line that would be accepted in its place."""
    line = [question.tip]
    while parents_of(history, line[-1]):
        line.append(parents_of(history, line[-1])[0])
    for name in line:
        if judge(history, replace(question, tip=name)).verdict == "authentic":
            return name
    return None
