"""Who may change a path, from the definition: no trie, no cursor."""

from gitverify.policies.model import Dialect, Grant, PathPrefix, Policy


def prefix(text):
    """A prefix as a policy has it, from the bytes that it would be written with."""
    return PathPrefix(text.rstrip(b"/"), text.endswith(b"/"))


def policy(*grants, unprotected=()):
    """``(paths, people)`` each; nobody edits it, because that is not asked here."""
    made = tuple(Grant(tuple(map(prefix, paths)), frozenset(people)) for paths, people in grants)
    return Policy(Dialect.NATIVE, {}, made, frozenset(), unprotected=tuple(map(prefix, unprotected)))


def may_change(policy, people, path, policy_path, *, policy_file):
    """Whether one of the people may change the leaf at this path."""
    if path == policy_path or path.startswith(policy_path + b"/"):
        return policy_file
    granted = [prefix for grant in policy.grants if grant.people & people for prefix in grant.paths]
    return any(holds(prefix, path) for prefix in (*granted, *policy.unprotected))


def holds(prefix, path):
    if not prefix.subtree:
        return path == prefix.path
    return not prefix.path or path.startswith(prefix.path + b"/")
