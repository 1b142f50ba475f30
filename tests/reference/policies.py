"""Policy files: which one counts (R3), what is wrong with one (R14)."""

from __future__ import annotations

from reference.model import DIALECT_FILES, REGULAR_MODES, Entry, Listing, RefCommit, RefPolicy, Tree, World
from reference.paths import editors, entry_at, own_entry


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
    if b"/" in policy.unprotected:
        return "policy-invalid"  # nothing would be left to verify
    if any(r22b_window_is_empty(listing) for listing in listings):
        return "policy-invalid"
    if dialect != "guix" and not editors(dialect, policy):
        return "policy-lockout"
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


def r3_policy_file(tree: Tree, dialect: str | None) -> tuple[str, bytes] | None:
    """R3: the one policy file that the introduction's tree has, of the dialect named if one is."""
    found = [
        (name, path)
        for name, paths in DIALECT_FILES.items()
        for path in paths
        if dialect in (None, name) and entry_at(tree, path) is not None
    ]
    return found[0] if len(found) == 1 else None
