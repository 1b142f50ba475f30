"""OpenSSH's patterns (``ssh_config(5)``, PATTERNS): ``*``, ``?``, and lists of them with ``!`` for "but not"."""

from __future__ import annotations

_LONGEST = 1023  # OpenSSH's match_pattern_list takes no longer pattern, and the whole list as not matching


def matches(text: str, pattern: str) -> bool:
    """Whether one pattern matches the whole text; in time proportional to the product of their lengths."""
    at = where = 0
    star = resume = -1
    while at < len(text):
        if where < len(pattern) and pattern[where] == "*":
            star, resume = where, at
            where += 1
        elif where < len(pattern) and pattern[where] in ("?", text[at]):
            at += 1
            where += 1
        elif star >= 0:
            # Let the last star swallow one character more.
            resume += 1
            at, where = resume, star + 1
        else:
            return False
    return not pattern[where:].strip("*")


def list_matches(text: str, patterns: str) -> bool:
    """Whether a comma-separated list matches: one pattern does, and no negated one."""
    found = False
    for pattern in patterns.split(","):
        wanted = pattern.removeprefix("!")
        if len(wanted) >= _LONGEST:
            return False
        if matches(text, wanted):
            if wanted is not pattern:
                return False
            found = True
    return found
