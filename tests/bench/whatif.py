"""What if a real repository listed the keys that its history was signed with? A developer's tool.

``python -m tests.bench.whatif REPOSITORY --unprotected doc/`` collects the keys that signed, but for those of forges,
writes a policy that lists them for the whole tree, and audits the history under it: as it is, with unsigned merges
allowed, and with these prefixes left unprotected too. An SSH signature brings its key along; of an OpenPGP one only
the name is in a history, so without a keyring (``--keyring``) what it signed can't be checked.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gitverify.audit.model import Question
from gitverify.audit.run import audit
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Dialect
from gitverify.policies.native import parse
from gitverify.report.audit_model import percent
from gitverify.request import Request
from gitverify.revisions import resolve_commit
from gitverify.source import Repository
from gitverify.walk import read_commit
from tests.signing import ssh_line

if TYPE_CHECKING:
    from gitverify.audit.model import Audit, Stranger


class History:
    """One repository, and the range that is looked at."""

    def __init__(self, path: Path, rev: str, most: int | None, keyring: str | None) -> None:
        self._repository = Repository(path)
        tip = resolve_commit(self._repository, rev)
        tree = None
        if keyring is not None:
            tree = parse_commit(read_commit(self._repository, resolve_commit(self._repository, keyring))).tree
        self._request = Request(tip=tip, introduction=tip, dialect=Dialect.NATIVE, keyring=tree)
        self._most = most

    def under(self, policy: str) -> Audit:
        return audit(self._repository, Question(request=self._request, policy=parse(policy.encode()), most=self._most))


def policy(people: list[str], *more: str) -> str:
    """Return a policy of people with all rights; a key of nobody keeps it from locking everybody out."""
    nobody = f"  nobody: {{keys: [{ssh_line('ssh0')}]}}"
    return "\n".join(
        ["version: 1", "people:", nobody, *people, f"grants: [{{paths: [/], people: [{names(people)}]}}]", *more, ""]
    )


def names(people: list[str]) -> str:
    return ", ".join(["nobody", *(line.split(":")[0].strip() for line in people)])


def person(number: int, stranger: Stranger) -> str:
    """Return the lines of a policy for one key."""
    name = re.sub("[^A-Za-z]+", "-", stranger.author.partition(b"<")[0].decode("ascii", "replace")).strip("-")
    return f"  {name[:40] or 'someone'}-{number}:\n    keys:\n      - {stranger.line}"


def show(title: str, found: Audit) -> None:
    total = found.total
    print(f"{title}: {total.authentic:,} of {total.commits:,} commits ({percent(total.authentic, total.commits)})")
    print(f"  of changes {percent(*found.changes)}, of paths {percent(*found.paths)}")
    print("  " + ", ".join(f"{reason.code} {reason.commits:,}" for reason in found.reasons[:10]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--rev", default="HEAD")
    parser.add_argument("--max-count", type=int)
    parser.add_argument("--keyring", help="a commit whose tree has OpenPGP certificates")
    parser.add_argument("--unprotected", action="append", default=[], metavar="PREFIX")
    parser.add_argument("--write", type=Path, help="keep the policy here")
    asked = parser.parse_args()
    history = History(asked.repository, asked.rev, asked.max_count, asked.keyring)

    start = time.perf_counter()
    strangers = history.under(policy([])).strangers
    print(f"one audit: {time.perf_counter() - start:.1f} s")
    ours = [stranger for stranger in strangers if stranger.forge is None]
    forges = sum(stranger.use.commits for stranger in strangers if stranger.forge is not None)
    listed = [stranger for stranger in ours if stranger.line is not None]
    unproven = [stranger for stranger in ours if not stranger.proven]
    signed = sum(stranger.use.commits for stranger in unproven)
    print(f"keys: {len(ours)} and those of forges, which signed {forges:,} commits; {len(listed)} can be listed")
    print(f"OpenPGP keys without a certificate: {len(unproven)}, which signed {signed:,} commits")

    people = [person(number, stranger) for number, stranger in enumerate(listed, 1)]
    show("keys listed", history.under(policy(people)))
    merging = history.under(policy(people, "unsigned_merges: true"))
    show("and unsigned merges", merging)
    wanted = sum(s.would_sign for s in merging.strangers if not s.proven and s.forge is None)
    print(f"  were the OpenPGP certificates at hand: up to {wanted:,} more")
    if asked.unprotected:
        last = policy(people, "unsigned_merges: true", f"unprotected: [{', '.join(asked.unprotected)}]")
        show(f"and {', '.join(asked.unprotected)} unprotected", history.under(last))
        if asked.write is not None:
            asked.write.write_text(last)
    for suggestion in merging.suggestions:
        then = percent(suggestion.authentic, merging.total.commits)
        prefix = suggestion.prefix.decode(errors="replace")
        print(f"  suggested: {prefix:<30} +{suggestion.gained:,}, then {then}, {suggestion.files:,} files")


if __name__ == "__main__":
    main()
